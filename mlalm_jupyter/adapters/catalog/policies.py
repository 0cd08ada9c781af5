"""Policies in the catalog: the rules that somebody opted for, and what they did last."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from mlalm_jupyter.adapters.catalog.schema import policies
from mlalm_jupyter.domain.errors import AlreadyExists, NotFound
from mlalm_jupyter.domain.policy import Policy

_NAMED = select(policies).where(policies.c.name == bindparam("name"))
_ALL = select(policies).order_by(policies.c.name)
_OF_RULE = select(policies).where(policies.c.rule == bindparam("rule")).order_by(policies.c.id)
_THIS = policies.c.id == bindparam("policy_id")
_APPLIED = update(policies).where(_THIS)
_DELETE = delete(policies).where(_THIS)


class SqlPolicies:
    """Fills `ports.PolicyStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, policy: Policy) -> None:
        if self._connection.execute(_NAMED, {"name": policy.name}).one_or_none():
            raise AlreadyExists("policy", policy.name, fix="Choose another name, or delete that one first.")
        self._connection.execute(insert(policies), policy.to_dict())

    def get(self, name: str) -> Policy:
        row = self._connection.execute(_NAMED, {"name": name}).one_or_none()
        if row is None:
            raise NotFound("policy", name, known=[one.name for one in self.find()])
        return Policy(*row)

    def find(self, *, rule: str | None = None) -> list[Policy]:
        rows = self._connection.execute(_ALL if rule is None else _OF_RULE, {"rule": rule})
        return [Policy(*row) for row in rows]

    def applied(self, policy_id: str, *, model: str | None, at: str, note: str, expected: str | None) -> bool:
        done = _APPLIED.where(policies.c.applied.is_not_distinct_from(expected))
        values = done.values(applied=model, applied_at=at, note=note)
        return bool(self._connection.execute(values, {"policy_id": policy_id}).rowcount)

    def delete(self, policy_id: str) -> None:
        if not self._connection.execute(_DELETE, {"policy_id": policy_id}).rowcount:
            raise NotFound("policy", policy_id[:12])
