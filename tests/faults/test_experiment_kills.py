"""Runs under kill -9 at random moments, of everything there is to kill: none is lost, and none is run twice."""

from __future__ import annotations

import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from mlalm_jupyter.adapters import descendants
from mlalm_jupyter.domain.job import JobState
from mlalm_jupyter.domain.run import Run, RunStatus
from mlalm_jupyter.workspace import Workspace

pytestmark = [
    pytest.mark.prove_experiments,
    pytest.mark.skipif(sys.platform != "linux", reason="descendants are found through /proc"),
]

WAIT_S = 90.0
VICTIMS = ("worker", "job process", "kernel", "supervisor", "machine")
"""A killed supervisor takes its children along; with the machine, jobs and kernels go at the same moment."""
NOTE = """
import os, time
def note(what):
    with open("notes", "a") as file:
        file.write(f"{what} {os.environ['MLALM_RUN']}\\n")
note("began")
"""
PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def until(condition: Callable[[], Any], *, what: str) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {WAIT_S:g} s for {what}"
        time.sleep(0.02)
    return value


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def kill(*pids: int) -> int:
    """How many of them were still there."""
    count = 0
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
            count += 1
        except ProcessLookupError:
            continue
    return count


class Bench:
    """A workspace with a server of its own, notebooks that note what they do, and what is killed."""

    def __init__(self, workspace: Workspace, chance: random.Random, figures: Counter[str]) -> None:
        self.workspace, self.chance, self.figures = workspace, chance, figures
        self.snapshots: dict[str, bytes] = {}
        self.killed: tuple[str, float] | None = None
        """What was killed last, and when."""
        self.told_after_s: dict[str, list[float]] = {}
        """How long after each kill it was on record that a run had failed."""

    def write(self, name: str) -> Path:
        work = [f"time.sleep({self.chance.uniform(0, 0.4):.3f})\nprint({number})" for number in range(3)]
        cells = [new_code_cell(source) for source in (NOTE, *work, "note('ended')")]
        path = self.workspace.path / name
        path.write_text(nbformat.writes(new_notebook(cells=cells, metadata=PYTHON)))
        return path

    def submit(self, *, attempts: int) -> Run:
        path = self.write("train.ipynb")
        content = path.read_bytes()
        if attempts == 1:
            run = self.workspace.experiments.run(path.name, wait=False)
        else:
            run = self.workspace.recorder.submit(
                content, path=path.name, parameters={}, origin="scheduler", max_attempts=attempts
            )
        self.snapshots[run.id] = content
        return run

    def is_final(self, run: Run) -> bool:
        return self.workspace.jobs.show(str(run.job_id)).state.is_final

    def marked(self, run: Run, word: str) -> list[int]:
        """Processes of a run that have a word in their command line."""
        job = self.workspace.jobs.show(str(run.job_id))
        found = descendants.find(mark=descendants.mark(job.id, job.attempt))
        return [one.pid for one in found if word in command(one.pid)]

    def server(self, *roles: str) -> list[int]:
        processes = self.workspace.server.status().processes
        return [one.pid for one in processes if not roles or one.role in roles]

    def strike(self, victim: str, runs: list[Run]) -> None:
        """Kill it at a random moment of its life, and start the server again where that is gone."""
        words = {"job process": "serving.job_process", "kernel": "ipykernel"}
        if word := words.get(victim):
            until(
                lambda: any(self.marked(run, word) or self.is_final(run) for run in runs), what=f"a {victim}"
            )
        time.sleep(self.chance.uniform(0, 1.2 if word else 3.0))
        if word:
            pids = next((pids for run in runs if (pids := self.marked(run, word))), [])[:1]
        elif victim == "machine":
            pids = [*self.server(), *(pid for run in runs for pid in self.marked(run, ""))]
        else:
            pids = self.server(victim)
        self.killed = victim, time.time()
        self.figures[f"kills of a {victim}"] += bool(kill(*pids))
        if victim in ("supervisor", "machine"):
            server = self.workspace.server
            until(lambda: not server.status().is_running, what="the server to be gone")
            server.start()

    def check(self, run: Run, *, attempts: int) -> Run:
        """It has ended, once, and everything that is told of it is so."""
        until(lambda: self.is_final(run), what=f"the end of {run}\n{self.told()}")
        job, done = self.workspace.jobs.show(str(run.job_id)), self.workspace.runs.show(run.id)
        began, ended = (self.notes(what).count(run.id) for what in ("began", "ended"))
        told = f"{done}\n{job}\nbegan {began} ended {ended}\n{self.told()}"
        assert done.status in (RunStatus.FINISHED, RunStatus.FAILED), told
        assert (job.state is JobState.FINISHED) is (done.status is RunStatus.FINISHED), told
        assert began <= job.attempt <= attempts, told
        assert ended <= began, told
        assert self.ends_on_record(run) == 1, told
        assert self.workspace.blobs.get(done.snapshot.digest) == self.snapshots[run.id], told
        if done.status is RunStatus.FINISHED:
            assert (done.cause, done.cells.done, done.findings.executed) == (None, 5, (1, 2, 3, 4, 5)), told
            assert ended >= 1, told
            assert self.printed(done) == ["0", "1", "2"], told
        else:
            assert done.cause, told
            assert done.ended_at, told
            if self.killed:
                ended_s = datetime.fromisoformat(done.ended_at).timestamp()
                self.told_after_s.setdefault(self.killed[0], []).append(ended_s - self.killed[1])
            assert done.cause == job.cause, told
            if done.cells.done:
                # whatever was killed, what was done is kept
                numbers = ["0", "1", "2"][: max(0, done.cells.done - 1)]
                assert self.printed(done)[: len(numbers)] == numbers, told
                assert done.findings.executed == tuple(range(1, done.cells.done + 1)), told
                self.figures["cells done before a kill, all kept"] += done.cells.done
        until(lambda: not self.marked(run, ""), what=f"all processes of {run} to end")
        self.figures[f"runs that ended {done.status.value}"] += 1
        return done

    def printed(self, run: Run) -> list[str]:
        assert run.executed_digest, run
        kept = nbformat.reads(self.workspace.blobs.get(run.executed_digest).decode(), as_version=4)
        # what one cell prints may come in several pieces
        told = [
            "".join(
                output.text
                for output in cell.get("outputs", [])
                if output.output_type == "stream" and output.name == "stdout"
            )
            for cell in kept.cells
        ]
        return [text.strip() for text in told if text.strip()]

    def notes(self, what: str) -> list[str]:
        place = self.workspace.path / "notes"
        lines = place.read_text().splitlines() if place.exists() else []
        return [line.partition(" ")[2] for line in lines if line.startswith(what)]

    def ends_on_record(self, run: Run) -> int:
        with self.workspace.catalog.read() as tx:
            events = tx.events.find(noun="run", subject_id=run.id)
        return sum(event.action == "end" for event in events)

    def told(self) -> str:
        return self.workspace.server.logs(process="worker", lines=40)

    def nothing_is_left(self, many: int) -> None:
        """Every run is on record and none is waiting; the catalog and the blobs are sound."""
        with self.workspace.catalog.read() as tx:
            assert len(tx.runs.find()) == many
            assert {job.state for job in tx.jobs.find()} <= {JobState.FINISHED, JobState.FAILED}
        assert self.workspace.workspaces.doctor().findings == ()


@pytest.fixture
def bench(workspace: Workspace, figures: Counter[str]) -> Bench:
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**9))
    print(f"SEED={seed}")
    return Bench(workspace, random.Random(seed), figures)


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_runs_under_kills_of_everything_end_once_and_say_why(
    bench: Bench, counts: Callable[[int, int], int]
) -> None:
    rounds = counts(len(VICTIMS), 50)
    victims = [VICTIMS[number % len(VICTIMS)] for number in range(rounds)]
    bench.chance.shuffle(victims)
    for victim in victims:
        attempts = [1, bench.chance.choice([1, 2])]
        runs = [bench.submit(attempts=most) for most in attempts]
        print(victim, attempts, [run.id[:12] for run in runs])
        bench.strike(victim, runs)
        for run, most in zip(runs, attempts, strict=True):
            bench.check(run, attempts=most)
    bench.nothing_is_left(2 * rounds)
    for victim, times_s in bench.told_after_s.items():
        told = f"ms from the kill of a {victim} to the failure of its run on record"
        bench.figures[f"{told}, usually"] = round(1000 * statistics.median(times_s))
        bench.figures[f"{told}, at most"] = round(1000 * max(times_s))


@pytest.fixture
def papermills() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_papermill_that_is_killed_leaves_no_run_running(
    bench: Bench, counts: Callable[[int, int], int], papermills: list[subprocess.Popen[bytes]]
) -> None:
    ws = bench.workspace
    done = bench.submit(attempts=1)  # so that a server runs which knows this workspace
    seen = {bench.check(done, attempts=1).id}
    kills = counts(2, 40)
    for number in range(kills):
        notebook = bench.write(f"mill{number}.ipynb")
        arguments = [
            "--engine",
            "mlalm",
            "--no-progress-bar",
            str(notebook),
            str(ws.path / f"out{number}.ipynb"),
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", "papermill", *arguments], cwd=ws.path, stderr=subprocess.DEVNULL
        )
        papermills.append(process)

        def begun(seen: set[str] = seen) -> Run | None:
            with ws.catalog.read() as tx:
                return next((run for run in tx.runs.find() if run.id not in seen), None)

        run = until(begun, what="the run to be on record")
        seen.add(run.id)
        bench.snapshots[run.id] = notebook.read_bytes()
        victim = "papermill" if number % 2 == 0 else "papermill's kernel"
        if victim != "papermill":
            until(lambda run=run: bench.marked(run, "ipykernel") or bench.is_final(run), what="its kernel")
        time.sleep(bench.chance.uniform(0, 2.5 if victim == "papermill" else 1.0))
        pids = [process.pid] if victim == "papermill" else bench.marked(run, "ipykernel")
        has_ended = process.poll() is not None
        bench.figures[f"kills of {victim}"] += bool(not has_ended and kill(*pids))
        process.wait(timeout=WAIT_S)
        ended = bench.check(run, attempts=1)
        assert (process.returncode == 0) <= (ended.status is RunStatus.FINISHED)
    bench.nothing_is_left(1 + kills)
