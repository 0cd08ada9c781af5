"""Processes that the supervisor forks off itself: they are what a fresh one would be, and share nothing they should not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from mlalm_jupyter.domain.errors import Unavailable
from mlalm_jupyter.serving.home import Home, write_json
from mlalm_jupyter.serving.local_host import LocalHost
from mlalm_jupyter.serving.scorers import is_alive
from mlalm_jupyter.serving.supervisor import child_environ
from tests.contract.served import Fixed, Handmade, call

pytestmark = [
    pytest.mark.prove_skeleton,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked"),
]

ROLES = ("scorer-0", "scorer-1", "api", "worker")
SOON_S = 60.0

DRIVER = """
import atexit, json, os, signal, sys, time
from pathlib import Path
from mlalm_jupyter.serving.children import Child

way, folder, count, *arguments = sys.argv[1:]
folder = Path(folder)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
signal.signal(signal.SIGHUP, lambda *_: None)
atexit.register(lambda: print("the end of the parent"))
held = os.open(folder / "held", os.O_RDWR | os.O_CREAT)
passed = os.open(folder / "passed", os.O_RDWR | os.O_CREAT)
children = [
    Child(
        role=f"role-{number}", arguments=("role", *arguments), log=folder / f"{number}.log", cwd=folder,
        environ={**os.environ, "ONE_MORE": "1"}, descriptors=(passed,),
    )
    for number in range(int(count))
]
for child in children:
    if way == "warm" and (error := child.warm()):
        print(f"not warm: {error!r}", flush=True)
    child.start()
deadline = time.monotonic() + 50
statuses = []
for child in children:
    while (status := child.has_ended()) is None and time.monotonic() < deadline:
        child.signal(signal.SIGCONT)
        time.sleep(0.01)
    statuses.append(status)
print(json.dumps(statuses))
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[LocalHost]:
    made = LocalHost(Home(tmp_path / "home"))
    yield made
    made.stop()


def soon(what: Callable[[], Any]) -> Any:
    """Wait a bounded time for something to become true."""
    deadline = time.monotonic() + SOON_S
    while not (value := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return value


def pids(host: LocalHost) -> dict[str, int]:
    return {process.role: process.pid for process in host.status().processes}


def all_up(host: LocalHost) -> dict[str, int]:
    """The processes, once each does its work."""
    base = host.start().base_url
    soon(lambda: requests.get(f"{base}/mlalm/health/server", timeout=60).json().get("status") == "ok")
    soon(lambda: "slots" in host.logs(process="worker"))
    return pids(host)


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def held(pid: int) -> dict[int, str]:
    """What the descriptors of a process are."""
    found = {}
    for one in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found[int(one.name)] = os.readlink(one)
        except FileNotFoundError:
            continue
    return found


def with_site(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str) -> None:
    """Have each process of the server run this as it starts."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{before}" if before else str(folder))


class Bench:
    """Starts children of a small parent, which runs a role that a test writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ended(
        self, way: str, role: str, *arguments: str, count: int = 1
    ) -> tuple[list[int | None], list[str]]:
        """The exit statuses of the children, and what each logged; the parent has said nothing else."""
        (self.folder / "role.py").write_text(role)
        place = self.folder / way
        place.mkdir()
        path = [str(self.folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        done = subprocess.run(
            [sys.executable, "-P", "-c", DRIVER, way, str(place), str(count), *arguments],
            env={**child_environ(Home(self.folder)), "PYTHONPATH": os.pathsep.join(path)},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        self.said = done.stdout.splitlines()
        assert done.returncode == 0, done.stderr
        assert self.said.count("the end of the parent") == 1
        return json.loads(self.said[-2]), [(place / f"{number}.log").read_text() for number in range(count)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("way", ["warm", "cold"])
def test_what_a_child_plans_for_its_end_is_done_and_what_its_parent_planned_is_not(
    bench: Bench, way: str
) -> None:
    role = "import atexit\n\ndef main():\n    atexit.register(print, 'the end of the child')\n"
    if way == "cold":
        role += "\nif __name__ == '__main__':\n    main()\n"
    statuses, (log,) = bench.ended(way, role)
    assert statuses == [0]
    assert log.split("\n") == ["the end of the child", ""]
    assert "the end of the parent" in bench.said


@pytest.mark.parametrize("way", ["warm", "cold"])
@pytest.mark.parametrize(
    ("ending", "status", "told"),
    [
        ("pass", 0, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('some words')", 1, "some words"),
        ("raise ValueError('some words')", 1, "ValueError: some words"),
        ("print('some words', end='')", 0, "some words"),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, ""),
        ("os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV, "Fatal Python error: Segmentation fault"),
    ],
)
def test_however_a_process_ends_it_is_told_the_same(
    bench: Bench, way: str, ending: str, status: int, told: str
) -> None:
    role = f"import os, signal, sys\ndef main():\n    {ending}\n"
    statuses, (log,) = bench.ended(way, role + "if __name__ == '__main__':\n    main()\n")
    assert statuses == [status]
    assert told in log
    assert bool(log) is bool(told)


STATE = """
import faulthandler, gc, json, os, sys, threading
def main():
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
    fds = [f"/proc/self/fd/{one}" for one in os.listdir("/proc/self/fd")]
    fds = sorted(os.readlink(one) for one in fds if os.path.islink(one))
    main = sys.modules["__main__"]
    print(json.dumps({
        "arguments": sys.argv, "cwd": os.getcwd(), "environ": dict(os.environ), "path": sys.path,
        "signals": [status[one] for one in ("SigBlk", "SigIgn", "SigCgt", "SigPnd")], "descriptors": fds,
        "threads": status["Threads"], "is_collecting": gc.isenabled(), "dumps": faulthandler.is_enabled(),
        "main": [main.__spec__.name, main.main.__name__], "umask": status["Umask"],
        "is_main": threading.current_thread() is threading.main_thread(), "flags": list(sys.flags),
    }))
if __name__ == "__main__":
    main()
"""


def test_a_forked_process_finds_what_a_fresh_one_finds(bench: Bench) -> None:
    told = {}
    for way in ("warm", "cold"):
        statuses, (log,) = bench.ended(way, STATE, "--one", "two")
        assert statuses == [0], log
        told[way] = json.loads(log.replace(f"/{way}", "/WAY"))
    assert told["warm"] == told["cold"]
    place = f"{bench.folder}/WAY"
    assert told["warm"]["descriptors"] == sorted(
        ["/dev/null", f"{place}/0.log", f"{place}/0.log", f"{place}/passed"]
    )
    assert told["warm"]["arguments"] == [f"{bench.folder}/role.py", "--one", "two"]


def test_no_two_forked_processes_draw_the_same(bench: Bench) -> None:
    role = """
import json, random, secrets, uuid
import numpy
import pandas
from mlalm_jupyter.adapters.system_clock import SystemClock
def main():
    clock = SystemClock()
    drawn = [random.getrandbits(64), secrets.token_hex(), str(uuid.uuid4())]
    drawn += [int(numpy.random.randint(2**62)), int(numpy.random.default_rng().integers(2**62))]
    print(json.dumps([*drawn, *(clock.new_id() for _ in range(100))]))
"""
    statuses, logs = bench.ended("warm", role, count=6)
    assert statuses == [0] * 6
    drawn = [json.loads(log) for log in logs]
    assert len({one for several in drawn for one in several}) == 6 * 105


def test_a_forked_process_ends_with_its_parent(bench: Bench) -> None:
    """One that lives on would answer for a server that is gone."""
    role = """
import os, time
def main():
    print(os.getpid(), flush=True)
    os.kill(os.getppid(), 9)
    time.sleep(600)
"""
    with pytest.raises(AssertionError):
        bench.ended("warm", role)
    pid = int((bench.folder / "warm" / "0.log").read_text())
    soon(lambda: not is_alive(pid))


def test_what_cannot_be_imported_is_left_to_a_process_of_its_own(bench: Bench) -> None:
    statuses, (log,) = bench.ended("warm", "import there_is_no_such_module\n")
    assert statuses == [1]
    assert "ModuleNotFoundError: No module named 'there_is_no_such_module'" in log
    assert bench.said[0].startswith("not warm: ModuleNotFoundError")
    assert "role.py" in log


def test_with_a_second_thread_nothing_is_forked(bench: Bench) -> None:
    role = """
import os, threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
def main():
    print(len(os.listdir("/proc/self/task")), "role" in open("/proc/self/cmdline").read().split("\\0"))
if __name__ == "__main__":
    main()
"""
    statuses, (log,) = bench.ended("warm", role)
    assert (statuses, log.split()) == ([0], ["2", "True"])


def test_each_process_has_a_name_and_descriptors_of_its_own(host: LocalHost) -> None:
    found = all_up(host)
    for role in ROLES:
        assert command(found[role]) == command(found["supervisor"]), f"{role} was not forked"
        assert Path(f"/proc/{found[role]}/comm").read_text() == f"mlalm-{role}\n"
    descriptors = {role: held(pid) for role, pid in found.items()}
    lock = str(host.home.lock_file)
    assert [role for role in found if lock in descriptors[role].values()] == ["supervisor"]
    for role in ROLES:
        log = str(host.home.log(role))
        assert [descriptors[role][number] for number in range(3)] == ["/dev/null", log, log]
    shared = {
        link: {role for role in found if link in descriptors[role].values()}
        for role in found
        for link in descriptors[role].values()
        if link.startswith(("socket:", "pipe:"))
    }
    assert [roles for roles in shared.values() if len(roles) > 1] == [{"supervisor", "scorer-0", "scorer-1"}]
    owners = {Path(link).parent.name for number, link in descriptors["worker"].items() if number > 2}
    assert owners == {"workers"}, "the lock of the worker, and nothing else"


@pytest.mark.full
def test_killed_processes_are_forked_again_and_answer(host: LocalHost, tmp_path: Path) -> None:
    made = Handmade(tmp_path / "ws")
    address = made.go_live(host, "s/default", made.model(Fixed(1)))
    before = all_up(host)
    for role in ROLES:
        os.kill(before[role], signal.SIGKILL)
        soon(lambda role=role: pids(host).get(role, before[role]) != before[role])
    soon(host.scorers.are_up)
    after = all_up(host)
    assert after["supervisor"] == before["supervisor"]
    for role in ROLES:
        assert command(after[role]) == command(after["supervisor"])
    for _ in range(20):
        assert call(address).status_code == 200


def test_scorers_that_are_added_while_it_runs_are_forked_as_well(host: LocalHost) -> None:
    host.home.make()
    # only the server of a region is given more of them
    write_json(host.home.region_file, {"name": "here", "subscription": "0" * 32})
    host.start()
    host.grow(4)
    found = soon(lambda: all_of if {"scorer-2", "scorer-3"} <= (all_of := pids(host)).keys() else None)
    for role in ("scorer-2", "scorer-3"):
        assert command(found[role]) == command(found["supervisor"])


def test_a_crash_is_written_into_the_log_of_its_own_process(host: LocalHost) -> None:
    found = all_up(host)
    os.kill(found["scorer-1"], signal.SIGSEGV)
    soon(lambda: "scorer-1 was ended by SIGSEGV" in host.logs(process="supervisor"))
    assert "Fatal Python error: Segmentation fault" in host.logs(process="scorer-1")
    assert "Fatal" not in host.logs(process="supervisor")
    soon(host.scorers.are_up)


def test_a_scorer_that_cannot_be_imported_is_told_with_its_reason(
    host: LocalHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_site(monkeypatch, tmp_path / "site", "import sys; sys.modules['uvloop'] = None")
    with pytest.raises(Unavailable, match=r"scorer-\d does not come up: ModuleNotFoundError: .*uvloop"):
        host.start()
    assert all("Traceback" in host.logs(process=role) for role in ROLES[:2])
    assert host.status().is_running is False


def test_a_broken_api_or_worker_leaves_the_scorers_answering(
    host: LocalHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_site(monkeypatch, tmp_path / "site", "import sys; sys.modules['sqlalchemy'] = None")
    made = Handmade(tmp_path / "ws")
    address = made.go_live(host, "s/default", made.model(Fixed(1)))
    for role in ("api", "worker"):
        soon(lambda role=role: "ModuleNotFoundError" in host.logs(process=role))
        assert f"{role} is started cold" in host.logs(process="supervisor")
    assert call(address).status_code == 200


@pytest.mark.parametrize("cause", ["a thread", pytest.param("another environment", marks=pytest.mark.full)])
def test_where_it_cannot_fork_everything_is_started_afresh(
    host: LocalHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    code = (
        "import os, threading, time; thread = threading.Thread(target=time.sleep, args=(600,), daemon=True); "
        "os.register_at_fork(after_in_child=lambda: thread.ident is None and thread.start())"
        if cause == "a thread"
        else "import os; os.environ['MLALM_RUN'] = 'of another'"
    )
    with_site(
        monkeypatch,
        tmp_path / "site",
        f"import sys\nif 'mlalm_jupyter.serving.supervisor' in sys.orig_argv: {code}",
    )
    made = Handmade(tmp_path / "ws")
    address = made.go_live(host, "s/default", made.model(Fixed(1)))
    found = all_up(host)
    modules = {"api": "serving.api_process", "worker": "serving.worker"}
    for role in ROLES:
        assert modules.get(role, "scoring.process") in command(found[role])
        assert b"MLALM_RUN" not in Path(f"/proc/{found[role]}/environ").read_bytes()
    os.kill(found["scorer-0"], signal.SIGKILL)
    soon(lambda: pids(host).get("scorer-0", found["scorer-0"]) != found["scorer-0"])
    assert call(address).status_code == 200
