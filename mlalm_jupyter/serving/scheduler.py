"""When a worker has to look at the triggers of a workspace: as one is due, and when the catalog has changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime

from mlalm_jupyter.domain.trigger import Firing, FiringOutcome
from mlalm_jupyter.workspace import Workspace

_CLOSE_S = 5.0


class Scheduler:
    """Starts what the triggers of one workspace ask for.

    Between two due times a look costs one reading of the clock. Snapshots are taken in a thread: they may hash large
    files, and the worker has leases to keep meanwhile.
    """

    def __init__(self, workspace: Workspace, *, say: Callable[[str], None]) -> None:
        self._workspace = workspace
        self._say = say
        self._due_s = 0.0
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="triggers")
        self._work: Future[list[Firing]] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether it is doing something now, for which it may have started processes."""
        return self._work is not None and not self._work.done()

    def look(self, *, is_changed: bool) -> bool:
        """Begin what is due, and tell what has been done; whether there was any of that."""
        if self.is_busy:
            return False
        was_at_work = self._work is not None
        if was_at_work:
            self._due_s = 0.0
            self._tell()
        if not is_changed and self._workspace.clock.time_s() < self._due_s:
            return was_at_work
        self._due_s = 0.0  # if this fails, it is done again
        next_at = self._workspace.timekeeper.next_due_at()
        due_s = math.inf if next_at is None else datetime.fromisoformat(next_at).timestamp()
        is_due = due_s <= self._workspace.clock.time_s()
        if is_due:
            self._work = self._threads.submit(self._workspace.timekeeper.look)
        self._due_s = due_s
        return was_at_work or is_due

    def close(self) -> None:
        """Let what is being done come to its end, unless that takes long."""
        if self._work is not None:
            wait([self._work], timeout=_CLOSE_S)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _tell(self) -> None:
        work, self._work = self._work, None
        for firing in work.result() if work is not None else ():
            told = f"run {firing.run_id[:12]} was queued" if firing.run_id else firing.reason
            how = "" if firing.outcome is FiringOutcome.STARTED else f"{firing.outcome}: "
            self._say(f"trigger {firing.trigger_id[:12]}, due {firing.due_at}: {how}{told}")
