"""Tables in parquet files that come back as they were, down to the types of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd


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
        frame.to_parquet(file)
        again = pd.read_parquet(file)
        if list(map(str, again.columns)) != list(map(str, frame.columns)):
            raise ValueError("its columns come back with other names")
        types = {
            str(place): str(dtype)
            for place, dtype in enumerate(frame.dtypes)
            if dtype != again.dtypes.iloc[place]
        }
        pd.testing.assert_frame_equal(_typed(again, types), frame, check_names=False, check_freq=False)
    except AssertionError as error:
        raise ValueError(f"it does not come back from a file as it was: {_first(error)}") from error
    except Exception as error:  # pyarrow has its own class for each reason
        if isinstance(error, ValueError) and type(error) is ValueError:
            raise
        raise ValueError(_first(error)) from error
    return types


def read(file: Path, types: Mapping[str, str]) -> pd.DataFrame:
    """The table in a file."""
    return _typed(pd.read_parquet(file), types)


def _typed(frame: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    for place, kind in types.items():
        column: Any = frame.iloc[:, int(place)]
        frame.isetitem(int(place), column.astype(kind))
    return frame


def _first(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]
