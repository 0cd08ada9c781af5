"""The columns that a model is to predict, which rows of a caller need not have."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from mlalm_jupyter.notebook.code import root_name
from mlalm_jupyter.notebook.document import NotebookDocument
from mlalm_jupyter.notebook.predictive.known_rows import ORDERED, SELECTS_ROWS
from mlalm_jupyter.notebook.predictive.program import Line, Program, program_of

_SECOND = frozenset({"fit", "partial_fit", "fit_transform", "score", "fit_resample", "fit_predict"})
_THIRD = frozenset({"cross_val_score", "cross_validate", "cross_val_predict", "learning_curve"})


def labels_of(program: Program) -> frozenset[str]:
    """The names of label columns, as far as they are written out.

    A column is one when what a model is fitted to, its `y`, is that column and nothing else.
    """
    return frozenset(_labels(program).columns)


def label_variables(program: Program) -> frozenset[str]:
    """The variables that hold what models are fitted to, with what was split off them."""
    names = _labels(program).names
    parts = {
        part.id
        for line in program.lines
        for target, value in _assigned(line.node)
        for part, whole in _split(target, value)
        if isinstance(part, ast.Name) and isinstance(whole, ast.Name) and whole.id in names
    }
    return frozenset(names | parts)


@dataclass(slots=True)
class _Labels:
    """What is known of labels while a program is read from its end."""

    columns: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    """Variables that hold them."""
    tables: set[str] = field(default_factory=set)
    """Variables of which a place is a label."""
    orders: dict[str, list[str]] = field(default_factory=dict)
    """The columns of tables, in their order."""
    wide: frozenset[str] = frozenset()
    """Variables that hold other columns as well."""


def _labels(program: Program) -> _Labels:
    known = _Labels(orders=_orders(program), wide=_wide(program))

    def follow(target: ast.expr, value: ast.expr, line: Line) -> None:
        if isinstance(target, ast.Name) and target.id in known.tables - known.names:
            known.columns.update(_only_column(value, line))
        elif isinstance(target, ast.Name) and target.id in known.names:
            _take(value, line, known)

    for line in reversed(program.lines):
        for node in ast.walk(line.node):
            if isinstance(node, ast.Call):
                for one in _labels_given(node):
                    _take(one, line, known)
        for target, value in _assigned(line.node):
            follow(target, value, line)
            for part, whole in _split(target, value):
                if isinstance(part, ast.Name) and part.id in known.names:
                    _take(whole, line, known)
    for line in reversed(program.lines):
        for target, value in _assigned(line.node):
            follow(target, value, line)
    for line in program.lines:
        for target, value in _assigned(line.node):
            # a column made of the label alone is no more there than the label
            if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                columns = set(_of_table(value, target.value.id, line)) - set(_texts(target.slice, line))
                if any(isinstance(one, ast.Attribute) and one.attr in ORDERED for one in ast.walk(value)):
                    continue
                if columns and columns <= known.columns:
                    known.columns.update(_texts(target.slice, line))
    return known


def _split(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The parts that `train_test_split` gives, each with what it splits."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Call) and _last(value) == "train_test_split":
        for index, part in enumerate(target.elts[: 2 * len(value.args)]):
            yield part, value.args[index // 2]


def _wide(program: Program) -> frozenset[str]:
    """The names that columns are taken of by their names, two of them at least."""
    columns: dict[str, set[str]] = {}
    for line in program.lines:
        for node in ast.walk(line.node):
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
                columns.setdefault(node.value.id, set()).update(_texts(node.slice, line))
    return frozenset(name for name, seen in columns.items() if len(seen) > 1)


def leaks_of(document: NotebookDocument, labels: Collection[str]) -> dict[str, int]:
    """The columns that are made of a label and other things, each with the cell that makes it.

    >>> texts = ("df['rate'] = df.sold / df.seen", "df['twice'] = df['rate'] * 2", "y = df.sold")
    >>> cells = [{"cell_type": "code", "source": text} for text in texts]
    >>> leaks_of(NotebookDocument({"nbformat": 4, "cells": cells}), ["sold"])
    {'rate': 1, 'twice': 2}
    """
    found: dict[str, int] = {}
    for line in program_of(document).lines:
        for name, value in _columns_made(line):
            if name not in labels and {*labels, *found} & set(_columns(value, line)):
                found.setdefault(name, line.place.cell)
    return found


def _columns_made(line: Line) -> Iterator[tuple[str, ast.expr]]:
    """The columns that a statement makes, each with what it makes them of."""
    for target, value in _assigned(line.node):
        if isinstance(target, ast.Subscript):
            yield from ((name, value) for name in _texts(target.slice, line))
    for node in ast.walk(line.node):
        if isinstance(node, ast.Call) and _last(node) == "assign":
            yield from ((word.arg, word.value) for word in node.keywords if word.arg)


def _labels_given(node: ast.Call) -> Iterator[ast.expr]:
    last = _last(node)
    words = {word.arg: word.value for word in node.keywords}
    if last in _SECOND:
        if len(node.args) > 1:
            yield node.args[1]
        elif "y" in words:
            yield words["y"]
    elif last in _THIRD and len(node.args) > 2:
        yield node.args[2]
    elif last == "train_test_split" and len(node.args) == 2:
        yield node.args[1]
    elif last in ("OLS", "Logit", "GLM", "Poisson") and node.args:
        yield node.args[0]
    elif last in ("DMatrix", "Dataset", "Pool"):
        if "label" in words:
            yield words["label"]
        elif len(node.args) > 1:
            yield node.args[1]
    formula = node.args[0] if node.args else words.get("formula")
    if isinstance(formula, ast.Constant) and isinstance(formula.value, str) and "~" in formula.value:
        left = formula.value.partition("~")[0].strip()
        if left.isidentifier():
            yield ast.Subscript(ast.Name("df", ast.Load()), ast.Constant(left), ast.Load())


def _orders(program: Program) -> dict[str, list[str]]:
    """The columns of tables, where they are written out in their order."""
    found: dict[str, list[str]] = {}
    for line in program.lines:
        for target, value in _assigned(line.node):
            name = target.value if isinstance(target, ast.Attribute) and target.attr == "columns" else target
            lists = [value] if name is not target else []
            inner = value
            while isinstance(inner, (ast.Attribute, ast.Call)) and not isinstance(inner, ast.Subscript):
                inner = inner.value if isinstance(inner, ast.Attribute) else inner.func
            if isinstance(inner, ast.Subscript):
                lists = [inner.slice]
            elif isinstance(value, ast.Call):
                lists = [word.value for word in value.keywords if word.arg in ("names", "columns")]
            if isinstance(name, ast.Name):
                for one in lists:
                    columns = list(_texts(one, line)) if isinstance(one, ast.List) else []
                    if columns:
                        found[name.id] = columns
    return found


def _at_place(node: ast.expr, orders: dict[str, list[str]]) -> str | None:
    """The column that `df.iloc[:, -1]` is."""
    for one in ast.walk(node):
        if (
            isinstance(one, ast.Subscript)
            and (table := root_name(one.value)) is not None
            and isinstance(one.slice, ast.Tuple)
            and len(one.slice.elts) == 2
        ):
            columns = orders.get(table, [])
            try:
                place = ast.literal_eval(one.slice.elts[1])
            except ValueError:
                continue
            if isinstance(place, int) and -len(columns) <= place < len(columns):
                return columns[place]
    return None


def _only_column(node: ast.expr, line: Line) -> list[str]:
    """The column that is left of a table, where that is what a statement does; one that a filter asks is none."""
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        if isinstance(node, ast.Subscript):
            last = (
                node.slice.elts[-1] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
            )
            columns = list(_texts(last, line))
            if columns:
                return columns if len(columns) == 1 else []
        node = node.func if isinstance(node, ast.Call) else node.value
    return []


def _taken_last(node: ast.expr, line: Line) -> list[str]:
    """The column that is taken of what stands before it, such as of a table with a filter."""
    match node:
        case ast.Subscript(slice=part):
            return list(_texts(part.elts[-1] if isinstance(part, ast.Tuple) and part.elts else part, line))
        case ast.Attribute(value=ast.Subscript() | ast.Call(), attr=name) if name not in _METHODS:
            return [name]
        case _:
            return []


def _before_filters(node: ast.expr, line: Line) -> ast.expr:
    """`y` of `y[df["seen"] > 3]`: what decides over rows is no label."""
    while True:
        match node:
            case ast.Subscript(value=value, slice=part) if not isinstance(part, ast.Tuple):
                if list(_texts(part, line)) or not list(_columns(part, line)):
                    return node
                node = value.value if isinstance(value, ast.Attribute) and value.attr == "loc" else value
            case ast.Call(func=ast.Attribute(value=value, attr=name), args=args, keywords=words) if (
                name in SELECTS_ROWS
                or (name == "drop" and len(args) < 2 and not {"columns", "axis"} & {one.arg for one in words})
            ):
                node = value
            case _:
                return node


def _take(node: ast.expr, line: Line, known: _Labels) -> None:
    """A name to follow, or the one column that it is; a table of which only a place is taken is followed as such."""
    placed = _at_place(node, known.orders)
    if placed is not None:
        known.columns.add(placed)
        return
    node = _before_filters(node, line)
    if isinstance(node, ast.Name):
        (known.tables if node.id in known.wide else known.names).add(node.id)
        return
    columns = _taken_last(node, line) or list(_columns(node, line))
    if len(set(columns)) == 1:
        known.columns.add(columns[0])
        return
    inner = [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]
    if isinstance(node, ast.Call) and not columns and node.args and isinstance(node.args[0], ast.Name):
        known.names.add(node.args[0].id)  # `encoder.fit_transform(y)`
    elif isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)) and not columns:
        root = root_name(node)
        if (
            root is not None
            and (len(inner) == 1 or isinstance(node, ast.Subscript))
            and root not in line.imports
        ):
            is_placed = any(
                isinstance(one, ast.Subscript) and isinstance(one.slice, ast.Tuple) for one in ast.walk(node)
            )
            (known.tables if is_placed or root in known.wide else known.names).add(root)


def _columns(node: ast.expr, line: Line) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Subscript):
            yield from _texts(one.slice, line)
        elif isinstance(one, ast.Call) and _last(one) in ("pop", "get") and one.args:
            yield from _texts(one.args[0], line)
        elif (
            isinstance(one, ast.Attribute)
            and isinstance(one.value, ast.Name)
            and one.value.id not in line.imports
            and one.attr not in _METHODS
        ):
            yield one.attr


def _of_table(node: ast.expr, table: str, line: Line) -> Iterator[str]:
    """The columns that an expression takes of a table."""
    for one in ast.walk(node):
        if not isinstance(one, (ast.Subscript, ast.Attribute)):
            continue
        if isinstance(one.value, ast.Name) and one.value.id == table:
            yield from [one.attr] if isinstance(one, ast.Attribute) else _columns(one, line)


_METHODS = frozenset(
    {
        *("values", "iloc", "loc", "fit_transform", "transform", "data", "pop", "to_numpy", "map"),
        *(
            "astype",
            "ravel",
            "fit",
            "T",
            "str",
            "get",
            "copy",
            "replace",
            "reset_index",
            "apply",
            "index",
            "columns",
        ),
        *(
            "fillna",
            "dropna",
            "cat",
            "dt",
            "squeeze",
            "reshape",
            "flatten",
            "tolist",
            "drop",
            "frame",
            "isin",
        ),
    }
)


def _texts(node: ast.expr, line: Line) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Name) and node.id in line.constants:
        yield line.constants[node.id]
    elif isinstance(node, (ast.List, ast.Tuple)):
        for one in node.elts:
            yield from _texts(one, line)


def _assigned(node: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield target, node.value
            if (
                isinstance(target, ast.Tuple)
                and isinstance(node.value, ast.Tuple)
                and len(target.elts) == len(node.value.elts)
            ):
                yield from zip(target.elts, node.value.elts, strict=True)


def _last(node: ast.Call) -> str:
    func = node.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
