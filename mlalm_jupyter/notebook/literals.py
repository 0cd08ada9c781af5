"""Plain constants as text."""

from __future__ import annotations

import math
from typing import Any

_NUMPY_NUMBERS = ("bool", "bool_", "int64", "float64")


def literal_text(value: Any) -> str | None:
    """A plain constant as an expression that gives it again; None for anything else.

    >>> literal_text({"low": [1, 2.5], "words": {"b", "a"}})
    "{'low': [1, 2.5], 'words': {'a', 'b'}}"
    """
    try:
        return _written(value)
    except (_NotPlain, RecursionError):
        return None


class _NotPlain(Exception):
    """Something in a constant is more than a constant."""


def _written(value: Any) -> str:
    kind = type(value)
    if kind.__module__ == "numpy" and kind.__name__ in _NUMPY_NUMBERS:
        return _written(value.item())
    if kind is float:
        return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
    # of these types exactly: a subclass may be and do anything
    if value is None or kind in (bool, int, str, bytes):
        return repr(value)
    if kind is list:
        return f"[{', '.join(map(_written, value))}]"
    if kind is tuple:
        return f"({', '.join(map(_written, value))}{',' if len(value) == 1 else ''})"
    if kind is dict:
        return f"{{{', '.join(f'{_written(key)}: {_written(one)}' for key, one in value.items())}}}"
    if kind in (set, frozenset):
        # in one order, so that the same code gives the same hash
        written = f"{{{', '.join(sorted(map(_written, value)))}}}" if value else ""
        return f"{kind.__name__}({written})" if kind is frozenset or not value else written
    raise _NotPlain
