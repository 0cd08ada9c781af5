"""Fitted transforms in the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Text, bindparam, cast, delete, exists, func, insert, select

from mlalm_jupyter.adapters.catalog.records import an_object, record
from mlalm_jupyter.adapters.catalog.references import users_of
from mlalm_jupyter.adapters.catalog.schema import transforms
from mlalm_jupyter.adapters.catalog.versions import asset_row, claim_version, newest_of_each, reserve_version
from mlalm_jupyter.domain.asset import Transform
from mlalm_jupyter.domain.errors import NotFound
from mlalm_jupyter.domain.model import Lineage
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.signature import Signature

_NAMED = select(transforms).where(transforms.c.name == bindparam("name"))
_ALL = _NAMED.order_by(transforms.c.version)
_EACH = newest_of_each(transforms)
_EQUAL = select(func.max(transforms.c.version)).where(
    transforms.c.name == bindparam("name"), transforms.c.transform_hash == bindparam("transform_hash")
)
_HAS_HASH = select(exists().where(transforms.c.transform_hash == bindparam("transform_hash")))
_DELETE = delete(transforms).where(transforms.c.id == bindparam("id"))


class SqlTransforms:
    """Fills `ports.TransformStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_version(self, name: str) -> int:
        return reserve_version(self._connection, "transform", name)

    def claim(self, name: str, version: int) -> int:
        return claim_version(self._connection, "transform", name, version)

    def add(self, transform: Transform) -> None:
        self._connection.execute(
            insert(transforms),
            {
                "id": transform.id,
                "name": transform.name,
                "version": transform.version,
                "transform_hash": transform.transform_hash,
                "bundle_digest": transform.bundle_digest,
                "size_bytes": transform.size_bytes,
                "format": transform.format,
                "framework": transform.framework,
                "is_data_only": transform.is_data_only,
                "signature": transform.signature.to_dict(),
                "origin": transform.lineage.origin,
                "run_id": transform.lineage.run_id,
                "experiment": transform.lineage.experiment,
                "datasets": list(transform.lineage.datasets),
                "created_at": transform.created_at,
                "created_by": transform.created_by,
                "tags": dict(transform.tags),
                "description": transform.description,
                "equal_to": transform.equal_to,
                "provenance": transform.lineage.provenance,
            },
        )

    def get(self, ref: AssetRef) -> Transform:
        return _transform(asset_row(self._connection, transforms, _NAMED, ref))

    def find(self, *, name: str | None = None) -> list[Transform]:
        rows = self._connection.execute(_EACH if name is None else _ALL, {"name": name})
        return [_transform(row) for row in rows]

    def equal_to(self, name: str, transform_hash: str) -> int | None:
        asked = {"name": name, "transform_hash": transform_hash}
        return self._connection.execute(_EQUAL, asked).scalar()

    def has_hash(self, transform_hash: str) -> bool:
        return bool(self._connection.execute(_HAS_HASH, {"transform_hash": transform_hash}).scalar())

    def users(self, transform: Transform) -> list[str]:
        return users_of(
            self._connection, kind="transform", reference=transform.reference, asset_id=transform.id
        )

    def made_from(self, told: str, *, limit: int | None = None) -> list[Transform]:
        held = cast(transforms.c.datasets, Text).contains(f'"{told}"', autoescape=True)
        made = select(transforms).where(held).order_by(transforms.c.created_at, transforms.c.id)
        return [_transform(row) for row in self._connection.execute(made.limit(limit))]

    def delete(self, transform_id: str) -> None:
        if not self._connection.execute(_DELETE, {"id": transform_id}).rowcount:
            raise NotFound("transform", transform_id)


@record("transform")
def _transform(row: Sequence[Any]) -> Transform:
    (
        key, name, version, transform_hash, bundle_digest, size_bytes, form, framework, is_data_only, signature,
        origin, run_id, experiment, datasets, created_at, created_by, tags, description, equal_to,
        provenance,
    ) = row  # fmt: skip
    return Transform(
        id=key,
        name=name,
        version=version,
        transform_hash=transform_hash,
        bundle_digest=bundle_digest,
        size_bytes=size_bytes,
        format=form,
        framework=framework,
        is_data_only=is_data_only,
        signature=Signature.from_dict(signature),
        lineage=Lineage.of(origin, run_id, experiment, datasets, provenance),
        created_at=created_at,
        created_by=created_by,
        tags=an_object(tags),
        description=description,
        equal_to=equal_to,
    )
