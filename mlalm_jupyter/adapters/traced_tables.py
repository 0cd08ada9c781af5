"""Whether tables are the same after a statement as before it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

_MOST_S = 20.0
"""Looking at large tables again and again may take so long in all; after that they are believed."""


class Tables:
    """Tables before and after statements."""

    def __init__(self) -> None:
        self._left_s = _MOST_S
        self._before: dict[str, bytes | None] = {}

    def begins(self, values: Mapping[str, Any]) -> None:
        """A statement begins, with these values of names."""
        self._before = self._seen(values)

    def changed(self, values: Mapping[str, Any]) -> list[str]:
        """The names of tables that are not as they were."""
        before, self._before = self._before, {}
        after = self._seen({name: values[name] for name in values if before.get(name)})
        return [name for name, digest in after.items() if digest and digest != before[name]]

    def _seen(self, values: Mapping[str, Any]) -> dict[str, bytes | None]:
        begun = time.monotonic()
        found = {name: digest(value) if self._left_s > 0 else None for name, value in values.items()}
        self._left_s -= time.monotonic() - begun
        return found


def digest(value: Any) -> bytes | None:
    """A digest of a table, a column, an array or a dictionary of such; None of anything else.

    >>> digest(pd.Series([1, 2])) == digest(pd.Series([1, 3]))
    False
    """
    try:
        if isinstance(value, pd.DataFrame):
            columns = [digest(value.iloc[:, place]) or b"" for place in range(value.shape[1])]
            return _of(repr((value.shape, list(value.columns))).encode(), *columns)
        if isinstance(value, pd.Series):
            return _of(
                str(value.dtype).encode(), pd.util.hash_pandas_object(value, index=False).to_numpy().tobytes()
            )
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            return _of(repr((value.shape, value.dtype)).encode(), np.ascontiguousarray(value).tobytes())
        if isinstance(value, dict) and value:
            inner = {name: found for name, one in value.items() if (found := digest(one))}
            return _of(*(repr(name).encode() + found for name, found in inner.items())) if inner else None
    except (TypeError, ValueError):  # cells such as lists have no hash
        return None
    return None


def _of(*parts: bytes) -> bytes:
    return hashlib.blake2b(b"\0".join(parts), digest_size=16).digest()
