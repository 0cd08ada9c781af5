"""Cells of JSON to typed columns, and typed columns back to cells; column by column, never row by row.

On the way in, numbers may come as numbers or as text, and null is a missing value:

| column   | array                | missing        |
|----------|----------------------|----------------|
| Boolean  | bool, else object    | None           |
| Int64    | int64, else float64* | NaN            |
| Double   | float64              | NaN            |
| String   | object of str        | None           |
| DateTime | datetime64[us], UTC  | NaT            |

* nullable Int64 where a float could not hold a number exactly, which may be so beyond 2**53.

On the way out every cell is text or null: numbers in their shortest exact form, `True`/`False`,
and dates month first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from mlalm_jupyter.domain.signature import Column, ColumnType, Schema
from mlalm_jupyter.formats.frames import whole_numbers
from mlalm_jupyter.scoring.errors import Refusal, mismatch, unparsable
from mlalm_jupyter.scoring.requests import Cell, Given

Array = npt.NDArray[Any]
_INT64 = range(-(2**63), 2**63)
_DATE_FORMS = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y")
_TRUTH = {"true": True, "false": False, "1": True, "0": False}
_EXPECTED = {
    ColumnType.BOOLEAN: "true or false",
    ColumnType.INT64: "a whole number of 64 bits",
    ColumnType.DOUBLE: "a number",
    ColumnType.STRING: "text",
    ColumnType.DATETIME: "a date such as 2010-05-30T18:07:00Z",
}


def typed(schema: Schema, table: Given) -> dict[str, Array]:
    """The columns a schema asks for, found by name; columns it does not know are left out."""
    held = table.columns
    try:
        return {column.name: _array(column, held[column.name], table) for column in schema.columns}
    except KeyError:
        lacking = schema.missing_from(held)
    names = ", ".join(f"'{name}'" for name in lacking[:10])
    more = f" and {len(lacking) - 10} more" if len(lacking) > 10 else ""
    noun = "column" if len(lacking) == 1 else "columns"
    raise mismatch(f"The input lacks the {noun} {names}{more}.", target=f"Inputs.{table.name}")


def _array(column: Column, cells: Sequence[Cell], table: Given) -> Array:
    kinds = set(map(type, cells))
    if not column.nullable and type(None) in kinds:
        raise _missing(column, cells, table)
    try:
        read = _READERS[column.type](cells, kinds)
    except (ValueError, OverflowError, TypeError):
        raise _offending(column, cells, table) from None
    # the only way to a missing number without a null is text that says so
    if column.type is ColumnType.DOUBLE and not column.nullable and str in kinds and np.isnan(read).any():
        raise _not_a_number(column, int(np.isnan(read).argmax()), table)
    return read


def _booleans(cells: Sequence[Cell], kinds: set[type]) -> Array:
    if kinds <= {bool}:
        return np.array(cells, dtype=bool)
    read = [None if cell is None else _truth(cell) for cell in cells]
    return np.array(read, dtype=object if type(None) in kinds else bool)


def _truth(cell: Cell) -> bool:
    if isinstance(cell, str):
        try:
            return _TRUTH[cell.strip().lower()]
        except KeyError:
            raise ValueError(cell) from None
    if cell in (0, 1):
        return bool(cell)
    raise ValueError(cell)


def _integers(cells: Sequence[Cell], kinds: set[type]) -> Array:
    if kinds <= {int}:
        return np.array(cells, dtype=np.int64)
    read: Array = whole_numbers([None if cell is None else _integer(cell) for cell in cells])
    return read


def _integer(cell: Cell) -> int:
    if isinstance(cell, str):
        # Python reads 1_000 and digits of other scripts as numbers; no client means that
        if "_" in cell or not cell.isascii():
            raise ValueError(cell)
        try:
            value = int(cell)
        except ValueError:
            value = _whole(float(cell))
    elif isinstance(cell, bool):
        raise ValueError(cell)
    else:
        value = cell if isinstance(cell, int) else _whole(cell)
    if value not in _INT64:
        raise OverflowError(cell)
    return value


def _whole(number: object) -> int:
    if isinstance(number, float) and number.is_integer():
        return int(number)
    raise ValueError(number)


def _doubles(cells: Sequence[Cell], kinds: set[type]) -> Array:
    if bool in kinds:
        raise ValueError(cells)
    if kinds <= {float, int}:
        return np.array(cells, dtype=np.float64)
    if str in kinds:
        text = "".join(cell for cell in cells if isinstance(cell, str))
        if "_" in text or not text.isascii():
            raise ValueError(cells)
    return np.array([math.nan if cell is None else float(cell) for cell in cells], dtype=np.float64)


def _strings(cells: Sequence[Cell], kinds: set[type]) -> Array:
    found: Array = np.empty(len(cells), dtype=object)
    if kinds <= {str, type(None)}:
        found[:] = cells
    else:
        found[:] = [cell if cell is None or isinstance(cell, str) else _scalar(cell) for cell in cells]
    return found


def _dates(cells: Sequence[Cell], kinds: set[type]) -> Array:
    return np.array([None if cell is None else _date(cell) for cell in cells], dtype="datetime64[us]")


def _date(cell: Cell) -> datetime:
    if not isinstance(cell, str):
        raise TypeError(cell)
    try:
        read = datetime.fromisoformat(cell.strip())
    except ValueError:
        read = _american_date(cell.strip())
    return read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read


def _american_date(text: str) -> datetime:
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    raise ValueError(text)


_READERS: dict[ColumnType, Callable[[Sequence[Cell], set[type]], Array]] = {
    ColumnType.BOOLEAN: _booleans,
    ColumnType.INT64: _integers,
    ColumnType.DOUBLE: _doubles,
    ColumnType.STRING: _strings,
    ColumnType.DATETIME: _dates,
}


def _offending(column: Column, cells: Sequence[Cell], table: Given) -> Refusal:
    """Which cell it was: looked for only once something is known to be wrong."""
    read = _READERS[column.type]
    for index, cell in enumerate(cells):
        try:
            read((cell,), {type(cell)})
        except (ValueError, OverflowError, TypeError):
            shown = repr(cell) if len(repr(cell)) <= 40 else f"{repr(cell)[:37]}..."
            return _unparsable(column, index, f"expected {_EXPECTED[column.type]}, got {shown}", table)
    return _unparsable(column, 0, f"expected {_EXPECTED[column.type]}", table)


def _missing(column: Column, cells: Sequence[Cell], table: Given) -> Refusal:
    index = next(index for index, cell in enumerate(cells) if cell is None)
    return _unparsable(column, index, "a value is required, and it is null", table)


def _not_a_number(column: Column, index: int, table: Given) -> Refusal:
    return _unparsable(column, index, "a value is required, and it is not a number", table)


def _unparsable(column: Column, index: int, message: str, table: Given) -> Refusal:
    return unparsable(
        f"Column '{column.name}' of row {index}: {message} (the first row is 0).",
        target=f"Inputs.{table.name}[{index}].{column.name}",
    )


def cells(values: Array) -> list[str | None]:
    """One result column as text and nulls.

    >>> cells(np.array([0.25, 1.0, np.nan]))
    ['0.25', '1', None]
    """
    kind = values.dtype.kind
    if kind in "iu":
        return [str(value) for value in values.tolist()]
    if kind == "f" and values.dtype.itemsize == 8:
        return [None if value != value else _float(value) for value in values.tolist()]
    if kind == "b":
        return ["True" if value else "False" for value in values.tolist()]
    if kind == "M":
        dates = values.astype("datetime64[us]").tolist()
        return [None if value is None else _dated(value) for value in dates]
    return [_cell(value) for value in values]


def _float(value: float) -> str:
    return _float_text(repr(value))


def _scalar(value: bool | int | float) -> str:
    return _float(value) if isinstance(value, float) else str(value)


def _dated(value: datetime) -> str:
    if value.tzinfo:
        value = value.astimezone(UTC)
    hour = value.hour % 12 or 12
    half = "PM" if value.hour >= 12 else "AM"
    return f"{value.month}/{value.day}/{value.year} {hour}:{value.minute:02}:{value.second:02} {half}"


def _cell(value: Any) -> str | None:
    """A cell of a mixed column, of a short float or of anything else."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (float, np.floating)) and value != value:
        return None
    if isinstance(value, np.floating):
        # numpy's own text of a short float is its shortest exact form; as a Python float it is longer
        return _float_text(str(value))
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, datetime):
        return _dated(value)
    return str(value)


def _float_text(text: str) -> str:
    text = text.removesuffix(".0")
    return text.replace("inf", "Infinity") if text.endswith("inf") else text


def type_name(column: Column, dtype: np.dtype[Any]) -> str:
    """The .NET name of a result column's type.

    >>> type_name(Column("n", ColumnType.INT64), np.dtype("int32"))
    'Int32'
    """
    if column.type is ColumnType.INT64 and dtype.kind in "iu" and dtype.itemsize <= 4:
        return "Int32"
    if column.type is ColumnType.DOUBLE and dtype.kind == "f" and dtype.itemsize <= 4:
        return "Single"
    return str(column.type)
