"""Looking rows up: the one whose id begins as a person typed it, and the newest few."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Row, Select, Table, bindparam, select

from mlalm_jupyter.domain.errors import InvalidInput, NotFound

_SHOWN = 5
_KNOWN = 20
_AFTER_HEX = "g"
_MOST = 2**31 - 1


def beginning_with(table: Table) -> Select[*tuple[object, ...]]:
    """Rows whose id begins with :low, found on the primary key's index; two are enough to tell."""
    ids = table.c.id
    return select(table).where(ids >= bindparam("low"), ids < bindparam("high")).order_by(ids).limit(2)


def only_row(
    connection: Connection,
    statement: Select[*tuple[object, ...]],
    table: Table,
    *,
    kind: str,
    prefix: str,
    fix: str,
) -> Row[*tuple[object, ...]]:
    """The row of `table` whose id begins with `prefix`."""
    rows = connection.execute(statement, {"low": prefix, "high": prefix + _AFTER_HEX}).all()
    if len(rows) == 1:
        return rows[0]
    if not rows:
        newest = connection.scalars(select(table.c.id).order_by(table.c.id.desc()).limit(_KNOWN))
        raise NotFound(kind, prefix, known=[one[:12] for one in newest], fix=fix)
    ids = table.c.id
    candidates = connection.scalars(
        select(ids).where(ids >= prefix, ids < prefix + _AFTER_HEX).order_by(ids).limit(_SHOWN + 1)
    ).all()
    shown = ", ".join(shortest(candidates)[:_SHOWN])
    raise InvalidInput(
        f"The {kind} id '{prefix}'",
        expected="the beginning of one id only",
        got=f"that of several: {shown}{' and more' if len(candidates) > _SHOWN else ''}",
        fix="Give more digits.",
    )


def at_most(limit: int | None) -> int:
    """How many rows to ask the database for.

    >>> at_most(-1)
    0
    """
    return _MOST if limit is None else max(0, min(limit, _MOST))


def shortest(ids: Sequence[str]) -> list[str]:
    """Ids cut where they still differ, but not below twelve digits.

    >>> shortest(["0193ab00000000000001", "0193ab00000000000002"])
    ['0193ab00000000000001', '0193ab00000000000002']
    """
    length = 12
    while len({one[:length] for one in ids}) < len(ids) and length < max(map(len, ids)):
        length += 1
    return [one[:length] for one in ids]
