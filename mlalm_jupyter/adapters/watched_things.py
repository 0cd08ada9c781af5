"""What code gives to fitted things, and what they make of it, as digests that can be compared.

That the answers stay the same does not show that a column is not needed: a model may well use one that turns none of
the classes it gives to these few rows. So what reaches a model counts as well.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter.formats import pickling

_ASKED = (
    *("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples", "transform"),
    *("inverse_transform", "kneighbors", "apply", "get_prediction", "forecast", "encode"),
)
_SOFT = ("predict_proba", "decision_function")
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Call:
    """A fitted thing that was asked something."""

    method: str
    given: tuple[Any, ...]
    made: Any


def unlike(whole: Sequence[Call], alone: Sequence[Call], row: int, count: int) -> str:
    """How a row alone reaches fitted things otherwise than among others, in words; nothing where it does not.

    Only what has a row for each row that was asked can be compared.
    """
    if [one.method for one in whole] != [one.method for one in alone]:
        return ""
    for among, single in zip(whole, alone, strict=True):
        for value, other in zip(among.given, single.given, strict=False):
            if not _is_alike(value, other, row, count):
                return f"`{among.method}` is given other values for it"
        if not _is_alike(among.made, single.made, row, count):
            return f"`{among.method}` makes something else of it"
    return ""


def _is_alike(value: Any, other: Any, row: int, count: int) -> bool:
    rows, lone = _rows(value), _rows(other)
    if (
        rows is None
        or lone is None
        or len(rows) != count
        or len(lone) != 1
        or rows.shape[1:] != lone.shape[1:]
    ):
        return True
    first, second = rows[row : row + 1].ravel(), lone[:1].ravel()
    if first.dtype.kind in "fiub" and second.dtype.kind in "fiub":
        return bool(
            np.allclose(first.astype(float), second.astype(float), rtol=1e-5, atol=1e-8, equal_nan=True)
        )
    return all(
        one is two or repr(one) == repr(two) or (pd.isna(one) and pd.isna(two)) or one == two
        for one, two in zip(first.astype(object), second.astype(object), strict=True)
    )


def _rows(value: Any) -> Any:
    if hasattr(value, "toarray"):
        value = value.toarray()
    if isinstance(value, (pd.DataFrame, pd.Series)):
        value = value.to_numpy()
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], (str, int, float)):
        value = np.array(value, dtype=object)
    return value if isinstance(value, np.ndarray) and value.ndim else None


class Watching:
    """Watches the methods of things; the things stay what they are."""

    def __init__(self, things: Iterable[Any]) -> None:
        self._given: list[dict[str, str]] = []
        self._made = hashlib.sha256()
        self._depth = 0
        self._calls: list[Call] | None = None
        self.is_on = False
        for thing in things:
            for name in _ASKED:
                with contextlib.suppress(Exception):  # an object may let nothing be set, or nothing be asked
                    asked = getattr(thing, name)
                    if callable(asked):
                        setattr(thing, name, self._watched(thing, name, asked))

    def begin(self) -> None:
        self._given, self._made = [], hashlib.sha256()
        self.is_on = True

    def calls_of(self, asked: Callable[[], Any]) -> list[Call]:
        """What things were given, and what they made of it, while something was asked."""
        self._calls, was_on, self.is_on = [], self.is_on, True
        try:
            asked()
            return self._calls
        finally:
            self._calls, self.is_on = None, was_on

    def ended(self) -> tuple[list[dict[str, str]], str]:
        """A digest of each column or thing that was given since it began, and one of all that was made of it."""
        self.is_on = False
        return self._given, self._made.hexdigest()

    def _watched(self, thing: Any, name: str, asked: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **options: Any) -> Any:
            if not self.is_on or self._depth:
                return asked(*arguments, **options)
            self._depth += 1
            try:
                values = (*arguments, *options.values())
                if self._calls is not None:
                    given = tuple(map(_as_given, values))
                    made = asked(*arguments, **options)
                    self._calls.append(Call(name, given, self._soft(thing, name, made, arguments)))
                    return made
                for one in (name, *values):
                    self._given.append(_digests(one))
                made = asked(*arguments, **options)
                self._made.update(_digest(self._soft(thing, name, made, arguments)))
                return made
            finally:
                self._depth -= 1

        return watched

    def _soft(self, thing: Any, name: str, made: Any, arguments: tuple[Any, ...]) -> Any:
        """What a model weighs, where its answer is only which class weighs most."""
        if name == "predict":
            for soft in _SOFT:
                with contextlib.suppress(Exception):  # some have it and say only then that they cannot
                    return getattr(thing, soft)(*arguments)
        return made


def _as_given(value: Any) -> Any:
    """A copy, as whatever it is may be changed later; of what a library holds outside of Python, its rows."""
    try:
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001  # any library may refuse in its own way
        rows = getattr(value, "get_data", None)
        return rows() if callable(rows) else None


def _digests(value: Any) -> dict[str, str]:
    if isinstance(value, pd.DataFrame):
        return {str(name): _digest(value.iloc[:, place]).hex() for place, name in enumerate(value.columns)}
    return {"": _digest(value).hex()}


def _digest(value: Any) -> bytes:
    try:
        return hashlib.sha256(_bytes(value)).digest()
    except Exception:  # noqa: BLE001  # what cannot be written is told from others by its text
        return hashlib.sha256(repr(value).encode()).digest()


def _bytes(value: Any) -> bytes:
    if isinstance(value, pd.Series):
        value = value.to_numpy()
    elif isinstance(value, pd.DataFrame):
        names = repr(list(value.columns)).encode()
        return names + b"".join(_digest(value.iloc[:, place]) for place in range(value.shape[1]))
    if hasattr(value, "toarray"):
        value = value.toarray()
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        numbers = np.round(value, _DIGITS) + 0.0 if value.dtype.kind == "f" else value
        return np.ascontiguousarray(numbers).tobytes() + repr(value.shape).encode()
    return pickling.dumped(value)
