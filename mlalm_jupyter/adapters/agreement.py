"""Whether two tables of answers say the same, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlalm_jupyter.notebook.predictive.proof import Rows

_CLOSE, _CLOSE_32 = 1e-9, 1e-5
_DEEPEST, _MOST_WAYS = 5, 60
"""How many selections after each other are followed, and how many ways at each step."""
_NOISE = 1e-3
"""Beside a column's own size, differences this many times smaller than the tolerance are noise."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How answers differ: in shape or names, or in some of the rows."""

    sentence: str
    rows: int = 0


def difference(one: pd.DataFrame, other: pd.DataFrame, *, is_loose: bool = False) -> Difference | None:
    """How two tables differ, by the places of their rows; None when they agree."""
    names, others = list(map(str, one.columns)), list(map(str, other.columns))
    if names != others:
        return Difference(f"the columns are {_listed(others)} instead of {_listed(names)}")
    if len(one) != len(other):
        return Difference(f"there are {len(other)} rows instead of {len(one)}", abs(len(one) - len(other)))
    wrong = np.zeros(len(one), dtype=bool)
    first = ""
    for place, name in enumerate(names):
        found = ~_equal(one.iloc[:, place], other.iloc[:, place], is_loose=is_loose)
        if found.any() and not first:
            row = int(found.argmax())
            first = f"'{name}' is {_told(other.iloc[row, place])} instead of {_told(one.iloc[row, place])}"
        wrong |= found
    if not wrong.any():
        return None
    count = int(wrong.sum())
    return Difference(f"in {count} of {len(one)} rows; in the first of them {first}", count)


def _equal(one: pd.Series[Any], other: pd.Series[Any], *, is_loose: bool) -> Any:
    if all(map(_is_number, (one, other))):
        is_small = is_loose or any(str(column.dtype) in ("float32", "float16") for column in (one, other))
        first, second = (column.to_numpy(dtype="float64", na_value=np.nan) for column in (one, other))
        finite = first[np.isfinite(first)]
        close = _CLOSE_32 if is_small else _CLOSE
        noise = close * _NOISE * float(np.abs(finite).max()) if finite.size else 0.0
        return np.isclose(second, first, rtol=close, atol=noise, equal_nan=True)
    first_values, second_values = one.astype(object).to_numpy(), other.astype(object).to_numpy()
    is_missing = [pd.isna(one).to_numpy(), pd.isna(other).to_numpy()]
    same = np.fromiter(
        (_is_same(a, b) for a, b in zip(first_values, second_values, strict=True)), bool, len(one)
    )
    return np.where(is_missing[0] | is_missing[1], is_missing[0] & is_missing[1], same)


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, (list, tuple, np.ndarray)):
        return np.array_equal(np.asarray(one), np.asarray(other))
    return bool(one == other)


def _is_number(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_complex_dtype(column.dtype)


def aligned(
    answers: pd.DataFrame, whole: pd.DataFrame, rows: Sequence[Rows], *, has_index: bool, table: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """Those of all answers that may be the same rows as some of them; the likeliest first."""
    if has_index and answers.index.is_unique and whole.index.is_unique:
        places = whole.index.get_indexer(answers.index)
        if len(answers) and (places >= 0).all():
            yield whole.iloc[places]
    if len(answers) == len(whole):
        yield whole
    for positions in _taken(rows, len(whole)):
        if len(positions) == len(answers):
            yield whole.iloc[positions]
    for one in rows:
        if (
            one.count == len(table) != len(whole)
            and len(one.positions) == len(answers)
            and table.index.is_unique
        ):
            # the slice may have left rows out, and those that remain tell by their labels which they are
            places = whole.index.get_indexer(table.index[list(one.positions)])
            if whole.index.is_unique and not isinstance(whole.index, pd.RangeIndex) and (places >= 0).all():
                yield whole.iloc[places]


def _taken(rows: Sequence[Rows], count: int) -> Iterator[NDArray[np.intp]]:
    """The positions among so many rows that splits took, also by one after another; the last come first."""
    found = [np.arange(count)]
    seen = {one.tobytes() for one in found}
    taken = [(np.asarray(one.positions, dtype=np.intp), one.count) for one in reversed(rows)]
    for _ in range(_DEEPEST):
        ways: list[NDArray[np.intp]] = []
        for positions, among in taken:
            for base in found:
                if len(base) == among and len(ways) < _MOST_WAYS:
                    way = base[positions]
                    if way.tobytes() not in seen:
                        seen.add(way.tobytes())
                        ways.append(way)
        yield from ways
        found = ways


def remaining(rows: Sequence[Rows], count: int) -> list[tuple[int, ...]]:
    """Sets of rows that were left when others were taken out, the largest first."""
    found = {tuple(sorted(set(one.positions))) for one in rows if one.count == count}
    return sorted((one for one in found if 0 < len(one) < count), key=len, reverse=True)


def within(rows: Sequence[Rows], positions: Sequence[int], count: int) -> tuple[Rows, ...]:
    """The same rows as positions among those that are left."""
    places = {position: place for place, position in enumerate(positions)}
    return tuple(
        Rows(tuple(places[one] for one in rows_.positions), len(positions)) if rows_.count == count else rows_
        for rows_ in rows
        if rows_.count != count or all(one in places for one in rows_.positions)
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:6])
    return f"{shown} and {len(names) - 6} more" if len(names) > 6 else shown or "none"


def _told(value: Any) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)[:60]
