"""Tables as verbs show them: the first rows of a frame as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlalm_jupyter.domain.signature import Table

if TYPE_CHECKING:
    import pandas as pd


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
