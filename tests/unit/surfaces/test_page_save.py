"""A magic goes on once the page has saved its notebook."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.surfaces.magics.page_save import TOLD, wait_for_page


def told(path: str, modified: str) -> Any:
    return SimpleNamespace(parent_header={"metadata": {TOLD: {"path": path, "modified": modified}}})


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    file = tmp_path / "rides/train.ipynb"
    file.parent.mkdir()
    file.write_text("before")
    os.utime(file, (1000, 1000.123456))
    return file


def written(file: Path) -> str:
    """When a file was written, as Jupyter's contents API says it."""
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat().replace("+00:00", "Z")


def test_it_waits_until_the_file_is_newer_than_the_page_knew_it(notebook: Path) -> None:
    save = threading.Timer(0.2, lambda: notebook.write_text("after"))
    save.start()
    wait_for_page(told("rides/train.ipynb", written(notebook)), str(notebook), timeout_s=30)
    assert notebook.read_text() == "after"


def test_a_save_that_came_before_the_cell_is_not_waited_for_again(notebook: Path) -> None:
    before = written(notebook)
    notebook.write_text("after")
    wait_for_page(told("rides/train.ipynb", before), str(notebook), timeout_s=0)


def test_a_page_that_does_not_save_is_told_of(notebook: Path) -> None:
    with pytest.raises(InvalidInput, match=r"train\.ipynb") as refused:
        wait_for_page(told("rides/train.ipynb", written(notebook)), str(notebook), timeout_s=0)
    assert "Ctrl+S" in refused.value.fix


@pytest.mark.parametrize(
    "shell",
    [
        None,
        SimpleNamespace(),
        SimpleNamespace(parent_header={}),
        SimpleNamespace(parent_header={"metadata": {}}),
        told("rides/other.ipynb", "1970-01-01T00:16:40.123456Z"),
        told("ain.ipynb", "1970-01-01T00:16:40.123456Z"),
        told("", "1970-01-01T00:16:40.123456Z"),
    ],
)
def test_nothing_is_waited_for_where_no_page_saves_this_notebook(notebook: Path, shell: Any) -> None:
    wait_for_page(shell, str(notebook), timeout_s=0)
    wait_for_page(shell, None, timeout_s=0)
