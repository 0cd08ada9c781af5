"""The text of functions and classes, as it was typed."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
import types
from collections.abc import Iterator
from typing import Any


def text_of(thing: Any) -> str:
    """The text of a function or class, without indentation; OSError says why it is not known."""
    made_in_a_cell = isinstance(thing, type) and thing.__module__ == "__main__"
    text = textwrap.dedent(_text_of_class(thing) if made_in_a_cell else inspect.getsource(thing))
    ast.parse(text)
    return text


def _text_of_class(thing: type) -> str:
    """A class made in a cell has no file, so it is looked for around its methods, then in every cell."""
    for method in _methods(thing):
        lines = linecache.getlines(method.__code__.co_filename)
        for node in _classes("".join(lines), thing.__name__):
            if node.lineno <= method.__code__.co_firstlineno <= (node.end_lineno or 0):
                return _text_at(node, lines)
    found = {
        _text_at(node, lines)
        for lines in _cells()
        for node in _classes("".join(lines), thing.__name__)
        if _assigned(node) <= {*vars(thing), *vars(thing).get("__annotations__", ())}
    }
    if len(found) != 1:
        raise OSError(f"class {thing.__name__} is in {len(found)} cells, each time another" if found else "")
    return found.pop()


def _methods(thing: type) -> Iterator[types.FunctionType]:
    for value in vars(thing).values():
        inner = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
        if isinstance(inner, types.FunctionType):
            yield inner


def _cells() -> Iterator[list[str]]:
    """The texts that were typed rather than read from a file: those without a time of change."""
    for entry in list(linecache.cache.values()):
        if len(entry) == 4 and entry[1] is None:
            yield entry[2]


def _classes(text: str, name: str) -> list[ast.ClassDef]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == name]


def _text_at(node: ast.ClassDef, lines: list[str]) -> str:
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
    return textwrap.dedent("".join(lines[first - 1 : node.end_lineno]))


def _assigned(node: ast.ClassDef) -> set[str]:
    names: set[str] = set()
    for statement in node.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            names.add(statement.name)
    return names
