"""Transactions of the catalog: whole or not at all, one view each, over threads, processes and forks."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mlalm_jupyter.adapters.catalog import SqlCatalog, migrations
from mlalm_jupyter.domain.errors import Conflict, Unavailable
from mlalm_jupyter.ports import Catalog
from tests.contract.catalog_nouns import at, dataset, deployed, event, experiment, job, model, run


def events_in(catalog: Catalog) -> int:
    with catalog.read() as tx:
        return len(tx.events.find())


def test_a_write_that_fails_keeps_nothing(catalog: Catalog) -> None:
    def add_and_fail() -> None:
        with catalog.write() as tx:
            tx.models.add(model(version=tx.models.next_version("churn")))
            tx.datasets.add(dataset())
            tx.events.append(event())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()
    with catalog.read() as tx:
        assert (tx.models.find(), tx.datasets.find(), tx.events.find()) == ([], [], [])


def test_a_write_that_the_database_refuses_keeps_nothing_and_harms_nobody(catalog: Catalog) -> None:
    def add_an_orphan() -> None:
        with catalog.write() as tx:
            tx.events.append(event())
            tx.runs.add(run(experiment()))

    with pytest.raises(Conflict):
        add_an_orphan()
    assert events_in(catalog) == 0
    with catalog.write() as tx:
        tx.events.append(event())
    assert events_in(catalog) == 1


def test_a_write_sees_what_it_wrote(catalog: Catalog) -> None:
    with catalog.write() as tx:
        tx.models.add(model())
        assert len(tx.models.find()) == 1


def test_a_write_inside_a_write_is_refused_and_not_stuck(catalog: Catalog) -> None:
    with catalog.write() as tx:
        tx.events.append(event())
        with pytest.raises(Conflict) as caught, catalog.write():
            pass
    assert str(caught.value) == (
        "The change was not begun. The same thread is in the middle of another one. "
        "Finish that first, or make both in one transaction."
    )
    assert events_in(catalog) == 1


def test_reads_may_hold_reads_and_writes(catalog: Catalog) -> None:
    with catalog.read() as outer:
        with catalog.read() as inner:
            assert inner.info.id == outer.info.id
        with catalog.write() as tx:
            tx.events.append(event())
    assert events_in(catalog) == 1


def test_a_read_keeps_its_view_while_others_write(file_catalog: SqlCatalog) -> None:
    with file_catalog.read() as tx:
        with file_catalog.write() as writing:
            writing.events.append(event())
        assert tx.events.find() == []
        assert events_in(file_catalog) == 1
        assert tx.info.counts["models"] == 0


def test_a_read_does_not_see_what_is_not_finished(file_catalog: SqlCatalog) -> None:
    with file_catalog.write() as tx:
        tx.events.append(event())
        assert events_in(file_catalog) == 0
    assert events_in(file_catalog) == 1


def test_writing_in_a_read_is_refused(file_catalog: SqlCatalog) -> None:
    with pytest.raises(Conflict) as caught, file_catalog.read() as tx:
        tx.events.append(event())
    assert caught.value.why == "It was tried in a transaction that only reads."
    assert events_in(file_catalog) == 0


def test_readers_and_writers_of_many_threads_do_not_fail(catalog: Catalog) -> None:
    def work(number: int) -> None:
        for _ in range(25):
            with catalog.write() as tx:
                tx.events.append(event(subject_id=str(number)))
            with catalog.read() as tx:
                assert tx.events.find(subject_id=str(number))

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(work, range(12)))
    assert events_in(catalog) == 300


REGISTERING = """
import sys
from mlalm_jupyter.adapters.catalog import SqlCatalog
from tests.contract.catalog_nouns import model

catalog = SqlCatalog.open(sys.argv[1], workspace_path=".")
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    with catalog.write() as tx:
        tx.models.add(model("churn", tx.models.next_version("churn")))
"""


def test_two_processes_that_register_one_name_leave_no_gap(file_catalog: SqlCatalog, tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", REGISTERING, str(tmp_path / "catalog.sqlite"), "50"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    for process in processes:
        process.communicate(timeout=5)
    with file_catalog.read() as tx:
        assert [one.version for one in tx.models.find(name="churn")] == list(range(1, 101))


FORKING = """
import glob, os, sys, threading, time

inherited = []
os.register_at_fork(after_in_child=lambda: inherited.extend(map(os.path.realpath, glob.glob("/proc/self/fd/*"))))

from mlalm_jupyter.adapters.catalog import SqlCatalog
from mlalm_jupyter.domain.errors import Unavailable
from tests.contract.catalog_nouns import event

path = sys.argv[1]
catalog = SqlCatalog.open(path, workspace_path=".")

def add(by, number=1):
    for _ in range(number):
        with catalog.write() as tx:
            tx.events.append(event(by=by))

def count():
    with catalog.read() as tx:
        return len(tx.events.find())

def in_child(work):
    child = os.fork()
    if child:
        return child
    try:
        work()
    except BaseException as error:
        print(repr(error), flush=True)
        os._exit(1)
    os._exit(0)

def is_well(child):
    return os.waitpid(child, 0)[1] == 0
"""
IDLE = """
add("parent")
assert count() == 1

def work():
    assert not [file for file in inherited if file.startswith(path)], inherited
    assert count() >= 1
    add("child", 30)

child = in_child(work)
add("parent", 30)
assert is_well(child)
assert count() == 61, count()
assert catalog.faults() == []
"""
WHILE_ANOTHER_THREAD_WRITES = """
writing = threading.Event()

def write():
    with catalog.write() as tx:
        tx.events.append(event(by="thread"))
        writing.set()
        time.sleep(0.3)

thread = threading.Thread(target=write)
thread.start()
writing.wait(20)
assert is_well(in_child(lambda: add("child")))
thread.join(20)
with catalog.read() as tx:
    assert [one.by for one in tx.events.find()] == ["thread", "child"]
"""
INSIDE_A_TRANSACTION = """
def work():
    for use in (count, lambda: add("child"), lambda: SqlCatalog.open(path, workspace_path=".")):
        try:
            use()
        except Unavailable as error:
            assert "forked off in the middle of a transaction" in error.why, error
        else:
            raise AssertionError("it was used")

with catalog.write() as tx:
    tx.events.append(event(by="before"))
    child = in_child(work)
    assert is_well(child)
    tx.events.append(event(by="after"))
with catalog.read() as tx:
    assert [one.by for one in tx.events.find()] == ["before", "after"]
    assert is_well(in_child(work))
    assert len(tx.events.find()) == 2
assert is_well(in_child(lambda: add("child")))
assert count() == 3
assert catalog.faults() == []
"""


@pytest.mark.parametrize(
    "story",
    [IDLE, WHILE_ANOTHER_THREAD_WRITES, INSIDE_A_TRANSACTION],
    ids=["idle", "while another thread writes", "inside a transaction"],
)
def test_a_fork_and_its_parent_do_each_other_no_harm(
    file_catalog: SqlCatalog, tmp_path: Path, story: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING + story, str(tmp_path / "catalog.sqlite")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    assert file_catalog.faults() == []


def test_a_file_that_was_put_in_the_place_of_ours_is_noticed(tmp_path: Path) -> None:
    paths = [tmp_path / "catalog.sqlite", tmp_path / "other.sqlite"]
    ours, other = (
        SqlCatalog.create(path, workspace_id=name * 32, workspace_path=tmp_path, at=at(0))
        for path, name in zip(paths, "ab", strict=True)
    )
    with ours.write() as tx:
        tx.events.append(event())
    other.close()
    os.replace(paths[1], paths[0])
    for beside in ("-wal", "-shm"):
        (tmp_path / f"catalog.sqlite{beside}").unlink()
    with ours.read() as tx:
        assert tx.info.id == "b" * 32
    with ours.write() as tx:
        tx.events.append(event())
    ours.close()
    again = SqlCatalog.open(paths[0], workspace_path=tmp_path)
    with again.read() as tx:
        assert [one.seq for one in tx.events.find()] == [1]
    assert again.faults() == []
    again.close()


def test_a_file_that_is_gone_is_said_to_be(file_catalog: SqlCatalog, tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    assert events_in(file_catalog) == 0
    path.unlink()
    with pytest.raises(Unavailable) as caught, file_catalog.write() as tx:
        tx.events.append(event())
    assert str(caught.value) == (
        f"The catalog '{path}' was not used. That file does not exist any more. Restore it from a copy."
    )
    assert not path.exists()


def test_a_closed_catalog_opens_again_when_it_is_used(file_catalog: SqlCatalog, tmp_path: Path) -> None:
    with file_catalog.write() as tx:
        tx.events.append(event())
    file_catalog.close()
    assert [path.name for path in tmp_path.iterdir()] == ["catalog.sqlite"]
    assert events_in(file_catalog) == 1


def test_the_workspace_says_what_it_holds(catalog: Catalog, tmp_path: Path) -> None:
    churn = model()
    deployed(catalog, "churn", churn, endpoints=("ep2",))
    of, work = experiment(), job()
    with catalog.write() as tx:
        tx.models.add(churn)
        tx.datasets.add(dataset())
        tx.datasets.add(dataset(version=2))
        tx.experiments.add(of)
        tx.jobs.add(work)
        tx.runs.add(run(of, job_id=work.id))
    with catalog.read() as tx:
        info = tx.info
    assert (info.id, info.path, info.schema) == (
        "0193ab00000070008000000000000001",
        str(tmp_path),
        migrations.REVISIONS[-1],
    )
    assert info.created_at == "2026-01-01T00:00:00.000000Z"
    assert info.counts == {
        "datasets": 2,
        "transforms": 0,
        "models": 1,
        "experiments": 1,
        "runs": 1,
        "triggers": 0,
        "services": 1,
        "endpoints": 2,
        "jobs": 1,
    }


def test_a_whole_catalog_has_no_faults(catalog: Catalog) -> None:
    deployed(catalog, "churn", model())
    assert catalog.faults() == []
