"""Fitted things in the kernel: taken as they are at their statement, and packed when the notebook is through."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.formats import bundle, pickling
from mlalm_jupyter.formats.code import CodeModule
from mlalm_jupyter.formats.confined import FILES, OTHERS, PROGRAMS, confined
from mlalm_jupyter.formats.held import Held
from mlalm_jupyter.notebook.literals import literal_text
from mlalm_jupyter.notebook.predictive.code import ENTRY
from mlalm_jupyter.notebook.predictive.parts import VALUE
from mlalm_jupyter.notebook.predictive.proof import HELD, LITERAL, PACKAGE

LONGEST_TEXT = 20_000
_ASKED = ("predict", "transform", "predict_proba")
_SAMPLE = 20


class Things:
    """What was fitted, by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._values: dict[str, tuple[str, Any]] = {}

    def take(self, name: str, kind: str, value: Any) -> None:
        """Keep a thing as it is now, whatever becomes of it later."""
        self._values[name] = kind, _copied(value)

    def packed(self, code: str, table: Any) -> Iterator[dict[str, Any]]:
        """Write each; the rows that models and transforms get are seen while the code of the service runs once."""
        samples = self._samples(code, table)
        for number, (name, (kind, value)) in enumerate(self._values.items()):
            told = {"what": "thing", "name": name, "kind": kind, "type": type(value).__name__}
            text = literal_text(value) if kind == VALUE else None
            if text is not None and len(text) <= LONGEST_TEXT:
                yield {**told, "form": LITERAL, "text": text}
                continue
            file = self._folder / f"thing-{number}.ilearner"
            form, why = PACKAGE, ""
            try:
                if kind == VALUE or (name not in samples):
                    raise _Unasked
                package = bundle.pack(value, sample=samples[name])
            except (
                _Unasked,
                MlalmError,
                ArithmeticError,
                ValueError,
                TypeError,
                AttributeError,
                LookupError,
            ):
                try:
                    form = HELD
                    package = bundle.pack(Held(value), sample=pd.DataFrame({"row": [0]}))
                except MlalmError as error:
                    why = str(error)
            if why:
                yield {"what": "fault", "of": "thing", "why": f"'{name}' was not kept: {why}"[:500]}
                continue
            file.write_bytes(package.data)
            yield {**told, "form": form, "file": file.name}

    def _samples(self, code: str, table: Any) -> dict[str, pd.DataFrame]:
        seen: dict[str, pd.DataFrame] = {}
        things: dict[str, Any] = {}
        for name, (kind, value) in self._values.items():
            things[name] = one = _copied(value)
            if kind != VALUE:
                for method in _ASKED:
                    _watch(one, method, name, seen)
        try:
            with confined(FILES, PROGRAMS, OTHERS):
                module = CodeModule(code, name="mlalm_sampled", file="<sampled>")
                function = module[ENTRY]
                taken = inspect.signature(function).parameters
                function(table, **{name: one for name, one in things.items() if name in taken})
        except Exception:  # noqa: BLE001  # whether the code is right is found out later, and elsewhere
            return seen
        return seen


class _Unasked(Exception):
    """Nothing asks this thing in a way that packages know."""


def _copied(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001  # any part of any object may object in its own way
        import pickle

        return pickle.loads(pickling.dumped(value))


def _watch(thing: Any, method: str, name: str, seen: dict[str, pd.DataFrame]) -> None:
    try:
        asked = getattr(thing, method)
    except AttributeError:
        return

    def watched(*arguments: Any, **options: Any) -> Any:
        if name not in seen and arguments:
            sample = _sample_of(arguments[0])
            if sample is not None and len(sample):
                seen[name] = sample
        return asked(*arguments, **options)

    try:
        setattr(thing, method, watched)
    except (AttributeError, TypeError):
        return


def _sample_of(rows: Any) -> pd.DataFrame | None:
    if isinstance(rows, pd.DataFrame):
        return rows.head(_SAMPLE).reset_index(drop=True)
    if isinstance(rows, pd.Series):
        return rows.head(_SAMPLE).to_frame(str(rows.name or "text")).reset_index(drop=True)
    if hasattr(rows, "toarray"):
        rows = rows[:_SAMPLE].toarray()
    if isinstance(rows, (list, np.ndarray)):
        array = np.asarray(rows[:_SAMPLE])
        if array.ndim == 1 and array.dtype.kind in "OUT":
            return pd.DataFrame({"text": array})
        if array.ndim == 2:
            return pd.DataFrame(array, columns=[f"column{place + 1}" for place in range(array.shape[1])])
    return None


def thing_from(told: Mapping[str, Any]) -> Any:
    """A thing that was written, for code that was made here just now."""
    if told["form"] == LITERAL:
        return eval(compile(told["text"], "<literal>", "eval"), {})
    opened = bundle.read(Path(told["file"])).load(trusted=True)
    return opened.value if isinstance(opened, Held) else opened
