"""Which warnings a person is given: of each filter one, also where it is a part of another or selects in two tables."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

_FILTER = re.compile(r"(Cell \d+) leaves rows out, or orders them \(`(.+)`\): ", re.DOTALL)


def warned_once(notes: Iterable[str]) -> tuple[str, ...]:
    """Notes without those that say again what another one says of the same cell.

    >>> said = "Cell 2 leaves rows out, or orders them (`{}`): that was for training."
    >>> calls = ("df.dropna()", "df.dropna().query('a > 1')", "X[seen]", "y[seen]", "y[other]")
    >>> [one.partition("`")[2].partition("`")[0] for one in warned_once(said.format(call) for call in calls)]
    ["df.dropna().query('a > 1')", 'X[seen]', 'y[other]']
    """
    once = list(dict.fromkeys(notes))
    filters = {note: (found[1], _parsed(found[2])) for note in once if (found := _FILTER.match(note))}
    kept: list[str] = []
    seen: set[tuple[str, str]] = set()
    for note in once:
        if note in filters:
            cell, call = filters[note]
            others = [other for name, (there, other) in filters.items() if name != note and there == cell]
            if any(_holds(other, call) for other in others) or (cell, _rule(call)) in seen:
                continue
            seen.add((cell, _rule(call)))
        kept.append(note)
    return tuple(kept)


def _parsed(call: str) -> ast.expr:
    try:
        return ast.parse(call, mode="eval").body
    except SyntaxError:  # a whole statement
        return ast.Constant(call)


def _holds(outer: ast.expr, inner: ast.expr) -> bool:
    told = ast.dump(inner)
    return any(ast.dump(node) == told for node in ast.walk(outer) if node is not outer)


def _rule(call: ast.expr) -> str:
    """What selects, whichever table it selects in."""
    return ast.dump(call.slice if isinstance(call, ast.Subscript) else call)
