"""Recording snapshots, listing them, and what they take on disk."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from figures import median_ms, spread
from jupyter_client.manager import start_new_kernel
from peer import PeerProcess
from sample_notebooks import large_notebook, write

from mlalm_jupyter.api.recorder import notebook_file
from mlalm_jupyter.domain.experiment import Experiment
from mlalm_jupyter.domain.run import Cells, Findings, Live, Run, RunStatus, Snapshot
from mlalm_jupyter.workspace import Workspace

PARAMETERS: dict[str, object] = {"depth": 4, "rate": 0.1, "kind": "forest"}
METRICS = {"auc": 0.91, "f1": 0.82, "loss": 0.31, "rows": 48842.0, "seconds": 12.5}
_NAME = "train.ipynb"
_SETTLED_S = 3.0
"""A notebook that was saved in the last moments is read again for every page of its history; most are not."""
Row = tuple[str, ...]


def recording(place: Path, mlflow: PeerProcess, *, is_quick: bool) -> list[Row]:
    """One snapshot of a notebook of 100 cells and 1 MB, with many runs present."""
    present, rounds = (200, 5) if is_quick else (10_000, 60)
    mlflow.ask("fill", count=present, parameters=PARAMETERS, metrics=METRICS)
    with _workspace(place / "recording", present) as workspace:
        notebook = workspace.path / _NAME
        peer_file = str(write(place / "mlflow" / _NAME, large_notebook()))
        _commit(place, notebook)
        mlflow.ask("record", file=peer_file, times=3)
        edited, unseen, theirs = [], [], []
        for turn in range(rounds + 3):
            write(notebook, large_notebook(edits=turn + 1))
            edited.append(_recorded(workspace))
            write(notebook, large_notebook(seed=1000 + turn))
            unseen.append(_recorded(workspace))
            theirs += mlflow.ask("record", file=peer_file, times=1)
        edited, unseen, theirs = edited[3:], unseen[3:], theirs[3:]
        magic, bare = _by_magic(workspace, rounds)
    goal = "1 / 10"
    peer = spread(theirs)
    return [
        _compared(f"record, one cell edited since the last ({present} runs present)", edited, theirs, goal),
        _compared("record, nothing of the notebook seen before", unseen, theirs, goal),
        _compared("the same by `%snapshot` in a kernel, asked and answered", magic, theirs, goal),
        ("an empty cell in that kernel, asked and answered", spread(bare), peer, "", ""),
    ]


def history(place: Path, mlflow: PeerProcess, *, is_quick: bool) -> list[Row]:
    """A page of 50 runs, with very many present."""
    present, times = (500, 5) if is_quick else (100_000, 60)
    have = int(mlflow.ask("about")["runs"])
    mlflow.ask("fill", count=max(0, present - have), parameters=PARAMETERS, metrics=METRICS)
    theirs = int(mlflow.ask("about")["runs"])
    ours_s: list[float] = []
    theirs_s: list[float] = []
    with _workspace(place / "history", present) as workspace:
        write(workspace.path / _NAME, large_notebook())
        time.sleep(_SETTLED_S)
        for _ in range(times // 5 + 1):
            for _ in range(5):
                begun = time.perf_counter()
                page = workspace.experiments.history(_NAME, limit=50)
                ours_s.append(time.perf_counter() - begun)
            assert len(page) == 51, "the draft and fifty runs"
            theirs_s += mlflow.ask("page", times=5, limit=50)
    what = f"history page of 50 ({present} snapshots; {theirs} runs there)"
    return [_compared(what, ours_s[5:], theirs_s[5:], "1 / 20")]


def storage(place: Path, *, is_quick: bool) -> list[Row]:
    """A thousand snapshots, each with one cell edited, against as many copies."""
    count = 20 if is_quick else 1000
    chance = random.Random(3)
    with _workspace(place / "storage", 0) as workspace:
        blobs = workspace.path / ".mlalm" / "blobs"
        copies = 0
        for number in range(count):
            content = large_notebook(edits=number + 1)
            copies += len(content)
            workspace.recorder.keep(content, path=_NAME, message=f"{chance.random()}")
        files = [file for file in blobs.rglob("*") if file.is_file()]
        apparent = sum(file.stat().st_size for file in files)
        blocks = sum(file.stat().st_blocks * 512 for file in files)
    block_copies = count * -(-len(content) // 4096) * 4096
    what = f"{count} snapshots, one cell edited in each: {{}} ({len(files)} files)"
    return [
        _stored(what.format("bytes"), apparent, copies),
        _stored(what.format("blocks on disk"), blocks, block_copies),
    ]


def _stored(what: str, ours: int, copies: int) -> Row:
    told = f"{ours / 1e6:.1f} MB", f"{copies / 1e6:.1f} MB (copies)"
    return (what, *told, f"{ours / copies:.1%}", "under 5 %")


def _recorded(workspace: Workspace) -> float:
    """As `%snapshot` does it: the file is read, and kept with what the kernel did."""
    cells = tuple(range(1, 81))
    begun = time.perf_counter()
    path, content = notebook_file(workspace.context, _NAME)
    live = Live(
        RunStatus.FINISHED_PARTIAL, cells, "Cell 3 ran more than once.", "2026-01-01T00:00:00.000000Z"
    )
    workspace.recorder.keep(content, path=path, message="before the split", live=live)
    return time.perf_counter() - begun


def _by_magic(workspace: Workspace, rounds: int) -> tuple[list[float], list[float]]:
    """The line in a real kernel, from the request to the answer; and an empty cell, for what that alone takes."""
    environ = {**os.environ, "MLALM_WORKSPACE": str(workspace.path)}
    manager, client = start_new_kernel(env=environ, cwd=str(workspace.path))
    spent, bare = [], []
    try:
        _asked(client, "%load_ext mlalm_jupyter")
        for turn in range(rounds + 3):
            code = f"%snapshot {_NAME}"
            # the cell at work stands in the file, as it does when Jupyter has saved it
            write(workspace.path / _NAME, large_notebook(edits=5000 + turn, last=code))
            spent.append(_asked(client, code))
            bare.append(_asked(client, "pass"))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return spent[3:], bare[3:]


def _asked(client: Any, code: str) -> float:
    begun = time.perf_counter()
    reply = client.execute_interactive(code, timeout=60, output_hook=lambda _: None)
    took = time.perf_counter() - begun
    if reply["content"]["status"] != "ok":
        raise SystemExit("\n".join(reply["content"]["traceback"]))
    return took


@contextmanager
def _workspace(folder: Path, present: int) -> Iterator[Workspace]:
    with Workspace.init(folder) as workspace:
        _fill(workspace, present)
        yield workspace


def _fill(workspace: Workspace, count: int) -> None:
    """Snapshots of one experiment, in bulk."""
    ctx = workspace.context
    now = ctx.clock.now()
    experiment = Experiment(ctx.clock.new_id(), _NAME, "training", now)
    with ctx.catalog.write() as tx:
        tx.experiments.add(experiment)
    for begin in range(0, count, 5000):
        with ctx.catalog.write() as tx:
            for number in range(begin, min(count, begin + 5000)):
                tx.runs.add(_run(experiment, ctx.clock.new_id(), ctx.clock.now(), number))


def _run(experiment: Experiment, key: str, now: str, number: int) -> Run:
    return Run(
        id=key,
        experiment_id=experiment.id,
        path=experiment.path,
        status=RunStatus.FINISHED,
        snapshot=Snapshot(
            f"{number:064x}",
            parameters=PARAMETERS,
            environment={"python": "3.11.7", "implementation": "CPython", "packages": "0" * 64},
            git={"commit": "0" * 40, "is_dirty": True},
        ),
        origin="interactive",
        created_at=now,
        created_by="ada",
        started_at=now,
        ended_at=now,
        cells=Cells(80, 80),
        executed_digest=f"{number:064x}",
        tags={"stage": "trial", "who": "ada"},
        findings=Findings(tuple(range(1, 81)), "", METRICS),
    )


def _compared(what: str, ours: list[float], theirs: list[float], goal: str) -> Row:
    ratio = median_ms(theirs) / median_ms(ours)
    return what, spread(ours), spread(theirs), f"1 / {ratio:.1f}", goal


def _commit(place: Path, notebook: Path) -> None:
    write(notebook, large_notebook())
    git = ["git", "-C", str(place), "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    subprocess.run([*git, "add", str(notebook)], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "Train"], check=True)
