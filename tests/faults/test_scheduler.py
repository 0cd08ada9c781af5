"""Schedulers that race, die, and share one catalog: there is one run for each time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlalm_jupyter.domain.run import Run, RunStatus
from mlalm_jupyter.domain.trigger import FiringOutcome
from mlalm_jupyter.serving.home import Home, write_json
from mlalm_jupyter.serving.scheduler import Scheduler
from mlalm_jupyter.workspace import Workspace
from tests.contract.hand_clock import HandClock, NoServer
from tests.contract.parity_scenarios import notebook

pytestmark = [
    pytest.mark.prove_experiments,
    pytest.mark.skipif(sys.platform != "linux", reason="workers find descendants through /proc"),
]

# so far ahead that by the clock of the machine nothing is due
NOON = "2061-11-20T12:00:00Z"
WAIT_S = 60.0


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


@pytest.fixture
def ws(home: Path, tmp_path: Path, clock: HandClock) -> Iterator[Workspace]:
    with Workspace.init(tmp_path / "ws", host=NoServer()) as made:
        made.context.clock = clock
        yield made


def started(ws: Workspace) -> list[Run]:
    with ws.catalog.read() as tx:
        return [run for run in tx.runs.find() if run.origin == "trigger"]


LOOKS = """
import sys, time
from pathlib import Path
from mlalm_jupyter.workspace import Workspace
from tests.contract.hand_clock import HandClock

with Workspace.open(sys.argv[1]) as ws:
    ws.context.clock = HandClock(sys.argv[2])
    ready, go = Path(sys.argv[3]), Path(sys.argv[4])
    ready.touch()
    while not go.exists():
        time.sleep(0.0005)
    print(sum(one.outcome == "started" for one in ws.timekeeper.look()))
"""


def schedulers(ws: Workspace, at: str, *, count: int, place: Path) -> list[subprocess.Popen[str]]:
    """Processes that have opened the workspace and wait for the word to look."""
    root = Path(__file__).parents[2]
    made = [
        subprocess.Popen(
            [sys.executable, "-c", LOOKS, str(ws.path), at, str(place / f"ready{number}"), str(place / "go")],
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        for number in range(count)
    ]
    deadline = time.monotonic() + WAIT_S
    while len(list(place.glob("ready*"))) < count:
        assert time.monotonic() < deadline
        assert all(one.poll() is None for one in made)
        time.sleep(0.01)
    return made


@contextlib.contextmanager
def ended(processes: list[subprocess.Popen[str]]) -> Iterator[None]:
    try:
        yield
    finally:
        for one in processes:
            one.kill()
            one.communicate()


def test_schedulers_that_race_in_processes_start_one_run_for_each_time(
    ws: Workspace, tmp_path: Path, counts: Callable[[int, int], int]
) -> None:
    n = counts(12, 60)
    path = notebook(ws, "x = 1")
    for number in range(n):
        ws.triggers.add(path, f"t{number}", cron="0 3 * * *", follow_draft=number % 2 == 0)
    processes = schedulers(ws, "2061-11-22T03:00:10Z", count=2, place=tmp_path)
    with ended(processes):
        (tmp_path / "go").touch()
        told = [int(one.communicate(timeout=WAIT_S)[0]) for one in processes]
    assert sum(told) == n
    runs = started(ws)
    assert sorted(run.tags["trigger"] for run in runs) == sorted(f"t{number}" for number in range(n))
    assert len({run.job_id for run in runs}) == n
    for trigger in ws.triggers.list():
        (firing,) = ws.triggers.show(trigger.name).firings
        assert (firing.outcome, firing.missed) == (FiringOutcome.STARTED, 1)
        assert firing.run_id in {run.id for run in runs}


def test_a_scheduler_that_is_killed_leaves_no_time_without_its_run_and_none_with_two(
    ws: Workspace, tmp_path: Path, clock: HandClock, counts: Callable[[int, int], int]
) -> None:
    n = counts(20, 100)
    path = notebook(ws, "x = 1")
    for number in range(n):
        ws.triggers.add(path, f"t{number}", cron="0 3 * * *")
    clock.to("2061-11-21T03:00:10Z")
    (process,) = processes = schedulers(ws, clock.now(), count=1, place=tmp_path)
    with ended(processes):
        (tmp_path / "go").touch()
        deadline = time.monotonic() + WAIT_S
        while len(started(ws)) < n // 4:
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGKILL)
    half = started(ws)
    assert len(half) < n, "it was killed in the midst of it"
    fired = ws.timekeeper.look()
    assert len(fired) == n - len(half)
    assert sorted(run.tags["trigger"] for run in started(ws)) == sorted(f"t{number}" for number in range(n))
    for run in started(ws):
        assert ws.jobs.show(str(run.job_id)).payload == {"run": run.id}


WORKS = """
import os, signal, sys, time
from pathlib import Path
from mlalm_jupyter.adapters import descendants, liveness
from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.worker import Worker
from tests.contract.hand_clock import FileClock

home, clock = Home(Path(sys.argv[1])), FileClock(Path(sys.argv[2]))
stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
descendants.adopt_orphans()
owners = liveness.owners_folder(os.environ)
with liveness.present(owners) as owner:
    worker = Worker(home, slots=1, owner=owner, owners=owners)
    while not stopped:
        worker.round()
        for known in worker._known:
            known.workspace.context.clock = clock
        time.sleep(0.01)
    worker.stop()
"""


class Workers:
    """Real workers whose clock is a file."""

    def __init__(self, ws: Workspace, clock: HandClock, place: Path) -> None:
        self._ws = ws
        self._clock = clock
        self._file = place / "clock"
        self._place = place
        self._processes: list[subprocess.Popen[bytes]] = []
        self.show()

    def show(self) -> None:
        """Let the workers see what time it is."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(self._clock.at.isoformat())
        fresh.replace(self._file)

    def start(self, home: Path) -> subprocess.Popen[bytes]:
        place = Home(home)
        place.make()
        entry = {"id": self._ws.info.id, "path": str(self._ws.path)}
        write_json(place.workspaces / f"{self._ws.info.id}.json", entry)
        root = Path(__file__).parents[2]
        with open(self._place / "workers.log", "ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", WORKS, str(home), str(self._file)],
                stdout=log,
                stderr=log,
                cwd=root,
                env={**os.environ, "PYTHONPATH": str(root)},
            )
        self._processes.append(process)
        return process

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline, (self._place / "workers.log").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def workers(ws: Workspace, clock: HandClock, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(ws, clock, tmp_path)
    try:
        yield made
    finally:
        made.stop()


@pytest.mark.full
@pytest.mark.timeout(300)
def test_workers_of_two_servers_execute_what_the_clock_asks_for_once(
    ws: Workspace, workers: Workers, clock: HandClock, home: Path, counts: Callable[[int, int], int]
) -> None:
    ws.triggers.add(notebook(ws, "x = 1", "print(x * 21)"), "often", cron="*/5 * * * *", parameters={"x": 2})
    workers.start(home)
    first = workers.start(home.with_name("other-home"))
    n = counts(3, 20)
    for number in range(1, n + 1):
        clock.pass_(minutes=5)
        workers.show()
        workers.until(lambda number=number: len(started(ws)) == number)  # type: ignore[misc]
        workers.until(lambda: all(run.status.is_final for run in started(ws)))
        if number == 1:
            first.kill()  # the other one goes on by itself
            first.wait()
    assert [run.status for run in started(ws)] == [RunStatus.FINISHED] * n
    assert b"42" in ws.blobs.get(str(started(ws)[0].executed_digest))
    clock.pass_(hours=1)
    workers.show()
    workers.until(lambda: len(started(ws)) == n + 1 and started(ws)[0].status.is_final)
    newest = ws.triggers.show("often").firings[0]
    assert (newest.run_id, newest.missed) == (started(ws)[0].id, 11)


def test_between_two_times_a_scheduler_asks_the_catalog_nothing(ws: Workspace, clock: HandClock) -> None:
    ws.triggers.add(notebook(ws, "x = 1"), "nightly", cron="0 3 * * *")
    scheduler = Scheduler(ws, say=lambda _: None)
    scheduler.look(is_changed=True)
    asked = 0
    read = ws.catalog.read

    def counted() -> contextlib.AbstractContextManager[object]:
        nonlocal asked
        asked += 1
        return read()

    ws.catalog.read = counted  # type: ignore[method-assign, assignment]
    for _ in range(1000):
        assert not scheduler.look(is_changed=False)
    assert asked == 0
    clock.to("2061-11-21T03:00:00Z")
    assert scheduler.look(is_changed=False)
    scheduler.close()
    assert len(started(ws)) == 1
    assert asked > 0


def test_a_trigger_that_is_added_while_a_scheduler_sleeps_is_kept(ws: Workspace, clock: HandClock) -> None:
    told: list[str] = []
    scheduler = Scheduler(ws, say=told.append)
    scheduler.look(is_changed=True)
    ws.triggers.add(notebook(ws, "x = 1"), "soon", cron="1 12 * * *")
    scheduler.look(is_changed=True)
    clock.pass_(minutes=1)
    assert scheduler.look(is_changed=False)
    scheduler.close()
    scheduler.look(is_changed=False)
    (run,) = started(ws)
    assert told[0].endswith(f"due 2061-11-20T12:01:00.000000Z: run {run.id[:12]} was queued")


def test_snapshots_are_taken_beside_the_worker_which_keeps_its_leases(
    ws: Workspace, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws.triggers.add(notebook(ws, "x = 1"), "soon", cron="1 12 * * *")
    scheduler = Scheduler(ws, say=lambda _: None)
    goes_on = threading.Event()
    surroundings = ws.context.surroundings
    git = surroundings.git

    def slow(folder: Path) -> dict[str, object]:
        assert goes_on.wait(WAIT_S)
        return git(folder)

    monkeypatch.setattr(surroundings, "git", slow)
    clock.pass_(minutes=1)
    assert scheduler.look(is_changed=True)
    assert scheduler.is_busy
    assert not scheduler.look(is_changed=True), "and it does not begin a second time"
    goes_on.set()
    scheduler.close()
    assert not scheduler.is_busy
    assert len(started(ws)) == 1
