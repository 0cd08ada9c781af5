"""Which columns of a table the answers depend on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter.adapters.agreement import difference
from mlalm_jupyter.adapters.row_checks import spread
from mlalm_jupyter.adapters.slice_answers import Answer
from mlalm_jupyter.notebook.literals import literal_text
from mlalm_jupyter.notebook.predictive.code import Shape

_SEED = 20150218
_SAMPLE = 300


@dataclass(frozen=True)
class Usage:
    """For each column whether its values change answers, and whether it may be absent."""

    needed: Mapping[str, bool]
    may_lack: Mapping[str, bool]

    def is_needed(self, name: str) -> bool:
        return self.needed[name]

    def also(self, names: Iterable[str]) -> Usage:
        """The same with more columns that are needed."""
        return replace(self, needed={**self.needed, **dict.fromkeys(names, True)})

    def shapes(self, frame: pd.DataFrame, shape: Shape, labels: Sequence[str]) -> Iterator[Shape]:
        """Ways to do without columns that change nothing; the one with the fewest columns filled comes first."""
        idle = [name for name in frame.columns if not self.needed[name]]
        idle = [name for name in idle if self.may_lack[name] or _fill(frame[name]) is not None]
        few = [name for name in idle if not self.may_lack[name]]
        yield _filled(shape, frame, few, absent=[name for name in idle if name not in few])
        yield _filled(shape, frame, idle)
        yield _filled(shape, frame, [name for name in idle if name in labels])

    def left_out(self, shape: Shape) -> set[str]:
        """The columns that a service of this shape does not ask for."""
        return {*shape.fills, *shape.absent}


def looked_at(count: int) -> list[int]:
    """The places of the rows that are asked about each column."""
    return spread(count, _SAMPLE)


def mixed(frame: pd.DataFrame) -> pd.DataFrame:
    """Other values in every column, where there are any: those of other rows, but missing where they were.

    A column that is one and the same in all the rows that are looked at gets there what it is elsewhere.
    """
    random = np.random.default_rng(_SEED)
    found = frame.copy()
    looked = np.array(looked_at(len(frame)), dtype=int)
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        there = column.notna().to_numpy().nonzero()[0]
        order = np.arange(len(column))
        order[there] = random.permutation(there)
        if column.iloc[order[looked]].array.equals(column.iloc[looked].array):
            usual = column.iloc[looked].dropna().head(1)
            rare = [
                other for other in there if usual.empty or repr(column.iloc[other]) != repr(usual.iloc[0])
            ]
            if rare:
                order[looked] = np.resize(rare, len(looked))
        values = column.take(order).array.copy()
        if is_constant(column) and isinstance(column.dtype, np.dtype) and column.dtype.kind in "if":
            values = values + 1
        found.isetitem(place, values)
    found.index = frame.index
    return found


def moved(frame: pd.DataFrame) -> pd.DataFrame:
    """Each column in another order, so that others are missing."""
    random = np.random.default_rng(_SEED + 1)
    found = frame.copy()
    for place in range(frame.shape[1]):
        found.isetitem(place, frame.iloc[:, place].take(random.permutation(len(frame))).array.copy())
    found.index = frame.index
    return found


def column_questions(frame: pd.DataFrame, rows: list[int]) -> list[dict[str, Any]]:
    """The rows as they are; then for each column: with other values in it, without it, and with others missing."""
    base: dict[str, Any] = {"table": "table", "rows": rows, "is_plain": True, "is_watched": True}
    found = [base]
    for name in frame.columns:
        found.append({**base, "changed": name, "with": "mixed"})
        found.append({**base, "columns": [one for one in frame.columns if one != name]})
        if _has_gaps(frame[name]):
            found.append({**base, "changed": name, "with": "moved"})
    return found


def classified(frame: pd.DataFrame, answers: Sequence[Answer], *, labels: Sequence[str]) -> Usage:
    """What the answers to those questions say of each column.

    A column whose values reach something fitted counts as needed, whether or not that turns an answer. Only what is
    given to a pipeline that does as well without it does not; and a label counts only if something comes of it.
    """
    base, *others = answers
    left = iter(others)
    needed, may_lack = {}, {}
    for name in frame.columns:
        changed, without = next(left), next(left)
        gaps = next(left) if _has_gaps(frame[name]) else base
        may_lack[name] = not _differs(base, without)
        reaches = name not in labels and not base.given == changed.given == gaps.given
        is_idle = may_lack[name] and (
            _apart_from(name, base) == _apart_from(name, changed) == _apart_from(name, gaps) == without.given
        )
        needed[name] = _differs(base, changed) or _differs(base, gaps) or (reaches and not is_idle)
    return Usage(needed, may_lack)


def is_constant(column: pd.Series[Any]) -> bool:
    """Whether a column holds one value in all the rows, or none."""
    return _distinct(column) < 2


def _distinct(column: pd.Series[Any]) -> int:
    try:
        return int(column.nunique())
    except TypeError:  # of lists and the like
        return int(column.astype(str).nunique())


def _has_gaps(column: pd.Series[Any]) -> bool:
    return bool(column.isna().any() and column.notna().any())


def _differs(base: Answer, other: Answer) -> bool:
    if base.frame is None or other.frame is None or base.made != other.made:
        return True
    return difference(base.frame, other.frame) is not None


def _apart_from(name: str, answer: Answer) -> tuple[Mapping[str, str], ...]:
    return tuple({key: digest for key, digest in one.items() if key != name} for one in answer.given)


def _filled(shape: Shape, frame: pd.DataFrame, names: Sequence[str], *, absent: Sequence[str] = ()) -> Shape:
    fills = {name: text for name in names if (text := _fill(frame[name])) is not None}
    columns = tuple(name for name in frame.columns if name not in absent)
    return replace(shape, columns=columns if fills else (), fills=fills, absent=tuple(absent))


def _fill(column: pd.Series[Any]) -> str | None:
    """The value that is most often there, as an expression."""
    try:
        common = column.mode(dropna=True)
    except TypeError:  # of lists and the like
        return None
    if not len(common):
        return "float('nan')"
    value = common.iloc[0]
    if isinstance(value, pd.Timestamp):
        return f"pandas.Timestamp({str(value)!r})"
    return literal_text(value.item() if isinstance(value, np.generic) else value)
