"""Which columns an expression is about, in the ways that people write them."""

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


def rows_set(target: ast.expr) -> list[ast.expr]:
    """What says which cells are set: `some` of `table.loc[some, "column"]`."""
    match target:
        case ast.Subscript(slice=ast.Tuple(elts=[rows, ast.Constant()])):
            return [rows]
        case ast.Subscript(slice=part):
            return [part]
        case _:
            return []


def columns_of(node: ast.expr) -> tuple[str, list[str]] | None:
    """Table and columns of `table["column"]`, `table.column`, `table[["one", "other"]]`, `table.loc[:, "column"]`."""
    match node:
        case ast.Subscript(value=ast.Name(id=table), slice=part):
            names = texts_of(part)
        case ast.Subscript(
            value=ast.Attribute(value=ast.Name(id=table), attr="loc"),
            slice=ast.Tuple(elts=[ast.Slice(lower=None, upper=None, step=None), part]),
        ):
            names = texts_of(part)
        case ast.Attribute(value=ast.Name(id=table), attr=name):
            names = [name]
        case _:
            return None
    return (table, names) if names else None


def cells_of(target: ast.expr) -> tuple[str, str | None] | None:
    """Table and column of `table.loc[some, "column"]`; no column where any may be meant."""
    match target:
        case ast.Subscript(
            value=ast.Attribute(value=ast.Name(id=table), attr="loc" | "at"),
            slice=ast.Tuple(elts=[_, ast.Constant(value=str(name))]),
        ):
            return table, name
        case (
            ast.Subscript(value=ast.Attribute(value=ast.Name(id=table), attr="loc" | "iloc" | "at" | "iat"))
            | ast.Subscript(value=ast.Name(id=table))
        ):
            return table, None
        case _:
            return None


def texts_of(node: ast.expr) -> list[str]:
    """A text, or the texts of a list; nothing where another thing stands among them.

    >>> [texts_of(ast.parse(text, mode="eval").body) for text in ("'a'", "['a', 'b']", "['a', b]")]
    [['a'], ['a', 'b'], []]
    """
    parts = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
    names = [one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return names if len(names) == len(parts) else []


def as_column(target: ast.expr) -> str:
    """`table.price` and `table.loc[some, "price"]` are of `table["price"]`."""
    match target:
        case ast.Attribute(value=table, attr=name):
            target = ast.Subscript(table, ast.Constant(name), ast.Store())
        case ast.Subscript(
            value=ast.Attribute(value=table, attr="loc" | "at"),
            slice=ast.Tuple(elts=[_, ast.Constant() as name]),
        ):
            target = ast.Subscript(table, name, ast.Store())
    return ast.unparse(target)
