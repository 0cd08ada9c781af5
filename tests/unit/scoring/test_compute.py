"""The thread beside the loop."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from mlalm_jupyter.domain.errors import ScoringFailed
from mlalm_jupyter.scoring.compute import Worker


def test_jobs_run_one_after_the_other_away_from_the_loop() -> None:
    async def story() -> None:
        worker = Worker("w", asyncio.get_running_loop())
        seen: list[int] = []
        await asyncio.gather(*(worker.run(seen.append, number) for number in range(100)))
        assert seen == list(range(100))
        assert await worker.run(threading.get_ident) != threading.get_ident()

    asyncio.run(asyncio.wait_for(story(), 20))


@pytest.mark.parametrize(
    "leave", [lambda: sys.exit(3), lambda: next(iter(())), lambda: (_ for _ in ()).throw(KeyboardInterrupt)]
)
def test_what_would_end_a_loop_reaches_the_caller_as_a_failure(leave: object) -> None:
    async def story() -> None:
        worker = Worker("w", asyncio.get_running_loop())
        with pytest.raises(ScoringFailed, match="It raised"):
            await worker.run(leave)  # type: ignore[arg-type]  # each is called without arguments
        assert await worker.run(lambda: "goes on") == "goes on"

    asyncio.run(asyncio.wait_for(story(), 20))


def test_a_job_whose_caller_went_away_before_it_began_is_not_done() -> None:
    async def story() -> None:
        worker = Worker("w", asyncio.get_running_loop())
        gate = threading.Event()
        first = worker.run(gate.wait, 20)
        done: list[int] = []
        second = worker.run(done.append, 1)
        second.cancel()
        gate.set()
        await first
        await worker.run(lambda: None)
        assert done == []

    asyncio.run(asyncio.wait_for(story(), 20))


def test_a_successor_does_what_a_stuck_thread_never_began() -> None:
    async def story() -> None:
        worker = Worker("w", asyncio.get_running_loop())
        gate = threading.Event()
        stuck = worker.run(gate.wait, 20)
        waiting = worker.run(lambda: "done")
        while not worker.busy_s():
            await asyncio.sleep(0.001)
        worker.successor()
        assert await waiting == "done"
        gate.set()
        await stuck

    asyncio.run(asyncio.wait_for(story(), 20))
