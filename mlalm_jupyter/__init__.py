"""The model lifecycle, native to Jupyter.

>>> import mlalm_jupyter
>>> ws = mlalm_jupyter.Workspace.open()  # doctest: +SKIP

Everything is imported when it is asked for, so that importing this package costs nothing.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlalm_jupyter._version import __version__
    from mlalm_jupyter.domain.errors import MlalmError
    from mlalm_jupyter.surfaces.magics.logged import log_figure, log_metric
    from mlalm_jupyter.workspace import Workspace

__all__ = ["MlalmError", "Workspace", "__version__", "log_figure", "log_metric"]

_HOMES = {
    "MlalmError": "mlalm_jupyter.domain.errors",
    "Workspace": "mlalm_jupyter.workspace",
    "__version__": "mlalm_jupyter._version",
    "log_figure": "mlalm_jupyter.surfaces.magics.logged",
    "log_metric": "mlalm_jupyter.surfaces.magics.logged",
    # what IPython, JupyterLab and Jupyter Server look for in a package
    "load_ipython_extension": "mlalm_jupyter.surfaces.magics",
    "unload_ipython_extension": "mlalm_jupyter.surfaces.magics",
    "_jupyter_labextension_paths": "mlalm_jupyter.surfaces.lab.extension",
    "_jupyter_server_extension_points": "mlalm_jupyter.surfaces.lab.extension",
    "_load_jupyter_server_extension": "mlalm_jupyter.surfaces.lab.extension",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(_HOMES[name]), name)
    if name == "Workspace":
        _show_richly()
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _show_richly() -> None:
    """In a notebook, what the Python API answers is shown as what the magics answer is."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        importlib.import_module("mlalm_jupyter.surfaces.display").register_formatters(shell)
