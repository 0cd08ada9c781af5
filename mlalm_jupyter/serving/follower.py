"""When a worker has to move the endpoints that follow: as whoever should have done it is gone."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from mlalm_jupyter.workspace import Workspace

GRACE_S = 3.0
"""Who registers a model moves what follows it; only what is left undone for so long is done here."""
_LONGEST_REST_S = 300.0
_CLOSE_S = 5.0


class Follower:
    """Catches up with the policies of one workspace.

    It looks when the catalog has changed, and as it begins. Moves are made in a thread: scorers load models for them,
    and the worker has leases to keep meanwhile.
    """

    def __init__(self, workspace: Workspace, *, say: Callable[[str], None]) -> None:
        self._workspace = workspace
        self._say = say
        self._is_unseen = True
        self._behind: list[tuple[str, str]] = []
        self._due_s = math.inf
        self._rest_s = GRACE_S
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="policies")
        self._work: Future[list[str]] | None = None
        self._told: list[str] = []

    @property
    def is_busy(self) -> bool:
        """Whether it is doing something now, for which it may have started processes."""
        return self._work is not None and not self._work.done()

    def look(self, *, is_changed: bool) -> bool:
        """Begin what is left to do, and tell what has been done; whether there was any of that."""
        if self.is_busy:
            self._is_unseen |= is_changed
            return False
        was_at_work = self._work is not None
        if was_at_work:
            self._tell()
        if is_changed or self._is_unseen:
            self._is_unseen = True  # if this fails, it is done again
            self._see(self._workspace.following.behind())
            self._is_unseen = False
        is_due = self._due_s <= self._workspace.clock.time_s()
        if is_due:
            self._rest_s = min(self._rest_s * 2, _LONGEST_REST_S)
            self._due_s = self._workspace.clock.time_s() + self._rest_s
            self._work = self._threads.submit(self._workspace.following.catch_up)
        return was_at_work or is_due

    def close(self) -> None:
        """Let what is being done come to its end, unless that takes long."""
        if self._work is not None:
            wait([self._work], timeout=_CLOSE_S)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _see(self, behind: list[tuple[str, str]]) -> None:
        if behind == self._behind:
            return
        self._behind, self._rest_s = behind, GRACE_S
        self._due_s = self._workspace.clock.time_s() + self._rest_s if behind else math.inf

    def _tell(self) -> None:
        work, self._work = self._work, None
        self._is_unseen = True
        told = work.result() if work is not None else []
        for line in told:
            if line not in self._told:
                self._say(line)
        self._told = told
