"""Notebooks that were moved or renamed: recognised, asked about, and followed by their history."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mlalm_jupyter.domain.errors import Conflict, NotFound
from mlalm_jupyter.workspace import Workspace

NOTEBOOK = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


@pytest.fixture
def ws(workspace: Workspace) -> Workspace:
    """A workspace whose only notebook was moved after its snapshot."""
    (workspace.path / "old.ipynb").write_text(NOTEBOOK)
    workspace.experiments.snapshot("old.ipynb")
    (workspace.path / "old.ipynb").rename(workspace.path / "new.ipynb")
    return workspace


def test_a_moved_notebook_is_recognised_and_nothing_is_begun_unasked(ws: Workspace) -> None:
    for verb in (ws.experiments.history, ws.experiments.show):
        with pytest.raises(NotFound, match=r"mlalm experiment move old.ipynb new.ipynb"):
            verb("new.ipynb")
    with pytest.raises(Conflict, match=r"mlalm experiment move old.ipynb new.ipynb.*--anew"):
        ws.experiments.snapshot("new.ipynb")
    assert [one.path for one in ws.experiments.list()] == ["old.ipynb"]
    ws.experiments.snapshot("new.ipynb", anew=True)
    assert [one.path for one in ws.experiments.list()] == ["new.ipynb", "old.ipynb"]


@pytest.mark.parametrize(
    "door",
    [
        lambda ws: ws.experiments.run("new.ipynb", wait=False),
        lambda ws: ws.triggers.add("new.ipynb", "nightly", cron="0 3 * * *"),
        lambda ws: ws.triggers.add("new.ipynb", "nightly", cron="0 3 * * *", follow_draft=True),
        lambda ws: ws.experiments.export("new.ipynb", str(ws.path / "new.json")),
        lambda ws: ws.experiments.update_asset("new.ipynb", "rides"),
        lambda ws: ws.recorder.begin(
            (ws.path / "new.ipynb").read_bytes(),
            path="new.ipynb",
            parameters={},
            origin="papermill",
            owner="me",
        ),
    ],
    ids=["run", "trigger", "trigger of the draft", "export", "update-asset", "papermill"],
)
def test_every_door_asks_whether_a_notebook_was_moved(
    workspace: Workspace, door: Callable[[Workspace], object]
) -> None:
    ws = workspace
    (ws.path / "rides.csv").write_text("hour\n1\n")
    ws.datasets.upload(str(ws.path / "rides.csv"), "rides")
    ws.datasets.upload(str(ws.path / "rides.csv"), "rides")
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "%dataset rides:1", "outputs": []}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (ws.path / "old.ipynb").write_text(json.dumps(notebook))
    ws.experiments.snapshot("old.ipynb")
    (ws.path / "old.ipynb").rename(ws.path / "new.ipynb")
    with pytest.raises(
        Conflict, match=r"experiment move old.ipynb new.ipynb.*experiment snapshot new.ipynb --anew"
    ):
        door(ws)
    assert [one.path for one in ws.experiments.list()] == ["old.ipynb"]
    assert ws.triggers.list() == ()
    assert not (ws.path / "new.json").exists()
    ws.experiments.snapshot("new.ipynb", anew=True)
    door(ws)


def test_a_copy_outside_of_the_workspace_is_not_taken_for_a_moved_notebook(
    workspace: Workspace, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        file = tmp_path / name / "train.ipynb"
        file.write_text(NOTEBOOK)
        workspace.recorder.begin(
            file.read_bytes(), path=str(file), parameters={}, origin="papermill", owner="me"
        )
        file.unlink()
    assert len(workspace.experiments.list()) == 2


def test_the_history_follows_a_moved_notebook(ws: Workspace) -> None:
    (kept,) = ws.experiments.history("old.ipynb")
    moved = ws.experiments.move("old.ipynb", "new.ipynb")
    assert (moved.path, moved.run_count) == ("new.ipynb", 1)
    draft, same = ws.experiments.history("new.ipynb")
    assert (draft.is_editable, same.id, same.path) == (True, kept.id, "new.ipynb")
    assert same.snapshot == kept.snapshot
    assert ws.experiments.snapshot("new.ipynb").experiment_id == moved.id


def test_only_a_moved_notebook_without_a_history_of_its_own_is_followed(ws: Workspace) -> None:
    with pytest.raises(Conflict, match=r"There is no notebook gone.ipynb"):
        ws.experiments.move("old.ipynb", "gone.ipynb")
    with pytest.raises(NotFound):
        ws.experiments.move("never.ipynb", "new.ipynb")
    ws.experiments.snapshot("new.ipynb", anew=True)
    with pytest.raises(Conflict, match="has a history of its own"):
        ws.experiments.move("old.ipynb", "new.ipynb")
    Path(ws.path / "old.ipynb").write_text(NOTEBOOK)
    with pytest.raises(Conflict, match="Its notebook is still there"):
        ws.experiments.move("old.ipynb", "other.ipynb")
