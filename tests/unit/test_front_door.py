"""The front door: what the package offers, and that opening it costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import mlalm_jupyter

HEAVY = ("pandas", "numpy", "IPython", "sqlalchemy", "sklearn", "jupyter_server", "papermill", "requests")


def imported_by(line: str) -> set[str]:
    """The heavy packages that a line has brought in."""
    script = f"{line}\nimport sys\nprint('brought', *(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_the_public_names_are_these() -> None:
    assert mlalm_jupyter.__all__ == ["MlalmError", "Workspace", "__version__", "log_figure", "log_metric"]


@pytest.mark.parametrize("name", mlalm_jupyter.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(mlalm_jupyter, name)
    assert name in dir(mlalm_jupyter)


def test_a_name_that_is_not_there_is_refused_as_python_does() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Workspaces'"):
        _ = mlalm_jupyter.Workspaces


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert imported_by("import mlalm_jupyter") == set()


def test_listing_the_verbs_imports_nothing_heavy() -> None:
    assert imported_by("from mlalm_jupyter.surfaces.cli.main import main; main(['--help'])") == set()


def test_the_probe_sees_heavy_packages() -> None:
    assert "numpy" in imported_by("import numpy")


@pytest.mark.parametrize(
    "name",
    [
        "load_ipython_extension",
        "unload_ipython_extension",
        "_jupyter_labextension_paths",
        "_jupyter_server_extension_points",
        "_load_jupyter_server_extension",
    ],
)
def test_what_jupyter_looks_for_is_there(name: str) -> None:
    assert callable(getattr(mlalm_jupyter, name))
