"""What reads labels, and the columns of a table that is written out."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass


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
        called = {id(one.func) for one in ast.walk(node) if isinstance(one, ast.Call)}
        return any(self.is_one(one) for one in ast.walk(node) if id(one) not in called)

    def is_one(self, node: ast.AST) -> bool:
        """Whether that is one of them."""
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                return name in self.variables
            case (
                ast.Subscript(slice=ast.Constant(value=str(name)))
                | ast.Subscript(slice=ast.Tuple(elts=[*_, ast.Constant(value=str(name))]))
            ):
                return name in self.columns
            case ast.Attribute(attr=name):
                return name in self.columns and name not in _OF_TABLES
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


_OF_TABLES = frozenset(
    {"size", "shape", "index", "columns", "values", "T", "ndim", "empty", "dtype", "dtypes", "name"}
)
"""What a table has beside its columns; a column of that name is had by its text only."""
