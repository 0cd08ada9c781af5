"""The service host of one machine: starts the server, tells its scorers what to serve, and calls them."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from mlalm_jupyter._version import __version__
from mlalm_jupyter.domain.errors import Conflict, InvalidInput, ServerVersionMismatch, Unavailable
from mlalm_jupyter.domain.projection import Projection, Servable
from mlalm_jupyter.domain.server import Scored, ServerProcess, ServerStatus
from mlalm_jupyter.domain.signature import Table
from mlalm_jupyter.domain.workspace import HIDDEN, Finding
from mlalm_jupyter.serving import logs
from mlalm_jupyter.serving.calls import call_endpoint
from mlalm_jupyter.serving.estate import MachineEstate
from mlalm_jupyter.serving.home import Home, locked, read_json, write_json
from mlalm_jupyter.serving.scorers import Scorers, is_alive
from mlalm_jupyter.serving.supervisor import child_environ
from mlalm_jupyter.serving.told import error_told

START_S = 90.0
STOP_S = 30.0
_REPLACED_S = 3.0
_GONE_S = 5.0
_POLL_S = 0.02


class LocalHost:
    """Our own `ServiceHost`: the server of this user on this machine."""

    def __init__(
        self, home: Home | None = None, *, before_start: Callable[[], object] = lambda: None
    ) -> None:
        self.home = home or Home.found(os.environ)
        self._before_start = before_start
        self.scorers = Scorers(self.home)
        self.estate = MachineEstate(self.home)

    def status(self) -> ServerStatus:
        found = self.home.server()
        workspaces = {id: str(path) for id, path in self.home.registered().items()}
        if found is None:
            return ServerStatus(False, self.home.base_url(), str(self.home.home), workspaces=workspaces)
        return ServerStatus(
            is_running=True,
            base_url=found["base_url"],
            home=str(self.home.home),
            version=found["version"],
            pid=found["pid"],
            processes=tuple(ServerProcess(**process) for process in found["processes"]),
            workspaces=workspaces,
        )

    def faults(self, workspace_id: str) -> list[Finding]:
        lacking = self.lacking()
        deadline = time.monotonic() + _REPLACED_S
        while lacking and time.monotonic() < deadline:
            # what ended is started again in a moment, unless it ends each time
            time.sleep(_POLL_S)
            lacking = self.lacking()
        found = [
            Finding(
                f"server process {role}",
                "It does not run, though it was started.",
                f"See `mlalm server logs --process {role}`.",
            )
            for role in lacking
        ]
        return [*found, *self.scorers.faults(workspace_id)]

    def lacking(self) -> list[str]:
        """The roles of the server that no living process has."""
        told = self.home.server() or {}
        have = {one["role"] for one in told.get("processes", ()) if is_alive(one["pid"])}
        return [role for role in told.get("roles", ()) if role not in have]

    def start(self, *, port: int | None = None) -> ServerStatus:
        if port is not None and not 0 < port < 65536:
            raise InvalidInput("The port", expected="1 to 65535", got=str(port))
        status = None
        is_ours = False
        deadline = time.monotonic() + START_S
        while status is None:
            if self.home.server_pid() is None:
                is_ours = True
                self._before_start()
                self.home.make()
                self._launch(port)
            status = self._settled(deadline)
        if port is not None and status.base_url != f"http://127.0.0.1:{port}":
            raise Unavailable(
                f"The server was not moved to port {port}.",
                why=f"It runs at {status.base_url}.",
                fix=f"Stop it with `mlalm server stop`, then `mlalm server start --port {port}`.",
            )
        return status if is_ours else replace(status, note="Nothing changed: it runs already.")

    def stop(self) -> ServerStatus:
        deadline = time.monotonic() + STOP_S
        pid = self.home.server_pid()
        if pid is None:
            return replace(self.status(), note="Nothing changed: it does not run.")
        processes = [one["pid"] for one in (self.home.server() or {}).get("processes", ())]
        while pid is not None:
            if pid:
                # a supervisor that does not end by itself is killed, and its children with it
                _end(pid, signal.SIGTERM if time.monotonic() < deadline - STOP_S / 3 else signal.SIGKILL)
            stopped_by = time.monotonic() + 1.0
            while (pid := self.home.server_pid()) is not None and time.monotonic() < stopped_by:
                time.sleep(_POLL_S)
            if pid is not None and time.monotonic() > deadline:
                why, fix = f"Process {pid} goes on.", f"Run `kill -9 {pid}`."
                raise Unavailable("The server did not stop.", why=why, fix=fix)
        # the lock goes a moment before its holder does, and children that were killed need one as well
        gone_by = time.monotonic() + _GONE_S
        while any(map(is_alive, processes)) and time.monotonic() < gone_by:
            time.sleep(_POLL_S)
        return self.status()

    def logs(self, *, process: str | None = None, lines: int = 50) -> str:
        return logs.told(self.home.logs, process=process, lines=lines)

    def ensure(self, workspace_id: str, workspace_path: Path) -> None:
        status = self.start()
        if status.version != __version__:
            raise ServerVersionMismatch(running=str(status.version), mine=__version__)
        self._check_copy(workspace_id, workspace_path)
        self.register(workspace_id, workspace_path)

    def base_url(self) -> str | None:
        return self.home.base_url()

    def subscription(self) -> str | None:
        region = self.home.region()
        return str(region["subscription"]) if region else None

    def address(self, workspace_id: str, endpoint_id: str) -> str | None:
        base, subscription = self.home.base_url(), self.subscription()
        if base is None:
            return None
        owner = f"subscriptions/{subscription}" if subscription else f"workspaces/{workspace_id}"
        return f"{base}/{owner}/services/{endpoint_id}"

    def grow(self, workers: int) -> None:
        if workers > self.home.scorers():
            self.home.want_scorers(workers)
        pid = self.home.server_pid()
        if not pid:
            return
        _end(pid, signal.SIGHUP)
        deadline = time.monotonic() + START_S
        while self.home.server_pid() and self.scorers.count() < self.home.scorers():
            if time.monotonic() > deadline:
                raise Unavailable(
                    "The server did not start all the workers that the plan has.",
                    why=f"{self.scorers.count()} of {self.home.scorers()} came up within {START_S:g} s.",
                    fix=f"See the logs in '{self.home.logs}'.",
                )
            time.sleep(_POLL_S)

    def forget(self, workspace_id: str) -> None:
        with self._publishing(workspace_id):
            (self.home.workspaces / f"{workspace_id}.json").unlink(missing_ok=True)
            self.home.projection(workspace_id).unlink(missing_ok=True)
            generation = self.scorers.bump()
        if generation is not None:
            self.scorers.wait_for(generation)

    def prepare(self, workspace_id: str, servable: Servable, public_key: str) -> None:
        self.scorers.prepare(workspace_id, servable, public_key)

    def publish(self, workspace_id: str, project: Callable[[], Projection]) -> None:
        """Write what the scorers read, in the order of the catalog, and wait until each serves it."""
        self.home.make()
        with self._publishing(workspace_id):
            write_json(self.home.projection(workspace_id), project().to_dict())
            generation = self.scorers.bump()
        # what is published while no server runs is what the next one begins with
        if generation is not None and self.home.server_pid() is not None:
            self.scorers.wait_for(generation)
            self.scorers.raise_faults(workspace_id, since=generation)

    def catch_up(self, workspace_id: str, project: Callable[[], Projection]) -> bool:
        """Publish what someone committed and then did not live to publish; whether anything was to be done.

        It does not wait for the scorers, because nobody waits for it.
        """
        self.home.make()
        with self._publishing(workspace_id):
            path = self.home.projection(workspace_id)
            before, now = read_json(path), project().to_dict()
            if before == now:
                return False
            write_json(path, now)
            is_same = {**before, "seq": 0} == {**now, "seq": 0} if before else not now["endpoints"]
            if is_same:
                return False
            self.scorers.bump()
        return True

    def score(self, address: str, key: str, inputs: Mapping[str, Table]) -> Scored:
        return call_endpoint(address, key, inputs)

    def _publishing(self, workspace_id: str):  # type: ignore[no-untyped-def]
        return locked(self.home.projections / f"{workspace_id}.lock", timeout_s=30.0)

    def register(self, workspace_id: str, path: Path) -> None:
        """Write down where a workspace is, whatever was known of it before."""
        path = path.resolve()
        if self.home.registered().get(workspace_id) != path:
            write_json(self.home.workspaces / f"{workspace_id}.json", {"id": workspace_id, "path": str(path)})

    def _check_copy(self, workspace_id: str, path: Path) -> None:
        path = path.resolve()
        known = self.home.registered().get(workspace_id)
        if known is None or known == path:
            return
        if (known / HIDDEN).is_dir() and not _is_same(known, path):
            raise Conflict(
                f"The workspace '{path}' was not taken in by the server.",
                why=f"It is a copy: the server already hosts the same one at '{known}'.",
                fix="Use that one, or remove it; or run a second server with its own MLALM_HOME.",
            )

    def _launch(self, port: int | None) -> None:
        """Start a supervisor that outlives us, and wait until it says that it serves or why not."""
        log = self.home.log("supervisor")
        logs.rotate(log)
        read_end, write_end = os.pipe()
        try:
            command = [sys.executable, "-P", "-m", "mlalm_jupyter.serving.supervisor"]
            command += ["--home", str(self.home.home), "--report", str(write_end)]
            command += ["--port", str(port)] if port is not None else []
            with open(log, "ab") as output:
                launcher = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=self.home.home,
                    env=child_environ(self.home),
                    pass_fds=(write_end,),
                    start_new_session=True,
                )
            os.close(write_end)
            write_end = -1
            report = _one_line(read_end, timeout_s=START_S)
            launcher.wait(timeout=10)
        finally:
            os.close(read_end)
            if write_end >= 0:
                os.close(write_end)
        if report is None:
            raise Unavailable(
                "The server did not start.",
                why=logs.tail(log, lines=1) or "It ended without a word.",
                fix="See `mlalm server logs --process supervisor`.",
            )
        if "error" in report:
            raise error_told(report["error"])

    def _settled(self, deadline: float) -> ServerStatus | None:
        """The status of the server once whoever starts it is through, or None when that one gave up."""
        while time.monotonic() < deadline:
            status = self.status()
            if status.is_running and self.scorers.are_up():
                return status
            if self.home.server_pid() is None:
                return None
            time.sleep(_POLL_S)
        raise Unavailable(
            "The server did not come up.",
            why=logs.tail(self.home.log("supervisor"), lines=1) or "It wrote nothing.",
            fix="See `mlalm server logs`.",
        )


def _end(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise Unavailable(
            "The server was not stopped.", why=f"Process {pid} is not yours.", fix="Ask whoever started it."
        ) from error


def _one_line(pipe: int, *, timeout_s: float) -> dict[str, dict[str, object]] | None:
    """The line of JSON a process writes, or None when it ends or takes too long without one."""
    deadline = time.monotonic() + timeout_s
    held = b""
    while not held.endswith(b"\n"):
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        part = os.read(pipe, 1 << 16) if ready else b""
        if not part:
            return None
        held += part
    report: dict[str, dict[str, object]] = json.loads(held)
    return report


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
