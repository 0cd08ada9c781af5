"""A frame as it leaves: the columns that the definition promises, as the wire has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter.domain.errors import ScoringFailed
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema
from mlalm_jupyter.formats import frames
from mlalm_jupyter.scoring.answers import Output
from mlalm_jupyter.scoring.columns import Array, type_name
from mlalm_jupyter.scoring.steps import MEND

_DTYPES = {
    ColumnType.BOOLEAN: "bool",
    ColumnType.INT64: "int64",
    ColumnType.DOUBLE: "float64",
    ColumnType.STRING: "object",
    ColumnType.DATETIME: "datetime64[us]",
}


def empty(schema: Schema) -> Output:
    """The output of no rows."""
    types_ = tuple(str(column.type) for column in schema.columns)
    return Output(
        schema.names, types_, tuple(np.array([], _DTYPES[column.type]) for column in schema.columns)
    )


def output(name: str, schema: Schema, frame: pd.DataFrame) -> Output:
    columns = schema.columns or frames.schema_of(frame).columns
    arrays = [_result(name, column, frame) for column in columns]
    return Output(
        names=tuple(column.name for column in columns),
        types=tuple(type_name(column, array.dtype) for column, array in zip(columns, arrays, strict=True)),
        arrays=tuple(arrays),
    )


def _objects(series: pd.Series[Any]) -> Array:
    """A column of anything as objects, missing values as None."""
    values: Array
    if isinstance(series.dtype, np.dtype):
        values = np.array(series.astype(object), dtype=object)
        values[series.isna().to_numpy()] = None
        return values
    # in one step, for what the extension types do it with costs more than a small model
    values = series.array.to_numpy(dtype=object, na_value=None)
    return values


def _result(port: str, column: Column, frame: pd.DataFrame) -> Array:
    """One column of a result frame as a plain array, missing values as None or NaN."""
    found: Any = frame.get(column.name)
    if not isinstance(found, pd.Series):
        why = (
            "has no column '{}', which the definition promises" if found is None else "has column '{}' twice"
        )
        raise ScoringFailed(f"output '{port}'", why=f"The result {why.format(column.name)}.", fix=MEND)
    series: pd.Series[Any] = found
    dtype = series.dtype
    values: Array
    if isinstance(dtype, np.dtype) and dtype.kind in "iufbM":
        values = series.to_numpy()
        return values
    if isinstance(dtype, pd.DatetimeTZDtype):
        values = series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        return values
    values = _objects(series)
    if column.type is ColumnType.BOOLEAN and all(isinstance(value, bool) for value in values):
        return values.astype(bool)
    return values
