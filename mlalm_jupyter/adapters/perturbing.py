"""Rows that were never in a table, of the same types: its own values in other company, and numbers moved a little."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

SEED = 20150217
_MOVED = 0.01
_FEW = 20


def perturbed(
    frame: pd.DataFrame, *, but: Collection[str] = (), is_together: bool = False, seed: int = SEED
) -> pd.DataFrame:
    """The same index, columns and types, with the values of each column in an order of its own.

    With `is_together` the rows stay whole; columns named in `but` stay as they are. Floats move by up to a hundredth of
    their spread and stay between the least and the most, unless they are numbers of something.

    >>> rows = pd.DataFrame({"a": range(9), "b": list("abcdefghi")})
    >>> sorted(perturbed(rows)["a"]) == sorted(rows["a"])
    True
    """
    random = np.random.default_rng(seed)
    found = frame.copy()
    whole = random.permutation(len(frame))
    for place, name in enumerate(frame.columns):
        order = whole if is_together else random.permutation(len(frame))
        if str(name) in but:
            continue
        values = frame.iloc[:, place].take(order)
        found.isetitem(place, _moved(values, random).array.copy())
    found.index = frame.index
    return found


def _moved(column: pd.Series[Any], random: np.random.Generator) -> pd.Series[Any]:
    if not isinstance(column.dtype, np.dtype) or column.dtype.kind != "f":
        return column
    numbers = column.to_numpy(dtype="float64")
    finite = numbers[np.isfinite(numbers)]
    if np.unique(finite).size <= _FEW or (finite == np.round(finite)).all():
        return column
    least, most = finite.min(), finite.max()
    moves = random.uniform(-_MOVED, _MOVED, len(numbers)) * (most - least)
    moved = np.where(np.isfinite(numbers), np.clip(numbers + moves, least, most), numbers)
    return pd.Series(moved.astype(column.dtype), index=column.index)
