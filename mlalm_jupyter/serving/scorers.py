"""The scorers as the rest of the server reaches them: one control socket each, and the shared counter."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlalm_jupyter.domain.errors import Unavailable
from mlalm_jupyter.domain.projection import Servable
from mlalm_jupyter.domain.workspace import Finding
from mlalm_jupyter.scoring.generation import Generation
from mlalm_jupyter.scoring.places import socket_address
from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.told import error_told

UP_S = 30.0
LOAD_S = 120.0
TAKE_OVER_S = 30.0
LOOK_S = 5.0
_POLL_S = 0.002
_FIX = "See `mlalm server status` and `mlalm server logs`, then try again."


class Scorers:
    """All scorers of a home."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def are_up(self) -> bool:
        """Whether every scorer serves and can be reached."""
        with self._counter() as generation:
            if generation is None:
                return False
            taken = generation.acks()
            return len(taken) == generation.slots and all(
                acked and is_alive(pid) and self.home.control_socket(slot).exists()
                for slot, (pid, acked) in taken.items()
            )

    def count(self) -> int:
        """How many scorers serve and can be reached."""
        with self._counter() as generation:
            taken = generation.acks() if generation else {}
        return sum(
            bool(acked) and is_alive(pid) and self.home.control_socket(slot).exists()
            for slot, (pid, acked) in taken.items()
        )

    def bump(self) -> int | None:
        """Tell the scorers that something changed; None when there never was a server in this home."""
        with self._counter() as generation:
            return generation.bump() if generation else None

    def wait_for(self, wanted: int) -> None:
        """Wait until every living scorer serves that generation; one that is starting reads it anyhow."""
        deadline = time.monotonic() + TAKE_OVER_S
        with self._counter() as generation:
            while generation:
                behind = [
                    slot
                    for slot, (pid, acked) in generation.acks().items()
                    if acked < wanted and is_alive(pid)
                ]
                if not behind:
                    return
                if time.monotonic() > deadline:
                    raise Unavailable(
                        "The change is kept, but not every scorer serves it yet.",
                        why=f"{_named(behind)} did not take it over within {TAKE_OVER_S:g} s.",
                        fix=_FIX,
                    )
                time.sleep(_POLL_S)

    def prepare(self, workspace_id: str, servable: Servable, public_key: str) -> None:
        """Have every scorer load a definition at the same time; the first error wins."""
        call = {
            "op": "prepare",
            "workspace_id": workspace_id,
            "servable": servable.to_dict(),
            "public_key": public_key,
        }
        for answer in self._asked(call, timeout_s=LOAD_S):
            if not answer["ok"]:
                raise error_told(answer["error"])

    def raise_faults(self, workspace_id: str, *, since: int) -> None:
        """Raise the first error a scorer met when it took a change over; it goes on with what it had."""
        call = {"op": "faults", "workspace_id": workspace_id, "since": since}
        for answer in self._asked(call, timeout_s=TAKE_OVER_S):
            for fault in answer.get("faults", ()):
                raise error_told(fault["error"])

    def faults(self, workspace_id: str) -> list[Finding]:
        """What each scorer could not take over of a workspace, and which scorers do not answer."""
        line = json.dumps({"op": "faults", "workspace_id": workspace_id, "since": 0}).encode() + b"\n"
        with self._counter() as generation:
            slots = sorted(generation.acks()) if generation else []
        found: dict[Finding, None] = {}
        for slot in slots:
            try:
                (answer,) = self._asked_once([slot], line, timeout_s=LOOK_S)
            except (OSError, Unavailable) as error:
                why = error.why if isinstance(error, Unavailable) else f"It did not answer: {error}."
                found[Finding(f"server process scorer-{slot}", why, _FIX)] = None
                continue
            for fault in answer.get("faults", ()):
                told = error_told(fault["error"])
                what = f"It cannot serve what it should. {told.what} {told.why}".strip()
                found[Finding(f"endpoint {fault['endpoint']}", what, told.fix)] = None
        return list(found)

    def _asked(self, call: Mapping[str, Any], *, timeout_s: float) -> list[dict[str, Any]]:
        """The answers of all scorers to one call.

        One that died before it read the call is asked again once it is replaced; one that died after that may
        have died of it.
        """
        line = json.dumps(call).encode() + b"\n"
        deadline = time.monotonic() + UP_S
        while True:
            slots = self._live_slots()
            try:
                return self._asked_once(slots, line, timeout_s=timeout_s)
            except OSError as error:
                if time.monotonic() > deadline:
                    raise _silent(slots, str(error)) from error
            time.sleep(10 * _POLL_S)

    def _asked_once(self, slots: list[int], line: bytes, *, timeout_s: float) -> list[dict[str, Any]]:
        with contextlib.ExitStack() as stack:
            sockets = {slot: stack.enter_context(self._connected(slot)) for slot in slots}
            deadline = time.monotonic() + timeout_s
            for connection in sockets.values():
                connection.sendall(line)
            return [_answer(slot, connection, deadline) for slot, connection in sockets.items()]

    def _live_slots(self) -> list[int]:
        """The slots whose scorers are up; waits a bounded time for one that is just being replaced."""
        deadline = time.monotonic() + UP_S
        while not self.are_up():
            if self.home.server_pid() is None:
                why, fix = "It was stopped or killed.", "Run `mlalm server start`."
                raise Unavailable("The server does not run.", why=why, fix=fix)
            if time.monotonic() > deadline:
                break
            time.sleep(10 * _POLL_S)
        with self._counter() as generation:
            live = (
                []
                if generation is None
                else [slot for slot, (pid, _) in generation.acks().items() if is_alive(pid)]
            )
        if not live:
            raise Unavailable("No scorer is up.", why="Each one ends as soon as it is started.", fix=_FIX)
        return live

    @contextlib.contextmanager
    def _connected(self, slot: int) -> Iterator[socket.socket]:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(UP_S)
        try:
            with socket_address(self.home.control_socket(slot)) as address:
                connection.connect(address)
            yield connection
        finally:
            connection.close()

    @contextlib.contextmanager
    def _counter(self) -> Iterator[Generation | None]:
        try:
            generation = Generation(self.home.generation)
        except FileNotFoundError:
            yield None
            return
        try:
            yield generation
        finally:
            generation.close()


def _answer(slot: int, connection: socket.socket, deadline: float) -> dict[str, Any]:
    held = b""
    while not held.endswith(b"\n"):
        connection.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            part = connection.recv(1 << 16)
        except TimeoutError as error:
            raise _silent([slot], "it took too long") from error
        if not part:
            raise _silent([slot], "it ended while it worked on it")
        held += part
    answer: dict[str, Any] = json.loads(held)
    return answer


def _silent(slots: list[int], why: str) -> Unavailable:
    return Unavailable("Nothing was changed.", why=f"{_named(slots)} did not answer: {why}.", fix=_FIX)


def _named(slots: list[int]) -> str:
    return ", ".join(f"scorer-{slot}" for slot in slots)


def is_alive(pid: int) -> bool:
    """Whether there is a process of that number; one that has ended and is only not buried yet does not count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        facts = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return True
    return facts.rpartition(")")[2].split()[:1] not in (["Z"], ["X"])
