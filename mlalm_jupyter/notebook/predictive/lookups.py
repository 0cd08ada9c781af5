"""Tables that others only look something up in: they are kept as they were, and no rows of a caller."""

from __future__ import annotations

import ast

from mlalm_jupyter.notebook.predictive.program import Program

_SHOWN = frozenset({"head", "tail", "info", "describe", "shape", "sample", "columns", "dtypes"})


def lookups_of(program: Program) -> frozenset[str]:
    """Names that are nothing but the right side of a left join, or what a column is mapped by."""
    looked: set[str] = set()
    other: set[str] = set()
    for line in program.lines:
        harmless: set[int] = set()
        for node in ast.walk(line.node):
            if isinstance(node, ast.Call) and _is_lookup(node) and isinstance(node.args[0], ast.Name):
                harmless.add(id(node.args[0]))
                looked.add(node.args[0].id)
            elif (
                isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in _SHOWN
            ) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Name)):
                harmless.add(id(node.value))
        for node in ast.walk(line.node):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in harmless:
                other.add(node.id)
    return frozenset(looked - other)


def _is_lookup(node: ast.Call) -> bool:
    if not (isinstance(node.func, ast.Attribute) and node.args):
        return False
    words = {word.arg: word.value for word in node.keywords}
    how = words.get("how")
    is_left = isinstance(how, ast.Constant) and how.value == "left"
    return (node.func.attr == "merge" and is_left) or (
        node.func.attr == "join" and (is_left or (how is None and "on" in words))
    )
