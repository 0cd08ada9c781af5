"""Workers and their jobs under all that kills, stops or hangs them: no job is lost, none ends twice."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from mlalm_jupyter.adapters import descendants
from mlalm_jupyter.domain.job import Job, JobState, Lease
from mlalm_jupyter.domain.run import Run, RunStatus
from mlalm_jupyter.workspace import Workspace

pytestmark = [
    pytest.mark.prove_experiments,
    pytest.mark.skipif(sys.platform != "linux", reason="descendants are found through /proc"),
]

WAIT_S = 90.0
GONE = "The process that ran it is gone."


def notebook(*sources: str, kernel: str = "python3") -> bytes:
    metadata = {"kernelspec": {"name": kernel, "display_name": "x", "language": "python"}}
    made = new_notebook(cells=[new_code_cell(source) for source in sources], metadata=metadata)
    return nbformat.writes(made).encode()


NOTES = """
import os, pathlib, time
def note(what):
    with open("notes", "a") as file:
        file.write(f"{what} {os.environ['MLALM_JOB']}\\n")
note("began")
WORK
note("ended")
"""
FOREVER = "time.sleep(600)"
FIRST_TIME_FOREVER = "time.sleep(600 if os.environ['MLALM_JOB'].endswith(':1') else 0)"
UNTIL_TOLD = "while not pathlib.Path('go').exists(): time.sleep(0.02)"


def noting(work: str = "") -> bytes:
    """It notes that it began, works, and notes that it ended."""
    return notebook(NOTES.replace("WORK", work))


def until(condition: Callable[[], Any], *, what: str, wait_s: float = WAIT_S) -> Any:
    deadline = time.monotonic() + wait_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {wait_s:g} s for {what}"
        time.sleep(0.02)
    return value


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def freeze(workspace: Workspace, *pids: int) -> None:
    """Stop processes at a moment when none of them holds the catalog's write lock, which nobody could take away."""
    for _ in range(100):
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        with contextlib.closing(
            sqlite3.connect(workspace.path / ".mlalm" / "catalog.sqlite", timeout=0.5, isolation_level=None)
        ) as probe:
            try:
                probe.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError:
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)
    raise AssertionError("they write all the time")


class Bench:
    """A workspace, and the workers that serve it."""

    def __init__(self, workspace: Workspace, home: Path) -> None:
        self.workspace = workspace
        self.home = home
        self.workers: list[subprocess.Popen[bytes]] = []
        self.log = home.parent / "workers.log"
        self.register(workspace)

    def register(self, workspace: Workspace) -> None:
        place = self.home / "workspaces"
        place.mkdir(parents=True, exist_ok=True)
        entry = {"id": workspace.info.id, "path": str(workspace.path)}
        (place / f"{workspace.info.id}.json").write_text(json.dumps(entry))

    def start(self, *, slots: int = 2) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "mlalm_jupyter.serving.worker"]
        with open(self.log, "ab") as log:
            worker = subprocess.Popen(
                [*command, "--home", str(self.home), "--slots", str(slots)], stdout=log, stderr=log
            )
        self.workers.append(worker)
        return worker

    def submit(self, content: bytes, *, max_attempts: int = 1, path: str = "train.ipynb") -> Run:
        return self.workspace.recorder.submit(
            content, path=path, parameters={}, origin="scheduler", max_attempts=max_attempts
        )

    def run(self, run: Run) -> Run:
        return self.workspace.runs.show(run.id)

    def job(self, run: Run) -> Job:
        return self.workspace.jobs.show(str(run.job_id))

    def ended(self, run: Run, *, wait_s: float = WAIT_S) -> Run:
        deadline = time.monotonic() + wait_s
        while not (job := self.job(run)).state.is_final:
            # nobody would ever end it: say so now, and not when the time is up
            assert any(worker.poll() is None for worker in self.workers), f"no worker lives\n{self.told()}"
            assert time.monotonic() < deadline, f"waited {wait_s:g} s for {job}\n{self.told()}"
            time.sleep(0.02)
        return self.run(run)

    def notes(self, what: str) -> list[str]:
        """The jobs and attempts that noted something."""
        try:
            lines = (self.workspace.path / "notes").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [line.partition(" ")[2] for line in lines if line.startswith(what)]

    def recorded_ends(self, run: Run) -> int:
        with self.workspace.catalog.read() as tx:
            events = tx.events.find(noun="run", subject_id=run.id)
        return sum(event.action == "end" for event in events)

    def told(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def stop(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.terminate()
        for worker in self.workers:
            try:
                worker.wait(timeout=20)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


@pytest.fixture
def bench(workspace: Workspace, home: Path) -> Iterator[Bench]:
    made = Bench(workspace, home)
    try:
        yield made
    finally:
        made.stop()


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def processes_of(job: Job) -> list[descendants.Process]:
    return descendants.find(mark=descendants.mark(job.id, job.attempt))


def test_a_queued_run_is_executed_and_its_end_recorded(bench: Bench) -> None:
    run = bench.submit(notebook("print(6 * 7)", "import os; print(os.environ['MLALM_RUN'])", SPAWNS))
    canceled = bench.submit(noting())
    bench.workspace.runs.cancel(canceled.id)
    bench.start()
    run = bench.ended(run)
    assert (run.status, run.cause) == (RunStatus.FINISHED, None)
    assert (run.cells.done, run.cells.total) == (3, 3)
    assert run.executed_digest is not None
    executed = nbformat.reads(bench.workspace.blobs.get(run.executed_digest).decode(), as_version=4)
    printed = [output.text.strip() for cell in executed.cells[:2] for output in cell.outputs]
    assert printed == ["42", run.id]
    assert bench.recorded_ends(run) == 1
    pids = [int(one) for one in (bench.workspace.path / "spawned").read_text().split()[:3]]
    until(lambda: not any(lives(pid) for pid in pids), what="what it left behind to be ended")
    assert bench.run(canceled).status is RunStatus.CANCELED
    assert bench.notes("began") == [], "one that was canceled in the queue never begins"


def test_a_run_that_fails_says_why(bench: Bench) -> None:
    bench.start()
    failing = bench.submit(notebook("x = 1", "x + y"))
    unknown = bench.submit(notebook("1", kernel="fortran"))
    run = bench.ended(failing)
    assert (run.status, run.failed_cell) == (RunStatus.FAILED, 2)
    assert run.cause == bench.job(run).cause == "NameError: name 'y' is not defined"
    run = bench.ended(unknown)
    assert run.status is RunStatus.FAILED
    assert run.cause is not None
    assert "'fortran'" in run.cause
    assert "'python3'" in run.cause


@pytest.mark.full
@pytest.mark.timeout(400)
@pytest.mark.prove_skeleton
def test_every_job_of_a_killed_worker_ends_once(bench: Bench, counts: Callable[[int, int], int]) -> None:
    n = counts(3, 8)
    runs = [bench.submit(noting(FIRST_TIME_FOREVER), max_attempts=3) for _ in range(n - 1)]
    only_once = bench.submit(noting(FOREVER))
    first = bench.start(slots=n)
    until(lambda: len(bench.notes("began")) == n, what=f"{n} jobs in hand")
    held = [bench.job(run) for run in [*runs, only_once]]
    kill(first)
    bench.start(slots=n)
    assert [bench.ended(run).status for run in runs] == [RunStatus.FINISHED] * (n - 1)
    for run in runs:
        job = bench.job(run)
        assert (job.state, job.cause, job.attempt) == (JobState.FINISHED, None, 2)
    assert sorted(bench.notes("ended")) == sorted(f"{run.job_id}:2" for run in runs)
    ended = bench.ended(only_once)
    assert (ended.status, ended.cause, bench.job(ended).attempt) == (RunStatus.FAILED, GONE, 1)
    assert bench.job(ended).cause == GONE
    assert [bench.recorded_ends(run) for run in [*runs, only_once]] == [1] * n
    assert [processes_of(job) for job in held] == [[]] * n, "nothing of the killed worker's jobs is left"


SPAWNS = """
import subprocess
away = subprocess.Popen(["sleep", "600"], start_new_session=True)
script = ("import subprocess as s\\n"
          "print(s.Popen(['env', '-i', 'sleep', '600'], start_new_session=True, stdout=s.DEVNULL).pid)")
import sys
hidden = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True).stdout.strip()
open("spawned", "w").write(f"{away.pid} {hidden} {os.getpid()} .")
"""
FOREVER_IN_A_CELL = "import time; time.sleep(600)"


def spawned(bench: Bench) -> list[int]:
    """A child in its own session, a daemon with neither parents nor environment, and the kernel."""
    place = bench.workspace.path / "spawned"
    text = until(
        lambda: place.exists() and (text := place.read_text()).endswith(".") and text, what="the sleepers"
    )
    pids = [int(one) for one in text.split()[:3]]
    assert all(lives(pid) for pid in pids)
    return pids


def test_canceling_a_run_ends_everything_it_started_even_what_does_not_listen(bench: Bench) -> None:
    bench.start()
    run = bench.submit(notebook("import os", SPAWNS, FOREVER_IN_A_CELL))
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    hung = bench.submit(notebook(deaf, "open('deaf', 'w')\nwhile True: pass"))
    pids = spawned(bench)
    until((bench.workspace.path / "deaf").exists, what="the loop")
    held = [bench.job(one) for one in (run, hung)]
    bench.workspace.runs.cancel(run.id)
    bench.workspace.jobs.cancel(str(hung.job_id))
    for one in (run, hung):
        ended = bench.ended(one)
        assert (ended.status, ended.cause) == (RunStatus.CANCELED, "It was canceled.")
        assert bench.job(one).state is JobState.CANCELED
        assert bench.recorded_ends(one) == 1
    assert [pid for pid in pids if lives(pid)] == []
    assert [processes_of(job) for job in held] == [[], []]


def test_a_job_whose_process_is_killed_fails_and_leaves_nothing(bench: Bench) -> None:
    bench.start()
    run = bench.submit(notebook("import os", SPAWNS, FOREVER_IN_A_CELL))
    other = bench.submit(noting(UNTIL_TOLD))
    pids = spawned(bench)
    until(lambda: bench.notes("began"), what="the other job to begin")
    (process,) = [pid for pid in job_processes() if f"--job {run.job_id}" in command(pid)]
    os.kill(process, signal.SIGKILL)
    run = bench.ended(run)
    assert run.status is RunStatus.FAILED
    assert run.cause == "Its process was ended by SIGKILL before it was done."
    until(lambda: not any(lives(pid) for pid in pids), what="all that it started to be ended")
    (bench.workspace.path / "go").touch()
    assert bench.ended(other).status is RunStatus.FINISHED, "the job beside it is not touched"


def job_processes() -> list[int]:
    return [
        int(one.name)
        for one in Path("/proc").iterdir()
        if one.name.isdigit() and "mlalm_jupyter.serving.job_process" in command(int(one.name))
    ]


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


@pytest.mark.full
def test_a_worker_that_was_frozen_cannot_end_what_another_has_by_then(bench: Bench) -> None:
    run = bench.submit(noting(FIRST_TIME_FOREVER), max_attempts=3)
    frozen = bench.start(slots=1)
    until(lambda: bench.notes("began"), what="the job to begin")
    held = bench.job(run)
    assert held.owner is not None
    (process,) = [pid for pid in job_processes() if f"--job {run.job_id}" in command(pid)]
    freeze(bench.workspace, process, frozen.pid)
    expire_lease(bench, held)
    bench.start(slots=1)
    until(lambda: bench.job(run).attempt == 2, what="the other worker to take it")
    frozen.send_signal(signal.SIGCONT)
    until(lambda: "is no longer ours" in bench.told() or not lives(process), what="the frozen one to see it")
    run = bench.ended(run)
    assert run.status is RunStatus.FINISHED
    job = bench.job(run)
    assert (job.attempt, job.owner != held.owner) == (2, True)
    assert bench.recorded_ends(run) == 1
    assert frozen.poll() is None, "the one that was frozen goes on working"
    assert bench.notes("ended").count(f"{job.id}:2") == 1


def expire_lease(bench: Bench, job: Job) -> None:
    """Let the lease run out now rather than in a quarter of a minute."""
    with bench.workspace.catalog.write() as tx:
        assert tx.jobs.heartbeat(
            Lease(job.id, str(job.owner), job.attempt), now_s=time.time() - 100, lease_s=1
        )


def test_a_zombie_cannot_record_the_end_of_what_was_given_to_another(bench: Bench) -> None:
    """Only the job's process goes on, unaware that its lease is gone, and comes to its end."""
    run = bench.submit(noting(UNTIL_TOLD), max_attempts=2)
    frozen = bench.start(slots=1)
    until(lambda: bench.notes("began"), what="the job to begin")
    held = bench.job(run)
    freeze(bench.workspace, frozen.pid)
    with bench.workspace.catalog.write() as tx:
        released = tx.jobs.release(str(held.owner), at=bench.workspace.clock.now())
    assert [job.state for job in released] == [JobState.QUEUED]
    with bench.workspace.catalog.write() as tx:
        clock = bench.workspace.clock
        (taken,) = tx.jobs.claim("test", limit=1, now_s=clock.time_s(), lease_s=600, at=clock.now())
    (process,) = [pid for pid in job_processes() if f"--job {run.job_id}" in command(pid)]
    (bench.workspace.path / "go").touch()
    until(lambda: not lives(process), what="the zombie to come to its end")
    assert bench.notes("ended") == [f"{held.id}:1"]
    job = bench.job(run)
    assert (job.state, job.owner, job.attempt) == (JobState.RUNNING, "test", taken.attempt)
    assert bench.run(run).status is RunStatus.RUNNING
    assert bench.recorded_ends(run) == 0


def left_by_executions(bench: Bench) -> list[str]:
    folder = bench.workspace.path / ".mlalm/running"
    return [one.name for one in folder.iterdir()] if folder.is_dir() else []


@pytest.mark.parametrize(
    "killed", [pytest.param("the job's process", marks=pytest.mark.full), "the worker", "both"]
)
def test_nothing_is_left_of_the_files_of_an_execution_that_was_killed(
    bench: Bench, killed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    run = bench.submit(noting(FOREVER))
    worker = bench.start()
    until(lambda: bench.notes("began"), what="the job to begin")
    assert left_by_executions(bench) == [f"{run.job_id}-1"]
    (process,) = [pid for pid in job_processes() if f"--job {run.job_id}" in command(pid)]
    if killed == "both":
        # neither sees the other go
        freeze(bench.workspace, process, worker.pid)
    if killed != "the job's process":
        kill(worker)
    if killed != "the worker":
        os.kill(process, signal.SIGKILL)
    if killed != "the job's process":
        bench.start()
    assert bench.ended(run).status is RunStatus.FAILED
    until(lambda: not left_by_executions(bench), what="its files to be removed")
    assert [one.name for one in (tmp_path / "temporary").iterdir() if one.name.startswith("mlalm-")] == []


def test_a_worker_told_to_stop_says_so_of_the_jobs_that_it_ends(bench: Bench) -> None:
    run = bench.submit(noting(FOREVER))
    worker = bench.start()
    until(lambda: bench.notes("began"), what="the job to begin")
    worker.terminate()
    assert worker.wait(timeout=20) == 0
    ended = bench.run(run)
    assert (ended.status, ended.cause) == (RunStatus.FAILED, "The server was stopped while it ran.")
    assert bench.job(run).cause == ended.cause
    assert left_by_executions(bench) == []


def test_a_worker_told_to_stop_gives_its_jobs_back(bench: Bench) -> None:
    again = bench.submit(notebook("import os", SPAWNS, FOREVER_IN_A_CELL), max_attempts=2)
    worker = bench.start()
    pids = spawned(bench)
    worker.terminate()
    assert worker.wait(timeout=20) == 0
    assert [pid for pid in pids if lives(pid)] == []
    assert bench.job(again).state is JobState.QUEUED
    assert bench.run(again).status is RunStatus.QUEUED
    assert list((bench.home / "workers").iterdir()) == []


@pytest.mark.full
def test_a_workspace_that_is_gone_or_damaged_is_told_once_and_keeps_nobody_waiting(
    bench: Bench, tmp_path: Path
) -> None:
    with Workspace.init(tmp_path / "gone") as gone, Workspace.init(tmp_path / "damaged") as damaged:
        bench.register(gone)
        bench.register(damaged)
    (tmp_path / "damaged" / ".mlalm" / "catalog.sqlite").write_bytes(b"no database at all" * 100)
    bench.start()
    until(lambda: f"{tmp_path / 'gone'} is served" in bench.told(), what="the worker to open it")
    (tmp_path / "gone").rename(tmp_path / "went")  # the worker may be writing into it just now
    until(lambda: f"{tmp_path / 'gone'} is skipped" in bench.told(), what="the worker to miss it")
    time.sleep(2.5)
    assert bench.ended(bench.submit(noting())).status is RunStatus.FINISHED
    assert bench.told().count(f"{tmp_path / 'gone'} is skipped") == 1
    assert bench.told().count(f"{tmp_path / 'damaged'} is skipped") == 1
    # and it is served again when it is there again
    with Workspace.init(tmp_path / "other") as other:
        bench.register(other)
        run = other.recorder.submit(notebook("1"), path="a.ipynb", parameters={}, origin="scheduler")
        until(lambda: other.jobs.show(str(run.job_id)).state.is_final, what="the other workspace's job")


@pytest.mark.full
def test_a_job_whose_workspace_went_away_is_ended_and_does_not_stay_running(bench: Bench) -> None:
    bench.start()
    run = bench.submit(notebook("import os", SPAWNS, FOREVER_IN_A_CELL))
    pids = spawned(bench)
    place = bench.workspace.path
    place.rename(place.with_name("away"))
    until(lambda: not any(lives(pid) for pid in pids), what="its processes to be ended")
    place.with_name("away").rename(place)
    run = bench.ended(run)
    assert (run.status, run.cause) == (RunStatus.FAILED, GONE)


@pytest.mark.timeout(600)
@pytest.mark.prove_skeleton
def test_two_workers_share_the_jobs_and_run_none_twice(
    bench: Bench, counts: Callable[[int, int], int]
) -> None:
    n = counts(3, 24)
    bench.start()
    bench.start()
    runs = [bench.submit(noting()) for _ in range(n)]
    assert {bench.ended(run, wait_s=WAIT_S + 20 * n).status for run in runs} == {RunStatus.FINISHED}
    assert sorted(bench.notes("ended")) == sorted(f"{run.job_id}:1" for run in runs)
    assert {bench.recorded_ends(run) for run in runs} == {1}
