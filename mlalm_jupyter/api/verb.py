"""What a verb is: a method of a noun whose signature is its request on every surface."""

from __future__ import annotations

import functools
import inspect
import numbers
import operator
import os
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, cast

from mlalm_jupyter.api.rehearsal import LeftOut, leaves_out
from mlalm_jupyter.domain.errors import InvalidInput, refused_by_system

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "__mlalm_verb__"


@dataclass(frozen=True, slots=True)
class Arg:
    """What a surface should know of an argument: its help, what may complete it, and which files it may name."""

    help: str
    completes: str = ""
    short: str = ""
    metavar: str = ""
    place: str = ""
    """Which files it may name.

    `file` is a file or folder, there or yet to be made, as what is written FILE or FOLDER is; `there` is one where it is
    there, else something else; `notebook` is the same for notebooks, with their ending or without; `either`, as what
    may be a live object is, is one only where it has an ending or a slash, for a word alone is a reference.
    """


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a verb."""

    name: str
    type: type
    """str, int, float, bool or dict (NAME=VALUE pairs)."""
    is_positional: bool
    is_required: bool
    default: Any
    help: str
    completes: str = ""
    short: str = ""
    metavar: str = ""
    is_live: bool = False
    """Whether a live object may stand where text names one: each verb checks what it was given."""
    place: str = ""
    """As `Arg` says it; empty for what names no files."""
    has_text_values: bool = False
    """Whether the values of NAME=VALUE pairs stay text, instead of becoming numbers where they look so."""

    @property
    def option(self) -> str:
        return f"--{self.name.replace('_', '-')}"


@dataclass(frozen=True)
class Verb:
    """One verb: where it lives and what it takes."""

    noun: str
    name: str
    attribute: str
    """The attribute of `Workspace` that holds the noun's class; empty for verbs that need no workspace."""
    method: Callable[..., Any]
    needs_workspace: bool = True
    is_long: bool = False

    @property
    def help(self) -> str:
        return (inspect.getdoc(self.method) or "").strip().splitlines()[0]

    @property
    def description(self) -> str:
        return inspect.getdoc(self.method) or ""

    @property
    def method_name(self) -> str:
        return self.method.__name__

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        hints = typing.get_type_hints(self.method, include_extras=True)
        found = []
        for parameter in list(inspect.signature(self.method).parameters.values())[1:]:
            kind, is_live, arg = _plain(hints[parameter.name])
            required = parameter.default is inspect.Parameter.empty
            found.append(
                Parameter(
                    name=parameter.name,
                    type=kind,
                    is_positional=parameter.kind is not inspect.Parameter.KEYWORD_ONLY,
                    is_required=required,
                    default=None if required else parameter.default,
                    help=arg.help,
                    completes=arg.completes,
                    short=arg.short,
                    metavar=arg.metavar,
                    is_live=is_live,
                    place=_place(arg, is_live=is_live),
                    has_text_values=kind is dict and _has_text_values(hints[parameter.name]),
                )
            )
        return tuple(found)

    def taken(
        self, positional: tuple[Any, ...], named: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call in Python, each of its type; which of them there are Python itself checks."""
        known = {parameter.name: parameter for parameter in self.parameters}
        values = tuple(
            self._taken(parameter, value)
            for parameter, value in zip(self.parameters, positional, strict=False)
        )
        return (
            (*values, *positional[len(values) :]),
            {
                name: self._taken(known[name], value) if name in known else value
                for name, value in named.items()
            },
        )

    def _taken(self, parameter: Parameter, value: Any) -> Any:
        where = f"The argument '{parameter.name}' of {self.noun} {self.name}"
        if value is None:
            if parameter.is_required:
                raise InvalidInput(where, expected=parameter.help, got="nothing")
            return None
        if parameter.is_live:
            return value
        kind = parameter.type
        if kind is str and isinstance(value, os.PathLike):
            value = os.fspath(value)
        if kind is str and isinstance(value, str) and "\0" in value:
            raise InvalidInput(where, expected="text without null characters", got=repr(value)[:80])
        if kind is dict and isinstance(value, Mapping):
            return value
        if kind is int and not isinstance(value, (int, str)) and hasattr(value, "__index__"):
            return operator.index(value)  # numpy's numbers are none of Python's
        if kind is float and not isinstance(value, (bool, float)) and isinstance(value, numbers.Real):
            return float(value)
        return _checked_value(where, kind, value)

    def checked(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments by name, each known, present and of its type; how surfaces without types call a verb."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in arguments:
            if name not in known:
                raise InvalidInput(
                    f"The argument '{name}' of {self.noun} {self.name}",
                    expected=f"one of {', '.join(known) or 'no arguments'}",
                    got=repr(name),
                )
        checked: dict[str, Any] = {}
        for name, parameter in known.items():
            value = arguments.get(name, parameter.default)
            if value is None:
                if parameter.is_required:
                    raise InvalidInput(
                        f"The argument '{name}' of {self.noun} {self.name}",
                        expected=parameter.help,
                        got="nothing",
                    )
                continue
            where = f"The argument '{name}' of {self.noun} {self.name}"
            checked[name] = value if parameter.is_live else _checked_value(where, parameter.type, value)
        return checked


def verb(
    noun: str, name: str, *, attribute: str | None = None, needs_workspace: bool = True, is_long: bool = False
) -> Callable[[F], F]:
    """Mark a method as a verb of the product."""

    def mark(method: F) -> F:
        home = f"{noun}s" if attribute is None else attribute
        marked = Verb(noun, name, home, method, needs_workspace, is_long)

        @functools.wraps(method)
        def called(self: Any, *positional: Any, **named: Any) -> Any:
            if leaves_out(name):
                return LeftOut(name)
            positional, named = marked.taken(positional, named)
            try:
                return method(self, *positional, **named)
            except OSError as error:
                refused = refused_by_system(error)
                if refused is None:
                    raise
                raise refused from error

        setattr(called, _MARK, marked)
        return cast(F, called)

    return mark


def verbs_of(noun_class: type) -> list[Verb]:
    """The verbs a class offers, in the order they are written."""
    return [getattr(member, _MARK) for member in vars(noun_class).values() if hasattr(member, _MARK)]


def _plain(hint: Any) -> tuple[type, bool, Arg]:
    """The type a surface reads, whether live objects are taken as well, and the help."""
    arg = Arg("")
    if typing.get_origin(hint) is typing.Annotated:
        arg = next((extra for extra in hint.__metadata__ if isinstance(extra, Arg)), arg)
        hint = hint.__origin__
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        hint = object if object in options else options[0]
    if hint in (int, float, bool, str):
        return hint, False, arg
    if hint is dict or typing.get_origin(hint) in (dict, Mapping):
        return dict, False, arg
    return str, True, arg


def _place(arg: Arg, *, is_live: bool) -> str:
    """Which files an argument may name."""
    if arg.place:
        return arg.place
    if arg.metavar in ("FILE", "FOLDER"):
        return "file"
    return "either" if is_live else ""


def _has_text_values(hint: Any) -> bool:
    """Whether a hint says Mapping[str, str], perhaps among others."""
    parts = typing.get_args(hint)
    if typing.get_origin(hint) in (dict, Mapping):
        return parts[1:] == (str,)
    return any(_has_text_values(part) for part in parts)


def _checked_value(where: str, kind: type, value: Any) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        words = {
            str: "text",
            int: "a whole number",
            float: "a number",
            bool: "true or false",
            dict: "an object",
        }
        raise InvalidInput(where, expected=words[kind], got=repr(value)[:80])
    return value
