"""Where the values of a JSON text stand, so that one of them can be replaced and the rest stay as typed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

Span = tuple[int, int]

_PAIR = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..")  # one character beyond the first 65,536
_BLANK = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(strict=False)


def members(text: str, start: int) -> dict[str, Span]:
    """The spans of an object's values by name; of a name given twice, the last, as `json.loads` has it.

    >>> members('{"a": [1, 2]}', 0)
    {'a': (6, 12)}
    """
    return dict(_members(text, start))


def items(text: str, start: int) -> list[Span]:
    """The spans of an array's items.

    >>> items("[1, 22]", 0)
    [(1, 2), (4, 6)]
    """
    return list(_items(text, start))


def span_at(text: str, path: Sequence[str | int]) -> Span:
    """The span of the value at a path, or of the nearest value around it when the path leads nowhere."""
    here = _blank(text, 0)
    span = here, _end(text, here)
    for step in path:
        opening = text[span[0]]
        if isinstance(step, str):
            inner = members(text, span[0]).get(step) if opening == "{" else None
        else:
            among = items(text, span[0]) if opening == "[" else []
            inner = among[step] if step < len(among) else None
        if inner is None:
            break
        span = inner
    return span


def twice(text: str) -> tuple[str, int] | None:
    """A name that one object has twice, and where it stands the second time."""
    waiting = [_blank(text, 0)]
    while waiting:
        here = waiting.pop()
        if text[here] == "{":
            seen: set[str] = set()
            for name, span in _members(text, here):
                if name in seen:
                    return name, span[0]
                seen.add(name)
                waiting.append(span[0])
        elif text[here] == "[":
            waiting.extend(span[0] for span in _items(text, here))
    return None


def characters(text: str, start: int) -> list[int]:
    """Of each character that a JSON string stands for, where it is written; last, where the quote closes.

    >>> characters(r'"a\\u00e9b"', 0)
    [1, 2, 8, 9]
    """
    places: list[int] = []
    here = start + 1
    while text[here] != '"':
        places.append(here)
        if text[here] != "\\":
            here += 1
        elif text[here + 1] != "u":
            here += 2
        else:
            here += 12 if _PAIR.match(text, here) else 6
    return [*places, here]


def _members(text: str, start: int) -> Iterator[tuple[str, Span]]:
    here = _blank(text, start + 1)
    while text[here] != "}":
        name, here = _DECODER.raw_decode(text, here)
        begin = _blank(text, _blank(text, here) + 1)
        end = _end(text, begin)
        yield name, (begin, end)
        here = _after_comma(text, end)


def _items(text: str, start: int) -> Iterator[Span]:
    here = _blank(text, start + 1)
    while text[here] != "]":
        end = _end(text, here)
        yield here, end
        here = _after_comma(text, end)


def _after_comma(text: str, end: int) -> int:
    here = _blank(text, end)
    return _blank(text, here + 1) if text[here] == "," else here


def _end(text: str, start: int) -> int:
    return _DECODER.raw_decode(text, start)[1]


def _blank(text: str, start: int) -> int:
    found = _BLANK.match(text, start)
    return found.end() if found else start
