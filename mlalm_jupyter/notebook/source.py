"""The source of a function with all it needs, so that it runs where its notebook is not."""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import symtable
import sys
import textwrap
import types
from collections.abc import Callable
from typing import Any

from mlalm_jupyter.domain.errors import InvalidInput

_LIVE = "__main__"


def source_of(function: Callable[..., Any]) -> str:
    """A function defined in a notebook as text that stands alone: imports, constants, helpers, itself.

    >>> from mlalm_jupyter.notebook.source import _sample_double
    >>> print(source_of(_sample_double).strip().splitlines()[0])
    def _sample_double(rows):
    """
    if not isinstance(function, types.FunctionType):
        raise _refused(function, f"a {type(function).__name__}", "Write it as a `def` in a cell.")
    if function.__name__ == "<lambda>":
        raise _refused(function, "a lambda", "Write it as a `def` in a cell.")
    if function.__closure__:
        names = ", ".join(function.__code__.co_freevars)
        raise _refused(
            function, f"one that keeps {names} of the function around it", "Write it at the top of a cell."
        )
    return _Gathering(function).text()


def function_in(text: str, name: str | None) -> tuple[str, str]:
    """The text of a Python file and the function in it to call: the one named, or the only public one.

    >>> function_in("def tidy(rows):\\n    return rows\\n", None)[1]
    'tidy'
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise InvalidInput(
            f"The code, line {error.lineno},", expected="Python", got=str(error.msg)
        ) from error
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    public = [one for one in functions if not one.startswith("_")]
    if name is not None and name not in functions:
        raise InvalidInput(
            "The function to deploy", expected=f"one of {', '.join(functions) or 'none'}", got=f"'{name}'"
        )
    if name is None and len(public) != 1:
        raise InvalidInput(
            "The function to deploy",
            expected="a file with one public function, or a name: FILE.py:FUNCTION",
            got=f"{len(public)}: {', '.join(public)}" if public else "none",
        )
    return text, name or public[0]


class _Gathering:
    """Collects, in the order they are needed, the globals of one function."""

    def __init__(self, function: types.FunctionType) -> None:
        self._home = function.__module__
        self._scope = function.__globals__
        self._imports: dict[str, str] = {}
        self._constants: dict[str, str] = {}
        self._definitions: dict[str, str] = {}
        self._define(function.__name__, function)

    def text(self) -> str:
        parts = ["\n".join(sorted(self._imports.values())), "\n".join(self._constants.values())]
        return "\n\n\n".join(part for part in (*parts, *self._definitions.values()) if part) + "\n"

    def _define(self, name: str, thing: Any) -> None:
        if name in self._definitions:
            return
        text = _text_of(thing)
        self._definitions[name] = ""  # so that a function that calls itself is met once
        for used in _globals_of(text):
            self._need(used, by=name)
        del self._definitions[name]
        self._definitions[name] = text.rstrip()

    def _need(self, name: str, *, by: str) -> None:
        if name not in self._scope:
            if hasattr(builtins, name):
                return
            raise InvalidInput(
                f"The function '{by}'",
                expected="names that are defined where it was written",
                got=f"'{name}', which is not",
            )
        value = self._scope[name]
        if isinstance(value, types.ModuleType):
            plain = value.__name__ == name
            self._imports[name] = f"import {name}" if plain else f"import {value.__name__} as {name}"
        elif isinstance(value, (types.FunctionType, type)) and value.__module__ == self._home:
            self._define(name, value)
        elif _is_importable(value):
            self._import(name, value)
        elif _is_literal(value):
            self._constants[name] = f"{name} = {value!r}"
        else:
            raise InvalidInput(
                f"The function '{by}'",
                expected="only modules, functions, classes and plain constants from around it",
                got=f"'{name}', a {type(value).__name__}",
                fix="Pass it as a column, write it into the function, or register it as a model.",
            )

    def _import(self, name: str, value: Any) -> None:
        own = value.__name__
        alias = "" if own == name else f" as {name}"
        self._imports[name] = f"from {value.__module__} import {own}{alias}"


def _globals_of(text: str) -> list[str]:
    """The names a definition takes from around it."""
    found: dict[str, None] = {}

    def walk(table: symtable.SymbolTable) -> None:
        is_top = table.get_type() == "module"
        for symbol in table.get_symbols():
            # at the top every name counts as global; what is assigned there is the definition itself
            if symbol.is_referenced() and symbol.is_global() and not (is_top and symbol.is_assigned()):
                found.setdefault(symbol.get_name())
        for child in table.get_children():
            walk(child)

    top = symtable.symtable(text, "<function>", "exec")
    walk(top)
    defined = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned()}
    return [name for name in found if name not in defined and not name.startswith("__")]


def _text_of(thing: Any) -> str:
    try:
        text = _text_of_class(thing) if isinstance(thing, type) else inspect.getsource(thing)
    except (OSError, TypeError) as error:
        raise _refused(thing, "one whose text is not known", "Run the cell that defines it again.") from error
    return textwrap.dedent(text)


def _text_of_class(thing: type) -> str:
    """The text of a class; one made in a cell has no file, so it is found around one of its methods."""
    if thing.__module__ != _LIVE:
        return inspect.getsource(thing)
    for method in vars(thing).values():
        if isinstance(method, types.FunctionType):
            lines = linecache.getlines(method.__code__.co_filename)
            for node in ast.walk(ast.parse("".join(lines))):
                if not isinstance(node, ast.ClassDef) or node.name != thing.__name__:
                    continue
                if node.lineno <= method.__code__.co_firstlineno <= (node.end_lineno or 0):
                    first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                    return "".join(lines[first - 1 : node.end_lineno])
    raise OSError(f"no text of class {thing.__name__}")


def _is_importable(value: Any) -> bool:
    """Whether `from module import name` gives it again, elsewhere too."""
    module, name = getattr(value, "__module__", None), getattr(value, "__name__", None)
    if not isinstance(module, str) or not isinstance(name, str) or module == _LIVE:
        return False
    return getattr(sys.modules.get(module), name, None) is value


def _is_literal(value: Any) -> bool:
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False


def _refused(thing: Any, got: str, fix: str) -> InvalidInput:
    name = getattr(thing, "__name__", type(thing).__name__)
    return InvalidInput(f"The function '{name}'", expected="a function written with `def`", got=got, fix=fix)


def _sample_double(rows):  # type: ignore[no-untyped-def]  # stands for a cell's function in the example above
    return rows * 2
