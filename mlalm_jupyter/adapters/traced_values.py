"""The values of ports: tables in files, whatever the notebook has them in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter.adapters import exact_frames
from mlalm_jupyter.notebook.predictive.code import ARRAY, AS_TABLE, COLUMN, TABLE

_MOST_LABELS = 0.5


def as_table(value: Any, name: str) -> pd.DataFrame:
    """Answers as the deployed code makes a table of them; ValueError says what they are instead."""
    space: dict[str, Any] = {}
    exec(AS_TABLE.format(name="as_table"), space)
    if not isinstance(value, (list, tuple, np.ndarray, pd.DataFrame, pd.Series)) and not hasattr(
        value, "toarray"
    ):
        raise ValueError(f"it is a {type(value).__name__}, which has no rows")
    try:
        return space["as_table"](value, name)  # type: ignore[no-any-return]  # as the text says
    except (ValueError, TypeError) as error:
        raise ValueError(f"it is a {type(value).__name__} of which no table can be made") from error


def kept_table(value: Any, name: str, file: Path) -> dict[str, Any]:
    """Write a table, an array or a column, and tell how to get it back; ValueError says why it cannot be kept."""
    if isinstance(value, pd.DataFrame):
        kind, frame = TABLE, value
    elif isinstance(value, pd.Series):
        kind, frame = COLUMN, value.to_frame(value.name if isinstance(value.name, str) else name)
    elif isinstance(value, np.ndarray) and value.ndim == 2:
        names = [f"{name}_{place}" for place in range(value.shape[1])]
        kind, frame = ARRAY, pd.DataFrame(value, columns=names)
    else:
        raise ValueError(f"it is a {type(value).__name__}, and a table is needed")
    return {"kind": kind, "file": file.name, "types": exact_frames.written(frame, file)}


def value_of(told: Mapping[str, Any], folder: Path) -> Any:
    """What `kept_table` wrote."""
    frame = exact_frames.read(folder / Path(told["file"]).name, told["types"])
    if told["kind"] == ARRAY:
        return frame.to_numpy()
    return frame.iloc[:, 0] if told["kind"] == COLUMN else frame


def same_as(value: Any, table: Any, rows: tuple[Any, int] | None) -> list[str] | None:
    """The columns of a table from which a label was made; None where it cannot be told which rows it is of."""
    found = _single(value)
    if isinstance(table, np.ndarray) and table.ndim == 2:
        table = pd.DataFrame(table)
    if found is None or len(found) < 2 or not isinstance(table, pd.DataFrame):
        return None
    has_labels = isinstance(value, (pd.Series, pd.DataFrame))
    if has_labels and table.index.is_unique and value.index.isin(table.index).all():
        rows_of_it = table.loc[value.index]
    elif rows is not None and rows[1] == len(table):
        rows_of_it = table.iloc[rows[0]]
    elif len(found) == len(table):
        rows_of_it = table
    else:
        return None
    columns = (rows_of_it.iloc[:, place].reset_index(drop=True) for place in range(table.shape[1]))
    names = map(str, table.columns)
    return [name for name, column in zip(names, columns, strict=True) if is_alike(found, column)]


def columns_like(
    value: Any, table: Any, rows: tuple[Any, int] | None, space: Mapping[str, Any]
) -> list[str] | None:
    """As `same_as`, also where rows were left out before: what else is there tells by its labels which remained."""
    found = [same_as(value, table, rows)]
    single = _single(value)
    if single is not None and isinstance(table, pd.DataFrame) and table.index.is_unique:
        positions, count = rows or (np.arange(len(single)), len(single))
        for places in _places(table, count, space):
            found.append(same_as(single.to_numpy(), table, (places[positions], len(table))))
    seen = [one for one in found if one is not None]
    return list(dict.fromkeys(name for one in seen for name in one)) if seen else None


def _places(table: pd.DataFrame, count: int, space: Mapping[str, Any]) -> list[Any]:
    """Where in a table the rows are of other tables with so many rows, each way once."""
    found: dict[bytes, Any] = {}
    for one in list(space.values()):
        if isinstance(one, (pd.DataFrame, pd.Series)) and len(one) == count and count != len(table):
            places = table.index.get_indexer(one.index)
            if (places >= 0).all():
                found[places.tobytes()] = places
    return list(found.values())


def is_alike(one: pd.Series[Any], other: pd.Series[Any]) -> bool:
    """Whether two columns tell the same: equal, or each value of one always goes with one value of the other."""
    if one.nunique() < 2 or other.nunique() < 2:
        return False
    if one.nunique() > _MOST_LABELS * len(one):
        # nearly all values differ, so that any two columns go together; their order must be the same as well
        if not all(map(pd.api.types.is_numeric_dtype, (one.dtype, other.dtype))):
            return bool((one.astype(str) == other.astype(str)).all())
        first, second = (column.astype(float).rank() for column in (one, other))
        return bool(first.equals(second) or first.equals(len(second) + 1 - second))
    return bool((pd.factorize(one)[0] == pd.factorize(other)[0]).all())


def _single(value: Any) -> pd.Series[Any] | None:
    if isinstance(value, pd.DataFrame):
        return value.iloc[:, 0].reset_index(drop=True) if value.shape[1] == 1 else None
    if isinstance(value, pd.Series):
        return value.reset_index(drop=True)
    array = np.asarray(value)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    return pd.Series(array) if array.ndim == 1 else None
