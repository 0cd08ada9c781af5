"""What a recorded run takes longer than the same notebook with bare papermill; every way takes its turn."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from figures import median_ms
from sample_notebooks import COMPUTE, big_frame, five_cells, write

from mlalm_jupyter.adapters import descendants
from mlalm_jupyter.domain.job import Lease
from mlalm_jupyter.domain.run import RunStatus
from mlalm_jupyter.workspace import Workspace

HEAD = ("notebook", "way", "median (least to most)", "over bare papermill", "goal")
_GOAL = "under 5 % and 150 ms"


def overhead(place: Path, *, is_quick: bool) -> list[tuple[str, ...]]:
    """A notebook of five cells that does nothing, one that computes, and one with a table of 50 MB."""
    seconds = 1 if is_quick else 20
    with Workspace.init(place / "engine") as workspace:
        nothing = write(workspace.path / "nothing.ipynb", five_cells())
        work = COMPUTE.format(seconds=seconds)
        computing = write(workspace.path / "computing.ipynb", five_cells(work=work))
        large = write(workspace.path / "large.ipynb", big_frame())
        return [
            *_measured(workspace, nothing, "5 cells that do nothing", 2 if is_quick else 15),
            *_measured(workspace, computing, f"5 cells, {seconds} s of compute", 1 if is_quick else 5),
            *_measured(workspace, large, "a 50 MB table in nine cells", 2 if is_quick else 7),
        ]


def _measured(workspace: Workspace, notebook: Path, what: str, rounds: int) -> list[tuple[str, ...]]:
    ways: dict[str, Callable[[], float]] = {
        "papermill": lambda: _papermill(notebook),
        "papermill, once more": lambda: _papermill(notebook),
        "papermill --engine mlalm": lambda: _papermill(notebook, "--engine", "mlalm"),
        "job process, claim to end": lambda: _job(workspace, notebook),
    }
    spent: dict[str, list[float]] = {way: [] for way in ways}
    for way in ways.values():
        way()
    for turn in range(rounds):
        names = list(ways)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            spent[name].append(ways[name]())
    bare = median_ms(spent["papermill"])
    return [_row(what, name, times, bare) for name, times in spent.items()]


def _row(what: str, name: str, times: list[float], bare: float) -> tuple[str, ...]:
    median = median_ms(times)
    told = f"{median:.0f} ms ({min(times) * 1e3:.0f} to {max(times) * 1e3:.0f})"
    if name == "papermill":
        return what, name, told, "", ""
    goal = "" if "once more" in name else _GOAL
    return what, name, told, f"{median - bare:+.0f} ms, {median / bare - 1:+.1%}", goal


def _papermill(notebook: Path, *options: str) -> float:
    command = [sys.executable, "-m", "papermill", *options, notebook.name, "out/done.ipynb"]
    (notebook.parent / "out").mkdir(exist_ok=True)
    begun = time.perf_counter()
    subprocess.run([*command, "--no-progress-bar"], cwd=notebook.parent, check=True, capture_output=True)
    return time.perf_counter() - begun


def _job(workspace: Workspace, notebook: Path) -> float:
    """As the scheduler does it; what counts is what is recorded: when it was claimed, when it ended."""
    ctx, owner = workspace.context, "benchmark"
    run = workspace.recorder.submit(
        notebook.read_bytes(), path=notebook.name, parameters={}, origin="scheduler"
    )
    with ctx.catalog.write() as tx:
        now_s = ctx.clock.time_s()
        (job,) = tx.jobs.claim(owner, limit=1, now_s=now_s, lease_s=600.0, at=ctx.clock.now())
    lease = Lease(job.id, owner, job.attempt)
    command = [
        *(sys.executable, "-P", "-m", "mlalm_jupyter.serving.job_process"),
        *("--workspace", str(workspace.path), "--job", job.id, "--owner", owner),
        *("--attempt", str(job.attempt), "--parent", str(os.getpid())),
    ]
    environ = {**os.environ, descendants.MARK: descendants.mark(lease.job_id, lease.attempt)}
    subprocess.run(command, env=environ, check=True, capture_output=True, start_new_session=True)
    with ctx.catalog.read() as tx:
        ended, done = tx.jobs.get(job.id), tx.runs.get(run.id)
    if done.status is not RunStatus.FINISHED or ended.started_at is None or ended.ended_at is None:
        raise SystemExit(f"The job ended as {done.status}: {done.cause}")
    begin, end = (datetime.fromisoformat(one) for one in (ended.started_at, ended.ended_at))
    return (end - begin).total_seconds()
