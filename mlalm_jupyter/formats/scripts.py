"""Scripts with `init()`, called once, and `run(data)`, called for each request."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.formats import frames
from mlalm_jupyter.formats.code import CodeModule

Rows = Callable[[pd.DataFrame], pd.DataFrame]


def begun(module: CodeModule, model: object = None) -> Rows:
    """Call `init`, and give what answers rows from then on; whatever the script raises comes through.

    `init` may take the model. `run` gets the JSON text `{"data": [[...], ...], "columns": [...]}`, or a frame where its
    parameter is annotated as one.
    """
    function = module["run"]
    if callable(init := module["init"]):
        init(*([model] if model is not None and takes(init) else []))
    wants_frame = _wants_frame(function)
    return lambda frame: _answered(function(frame if wants_frame else _as_text(frame)))


def takes(function: Callable[..., Any], *, must: bool = False) -> bool:
    """Whether something can be handed to a function; with `must`, whether it does not work without."""
    return any(
        one.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        and (not must or one.default is inspect.Parameter.empty)
        for one in _parameters(function)
    )


def _wants_frame(function: Callable[..., Any]) -> bool:
    first = next(iter(_parameters(function)), None)
    told = "" if first is None else first.annotation
    return "DataFrame" in (told if isinstance(told, str) else getattr(told, "__name__", ""))


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # one that is written in C may not say
        return []


def _as_text(frame: pd.DataFrame) -> str:
    told = json.loads(frame.to_json(orient="split", date_format="iso", index=False))
    return json.dumps({"data": told["data"], "columns": told["columns"]})


def _answered(result: object) -> pd.DataFrame:
    """What a script answered, as a table."""
    if isinstance(result, (str, bytes)):
        text = result
        try:
            result = json.loads(text)
        except ValueError as error:
            raise InvalidInput("What run() gave", expected="JSON or a table", got=f"{text[:60]!r}") from error
    if isinstance(result, Mapping):
        if "error" in result:
            raise InvalidInput(
                "What run() gave", expected="a result", got=f"the error {result['error']!r}"[:300]
            )
        columns = {n: value for n, value in result.items() if isinstance(value, (list, np.ndarray))}
        result = columns or {name: [value] for name, value in result.items()}
    elif isinstance(result, list) and result and isinstance(result[0], Mapping):
        return pd.DataFrame(result)
    return frames.table_of(result)
