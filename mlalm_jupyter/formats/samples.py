"""A model's sample: as it is kept in a file, and as a scorer would make it of a request."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter.domain.signature import Schema
from mlalm_jupyter.formats import frames


def plain_rows(frame: pd.DataFrame) -> list[list[object]]:
    """Rows as JSON can hold them, without anything lost that scoring would see."""
    return [[_cell(value) for value in row] for row in frame.itertuples(index=False, name=None)]


def _cell(value: Any) -> object:
    if isinstance(value, (str, bool)) or value is None:
        return value
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NaT or value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, (int, float)):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def as_served(schema: Schema, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as a scorer would make them, so that the sample shows what will be answered."""
    return frames.frame_of(schema, {name: _array(rows[name]) for name in schema.names})


def _array(series: pd.Series[Any]) -> Any:
    """One column as the plain array that a scorer makes of the same cells in JSON."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _array(pd.Series(series.tolist()))
    if isinstance(dtype, pd.DatetimeTZDtype):
        return series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    if isinstance(dtype, np.dtype) and dtype.kind in "bM":
        return series.to_numpy()
    if pd.api.types.is_bool_dtype(dtype) or not pd.api.types.is_numeric_dtype(dtype):
        return series.astype(object).where(series.notna(), None).to_numpy()
    if not pd.api.types.is_integer_dtype(dtype):
        return series.to_numpy("float64", na_value=np.nan)
    if series.isna().any():
        return frames.whole_numbers(series.astype(object).where(series.notna(), None).tolist())
    return series.to_numpy("int64")
