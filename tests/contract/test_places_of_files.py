"""Where a file was looked for that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlalm_jupyter.domain.errors import NotFound
from mlalm_jupyter.workspace import Workspace


def fix_of(workspace: Workspace, file: str) -> str:
    with pytest.raises(NotFound) as caught:
        workspace.datasets.upload(file, "rows")
    return caught.value.fix


def test_each_place_that_was_looked_in_is_named_once(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace.path)
    assert fix_of(workspace, "none.csv") == f"Looked in {workspace.path.resolve()}."
    monkeypatch.chdir(tmp_path)
    assert fix_of(workspace, "none.csv") == f"Looked in {tmp_path.resolve()} and {workspace.path.resolve()}."
    assert fix_of(workspace, str(tmp_path / "none.csv")) == f"Looked in {tmp_path.resolve()}."
