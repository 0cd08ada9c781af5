"""Columns of a table that is written out, which a caller's rows cannot have: those that read what is to be predicted."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from mlalm_jupyter.notebook.code import CellCode


@dataclass(frozen=True, slots=True)
class Labels:
    """What is to be predicted, by the names of variables and of columns."""

    variables: Collection[str]
    columns: Collection[str]

    def are_read(self, node: ast.AST) -> bool:
        """Whether an expression reads one of them.

        >>> labels = Labels({"y_test"}, {"price"})
        >>> [labels.are_read(ast.parse(text)) for text in ("p - y_test", "df['price'] - p", "df.price", "df['area']")]
        [True, True, True, False]
        """
        return any(map(self.is_one, ast.walk(node)))

    def is_one(self, node: ast.AST) -> bool:
        """Whether that is one of them."""
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                return name in self.variables
            case (
                ast.Subscript(slice=ast.Constant(value=str(name)))
                | ast.Subscript(slice=ast.Tuple(elts=[*_, ast.Constant(value=str(name))]))
                | ast.Attribute(attr=name)
            ):
                return name in self.columns
            case _:
                return False


def items_of(call: ast.Call) -> list[tuple[ast.expr, ast.expr]]:
    """The columns of a table that a call writes out, each with what gives its name.

    >>> call = ast.parse("pd.DataFrame({'a': 1, 'b': 2})", mode="eval").body
    >>> [key.value for key, _ in items_of(call)]
    ['a', 'b']
    """
    words = call.keywords
    name = ast.unparse(call.func).rpartition(".")[2]
    if name == "DataFrame":
        given = [*call.args[:1], *(word.value for word in words if word.arg == "data")]
        match given:
            case [ast.Dict(keys=keys, values=values)]:
                return [(key, one) for key, one in zip(keys, values, strict=True) if key is not None]
            case [ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords)]:
                words = keywords
            case _:
                return []
    elif name != "assign":
        return []
    return [
        (ast.copy_location(ast.Constant(word.arg), word), word.value)
        for word in words
        if word.arg is not None
    ]


def spans_to_drop(
    code: CellCode, items: Sequence[tuple[ast.expr, ast.expr]], labels: Labels
) -> Iterator[tuple[int, int]]:
    """The stretches of a text that hold the columns which read labels; none where no other column is left."""
    gone = [labels.are_read(value) for _, value in items]
    if all(gone):
        return
    starts = [code.span(key)[0] for key, _ in items]
    ends = [code.span(value)[1] for _, value in items]
    place = 0
    while place < len(items):
        last = place
        if gone[place]:
            while last + 1 < len(items) and gone[last + 1]:
                last += 1
            yield (
                (starts[place], starts[last + 1]) if last + 1 < len(items) else (ends[place - 1], ends[last])
            )
        place = last + 1
