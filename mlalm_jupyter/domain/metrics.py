"""Metrics: numbers under names, of which nan and the infinities are text where JSON has no number for them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

_NUMBERS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def written(metrics: Mapping[str, float]) -> dict[str, float | str]:
    """Metrics as JSON takes them.

    >>> written({"auc": 0.5, "loss": math.nan, "worst": -math.inf})
    {'auc': 0.5, 'loss': 'nan', 'worst': '-inf'}
    """
    return {name: plain(value) for name, value in metrics.items()}


def plain(value: float) -> float | str:
    """A number as JSON takes it."""
    return value if math.isfinite(value) else str(float(value))


def row(values: Iterable[object]) -> list[object]:
    """What several have under one name, as JSON takes it.

    >>> row((0.5, None, math.nan))
    [0.5, None, 'nan']
    """
    return [plain(value) if isinstance(value, float) else value for value in values]


def number_of(value: object) -> float | None:
    """The number that was written so; None where it is none.

    >>> number_of(3), number_of("-inf"), number_of("0.5"), number_of(True)
    (3.0, -inf, None, None)
    """
    if isinstance(value, str):
        return _NUMBERS.get(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def read(metrics: Mapping[str, object]) -> dict[str, float]:
    """Metrics as they were written."""
    return {name: number for name, value in metrics.items() if (number := number_of(value)) is not None}
