"""The supervisor's children: what each runs, and when it is started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from mlalm_jupyter.scoring.lifeline import die_with
from mlalm_jupyter.serving.forked import Forked
from mlalm_jupyter.serving.warmth import can_fork, warm

_YOUNG_S = 3.0
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0


class Process(Protocol):
    """A process that was started, in whichever way."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def send_signal(self, number: int, /) -> None: ...


@dataclass
class Child:
    """One role, and the process that has it now."""

    role: str
    arguments: tuple[str, ...]
    log: Path
    cwd: Path
    environ: Mapping[str, str]
    descriptors: tuple[int, ...] = ()
    slot: int | None = None
    is_warm: bool = False
    """Whether all it needs is imported here, so that it can be forked off."""
    process: Process | None = None
    restarts: int = -1
    started_at: str = ""
    young_deaths: int = 0
    due_s: float = field(default=0.0)
    _born_s: float = 0.0

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def warm(self) -> Exception | SystemExit | None:
        """Import here what it needs; what keeps that from being done will keep its own process from it as well."""
        try:
            warm(self.arguments[0])
        except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a broken installation may raise
            return error
        self.is_warm = True
        return None

    def start(self) -> None:
        """Start the process; its output goes to its log."""
        try:
            with open(self.log, "ab") as output:
                start = self._forked if self.is_warm and can_fork() else self._afresh
                self.process = start(output.fileno())
        except OSError:  # no memory, no process, no descriptor is left just now
            self.young_deaths += 1
            self.due_s = time.monotonic() + _LONGEST_PAUSE_S
            raise
        self.restarts += 1
        self._born_s = time.monotonic()
        self.started_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _forked(self, output: int) -> Process:
        return Forked.start(
            self.arguments,
            name=f"mlalm-{self.role}",
            output=output,
            cwd=self.cwd,
            environ=self.environ,
            descriptors=self.descriptors,
        )

    def _afresh(self, output: int) -> Process:
        parent = os.getpid()

        def settle() -> None:
            # the supervisor waits for its signals blocked, and a mask is inherited
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            die_with(parent)

        return subprocess.Popen(
            [sys.executable, "-P", "-m", *self.arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=self.cwd,
            env=dict(self.environ),
            pass_fds=self.descriptors,
            # the supervisor is in no other thread just now, which is what makes this safe
            preexec_fn=settle,
        )

    def has_ended(self) -> int | None:
        """The exit status of a process that just ended; the next one is then due."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        now = time.monotonic()
        self.process = None
        if now - self._born_s > _YOUNG_S:
            self.young_deaths = 0
            self.due_s = now
        else:
            self.young_deaths += 1
            pause_s = _FIRST_PAUSE_S * 2 ** (self.young_deaths - 2) if self.young_deaths > 1 else 0.0
            self.due_s = now + min(pause_s, _LONGEST_PAUSE_S)
        return status

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)


def how_it_ended(status: int) -> str:
    """An exit status in words.

    >>> how_it_ended(-9)
    'was ended by SIGKILL'
    """
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
