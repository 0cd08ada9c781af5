"""Tables in parquet files that come back as they were, down to the types of their columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

_CELLS = "cells"
"""The type of a column whose cells are written one by one, because a file has one type for all of them."""


def written(frame: pd.DataFrame, file: Path) -> dict[str, str]:
    """Write a table; the types, by the place of the column, that reading it needs to be told.

    ValueError says why it cannot be written so that it comes back.
    """
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(f"two of its columns are named {twice!r}")
    if isinstance(frame.columns, pd.MultiIndex):
        raise ValueError("its columns have names on several levels")
    try:
        return _written(frame, file)
    except ValueError:
        mixed = {place: held for place in range(frame.shape[1]) if (held := _as_cells(frame.iloc[:, place]))}
        if not mixed:
            raise
    plain = frame.copy()
    for place, held in mixed.items():
        plain.isetitem(place, pd.array(held, dtype="str"))
    types = {**_written(plain, file), **dict.fromkeys(map(str, mixed), _CELLS)}
    _compared(read(file, types), frame)
    return types


def _written(frame: pd.DataFrame, file: Path) -> dict[str, str]:
    try:
        frame.to_parquet(file)
        again = pd.read_parquet(file)
        if list(map(str, again.columns)) != list(map(str, frame.columns)):
            raise ValueError("its columns come back with other names")
        types = {
            str(place): str(dtype)
            for place, dtype in enumerate(frame.dtypes)
            if dtype != again.dtypes.iloc[place]
        }
        _compared(_typed(again, types), frame)
    except Exception as error:  # pyarrow has its own class for each reason
        if isinstance(error, ValueError) and type(error) is ValueError:
            raise
        raise ValueError(_first(error)) from error
    return types


def read(file: Path, types: Mapping[str, str]) -> pd.DataFrame:
    """The table in a file."""
    return _typed(pd.read_parquet(file), types)


def _compared(again: pd.DataFrame, frame: pd.DataFrame) -> None:
    try:
        pd.testing.assert_frame_equal(again, frame, check_names=False, check_freq=False)
    except AssertionError as error:
        raise ValueError(f"it does not come back from a file as it was: {_first(error)}") from error


def _as_cells(column: pd.Series[Any]) -> list[str] | None:
    """The cells of a column of objects as texts, where each is plain."""
    if column.dtype != object:
        return None
    held = [value.item() if isinstance(value, np.generic) else value for value in column]
    if not all(value is None or type(value) in (str, bool, int, float) for value in held):
        return None
    return [json.dumps(value) for value in held]


def _typed(frame: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    for place, kind in types.items():
        column: Any = frame.iloc[:, int(place)]
        if kind == _CELLS:
            cells: Any = pd.Series([json.loads(one) for one in column], index=frame.index, dtype=object)
            frame.isetitem(int(place), cells)
        else:
            frame.isetitem(int(place), column.astype(kind))
    return frame


def _first(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]
