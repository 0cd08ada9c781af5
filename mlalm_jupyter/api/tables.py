"""Tables in files: which kinds there are, and reading them into frames."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.signature import Table

if TYPE_CHECKING:
    import pandas as pd

FORMATS = {".csv": "GenericCSV", ".tsv": "GenericTSV", ".parquet": "Parquet"}


def format_of(path: Path) -> str:
    """The data type of a file, seen from its ending.

    >>> format_of(Path("wine.csv"))
    'GenericCSV'
    """
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise InvalidInput(
            f"The file '{path}'",
            expected=f"a table ending in {', '.join(FORMATS)}",
            got=path.suffix or "no ending",
        ) from None


def read_table(data: bytes, kind: str, *, name: str) -> pd.DataFrame:
    """The rows of a table file."""
    import pandas as pd

    try:
        if kind == "Parquet":
            return pd.read_parquet(io.BytesIO(data))
        return pd.read_csv(io.BytesIO(data), sep="\t" if kind == "GenericTSV" else ",")
    except (ValueError, OSError) as error:  # pandas' parser errors and pyarrow's are both ValueErrors
        raise InvalidInput(
            f"The table '{name}'", expected=f"readable {kind}", got=str(error).splitlines()[0]
        ) from error


def head_of(frame: pd.DataFrame, rows: int) -> Table:
    """The first rows of a frame as plain values."""
    head = frame.head(rows).astype(object)
    head = head.where(head.notna(), None)
    return Table(
        tuple(str(name) for name in frame.columns),
        tuple(tuple(plain_cell(cell) for cell in row) for row in head.itertuples(index=False, name=None)),
    )


def plain_cell(value: object) -> object:
    """A cell as JSON takes it: numpy scalars become Python's, dates become ISO text.

    >>> import numpy as np
    >>> plain_cell(np.int64(3))
    3
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and value != value:
        return None
    return value
