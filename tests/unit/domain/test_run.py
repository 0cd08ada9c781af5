from __future__ import annotations

import itertools

import pytest

from mlalm_jupyter.domain.errors import IllegalStatusChange
from mlalm_jupyter.domain.run import Run, RunStatus, Snapshot, may_become

LEGAL = {
    ("Draft", "Queued"),
    ("Queued", "Running"),
    ("Queued", "Canceled"),
    ("Queued", "Failed"),
    ("Running", "Queued"),
    ("Running", "Finished"),
    ("Running", "Finished (Partial run)"),
    ("Running", "Failed"),
    ("Running", "Failed (Partial run)"),
    ("Running", "Canceled"),
}


@pytest.mark.parametrize(("current", "wanted"), list(itertools.product(RunStatus, RunStatus)))
def test_exactly_the_legal_moves_are_allowed(current: RunStatus, wanted: RunStatus) -> None:
    assert may_become(current, wanted) is ((current.value, wanted.value) in LEGAL)


def queued() -> Run:
    return Run(
        "r" * 32, "e" * 32, "train.ipynb", RunStatus.QUEUED, Snapshot("d" * 64), "scheduler", "t0", "ann"
    )


def test_a_run_notes_when_it_started_and_ended() -> None:
    running = queued().moved(RunStatus.RUNNING, at="t1")
    ended = running.moved(RunStatus.FAILED, at="t2", cause="NameError: x", failed_cell=3)
    assert (ended.started_at, ended.ended_at, ended.cause, ended.failed_cell) == (
        "t1",
        "t2",
        "NameError: x",
        3,
    )


def test_an_ended_run_stays_as_it_is() -> None:
    ended = queued().moved(RunStatus.CANCELED, at="t1")
    with pytest.raises(IllegalStatusChange, match=r"did not become Running\. It is Canceled"):
        ended.moved(RunStatus.RUNNING, at="t2")
