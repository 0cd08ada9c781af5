"""Which rows a split gave to which of its targets, seen while it happens."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

_MODULES = ("sklearn.model_selection", "sklearn.model_selection._split")
_NAME = "train_test_split"
_MOST_ROWS = 200_000
"""Of more rows it is not looked for which are equal."""


class Splits:
    """Lets one more array ride along through `train_test_split`, which draws the same numbers for any count of them."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._positions: dict[int, tuple[Callable[[], Any], Any, int]] = {}
        """By the identity of what a split gave: that itself while it lives, where its rows were, among how many."""
        self._put_back: list[tuple[dict[str, Any], str]] = []
        self._original: Callable[..., Any] | None = None
        self._given: list[tuple[Any, int]] = []

    def begins(self) -> None:
        import sklearn.model_selection

        self._given = []
        self._original = original = sklearn.model_selection.train_test_split
        spaces = [vars(sys.modules[name]) for name in _MODULES] + [self._shell.user_ns]
        for space in spaces:
            for name, value in list(space.items()):
                if value is original:
                    space[name] = self._split
                    self._put_back.append((space, name))

    def ended(self, targets: Sequence[str], table: Any) -> Iterator[dict[str, Any]]:
        """The rows of what was given, among those that were split, and among those of the table where labels tell."""
        for space, name in self._put_back:
            if space.get(name) == self._split:
                space[name] = self._original
        self._put_back = []
        for positions, count in self._given:
            yield {"positions": list(map(int, positions)), "count": count}
        for name in dict.fromkeys(targets):
            positions = _by_labels(self._shell.user_ns.get(name), table)
            if positions is not None:
                yield {"positions": list(map(int, positions)), "count": len(table)}

    def chosen(self, source: Any, taken: Any) -> dict[str, Any] | None:
        """The rows of something among those it was taken from, where labels or the rows themselves tell."""
        positions = _by_labels(taken, source)
        if positions is None:
            positions = _by_content(taken, source)
        # what takes a row twice is no selection, but looks rows up
        if positions is None or len(np.unique(positions)) < len(positions):
            return None
        if isinstance(taken, (np.ndarray, pd.Series, pd.DataFrame)):
            before = self.rows_of(source)
            among = (positions, len(source)) if before is None else (before[0][positions], before[1])
            self._positions[id(taken)] = (weakref.ref(taken), *among)
        return {"positions": positions.tolist(), "count": len(source)}

    def rows_of(self, value: Any) -> tuple[Any, int] | None:
        """Where the rows of something were that a split gave, and among how many."""
        found = self._positions.get(id(value))
        return None if found is None or found[0]() is not value else found[1:]

    def _split(self, *arrays: Any, **options: Any) -> Any:
        assert self._original is not None
        if not arrays:
            return self._original(**options)
        count = arrays[0].shape[0] if hasattr(arrays[0], "shape") else len(arrays[0])
        *given, first, second = self._original(*arrays, np.arange(count), **options)
        for place, one in enumerate(given):
            positions = first if place % 2 == 0 else second
            before = self.rows_of(arrays[place // 2])
            among = (positions, count) if before is None else (before[0][positions], before[1])
            self._positions[id(one)] = (_living(one), *among)
        for place, positions in enumerate((first, second)):
            self._given.append((positions, count))
            earlier = self.rows_of(given[place]) if given else None
            if earlier is not None and earlier[1] != count:
                self._given.append(earlier)
        return given


def _living(value: Any) -> Callable[[], Any]:
    """A way to a value that does not keep it alive, where its type has one: tables may be large."""
    try:
        return weakref.ref(value)
    except TypeError:  # such as a list
        return lambda: value


def _by_labels(value: Any, table: Any) -> Any:
    if not isinstance(value, (pd.DataFrame, pd.Series)) or not isinstance(table, (pd.DataFrame, pd.Series)):
        return None
    if not table.index.is_unique or not len(value):
        return None
    positions = table.index.get_indexer(value.index)
    return None if (positions < 0).any() else positions


def _by_content(value: Any, source: Any) -> Any:
    """Where rows are among others that are equal to them; equal ones are taken one after the other."""
    keys, wanted = _keys(source), _keys(value)
    if not keys or not 0 < len(wanted) <= len(keys):
        return None
    places: dict[Any, list[int]] = {}
    for place in reversed(range(len(keys))):
        places.setdefault(keys[place], []).append(place)
    found = [places[key].pop() if places.get(key) else -1 for key in wanted]
    return None if min(found) < 0 else np.array(found)


def _keys(value: Any) -> list[Any]:
    if isinstance(value, (pd.DataFrame, pd.Series)):
        return list(pd.util.hash_pandas_object(value, index=False)) if len(value) <= _MOST_ROWS else []
    if not isinstance(value, np.ndarray) or value.ndim not in (1, 2) or len(value) > _MOST_ROWS:
        return []
    if value.dtype == object:
        return list(map(repr, value.tolist()))
    return [one.tobytes() for one in np.ascontiguousarray(value)]
