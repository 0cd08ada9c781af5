"""Notebooks that run notebooks: none waits for itself, and none that waits keeps what it waits for from running."""

from __future__ import annotations

import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from mlalm_jupyter.domain.job import JobState
from mlalm_jupyter.domain.run import Run, RunStatus
from mlalm_jupyter.serving.worker import SLOTS
from mlalm_jupyter.workspace import Workspace

pytestmark = pytest.mark.prove_experiments

WAIT_S = 240.0
EXTENSION = "%load_ext mlalm_jupyter"


def write(workspace: Workspace, name: str, *sources: str) -> str:
    cells = [new_code_cell(source) for source in sources]
    cells[-1].metadata["tags"] = ["here"]
    (workspace.path / name).write_text(nbformat.writes(new_notebook(cells=cells)))
    return name


def queued(workspace: Workspace, name: str, **options: object) -> Run:
    return workspace.experiments.run(name, wait=False, **options)  # type: ignore[arg-type]


def ended(workspace: Workspace, run: Run) -> Run:
    workspace.jobs.follow(str(run.job_id), timeout_s=WAIT_S)
    return workspace.runs.show(run.id)


def runs_of(workspace: Workspace, name: str) -> list[Run]:
    return [one for one in workspace.experiments.history(name) if not one.is_editable]


@pytest.mark.parametrize(
    "line",
    [
        "%run_to here",
        *(pytest.param(one, marks=pytest.mark.full) for one in ("%run_all", "%run_to here self.ipynb")),
    ],
)
def test_a_run_of_a_notebook_passes_over_the_line_that_would_run_it(workspace: Workspace, line: str) -> None:
    run = ended(workspace, queued(workspace, write(workspace, "self.ipynb", EXTENSION, line, "1 + 1")))
    assert run.status is RunStatus.FINISHED
    assert [one.id for one in runs_of(workspace, "self.ipynb")] == [run.id]


@pytest.mark.parametrize(
    "line",
    [
        "%mlalm experiment run self.ipynb",
        "from mlalm_jupyter.workspace import Workspace\nWorkspace.open().experiments.run('self.ipynb')",
        "import os\nfrom mlalm_jupyter.workspace import Workspace\nws = Workspace.open()\n"
        "ws.jobs.follow(ws.runs.show(os.environ['MLALM_RUN']).job_id)",
    ],
)
def test_a_run_does_not_wait_for_its_own_notebook(workspace: Workspace, line: str) -> None:
    run = ended(workspace, queued(workspace, write(workspace, "self.ipynb", EXTENSION, line)))
    assert run.status is RunStatus.FAILED
    assert "A run of self.ipynb was not waited for. This is a run of self.ipynb:" in str(run.cause)
    assert len(runs_of(workspace, "self.ipynb")) == 1


@pytest.mark.full
def test_notebooks_that_run_each_other_end(workspace: Workspace) -> None:
    write(workspace, "a.ipynb", EXTENSION, "%run_all b.ipynb")
    write(workspace, "b.ipynb", EXTENSION, "%run_all a.ipynb")
    run = ended(workspace, queued(workspace, "a.ipynb"))
    assert run.status is RunStatus.FAILED
    (inner,) = runs_of(workspace, "b.ipynb")
    assert "This is a run of b.ipynb, which a run of a.ipynb started" in str(inner.cause)
    assert len(runs_of(workspace, "a.ipynb")) == 1


def test_a_run_may_start_its_own_notebook_when_it_does_not_wait(workspace: Workspace) -> None:
    line = "if depth:\n    ws.experiments.run('self.ipynb', parameters={'depth': depth - 1}, wait=False)"
    cells = ["depth = 1", "from mlalm_jupyter.workspace import Workspace\nws = Workspace.open()", line]
    write(workspace, "self.ipynb", *cells)
    notebook = nbformat.read(workspace.path / "self.ipynb", 4)
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, workspace.path / "self.ipynb")
    assert ended(workspace, queued(workspace, "self.ipynb")).status is RunStatus.FINISHED
    (second,) = (one for one in runs_of(workspace, "self.ipynb") if one.snapshot.parameters)
    assert ended(workspace, second).status is RunStatus.FINISHED


@pytest.mark.full
def test_more_waiting_runs_than_slots_all_end_and_no_others_begin_in_their_places(
    workspace: Workspace, tmp_path: Path
) -> None:
    write(workspace, "leaf.ipynb", "x = 1")
    write(workspace, "inner.ipynb", EXTENSION, "%run_all leaf.ipynb")
    names = [f"outer{number}.ipynb" for number in range(SLOTS + 1)]
    for name in names:
        write(workspace, name, EXTENSION, "%run_all inner.ipynb")
    outer = [queued(workspace, name) for name in names]
    assert [ended(workspace, run).status for run in outer] == [RunStatus.FINISHED] * len(names)
    outer = [workspace.runs.show(run.id) for run in outer]
    inner, leaves = runs_of(workspace, "inner.ipynb"), runs_of(workspace, "leaf.ipynb")
    assert len(inner) == len(leaves) == len(names)
    # whoever waits keeps its place: the last one began when another had ended
    last = max(outer, key=lambda run: str(run.started_at))
    assert str(last.started_at) >= min(str(run.ended_at) for run in outer)
    for job in workspace.jobs.list():
        assert job.state is JobState.FINISHED
        assert job.waits_for == ()


@pytest.mark.full
def test_what_is_followed_later_is_lent_the_place_as_well(workspace: Workspace) -> None:
    write(workspace, "leaf.ipynb", "x = 1")
    line = (
        "from mlalm_jupyter.workspace import Workspace\nws = Workspace.open()\n"
        "run = ws.experiments.run('leaf.ipynb', wait=False)\nws.jobs.follow(run.job_id)"
    )
    names = [write(workspace, f"outer{number}.ipynb", line) for number in range(SLOTS)]
    outer = [queued(workspace, name) for name in names]
    assert [ended(workspace, run).status for run in outer] == [RunStatus.FINISHED] * SLOTS


@pytest.mark.full
def test_runs_of_another_workspace_are_lent_the_place_as_well(workspace: Workspace, tmp_path: Path) -> None:
    with Workspace.init(tmp_path / "other") as other:
        write(other, "leaf.ipynb", "x = 1")
        line = (
            "from mlalm_jupyter.workspace import Workspace\n"
            f"Workspace.open({str(other.path)!r}).experiments.run('leaf.ipynb')"
        )
        names = [write(workspace, f"outer{number}.ipynb", line) for number in range(SLOTS)]
        outer = [queued(workspace, name) for name in names]
        assert [ended(workspace, run).status for run in outer] == [RunStatus.FINISHED] * SLOTS


def test_a_wait_that_was_given_up_is_no_longer_told(workspace: Workspace) -> None:
    write(workspace, "leaf.ipynb", "import time\ntime.sleep(600)")
    line = (
        "from mlalm_jupyter.workspace import Workspace\nfrom mlalm_jupyter.domain.errors import Unavailable\n"
        "ws = Workspace.open()\ntry:\n    ws.experiments.run('leaf.ipynb', timeout_s=1)\n"
        "except Unavailable:\n    pass\nimport os, time\n"
        "while not os.path.exists('go'): time.sleep(0.05)"
    )
    run = queued(workspace, write(workspace, "outer.ipynb", line))
    seen: list[tuple[str, ...]] = []
    deadline = time.monotonic() + WAIT_S
    while not (seen and seen[-1] and not workspace.jobs.show(str(run.job_id)).waits_for):
        assert time.monotonic() < deadline, seen
        if waits_for := workspace.jobs.show(str(run.job_id)).waits_for:
            seen.append(waits_for)
        time.sleep(0.02)
    (leaf,) = runs_of(workspace, "leaf.ipynb")
    assert set(seen) == {(leaf.job_id,)}
    workspace.runs.cancel(leaf.id)
    (workspace.path / "go").touch()
    assert ended(workspace, run).status is RunStatus.FINISHED
