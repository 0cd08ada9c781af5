"""Limits and stops as callers meet them, on a real server with two scorers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from mlalm_jupyter.domain.errors import Unavailable
from mlalm_jupyter.domain.projection import Projection
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema, Table
from mlalm_jupyter.scoring.calls import CallTable
from mlalm_jupyter.scoring.generation import Generation
from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.local_host import LocalHost
from tests.contract.served import ROWS, Fixed, Handmade, call

pytestmark = pytest.mark.prove_services
WAIT_S = 60
HOLDING = """
import os, time

def hold(rows):
    deadline = time.monotonic() + 60
    while not os.path.exists({door!r}) and time.monotonic() < deadline:
        time.sleep(0.01)
    return rows.assign(total=rows["age"] + rows["hours"])[["total"]]
"""


class Stage:
    """A server with an endpoint whose calls wait until a file is there, and a quick one."""

    def __init__(self, folder: Path) -> None:
        self.host = LocalHost(Home(folder / "home"))
        self.made = Handmade(folder / "ws")
        self.door = folder / "door"
        self.door.touch()
        total = Schema((Column("total", ColumnType.DOUBLE),))
        code = self.made.code(HOLDING.format(door=str(self.door)), "hold", outputs=total)
        self.slow = self.made.go_live(self.host, "slow/default", code)
        self.quick = self.made.go_live(self.host, "quick/default", self.made.model(Fixed(1)))

    def set(self, reference: str, **facts: object) -> None:
        before = self.made.endpoints[reference]
        self.made.endpoints[reference] = replace(before, **facts)  # type: ignore[arg-type]
        self.host.publish(self.made.id, self.made.projection)

    def inside(self) -> int:
        """The calls that the slow endpoint answers now."""
        generation = Generation(self.host.home.generation)
        table = CallTable(self.host.home.calls, generation, 0)
        found = table.calls_of(self.made.endpoints["slow/default"].id)
        table.close()
        generation.close()
        return found

    def until(self, inside: int) -> None:
        deadline = time.monotonic() + WAIT_S
        while self.inside() != inside:
            assert time.monotonic() < deadline, f"{self.inside()} calls are inside, not {inside}"
            time.sleep(0.01)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("limits"))
    yield made
    made.host.stop()


@pytest.fixture
def shut(stage: Stage) -> Iterator[Stage]:
    """The same with the door shut; it opens at the end, so that nothing waits for ever."""
    stage.door.unlink()
    yield stage
    stage.door.touch()
    stage.set("slow/default", max_concurrent_calls=None, state="running")


def refused(answer: requests.Response, cause: str) -> str:
    """Check that it is the documented 503 with a time to wait; its message."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    error = answer.json()["error"]
    assert error["code"] == "ServiceUnavailable"
    (detail,) = error["details"]
    assert detail["code"] == cause
    return str(detail["message"])


def test_above_its_limit_an_endpoint_asks_to_come_again_over_all_scorers(shut: Stage) -> None:
    shut.set("slow/default", max_concurrent_calls=4)
    waiting: list[Future[requests.Response]] = []
    with ThreadPoolExecutor(30) as pool:
        try:
            for number in range(4):
                waiting.append(pool.submit(call, shut.slow))
                shut.until(number + 1)
            more = list(pool.map(lambda _: call(shut.slow), range(20)))
            for answer in more:
                assert "answers 4 calls at once" in refused(answer, "RequestThrottled")
            assert call(shut.slow, key="wrong").status_code == 401, "the key comes first"
            shut.until(4)
        finally:
            shut.door.touch()
        assert [one.result(WAIT_S).status_code for one in waiting] == [200] * 4
    shut.until(0)
    assert call(shut.slow).status_code == 200


def test_a_limit_that_is_taken_off_or_widened_acts_at_once(shut: Stage) -> None:
    shut.set("slow/default", max_concurrent_calls=1)
    with ThreadPoolExecutor(3) as pool:
        try:
            first = pool.submit(call, shut.slow)
            shut.until(1)
            refused(call(shut.slow), "RequestThrottled")
            shut.set("slow/default", max_concurrent_calls=2)
            second = pool.submit(call, shut.slow)
            shut.until(2)
            refused(call(shut.slow), "RequestThrottled")
            shut.set("slow/default", max_concurrent_calls=None)
            third = pool.submit(call, shut.slow)
        finally:
            shut.door.touch()
        assert [one.result(WAIT_S).status_code for one in (first, second, third)] == [200] * 3
    shut.until(0)


def test_a_call_that_fails_gives_its_place_back(stage: Stage) -> None:
    stage.set("slow/default", max_concurrent_calls=1)
    for _ in range(5):
        assert call(stage.slow, {"Inputs": {}}).status_code == 400
    assert call(stage.slow).status_code == 200
    stage.set("slow/default", max_concurrent_calls=None)


def test_the_places_of_a_killed_scorer_are_free_again(shut: Stage) -> None:
    shut.set("slow/default", max_concurrent_calls=2)

    def lost() -> None:
        with contextlib.suppress(requests.ConnectionError):
            call(shut.slow)

    threads = [threading.Thread(target=lost) for _ in range(2)]
    for number, thread in enumerate(threads):
        thread.start()
        shut.until(number + 1)
    scorers = [one for one in shut.host.status().processes if one.role.startswith("scorer")]
    for scorer in scorers:
        os.kill(scorer.pid, signal.SIGKILL)
    for thread in threads:
        thread.join(WAIT_S)
    shut.until(0)
    shut.door.touch()
    deadline = time.monotonic() + WAIT_S
    while not shut.host.scorers.are_up():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert call(shut.slow).status_code == 200
    shut.until(0)


def test_a_stopped_service_says_so_to_its_own_callers_alone_and_comes_back_as_it_was(stage: Stage) -> None:
    before = call(stage.quick)
    stage.set("quick/default", state="stopped")
    assert call(stage.quick, key="wrong").status_code == 401
    said = refused(call(stage.quick), "WebServiceStopped")
    assert "`mlalm service start quick`" in said
    assert "Whoever may write to its workspace" in said
    with pytest.raises(Unavailable, match=r"stopped.*service start quick"):
        stage.host.score(stage.quick, "primary-key", {"input1": _table()})
    assert call(stage.slow).status_code == 200, "others answer"
    stage.set("quick/default", state="running")
    after = call(stage.quick)
    assert (after.status_code, after.content) == (200, before.content)


def _table() -> Table:
    return Table(tuple(ROWS.columns), tuple(map(tuple, ROWS.to_numpy(dtype=object).tolist())))


def test_a_projection_from_before_there_were_limits_still_reads(stage: Stage) -> None:
    told = json.loads(json.dumps(stage.made.projection().to_dict()))
    for endpoint in told["endpoints"]:
        del endpoint["state"], endpoint["max_concurrent_calls"]
    found = Projection.from_dict(told).endpoints
    assert {(one.state, one.max_concurrent_calls) for one in found} == {("running", None)}
