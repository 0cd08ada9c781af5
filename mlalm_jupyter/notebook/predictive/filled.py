"""Columns that a predictive notebook fills because they change no answer, and what a person changed that may need them."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.code import code_of
from mlalm_jupyter.notebook.document import NotebookDocument, source
from mlalm_jupyter.notebook.predictive.parts import Statement
from mlalm_jupyter.notebook.predictive.rebuilding import changed_by_hand

FILLS = "fills"
"""The variable that has them, as `code.shaped` writes it."""
_ASKS_IN_WORDS = frozenset({"query", "eval"})


@dataclass(frozen=True, slots=True)
class Filled:
    """The columns that callers are not asked for, in a notebook that a person has changed since it was made."""

    cell: int = 0
    """The one that fills them."""
    values: Mapping[str, object] = field(default_factory=dict)
    by_hand: frozenset[int] = frozenset()
    """The cells that a person wrote or changed."""

    def but(self, columns: Collection[str]) -> Filled:
        """What is still filled where rows with these columns come in, which callers are then asked for."""
        return replace(self, values={name: one for name, one in self.values.items() if name not in columns})

    def check(self, kept: Iterable[Statement]) -> None:
        """Refuse a statement by a person's hand that reads what is filled, with its cell."""
        for one in kept:
            for column in self.values if one.place.cell in self.by_hand - {self.cell} else ():
                if _reads(ast.parse(one.frozen), column):
                    raise self.refusal(column, cell=one.place.cell)

    def refusal(self, column: str, *, cell: int | None = None) -> InvalidInput:
        """Why a notebook whose answers need one of them is no service as it is."""
        return InvalidInput(
            "The notebook" if cell is None else f"Cell {cell}",
            expected="answers that come from what callers send",
            got=f"some that need '{column}', which is {self.values[column]!r} in every row because callers are not asked "
            "for it",
            fix="Let rows that have it come in and run it again: callers are then asked for it, and cell "
            f"{self.cell} no longer fills it.",
        )


def filled_in(document: NotebookDocument) -> Filled:
    """What a notebook fills; nothing where all is as it was made, which was shown not to need it."""
    by_hand = frozenset(changed_by_hand(document))
    if not by_hand:
        return Filled()
    for number, cell in enumerate(document.code_cells, start=1):
        for node in code_of(source(cell)).tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict() as value) if name == FILLS:
                    return Filled(number, dict(_filled(value)), by_hand)
    return Filled()


def _filled(node: ast.Dict) -> Iterator[tuple[str, object]]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            try:
                yield key.value, ast.literal_eval(value)
            except ValueError:  # such as a `pandas.Timestamp`
                yield key.value, ast.unparse(value)


def _reads(node: ast.AST, column: str) -> bool:
    """Whether code names a column other than to leave it out or to set it.

    >>> [_reads(ast.parse(text), "unit") for text in ("X = df.drop(columns=['unit'])", "n = df.query('unit > 1')")]
    [False, True]
    """
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="drop")):
            return _reads(value, column)
        case ast.Call(func=ast.Attribute(attr=attr), args=[ast.Constant(value=str(text)), *_]) if (
            attr in _ASKS_IN_WORDS and re.search(rf"\b{re.escape(column)}\b", text)
        ):
            return True
        case ast.Subscript(ctx=ast.Store(), value=value, slice=ast.Constant()):
            return _reads(value, column)
        case ast.Constant(value=str(text)):
            return text == column
        case ast.Attribute(attr=attr, ctx=ast.Load()) if attr == column:
            return True
    return any(_reads(one, column) for one in ast.iter_child_nodes(node))


def otherwise(value: object) -> bool | float | str | None:
    """Another value of the same kind; None where there is none to be had.

    >>> otherwise(3), otherwise("year"), otherwise(None)
    (4, 'year, otherwise', None)
    """
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}, otherwise"
    return None
