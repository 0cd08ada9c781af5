"""What a live kernel did with a notebook, said as a run would say it."""

from __future__ import annotations

import json

import pytest

from mlalm_jupyter.domain.run import RunStatus
from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook
from mlalm_jupyter.surfaces.magics.session import Executed, live


def saved(*texts: str) -> NotebookDocument:
    cells = [
        {"cell_type": "code", "id": f"c{number}", "source": text, "outputs": []}
        for number, text in enumerate(texts, start=1)
    ]
    return read_notebook(json.dumps({"nbformat": 4, "cells": cells}).encode())


THREE = saved("a = 1", "b = a", "%snapshot")


def ran(*texts: str) -> list[Executed]:
    return [Executed(text) for text in texts]


def test_every_cell_once_in_order_is_finished() -> None:
    found = live(THREE, ran("a = 1", "b = a\n", "%snapshot"))
    assert (found.status, found.executed, found.note) == (RunStatus.FINISHED, (1, 2, 3), "")


@pytest.mark.parametrize(
    ("executions", "executed", "note"),
    [
        (ran("a = 1", "%snapshot"), (1, 3), "Cell 2 did not run."),
        (ran("a = 1", "a = 1", "b = a", "%snapshot"), (1, 1, 2, 3), "Cell 1 ran more than once."),
        (ran("b = a", "a = 1", "%snapshot"), (2, 1, 3), "Out of order: cell 1 after cell 2 ran."),
        (
            ran("a = 0", "a = 1", "b = a", "%snapshot"),
            (1, 2, 3),
            "1 execution of cells that were edited or removed since.",
        ),
        (ran("%snapshot"), (3,), "Cells 1, 2 did not run."),
    ],
)
def test_anything_else_is_partial_and_says_why(
    executions: list[Executed], executed: tuple[int, ...], note: str
) -> None:
    found = live(THREE, executions)
    assert (found.status, found.executed, found.note) == (RunStatus.FINISHED_PARTIAL, executed, note)


def test_a_cell_that_failed_last_time_it_ran_fails_the_part() -> None:
    failing = [Executed("a = 1"), Executed("b = a", None, "NameError: a"), Executed("%snapshot")]
    found = live(THREE, failing)
    assert (found.status, found.cause, found.failed_cell) == (RunStatus.FAILED_PARTIAL, "NameError: a", 2)
    mended = live(THREE, [*failing[:2], Executed("b = a"), Executed("%snapshot")])
    assert (mended.status, mended.note) == (RunStatus.FINISHED_PARTIAL, "Cell 2 ran more than once.")


def test_cells_are_told_apart_by_id_and_equal_ones_by_place() -> None:
    twins = saved("x += 1", "x += 1")
    assert live(twins, ran("x += 1", "x += 1")).status is RunStatus.FINISHED
    assert live(twins, [Executed("x += 1", "c2"), Executed("x += 1", "c1")]).executed == (2, 1)
    edited = live(twins, [Executed("x += 2", "c1"), Executed("x += 1", "c2")])
    assert (edited.executed, edited.note[:11]) == ((2,), "1 execution")
