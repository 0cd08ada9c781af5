"""Loops over a few names, such as `for part in (train, test)`, as what they do to each of them."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator

from mlalm_jupyter.notebook.code import CellCode, code_of, root_name


def learn_tables(node: ast.stmt, tables: dict[str, list[str]]) -> None:
    """Remember `both = [train, test]`."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        names = _names(node.value)
        if names:
            tables[node.targets[0].id] = names
        else:
            tables.pop(node.targets[0].id, None)


def turns_of(node: ast.stmt, code: CellCode, tables: dict[str, list[str]]) -> list[tuple[ast.stmt, CellCode]]:
    """The statements of a loop's body for one name after the other; nothing where it is no such loop."""
    if not (isinstance(node, ast.For) and isinstance(node.target, ast.Name) and not node.orelse):
        return []
    names = tables.get(node.iter.id, []) if isinstance(node.iter, ast.Name) else _names(node.iter)
    if not names or any(isinstance(one, (ast.Break, ast.Continue)) for one in ast.walk(node)):
        return []
    target = node.target.id
    if any(_binds(one, target) for one in node.body):
        return []
    found: list[tuple[ast.stmt, CellCode]] = []
    for name in names:
        for statement in node.body:
            inner = code_of(_renamed(statement, code, target, name))
            if inner.fault or len(inner.tree.body) != 1:
                return []
            found.append((inner.tree.body[0], inner))
    return found


def columns_changed(node: ast.stmt, name: str) -> Iterator[str]:
    """The columns of a table that a statement sets; `*` when that cannot be told."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        if isinstance(target, ast.Subscript) and root_name(target) == name:
            last = (
                target.slice.elts[-1]
                if isinstance(target.slice, ast.Tuple) and target.slice.elts
                else target.slice
            )
            if isinstance(last, ast.Constant) and isinstance(last.value, str):
                yield last.value
                return
    yield "*"


def _names(node: ast.expr) -> list[str]:
    if not isinstance(node, (ast.List, ast.Tuple)) or not node.elts:
        return []
    return (
        [one.id for one in node.elts if isinstance(one, ast.Name)]
        if all(isinstance(one, ast.Name) for one in node.elts)
        else []
    )


def _binds(node: ast.AST, name: str) -> bool:
    return any(
        isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Store)
        for one in ast.walk(node)
    )


def _renamed(node: ast.stmt, code: CellCode, name: str, other: str) -> str:
    start, end = code.span(node)
    places = sorted(
        (code.span(one) for one in ast.walk(node) if isinstance(one, ast.Name) and one.id == name),
        reverse=True,
    )
    text = code.text[:end]
    for first, last in places:
        text = text[:first] + other + text[last:]
    begin = code.text.rfind("\n", 0, start) + 1
    indent = code.text[begin:start]
    return textwrap.dedent((indent if indent.isspace() else "") + text[start:])
