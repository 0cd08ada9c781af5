"""Triggers in the catalog, and what they did at each of their times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select, update

from mlalm_jupyter.adapters.catalog.lookup import at_most
from mlalm_jupyter.adapters.catalog.records import an_object, record
from mlalm_jupyter.adapters.catalog.schema import firings, triggers
from mlalm_jupyter.domain.errors import AlreadyExists, NotFound
from mlalm_jupyter.domain.trigger import Firing, FiringOutcome, Missed, Trigger

_other = firings.alias("other")
_LAST = (
    select(_other.c.id).where(_other.c.trigger_id == triggers.c.id).order_by(_other.c.due_at.desc()).limit(1)
).scalar_subquery()
_WITH_LAST = select(triggers, *(column.label(f"last_{column.name}") for column in firings.c)).select_from(
    triggers.outerjoin(firings, firings.c.id == _LAST)
)
_ALL = _WITH_LAST.order_by(triggers.c.name)
_NAMED = _WITH_LAST.where(triggers.c.name == bindparam("name"))
_OF = _ALL.where(triggers.c.path == bindparam("path"))
_DUE = _WITH_LAST.where(triggers.c.due_at <= bindparam("now")).order_by(triggers.c.due_at, triggers.c.id)
_NEXT = select(func.min(triggers.c.due_at))
_NAMES = select(triggers.c.name).order_by(triggers.c.name)
_MOVE = update(triggers).where(triggers.c.id == bindparam("trigger_id"))
# whoever moves a due time onward is the one that acts on it
_MOVE_ON = _MOVE.where(triggers.c.due_at == bindparam("expected"))
_FIRINGS = (
    select(firings).where(firings.c.trigger_id == bindparam("trigger_id")).order_by(firings.c.due_at.desc())
)
_COUNT = select(func.count()).select_from(firings).where(firings.c.trigger_id == bindparam("trigger_id"))
_HAS_FIRED = select(
    exists().where(firings.c.trigger_id == bindparam("trigger_id"), firings.c.due_at == bindparam("due"))
)
_FORGET = delete(firings).where(firings.c.trigger_id == bindparam("trigger_id"))
_DELETE = delete(triggers).where(triggers.c.id == bindparam("trigger_id"))
_OWN = len(triggers.c)


class SqlTriggers:
    """Fills `ports.TriggerStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, trigger: Trigger) -> None:
        if trigger.name in self._names():
            raise AlreadyExists("trigger", trigger.name, fix="Choose another name, or delete that one first.")
        self._connection.execute(
            insert(triggers),
            {
                "id": trigger.id,
                "name": trigger.name,
                "kind": trigger.kind,
                "path": trigger.path,
                "cron": trigger.cron,
                "timezone": trigger.timezone,
                "missed": trigger.missed.value,
                "created_at": trigger.created_at,
                "created_by": trigger.created_by,
                "due_at": trigger.due_at,
                "snapshot_run_id": trigger.snapshot_run_id,
                "parameters": dict(trigger.parameters),
                "until": trigger.until,
                "is_paused": trigger.is_paused,
            },
        )

    def get(self, name: str) -> Trigger:
        row = self._connection.execute(_NAMED, {"name": name}).one_or_none()
        if row is None:
            raise NotFound("trigger", name, known=self._names())
        return _trigger(row)

    def find(self, *, path: str | None = None) -> list[Trigger]:
        rows = self._connection.execute(_ALL if path is None else _OF, {"path": path})
        return [_trigger(row) for row in rows]

    def due(self, now: str) -> list[Trigger]:
        return [_trigger(row) for row in self._connection.execute(_DUE, {"now": now})]

    def next_due_at(self) -> str | None:
        return self._connection.execute(_NEXT).scalar()

    def move_on(self, trigger: Trigger, *, due_at: str | None) -> bool:
        moved = self._connection.execute(
            _MOVE_ON.values(due_at=due_at), {"trigger_id": trigger.id, "expected": trigger.due_at}
        )
        return moved.rowcount == 1

    def pause(self, trigger_id: str) -> None:
        self._connection.execute(_MOVE.values(is_paused=True, due_at=None), {"trigger_id": trigger_id})

    def resume(self, trigger_id: str, *, due_at: str | None) -> None:
        self._connection.execute(_MOVE.values(is_paused=False, due_at=due_at), {"trigger_id": trigger_id})

    def add_firing(self, firing: Firing) -> None:
        self._connection.execute(
            insert(firings),
            {
                "id": firing.id,
                "trigger_id": firing.trigger_id,
                "due_at": firing.due_at,
                "fired_at": firing.fired_at,
                "outcome": firing.outcome.value,
                "reason": firing.reason,
                "run_id": firing.run_id,
                "missed": firing.missed,
            },
        )

    def has_fired(self, trigger_id: str, due_at: str) -> bool:
        return bool(self._connection.execute(_HAS_FIRED, {"trigger_id": trigger_id, "due": due_at}).scalar())

    def firings(self, trigger_id: str, *, limit: int | None = None) -> list[Firing]:
        statement = _FIRINGS.limit(at_most(limit))
        return [_firing(row) for row in self._connection.execute(statement, {"trigger_id": trigger_id})]

    def count_firings(self, trigger_id: str) -> int:
        return self._connection.execute(_COUNT, {"trigger_id": trigger_id}).scalar() or 0

    def delete(self, trigger_id: str) -> None:
        self._connection.execute(_FORGET, {"trigger_id": trigger_id})
        self._connection.execute(_DELETE, {"trigger_id": trigger_id})

    def _names(self) -> list[str]:
        return list(self._connection.scalars(_NAMES))


@record("trigger")
def _trigger(row: Sequence[Any]) -> Trigger:
    (
        key, name, kind, path, cron, timezone, missed, created_at, created_by, due_at, snapshot_run_id,
        parameters, until, is_paused,
    ) = row[:_OWN]  # fmt: skip
    last = row[_OWN:]
    return Trigger(
        id=key,
        name=name,
        kind=kind,
        path=path,
        cron=cron,
        timezone=timezone,
        missed=Missed(missed),
        created_at=created_at,
        created_by=created_by,
        due_at=due_at,
        snapshot_run_id=snapshot_run_id,
        parameters=an_object(parameters),
        until=until,
        is_paused=is_paused,
        last=_firing(last) if last[0] is not None else None,
    )


@record("firing")
def _firing(row: Sequence[Any]) -> Firing:
    key, trigger_id, due_at, fired_at, outcome, reason, run_id, missed = row
    return Firing(key, trigger_id, due_at, fired_at, FiringOutcome(outcome), reason, run_id, missed)
