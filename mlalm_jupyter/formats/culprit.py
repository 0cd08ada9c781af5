"""Finding the part of an object that cannot be written to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

_DEEPEST = 12


def culprit(model: object, fails: Callable[[object], Exception | None]) -> tuple[str, str]:
    """The path of the innermost attribute that fails by itself, and what it says.

    >>> culprit({"a": 1, "b": [2, "bad"]}, lambda o: ValueError("no") if "bad" in repr(o) else None)
    ("['b'][1]", 'no')
    """
    path, place = "", model
    error = fails(model)
    for _ in range(_DEEPEST):
        for step, part in _parts(place):
            inner = fails(part)
            if inner is not None:
                path, place, error = path + step, part, inner
                break
        else:
            break
    said = str(error).strip() or type(error).__name__
    return path.lstrip(".") or type(model).__name__, said.splitlines()[0]


def _parts(place: object) -> Iterator[tuple[str, object]]:
    if isinstance(place, Mapping):
        for key, value in place.items():
            yield f"[{key!r}]", value
    elif isinstance(place, (list, tuple)):
        for index, value in enumerate(place):
            yield f"[{index}]", value
    elif isinstance(getattr(place, "__dict__", None), dict) and not isinstance(place, type):
        for name, value in vars(place).items():
            yield f".{name}", value
    if closure := getattr(place, "__closure__", None):
        names = getattr(place, "__code__").co_freevars  # noqa: B009  # a function has it
        for name, cell in zip(names, closure, strict=True):
            yield f".<closure>.{name}", cell.cell_contents
