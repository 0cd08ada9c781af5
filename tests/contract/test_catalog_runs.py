"""Experiments and runs in the catalog."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlalm_jupyter.domain.errors import Conflict, IllegalStatusChange, InvalidInput, NotFound
from mlalm_jupyter.domain.run import Cells, Run, RunStatus
from mlalm_jupyter.ports import Catalog
from tests.contract.catalog_nouns import CLOCK, at, experiment, job, run


@pytest.fixture
def kept(catalog: Catalog) -> Run:
    """A queued run with its experiment and job."""
    of, work = experiment(), job()
    made = run(of, job_id=work.id)
    with catalog.write() as tx:
        tx.experiments.add(of)
        tx.jobs.add(work)
        tx.runs.add(made)
    return made


def test_a_run_comes_back_as_it_was_kept(catalog: Catalog, kept: Run) -> None:
    full = replace(
        kept,
        id=CLOCK.new_id(),
        status=RunStatus.FAILED_PARTIAL,
        started_at=at(1),
        ended_at=at(2),
        cause="ValueError: no",
        failed_cell=0,
        cells=Cells(3, 7, 2),
        executed_digest="e" * 64,
        inputs=("dataset wine:1",),
        models=("churn:1", "churn:2"),
    )
    with catalog.write() as tx:
        tx.runs.add(full)
    with catalog.read() as tx:
        assert tx.runs.get(kept.id) == kept
        assert tx.runs.get(full.id) == full


def test_a_run_is_found_by_any_beginning_that_is_its_own(catalog: Catalog, kept: Run) -> None:
    with catalog.read() as tx:
        assert tx.runs.get(kept.id[:6]) == kept
        assert tx.runs.get(kept.id[:31]) == kept


def test_a_beginning_of_several_ids_names_them(catalog: Catalog, kept: Run) -> None:
    ids = [f"0193ab{number:026x}" for number in (1, 2)]
    with catalog.write() as tx:
        for each in ids:
            tx.runs.add(replace(kept, id=each))
    with pytest.raises(InvalidInput) as caught, catalog.read() as tx:
        tx.runs.get("0193ab")
    assert str(caught.value) == (
        f"The run id '0193ab' is not valid. Expected the beginning of one id only, "
        f"got that of several: {ids[0]}, {ids[1]}. Give more digits."
    )
    with catalog.read() as tx:
        assert tx.runs.get(ids[1]).id == ids[1]


def test_many_candidates_are_named_in_part(catalog: Catalog, kept: Run) -> None:
    with catalog.write() as tx:
        for number in range(9):
            tx.runs.add(replace(kept, id=f"ffff{number:028x}"))
    with pytest.raises(InvalidInput, match=r"and more\. Give more digits"), catalog.read() as tx:
        tx.runs.get("ffff")


@pytest.mark.parametrize("prefix", ["dead", "%", "0193_", "g", "é"])
def test_an_id_that_begins_nothing_is_told_what_there_is(catalog: Catalog, kept: Run, prefix: str) -> None:
    with pytest.raises(NotFound) as caught, catalog.read() as tx:
        tx.runs.get(prefix)
    assert kept.id[:12] in caught.value.why
    assert "mlalm experiment history" in caught.value.fix


def test_a_run_moves_only_from_the_status_that_was_seen(catalog: Catalog, kept: Run) -> None:
    running = kept.moved(RunStatus.RUNNING, at=at(5))
    with catalog.write() as tx:
        tx.runs.move(running, expected=RunStatus.QUEUED)
    with pytest.raises(IllegalStatusChange) as caught, catalog.write() as tx:
        tx.runs.move(kept.moved(RunStatus.CANCELED, at=at(6)), expected=RunStatus.QUEUED)
    assert str(caught.value) == (
        f"Run '{kept.id[:12]}' did not become Canceled. "
        "It is Running, and from there that move does not exist. Start a new run instead."
    )
    with catalog.read() as tx:
        assert tx.runs.get(kept.id) == running


def test_moving_a_run_that_is_not_there_says_so(catalog: Catalog, kept: Run) -> None:
    stranger = replace(kept, id=CLOCK.new_id()).moved(RunStatus.RUNNING, at=at(1))
    with pytest.raises(NotFound), catalog.write() as tx:
        tx.runs.move(stranger, expected=RunStatus.QUEUED)


def test_a_move_keeps_what_was_added_meanwhile(catalog: Catalog, kept: Run) -> None:
    with catalog.write() as tx:
        tx.runs.move(kept.moved(RunStatus.RUNNING, at=at(1)), expected=RunStatus.QUEUED)
        seen = tx.runs.get(kept.id)
    with catalog.write() as tx:
        tx.runs.add_model(kept.id, "churn:1")
        tx.runs.add_input(kept.id, "dataset wine:1")
    ended = replace(seen.moved(RunStatus.FINISHED, at=at(2)), cells=Cells(7, 7), executed_digest="e" * 64)
    with catalog.write() as tx:
        tx.runs.move(ended, expected=RunStatus.RUNNING)
    with catalog.read() as tx:
        now = tx.runs.get(kept.id)
    assert now == replace(ended, models=("churn:1",), inputs=("dataset wine:1",))


def test_inputs_and_models_keep_their_order_and_stand_once(catalog: Catalog, kept: Run) -> None:
    with catalog.write() as tx:
        for reference in ("b:1", "a:1", "b:1"):
            tx.runs.add_model(kept.id, f"m-{reference}")
            tx.runs.add_input(kept.id, f"dataset {reference}")
        now = tx.runs.get(kept.id)
        assert now.models == ("m-b:1", "m-a:1")
        assert now.inputs == ("dataset b:1", "dataset a:1")
        with pytest.raises(NotFound):
            tx.runs.add_input(CLOCK.new_id(), "dataset b:1")


def test_progress_is_kept(catalog: Catalog, kept: Run) -> None:
    with catalog.write() as tx:
        tx.runs.progress(kept.id, Cells(2, 9, 3))
        with pytest.raises(NotFound):
            tx.runs.progress(CLOCK.new_id(), Cells(2, 9, 3))
    with catalog.read() as tx:
        assert tx.runs.get(kept.id).cells == Cells(2, 9, 3)


def test_runs_are_listed_newest_first_and_by_what_was_asked(catalog: Catalog) -> None:
    one, other = experiment("one.ipynb"), experiment("other.ipynb")
    runs = [
        run(one, 10, status=RunStatus.FINISHED),
        run(other, 20),
        run(one, 30),
        run(one, 40, status=RunStatus.FINISHED),
    ]
    with catalog.write() as tx:
        for each in (one, other):
            tx.experiments.add(each)
        for made in reversed(runs):
            tx.runs.add(made)
    newest_first = runs[::-1]
    with catalog.read() as tx:
        assert tx.runs.find() == newest_first
        assert tx.runs.find(experiment_id=one.id) == [each for each in newest_first if each is not runs[1]]
        assert tx.runs.find(status=RunStatus.FINISHED) == [runs[3], runs[0]]
        assert tx.runs.find(experiment_id=one.id, status=RunStatus.QUEUED) == [runs[2]]
        assert tx.runs.find(limit=2) == newest_first[:2]
        assert tx.runs.find(limit=10**30) == newest_first
        assert tx.runs.find(limit=0) == tx.runs.find(limit=-5) == []


def test_an_experiment_knows_its_runs(catalog: Catalog) -> None:
    busy, idle = experiment("b.ipynb"), experiment("a.ipynb")
    runs = [run(busy, second) for second in (5, 9, 7)]
    with catalog.write() as tx:
        tx.experiments.add(busy)
        tx.experiments.add(idle)
        for made in runs:
            tx.runs.add(made)
    with catalog.read() as tx:
        assert tx.experiments.find() == [idle, replace(busy, run_count=3, last_run=runs[1])]
        assert tx.experiments.at_path("b.ipynb") == replace(busy, run_count=3, last_run=runs[1])
        assert tx.experiments.at_path("a.ipynb") == idle
        assert tx.experiments.at_path("c.ipynb") is None


def test_one_path_is_one_experiment(catalog: Catalog) -> None:
    with catalog.write() as tx:
        tx.experiments.add(experiment("a.ipynb"))
    with pytest.raises(Conflict), catalog.write() as tx:
        tx.experiments.add(experiment("a.ipynb"))


def test_a_run_of_no_experiment_is_refused(catalog: Catalog) -> None:
    with pytest.raises(Conflict, match="FOREIGN KEY"), catalog.write() as tx:
        tx.runs.add(run(experiment()))
