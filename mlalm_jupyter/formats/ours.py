"""Our own model formats, through the hook that strangers use."""

from __future__ import annotations

from mlalm_jupyter.formats.catboost_format import CatboostFormat
from mlalm_jupyter.formats.cloudpickle_format import CloudpickleFormat
from mlalm_jupyter.formats.lightgbm_format import LightgbmFormat
from mlalm_jupyter.formats.onnx_format import OnnxFormat
from mlalm_jupyter.formats.skops_format import SkopsFormat
from mlalm_jupyter.formats.statsmodels_format import StatsmodelsFormat
from mlalm_jupyter.formats.torch_format import TorchExportFormat, TorchFormat, TorchScriptFormat
from mlalm_jupyter.formats.xgboost_format import XgboostFormat
from mlalm_jupyter.plugins import hookimpl
from mlalm_jupyter.ports import ModelFormat


@hookimpl(trylast=True)
def mlalm_model_formats() -> list[ModelFormat]:
    # a library's own form comes before what would also take the object, and what takes everything comes last
    return [
        XgboostFormat(),
        LightgbmFormat(),
        CatboostFormat(),
        OnnxFormat(),
        TorchFormat(),
        TorchScriptFormat(),
        TorchExportFormat(),
        StatsmodelsFormat(),
        SkopsFormat(),
        CloudpickleFormat(),
    ]
