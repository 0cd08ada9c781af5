"""Whether the slice answers each row by itself: alone, in another order, twice, and as a request brings it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from mlalm_jupyter.adapters.agreement import difference
from mlalm_jupyter.adapters.reasons import NotProven, Words
from mlalm_jupyter.adapters.slice_answers import Answer, Slices
from mlalm_jupyter.notebook.predictive.proof import Reason

_SAMPLE = 20
_SINGLE = 40
_MOST_SINGLE = 160
_FIRST = 12
_GAPS = 6


@dataclass(frozen=True)
class RowChecks:
    """What is asked of the code of a service about one table, whose needed columns are given to it."""

    words: Words
    code: str
    table: pd.DataFrame
    given: list[str]

    def asked(self, slices: Slices) -> dict[str, Answer]:
        """All answers, those to the rows of the table "perturbed" among them."""
        rows, count = self.singles, len(self.table)
        labelled: dict[str, Any] = {"table": "table", "columns": self.given}
        # a request's rows are counted from 0, however few of them there are
        base = {**labelled, "is_plain": True}
        questions: dict[str, dict[str, Any]] = {
            "whole": labelled,
            "perturbed": {**labelled, "table": "perturbed"},
            "reversed": {**base, "rows": list(range(count))[::-1]},
            "first": {**base, "rows": list(range(min(count, _FIRST)))},
            "few": {**base, "rows": rows},
            "each": {**base, "rows": rows, "is_each": True},
            "twice": {**base, "rows": [*rows, *rows]},
            "plain": base,
            "served": {**base, "is_served": True},
            "sample": {**base, "is_served": True, "rows": sample_of(self.table[self.given])},
            **{f"single {row}": {**base, "rows": [row]} for row in rows},
            "again": base,
        }
        return dict(zip(questions, slices.ask(self.code, list(questions.values())), strict=True))

    @property
    def singles(self) -> list[int]:
        """Rows to ask one by one: those in which something is missing, least, greatest or rare, and some from everywhere."""
        found: dict[int, None] = {}
        for place in range(self.table.shape[1]):
            column = self.table.iloc[:, place]
            found.update(dict.fromkeys([*_first_missing(column), *_outermost(column)]))
        found.update(dict.fromkeys(spread(len(self.table), _SINGLE)))
        return sorted(list(found)[:_MOST_SINGLE])

    def check(self, whole: pd.DataFrame, found: Mapping[str, Answer]) -> list[str]:
        """Raise with the reason where a row's answer depends on more than the row; tell of what only fails then."""
        rows = self.singles
        bare = self._frame(found["plain"], "on rows without labels")
        self._same(whole, bare, "Rows without the labels they had in the notebook get other answers")
        few = self._frame(found["few"], "on a few rows")
        if len(whole) == len(self.table):
            self._same(whole.iloc[rows], few, "A few rows get other answers than among all the others")
        first = self._frame(found["first"], "on the first rows")
        self._same(
            whole.iloc[: len(first)], first, "The first rows get other answers than among all the others"
        )
        self._check_singles([found[f"single {row}"] for row in rows], few)
        if found["each"].frame is None:
            told = found["each"].error.removeprefix("ValueError: ")
            raise NotProven(
                Reason(
                    f"A row alone is worked out otherwise than among others: {told}.", self.words.candidates()
                )
            )
        twice = found["twice"]
        failing: list[str] = []
        if twice.frame is not None:
            self._same(pd.concat([few, few]), twice.frame, "Rows that are there twice get other answers")
        else:
            why = twice.error.partition("\n")[0].rstrip(".")
            failing.append(f"A request that has the same row twice is refused: {why}.")
        turned = self._frame(found["reversed"], "on rows in another order")
        self._same(whole.iloc[::-1], turned, "Rows in another order get other answers")
        served = self._frame(found["served"], "on rows as a request brings them")
        self._same(whole, served, "Rows as a request brings them get other answers")
        again = self._frame(found["again"], "when asked again")
        self._same(whole, again, "Asked again, the slice answers otherwise")
        self._frame(found["sample"], "on rows as a request brings them")
        return failing

    def repeat(self, code: str, slices: Slices, found: Mapping[str, Answer]) -> None:
        """Ask the same of the code of the notebook that would be written; it has to answer alike."""
        again = replace(self, code=code).asked(slices)
        for question, answer in found.items():
            other = again[question]
            if answer.frame is None:
                continue
            if other.frame is None:
                what = f"fails where what was cut out does not: {other.error}"
            elif unlike := difference(answer.frame, other.frame):
                what = f"answers otherwise than what was cut out: {unlike.sentence}."
            else:
                continue
            raise NotProven(Reason(f"The notebook that would be written {what}"))

    def _check_singles(self, singles: list[Answer], few: pd.DataFrame) -> None:
        alone = [one.frame for one in singles if one.frame is not None]
        error = next((one for one in singles if one.frame is None), None)
        # what leaves rows out may fail when none is left
        if error is not None and (not alone or sum(map(len, alone)) != len(few)):
            raise NotProven(self.words.of_error(error, self.code, "on a row alone", self.words.candidates()))
        self._same(few, pd.concat(alone), "A row alone gets another answer than among others")

    def _frame(self, answer: Answer, when: str) -> pd.DataFrame:
        if answer.frame is None:
            raise NotProven(self.words.of_error(answer, self.code, when, self.words.candidates()))
        return answer.frame

    def _same(self, one: pd.DataFrame, other: pd.DataFrame, what: str) -> None:
        if found := difference(one, other, is_loose=has_small_floats(self.table)):
            raise NotProven(Reason(f"{what}: {found.sentence}.", self.words.candidates()))


def spread(count: int, most: int) -> list[int]:
    """At most so many places, evenly over all.

    >>> spread(100, 3)
    [0, 50, 99]
    """
    return sorted({round(place * (count - 1) / max(1, most - 1)) for place in range(most)}) if count else []


def typical(frame: pd.DataFrame, most: int) -> list[int]:
    """Some places over all, and what it takes for each column to show a value, and a gap where it has any.

    >>> typical(pd.DataFrame({"a": [None, None, True, None]}), 2)
    [0, 2, 3]
    """
    places = set(spread(len(frame), most))
    for place in range(frame.shape[1]):
        is_gap = frame.iloc[:, place].isna().to_numpy()
        for rows in (is_gap.nonzero()[0], (~is_gap).nonzero()[0]):
            if len(rows) and not places.intersection(rows.tolist()):
                places.add(int(rows[0]))
    return sorted(places)


def sample_of(frame: pd.DataFrame) -> list[int]:
    """Typical places for a sample; one without a gap is the first, for that has to be answered by itself."""
    has_gap = frame.isna().any(axis="columns").to_numpy()
    return sorted(typical(frame, _SAMPLE), key=lambda place: bool(has_gap[place]))


def has_small_floats(frame: pd.DataFrame) -> bool:
    """Whether some numbers have so few digits that answers need not agree in more."""
    return any(str(dtype) in ("float32", "float16") for dtype in frame.dtypes)


def _first_missing(column: pd.Series[Any]) -> Iterator[int]:
    missing = column.isna().to_numpy().nonzero()[0]
    yield from (int(place) for place in missing[:_GAPS])


def _outermost(column: pd.Series[Any]) -> Iterator[int]:
    """The rows with the least and the greatest number, or with the rarest value: what a statistic over rows would move."""
    values = column.reset_index(drop=True)
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        known = values.dropna().sort_values()
        yield from (int(place) for place in [*known.index[:2], *known.index[-2:]])
        return
    try:
        counts = values.value_counts()
    except TypeError:  # of what cannot be counted, such as lists
        return
    if len(counts):
        yield int((values == counts.index[-1]).to_numpy().argmax())
