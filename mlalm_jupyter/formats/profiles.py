"""The profile of a frame: what the values of each column are like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter.domain.profile import ColumnProfile, Histogram

BINS = 20
TOP = 8
_LONGEST = 60
_QUARTERS = (0.25, 0.5, 0.75)


def profiled(
    frame: pd.DataFrame, *, told: Callable[[int, int], None] = lambda _done, _total: None
) -> tuple[ColumnProfile, ...]:
    """What each column holds.

    >>> profiled(pd.DataFrame({"hour": [1, 2, 3]}))[0].mean
    2.0
    """
    columns = []
    for index, name in enumerate(frame.columns):
        told(index, len(frame.columns))
        columns.append(_column(str(name), frame.iloc[:, index]))
    return tuple(columns)


def _column(name: str, series: pd.Series[Any]) -> ColumnProfile:
    held = series.dropna()
    count, missing = len(series), len(series) - len(held)
    dtype = series.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return _levels(name, "flag", held, count, missing)
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        return _numbers(name, held, count, missing)
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return _times(name, held, count, missing)
    return _levels(name, "text", held, count, missing)


def _numbers(name: str, held: pd.Series[Any], count: int, missing: int) -> ColumnProfile:
    values = held.to_numpy(dtype="float64")
    values = values[np.isfinite(values)]
    distinct = int(held.nunique())
    if not len(values):
        return ColumnProfile(name, "number", count, missing, distinct)
    low, high = float(values.min()), float(values.max())
    # at the ends of what a float can hold a sum or a difference no longer fits
    with np.errstate(over="ignore"):
        mean = _finite(values.mean())
        quantiles = tuple(float(one) for one in np.quantile(values, _QUARTERS))
    return ColumnProfile(
        name,
        "number",
        count,
        missing,
        distinct,
        low=low,
        high=high,
        mean=mean,
        quantiles=quantiles if all(np.isfinite(quantiles)) else (),
        histogram=_histogram(values, low, high),
    )


def _times(name: str, held: pd.Series[Any], count: int, missing: int) -> ColumnProfile:
    distinct = int(held.nunique())
    if held.empty:
        return ColumnProfile(name, "time", count, missing, distinct)
    low, high = held.min().isoformat(), held.max().isoformat()
    naive = held.dt.tz_convert(None) if held.dt.tz is not None else held
    values = naive.astype("datetime64[us]").astype("int64").to_numpy(dtype="float64")
    drawn = _histogram(values, float(values.min()), float(values.max()))
    drawn = drawn and Histogram(low, high, drawn.counts)
    return ColumnProfile(name, "time", count, missing, distinct, low=low, high=high, histogram=drawn)


def _levels(name: str, kind: str, held: pd.Series[Any], count: int, missing: int) -> ColumnProfile:
    told = held if pd.api.types.is_string_dtype(held.dtype) else pd.Series([*map(str, held)], dtype="object")
    counts = told.value_counts()
    # equally common ones in one order, whatever order pandas has them in
    commonest = sorted(counts.head(TOP * 8).items(), key=lambda one: (-int(one[1]), str(one[0])))[:TOP]
    if len(counts) > TOP and int(counts.iloc[0]) == 1:
        commonest = []  # none of them tells anything of the others
    return ColumnProfile(
        name,
        kind,
        count,
        missing,
        distinct=len(counts),
        top=tuple((_cut(str(value)), int(often)) for value, often in commonest),
    )


def _histogram(values: Any, low: float, high: float) -> Histogram | None:
    if not np.isfinite(high - low):
        return None
    if high <= low:
        return Histogram(low, high, (len(values),))
    try:
        counts, _ = np.histogram(values, bins=BINS, range=(low, high))
    except ValueError:  # they lie closer together than floats can be divided
        return None
    return Histogram(low, high, tuple(int(one) for one in counts))


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _cut(text: str) -> str:
    line = " ".join(text.split()) or text
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
