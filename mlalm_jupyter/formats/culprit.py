"""Finding the part of an object that cannot be written to a file."""

from __future__ import annotations

import builtins
import functools
import types
from collections.abc import Callable, Iterator, Mapping

_DEEPEST = 20


def culprit(model: object, fails: Callable[[object], Exception | None]) -> tuple[str, str]:
    """The path of the innermost attribute that fails by itself, and what it says.

    >>> culprit({"a": 1, "b": [2, "bad"]}, lambda o: ValueError("no") if "bad" in repr(o) else None)
    ("['b'][1]", 'no')
    """
    path, place = "", model
    error = fails(model)
    met = [model]
    for _ in range(_DEEPEST):
        for step, part in _parts(place):
            inner = fails(part) if not any(part is one for one in met) else None
            if inner is not None:
                path, place, error = path + step, part, inner
                met.append(part)
                break
        else:
            break
    return path.lstrip(".") or type(model).__name__, _said(error)


def _said(error: Exception | None) -> str:
    if isinstance(error, RecursionError):
        return "it refers to itself, or is nested too deeply"
    said = str(error).strip() or type(error).__name__
    return said.splitlines()[0].rstrip(".")


def _parts(place: object) -> Iterator[tuple[str, object]]:
    if isinstance(place, Mapping):
        for key, value in place.items():
            yield f"[{key!r}]", value
    elif isinstance(place, (list, tuple)):
        for index, value in enumerate(place):
            yield f"[{index}]", value
    elif isinstance(place, (set, frozenset)):
        for value in place:
            yield "{...}", value
    elif isinstance(place, types.FunctionType):
        yield from _parts_of_function(place)
    elif isinstance(place, types.MethodType):
        yield ".__self__", place.__self__
        yield ".__func__", place.__func__
    elif isinstance(place, functools.partial):
        yield from ((".func", place.func), (".args", place.args), (".keywords", place.keywords))
    elif not isinstance(place, types.ModuleType):
        yield from _parts_of_object(place)


def _parts_of_object(place: object) -> Iterator[tuple[str, object]]:
    for name, value in dict(getattr(place, "__dict__", {})).items():
        if not (isinstance(place, type) and name.startswith("__")):
            yield f".{name}", value
    for cls in () if isinstance(place, type) else type(place).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(place, name) and name not in ("__dict__", "__weakref__"):
                yield f".{name}", getattr(place, name)
    if not isinstance(place, type) and type(place).__module__ == "__main__":
        yield f".{type(place).__name__}", type(place)


def _parts_of_function(function: types.FunctionType) -> Iterator[tuple[str, object]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield f".<closure>.{name}", cell.cell_contents
        except ValueError:  # a name of the function around it that was never given a value
            continue
    for name in _globals_of(function.__code__):
        if name in function.__globals__ and not hasattr(builtins, name):
            yield f".<global>.{name}", function.__globals__[name]
    yield from ((f".<default>[{index}]", one) for index, one in enumerate(function.__defaults__ or ()))


def _globals_of(code: types.CodeType) -> tuple[str, ...]:
    inner = [name for one in code.co_consts if isinstance(one, types.CodeType) for name in _globals_of(one)]
    return (*code.co_names, *inner)
