"""What runs are chosen and put in order by: whatever they have under a name."""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Numeric,
    Select,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    union,
)

from mlalm_jupyter.adapters.catalog.schema import runs
from mlalm_jupyter.domain.run import Condition, Sorting

_COMPARE: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


_INFINITE = {"inf": math.inf, "-inf": -math.inf}


def met(condition: Condition) -> ColumnElement[bool]:
    """A condition on whatever has that name; a run that has nothing of that name is not equal to anything."""
    found, value = _found(condition.name), condition.value
    if isinstance(value, float):
        number = cast(literal(value), Double)
        if condition.operator == "!=":
            return found.is_distinct_from(number)
        return _is_number(found) & _COMPARE[condition.operator](found, number)
    # what is written in quotes was text, and 4 is the text of the number 4
    text = found.op("||")("")
    meant = [value, value.casefold()] if value.casefold() in ("true", "false") else [value]
    if condition.operator == "!=":
        return or_(found.is_(None), text.not_in(meant))
    return text.in_(meant)


def order(sort: Sorting) -> list[ColumnElement[Any]]:
    """Numbers, then texts, either way round; runs without either come last."""
    newest_first = [runs.c.created_at.desc(), runs.c.id.desc()]
    if not sort.is_by_name:
        by: ColumnElement[Any] = {"time": runs.c.created_at, "status": runs.c.status}[sort.by]
        return [by.desc() if sort.is_descending else by.asc(), *newest_first]
    found = _found(sort.by)
    key = case((_is_number(found), cast(found, Numeric)), else_=found)
    # nan is neither more nor less than anything, so it is never what an order was asked for
    is_nan = func.coalesce(found == "nan", False)
    return [found.is_(None), is_nan, key.desc() if sort.is_descending else key.asc(), *newest_first]


def names_query() -> Select[tuple[str]]:
    """Every name that a run of an `experiment` has something under."""
    keys = []
    for column in (runs.c.metrics, runs.c.parameters, runs.c.tags):
        each = func.json_each(column).table_valued("key")
        keys.append(
            select(each.c.key.label("name"))
            .select_from(runs.join(each, true()))
            .where(runs.c.experiment_id == bindparam("experiment"))
        )
    every = union(*keys).subquery()
    return select(every.c.name).order_by(every.c.name)


def _found(name: str) -> ColumnElement[Any]:
    """The metric of a name, else the parameter, else the tag; `true` and `false` as words, for SQL has 1 and 0."""
    # the name as the columns hold it: SQLite compares its letters as they are written there
    path = f"$.{json.dumps(name)}"
    kind = func.json_type(runs.c.parameters, path)
    parameter = case(
        (kind.in_(["true", "false"]), kind),
        else_=func.json_extract(runs.c.parameters, path),
    )
    found = func.coalesce(
        func.json_extract(runs.c.metrics, path), parameter, func.json_extract(runs.c.tags, path)
    )
    infinite = {text: cast(literal(number), Double) for text, number in _INFINITE.items()}
    return case(*((found == text, number) for text, number in infinite.items()), else_=found)


def _is_number(found: ColumnElement[Any]) -> ColumnElement[bool]:
    """Beside a number SQLite takes text that reads as one for one; all other text is more than any number."""
    return found <= cast(literal(math.inf), Double)
