"""An owner of jobs is seen to be gone the moment it is, and never before."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from mlalm_jupyter.adapters import liveness

OWNS = """
import sys, time
from pathlib import Path
from mlalm_jupyter.adapters import liveness
with liveness.present(Path(sys.argv[1])) as name:
    print(name, flush=True)
    time.sleep(600)
"""
ROOT = Path(__file__).resolve().parents[2]


def owner(folder: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", OWNS, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_an_owner_is_gone_when_it_is_killed_and_not_before(tmp_path: Path) -> None:
    process, name = owner(tmp_path)
    assert liveness.is_gone(name, folder=tmp_path) is False
    process.send_signal(signal.SIGSTOP)
    assert liveness.is_gone(name, folder=tmp_path) is False
    end(process)
    assert liveness.is_gone(name, folder=tmp_path) is True


def test_many_may_ask_at_once_without_taking_each_other_for_the_owner(tmp_path: Path) -> None:
    process, name = owner(tmp_path)
    end(process)
    handle = os.open(tmp_path / f"{name}.lock", os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_SH)
    assert liveness.is_gone(name, folder=tmp_path) is True
    os.close(handle)


def test_an_owner_that_ended_well_leaves_no_file(tmp_path: Path) -> None:
    with liveness.present(tmp_path / "workers") as name:
        assert liveness.is_gone(name, folder=tmp_path / "workers") is False
        assert [path.name for path in (tmp_path / "workers").iterdir()] == [f"{name}.lock"]
    assert list((tmp_path / "workers").iterdir()) == []
    assert liveness.is_gone(name, folder=tmp_path / "workers") is None


def test_of_an_owner_on_another_host_or_with_another_home_nothing_is_known(tmp_path: Path) -> None:
    assert liveness.is_gone("elsewhere.example:12:ab", folder=tmp_path) is None
    assert liveness.is_gone(f"{socket.gethostname()}:12:ab", folder=tmp_path) is None


def test_a_lease_must_stay_run_out_for_a_while(tmp_path: Path) -> None:
    now = [0.0]
    watch = liveness.Watch(tmp_path, monotonic_s=lambda: now[0])
    far = "elsewhere.example:12:ab"
    assert watch.gone([far], expired=[]) == []
    assert watch.gone([far], expired=[far]) == []
    now[0] = 4.0
    # renewed meanwhile: the machine had only slept
    assert watch.gone([far], expired=[]) == []
    now[0] = 8.0
    assert watch.gone([far], expired=[far]) == []
    now[0] = 13.5
    assert watch.gone([far], expired=[far]) == [far]


def test_one_whose_lock_is_free_is_gone_at_once(tmp_path: Path) -> None:
    process, name = owner(tmp_path)
    watch = liveness.Watch(tmp_path)
    assert watch.gone([name], expired=[]) == []
    end(process)
    assert watch.gone([name], expired=[]) == [name]
    liveness.forget(name, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
