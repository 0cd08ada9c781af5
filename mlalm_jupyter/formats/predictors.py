"""How objects of libraries are asked that have no `predict` for a frame: boosters, networks, ONNX graphs."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.formats.library import library


class _OfBooster:
    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, rows: pd.DataFrame) -> Any:
        return self.model.predict(library("xgboost").DMatrix(rows))


class _OfLightgbm:
    """LightGBM takes the columns of a frame by their places, whatever they are called; here they go by name."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, rows: pd.DataFrame) -> Any:
        names = list(self.model.feature_name())
        if names == [f"Column_{place}" for place in range(len(names))]:
            return self.model.predict(rows)  # it was fitted on an array
        called = {re.sub(r"\s", "_", str(name)): name for name in rows.columns}
        if missing := [name for name in names if name not in called]:
            raise InvalidInput(
                "The rows", expected=f"the columns {', '.join(names)}", got=f"none named {', '.join(missing)}"
            )
        return self.model.predict(rows[[called[name] for name in names]])


class _OfNetwork:
    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, rows: pd.DataFrame) -> Any:
        torch = library("torch")
        first = next(iter(self.model.parameters()), None)
        kind = torch.float32 if first is None or not first.dtype.is_floating_point else first.dtype
        was_training = self.model.training
        self.model.eval()
        try:
            return _asked(torch, self.model, rows, kind)
        finally:
            self.model.train(was_training)


class _OfProgram:
    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, rows: pd.DataFrame) -> Any:
        torch = library("torch")
        return _asked(torch, self.model.module(), rows, torch.float32)


class _OfGraph:
    """An `onnx.ModelProto` that was not yet kept."""

    def __new__(cls, model: Any) -> Any:
        from mlalm_jupyter.formats.onnx_format import OnnxModel

        return OnnxModel(model.SerializeToString(deterministic=True))


def _asked(torch: Any, module: Any, rows: pd.DataFrame, kind: Any) -> Any:
    with torch.no_grad():
        given = torch.as_tensor(rows.to_numpy(np.float64), dtype=torch.float64).to(kind)
        answer = module(given)
    answer = answer[0] if isinstance(answer, (tuple, list)) else answer
    return answer.detach().cpu().numpy()


# asked in the order of a class' bases, so that no library is imported to find out
_WAYS: dict[str, Any] = {
    "xgboost.core.Booster": _OfBooster,
    "lightgbm.basic.Booster": _OfLightgbm,
    "torch.nn.modules.module.Module": _OfNetwork,
    "torch.export.exported_program.ExportedProgram": _OfProgram,
    "onnx.onnx_ml_pb2.ModelProto": _OfGraph,
    "onnx.onnx_pb.ModelProto": _OfGraph,
}


def predictor_of(model: Any) -> Any:
    """Something that predicts for a frame: the model itself, or what asks it.

    >>> predictor_of(abs) is abs
    True
    """
    way = _way(type(model))  # type: ignore[arg-type]  # every class can be hashed
    return way(model) if way else model


@lru_cache(maxsize=256)
def _way(kind: type) -> Any:
    for cls in kind.__mro__:
        if way := _WAYS.get(f"{cls.__module__}.{cls.__qualname__}"):
            return way
    return None
