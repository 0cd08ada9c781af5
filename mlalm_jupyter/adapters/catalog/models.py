"""Trained models in the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select

from mlalm_jupyter.adapters.catalog.records import an_object, record
from mlalm_jupyter.adapters.catalog.references import users_of
from mlalm_jupyter.adapters.catalog.schema import models
from mlalm_jupyter.adapters.catalog.versions import asset_row, claim_version, newest_of_each, reserve_version
from mlalm_jupyter.domain.errors import NotFound
from mlalm_jupyter.domain.model import Lineage, TrainedModel
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.signature import Signature

_NAMED = select(models).where(models.c.name == bindparam("name"))
_ALL = _NAMED.order_by(models.c.version)
_EACH = newest_of_each(models)
_OF_RUN = (
    select(models).where(models.c.run_id == bindparam("run_id")).order_by(models.c.name, models.c.version)
)
_EQUAL = select(func.max(models.c.version)).where(
    models.c.name == bindparam("name"), models.c.model_hash == bindparam("model_hash")
)
_HAS_HASH = select(exists().where(models.c.model_hash == bindparam("model_hash")))
_DELETE = delete(models).where(models.c.id == bindparam("id"))


class SqlModels:
    """Fills `ports.ModelStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_version(self, name: str) -> int:
        return reserve_version(self._connection, "model", name)

    def claim(self, name: str, version: int) -> int:
        return claim_version(self._connection, "model", name, version)

    def add(self, model: TrainedModel) -> None:
        self._connection.execute(
            insert(models),
            {
                "id": model.id,
                "name": model.name,
                "version": model.version,
                "model_hash": model.model_hash,
                "bundle_digest": model.bundle_digest,
                "size_bytes": model.size_bytes,
                "format": model.format,
                "framework": model.framework,
                "is_data_only": model.is_data_only,
                "signature": model.signature.to_dict(),
                "origin": model.lineage.origin,
                "run_id": model.lineage.run_id,
                "experiment": model.lineage.experiment,
                "datasets": list(model.lineage.datasets),
                "created_at": model.created_at,
                "created_by": model.created_by,
                "tags": dict(model.tags),
                "description": model.description,
                "equal_to": model.equal_to,
            },
        )

    def get(self, ref: AssetRef) -> TrainedModel:
        return _model(asset_row(self._connection, models, _NAMED, ref))

    def find(self, *, name: str | None = None, run_id: str | None = None) -> list[TrainedModel]:
        if run_id is not None:
            found = map(_model, self._connection.execute(_OF_RUN, {"run_id": run_id}))
            return [model for model in found if name in (None, model.name)]
        rows = self._connection.execute(_EACH if name is None else _ALL, {"name": name})
        return [_model(row) for row in rows]

    def equal_to(self, name: str, model_hash: str) -> int | None:
        return self._connection.execute(_EQUAL, {"name": name, "model_hash": model_hash}).scalar()

    def has_hash(self, model_hash: str) -> bool:
        return bool(self._connection.execute(_HAS_HASH, {"model_hash": model_hash}).scalar())

    def users(self, model: TrainedModel) -> list[str]:
        return users_of(self._connection, kind="model", reference=model.reference, asset_id=model.id)

    def delete(self, model_id: str) -> None:
        if not self._connection.execute(_DELETE, {"id": model_id}).rowcount:
            raise NotFound("model", model_id)


@record("model")
def _model(row: Sequence[Any]) -> TrainedModel:
    (
        key, name, version, model_hash, bundle_digest, size_bytes, form, framework, is_data_only, signature,
        origin, run_id, experiment, datasets, created_at, created_by, tags, description, equal_to,
    ) = row  # fmt: skip
    return TrainedModel(
        id=key,
        name=name,
        version=version,
        model_hash=model_hash,
        bundle_digest=bundle_digest,
        size_bytes=size_bytes,
        format=form,
        framework=framework,
        is_data_only=is_data_only,
        signature=Signature.from_dict(signature),
        lineage=Lineage(origin, run_id, experiment, tuple(datasets)),
        created_at=created_at,
        created_by=created_by,
        tags=an_object(tags),
        description=description,
        equal_to=equal_to,
    )
