"""Searching among the versions of models: the rarest condition leads, and indexes answer the others."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    false,
    func,
    not_,
    or_,
    select,
)

from mlalm_jupyter.adapters.catalog.lookup import at_most
from mlalm_jupyter.adapters.catalog.schema import model_aliases, model_facts, models
from mlalm_jupyter.adapters.catalog.versions import newest_of_each
from mlalm_jupyter.domain.search import INPUTS, KEPT, Search, Term

_FEW = 1500
"""So many rows are fetched and sorted; where every condition meets more, the newest are looked at one by one."""
_COMPARE: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_COLUMNS = {
    "format": models.c.format,
    "run": models.c.run_id,
    "experiment": models.c.experiment,
    "origin": models.c.origin,
    "by": models.c.created_by,
    "hash": models.c.model_hash,
    "version": models.c.version,
    "size": models.c.size_bytes,
    "created": models.c.created_at,
}
_NEWEST = select(newest_of_each(models).subquery().c.id)
_AFTER = "\uffff"


def found_ids(connection: Connection, search: Search) -> list[str]:
    """The ids of the versions that meet a search, in its order."""
    leading = _leading(connection, search.terms)
    statement = select(models.c.id)
    if leading is not None:
        statement = statement.where(models.c.id.in_(_facts(leading)))
    for term in search.terms:
        if term is not leading:
            statement = statement.where(_met(term))
    if search.is_newest_only:
        statement = statement.where(models.c.id.in_(_NEWEST))
    if search.name is not None:
        # what leads is few; without this the index of a name with very many versions might be taken instead
        name = models.c.name if leading is None else func.coalesce(models.c.name, "")
        statement = statement.where(name == search.name)
    if search.sort.by in _ORDERS:
        ordered = statement.order_by(*_order(search))
        return list(connection.scalars(_part(ordered, search.offset, search.limit)))
    return _by_number(connection, statement, search)


def _part(statement: Select[*tuple[Any, ...]], offset: int, limit: int | None) -> Select[*tuple[Any, ...]]:
    return statement.limit(at_most(limit)).offset(max(0, offset))


_ORDERS = {
    "created": (models.c.created_at, models.c.id),
    "name": (models.c.name, models.c.version),
    "size": (models.c.size_bytes, models.c.id),
}


def _order(search: Search) -> list[ColumnElement[Any]]:
    by = search.sort.by
    if by == "created" and search.name is not None:
        by = "name"  # numbers are given in the order of time, and their index holds the name as well
    return [one.desc() if search.sort.is_descending else one.asc() for one in _ORDERS[by]]


def _by_number(connection: Connection, statement: Select[*tuple[Any, ...]], search: Search) -> list[str]:
    """In the order of a metric, or another number with a name; those without it come last, newest first."""
    name, sort = search.sort.by, search.sort
    kind = next((one for one in KEPT if name.startswith(f"{one}.")), "metric")
    name = name.removeprefix(f"{kind}.")
    sorted_by = model_facts.alias("sorted_by")
    is_it = and_(
        sorted_by.c.model_id == models.c.id,
        sorted_by.c.kind == kind,
        sorted_by.c.name == name,
        sorted_by.c.number.is_not(None),
    )
    number = sorted_by.c.number.desc() if sort.is_descending else sorted_by.c.number.asc()
    with_it = statement.join(sorted_by, is_it)
    limit = at_most(search.limit)
    ids = list(connection.scalars(_part(with_it.order_by(number), search.offset, limit)))
    if len(ids) >= limit:
        return ids
    count = (
        0 if ids else connection.execute(select(func.count()).select_from(with_it.subquery())).scalar_one()
    )
    offset = 0 if ids else max(0, search.offset - count)
    without = statement.where(not_(exists().where(is_it).correlate(models)))
    rest = without.order_by(models.c.created_at.desc(), models.c.id.desc())
    return ids + list(connection.scalars(_part(rest, offset, limit - len(ids))))


def _leading(connection: Connection, terms: tuple[Term, ...]) -> Term | None:
    """The condition on a fact that the fewest versions meet, if they are few."""
    best: tuple[int, Term] | None = None
    for term in terms:
        if term.operator == "!=" or _facts_kind(term) is None:
            continue
        count = len(connection.execute(_facts(term).limit(_FEW + 1)).all())
        if count <= _FEW and (best is None or count < best[0]):
            best = count, term
    return None if best is None else best[1]


def _facts_kind(term: Term) -> tuple[str, ...] | None:
    """The kinds of facts that a condition is about; None when it is about a column."""
    if term.kind == "any":
        return KEPT
    return (term.kind,) if term.kind in (*KEPT, *INPUTS, "framework") else None


def _facts(term: Term) -> Select[*tuple[Any, ...]]:
    """The ids of the versions that have such a fact."""
    return select(model_facts.c.model_id).where(_is_fact(term))


def _is_fact(term: Term) -> ColumnElement[bool]:
    kinds = _facts_kind(term) or ()
    if term.kind in INPUTS:
        name, colon, version = term.text.partition(":")
        return and_(
            model_facts.c.kind == term.kind,
            model_facts.c.name == name,
            *([model_facts.c.text == version] if colon else []),
        )
    if term.kind == "framework":
        name, _, version = term.text.partition(" ")
        return and_(
            model_facts.c.kind == "framework",
            model_facts.c.name == name,
            *(
                [or_(model_facts.c.text == version, _begins(model_facts.c.text, f"{version}."))]
                if version
                else []
            ),
        )
    if term.operator in ("=", "!="):
        # a metric of 0.5 is met by 0.50 as well, a tag only by what was written
        # (nan is no number that equals another, so that is found as it is written)
        by_text = [kind for kind in kinds if kind != "metric" or term.text == "nan"]
        ways = []
        if by_text:
            ways.append(and_(model_facts.c.kind.in_(by_text), model_facts.c.text == term.text))
        if term.number is not None:
            by_number = [kind for kind in kinds if kind in ("metric", "parameter")]
            if by_number:
                ways.append(and_(model_facts.c.kind.in_(by_number), model_facts.c.number == term.number))
        return and_(model_facts.c.name == term.name, or_(false(), *ways))
    compared = _COMPARE[term.operator](model_facts.c.number, term.number)
    return and_(model_facts.c.kind.in_(kinds), model_facts.c.name == term.name, compared)


def _met(term: Term) -> ColumnElement[bool]:
    if _facts_kind(term) is not None:
        has = exists().where(model_facts.c.model_id == models.c.id, _is_fact(term)).correlate(models)
        return not_(has) if term.operator == "!=" else has
    if term.kind == "alias":
        has = exists().where(
            model_aliases.c.name == models.c.name,
            model_aliases.c.version == models.c.version,
            model_aliases.c.alias == term.text,
        )
        return not_(has) if term.operator == "!=" else has
    column = _COLUMNS[term.kind]
    if term.kind in ("run", "hash"):
        begins = and_(column.is_not(None), _begins(column, term.text.removeprefix("run:").lower()))
        return not_(begins) if term.operator == "!=" else begins
    if term.kind == "created":
        if term.operator in ("=", "!="):
            begins = _begins(column, term.text)
            return not_(begins) if term.operator == "!=" else begins
        # a day is met up to its end
        bound = term.text + (_AFTER if term.operator in ("<=", ">") else "")
        return _COMPARE[term.operator](column, bound)
    value: Any = term.number if term.kind in ("version", "size") else term.text
    return _COMPARE[term.operator](column, value)


def _begins(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    return and_(column >= text, column < text + _AFTER)
