"""Trained models in the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select, update

from mlalm_jupyter.adapters.catalog.model_search import found_ids
from mlalm_jupyter.adapters.catalog.records import an_object, record
from mlalm_jupyter.adapters.catalog.references import users_of
from mlalm_jupyter.adapters.catalog.schema import model_aliases, model_facts, models
from mlalm_jupyter.adapters.catalog.versions import asset_row, claim_version, newest_of_each, reserve_version
from mlalm_jupyter.domain.errors import NotFound, StaleRevision
from mlalm_jupyter.domain.metrics import read, written
from mlalm_jupyter.domain.model import Alias, Lineage, TrainedModel
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.search import Fact, Search, facts_of, input_facts
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
_WITH_HASH = (
    select(models)
    .where(models.c.model_hash == bindparam("model_hash"))
    .order_by(models.c.created_at.desc(), models.c.id.desc())
)
_HAS_NAME = select(exists().where(models.c.name == bindparam("name")))
_DELETE = delete(models).where(models.c.id == bindparam("id"))
_THIS = models.c.id == bindparam("model_id")
_FACTS_OF = model_facts.c.model_id == bindparam("model_id")
_FORGET = delete(model_facts).where(_FACTS_OF)
_FORGET_KIND = delete(model_facts).where(_FACTS_OF, model_facts.c.kind == bindparam("fact_kind"))
_OF_KIND = model_facts.c.kind == bindparam("fact_kind")
_NEXT_WORD = select(func.min(model_facts.c.name)).where(_OF_KIND, model_facts.c.name > bindparam("after"))
_HAS_WORD = select(model_facts.c.model_id).where(_OF_KIND, model_facts.c.name == bindparam("word")).limit(1)
_ALIASES = select(model_aliases).order_by(model_aliases.c.name, model_aliases.c.alias)
_ALIASES_OF = _ALIASES.where(model_aliases.c.name == bindparam("name"))
_IS_ALIAS = (model_aliases.c.name == bindparam("of"), model_aliases.c.alias == bindparam("word"))
_ALIAS = select(model_aliases).where(*_IS_ALIAS)
_MOVE_ALIAS = update(model_aliases).where(*_IS_ALIAS, model_aliases.c.revision == bindparam("expected"))
_REMOVE_ALIAS = delete(model_aliases).where(*_IS_ALIAS)
_AT_ONCE = 500


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
                "properties": dict(model.properties),
                "metrics": written(model.metrics),
                "parameters": dict(model.parameters),
                "provenance": model.lineage.provenance,
                "is_deterministic": model.is_deterministic,
                "varies": list(model.varies),
            },
        )
        self._add_facts(model.id, _facts(model))

    def get(self, ref: AssetRef) -> TrainedModel:
        if ref.alias is not None:
            ref = AssetRef("model", ref.name, self.alias(ref.name, ref.alias).version)
        return self._told([_model(asset_row(self._connection, models, _NAMED, ref))])[0]

    def find(self, *, name: str | None = None, run_id: str | None = None) -> list[TrainedModel]:
        if run_id is not None:
            found = map(_model, self._connection.execute(_OF_RUN, {"run_id": run_id}))
            return self._told([model for model in found if name in (None, model.name)])
        rows = self._connection.execute(_EACH if name is None else _ALL, {"name": name})
        return self._told([_model(row) for row in rows])

    def search(self, search: Search) -> list[TrainedModel]:
        ids = found_ids(self._connection, search)
        found: dict[str, TrainedModel] = {}
        for begin in range(0, len(ids), _AT_ONCE):
            those = select(models).where(models.c.id.in_(ids[begin : begin + _AT_ONCE]))
            found |= {row.id: _model(row) for row in self._connection.execute(those)}
        return self._told([found[one] for one in ids])

    def words(self, kinds: Sequence[str]) -> list[str]:
        """One after the other, for there may be very many versions that say the same."""
        found: set[str] = set()
        for kind in kinds:
            name = self._connection.execute(_NEXT_WORD, {"fact_kind": kind, "after": ""}).scalar()
            while name is not None and len(found) < _AT_ONCE:
                found.add(name)
                name = self._connection.execute(_NEXT_WORD, {"fact_kind": kind, "after": name}).scalar()
        return sorted(found)

    def has_word(self, kinds: Sequence[str], name: str) -> bool:
        asked = [{"fact_kind": kind, "word": name} for kind in kinds]
        return any(self._connection.execute(_HAS_WORD, one).first() for one in asked)

    def tell(self, model: TrainedModel) -> None:
        said = {
            "tags": dict(model.tags),
            "properties": dict(model.properties),
            "metrics": written(model.metrics),
            "description": model.description,
        }
        if not self._connection.execute(
            update(models).where(_THIS).values(said), {"model_id": model.id}
        ).rowcount:
            raise NotFound("model", model.reference)
        for kind in ("tag", "property", "metric"):
            self._connection.execute(_FORGET_KIND, {"model_id": model.id, "fact_kind": kind})
        self._add_facts(model.id, [one for one in _facts(model) if one.kind in ("tag", "property", "metric")])

    def alias(self, name: str, alias: str) -> Alias:
        row = self._connection.execute(_ALIAS, {"of": name, "word": alias}).one_or_none()
        if row is None:
            known = [one.reference for one in self.aliases(name=name)]
            raise NotFound(
                "alias",
                f"{name}@{alias}",
                known=known,
                fix=f"Give one with `mlalm model alias {name}:1 {alias}`.",
            )
        return Alias(*row)

    def aliases(self, *, name: str | None = None) -> list[Alias]:
        rows = self._connection.execute(_ALIASES if name is None else _ALIASES_OF, {"name": name})
        return [Alias(*row) for row in rows]

    def move_alias(self, alias: Alias, *, expected_revision: int) -> None:
        where = {"of": alias.name, "word": alias.alias}
        moving = {
            "version": alias.version,
            "revision": alias.revision,
            "updated_at": alias.updated_at,
            "updated_by": alias.updated_by,
            "run_id": alias.run_id,
        }
        if expected_revision == 0:
            held = self._connection.execute(_ALIAS, where).one_or_none()
            if held is None:
                self._connection.execute(
                    insert(model_aliases), {"name": alias.name, "alias": alias.alias, **moving}
                )
                return
        elif self._connection.execute(
            _MOVE_ALIAS.values(moving), {**where, "expected": expected_revision}
        ).rowcount:
            return
        held = self._connection.execute(_ALIAS, where).one_or_none()
        current = held.revision if held is not None else 0
        raise StaleRevision("alias", alias.reference, expected=expected_revision, current=current)

    def remove_alias(self, name: str, alias: str) -> None:
        if not self._connection.execute(_REMOVE_ALIAS, {"of": name, "word": alias}).rowcount:
            self.alias(name, alias)

    def equal_to(self, name: str, model_hash: str) -> int | None:
        return self._connection.execute(_EQUAL, {"name": name, "model_hash": model_hash}).scalar()

    def has_hash(self, model_hash: str) -> bool:
        return bool(self._connection.execute(_HAS_HASH, {"model_hash": model_hash}).scalar())

    def with_hash(self, model_hash: str) -> list[TrainedModel]:
        rows = self._connection.execute(_WITH_HASH, {"model_hash": model_hash})
        return self._told([_model(row) for row in rows])

    def has_name(self, name: str) -> bool:
        return bool(self._connection.execute(_HAS_NAME, {"name": name}).scalar())

    def users(self, model: TrainedModel) -> list[str]:
        return users_of(self._connection, kind="model", reference=model.reference, asset_id=model.id)

    def delete(self, model_id: str) -> None:
        self._connection.execute(_FORGET, {"model_id": model_id})
        if not self._connection.execute(_DELETE, {"id": model_id}).rowcount:
            raise NotFound("model", model_id)

    def _add_facts(self, model_id: str, facts: Sequence[Fact]) -> None:
        rows = [
            {"model_id": model_id, "kind": one.kind, "name": one.name, "text": one.text, "number": one.number}
            for one in facts
        ]
        if rows:
            self._connection.execute(insert(model_facts), rows)

    def _told(self, found: list[TrainedModel]) -> list[TrainedModel]:
        """Versions with the words that stand for them."""
        words: dict[tuple[str, int], list[str]] = {}
        names = list({model.name for model in found})
        for begin in range(0, len(names), _AT_ONCE):
            some = names[begin : begin + _AT_ONCE]
            for row in self._connection.execute(_ALIASES.where(model_aliases.c.name.in_(some))):
                words.setdefault((row.name, row.version), []).append(row.alias)
        return [
            replace(model, aliases=tuple(words[key]))
            if (key := (model.name, model.version)) in words
            else model
            for model in found
        ]


def _facts(model: TrainedModel) -> list[Fact]:
    """What a version can be searched by."""
    library, _, version = model.framework.partition(" ")
    return [
        Fact("framework", library, version),
        *facts_of("tag", model.tags),
        *facts_of("property", model.properties),
        *facts_of("metric", model.metrics),
        *facts_of("parameter", model.parameters),
        *input_facts(model.lineage.datasets),
    ]


@record("model")
def _model(row: Sequence[Any]) -> TrainedModel:
    (
        key, name, version, model_hash, bundle_digest, size_bytes, form, framework, is_data_only, signature,
        origin, run_id, experiment, datasets, created_at, created_by, tags, description, equal_to,
        properties, metrics, parameters, provenance, is_deterministic, varies,
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
        lineage=Lineage.of(origin, run_id, experiment, datasets, provenance),
        created_at=created_at,
        created_by=created_by,
        tags=an_object(tags),
        description=description,
        equal_to=equal_to,
        properties=an_object(properties),
        metrics=read(an_object(metrics)),
        parameters=an_object(parameters),
        is_deterministic=is_deterministic,
        varies=tuple(varies),
    )
