"""Everything a job started is found and ended, whatever it did to get away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mlalm_jupyter.adapters import descendants
from mlalm_jupyter.adapters.descendants import Process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="descendants are found through /proc")

WAIT_S = 20.0


def until(condition: Callable[[], object], *, what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {WAIT_S:g} s for {what}"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def pids(found: list[Process]) -> set[int]:
    return {one.pid for one in found}


def unique_mark(tmp_path: Path) -> str:
    return descendants.mark(f"{os.getpid():08x}{abs(hash(tmp_path)):016x}", 1)


def start(script: str, *, mark: str | None, **env: str) -> subprocess.Popen[str]:
    """A Python process that says when it is ready."""
    environ = {**os.environ, **env}
    if mark is not None:
        environ[descendants.MARK] = mark
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", script], env=environ, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip()
    return process


def reap(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


SPAWNS_AWAY = """
import os, subprocess, time
keep = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(keep.pid, flush=True)
time.sleep(600)
"""


def test_a_grandchild_in_its_own_session_is_found_by_its_mark(tmp_path: Path) -> None:
    mark = unique_mark(tmp_path)
    process = start(SPAWNS_AWAY, mark=mark)
    found = pids(descendants.find(mark=mark))
    assert process.pid in found
    assert len(found) == 2
    assert descendants.end(mark=mark) == []
    assert not any(lives(pid) for pid in found - {process.pid})
    assert process.wait(timeout=WAIT_S) == -signal.SIGTERM
    reap(process)


def test_an_orphan_whose_parents_are_gone_is_found_by_its_mark(tmp_path: Path) -> None:
    mark = unique_mark(tmp_path)
    script = (
        "import subprocess as s\n"
        "print(s.Popen(['sleep', '600'], start_new_session=True, stdout=s.DEVNULL).pid)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, descendants.MARK: mark},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=WAIT_S,
    )
    orphan = int(done.stdout)
    assert lives(orphan)
    assert descendants.end(mark=mark) == []
    assert not lives(orphan)


def test_a_descendant_that_dropped_its_environment_is_found_by_descent(tmp_path: Path) -> None:
    script = (
        "import subprocess, time\n"
        "print(subprocess.Popen(['env', '-i', 'sleep', '600'], start_new_session=True).pid, flush=True)\n"
        "time.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", script],
        env={**os.environ, descendants.MARK: unique_mark(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    hidden = int(process.stdout.readline())
    until(lambda: Path(f"/proc/{hidden}/environ").read_bytes() == b"", what="the environment to be gone")
    assert hidden in pids(descendants.find(root=process.pid))
    assert descendants.end(root=process.pid) == []
    assert not lives(hidden)
    assert lives(process.pid), "the root itself is left alone"
    reap(process)


ADOPTS = r"""
import os, subprocess, sys, time
from mlalm_jupyter.adapters import descendants
descendants.adopt_orphans()
# a daemon: forked twice, without environment, in a session of its own
script = (
    "import subprocess as s\n"
    "print(s.Popen(['env', '-i', 'sleep', '600'], start_new_session=True, stdout=s.DEVNULL).pid)"
)
daemon = int(subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True).stdout)
print(daemon, flush=True)
sys.stdin.readline()
print(descendants.end(root=os.getpid()), flush=True)
"""


def test_a_process_that_adopts_orphans_finds_a_daemon_without_environment(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", ADOPTS],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    daemon = int(process.stdout.readline())
    assert lives(daemon)
    out, _ = process.communicate("go\n", timeout=WAIT_S)
    assert out.strip() == "[]"
    assert not lives(daemon)


def test_one_that_does_not_listen_is_killed_after_the_grace(tmp_path: Path) -> None:
    mark = unique_mark(tmp_path)
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(600)"
    )
    process = start(deaf, mark=mark)
    assert descendants.end(mark=mark, grace_s=0.2) == []
    assert process.wait(timeout=WAIT_S) == -signal.SIGKILL
    reap(process)


def test_one_that_is_stopped_is_ended_too(tmp_path: Path) -> None:
    mark = unique_mark(tmp_path)
    process = start("import time; print('here'); time.sleep(600)", mark=mark)
    process.send_signal(signal.SIGSTOP)
    assert descendants.end(mark=mark) == []
    assert process.wait(timeout=WAIT_S) == -signal.SIGTERM
    reap(process)


def test_those_that_go_on_spawning_are_all_ended(tmp_path: Path) -> None:
    mark = unique_mark(tmp_path)
    breeder = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("breeding", flush=True)
end = time.monotonic() + 30
while time.monotonic() < end:
    if os.fork() == 0:
        os.setsid()
    time.sleep(0.15)
"""
    process = start(breeder, mark=mark)
    until(lambda: len(descendants.find(mark=mark)) >= 4, what="a few of them")
    assert descendants.end(mark=mark, grace_s=0.1) == []
    reap(process)


def test_the_job_of_another_is_left_alone(tmp_path: Path) -> None:
    mine, other = unique_mark(tmp_path), unique_mark(tmp_path / "other")
    process = start("import time; print('here'); time.sleep(600)", mark=other)
    assert mine != other
    assert descendants.end(mark=mine) == []
    # nor is one whose id only begins alike
    assert descendants.find(mark=other[:-3]) == []
    assert lives(process.pid)
    reap(process)


def test_a_job_begun_inside_another_carries_both_marks(tmp_path: Path) -> None:
    outer = unique_mark(tmp_path)
    inner = unique_mark(tmp_path / "inner")
    both = descendants.joined(outer, inner)
    process = start("import time; print('here'); time.sleep(600)", mark=both)
    assert pids(descendants.find(mark=outer)) == pids(descendants.find(mark=inner)) == {process.pid}
    reap(process)


def test_a_number_that_was_given_to_another_process_is_not_signalled(tmp_path: Path) -> None:
    process = start("import time; print('here'); time.sleep(600)", mark=None)
    Process(process.pid, started=1).send(signal.SIGKILL)
    time.sleep(0.2)
    assert lives(process.pid)
    reap(process)


DIES_WITH = """
import os, signal, subprocess, sys, time
child = '''
import signal, sys, time, os
from mlalm_jupyter.adapters import descendants
def told(*_):
    open(sys.argv[1], "w").write("told")
    os._exit(0)
signal.signal(signal.SIGTERM, told)
assert descendants.signal_at_death_of(int(sys.argv[2]), signal.SIGTERM)
print("armed", flush=True)
time.sleep(600)
'''
subprocess.Popen([sys.executable, "-u", "-c", child, sys.argv[1], str(os.getpid())])
time.sleep(600)
"""


def test_a_process_is_told_when_its_parent_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "note"
    root = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen(
        [sys.executable, "-u", "-c", DIES_WITH, str(note)], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline().strip() == "armed"
    reap(parent)
    until(lambda: note.exists() and note.read_text() == "told", what="the child to be told")


def test_a_process_whose_parent_is_gone_already_is_told_so() -> None:
    assert descendants.signal_at_death_of(os.getppid(), 0) is True
    assert descendants.signal_at_death_of(1 if os.getppid() != 1 else 2, 0) is False
