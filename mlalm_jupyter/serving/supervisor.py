"""The supervisor: owns the port, starts the other processes and starts them again when they end.

It is started by `LocalHost.start`, leaves whoever started it, and lives until it is told to stop.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import json
import math
import os
import random
import signal
import socket
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from mlalm_jupyter._version import __version__
from mlalm_jupyter.domain.errors import MlalmError, PortTaken, Unavailable
from mlalm_jupyter.domain.estate import MOST_WORKERS
from mlalm_jupyter.scoring.calls import CallTable
from mlalm_jupyter.scoring.generation import MAX_SLOTS, Generation
from mlalm_jupyter.serving import logs
from mlalm_jupyter.serving.children import Child, how_it_ended
from mlalm_jupyter.serving.home import Home, write_atomic, write_json
from mlalm_jupyter.serving.warmth import can_fork

# below the ports the system gives to outgoing connections, so that ours is still free after a restart
_PORTS = range(20000, 30000)
_SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_OF_THE_STARTER = {"MLALM_JOB", "MLALM_RUN", "MLALM_WORKSPACE", "MPLBACKEND"}
_LOOK_S = 5.0
_STOP_S = 15.0
_READY_S = 60.0


class Supervisor:
    """One server: its port, its lock and its children."""

    def __init__(self, home: Home, *, scorers: int) -> None:
        self.home = home
        self.scorers = scorers
        self.started_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.children: list[Child] = []
        # what an import has read from the environment cannot be taken back in a child
        self.is_as_its_children = dict(os.environ) == child_environ(home)
        self.listener: socket.socket
        self.generation: Generation

    def open(self, port: int | None) -> None:
        """Take the port, set the shared counter up, and start the scorers; the others can wait for them."""
        self.listener = listening(self.home, port)
        self.home.server_file.unlink(missing_ok=True)
        # a region may be given a larger plan while it serves, and the table of calls keeps its shape
        slots = self.scorers if self.home.region() is None else max(self.scorers, MOST_WORKERS)
        CallTable.create(self.home.calls, slots=slots)
        self.generation = Generation.create(self.home.generation, slots=self.scorers)
        self.children = self._children()
        say(f"version {__version__}, listening at {self.home.base_url()}, home {self.home.home}")
        for child in self.children:
            logs.rotate(child.log)
            if child.slot is None:
                child.due_s = math.inf
            else:
                self._warm(child)
                self._start(child)
        self._tell()

    def start_the_rest(self) -> None:
        """Start what is not needed for scoring."""
        for child in self.children:
            if child.due_s == math.inf:
                self._warm(child)
                child.due_s = 0.0
        self._start_due()

    def forks(self) -> bool:
        """Whether children are forked off; elsewhere each is a fresh interpreter."""
        return self.is_as_its_children and can_fork()

    def is_ready(self) -> bool:
        """Whether each scorer serves and can be reached."""
        taken = self.generation.acks()
        return len(taken) == self.scorers and all(
            acked and self.home.control_socket(slot).exists() for slot, (_, acked) in taken.items()
        )

    def hopeless(self) -> Child | None:
        """A scorer that ends again and again as soon as it is started."""
        return next((one for one in self.children if one.slot is not None and one.young_deaths >= 3), None)

    def wait(self, timeout_s: float) -> bool:
        """Wait for a signal or until something is due; False when it is time to stop."""
        due = [child.due_s - time.monotonic() for child in self.children if child.process is None]
        received = signal.sigtimedwait(_SIGNALS, max(0.0, min([timeout_s, *due])))
        if received is not None and received.si_signo in (signal.SIGTERM, signal.SIGINT):
            say(f"told to stop by {signal.Signals(received.si_signo).name}")
            return False
        if received is not None and received.si_signo == signal.SIGHUP:
            self._grow()
        self._reap()
        self._start_due()
        for child in self.children:
            logs.shrink(child.log)
        return True

    def stop(self) -> None:
        """End every child, gently first."""
        self.listener.close()
        for child in self.children:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_S
        while any(child.process for child in self.children):
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            signal.sigtimedwait({signal.SIGCHLD}, left_s)
            self._reap()
        for child in self.children:
            if child.process is not None:
                say(f"{child.role} did not end within {_STOP_S:g} s and is killed")
                child.signal(signal.SIGKILL)
        for socket_file in self.home.control.glob("*.sock"):
            socket_file.unlink(missing_ok=True)
        self.home.server_file.unlink(missing_ok=True)
        say("stopped")

    def _children(self) -> list[Child]:
        scorers = [self._scorer(slot) for slot in range(self.scorers)]
        api = self._child("api", "serving.api_process", "--parent", str(os.getpid()))
        # notebooks run where their workspace is; a region only serves
        jobs = [self._child("worker", "serving.worker")] if self.home.region() is None else []
        return [*scorers, api, *jobs]

    def _grow(self) -> None:
        """Start the scorers that are asked for by now and are not there yet."""
        wanted = min(self.home.scorers(), MAX_SLOTS)
        for slot in range(self.scorers, wanted):
            child = self._scorer(slot)
            self._warm(child)
            self.children.insert(slot, child)
        if wanted > self.scorers:
            say(f"{wanted} scorers from now on, {self.scorers} before")
            self.scorers = wanted
            self.generation.grow(wanted)

    def _scorer(self, slot: int) -> Child:
        port = self.listener.fileno()
        arguments = ("--fd", str(port), "--slot", str(slot), "--parent", str(os.getpid()))
        child = self._child(f"scorer-{slot}", "scoring.process", *arguments)
        return replace(child, descriptors=(port,), slot=slot)

    def _child(self, role: str, module: str, *arguments: str) -> Child:
        return Child(
            role=role,
            arguments=(f"mlalm_jupyter.{module}", *arguments, "--home", str(self.home.home)),
            log=self.home.log(role),
            cwd=self.home.home,
            environ=child_environ(self.home),
        )

    def _warm(self, child: Child) -> None:
        if self.forks() and (error := child.warm()) is not None:
            say(f"{child.role} is started cold, for it cannot be imported: {type(error).__name__}: {error}")

    def _start(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:
            # the others go on, and this one is tried again when it is due
            say(f"{child.role} could not be started: {error}")
            return
        again = f" again (restart {child.restarts})" if child.restarts else ""
        say(f"{child.role} started{again}, pid {child.pid}")

    def _reap(self) -> None:
        ended = False
        for child in self.children:
            status = child.has_ended()
            if status is None:
                continue
            ended = True
            if child.slot is not None:
                self.generation.release(child.slot)
            say(f"{child.role} {how_it_ended(status)}; see {child.log.name}")
        if ended:
            self._tell()

    def _start_due(self) -> None:
        started = False
        for child in self.children:
            if child.process is None and child.due_s <= time.monotonic():
                self._start(child)
                started = True
        if started:
            self._tell()

    def _tell(self) -> None:
        """Write down who carries the server now."""
        mine = {"role": "supervisor", "pid": os.getpid(), "started_at": self.started_at, "restarts": 0}
        running = [
            {"role": one.role, "pid": one.pid, "started_at": one.started_at, "restarts": one.restarts}
            for one in self.children
            if one.pid is not None
        ]
        write_json(
            self.home.server_file,
            {
                "pid": os.getpid(),
                "base_url": self.home.base_url(),
                "version": __version__,
                "started_at": self.started_at,
                "roles": ["supervisor", *(one.role for one in self.children)],
                "processes": [mine, *running],
            },
        )


def listening(home: Home, wanted: int | None) -> socket.socket:
    """The public socket, on loopback, at the port of this home; the first time a port is chosen and kept."""
    port = wanted or home.port()
    if port is None:
        listener = _bound_anywhere()
    else:
        listener = _bound(port, patience_s=3.0)
    chosen = listener.getsockname()[1]
    if chosen != home.port():
        write_atomic(home.port_file, f"{chosen}\n".encode())
    listener.listen(2048)
    return listener


def _bound(port: int, *, patience_s: float) -> socket.socket:
    """A socket at one port. A server that was just killed may need a moment to let go of it."""
    deadline = time.monotonic() + patience_s
    while True:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            listener.close()
            if error.errno in (errno.EACCES, errno.EPERM):
                raise Unavailable(
                    f"The server did not start at port {port}.",
                    why="The system keeps that port for others.",
                    fix="Choose one above 1023 with `mlalm server start --port PORT`.",
                ) from error
            if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise PortTaken(port) from error
        else:
            return listener
        time.sleep(0.05)


def _bound_anywhere() -> socket.socket:
    tries = random.sample(_PORTS, 50)
    for port in tries[:-1]:
        try:
            return _bound(port, patience_s=0)
        except PortTaken:
            continue
    return _bound(tries[-1], patience_s=0)


def child_environ(home: Home) -> dict[str, str]:
    """The environment of the server's processes: the starter's, without what belonged to its own work."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if name not in _OF_THE_STARTER and not name.startswith("JPY_")
    }
    environ["MLALM_HOME"] = str(home.home)
    environ["PYTHONUNBUFFERED"] = "1"
    environ.setdefault("PYTHONFAULTHANDLER", "1")
    # several processes share the cores already; threads of their own would only make them fight
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environ.setdefault(name, "1")
    return environ


def say(text: str) -> None:
    """A line of the supervisor's log."""
    print(f"{datetime.now().strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)


def main() -> None:
    """Start a server, tell whoever waits at `--report` how that went, and run it until it is told to stop."""
    parser = argparse.ArgumentParser(prog="mlalm-supervisor")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--scorers", type=int, help="without it, what the home says")
    parser.add_argument("--report", type=int, help="a pipe for one line of JSON: ready, or the error")
    args = parser.parse_args()
    _leave()
    home = Home(args.home)
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    lock = os.open(home.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    if not _held_alone(lock):
        say("another server runs in this home; this one is not needed")
        _report(args.report, {"ready": True})
        return
    supervisor = Supervisor(home, scorers=args.scorers or home.scorers())
    try:
        supervisor.open(args.port)
        goes_on = _until_ready(supervisor)
    except MlalmError as error:
        say(str(error))
        for child in supervisor.children:
            child.signal(signal.SIGKILL)
        # whoever hears of it may try again at once
        os.close(lock)
        _report(args.report, {"error": {**vars(error), **error.to_dict()}})
        sys.exit(1)
    say("ready")
    _report(args.report, {"ready": True})
    while goes_on:
        goes_on = supervisor.wait(_LOOK_S)
        if not _is_still_there(lock, home):
            say("the home was removed")
            break
    supervisor.stop()


def _until_ready(supervisor: Supervisor) -> bool:
    deadline = time.monotonic() + _READY_S
    if supervisor.forks():
        # it imports in one process while the scorers set themselves up in others
        supervisor.start_the_rest()
    while not supervisor.is_ready():
        if not supervisor.wait(0.02):
            return False
        if (child := supervisor.hopeless()) or time.monotonic() > deadline:
            child = child or supervisor.children[0]
            why = logs.tail(child.log, lines=1) or "It wrote nothing."
            raise Unavailable(
                "The server did not start.",
                why=f"Its {child.role} does not come up: {why}",
                fix=f"See `mlalm server logs --process {child.role}`.",
            )
    supervisor.start_the_rest()
    return True


def _leave() -> None:
    """Become nobody's child, so that the server outlives the notebook or terminal that started it."""
    if os.fork():
        os._exit(0)
    os.setpgid(0, 0)


def _held_alone(lock: int) -> bool:
    """Take the server's lock and write our process id into it. Those who only look hold it for a moment."""
    for _ in range(20):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
            continue
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        return True
    return False


def _is_still_there(lock: int, home: Home) -> bool:
    """Whether the lock we hold is the one that others see; without it nobody could ever find us."""
    try:
        return os.path.samestat(os.fstat(lock), os.stat(home.lock_file))
    except FileNotFoundError:
        return False


def _report(pipe: int | None, line: dict[str, object]) -> None:
    if pipe is None:
        return
    try:
        os.write(pipe, json.dumps(line).encode() + b"\n")
    except BrokenPipeError:
        say("whoever started this server is gone already")
    os.close(pipe)


if __name__ == "__main__":
    main()
