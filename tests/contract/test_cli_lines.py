"""The terminal: what lines print, where they print it, and how they exit."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.api import datasets
from mlalm_jupyter.surfaces.cli.main import main
from mlalm_jupyter.workspace import Workspace

MLALM = (sys.executable, "-m", "mlalm_jupyter.surfaces.cli.main")
WAIT_S = 60


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "rides.csv"
    pd.DataFrame({"hour": range(3000), "rides": range(3000)}).to_csv(path, index=False)
    return path


@pytest.fixture
def workspace(hosted: Workspace) -> Workspace:
    return hosted


@pytest.fixture
def here(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.chdir(workspace.path)
    return workspace


def registered(workspace: Workspace) -> str:
    frame = pd.DataFrame({"hour": np.arange(5)})
    return workspace.models.register(
        LinearRegression().fit(frame, frame["hour"]), "hours", sample=frame
    ).reference


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    out, err = capsys.readouterr()
    return code, out, err


def test_help_comes_from_a_real_process_without_a_workspace(tmp_path: Path) -> None:
    done = subprocess.run([*MLALM, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=WAIT_S)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: mlalm NOUN VERB ...\n")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    from mlalm_jupyter import __version__

    assert printed(capsys, "--version") == (0, f"mlalm {__version__}\n", "")


def test_no_words_give_help_and_are_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = printed(capsys)
    assert (code, out) == (2, "")
    assert err.startswith("usage: mlalm NOUN VERB")


def test_an_answer_is_text_on_standard_output(
    here: Workspace, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = printed(capsys, "dataset", "upload", str(table), "rides")
    assert code == 0
    assert out.startswith("Dataset rides:1\n  rows      3000\n")
    assert "Traceback" not in err


def test_an_answer_as_json_is_the_object(
    here: Workspace, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = printed(capsys, "--json", "dataset", "upload", str(table), "rides")
    assert code == 0
    kept = here.datasets.list()[0]
    assert json.loads(out) == kept.to_dict()
    code, out, _ = printed(capsys, "dataset", "list", "--json")
    assert json.loads(out) == [kept.to_dict()]


def test_an_error_says_what_why_and_how_on_standard_error(
    here: Workspace, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here.datasets.upload(str(table), "rides")
    assert printed(capsys, "dataset", "show", "rdies") == (
        3,
        "",
        "error: No dataset 'rdies'.\n  The nearest names are 'rides'.\n  List them with `mlalm dataset list`.\n",
    )


def test_an_error_as_json_is_one_line(here: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = printed(capsys, "--json", "dataset", "show", "rides")
    assert (code, out) == (3, "")
    assert json.loads(err)["error"]["code"] == "NotFound"
    code, _, err = printed(capsys, "--json", "dataset", "shwo", "rides")
    assert (code, json.loads(err)["error"]["code"]) == (3, "NotFound")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("dataset upload rides.csv", 2),
        ("dataset upload rides.xlsx rides", 2),
        ("dataset shwo rides", 3),
        ("datset show rides", 3),
        ("dataset show rides:9", 3),
        ("service deploy hours:1 -x", 2),
        ("endpoint rollback hours", 3),
        ("--workspace /nowhere dataset list", 3),
        ("trust add 12", 2),
        ("model delete hours:1", 2),
    ],
)
def test_the_exit_code_tells_what_kind_of_error_it_was(
    here: Workspace, table: Path, capsys: pytest.CaptureFixture[str], line: str, code: int
) -> None:
    registered(here)
    (here.path / "rides.xlsx").write_text("no table")
    assert printed(capsys, *line.split())[0] == code


def test_a_conflict_has_its_own_exit_code(
    here: Workspace, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here.datasets.upload(str(table), "rides")
    code, _, err = printed(capsys, "dataset", "download", "rides", str(table))
    assert code == 4
    assert "That name is taken." in err


def test_untrusted_content_has_its_own_exit_code(
    here: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from mlalm_jupyter.domain.definition import code_definition
    from mlalm_jupyter.domain.signature import Column, ColumnType, Schema

    schema = Schema((Column("a", ColumnType.INT64),))
    foreign = code_definition(
        title="f",
        source="def f(rows):\n    return rows\n",
        entry="f",
        inputs=schema,
        outputs=schema,
        example=(),
    )
    file = tmp_path / "foreign.json"
    file.write_text(foreign.text)
    code, _, err = printed(capsys, "service", "deploy", str(file), "foreign")
    assert code == 5
    assert f"`mlalm trust add {foreign.digest}`" in err
    assert here.services.list() == ()


def test_the_workspace_is_named_by_option_variable_or_folder(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    Workspace.init(other).close()
    below = other / "deep" / "deeper"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)

    def shown(*words: str) -> str:
        return str(json.loads(printed(capsys, "--json", *words, "workspace", "show")[1])["path"])

    assert shown() == str(other)
    monkeypatch.setenv("MLALM_WORKSPACE", str(workspace.path))
    assert shown() == str(workspace.path)
    assert shown("--workspace", str(other)) == str(other)


def test_progress_goes_to_standard_error(
    here: Workspace, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here.datasets.upload(str(table), "rides")
    code, out, err = printed(capsys, "workspace", "doctor")
    assert (code, err) == (0, "Checking blobs: 0 of 2\n")
    assert "Checking" not in out


def test_a_checkup_that_finds_something_exits_with_1(
    here: Workspace, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = here.datasets.upload(str(table), "rides").digest
    blob = here.blobs.path(digest)
    blob.chmod(0o600)
    blob.write_bytes(b"x" + blob.read_bytes()[1:])
    code, out, _ = printed(capsys, "workspace", "doctor")
    assert code == 1
    assert f"blob {digest[:12]}" in out
    assert "rides:1" in out


def test_a_fault_of_our_own_is_said_to_be_one(
    here: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(self: datasets.Datasets, **_: object) -> None:
        raise RuntimeError("not foreseen")

    monkeypatch.setattr(datasets.Datasets, "list", broken)
    code, out, err = printed(capsys, "dataset", "list")
    assert (code, out) == (1, "")
    assert "RuntimeError: not foreseen" in err
    assert "error: 'mlalm dataset list' was not done." in err
    code, out, err = printed(capsys, "--json", "dataset", "list")
    assert (code, json.loads(err)["error"]["code"]) == (1, "Internal")


def test_an_interrupt_says_what_goes_on(
    here: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(self: datasets.Datasets, **_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(datasets.Datasets, "list", interrupted)
    code, _, err = printed(capsys, "dataset", "list")
    assert (code, err) == (130, "Interrupted. What runs as a job goes on; see `mlalm job list`.\n")


def test_a_reader_that_leaves_early_makes_no_noise(here: Workspace, table: Path) -> None:
    here.datasets.upload(str(table), "rides")
    with subprocess.Popen(
        [*MLALM, "dataset", "show", "rides", "--rows", "3000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=WAIT_S) == 1


def test_a_terminal_without_our_symbols_still_gets_the_words(here: Workspace) -> None:
    done = subprocess.run(
        [*MLALM, "workspace", "doctor"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
    )
    assert done.returncode == 0, done.stderr
    assert "? All is well" in done.stdout


def in_terminal(answer: str, *words: str) -> tuple[int, str]:
    """A line in a terminal whose person types an answer to the first question."""
    master, slave = pty.openpty()
    process = subprocess.Popen([*MLALM, *words], stdin=slave, stdout=slave, stderr=slave, close_fds=True)
    os.close(slave)
    shown = b""
    deadline = time.monotonic() + WAIT_S
    while b"[y/N]" not in shown and time.monotonic() < deadline:
        shown += os.read(master, 4096)
    os.write(master, f"{answer}\n".encode())
    code = process.wait(timeout=WAIT_S)
    while True:
        try:
            more = os.read(master, 4096)
        except OSError:  # Linux says so when the other side has closed
            break
        if not more:
            break
        shown += more
    os.close(master)
    return code, shown.decode()


def test_a_terminal_is_asked_before_something_is_destroyed(here: Workspace) -> None:
    reference = registered(here)
    code, shown = in_terminal("n", "model", "delete", reference)
    assert code == 2
    assert f"This would go: {reference}, " in shown
    assert here.models.show(reference)
    code, shown = in_terminal("yes", "model", "delete", reference)
    assert code == 0, shown
    assert f"Removed model {reference}." in shown
    assert here.models.list() == ()


def test_where_nobody_can_answer_nothing_is_destroyed(
    here: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = registered(here)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    code, _, err = printed(capsys, "model", "delete", reference)
    assert code == 2
    assert "Repeat with --yes." in err
    assert printed(capsys, "model", "delete", reference, "--yes")[0] == 0


def test_a_moving_line_of_progress_is_taken_away(here: Workspace) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    from mlalm_jupyter.surfaces.cli.progress import ProgressLine

    stream = Terminal()
    line = ProgressLine(stream)
    line("Publishing", 0, 0)
    line.clear()
    line.clear()
    assert stream.getvalue() == "\r\x1b[KPublishing...\r\x1b[K"


def notebook(path: Path, *sources: str) -> None:
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": f"cell{index}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for index, source in enumerate(sources)
    ]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": spec}, "cells": cells}
    path.write_text(json.dumps(content))


def test_runs_and_jobs_that_fail_exit_with_7_and_good_ones_with_0(
    here: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook(here.path / "bad.ipynb", "1 + 1", "raise KeyError('weather')")
    notebook(here.path / "good.ipynb", "1 + 1")
    code, out, err = printed(capsys, "experiment", "run", "bad.ipynb")
    assert (code, out) == (7, "")
    assert "KeyError" in err
    job = here.jobs.list()[0].id
    assert printed(capsys, "job", "follow", job[:16])[0] == 7
    code, out, _ = printed(capsys, "experiment", "run", "good.ipynb")
    assert code == 0
    assert "✓ Finished" in out
    code, out, _ = printed(capsys, "experiment", "history", "bad.ipynb")
    assert code == 0
    assert "✗ Failed" in out
