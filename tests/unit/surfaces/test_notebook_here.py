"""Which notebook a kernel belongs to: the surest source is believed first."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlalm_jupyter.surfaces.magics.notebook_here import Here, notebook_here


@pytest.fixture
def notebook(tmp_path: Path) -> str:
    path = tmp_path / "train.ipynb"
    path.write_text("{}")
    return str(path)


def test_a_run_knows_itself_whatever_else_is_said(notebook: str) -> None:
    environ = {"MLALM_RUN": "0193ab", "JPY_SESSION_NAME": notebook}
    assert notebook_here({"__vsc_ipynb_file__": notebook}, environ) == Here("run", run_id="0193ab")


def test_vs_code_says_it_in_a_variable(notebook: str) -> None:
    environ = {"JPY_SESSION_NAME": "/elsewhere.ipynb"}
    assert notebook_here({"__vsc_ipynb_file__": notebook}, environ) == Here("vscode", notebook)


def test_jupyter_says_it_in_the_environment(notebook: str) -> None:
    assert notebook_here({}, {"JPY_SESSION_NAME": notebook}) == Here("jupyter", notebook)


def test_a_notebook_that_was_renamed_is_not_known(notebook: str) -> None:
    Path(notebook).rename(f"{notebook}.old.ipynb")
    assert notebook_here({}, {"JPY_SESSION_NAME": notebook}) == Here("unknown")


@pytest.mark.parametrize("session", ["", "console-1-abcd", "train.py"])
def test_a_console_is_no_notebook(session: str) -> None:
    assert notebook_here({"__vsc_ipynb_file__": 3}, {"JPY_SESSION_NAME": session}) == Here("unknown")
