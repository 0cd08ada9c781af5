"""One thread that works beside the event loop, so that the loop never waits for a model."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from mlalm_jupyter.domain.errors import ScoringFailed

P = ParamSpec("P")
T = TypeVar("T")
_Entry = tuple[asyncio.Future[Any], Callable[[], Any]]


class Worker:
    """A thread and its queue; jobs run one after the other and are awaited on the loop.

    Leaner than an executor: no futures of two kinds, no locks beyond the queue's.
    """

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self.name = name
        self._loop = loop
        self._jobs: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._busy_since: float | None = None
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Queue a job; its result or its exception comes through the future."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put((future, lambda: job(*args, **kwargs)))
        return future

    def busy_s(self) -> float:
        """How long the present job has been running."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def successor(self) -> Worker:
        """A fresh thread that takes over the jobs which have not begun."""
        fresh = Worker(self.name, self._loop)
        while True:
            try:
                fresh._jobs.put(self._jobs.get_nowait())
            except queue.Empty:
                self._jobs.put(None)
                return fresh

    def _work(self) -> None:
        while (entry := self._jobs.get()) is not None:
            future, job = entry
            if future.cancelled():
                continue
            self._busy_since = time.monotonic()
            try:
                result = job()
            except BaseException as error:  # noqa: BLE001  # a thread's outermost frame; the awaiter gets it
                self._deliver(future, None, _carried(error))
            else:
                self._deliver(future, result, None)
            self._busy_since = None

    def _deliver(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        try:
            self._loop.call_soon_threadsafe(_settle, future, result, error)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more


def _carried(error: BaseException) -> Exception:
    """An error as a future can carry it: `sys.exit()` in a service's code must not end the loop."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return ScoringFailed(
        "the service's code",
        why=f"It raised {type(error).__name__}: {error}.",
        fix="Take that out of the code, which may not end the process it runs in, and deploy it again.",
    )


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
