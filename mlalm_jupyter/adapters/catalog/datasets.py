"""Datasets in the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from mlalm_jupyter.adapters.catalog.records import an_object, record
from mlalm_jupyter.adapters.catalog.references import users_of
from mlalm_jupyter.adapters.catalog.schema import datasets
from mlalm_jupyter.adapters.catalog.versions import asset_row, claim_version, newest_of_each, reserve_version
from mlalm_jupyter.domain.asset import Dataset, Source
from mlalm_jupyter.domain.errors import NotFound
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.signature import Schema

_NAMED = select(datasets).where(datasets.c.name == bindparam("name"))
_ALL = _NAMED.order_by(datasets.c.version)
_EACH = newest_of_each(datasets)
_EQUAL = select(func.max(datasets.c.version)).where(
    datasets.c.name == bindparam("name"), datasets.c.digest == bindparam("digest")
)
_DELETE = delete(datasets).where(datasets.c.id == bindparam("id"))


class SqlDatasets:
    """Fills `ports.DatasetStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_version(self, name: str) -> int:
        return reserve_version(self._connection, "dataset", name)

    def claim(self, name: str, version: int) -> int:
        return claim_version(self._connection, "dataset", name, version)

    def add(self, dataset: Dataset) -> None:
        self._connection.execute(
            insert(datasets),
            {
                "id": dataset.id,
                "name": dataset.name,
                "version": dataset.version,
                "format": dataset.format,
                "digest": dataset.digest,
                "size_bytes": dataset.size_bytes,
                "row_count": dataset.row_count,
                "schema": dataset.schema.to_dict(),
                "created_at": dataset.created_at,
                "created_by": dataset.created_by,
                "equal_to": dataset.equal_to,
                "tags": dict(dataset.tags),
                "description": dataset.description,
                "profile_digest": dataset.profile_digest,
                "source": _kept_source(dataset.source),
                "run_id": dataset.run_id,
            },
        )

    def get(self, ref: AssetRef) -> Dataset:
        return _dataset(asset_row(self._connection, datasets, _NAMED, ref))

    def find(self, *, name: str | None = None) -> list[Dataset]:
        rows = self._connection.execute(_EACH if name is None else _ALL, {"name": name})
        return [_dataset(row) for row in rows]

    def equal_to(self, name: str, digest: str) -> int | None:
        return self._connection.execute(_EQUAL, {"name": name, "digest": digest}).scalar()

    def users(self, dataset: Dataset) -> list[str]:
        return users_of(self._connection, kind="dataset", reference=dataset.reference, asset_id=dataset.id)

    def delete(self, dataset_id: str) -> None:
        if not self._connection.execute(_DELETE, {"id": dataset_id}).rowcount:
            raise NotFound("dataset", dataset_id)


def _kept_source(source: Source | None) -> dict[str, object] | None:
    return None if source is None else {**source.to_dict(), "sealed_address": source.sealed_address}


@record("dataset")
def _dataset(row: Sequence[Any]) -> Dataset:
    (
        key, name, version, form, digest, size_bytes, row_count, schema, created_at, created_by, equal_to,
        tags, description, profile_digest, source, run_id,
    ) = row  # fmt: skip
    return Dataset(
        id=key,
        name=name,
        version=version,
        format=form,
        digest=digest,
        size_bytes=size_bytes,
        row_count=row_count,
        schema=Schema.from_dict(schema),
        created_at=created_at,
        created_by=created_by,
        equal_to=equal_to,
        tags=an_object(tags),
        description=description,
        profile_digest=profile_digest,
        source=None if source is None else Source.from_dict(source),
        run_id=run_id,
    )
