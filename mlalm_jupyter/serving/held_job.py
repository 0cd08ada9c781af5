"""A job that a worker holds: its process, its lease, and how it is stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from mlalm_jupyter.adapters import descendants
from mlalm_jupyter.domain.job import Lease
from mlalm_jupyter.serving.job_process import LONGEST_WORDS
from mlalm_jupyter.serving.known_workspaces import KnownWorkspace

_PATIENCE_S = 5.0
"""How long a job's process may take to end what it started before it is killed."""
_SWEEP_GRACE_S = 0.5


@dataclass
class HeldJob:
    """One attempt at one job, in a process of its own."""

    known: KnownWorkspace
    lease: Lease
    process: subprocess.Popen[bytes]
    beat_due_s: float
    words: int = -1
    """Where its process says why it ends, when it cannot record that."""
    kill_at_s: float | None = None
    is_unwanted: bool = False
    _said: bytes = b""
    waits_for: tuple[str, ...] = ()
    """The jobs without whose end it does not go on; meanwhile it takes no slot from them."""

    @classmethod
    def start(cls, known: KnownWorkspace, lease: Lease, *, beat_due_s: float) -> HeldJob:
        """Start the process of a claimed job, in its own session, carrying the job's mark."""
        own = descendants.mark(lease.job_id, lease.attempt)
        command = [
            *(sys.executable, "-P", "-m", "mlalm_jupyter.serving.job_process"),
            *("--workspace", str(known.path), "--job", lease.job_id),
            *("--owner", lease.owner, "--attempt", str(lease.attempt), "--parent", str(os.getpid())),
        ]
        words, its_end = os.pipe()
        os.set_blocking(words, False)
        try:
            process = subprocess.Popen(
                [*command, "--words", str(its_end)],
                stdin=subprocess.DEVNULL,
                env={**os.environ, descendants.MARK: own},
                start_new_session=True,
                pass_fds=(its_end,),
            )
        except BaseException:
            os.close(words)
            raise
        finally:
            os.close(its_end)
        return cls(known, lease, process, beat_due_s, words)

    @property
    def last_words(self) -> str:
        """What its process said of its end, where it could not be recorded."""
        if self.words >= 0:
            with contextlib.suppress(OSError):
                self._said += os.read(self.words, LONGEST_WORDS)
            os.close(self.words)
            self.words = -1
        return self._said.decode(errors="replace")

    @property
    def mark(self) -> str:
        return descendants.mark(self.lease.job_id, self.lease.attempt)

    @property
    def is_stopping(self) -> bool:
        return self.kill_at_s is not None

    def stop(self) -> None:
        """Ask its process to end itself and all it started; it is killed when it does not."""
        if self.kill_at_s is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.send_signal(signal.SIGCONT)
            self.kill_at_s = time.monotonic() + _PATIENCE_S

    def expire(self) -> None:
        """Its end is recorded: its process has a while to go away by itself."""
        if self.kill_at_s is None:
            self.kill_at_s = time.monotonic() + 2 * _PATIENCE_S

    def exit_status(self) -> int | None:
        """How its process ended, None while it lives."""
        if self.kill_at_s is not None and time.monotonic() >= self.kill_at_s:
            descendants.end(mark=self.mark, root=self.process.pid, spare=[self.process.pid], grace_s=0.0)
            self.process.kill()
            self.kill_at_s = time.monotonic() + _PATIENCE_S
        return self.process.poll()

    def sweep(self) -> list[descendants.Process]:
        """End what its process left behind, if it could not do that itself."""
        return descendants.end(mark=self.mark, grace_s=_SWEEP_GRACE_S)
