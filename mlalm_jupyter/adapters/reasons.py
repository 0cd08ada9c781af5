"""Why a plan is not proven, in words, with the cells that may be the cause."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mlalm_jupyter.adapters.slice_answers import Answer
from mlalm_jupyter.notebook.predictive.modules import LOADER
from mlalm_jupyter.notebook.predictive.parts import Plan
from mlalm_jupyter.notebook.predictive.proof import Reason

_MANY_ROWS = (
    "mean|median|std|var|min|max|sum|mode|quantile|value_counts|nunique|unique|rank|cumsum|cumcount|shift|diff|rolling|"
    "expanding|groupby|fit|fit_transform|fit_predict|cut|qcut|get_dummies|factorize|drop_duplicates|sort_values|sample|"
    "interpolate|ffill|bfill|zscore|scale|normalize|describe|corr|argmax|argmin|percentile|Counter|len|sorted"
)
_LOADED = re.compile(rf'\b{LOADER}_*\("([\w.]+)"\)')
_STATISTIC = re.compile(rf"\b(?:{_MANY_ROWS})\s*\(")


class NotProven(Exception):
    """Something does not agree, or cannot be compared."""

    def __init__(self, *reasons: Reason) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Words:
    """Words for what goes wrong with the slice of a plan."""

    plan: Plan

    def of_error(self, answer: Answer, code: str, when: str, cells: tuple[int, ...] = ()) -> Reason:
        text = code.splitlines()[answer.line - 1].strip() if answer.line else ""
        if loaded := _LOADED.search(text):
            module = loaded[1].partition(".")[0]
            importing = re.compile(rf"\b(?:from|import)\b.*\b{module}\b")
            text = next((found for one in self.plan.kept if (found := _line(one.frozen, importing))), text)
        near = tuple(
            one.place.cell
            for one in self.plan.kept
            if text and any(line.strip() == text for line in one.frozen.splitlines())
        )
        at = f" at `{text[:80]}`" if text else ""
        return Reason(f"The slice fails {when}{at}: {answer.error or 'other answers'}.", cells or near[:1])

    def candidates(self) -> tuple[int, ...]:
        """Cells whose kept statements may work something out from all rows."""
        return tuple(dict.fromkeys(one.place.cell for one in self.plan.kept if _STATISTIC.search(one.frozen)))

    def naming(self, columns: Sequence[str]) -> tuple[int, ...]:
        return tuple(
            dict.fromkeys(
                one.place.cell
                for one in self.plan.kept
                if any(names_column(one.frozen, column) for column in columns)
            )
        )


def _line(text: str, pattern: re.Pattern[str]) -> str:
    """The first line in which something stands."""
    return next((line.strip() for line in text.splitlines() if pattern.search(line)), "")


def names_column(text: str, column: str) -> bool:
    """Whether code names a column."""
    return any(word in text for word in (f"'{column}'", f'"{column}"', f".{column}"))
