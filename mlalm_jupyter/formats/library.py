"""Libraries that only some models need: imported when one of those is met, and missed with the line that brings them."""

from __future__ import annotations

import importlib
from typing import Any

from mlalm_jupyter.domain.errors import MissingDependency

_EXTRAS = {
    "catboost": "catboost",
    "lightgbm": "lightgbm",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "statsmodels": "statsmodels",
    "torch": "torch",
    "xgboost": "xgboost",
}


def library(module: str, *, what: str = "The model") -> Any:
    """The module of a library, or what to install for it."""
    root = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependency(what, library=root, install=install_line(root)) from error


def install_line(root: str) -> str:
    """The command that brings the library of a module.

    >>> install_line("xgboost")
    "pip install 'mlalm-jupyter[xgboost]'"
    """
    extra = _EXTRAS.get(root)
    return f"pip install 'mlalm-jupyter[{extra}]'" if extra else f"pip install {root}"


def is_of(model: object, *paths: str) -> bool:
    """Whether an object is of one of the classes, which are named so that no library is imported for it.

    >>> is_of(True, "builtins.int"), is_of("a", "builtins.int")
    (True, False)
    """
    return any(f"{cls.__module__}.{cls.__qualname__}" in paths for cls in type(model).__mro__)
