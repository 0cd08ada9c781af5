"""Triggers over a real catalog, by a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from mlalm_jupyter.domain.errors import AlreadyExists, Conflict, InUse, InvalidInput, NotFound, Unconfirmed
from mlalm_jupyter.domain.job import JobState
from mlalm_jupyter.domain.run import Cells, Run, RunStatus
from mlalm_jupyter.domain.trigger import DraftState, Firing, FiringOutcome
from mlalm_jupyter.ports import Execution
from mlalm_jupyter.surfaces.completion import following
from mlalm_jupyter.surfaces.lab import typescript
from mlalm_jupyter.workspace import Workspace
from tests.contract.catalog_nouns import at, trigger
from tests.contract.hand_clock import HandClock, NoServer
from tests.contract.parity_scenarios import EXECUTED, notebook

pytestmark = pytest.mark.prove_experiments

BERLIN = "Europe/Berlin"
NIGHTLY = "0 3 * * *"


@pytest.fixture
def clock() -> HandClock:
    return HandClock("2026-11-20T12:00:00Z")


@pytest.fixture
def ws(home: Path, tmp_path: Path, clock: HandClock) -> Iterator[Workspace]:
    with Workspace.init(tmp_path / "ws", host=NoServer()) as made:
        made.context.clock = clock
        yield made


def runs(ws: Workspace) -> list[Run]:
    """Those that triggers started, oldest first."""
    with ws.catalog.read() as tx:
        return [run for run in reversed(tx.runs.find()) if run.origin == "trigger"]


def done(ws: Workspace, firing: Firing) -> None:
    """Execute what a firing queued, without a kernel."""
    run = ws.runs.show(str(firing.run_id))
    with ws.catalog.write() as tx:
        lease = tx.jobs.adopt(str(run.job_id), "test", now_s=0.0, lease_s=1.0, at=ws.clock.now())
    ws.recorder.end(run, lease, Execution(EXECUTED, RunStatus.FINISHED, Cells(1, 1)))


def outcomes(ws: Workspace, name: str = "nightly") -> list[tuple[str, str, int]]:
    """What a trigger did, oldest first."""
    return [(one.due_at[:16], one.outcome, one.missed) for one in reversed(ws.triggers.show(name).firings)]


def test_an_experiment_runs_at_each_of_its_times_and_at_no_other(ws: Workspace, clock: HandClock) -> None:
    added = ws.triggers.add(
        notebook(ws, "x = 1", "x"), "nightly", cron=NIGHTLY, timezone=BERLIN, parameters={"x": 3}
    )
    assert added.next_times == tuple(f"2026-11-{day}T03:00:00+01:00" for day in (21, 22, 23))
    assert added.due_at == ws.timekeeper.next_due_at() == "2026-11-21T02:00:00.000000Z"
    clock.to("2026-11-21T01:59:59.999Z")
    assert ws.timekeeper.look() == []
    clock.to("2026-11-21T02:00:00Z")
    (firing,) = ws.timekeeper.look()
    assert (firing.outcome, firing.missed, firing.reason) == (FiringOutcome.STARTED, 0, "It was time.")
    assert ws.timekeeper.look() == []
    done(ws, firing)
    clock.pass_(days=1, seconds=1)
    assert len(ws.timekeeper.look()) == 1
    first, second = runs(ws)
    assert (first.id, first.status) == (firing.run_id, RunStatus.FINISHED)
    assert (second.status, second.path, second.tags) == (
        RunStatus.QUEUED,
        "train.ipynb",
        {"trigger": "nightly"},
    )
    assert second.snapshot.parameters == {"x": 3}
    assert ws.jobs.show(str(second.job_id)).state is JobState.QUEUED
    assert outcomes(ws) == [("2026-11-21T02:00", "started", 0), ("2026-11-22T02:00", "started", 0)]
    with ws.catalog.read() as tx:
        noted = [(one.action, one.data.get("run_id")) for one in tx.events.find(noun="trigger")]
    assert noted == [("add", None), ("fire", first.id), ("fire", second.id)]


def test_it_is_the_snapshot_that_runs_whatever_becomes_of_the_notebook(
    ws: Workspace, clock: HandClock
) -> None:
    path = Path(notebook(ws, "x = 1", "x"))
    before = path.read_bytes()
    added = ws.triggers.add(str(path), "nightly", cron=NIGHTLY, to=None)
    assert (added.draft, added.snapshot) == (
        DraftState.SAME,
        ws.runs.show(str(added.snapshot_run_id)).snapshot.digest,
    )
    path.write_bytes(before + b"\n\n")
    assert ws.triggers.show("nightly").draft is DraftState.SAME, "it is the code that counts"
    notebook(ws, "x = 2", "x")
    assert ws.triggers.show("nightly").draft is DraftState.DIFFERS
    path.write_text("{")
    assert ws.triggers.show("nightly").draft is DraftState.UNREADABLE
    path.unlink()
    assert ws.triggers.show("nightly").draft is DraftState.GONE
    clock.pass_(days=1)
    ws.timekeeper.look()
    (run,) = runs(ws)
    assert ws.blobs.get(run.snapshot.digest) == before


def test_a_snapshot_keeps_its_datasets_and_a_draft_takes_the_newest(ws: Workspace, clock: HandClock) -> None:
    table = ws.path / "rides.csv"
    table.write_text("a\n1\n")
    ws.datasets.upload(str(table), "rides")
    path = notebook(ws, "1", "rows = %dataset rides")
    ws.triggers.add(path, "kept", cron=NIGHTLY)
    ws.triggers.add(path, "fresh", cron=NIGHTLY, follow_draft=True)
    table.write_text("a\n2\n")
    ws.datasets.upload(str(table), "rides")
    clock.pass_(days=1)
    ws.timekeeper.look()
    used = {run.tags["trigger"]: [pin.reference for pin in run.snapshot.assets] for run in runs(ws)}
    assert used == {"kept": ["rides:1"], "fresh": ["rides:2"]}


def test_following_the_draft_takes_the_notebook_of_the_moment(ws: Workspace, clock: HandClock) -> None:
    path = Path(notebook(ws, "x = 1"))
    added = ws.triggers.add(str(path), "nightly", cron=NIGHTLY, follow_draft=True)
    assert (added.follows_draft, added.snapshot, added.draft) == (True, None, None)
    contents = []
    for day in (21, 22):
        notebook(ws, f"x = {day}")
        contents.append(path.read_bytes())
        clock.to(f"2026-11-{day}T03:00:01Z")
        (firing,) = ws.timekeeper.look()
        done(ws, firing)
    assert [ws.blobs.get(run.snapshot.digest) for run in runs(ws)] == contents


@pytest.mark.parametrize("away", [1, 5, 400])
def test_of_missed_times_the_latest_is_made_up_for_and_the_others_are_counted(
    ws: Workspace, clock: HandClock, away: int
) -> None:
    ws.triggers.add(notebook(ws, "x = 1"), "nightly", cron=NIGHTLY)
    clock.pass_(days=away)
    (firing,) = ws.timekeeper.look()
    assert (firing.outcome, firing.missed) == (FiringOutcome.STARTED, away - 1)
    assert firing.reason == "Made up for: nothing ran here at that time."
    assert firing.due_at[:16] == f"{clock.now()[:10]}T03:00"
    assert ws.timekeeper.look() == []
    assert len(runs(ws)) == 1


def test_missed_times_can_be_skipped_and_are_counted_then_too(ws: Workspace, clock: HandClock) -> None:
    ws.triggers.add(notebook(ws, "x = 1"), "nightly", cron=NIGHTLY, missed="skip")
    clock.pass_(days=3)
    (firing,) = ws.timekeeper.look()
    assert (firing.outcome, firing.missed, firing.run_id) == (FiringOutcome.SKIPPED, 3, None)
    clock.to("2026-11-24T03:00:59Z")
    (firing,) = ws.timekeeper.look()
    assert (firing.outcome, firing.missed) == (FiringOutcome.STARTED, 0), "a minute is no miss"
    assert len(runs(ws)) == 1


def test_what_a_paused_trigger_does_not_do_is_not_missed(ws: Workspace, clock: HandClock) -> None:
    ws.triggers.add(notebook(ws, "x = 1"), "nightly", cron=NIGHTLY)
    paused = ws.triggers.pause("nightly")
    assert (paused.is_paused, paused.due_at, paused.next_times) == (True, None, ())
    clock.pass_(days=10)
    assert ws.timekeeper.look() == []
    resumed = ws.triggers.resume("nightly")
    assert (resumed.is_paused, resumed.due_at) == (False, "2026-12-01T03:00:00.000000Z")
    assert ws.timekeeper.look() == []
    clock.pass_(days=1)
    (firing,) = ws.timekeeper.look()
    assert (firing.due_at, firing.missed) == ("2026-12-01T03:00:00.000000Z", 0)


def test_pausing_and_resuming_twice_changes_nothing(ws: Workspace) -> None:
    ws.triggers.add(notebook(ws, "x = 1"), "nightly", cron=NIGHTLY)
    assert ws.triggers.resume("nightly").note == "Nothing changed: it is not paused."
    assert "without it no trigger does" in str(ws.triggers.pause("nightly").note), "there is no server here"
    assert ws.triggers.pause("nightly").note == "Nothing changed: it is paused already."


def test_a_trigger_that_cannot_start_says_why_and_the_others_and_its_next_time_go_on(
    ws: Workspace, clock: HandClock
) -> None:
    ws.triggers.add(notebook(ws, "x = 1", name="gone.ipynb"), "gone", cron=NIGHTLY, follow_draft=True)
    ws.triggers.add(
        notebook(ws, "x = 1", name="less.ipynb"), "less", cron=NIGHTLY, follow_draft=True, parameters={"x": 2}
    )
    damaged = ws.triggers.add(notebook(ws, "x = 7", name="damaged.ipynb"), "damaged", cron=NIGHTLY)
    ws.triggers.add(notebook(ws, "x = 1"), "whole", cron=NIGHTLY)
    (ws.path / "gone.ipynb").unlink()
    notebook(ws, "y = 1", name="less.ipynb")
    ws.context.blobs.path(str(damaged.snapshot)).unlink()
    clock.pass_(days=1)
    told = {ws_name(ws, one): one for one in ws.timekeeper.look()}
    assert told["gone"].reason == "Its notebook gone.ipynb is gone."
    assert "x" in told["less"].reason
    assert str(damaged.snapshot)[:12] in told["damaged"].reason
    assert {name: one.outcome for name, one in told.items()} == {
        "gone": FiringOutcome.FAILED,
        "less": FiringOutcome.FAILED,
        "damaged": FiringOutcome.FAILED,
        "whole": FiringOutcome.STARTED,
    }
    notebook(ws, "x = 1", name="gone.ipynb")
    clock.pass_(days=1)
    again = {ws_name(ws, one): one.outcome for one in ws.timekeeper.look()}
    assert again["gone"] is FiringOutcome.STARTED


def ws_name(ws: Workspace, firing: Firing) -> str:
    return next(one.name for one in ws.triggers.list() if one.id == firing.trigger_id)


def test_runs_that_take_longer_than_their_pause_do_not_pile_up(ws: Workspace, clock: HandClock) -> None:
    ws.triggers.add(notebook(ws, "x = 1"), "often", cron="* * * * *")
    clock.pass_(minutes=1)
    (first,) = ws.timekeeper.look()
    for _ in range(3):
        clock.pass_(minutes=1)
        (firing,) = ws.timekeeper.look()
        assert (firing.outcome, firing.missed) == (FiringOutcome.SKIPPED, 1)
        assert firing.reason == "The run before it still waits for its turn."
    done(ws, first)
    clock.pass_(minutes=1)
    (firing,) = ws.timekeeper.look()
    assert firing.outcome is FiringOutcome.STARTED
    assert len(runs(ws)) == 2


def test_a_clock_that_is_put_back_runs_no_time_twice(ws: Workspace, clock: HandClock) -> None:
    ws.triggers.add(notebook(ws, "x = 1"), "nightly", cron=NIGHTLY)
    clock.to("2026-11-21T03:00:00Z")
    (firing,) = ws.timekeeper.look()
    done(ws, firing)
    clock.to("2026-11-21T02:30:00Z")
    ws.triggers.pause("nightly")
    assert ws.triggers.resume("nightly").due_at == firing.due_at
    clock.to("2026-11-21T03:00:00Z")
    assert ws.timekeeper.look() == []
    assert len(runs(ws)) == 1
    assert ws.triggers.show("nightly").due_at == "2026-11-22T03:00:00.000000Z"


def test_a_time_that_the_clock_skips_or_repeats_runs_once(ws: Workspace, clock: HandClock) -> None:
    clock.to("2027-03-27T12:00:00Z")
    ws.triggers.add(notebook(ws, "x = 1"), "early", cron="30 2 * * *", timezone=BERLIN)
    for start, end in (
        ("2027-03-27T12:00:00Z", "2027-03-28T12:00:00Z"),
        ("2027-10-30T12:00:00Z", "2027-10-31T12:00:00Z"),
    ):
        clock.to(start)
        ws.triggers.pause("early")
        ws.triggers.resume("early")
        while clock.now() < end:
            for firing in ws.timekeeper.look():
                done(ws, firing)
            clock.pass_(minutes=15)
    assert [due for due, _, _ in outcomes(ws, "early")] == ["2027-03-28T01:00", "2027-10-31T00:30"]


def test_a_name_is_given_once_and_nothing_is_left_of_a_second_try(ws: Workspace) -> None:
    path = notebook(ws, "x = 1")
    ws.triggers.add(path, "nightly", cron=NIGHTLY)
    count = len(ws.experiments.history("train.ipynb"))
    with pytest.raises(AlreadyExists):
        ws.triggers.add(path, "nightly", cron="0 4 * * *")
    assert len(ws.experiments.history("train.ipynb")) == count
    assert [one.cron for one in ws.triggers.list()] == [NIGHTLY]


@pytest.mark.parametrize(
    "wrong",
    [
        {"cron": "0 24 * * *"},
        {"timezone": "Berlin"},
        {"missed": "all"},
        {"parameters": {"y": 1}},
        {"to": "nowhere"},
        {"name": "a b"},
        {"follow_draft": True, "parameters": {"y": 1}},
    ],
)
def test_what_can_never_run_is_refused_when_it_is_added(ws: Workspace, wrong: dict[str, object]) -> None:
    arguments = {"name": "nightly", "cron": NIGHTLY, **wrong}
    with pytest.raises(InvalidInput):
        ws.triggers.add(notebook(ws, "x = 1"), **arguments)  # type: ignore[arg-type]
    assert ws.triggers.list() == ()
    assert ws.experiments.list() == ()


def test_deleting_a_trigger_asks_and_leaves_its_runs_alone(ws: Workspace, clock: HandClock) -> None:
    added = ws.triggers.add(notebook(ws, "x = 1"), "nightly", cron=NIGHTLY)
    clock.pass_(days=1)
    ws.timekeeper.look()
    with pytest.raises(Unconfirmed, match=r"its timetable '0 3 \* \* \*' \(UTC\), its list of 1 time"):
        ws.triggers.delete("nightly")
    assert ws.triggers.delete("nightly", yes=True).name == "nightly"
    with pytest.raises(NotFound):
        ws.triggers.show("nightly")
    clock.pass_(days=1)
    assert ws.timekeeper.look() == []
    assert len(runs(ws)) == 1
    assert ws.runs.show(str(added.snapshot_run_id)).status is RunStatus.DRAFT
    assert ws.catalog.faults() == []


def test_an_experiment_with_a_trigger_is_not_deleted_and_gc_keeps_its_snapshot(ws: Workspace) -> None:
    added = ws.triggers.add(notebook(ws, "x = 1"), "nightly", cron=NIGHTLY)
    with pytest.raises(InUse, match="trigger nightly"):
        ws.experiments.delete("train.ipynb", yes=True)
    ws.context.clock = HandClock("2099-01-01T00:00:00Z")
    ws.workspaces.gc()
    assert ws.blobs.has(str(added.snapshot))
    ws.triggers.delete("nightly", yes=True)
    ws.experiments.delete("train.ipynb", yes=True)


def test_what_a_trigger_answers_fits_the_schema(ws: Workspace, clock: HandClock) -> None:
    schema = {**typescript.answers_schema(), "$ref": "#/$defs/Trigger"}
    added = ws.triggers.add(notebook(ws, "x = 1"), "nightly", cron=NIGHTLY)
    clock.pass_(days=3)
    ws.timekeeper.look()
    for answer in (added, ws.triggers.show("nightly"), *ws.triggers.list(), ws.triggers.pause("nightly")):
        jsonschema.validate(answer.to_dict(), schema)


def test_the_catalog_keeps_one_firing_for_a_time_and_gives_back_what_it_was_given(ws: Workspace) -> None:
    kept = trigger("nightly")
    first = Firing(ws.clock.new_id(), kept.id, at(2), at(3), FiringOutcome.FAILED, "why", None, 3)
    with ws.catalog.write() as tx:
        tx.triggers.add(kept)
        tx.triggers.add_firing(first)
    with ws.catalog.read() as tx:
        assert tx.triggers.get("nightly") == replace(kept, last=first)
        assert (tx.triggers.has_fired(kept.id, at(2)), tx.triggers.has_fired(kept.id, at(3))) == (True, False)
    with pytest.raises(Conflict), ws.catalog.write() as tx:
        tx.triggers.add_firing(replace(first, id=ws.clock.new_id()))
    with ws.catalog.write() as tx:
        assert tx.triggers.move_on(kept, due_at=at(9))
        assert not tx.triggers.move_on(kept, due_at=at(10)), "somebody was quicker"


def test_names_of_triggers_are_completed(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ws.triggers.add(notebook(ws, "x = 1"), "nightly", cron=NIGHTLY)
    monkeypatch.chdir(ws.path)
    assert following(["trigger", "pause"], "ni").words == ("nightly",)
