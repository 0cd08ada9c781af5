"""Tables that others only look something up in: they are kept as they were, and no rows of a caller."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mlalm_jupyter.notebook.binding import parameters_of
from mlalm_jupyter.notebook.predictive.program import Program

_SHOWN = frozenset({"head", "tail", "info", "describe", "shape", "sample", "columns", "dtypes"})


@dataclass(frozen=True, slots=True)
class _Function:
    parameters: tuple[str, ...]
    """Those that a call fills by their place."""
    looked_up: frozenset[str]


def lookups_of(program: Program) -> frozenset[str]:
    """Names that are nothing but the right side of a left join, be it inside a function that they are given to."""
    defined = [line.node for line in program.lines if isinstance(line.node, ast.FunctionDef)]
    once = {one.name for one in defined if sum(other.name == one.name for other in defined) == 1}
    modules = frozenset(name for line in program.lines for name in line.imports)
    functions: dict[str, _Function] = {}
    read: set[str] = set()
    for one in defined:
        looked, used = _looked_up(one.body, {}, modules)
        parameters = frozenset(parameters_of(one.args))
        read |= used - parameters
        if one.name in once:
            plain = tuple(each.arg for each in (*one.args.posonlyargs, *one.args.args))
            functions[one.name] = _Function(plain, (looked - used) & parameters)
    nodes = [line.node for line in program.lines if not isinstance(line.node, ast.FunctionDef)]
    looked, used = _looked_up(nodes, functions, modules)
    return looked - used - read


def _looked_up(
    nodes: Iterable[ast.stmt], functions: Mapping[str, _Function], modules: frozenset[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """What is looked up in, and what is read otherwise."""
    looked: set[str] = set()
    other: set[str] = set()
    for statement in nodes:
        harmless: set[int] = set()
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                for one in (*_right_sides(node, modules), *_given_to(node, functions)):
                    harmless.add(id(one))
                    looked.add(one.id)
            elif (
                isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in _SHOWN
            ) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Name)):
                harmless.add(id(node.value))
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in harmless:
                other.add(node.id)
    return frozenset(looked), frozenset(other)


def _right_sides(node: ast.Call, modules: frozenset[str]) -> Iterator[ast.Name]:
    """The table that is joined to another, by itself or with other names for its columns."""
    if not isinstance(node.func, ast.Attribute):
        return
    words = {word.arg: word.value for word in node.keywords}
    how = words.get("how")
    is_left = isinstance(how, ast.Constant) and how.value == "left"
    is_lookup = (node.func.attr == "merge" and is_left) or (
        node.func.attr == "join" and (is_left or (how is None and "on" in words))
    )
    # `pd.merge(left, right)` has both in its brackets
    is_of_module = isinstance(node.func.value, ast.Name) and node.func.value.id in modules
    place = 1 if is_of_module else 0
    found: ast.AST | None = node.args[place] if len(node.args) > place else words.get("right")
    while isinstance(found, (ast.Attribute, ast.Subscript)) or (
        isinstance(found, ast.Call) and isinstance(found.func, ast.Attribute)
    ):
        found = found.func if isinstance(found, ast.Call) else found.value
    if is_lookup and isinstance(found, ast.Name) and found.id not in modules:
        yield found


def _given_to(node: ast.Call, functions: Mapping[str, _Function]) -> Iterator[ast.Name]:
    """What a function of the notebook is given, also as `table.pipe(function, ...)`, and only looks things up in."""
    is_piped = isinstance(node.func, ast.Attribute) and node.func.attr == "pipe" and node.args
    func, given = (node.args[0], [None, *node.args[1:]]) if is_piped else (node.func, list(node.args))
    if not isinstance(func, ast.Name) or func.id not in functions:
        return
    function = functions[func.id]
    named = list(zip(function.parameters, given, strict=False))
    for name, value in [*named, *((word.arg, word.value) for word in node.keywords)]:
        if name in function.looked_up and isinstance(value, ast.Name):
            yield value
