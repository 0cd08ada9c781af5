"""ONNX files: opened with onnxruntime alone, so that what serves need not have what trained.

They are data. onnxruntime itself would follow the names of files in them and load what their operators ask for;
what nobody signed is opened only when it names no file and no operator that can make much of little.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter.domain.errors import InvalidInput, NotSerialisable, UntrustedContent
from mlalm_jupyter.formats.archive import damaged_payload
from mlalm_jupyter.formats.library import is_of, library
from mlalm_jupyter.formats.onnx_contents import onnx_contents

FILE = "model.onnx"
_TYPES = {
    "tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16", "tensor(int64)": "int64",
    "tensor(int32)": "int32", "tensor(bool)": "bool", "tensor(string)": "object",
}  # fmt: skip


class OnnxModel:
    """An ONNX file that predicts for the rows of a frame."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.labels = onnx_contents(data).labels

    @cached_property
    def session(self) -> Any:
        """The session of onnxruntime; one thread, so that sums have one order."""
        ort = library("onnxruntime")
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            return ort.InferenceSession(self.data, options, providers=["CPUExecutionProvider"])
        except (
            Exception
        ) as error:  # onnxruntime has a class of error for each of its reasons, all from compiled code
            said = str(error).strip().splitlines()[0][:200]
            raise damaged_payload(f"onnxruntime cannot read it: {said}.") from error

    def predict(self, rows: pd.DataFrame) -> Any:
        """The first of its outputs, a row for each row."""
        (first, *_) = self._outputs(rows)
        return np.asarray(first)

    @property
    def classes_(self) -> Any:
        """The labels, where it knows them and gives a number for each."""
        if len(self.session.get_outputs()) < 2 or not self.labels:
            raise AttributeError("classes_")
        return np.asarray(self.labels)

    @property
    def predict_proba(self) -> Any:
        """A function that gives a number for each label."""
        self.classes_  # noqa: B018  # an AttributeError here says that there are none
        return self._probabilities

    def _probabilities(self, rows: pd.DataFrame) -> Any:
        second = self._outputs(rows)[1]
        if isinstance(second, list):  # a ZipMap: one dictionary for each row
            return np.asarray([[one[label] for label in self.labels] for one in second])
        return np.asarray(second)

    def _outputs(self, rows: pd.DataFrame) -> list[Any]:
        return list(self.session.run(None, self._fed(rows)))

    def _fed(self, rows: pd.DataFrame) -> dict[str, Any]:
        inputs = self.session.get_inputs()
        if len(inputs) == 1:
            return {inputs[0].name: _typed(rows.to_numpy(), inputs[0])}
        missing = [one.name for one in inputs if one.name not in rows.columns]
        if missing:
            raise InvalidInput(
                "The rows",
                expected=f"the columns {', '.join(one.name for one in inputs)}",
                got=f"none named {', '.join(missing)}",
            )
        return {one.name: _typed(rows[[one.name]].to_numpy(), one) for one in inputs}


def _typed(values: Any, wanted: Any) -> Any:
    if wanted.type not in _TYPES:
        raise InvalidInput(f"The input '{wanted.name}' of the model", expected="a tensor", got=wanted.type)
    try:
        array = values.astype(_TYPES[wanted.type])
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            f"The rows for the input '{wanted.name}'",
            expected=f"values for a {wanted.type}",
            got=str(error)[:100],
        ) from error
    return array[:, 0] if len(wanted.shape) == 1 else array


class OnnxFormat:
    """The format of ONNX models."""

    name = "onnx"
    is_data_only = True
    is_deterministic = True
    known = ("onnxruntime",)

    def takes(self, model: object) -> bool:
        return isinstance(model, OnnxModel) or is_of(
            model, "onnx.onnx_ml_pb2.ModelProto", "onnx.onnx_pb.ModelProto"
        )

    def framework(self, model: object) -> str:
        return f"onnxruntime {library('onnxruntime').__version__}"

    def dump(self, model: Any) -> dict[str, bytes]:
        data = model.data if isinstance(model, OnnxModel) else model.SerializeToString(deterministic=True)
        if beside := [one for one in onnx_contents(data).wants if "beside it" in one]:
            raise NotSerialisable(
                "The ONNX model",
                attribute="graph.initializer",
                because=f"it is kept in {beside[0]}",
                fix="Load it with `onnx.load`, which brings those values in.",
            )
        return {FILE: data}

    def libraries(self, payload: Mapping[str, bytes]) -> list[str]:
        return list(self.known)

    def wants(self, payload: Mapping[str, bytes]) -> list[str]:
        return sorted(onnx_contents(_file(payload)).wants)

    def load(self, payload: Mapping[str, bytes], *, trusted: bool) -> object:
        data = _file(payload)
        if not trusted and (wants := self.wants(payload)):
            raise UntrustedContent("The model's payload", wants=wants, digest="")
        made = OnnxModel(data)
        made.session  # noqa: B018  # what cannot be read is said now
        return made


def _file(payload: Mapping[str, bytes]) -> bytes:
    data = payload.get(FILE)
    if data is None or len(payload) != 1:
        raise damaged_payload(f"It should hold one file '{FILE}'.")
    return data
