"""What a run had done is not lost with the process that did it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from mlalm_jupyter.adapters import descendants
from mlalm_jupyter.domain.run import Run, RunStatus
from mlalm_jupyter.workspace import Workspace

pytestmark = [
    pytest.mark.prove_experiments,
    pytest.mark.skipif(sys.platform != "linux", reason="descendants are found through /proc"),
]
WAIT_S = 90.0
DEPTH = new_code_cell("depth = 3", metadata={"tags": ["parameters"]})
CELLS = (
    new_markdown_cell("# A long training"),
    DEPTH,
    new_code_cell("rows = list(range(depth))\nprint('rows', len(rows))"),
    new_code_cell(
        "import time\nprint('epoch 1', flush=True)\ntime.sleep(3)\nprint('epoch 2', flush=True)\n"
        "open('here', 'w').close()\ntime.sleep(600)"
    ),
    new_code_cell("print('never')"),
)


def write(path: Path, *cells: Any) -> Path:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(nbformat.writes(new_notebook(cells=list(cells), metadata=kernel)))
    return path


def until(condition: Callable[[], Any], *, what: str) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {WAIT_S:g} s for {what}"
        time.sleep(0.05)
    return value


def kept(workspace: Workspace, run: Run) -> list[str]:
    """What each cell of the notebook that is on record printed."""
    assert run.executed_digest
    notebook = nbformat.reads(workspace.blobs.get(run.executed_digest).decode(), as_version=4)
    return [
        "".join(output.text for output in cell.get("outputs", []) if output.output_type == "stream")
        for cell in notebook.cells
    ]


def values(workspace: Workspace, run: Run) -> list[str]:
    return [f"{one.cell}.{one.name}" for one in workspace.runs.outputs(run.id)]


def marked(workspace: Workspace, run: Run, word: str) -> list[int]:
    job = workspace.jobs.show(str(run.job_id))
    found = descendants.find(mark=descendants.mark(job.id, job.attempt))
    return [one.pid for one in found if word in Path(f"/proc/{one.pid}/cmdline").read_text()]


def begun(workspace: Workspace) -> None:
    until((workspace.path / "here").exists, what="the third cell to be at work")
    time.sleep(0.5)  # its output is a message on its way


@pytest.mark.full
def test_a_job_process_that_is_killed_leaves_the_cells_it_had_done(workspace: Workspace) -> None:
    write(workspace.path / "train.ipynb", *CELLS)
    run = workspace.experiments.run("train.ipynb", parameters={"depth": 4}, wait=False)
    begun(workspace)
    for pid in marked(workspace, run, "serving.job_process"):
        os.kill(pid, signal.SIGKILL)
    until(lambda: workspace.runs.show(run.id).status.is_final, what="the run to end")
    done = workspace.runs.show(run.id)
    assert (done.status, done.cells.done, done.cells.total, done.failed_cell) == (RunStatus.FAILED, 2, 4, 3)
    assert done.findings.executed == (1, 2)
    printed = kept(workspace, done)
    assert next(text for text in printed if text) == "rows 4\n"
    assert "epoch 1\n" in printed[-2]
    assert printed[-1] == ""
    assert values(workspace, done) == ["1.depth", "2.rows"]


@pytest.mark.full
def test_a_server_that_is_stopped_leaves_the_cells_that_were_done(workspace: Workspace) -> None:
    write(workspace.path / "train.ipynb", *CELLS)
    run = workspace.experiments.run("train.ipynb", wait=False)
    begun(workspace)
    workspace.server.stop()
    done = workspace.runs.show(run.id)
    assert (done.status, done.cells.done) == (RunStatus.FAILED, 2)
    assert "rows 3\n" in kept(workspace, done)
    assert values(workspace, done) == ["1.depth", "2.rows"]


@pytest.fixture
def papermills() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.full
def test_a_papermill_that_is_killed_leaves_the_cells_it_had_done(
    workspace: Workspace, papermills: list[subprocess.Popen[bytes]]
) -> None:
    notebook = write(workspace.path / "train.ipynb", *CELLS)
    command = [sys.executable, "-m", "papermill", "--engine", "mlalm", str(notebook), "-"]
    process = subprocess.Popen(
        command, cwd=workspace.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    papermills.append(process)
    begun(workspace)
    process.kill()
    process.wait()
    write(workspace.path / "next.ipynb", new_code_cell("1"))
    next_run = workspace.experiments.run("next.ipynb")  # whoever runs here next sees to it
    with workspace.catalog.read() as tx:
        run = next(one for one in tx.runs.find() if one.id != next_run.id)
    until(lambda: workspace.runs.show(run.id).status.is_final, what="the run to end")
    done = workspace.runs.show(run.id)
    assert (done.status, done.cells.done) == (RunStatus.FAILED, 2)
    assert "rows 3\n" in kept(workspace, done)
    assert values(workspace, done) == ["1.depth", "2.rows"]


def test_a_journal_cut_off_anywhere_tells_what_is_whole(tmp_path: Path) -> None:
    from mlalm_jupyter.adapters.journal import Journal, read

    notebook = new_notebook(cells=[new_code_cell("1"), new_code_cell("2")])
    journal = Journal(tmp_path)
    journal.begins(notebook, replaces_injected=False)
    for index in (0, 1):
        journal.starts(index)
        notebook.cells[index].outputs = [nbformat.v4.new_output("stream", text=f"said {index}\n")]
        journal.ends(index, notebook.cells[index], is_completed=True)
    file = next(tmp_path.iterdir())
    whole = file.read_bytes()
    seen = set()
    for size in range(len(whole) + 1):
        file.write_bytes(whole[:size])
        told = read(tmp_path)
        said = tuple(bool(cell.outputs) for cell in told.notebook.cells) if told else None
        assert said is None or sum(said) == len(told.completed)
        seen.add(said)
    assert seen == {None, (False, False), (True, False), (True, True)}
    file.write_bytes(whole.replace(b"\n", b"\n{broken\n"))
    again = read(tmp_path)
    assert again is not None
    assert again.completed == (0, 1)
