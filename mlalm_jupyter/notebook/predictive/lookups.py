"""Tables that others only look something up in: they are kept as they were, and no rows of a caller."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from mlalm_jupyter.notebook.binding import parameters_of
from mlalm_jupyter.notebook.predictive.program import Program

_SHOWN = frozenset({"head", "tail", "info", "describe", "shape", "sample", "columns", "dtypes"})


def lookups_of(program: Program) -> frozenset[str]:
    """Names that are nothing but the right side of a left join, be it inside a function that they are given to."""
    functions = {
        line.node.name: (parameters_of(line.node.args), _looked_up(line.node.body, {}))
        for line in program.lines
        if isinstance(line.node, ast.FunctionDef)
    }
    nodes = [line.node for line in program.lines if not isinstance(line.node, ast.FunctionDef)]
    return _looked_up(nodes, functions)


def _looked_up(
    nodes: Iterable[ast.stmt], functions: Mapping[str, tuple[tuple[str, ...], frozenset[str]]]
) -> frozenset[str]:
    looked: set[str] = set()
    other: set[str] = set()
    for statement in nodes:
        harmless: set[int] = set()
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                for one in (*_right_sides(node), *_given_to(node, functions)):
                    harmless.add(id(one))
                    looked.add(one.id)
            elif (
                isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in _SHOWN
            ) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Name)):
                harmless.add(id(node.value))
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in harmless:
                other.add(node.id)
    return frozenset(looked - other)


def _right_sides(node: ast.Call) -> Iterator[ast.Name]:
    """The table that is joined to another, by itself or with other names for its columns."""
    if not (isinstance(node.func, ast.Attribute) and node.args):
        return
    words = {word.arg: word.value for word in node.keywords}
    how = words.get("how")
    is_left = isinstance(how, ast.Constant) and how.value == "left"
    is_lookup = (node.func.attr == "merge" and is_left) or (
        node.func.attr == "join" and (is_left or (how is None and "on" in words))
    )
    found = node.args[0]
    while isinstance(found, (ast.Call, ast.Attribute, ast.Subscript)):
        found = found.func if isinstance(found, ast.Call) else found.value
    if is_lookup and isinstance(found, ast.Name):
        yield found


def _given_to(
    node: ast.Call, functions: Mapping[str, tuple[tuple[str, ...], frozenset[str]]]
) -> Iterator[ast.Name]:
    """What a function of the notebook is given, also as `table.pipe(function, ...)`, and only looks things up in."""
    is_piped = isinstance(node.func, ast.Attribute) and node.func.attr == "pipe" and node.args
    func, given = (node.args[0], [None, *node.args[1:]]) if is_piped else (node.func, list(node.args))
    if not isinstance(func, ast.Name) or func.id not in functions:
        return
    parameters, looked = functions[func.id]
    named = list(zip(parameters, given, strict=False)) + [(word.arg, word.value) for word in node.keywords]
    for name, value in named:
        if name in looked and isinstance(value, ast.Name):
            yield value
