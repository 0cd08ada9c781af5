"""What the server survives: kills of each of its processes, rivals for its port, two who start it at once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from mlalm_jupyter.domain.errors import Conflict, NotFound, PortTaken, ServerVersionMismatch, Unavailable
from mlalm_jupyter.domain.server import ServerStatus
from mlalm_jupyter.serving.home import Home, read_json, write_json
from mlalm_jupyter.serving.local_host import LocalHost
from tests.contract.served import Fixed, Handmade, call

pytestmark = pytest.mark.prove_skeleton

ROLES = ("scorer-0", "scorer-1", "api", "worker")
SOON_S = 60.0


@pytest.fixture
def host(tmp_path: Path) -> Iterator[LocalHost]:
    made = LocalHost(Home(tmp_path / "home"))
    yield made
    made.stop()


@pytest.fixture
def made(tmp_path: Path) -> Handmade:
    return Handmade(tmp_path / "ws")


def soon(what: Callable[[], bool]) -> None:
    """Wait a bounded time for something to become true."""
    deadline = time.monotonic() + SOON_S
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def pids(status: ServerStatus) -> dict[str, int]:
    return {process.role: process.pid for process in status.processes}


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")
    except FileNotFoundError:
        return True


def answers(address: str) -> bool:
    try:
        return call(address).status_code == 200
    except requests.ConnectionError:
        return False


def test_killing_each_process_leaves_the_address_answering(host: LocalHost, made: Handmade) -> None:
    address = made.go_live(host, "s/default", made.model(Fixed(1)))
    soon(lambda: set(ROLES) <= set(pids(host.status())))
    for role in ROLES:
        before = pids(host.status())
        os.kill(before[role], signal.SIGKILL)
        soon(lambda role=role, before=before: pids(host.status()).get(role, before[role]) != before[role])
        soon(lambda: answers(address))
        assert pids(host.status())["supervisor"] == before["supervisor"]
    soon(host.scorers.are_up)
    told = host.logs(process="supervisor")
    assert "scorer-0 was ended by SIGKILL; see scorer-0.log" in told
    assert "scorer-0 started again (restart 1)" in told


@pytest.mark.full
def test_a_scorer_started_again_serves_what_was_published_since(host: LocalHost, made: Handmade) -> None:
    address = made.go_live(host, "s/default", made.model(Fixed(1)))
    old = pids(host.status())
    for role in ("scorer-0", "scorer-1"):
        os.kill(old[role], signal.SIGKILL)
    made.go_live(host, "s/default", made.model(Fixed(2), version=2))
    for _ in range(40):
        assert call(address).headers["x-mlalm-model"] == "census:2"


def test_killing_the_supervisor_ends_everything_and_a_new_one_has_the_same_address(
    host: LocalHost, made: Handmade
) -> None:
    address = made.go_live(host, "s/default", made.model(Fixed(1)))
    soon(lambda: set(ROLES) <= set(pids(host.status())))
    before = host.status()
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    soon(lambda: all(is_gone(process.pid) for process in before.processes))
    after = host.status()
    assert (after.is_running, after.base_url, after.processes) == (False, before.base_url, ())
    assert host.start().base_url == before.base_url
    assert call(address).status_code == 200, "it answers from its projection, without being told again"


def test_stopping_ends_every_process_and_starting_keeps_the_address(host: LocalHost, made: Handmade) -> None:
    address = made.go_live(host, "s/default", made.model(Fixed(1)))
    before = host.status()
    after = host.stop()
    assert (after.is_running, after.base_url) == (False, before.base_url)
    assert all(is_gone(process.pid) for process in before.processes)
    assert host.stop().is_running is False, "stopping twice is no error"
    assert host.start().is_running
    assert answers(address)


def test_the_server_outlives_whoever_started_it(host: LocalHost) -> None:
    script = (
        "import os; from mlalm_jupyter.plugins import service_host; service_host()().start(); os._exit(0)"
    )
    environ = {**os.environ, "MLALM_HOME": str(host.home.home), "MLALM_JOB": "job 1", "MLALM_RUN": "run 1"}
    starter = subprocess.Popen([sys.executable, "-c", script], env=environ, start_new_session=True)
    assert starter.wait(timeout=90) == 0
    status = host.status()
    assert status.is_running
    for process in status.processes:
        held = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
        assert not [one for one in held if one.startswith((b"MLALM_JOB=", b"MLALM_RUN="))]
        assert os.getpgid(process.pid) != starter.pid


def test_a_port_that_is_taken_is_named_and_nothing_starts(host: LocalHost) -> None:
    with socket.socket() as rival:
        rival.bind(("127.0.0.1", 0))
        rival.listen()
        port = rival.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port}"):
            host.start(port=port)
        assert host.status().is_running is False
        assert host.base_url() is None, "an address that never was is not kept"
    assert host.start(port=port).base_url == f"http://127.0.0.1:{port}"


def test_the_kept_port_taken_by_another_is_named(host: LocalHost) -> None:
    base_url = host.start().base_url
    host.stop()
    port = int(str(base_url).rpartition(":")[2])
    with socket.socket() as rival:
        rival.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        rival.bind(("127.0.0.1", port))
        rival.listen()
        with pytest.raises(PortTaken, match="addresses of your services name this port"):
            host.start()
    assert host.start().base_url == base_url


def test_a_running_server_is_not_moved_to_another_port(host: LocalHost) -> None:
    base_url = host.start().base_url
    with pytest.raises(Unavailable, match="mlalm server stop"):
        host.start(port=29999 if base_url != "http://127.0.0.1:29999" else 29998)
    assert host.start().base_url == base_url


def test_only_this_machine_can_reach_it(host: LocalHost) -> None:
    port = int(str(host.start().base_url).rpartition(":")[2])
    line = next(
        one.split()[1]
        for one in Path("/proc/net/tcp").read_text().splitlines()
        if f":{port:04X} 00000000:0000 0A" in one
    )
    assert line.startswith("0100007F:"), "127.0.0.1, and no other address"


def test_two_who_start_it_at_once_share_one(tmp_path: Path, host: LocalHost) -> None:
    others = [LocalHost(Home(tmp_path / "home")) for _ in range(4)]
    found: list[ServerStatus] = []
    threads = [threading.Thread(target=lambda one=one: found.append(one.start())) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(found) == 4
    assert len({status.pid for status in found}) == 1
    assert host.status().is_running


def test_a_server_of_another_version_is_not_used(host: LocalHost, made: Handmade) -> None:
    host.start()
    written = read_json(host.home.server_file)
    assert written is not None
    write_json(host.home.server_file, {**written, "version": "0.0.1"})
    with pytest.raises(ServerVersionMismatch, match=r"version 0\.0\.1"):
        host.ensure(made.id, made.path)
    assert not host.home.registered()


def test_a_copied_workspace_is_not_taken_for_the_first(
    host: LocalHost, made: Handmade, tmp_path: Path
) -> None:
    host.ensure(made.id, made.path)
    copy = tmp_path / "copy"
    (copy / ".mlalm").mkdir(parents=True)
    with pytest.raises(Conflict, match="It is a copy"):
        host.ensure(made.id, copy)
    made.path.rename(tmp_path / "moved")
    host.ensure(made.id, tmp_path / "moved")
    assert host.home.registered() == {made.id: tmp_path / "moved"}


def test_a_workspace_whose_folder_is_gone_says_so_until_it_is_back(host: LocalHost, made: Handmade) -> None:
    address = made.go_live(host, "s/default", made.model(Fixed(1)))
    assert call(address).status_code == 200
    made.path.rename(made.path.with_name("away"))
    soon(lambda: call(address).status_code == 503)
    answer = call(address)
    while answer.status_code != 503:
        answer = call(address)
    error = answer.json()["error"]
    assert (error["code"], error["details"][0]["code"]) == ("ServiceUnavailable", "WorkspaceNotFound")
    assert str(made.path) in error["details"][0]["message"]
    assert "retry-after" in answer.headers
    made.path.with_name("away").rename(made.path)
    soon(lambda: call(address).status_code == 200)


@pytest.mark.full
def test_a_home_that_was_removed_takes_its_server_along(tmp_path: Path) -> None:
    import shutil

    host = LocalHost(Home(tmp_path / "doomed"))
    status = host.start()
    # what is being made in a folder keeps it from being removed
    soon((tmp_path / "doomed" / "control" / "api.sock").exists)
    soon(lambda: "slots" in host.logs(process="worker"))
    shutil.rmtree(tmp_path / "doomed")
    soon(lambda: all(is_gone(process.pid) for process in status.processes))


def test_the_home_is_for_its_user_alone(host: LocalHost) -> None:
    host.start()
    for folder in (host.home.home, host.home.control, host.home.projections):
        assert folder.stat().st_mode & 0o777 == 0o700
    for path in [*host.home.control.iterdir(), host.home.server_file, host.home.generation]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_logs_are_told_by_process_and_an_unknown_one_is_named(host: LocalHost) -> None:
    host.start()
    told = host.logs()
    assert "== scorer-0 ==" in told
    assert "ready" in host.logs(process="supervisor", lines=5)
    with pytest.raises(NotFound, match="scorer-0"):
        host.logs(process="scorer-9")


def test_a_server_that_cannot_come_up_says_why(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("in the way")
    with pytest.raises(Unavailable, match="home"):
        LocalHost(Home(tmp_path / "home")).start()
