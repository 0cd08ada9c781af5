"""Our own model formats, through the hook that strangers use."""

from __future__ import annotations

from mlalm_jupyter.formats.cloudpickle_format import CloudpickleFormat
from mlalm_jupyter.formats.skops_format import SkopsFormat
from mlalm_jupyter.plugins import hookimpl
from mlalm_jupyter.ports import ModelFormat


@hookimpl(trylast=True)
def mlalm_model_formats() -> list[ModelFormat]:
    return [SkopsFormat(), CloudpickleFormat()]
