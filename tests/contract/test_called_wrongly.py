"""What is asked for in a way that cannot be: each surface, and Python, refuses it in one sentence."""

from __future__ import annotations

import errno
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from mlalm_jupyter import workspace as workspaces
from mlalm_jupyter.domain.errors import AlreadyExists, InvalidInput, MlalmError, Unavailable
from mlalm_jupyter.surfaces.cli.main import main
from mlalm_jupyter.workspace import Workspace

LONG = "n" * 300


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(new_notebook(cells=[new_code_cell("1")])))
    return path


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda ws: ws.models.list(where=5), "'where' of model list is not valid. Expected text, got 5."),
        (lambda ws: ws.experiments.history("t.ipynb", limit="3"), "Expected a whole number, got '3'."),
        (lambda ws: ws.experiments.history("t.ipynb", limit=True), "Expected a whole number, got True."),
        (lambda ws: ws.runs.replay("0193ab", wait="no"), "Expected true or false, got 'no'."),
        (lambda ws: ws.experiments.run("t.ipynb", parameters=[1]), r"Expected an object, got \[1\]."),
        (lambda ws: ws.models.register(None, "lam"), "The argument 'model' of model register is not valid."),
        (lambda ws: ws.experiments.run("a\x00b"), "Expected text without null characters, got 'a"),
        (lambda ws: ws.runs.show(None), "The argument 'run' of run show is not valid."),
    ],
)
def test_a_wrong_type_from_python_is_refused_as_one_over_http_is(
    workspace: Workspace, call: Any, told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        call(workspace)


def test_paths_numbers_of_numpy_and_mappings_are_taken_as_what_they_stand_for(workspace: Workspace) -> None:
    notebook = write(workspace.path / "t.ipynb")
    kept: Any = workspace.experiments.snapshot(notebook)  # type: ignore[arg-type]
    assert kept.path == "t.ipynb"
    limit: Any = np.int64(1)
    assert len(workspace.jobs.list(limit=limit)) == 0
    assert len(workspace.experiments.history(notebook, limit=limit)) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "words",
    [
        ("experiment", "save-as", "t.ipynb", LONG),
        ("experiment", "run", LONG),
        ("experiment", "import", LONG),
        ("model", "download", "wine", LONG),
        ("dataset", "upload", LONG),
        ("workspace", "init", LONG),
        ("workspace", "show", "--workspace", LONG),
    ],
)
def test_a_name_that_no_file_can_have_is_refused_in_one_sentence(
    workspace: Workspace, words: tuple[str, ...], capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(workspace.path / "t.ipynb")
    monkeypatch.chdir(workspace.path)
    assert main(words) in (2, 3)
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert "fault of its own" not in told


def test_what_may_not_be_read_is_no_fault_of_ours(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def denied(*_: object) -> Path:
        raise PermissionError(errno.EACCES, "Permission denied", "/elsewhere/ws/.mlalm")

    monkeypatch.setattr(workspaces, "find_folder", denied)
    with pytest.raises(Unavailable, match=r"'/elsewhere/ws/.mlalm' was not used. You may not read it"):
        Workspace.open("/elsewhere/ws")
    assert main(["--workspace", "/elsewhere/ws", "run", "show", "0193ab"]) == 6
    assert "Traceback" not in capsys.readouterr().err


def test_a_fault_of_ours_names_the_verb_wherever_the_options_stand(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def broken(*_: object) -> Path:
        raise ZeroDivisionError

    monkeypatch.setattr(workspaces, "find_folder", broken)
    assert main(["--workspace", "elsewhere", "run", "show", "0193ab"]) == 1
    assert "'mlalm run show' was not done" in capsys.readouterr().err


def test_of_several_who_save_under_one_name_at_once_one_does_and_the_others_are_told(
    workspace: Workspace,
) -> None:
    write(workspace.path / "t.ipynb")
    told: list[str] = []
    gate = threading.Barrier(4)

    def save() -> None:
        with Workspace.open(workspace.path) as mine:
            gate.wait(30)
            try:
                mine.experiments.save_as("t.ipynb", "copy")
            except AlreadyExists as error:
                told.append(str(error))
            except MlalmError as error:
                told.append(f"not that: {error}")

    threads = [threading.Thread(target=save) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert told == ["Experiment 'copy.ipynb' was not made. That name is taken. Choose another name."] * 3


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31mred", "a\tb"])
def test_a_new_notebook_has_a_name_that_can_be_shown_on_a_line(workspace: Workspace, name: str) -> None:
    write(workspace.path / "t.ipynb")
    with pytest.raises(InvalidInput, match="on one line"):
        workspace.experiments.save_as("t.ipynb", name)
    assert (
        workspace.experiments.save_as("t.ipynb", "größe und 名前").experiment.path == "größe und 名前.ipynb"
    )


def test_a_notebook_elsewhere_is_run_in_the_workspace_it_lies_in(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    notebook = write(workspace.path / "deep" / "t.ipynb")
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.chdir(outside)
    assert main(["experiment", "snapshot", str(notebook)]) == 0
    assert main(["experiment", "snapshot", str(notebook.with_suffix(""))]) == 0
    with Workspace.init(tmp_path / "other") as other:
        monkeypatch.chdir(other.path)
        assert main(["experiment", "snapshot", str(notebook)]) == 0
        assert len(other.experiments.list()) == 0
    assert len(workspace.experiments.history("deep/t.ipynb", limit=10)) == 4  # the draft as well
    monkeypatch.chdir(outside)
    assert main(["experiment", "history", "nothing.ipynb"]) == 3
    assert "No workspace at" in capsys.readouterr().err


def test_the_words_of_a_notebook_are_one_argument_each(workspace: Workspace) -> None:
    """The terminal as it is: another process, whose exit code is that of input that is not valid."""
    done = subprocess.run(
        [sys.executable, "-m", "mlalm_jupyter.surfaces.cli.main", "experiment", "run", LONG],
        cwd=workspace.path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: The name 'nnn")


def test_a_history_of_which_nothing_meets_the_conditions_says_how_many_there_are(
    workspace: Workspace,
) -> None:
    notebook = str(write(workspace.path / "t.ipynb"))
    for size in ("1", "2"):
        workspace.experiments.snapshot(notebook, tags={"size": size})
    none = workspace.experiments.history(notebook, where="size=3")
    assert (list(none), none.note) == ([], "None of the 2 runs of t.ipynb meets this.")
    assert len(workspace.experiments.history(notebook, where="size=2")) == 1
    assert workspace.experiments.history(notebook, status="Failed").note == none.note


def test_a_folder_in_the_place_of_a_file_is_said_to_be_one(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace.path / "rows").mkdir()
    write(workspace.path / "rows.ipynb")
    monkeypatch.chdir(workspace.path)
    assert workspace.experiments.snapshot("rows").path == "rows.ipynb"
    with pytest.raises(
        InvalidInput, match=r"The notebook '.' is not valid. Expected a notebook's file, got a"
    ):
        workspace.experiments.run(".")
    with pytest.raises(InvalidInput, match="Expected a file, got a folder"):
        workspace.datasets.upload("rows", "rows")


def test_words_that_are_none_of_those_there_are_name_those(workspace: Workspace) -> None:
    write(workspace.path / "t.ipynb")
    with pytest.raises(InvalidInput, match=r"The kind is not valid. Expected one of .*dataset.*, got 'foo'"):
        workspace.experiments.update_asset("t.ipynb", "rows", kind="foo")
    with pytest.raises(InvalidInput, match=r"The page is not valid. Expected 1 or more, got 0"):
        workspace.models.list(page=0)
