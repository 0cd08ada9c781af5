"""A disk that is full while a notebook runs: whoever waits or asks is told so, and the run ends when there is room."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from mlalm_jupyter.adapters import kept_values
from mlalm_jupyter.domain.errors import RunFailed, Unavailable
from mlalm_jupyter.domain.run import RunStatus
from mlalm_jupyter.workspace import Workspace
from tests.faults.small_disks import small_disk

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform != "linux", reason="the small disk is a tmpfs"),
]
WAIT_S = 90.0


@pytest.fixture
def small(home: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace on a disk of 4 MB, with the server's files elsewhere."""
    with small_disk(tmp_path / "disk", megabytes=4) as disk, Workspace.init(disk / "ws") as workspace:
        yield workspace


def write(path: Path, *sources: str) -> Path:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [new_code_cell(source) for source in sources]
    path.write_text(nbformat.writes(new_notebook(cells=cells, metadata=kernel)))
    return path


FILLS = """
with open("filling", "wb", buffering=0) as file:
    try:
        while True:
            file.write(bytes(4096))
    except OSError:
        print("full")
"""


def test_a_run_on_a_full_disk_is_told_by_who_waits_and_ends_with_that_cause_when_there_is_room(
    small: Workspace,
) -> None:
    notebook = write(small.path / "fills.ipynb", "1", FILLS, "2")
    with pytest.raises(Unavailable, match=r"The disk of .* is full") as caught:
        small.experiments.run(str(notebook), timeout_s=WAIT_S)
    assert "Free some room there, then `mlalm job follow" in caught.value.fix
    (run,) = small.experiments.history(str(notebook), status="Running")
    assert "is full, so that nothing of it can be recorded. Free some room" in str(
        small.runs.show(run.id).note
    )
    told = {one.where: one for one in small.workspaces.doctor().findings}
    assert "is full: nothing that happens is recorded" in told["disk"].what
    assert not any("mlalm server start" in one.fix for one in told.values())
    (small.path / "filling").unlink()
    job = small.jobs.follow(str(run.job_id), timeout_s=WAIT_S)
    ended = small.runs.show(run.id)
    assert (job.state, ended.status) == ("Failed", RunStatus.FAILED)
    assert "The disk is full." in str(ended.cause)
    assert "exited with status" not in str(ended.cause)
    assert small.workspaces.doctor().is_healthy


def test_a_workspace_that_may_only_be_read_is_read_and_says_so_where_it_would_be_changed(
    small: Workspace,
) -> None:
    notebook = write(small.path / "t.ipynb", "1")
    kept = small.experiments.snapshot(str(notebook), message="before")
    small.close()
    disk = small.path.parent
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        with Workspace.open(small.path) as fixed:
            assert [one.id for one in fixed.experiments.history("t.ipynb")][1:] == [kept.id]
            assert fixed.runs.show(kept.id).snapshot.message == "before"
            assert fixed.experiments.open(kept.id).text
            assert fixed.workspaces.doctor().is_healthy
            with pytest.raises(Unavailable, match="You may not write there"):
                fixed.experiments.snapshot("t.ipynb")
            with pytest.raises(Unavailable, match="cannot be written to"):
                fixed.experiments.save_as("t", "u")
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        with Workspace.open(small.path) as again:
            # a view of what nobody changes is not kept: what others write is seen at once
            more = again.experiments.snapshot("t.ipynb", message="after")
            assert [one.id for one in again.experiments.history("t.ipynb")][1:] == [more.id, kept.id]
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


def test_values_leave_the_disk_room_and_those_without_are_listed(small: Workspace) -> None:
    notebook = write(small.path / "many.ipynb", *(f"v{n} = '{n}' * 900_000" for n in range(6)))
    run = small.experiments.run(str(notebook), timeout_s=WAIT_S)
    assert run.status is RunStatus.FINISHED
    kept = small.runs.outputs(run.id)
    assert [(one.name, one.digest, one.note) for one in kept] == [
        (f"v{n}", None, "ValueError: the disk is nearly full") for n in range(6)
    ]


def test_a_value_that_finds_no_room_fails_the_run_and_leaves_the_rest_of_its_record(
    small: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # kernels read this one as ours is: as if something else had taken the room meanwhile
    monkeypatch.setattr(kept_values, "SPARE", 0)
    (small.path / "sitecustomize.py").write_text(
        "import mlalm_jupyter.adapters.kept_values as it\nit.SPARE = -(64 << 20)\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{small.path}:{os.environ.get('PYTHONPATH', '')}")
    notebook = write(small.path / "large.ipynb", "print('one')", "v = '5' * 1_900_000", "print('three')")
    with pytest.raises(RunFailed, match="The values of its cells were not kept"):
        small.experiments.run(str(notebook), timeout_s=WAIT_S)
    (run,) = small.experiments.history(str(notebook), status="Failed")
    assert run.cells.done == 3
    assert run.failed_cell is None
    assert run.executed_digest is not None
    # it is looked at again after the third cell, when there was not even room to see whether it had changed
    value = small.runs.outputs(run.id)[0]
    assert (value.name, value.digest, value.note) == ("v", None, "there was no room for it")
