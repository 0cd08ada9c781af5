"""Displays as plain text: for terminals, and beside the HTML in notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mlalm_jupyter.surfaces.display.parts import (
    Bars,
    Block,
    Cell,
    Code,
    Digest,
    Facts,
    Grid,
    Link,
    Moment,
    Note,
    Part,
    Picture,
    Secret,
    Spark,
    Status,
    View,
)


def plain(view: View, *, now: datetime | None = None, reveals: bool = False) -> str:
    """A view as text.

    `now` tells times as they are from now, which is only true where the text is read at once; `reveals` shows keys
    whole, for places that keep nothing.
    """
    return "\n\n".join(_part(part, now=now, reveals=reveals) for part in view)


def _part(part: Part, *, now: datetime | None, reveals: bool) -> str:
    if isinstance(part, Note):
        return f"Warning: {part.text}" if part.is_warning else part.text
    if isinstance(part, Block):
        return part.text
    if isinstance(part, Picture):
        return part.text
    if isinstance(part, Bars):
        return _bars(part)
    if isinstance(part, Facts):
        rows = [(label, _cell(cell, now=now, reveals=reveals, alone=True)) for label, cell in part.told]
        width = max((len(label) for label, _ in rows), default=0)
        lines = [part.title] if part.title else []
        return "\n".join(
            [*lines, *(f"  {label:<{width}}  {_indented(text, width + 4)}" for label, text in rows)]
        )
    return _grid(part, now=now, reveals=reveals)


def _grid(grid: Grid, *, now: datetime | None, reveals: bool) -> str:
    rows = [[_cell(cell, now=now, reveals=reveals) for cell in row] for row in grid.rows]
    numeric = [_is_numeric([row[index] for row in grid.rows]) for index in range(len(grid.columns))]
    head = [column if grid.is_data else column.upper() for column in grid.columns]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join([*([grid.title] if grid.title else []), *lines])


def _bars(bars: Bars) -> str:
    told = ["" if value is None else f"{value:.6g}" for value in bars.values]
    label_width, value_width = max(map(len, bars.labels), default=0), max(map(len, told), default=0)
    lines = [
        f"  {label:<{label_width}}  {text:>{value_width}}  {'█' * round((share or 0) * 24)}".rstrip()
        for label, text, share in zip(bars.labels, told, bars.shares, strict=True)
    ]
    return "\n".join([bars.title, *lines])


def _is_numeric(cells: Sequence[Cell]) -> bool:
    told = [cell for cell in cells if cell is not None]
    return bool(told) and all(isinstance(cell, (int, float)) and not isinstance(cell, bool) for cell in told)


def _cell(cell: Cell, *, now: datetime | None, reveals: bool, alone: bool = False) -> str:
    """A cell as text; one that stands alone has room for more than one in a row of many."""
    if cell is None:
        return ""
    if isinstance(cell, Status):
        return f"{cell.symbol} {cell.word}"
    if isinstance(cell, Moment):
        if now is None:
            return cell.absolute if alone else cell.short
        return f"{cell.absolute} ({cell.relative(now)})" if alone else cell.relative(now)
    if isinstance(cell, Digest):
        return cell.text if alone else cell.short
    if isinstance(cell, Link):
        return cell.path
    if isinstance(cell, Secret):
        return cell.text if reveals else cell.masked
    if isinstance(cell, (Code, Spark)):
        return cell.text
    if isinstance(cell, float):
        return f"{cell:.6g}"
    text = str(cell)
    return text if alone else " ".join(text.split())


def _indented(text: str, width: int) -> str:
    return text.replace("\n", f"\n{' ' * width}")
