"""Libraries that only some models need: imported when one of those is met, and missed with the line that brings them."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from collections.abc import Sequence
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


_DISTRIBUTIONS = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "google": "protobuf",
    "pkg_resources": "setuptools",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
"""Modules whose distribution has another name."""


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
    >>> install_line("sklearn"), install_line("PIL")
    ('pip install scikit-learn', 'pip install pillow')
    """
    extra = _EXTRAS.get(root)
    return (
        f"pip install 'mlalm-jupyter[{extra}]'" if extra else f"pip install {_DISTRIBUTIONS.get(root, root)}"
    )


def install_lines(missing: MissingDependency, requirements: Sequence[str]) -> MissingDependency:
    """The same error with the line that brings what a package asks for, where that says it more exactly.

    A module need not have the name of what brings it; what the package asks for and is not here is what can bring it.
    """
    plain = missing.install.removeprefix("pip install ")
    if not plain.replace("-", "").replace("_", "").replace(".", "").isalnum():
        return missing
    asked = {_plain(one.partition("==")[0]): one for one in requirements}
    absent = [one for name, one in asked.items() if not _is_here(name)]
    wanted = [asked[_plain(plain)]] if _plain(plain) in asked else absent
    if not wanted:
        return missing
    return MissingDependency("The model", library=missing.library, install=f"pip install {' '.join(wanted)}")


def _plain(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _is_here(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def is_of(model: object, *paths: str) -> bool:
    """Whether an object is of one of the classes, which are named so that no library is imported for it.

    >>> is_of(True, "builtins.int"), is_of("a", "builtins.int")
    (True, False)
    """
    return any(f"{cls.__module__}.{cls.__qualname__}" in paths for cls in type(model).__mro__)
