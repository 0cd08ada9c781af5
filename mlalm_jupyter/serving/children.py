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

from mlalm_jupyter.scoring.lifeline import die_with

_YOUNG_S = 3.0
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0


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
    process: subprocess.Popen[bytes] | None = None
    restarts: int = -1
    started_at: str = ""
    young_deaths: int = 0
    due_s: float = field(default=0.0)
    _born_s: float = 0.0

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def start(self) -> None:
        """Start the process; its output goes to its log."""
        parent = os.getpid()

        def settle() -> None:
            # the supervisor waits for its signals blocked, and a mask is inherited
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            die_with(parent)

        command = [sys.executable, "-P", "-m", *self.arguments]
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.cwd,
                env=dict(self.environ),
                pass_fds=self.descriptors,
                # the supervisor has one thread, which is what makes this safe
                preexec_fn=settle,
            )
        self.restarts += 1
        self._born_s = time.monotonic()
        self.started_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

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
