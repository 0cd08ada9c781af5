"""Where in a document something is: as a path that people read, and as a line of its text."""

from __future__ import annotations

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.json_spans import Span, items, members

Path = tuple[str | int, ...]


def shown(path: Path) -> str:
    """A path as people read it.

    >>> shown(("properties", "package", "edges", 3, "sourceNodeId"))
    '$.properties.package.edges[3].sourceNodeId'
    """
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def fault(path: Path, *, expected: str, got: str, fix: str = "") -> InvalidInput:
    """What is wrong at a place of a document."""
    error = InvalidInput(shown(path), expected=expected, got=got, fix=fix)
    error.path = path
    return error


def kind_of(value: object) -> str:
    """What a value is, for whoever expected something else.

    >>> kind_of([]), kind_of(None)
    ('list', 'nothing')
    """
    return "nothing" if value is None else type(value).__name__


def line_of(text: str, path: Path) -> int:
    """The line on which the value at a path begins, or the nearest value around it; names in whatever case.

    >>> line_of('{\\n "Nodes": {\\n  "n1": 5}}', ("nodes", "n1"))
    3
    """
    start = len(text) - len(text.lstrip())
    for step in path:
        inner = _inner(text, start, step)
        if inner is None:
            break
        start = inner[0]
    return text.count("\n", 0, start) + 1


def _inner(text: str, start: int, step: str | int) -> Span | None:
    if isinstance(step, int):
        among = items(text, start) if text[start] == "[" else []
        return among[step] if step < len(among) else None
    held = members(text, start) if text[start] == "{" else {}
    return held.get(step) or {name.lower(): span for name, span in held.items()}.get(step.lower())
