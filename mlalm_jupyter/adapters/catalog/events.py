"""Events in the catalog; the table refuses anything but additions."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select

from mlalm_jupyter.adapters.catalog.lookup import at_most
from mlalm_jupyter.adapters.catalog.schema import events
from mlalm_jupyter.domain.event import Event

_NEWEST_FIRST = select(
    events.c.at,
    events.c.by,
    events.c.noun,
    events.c.action,
    events.c.subject_id,
    events.c.subject,
    events.c.data,
    events.c.seq,
).order_by(events.c.seq.desc())
_APPEND = insert(events).returning(events.c.seq)
_LAST = select(func.max(events.c.seq))


class SqlEvents:
    """Fills `ports.EventStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, event: Event) -> int:
        seq: int = self._connection.execute(
            _APPEND,
            {
                "at": event.at,
                "by": event.by,
                "noun": event.noun,
                "action": event.action,
                "subject_id": event.subject_id,
                "subject": event.subject,
                "data": dict(event.data),
            },
        ).scalar_one()
        return seq

    def find(
        self, *, noun: str | None = None, subject_id: str | None = None, limit: int = 1000
    ) -> list[Event]:
        statement = _NEWEST_FIRST.limit(at_most(limit))
        if noun is not None:
            statement = statement.where(events.c.noun == noun)
        if subject_id is not None:
            statement = statement.where(events.c.subject_id == subject_id)
        found = [Event(*row) for row in self._connection.execute(statement)]
        return found[::-1]

    def last_seq(self) -> int:
        return self._connection.execute(_LAST).scalar() or 0
