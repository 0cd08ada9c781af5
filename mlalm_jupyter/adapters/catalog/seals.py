"""Seals in the catalog: what this workspace's key signed, and why."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, insert, select

from mlalm_jupyter.adapters.catalog.schema import seals
from mlalm_jupyter.domain.trust import Seal

_FIELDS = select(
    seals.c.digest, seals.c.kind, seals.c.key_id, seals.c.signature, seals.c.reason, seals.c.at, seals.c.by
)
_ONE = _FIELDS.where(seals.c.kind == bindparam("kind"), seals.c.digest == bindparam("digest"))
_ALL = _FIELDS.order_by(seals.c.at, seals.c.digest, seals.c.kind)
_REPLACED = delete(seals).where(seals.c.kind == bindparam("kind"), seals.c.digest == bindparam("digest"))
_REMOVE = delete(seals).where(seals.c.digest == bindparam("digest"))


class SqlSeals:
    """Fills `ports.SealStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, seal: Seal) -> None:
        self._connection.execute(_REPLACED, {"kind": seal.kind, "digest": seal.digest})
        self._connection.execute(
            insert(seals),
            {
                "kind": seal.kind,
                "digest": seal.digest,
                "key_id": seal.key_id,
                "signature": seal.signature,
                "reason": seal.reason,
                "at": seal.at,
                "by": seal.by,
            },
        )

    def get(self, kind: str, digest: str) -> Seal | None:
        row = self._connection.execute(_ONE, {"kind": kind, "digest": digest}).one_or_none()
        return None if row is None else Seal(*row)

    def find(self) -> list[Seal]:
        return [Seal(*row) for row in self._connection.execute(_ALL)]

    def remove(self, digest: str) -> int:
        return self._connection.execute(_REMOVE, {"digest": digest}).rowcount
