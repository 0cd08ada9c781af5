"""What code gives to fitted things, and what they make of it, as digests that can be compared.

That the answers stay the same does not show that a column is not needed: a model may well use one that turns none of
the classes it gives to these few rows. So what reaches a model counts as well.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable
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


class Watching:
    """Watches the methods of things; the things stay what they are."""

    def __init__(self, things: Iterable[Any]) -> None:
        self._given: list[dict[str, str]] = []
        self._made = hashlib.sha256()
        self._depth = 0
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
                for one in (name, *arguments, *options.values()):
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
