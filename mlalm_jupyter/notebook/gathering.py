"""Gathering what a function needs from around it into one text."""

from __future__ import annotations
import __future__

import ast
import builtins
import enum
import importlib.metadata
import inspect
import sys
import sysconfig
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.literals import literal_text
from mlalm_jupyter.notebook.names import LAZY, defaults_of, names_needed, submodules_needed
from mlalm_jupyter.notebook.texts import text_of

_NOTEBOOK_ONLY = "Take out of it lines that start with % or !, and names that only a notebook has."
_LAZY_FLAG = __future__.annotations.compiler_flag


class Gathering:
    """Collects, in the order they are needed, the globals of one function."""

    def __init__(self, function: types.FunctionType) -> None:
        self._is_lazy = False
        self._imports: dict[str, str] = {}
        self._constants: dict[str, str] = {}
        self._definitions: dict[str, str] = {}
        self._met: dict[str, Any] = {}
        self._define(function.__name__, function)

    def text(self) -> str:
        """All of it: imports, constants, helpers, and the function itself last."""
        parts = [
            LAZY.strip() if self._is_lazy else "",
            "\n".join(sorted(self._imports.values())),
            "\n".join(self._constants.values()),
            *self._definitions.values(),
        ]
        return "\n\n\n".join(part for part in parts if part) + "\n"

    def _define(self, name: str, thing: Any) -> None:
        self._meet(name, thing, by=name)
        if name in self._definitions:
            return
        if isinstance(thing, types.FunctionType) and thing.__closure__:
            kept = ", ".join(thing.__code__.co_freevars)
            raise refused(
                thing, f"one that keeps {kept} of the function around it", "Write it at the top of a cell."
            )
        try:
            text = text_of(thing)
        except (OSError, TypeError, SyntaxError) as error:
            fix = "Run the cell that defines it again, without a %% line at its top."
            raise refused(thing, "one whose text is not known", fix) from error
        is_lazy = _is_lazy(thing)
        self._is_lazy = self._is_lazy or is_lazy
        scope = thing.__globals__ if isinstance(thing, types.FunctionType) else _scope_of_class(thing)
        _check_defaults(thing, text, scope)
        self._definitions[name] = ""  # so that a function that calls itself is met once
        for used in names_needed(LAZY + text if is_lazy else text):
            self._need(used, scope, text, by=name)
        del self._definitions[name]
        self._definitions[name] = text.rstrip()

    def _need(self, name: str, scope: Mapping[str, Any], text: str, *, by: str) -> None:
        if name == "get_ipython" or (name not in scope and not _is_builtin(name)):
            only_here = name in scope or hasattr(builtins, name)
            raise InvalidInput(
                f"The function '{by}'",
                expected="names that are defined where it was written, and elsewhere too",
                got=f"'{name}', which {'only a notebook has' if only_here else 'is not'}",
                fix=_NOTEBOOK_ONLY if only_here else f"Define '{name}' in a cell, or import it.",
            )
        if name not in scope or (name.startswith("__") and name.endswith("__")):
            return
        value = scope[name]
        self._meet(name, value, by=by)
        if isinstance(value, types.ModuleType):
            self._import_module(name, value, text, by=by)
        elif isinstance(value, (types.FunctionType, type)) and _is_loose(value.__module__):
            self._define(value.__name__, value)
            if value.__name__ != name:
                self._definitions[name] = f"{name} = {value.__name__}"
        elif _is_importable(value):
            alias = "" if value.__name__ == name else f" as {name}"
            self._imports[name] = f"from {value.__module__} import {value.__name__}{alias}"
        elif (written := literal_text(value)) is not None:
            self._constants[name] = f"{name} = {written}"
        else:
            raise InvalidInput(
                f"The function '{by}'",
                expected="only modules, functions, classes and plain constants from around it",
                got=f"'{name}', a {type(value).__name__}",
                fix="Pass it as a column, write it into the function, or register it as a model.",
            )

    def _meet(self, name: str, value: Any, *, by: str) -> None:
        if name in self._met and not _is_same(self._met[name], value):
            raise InvalidInput(
                f"The function '{by}'",
                expected="one meaning for each name in it and in its helpers",
                got=f"two different things called '{name}'",
                fix="Rename one of them.",
            )
        self._met[name] = value

    def _import_module(self, name: str, module: types.ModuleType, text: str, *, by: str) -> None:
        own = module.__name__
        if _is_loose(own):
            raise InvalidInput(
                f"The function '{by}'",
                expected="modules that are installed",
                got=f"'{own}', a file beside the notebook",
                fix=f"Import what you need by name (`from {own} import ...`): that travels along.",
            )
        self._imports[name] = f"import {own}" if own == name else f"import {own} as {name}"
        for inner in submodules_needed(text, name, module):
            self._imports[inner] = f"import {inner}"


def refused(thing: Any, got: str, fix: str) -> InvalidInput:
    """The error for something that cannot become text."""
    name = getattr(thing, "__name__", type(thing).__name__)
    return InvalidInput(f"The function '{name}'", expected="a function written with `def`", got=got, fix=fix)


def _check_defaults(thing: Any, text: str, scope: Mapping[str, Any]) -> None:
    """A default was worked out when its cell ran, and the text works it out again: to the same value?"""
    for name, default in defaults_of(text).items():
        then, inner = _default(thing, name)
        parts = list(ast.walk(default))
        names = [part.id for part in parts if isinstance(part, ast.Name)]
        if then is _UNKNOWN or not names or any(isinstance(part, _ACTS) for part in parts):
            continue
        try:
            code = compile(ast.Expression(default), "<default>", "eval")
            now = eval(code, {**scope, **inner})  # names, constants and operators only
        except Exception as error:  # of a stranger's operators
            got = f"'{name}', whose default cannot be worked out again ({error})"
            raise refused(thing, got, "Run its cell again.") from error
        if not _is_same(now, then):
            got = f"'{name}', whose default was made of an older {names[0]}"
            raise refused(thing, got, "Run its cell again.")


_ACTS = (ast.Call, ast.Await, ast.Lambda)
_UNKNOWN = object()


def _default(thing: Any, name: str) -> tuple[Any, Mapping[str, Any]]:
    """What a parameter of a function or an attribute of a class was given, and the names seen from there."""
    if isinstance(thing, types.FunctionType):
        return inspect.signature(thing).parameters[name].default, {}
    value = vars(thing).get(name, _UNKNOWN)
    if isinstance(value, types.MemberDescriptorType):  # a slot: its default is kept elsewhere
        value = _UNKNOWN
    return value.value if isinstance(value, enum.Enum) else value, vars(thing)


def _is_same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    try:
        return type(one) is type(other) and bool(one == other)
    except Exception:  # noqa: BLE001  # arrays and frames do not say yes or no
        return False


def _is_lazy(thing: Any) -> bool:
    functions = [thing] if isinstance(thing, types.FunctionType) else vars(thing).values()
    return any(one.__code__.co_flags & _LAZY_FLAG for one in functions if isinstance(one, types.FunctionType))


def _scope_of_class(thing: type) -> Mapping[str, Any]:
    for method in vars(thing).values():
        if isinstance(method, types.FunctionType) and method.__module__ == thing.__module__:
            return method.__globals__
    return vars(sys.modules[thing.__module__])


def _is_builtin(name: str) -> bool:
    """Whether every Python has it; IPython adds some of its own."""
    value = getattr(builtins, name, None)
    return hasattr(builtins, name) and getattr(value, "__module__", "builtins") in (
        *("builtins", "_io", "io", "_sitebuiltins"),
        None,
    )


_INSTALLED = tuple(
    {str(Path(sysconfig.get_path(name)).resolve()) for name in ("purelib", "platlib", "stdlib")}
)


def _is_loose(module: str) -> bool:
    """Whether a module lies beside the notebook, so that nobody finds it elsewhere."""
    if module == "__main__":
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    if not file or str(Path(file).resolve()).startswith(_INSTALLED):
        return False
    return module.partition(".")[0] not in importlib.metadata.packages_distributions()


def _is_importable(value: Any) -> bool:
    """Whether `from module import name` gives it again, elsewhere too."""
    module, name = getattr(value, "__module__", None), getattr(value, "__name__", None)
    if not isinstance(module, str) or not isinstance(name, str) or module == "__main__":
        return False
    return getattr(sys.modules.get(module), name, None) is value
