"""Jobs in the catalog: held by one owner at a time, ended once, never lost."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mlalm_jupyter.adapters.catalog import SqlCatalog
from mlalm_jupyter.domain.errors import IllegalStatusChange, InvalidInput, NotFound
from mlalm_jupyter.domain.job import Job, JobState, Lease
from mlalm_jupyter.ports import Catalog
from tests.contract.catalog_nouns import CLOCK, at, job


def added(catalog: Catalog, *jobs: Job) -> None:
    with catalog.write() as tx:
        for each in jobs:
            tx.jobs.add(each)


def claimed(catalog: Catalog, owner: str = "w1", *, limit: int = 1, now_s: float = 100.0) -> list[Job]:
    with catalog.write() as tx:
        return tx.jobs.claim(owner, limit=limit, now_s=now_s, lease_s=15.0, at=at(1))


def lease_of(job: Job) -> Lease:
    assert job.owner is not None
    return Lease(job.id, job.owner, job.attempt)


def finished(catalog: Catalog, lease: Lease, state: JobState = JobState.FINISHED) -> bool:
    with catalog.write() as tx:
        return tx.jobs.finish(lease, state, at=at(9), result={"by": lease.attempt}, cause=None)


def now(catalog: Catalog, job: Job) -> Job:
    with catalog.read() as tx:
        return tx.jobs.get(job.id)


def test_a_job_comes_back_as_it_was_kept(catalog: Catalog) -> None:
    queued = job()
    ended = job(
        state=JobState.FAILED,
        attempt=2,
        max_attempts=3,
        owner="w1",
        lease_until=1234.567891,
        cancel_requested=True,
        progress={"cells_done": 1},
        result={"run": "x", "models": []},
        cause="no",
        started_at=at(1),
        ended_at=at(2),
    )
    added(catalog, queued, ended)
    assert now(catalog, queued) == queued
    assert now(catalog, ended) == ended


def test_jobs_are_listed_newest_first(catalog: Catalog) -> None:
    jobs = [job(second) for second in (30, 20, 10)]
    added(catalog, *reversed(jobs))
    claimed(catalog)
    with catalog.read() as tx:
        assert [each.id for each in tx.jobs.find()] == [each.id for each in jobs]
        assert [each.id for each in tx.jobs.find(limit=1)] == [jobs[0].id]
        assert [each.id for each in tx.jobs.find(state=JobState.RUNNING)] == [jobs[2].id]
        assert [each.id for each in tx.jobs.find(state=JobState.QUEUED)] == [jobs[0].id, jobs[1].id]


def test_a_claim_takes_the_oldest_jobs_and_raises_their_attempt(catalog: Catalog) -> None:
    first, second, third = (job(second) for second in (1, 2, 3))
    added(catalog, third, first, second)
    taken = claimed(catalog, limit=2)
    assert [each.id for each in taken] == [first.id, second.id]
    assert taken[0] == replace(
        first, state=JobState.RUNNING, owner="w1", attempt=1, lease_until=115.0, started_at=at(1)
    )
    assert taken[0] == now(catalog, first)
    assert [each.id for each in claimed(catalog, "w2", limit=5)] == [third.id]
    assert claimed(catalog, "w3", limit=5) == []


def test_one_named_job_is_adopted_once(catalog: Catalog) -> None:
    queued = job()
    added(catalog, queued)
    with catalog.write() as tx:
        lease = tx.jobs.adopt(queued.id, "caller", now_s=100.0, lease_s=15.0, at=at(1))
    assert lease == Lease(queued.id, "caller", 1)
    assert now(catalog, queued).state is JobState.RUNNING
    with pytest.raises(IllegalStatusChange) as caught, catalog.write() as tx:
        tx.jobs.adopt(queued.id, "late", now_s=100.0, lease_s=15.0, at=at(1))
    assert str(caught.value).startswith(f"Job '{queued.id[:12]}' did not become Running. It is Running")
    with pytest.raises(NotFound), catalog.write() as tx:
        tx.jobs.adopt(CLOCK.new_id(), "caller", now_s=100.0, lease_s=15.0, at=at(1))


def test_a_heartbeat_keeps_the_lease_of_its_holder_only(catalog: Catalog) -> None:
    added(catalog, job())
    (held,) = claimed(catalog)
    lease = lease_of(held)
    with catalog.write() as tx:
        assert tx.jobs.heartbeat(lease, now_s=110.0, lease_s=15.0)
        assert not tx.jobs.heartbeat(replace(lease, owner="w2"), now_s=500.0, lease_s=15.0)
        assert not tx.jobs.heartbeat(replace(lease, attempt=2), now_s=500.0, lease_s=15.0)
        assert not tx.jobs.heartbeat(replace(lease, job_id=CLOCK.new_id()), now_s=500.0, lease_s=15.0)
    assert now(catalog, held).lease_until == 125.0
    assert finished(catalog, lease)
    with catalog.write() as tx:
        assert not tx.jobs.heartbeat(lease, now_s=500.0, lease_s=15.0)


def test_progress_is_told_by_the_holder_only(catalog: Catalog) -> None:
    added(catalog, job())
    (held,) = claimed(catalog)
    with catalog.write() as tx:
        assert tx.jobs.progress(lease_of(held), {"cells_done": 1, "cell_current": None})
        assert not tx.jobs.progress(replace(lease_of(held), owner="w2"), {"cells_done": 9})
    assert now(catalog, held).progress == {"cells_done": 1, "cell_current": None}


def test_an_end_is_recorded_once(catalog: Catalog) -> None:
    added(catalog, job())
    (held,) = claimed(catalog)
    assert finished(catalog, lease_of(held))
    assert not finished(catalog, lease_of(held), JobState.FAILED)
    ended = now(catalog, held)
    assert (ended.state, ended.result, ended.ended_at) == (JobState.FINISHED, {"by": 1}, at(9))
    assert (ended.owner, ended.lease_until) == ("w1", None)


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING])
def test_a_job_cannot_end_in_a_state_that_is_no_end(catalog: Catalog, state: JobState) -> None:
    added(catalog, job())
    (held,) = claimed(catalog)
    with pytest.raises(InvalidInput, match="a state that is final"):
        finished(catalog, lease_of(held), state)


def test_a_zombie_cannot_end_what_another_attempt_holds(catalog: Catalog) -> None:
    added(catalog, job(max_attempts=2))
    (lost,) = claimed(catalog, "w1")
    with catalog.write() as tx:
        (back,) = tx.jobs.release("w1", at=at(3))
    assert (back.state, back.owner, back.attempt) == (JobState.QUEUED, None, 1)
    assert not finished(catalog, lease_of(lost)), "while it waits for another owner"
    (again,) = claimed(catalog, "w1")
    assert again.attempt == 2
    assert not finished(catalog, lease_of(lost)), "not even under the same owner's name"
    with catalog.write() as tx:
        assert not tx.jobs.progress(lease_of(lost), {"cells_done": 99})
    assert finished(catalog, lease_of(again))
    assert now(catalog, again).result == {"by": 2}


def test_jobs_of_a_dead_owner_go_back_while_attempts_are_left(catalog: Catalog) -> None:
    again, last, unwanted, other = (
        job(1, max_attempts=2),
        job(2, max_attempts=1),
        job(3, max_attempts=5),
        job(4),
    )
    added(catalog, again, last, unwanted, other)
    claimed(catalog, "dead", limit=3)
    claimed(catalog, "alive")
    with catalog.write() as tx:
        tx.jobs.request_cancel(unwanted.id, at=at(2))
    with catalog.write() as tx:
        assert tx.jobs.owners() == ["alive", "dead"]
        released = tx.jobs.release("dead", at=at(5))
        assert tx.jobs.release("dead", at=at(6)) == []
        assert tx.jobs.owners() == ["alive"]
    assert {each.id: each.state for each in released} == {
        again.id: JobState.QUEUED,
        last.id: JobState.FAILED,
        unwanted.id: JobState.CANCELED,
    }
    assert released == [now(catalog, each) for each in released]
    failed = now(catalog, last)
    assert (failed.ended_at, failed.cause) == (at(5), "The process that ran it is gone.")
    assert now(catalog, again).ended_at is None
    assert now(catalog, other).owner == "alive"


def test_a_lease_that_ran_out_names_its_owner(catalog: Catalog) -> None:
    added(catalog, job(1), job(2), job(3))
    claimed(catalog, "early", limit=2, now_s=100.0)
    claimed(catalog, "late", now_s=200.0)
    with catalog.read() as tx:
        assert tx.jobs.expired(now_s=114.9) == []
        assert tx.jobs.expired(now_s=115.1) == ["early"]
        assert tx.jobs.expired(now_s=216.0) == ["early", "late"]


def test_cancelling_a_queued_job_ends_it_at_once(catalog: Catalog) -> None:
    queued = job()
    added(catalog, queued)
    with catalog.write() as tx:
        canceled = tx.jobs.request_cancel(queued.id, at=at(4))
    assert (canceled.state, canceled.ended_at) == (JobState.CANCELED, at(4))
    assert claimed(catalog) == []


def test_cancelling_a_running_job_asks_its_holder(catalog: Catalog) -> None:
    added(catalog, job())
    (held,) = claimed(catalog)
    with catalog.write() as tx:
        asked = tx.jobs.request_cancel(held.id, at=at(4))
    assert asked == replace(held, cancel_requested=True)
    assert finished(catalog, lease_of(held), JobState.CANCELED)


def test_cancelling_what_has_ended_changes_nothing(catalog: Catalog) -> None:
    added(catalog, job())
    (held,) = claimed(catalog)
    finished(catalog, lease_of(held))
    before = now(catalog, held)
    with catalog.write() as tx:
        assert tx.jobs.request_cancel(held.id, at=at(8)) == before
        with pytest.raises(NotFound, match="mlalm job list"):
            tx.jobs.request_cancel("dead" * 8, at=at(8))


def test_a_job_is_found_by_the_beginning_of_its_id(catalog: Catalog) -> None:
    queued = job()
    added(catalog, queued)
    with catalog.read() as tx:
        assert tx.jobs.get(queued.id[:8]) == queued


CLAIMING = """
import json, sys
from mlalm_jupyter.adapters.catalog import SqlCatalog
from mlalm_jupyter.domain.job import JobState, Lease

path, owner = sys.argv[1:]
catalog = SqlCatalog.open(path, workspace_path=".")
done = []

def claim():
    with catalog.write() as tx:
        return tx.jobs.claim(owner, limit=1, now_s=1.0, lease_s=15.0, at="t")

jobs = claim()
print("holds one", flush=True)
sys.stdin.readline()
while jobs:
    for job in jobs:
        lease = Lease(job.id, owner, job.attempt)
        with catalog.write() as tx:
            assert tx.jobs.finish(lease, JobState.FINISHED, at="t", result={"by": owner}, cause=None)
        done.append(job.id)
    jobs = claim()
print(json.dumps(done))
"""


def test_jobs_claimed_by_four_processes_are_each_done_once(file_catalog: SqlCatalog, tmp_path: Path) -> None:
    jobs = [job() for _ in range(200)]
    added(file_catalog, *jobs)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMING, str(tmp_path / "catalog.sqlite"), f"w{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "holds one\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    done = [json.loads(worker.communicate(timeout=60)[0]) for worker in workers]
    assert sorted(itertools.chain(*done)) == sorted(each.id for each in jobs)
    assert all(done), "each worked"
    with file_catalog.read() as tx:
        ended = tx.jobs.find(state=JobState.FINISHED)
    assert {each.attempt for each in ended} == {1}
    assert {each.id: each.result for each in ended} == {
        key: {"by": f"w{number}"} for number, keys in enumerate(done) for key in keys
    }
