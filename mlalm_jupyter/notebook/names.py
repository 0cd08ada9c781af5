"""Which names a piece of code takes from around it."""

from __future__ import annotations

import ast
import symtable
import sys
from collections.abc import Iterator
from types import ModuleType

LAZY = "from __future__ import annotations\n"


def names_needed(text: str) -> list[str]:
    """The names a definition takes from around it, in the order they are met.

    >>> names_needed("def f(x):\\n    return g(x) + len(y)\\n")
    ['g', 'len', 'y']
    """
    found: dict[str, None] = {}
    top = symtable.symtable(text, "<definition>", "exec")
    defined = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned()}

    def walk(table: symtable.SymbolTable) -> None:
        for symbol in table.get_symbols():
            if symbol.is_referenced() and symbol.is_global():
                found.setdefault(symbol.get_name())
        for child in table.get_children():
            if child.get_type() != "annotation":  # never worked out, when annotations are lazy
                walk(child)

    walk(top)
    order = {node.id: place for place, node in enumerate(_name_nodes(text))}
    return sorted((name for name in found if name not in defined), key=lambda name: order.get(name, 0))


def submodules_needed(text: str, name: str, module: ModuleType) -> list[str]:
    """The modules inside a module that code reaches through it, which importing the outer one need not bring."""
    found: dict[str, None] = {}
    for node in ast.walk(ast.parse(text)):
        path = _dotted(node)
        if path and path[0] == name:
            for length in range(2, len(path) + 1):
                inner = ".".join((module.__name__, *path[1:length]))
                if inner in sys.modules:
                    found.setdefault(inner)
    return [one for one in found if not any(other.startswith(f"{one}.") for other in found)]


def defaults_of(text: str) -> dict[str, ast.expr]:
    """The expressions of a function's defaults by parameter, or of a class's attributes by name."""
    function = ast.parse(text).body[0]
    if isinstance(function, ast.ClassDef):
        return dict(_assigned(function.body))
    if not isinstance(function, ast.FunctionDef):
        return {}
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    last = positional[len(positional) - len(given.defaults) :]
    pairs = [*zip(last, given.defaults, strict=True), *zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return {one.arg: default for one, default in pairs if default is not None}


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for one in body:
        targets = one.targets if isinstance(one, ast.Assign) else [getattr(one, "target", None)]
        if isinstance(one, (ast.Assign, ast.AnnAssign)) and one.value is not None:
            yield from ((target.id, one.value) for target in targets if isinstance(target, ast.Name))


def _name_nodes(text: str) -> list[ast.Name]:
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]
    return sorted(nodes, key=lambda node: (-node.lineno, -node.col_offset))[::-1]


def _dotted(node: ast.AST) -> list[str]:
    path: list[str] = []
    while isinstance(node, ast.Attribute):
        path.append(node.attr)
        node = node.value
    return [node.id, *reversed(path)] if isinstance(node, ast.Name) and path else []
