"""Service definitions in the catalog: which there are, and which models are in them."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, exists, insert, select

from mlalm_jupyter.adapters.catalog.schema import definition_models, definitions
from mlalm_jupyter.domain.definition import ServiceDefinition

_HAS = select(exists().where(definitions.c.digest == bindparam("digest")))
_DIGESTS = select(definitions.c.digest).order_by(definitions.c.created_at, definitions.c.digest)


class SqlDefinitions:
    """Fills `ports.DefinitionStore`; the documents themselves are blobs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, definition: ServiceDefinition, *, at: str) -> None:
        if self.has(definition.digest):
            return
        self._connection.execute(
            insert(definitions), {"digest": definition.digest, "title": definition.title, "created_at": at}
        )
        held = {
            model.asset: {
                "definition_hash": definition.digest,
                "asset": model.asset,
                "reference": model.reference,
                "model_hash": model.model_hash,
            }
            for model in definition.models
        }
        if held:
            self._connection.execute(insert(definition_models), list(held.values()))

    def has(self, digest: str) -> bool:
        return bool(self._connection.execute(_HAS, {"digest": digest}).scalar())

    def digests(self) -> list[str]:
        return list(self._connection.scalars(_DIGESTS))
