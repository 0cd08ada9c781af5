"""Experiments and their history through a real server: snapshots, partial runs, pins, replay, deletion."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mlalm_jupyter.domain.errors import InUse, InvalidInput, NotFound, RunFailed, Unconfirmed
from mlalm_jupyter.domain.run import Run, RunStatus
from mlalm_jupyter.serving.worker import SLOTS
from mlalm_jupyter.workspace import Workspace

pytestmark = pytest.mark.prove_experiments

WAIT_S = 90.0
TRAIN = (
    ("depth = 2", ["parameters"]),
    ("%load_ext mlalm_jupyter\nfrom mlalm_jupyter import log_metric", []),
    ("rows = %dataset rides", ["ready"]),
    ("log_metric('auc', 0.5 + depth / 10)\nlog_metric('rows', len(rows))", []),
    ("assert depth < 5, 'too deep'", []),
)


def write(ws: Workspace, *cells: tuple[str, list[str]], name: str = "train.ipynb") -> str:
    made = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {"tags": tags},
            "source": text,
            "outputs": [],
            "execution_count": None,
        }
        for number, (text, tags) in enumerate(cells)
    ]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {"cells": made, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
    (ws.path / name).write_text(json.dumps(content))
    return name


def rides(ws: Workspace, rows: int) -> str:
    (ws.path / "rides.csv").write_text("hour\n" + "1\n" * rows)
    return ws.datasets.upload(str(ws.path / "rides.csv"), "rides").reference


@pytest.fixture
def train(hosted: Workspace) -> str:
    rides(hosted, 3)
    return write(hosted, *TRAIN)


def locked(runs: list[Run]) -> list[Run]:
    return [run for run in runs if not run.is_editable]


@contextmanager
def all_slots_taken(ws: Workspace) -> Iterator[None]:
    """Inside, whatever is queued waits, for every place is held by a run that waits for the end of this."""
    write(ws, ("import os, time\nwhile not os.path.exists('go'): time.sleep(0.02)", []), name="slow.ipynb")
    holding = [ws.experiments.run("slow.ipynb", wait=False) for _ in range(SLOTS)]
    deadline = time.monotonic() + WAIT_S
    try:
        while any(ws.runs.show(one.id).status is not RunStatus.RUNNING for one in holding):
            assert time.monotonic() < deadline, "nobody takes them"
            time.sleep(0.02)
        yield
    finally:
        (ws.path / "go").touch()


def test_a_run_keeps_what_it_pinned_measured_and_read(hosted: Workspace, train: str) -> None:
    run = hosted.experiments.run(train, parameters={"depth": 3}, message="deeper", tags={"kind": "try"})
    assert run.status is RunStatus.FINISHED
    assert run.findings.metrics == {"auc": 0.8, "rows": 3.0}
    assert run.findings.executed == (1, 2, 3, 4, 5)
    assert [(pin.told, pin.wanted) for pin in run.snapshot.assets] == [("dataset rides:1", "rides")]
    assert run.inputs == ("dataset rides:1",)
    assert (run.snapshot.message, run.tags) == ("deeper", {"kind": "try"})


def test_two_runs_of_an_unchanged_notebook_are_two_snapshots(hosted: Workspace, train: str) -> None:
    one, other = hosted.experiments.run(train), hosted.experiments.run(train)
    assert one.id != other.id
    assert one.snapshot.digest == other.snapshot.digest
    history = hosted.experiments.history(train)
    assert [run.is_editable for run in history] == [True, False, False]
    assert [run.id for run in history][1:] == [other.id, one.id]
    assert (history[0].status, history[0].path) == (RunStatus.DRAFT, train)


def test_a_part_is_run_up_to_its_tag(hosted: Workspace, train: str) -> None:
    run = hosted.experiments.run(train, to="ready")
    assert run.status is RunStatus.FINISHED_PARTIAL
    assert (run.findings.executed, run.snapshot.until) == ((1, 2, 3), "ready")
    assert run.findings.metrics == {}
    with pytest.raises(InvalidInput, match="Expected one code cell that carries it"):
        hosted.experiments.run(train, to="redy")


@pytest.mark.full
def test_a_failure_says_where_and_the_part_that_failed_is_one(hosted: Workspace, train: str) -> None:
    with pytest.raises(RunFailed):
        hosted.experiments.run(train, parameters={"depth": 7})
    (failed,) = hosted.experiments.history(train, status="failed")
    assert (failed.status, failed.failed_cell, failed.cause) == (
        RunStatus.FAILED,
        5,
        "AssertionError: too deep",
    )
    assert failed.findings.metrics["auc"] == pytest.approx(1.2)
    write(hosted, *TRAIN[:2], ("1 / 0", []), ("2", ["end"]))
    with pytest.raises(RunFailed):
        hosted.experiments.run(train, to="end")
    assert hosted.experiments.history(train)[1].status is RunStatus.FAILED_PARTIAL


@pytest.mark.full
def test_history_is_filtered_and_sorted(hosted: Workspace, train: str) -> None:
    for depth in (1, 4, 2):
        hosted.experiments.run(
            train, parameters={"depth": depth}, tags={"half": "low" if depth < 3 else "high"}
        )
    hosted.experiments.snapshot(train, message="kept")

    def depths(**asked: Any) -> list[object]:
        return [run.snapshot.parameters.get("depth") for run in hosted.experiments.history(train, **asked)]

    assert depths(sort="-auc") == [4, 2, 1, None]
    assert depths(sort="depth") == [1, 2, 4, None]
    assert depths(where="auc>=0.7") == [2, 4]
    assert depths(where="half=low, depth<2") == [1]
    assert depths(status="Draft") == [None]
    assert depths(where="auc>=0.7", limit=1) == [2]
    with pytest.raises(InvalidInput, match="The condition 'auc' is not valid"):
        depths(where="auc")
    assert depths(where="auc>=2") == []
    with pytest.raises(InvalidInput, match=r"a name that some run has \(auc, .*depth.*\), got 'acu'"):
        depths(where="acu>=0.1")
    with pytest.raises(InvalidInput, match="Expected one of 'Draft'"):
        depths(status="done")
    assert depths(sort="half") == [4, 2, 1, None]
    assert depths(since="2026-01-01") == [None, 2, 4, 1]
    assert depths(since="2999-01-01T00:00+09:00") == []
    with pytest.raises(InvalidInput, match="such as 2026-11-01"):
        depths(since="yesterday")
    with pytest.raises(
        InvalidInput, match="Expected time, status or one of auc, depth, half, rows, got 'ouc'"
    ):
        depths(sort="-ouc")
    assert depths(sort="half", status="Draft") == [None]


def test_a_snapshot_of_a_draft_is_locked_and_runs_nothing(hosted: Workspace, train: str) -> None:
    kept = hosted.experiments.snapshot(train, message="before")
    assert (kept.status, kept.is_editable, kept.job_id, kept.cells.done) == (RunStatus.DRAFT, False, None, 0)
    before = hosted.blobs.get(kept.snapshot.digest)
    (hosted.path / train).write_text('{"nbformat": 4, "cells": []}')
    assert hosted.blobs.get(hosted.runs.show(kept.id).snapshot.digest) == before
    shown = hosted.experiments.open(kept.id, file=str(hosted.path / "kept.txt"))
    assert Path(str(shown.file)).read_text() == shown.text
    assert " UTC" in shown.text
    with pytest.raises(InvalidInput, match=r"ends with \.html, \.ipynb or \.txt"):
        hosted.experiments.open(kept.id, file=str(hosted.path / "kept.pdf"))
    assert not (hosted.path / "kept.pdf").exists()


@pytest.mark.full
def test_what_was_pinned_stays_and_a_replay_reads_it_again(hosted: Workspace, train: str) -> None:
    first = hosted.experiments.run(train)
    rides(hosted, 8)
    again = hosted.runs.replay(first.id)
    assert (again.findings.metrics["rows"], again.inputs) == (3.0, ("dataset rides:1",))
    assert again.snapshot.assets == first.snapshot.assets
    newest = hosted.experiments.run(train)
    assert (newest.findings.metrics["rows"], newest.inputs) == (8.0, ("dataset rides:2",))
    compared = hosted.runs.compare(f"{first.id}, {newest.id}")
    assert compared.metrics["rows"] == (3.0, 8.0)
    assert compared.facts == {"dataset rides": ("rides:1", "rides:2")}


@pytest.mark.full
def test_a_replay_knows_no_asset_that_is_newer_than_its_original(hosted: Workspace, train: str) -> None:
    write(
        hosted,
        ("import mlalm_jupyter\nws = mlalm_jupyter.Workspace.open()", []),
        ("rows = ws.datasets.load('ri' + 'des')", []),
        name="named.ipynb",
    )
    first = hosted.experiments.run("named.ipynb")
    rides(hosted, 8)
    again = hosted.runs.replay(first.id)
    assert (first.inputs, again.inputs) == (("dataset rides:1",), ("dataset rides:1",))
    assert hosted.runs.replay(again.id).inputs == ("dataset rides:1",)
    assert hosted.experiments.run("named.ipynb").inputs == ("dataset rides:2",)


@pytest.mark.full
def test_a_replay_says_which_files_are_not_what_they_were(hosted: Workspace) -> None:
    (hosted.path / "hours.csv").write_text("1\n")
    name = write(hosted, ("print(open('hours.csv').read())", []))
    first = hosted.experiments.run(name)
    assert (list(first.snapshot.files), first.findings.note) == (["hours.csv"], "")
    assert hosted.runs.replay(first.id).findings.note == ""
    (hosted.path / "hours.csv").write_text("2\n")
    note = hosted.runs.replay(first.id).findings.note
    assert note == f"hours.csv has changed since run {first.id[:12]}, whose cells these are."


def test_a_file_that_changes_while_a_run_waits_is_noted(hosted: Workspace) -> None:
    (hosted.path / "hours.csv").write_text("1\n")
    name = write(hosted, ("print(open('hours.csv').read())", []))
    with all_slots_taken(hosted):
        queued = hosted.experiments.run(name, wait=False)
        (hosted.path / "hours.csv").write_text("2\n")
        assert hosted.runs.show(queued.id).status is RunStatus.QUEUED
    hosted.jobs.follow(str(queued.job_id), timeout_s=WAIT_S)
    note = hosted.runs.show(queued.id).findings.note
    assert note == "hours.csv has changed between the snapshot and the first cell."


def test_what_is_saved_while_a_run_waits_does_not_reach_it(hosted: Workspace, train: str) -> None:
    with all_slots_taken(hosted):
        queued = hosted.experiments.run(train, wait=False)
        write(hosted, ("raise ValueError('edited')", []))
        rides(hosted, 9)
        assert hosted.runs.show(queued.id).status is RunStatus.QUEUED
    hosted.jobs.follow(str(queued.job_id), timeout_s=WAIT_S)
    done = hosted.runs.show(queued.id)
    assert (done.status, done.findings.metrics["rows"]) == (RunStatus.FINISHED, 3.0)
    kept, executed = (
        [cell["source"] for cell in json.loads(hosted.blobs.get(str(digest)))["cells"]]
        for digest in (done.snapshot.digest, done.executed_digest)
    )
    assert ["".join(one) for one in executed] == ["".join(one) for one in kept] == [text for text, _ in TRAIN]


def test_deleting_an_experiment_takes_its_snapshots_and_leaves_the_notebook(
    hosted: Workspace, train: str
) -> None:
    run = hosted.experiments.run(train)
    with pytest.raises(Unconfirmed, match="its history with 1 snapshot"):
        hosted.experiments.delete(train)
    hosted.experiments.delete(train, yes=True)
    with pytest.raises(NotFound):
        hosted.runs.show(run.id)
    with pytest.raises(NotFound):
        hosted.experiments.show(train)
    assert (hosted.path / train).exists()


def test_an_experiment_at_work_is_not_deleted(hosted: Workspace, train: str) -> None:
    write(hosted, ("import time\ntime.sleep(30)", []), name="slow.ipynb")
    run = hosted.experiments.run("slow.ipynb", wait=False)
    with pytest.raises(InUse, match=f"run {run.id[:12]}"):
        hosted.experiments.delete("slow.ipynb", yes=True)
    hosted.runs.cancel(run.id)
    deadline = time.monotonic() + 60
    while not hosted.runs.show(run.id).status.is_final:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    hosted.experiments.delete("slow.ipynb", yes=True)


def test_files_of_the_folder_that_a_notebook_names_are_kept_by_hash(hosted: Workspace) -> None:
    (hosted.path / "data").mkdir()
    (hosted.path / "data" / "a.txt").write_text("one")
    name = write(
        hosted, ("open('data/a.txt').read(); open('no such file'); '..'; '.mlalm/catalog.sqlite'", [])
    )
    kept = hosted.experiments.snapshot(name)
    assert list(kept.snapshot.files) == ["data/a.txt"]
    (hosted.path / "data" / "a.txt").write_text("two")
    assert hosted.experiments.snapshot(name).snapshot.files != kept.snapshot.files
    assert Path(hosted.path / "data" / "a.txt").exists()
