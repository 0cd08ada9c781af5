"""What a cell's values can come from: through other cells, functions and changes, and nothing that is beside them."""

from __future__ import annotations

import pytest

from mlalm_jupyter.notebook.document import NotebookDocument
from mlalm_jupyter.notebook.reach import made_of

pytestmark = pytest.mark.prove_models

LOADED = ("dataset rides:1", "dataset other:2", "model base:1")
FIT = "fit = Line().fit(rows[['wind']], rows['hour'])"
REGISTER = "%register fit wind --sample rows"
RIDES, OTHER = "rows = %dataset rides", "others = %dataset other"
BASE = "base = ws.models.load('base')"


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ((RIDES, OTHER, BASE, FIT, REGISTER), ("dataset rides:1",)),
        ((RIDES, OTHER, "rows = rows.merge(others)", BASE, FIT, REGISTER), LOADED[:2]),
        ((RIDES, OTHER, "rows.update(others)", BASE, FIT, REGISTER), LOADED[:2]),
        (
            (RIDES, OTHER, BASE, "def made():\n    return base", "fit = made()", REGISTER),
            ("dataset rides:1", "model base:1"),
        ),
        ((f"{RIDES}\n{OTHER}", BASE, FIT, REGISTER), LOADED[:2]),
        ((OTHER, BASE, "rows = others", RIDES, FIT, REGISTER), ("dataset rides:1",)),
        (
            (RIDES, OTHER, "others.to_csv('o.csv')", "rows = pd.read_csv('o.csv')", BASE, FIT, REGISTER),
            ("dataset other:2",),
        ),
        # the name comes out of a variable that no text gives, so it may be any of them
        ((RIDES, "others = ws.datasets.load(pick())", BASE, FIT, REGISTER), LOADED[:2]),
        # nobody knows what runs here
        ((RIDES, OTHER, BASE, "exec(text)\n" + FIT, REGISTER), LOADED),
        ((RIDES, OTHER, BASE, FIT, REGISTER, "rows.update(others)"), ("dataset rides:1",)),
    ],
)
def test_only_what_reaches_the_cell_is_an_input(cells: tuple[str, ...], found: tuple[str, ...]) -> None:
    at = next(number for number, text in enumerate(cells, start=1) if "%register" in text)
    assert made_of(document(*cells), at, LOADED) == found


def test_a_parameter_gives_the_name_that_was_loaded() -> None:
    cells = ('table = "rides"', "rows = ws.datasets.load(table)", OTHER, FIT, REGISTER)
    loaded = ("dataset autumn:4", "dataset rides:1", "dataset other:2")
    assert made_of(document(*cells), 5, loaded, {"table": "autumn"}) == loaded[:2], (
        "nothing tells where the rides came from"
    )


def test_a_cell_that_is_not_there_has_all() -> None:
    assert made_of(document(RIDES), 7, LOADED) == LOADED


def document(*cells: str) -> NotebookDocument:
    return NotebookDocument(
        {"nbformat": 4, "cells": [{"cell_type": "code", "source": text} for text in cells]}
    )
