"""Rows to score, in whatever they come: cells as an endpoint's schema would read them, and nothing guessed."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlalm_jupyter.api import contents
from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.files import readable_file, text_of
from mlalm_jupyter.api.pins import used
from mlalm_jupyter.api.tables import head_of, plain_cell
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.signature import ColumnType, Schema, Table
from mlalm_jupyter.formats import tables

if TYPE_CHECKING:
    import pandas as pd

_MISSING = frozenset({"", "NA", "N/A", "n/a", "NULL", "null", "None", "NaN", "nan", "#N/A", "<NA>"})
"""What stands for a missing number, date or truth value in files of text; of text only nothing does."""


def rows_from(context: Context, given: object, schema: Schema) -> Table:
    """The rows of a frame, a dataset, a file, or lists and dictionaries as JSON has them."""
    import pandas as pd

    if isinstance(given, (str, Path)):
        given = str(given)
        if not given.lower().endswith(".json"):
            return _from_kept(context, given, schema)
        given = _json_in(context, given)
    if isinstance(given, pd.DataFrame):
        return head_of(given, len(given))
    if isinstance(given, Mapping):
        if any(isinstance(cells, (list, tuple)) or hasattr(cells, "__array__") for cells in given.values()):
            return _from_columns(given)
        given = [given]
    if isinstance(given, (list, tuple)):
        return _from_records(given)
    raise InvalidInput("The rows", expected="a frame, a dataset or a table file", got=type(given).__name__)


def _json_in(context: Context, file: str) -> Any:
    text = text_of(readable_file(context, file), name=file)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"The rows in '{file}', line {error.lineno},", expected="JSON", got=error.msg
        ) from error
    except RecursionError as error:
        raise InvalidInput(
            f"The rows in '{file}'", expected="rows of plain cells", got="deep nesting"
        ) from error


def _from_kept(context: Context, named: str, schema: Schema) -> Table:
    """The rows of a table file or of a dataset; those of a text file stay the text that they are."""
    if Path(named).suffix.lower() in tables.TABLES:
        path = readable_file(context, named)
        data, name, kind = path.read_bytes(), named, tables.format_of(path.name)
    else:
        found = used(context, "dataset", named, lambda tx, ref: tx.datasets.get(ref))
        data, name, kind = contents.bytes_of(context, found), found.reference, found.format
    is_text = kind.startswith((tables.CSV, tables.TSV))
    content = tables.read_content(io.BytesIO(data), kind, name=name, size_bytes=len(data), as_text=is_text)
    if content.frame is None:
        raise InvalidInput(f"The rows in '{name}'", expected="a table", got=f"a file of kind {kind}")
    return _as_read(content.frame, schema) if is_text else head_of(content.frame, len(content.frame))


def _as_read(frame: pd.DataFrame, schema: Schema) -> Table:
    """Cells of text, with null where the schema's type says that a cell is missing."""
    texts = {column.name for column in schema.columns if column.type is ColumnType.STRING}
    names = tuple(str(name) for name in frame.columns)
    columns = [
        [None if cell in ({""} if name in texts else _MISSING) else cell for cell in frame.iloc[:, index]]
        for index, name in enumerate(names)
    ]
    return Table(names, tuple(zip(*columns, strict=True)))


def _from_columns(given: Mapping[Any, Any]) -> Table:
    columns: dict[str, list[object]] = {}
    for name, cells in given.items():
        if isinstance(cells, str) or (not isinstance(cells, Sequence) and not hasattr(cells, "__array__")):
            raise InvalidInput(
                f"Column '{name}' of the rows", expected="a list of cells", got=type(cells).__name__
            )
        columns[str(name)] = [plain_cell(cell) for cell in cells]
    lengths = {name: len(cells) for name, cells in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{length} of '{name}'" for name, length in lengths.items())
        raise InvalidInput("The rows", expected="as many cells in each column", got=told[:200])
    return Table(tuple(columns), tuple(zip(*columns.values(), strict=True)))


def _from_records(given: Sequence[Any]) -> Table:
    """A list of objects that all have the same columns; null, and not a gap, is a missing value."""
    names: dict[str, None] = {}
    for index, row in enumerate(given):
        if not isinstance(row, Mapping):
            raise InvalidInput(
                f"Row {index} of the rows",
                expected="an object with a cell for each column",
                got=type(row).__name__,
            )
        names.update(dict.fromkeys(map(str, row)))
    rows = []
    for index, row in enumerate(given):
        cells = {str(name): plain_cell(cell) for name, cell in row.items()}
        if lacking := [name for name in names if name not in cells]:
            raise InvalidInput(
                f"Row {index} of the rows",
                expected=f"the columns {', '.join(names)}"[:200],
                got=f"none named {', '.join(lacking)}"[:200],
                fix="Say null for a value that is missing; the first row is 0.",
            )
        rows.append(tuple(cells[name] for name in names))
    return Table(tuple(names), tuple(rows))
