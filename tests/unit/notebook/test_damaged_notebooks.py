"""Notebooks that a person or a tool has damaged: whatever stands in one, it is read as far as it goes, or refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook
from mlalm_jupyter.notebook.predictive.beside import modules_beside
from mlalm_jupyter.notebook.predictive.cells import CODE, Piece
from mlalm_jupyter.notebook.predictive.marking import marked
from mlalm_jupyter.notebook.predictive.plan import plan_of
from mlalm_jupyter.notebook.predictive.rebuilding import facts_of, made, made_again
from mlalm_jupyter.notebook.predictive.serving import served

pytestmark = pytest.mark.prove_conversion

EMPTY = read_notebook(b'{"nbformat": 4, "metadata": {"kernelspec": {"name": "python3"}}, "cells": []}')
PIECES = (
    Piece("title", "markdown", "# line"),
    Piece("in", CODE, "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\n%web_input df"),
    Piece("load", CODE, "model = %model line:1"),
    Piece("score", CODE, "scores = model.predict(df)"),
    Piece("out", CODE, "%web_output scores"),
)
FACTS = {"kind": "predictive", "training": "line.ipynb", "run": "0193ab"}
WHOLE: dict[str, Any] = json.loads(made(PIECES, like=EMPTY, facts=FACTS))
GONE = object()
READERS: dict[str, Callable[[NotebookDocument], object]] = {
    "facts": lambda one: facts_of(one).get("training"),
    "made again": lambda one: read_notebook(made_again(one, PIECES, like=EMPTY, facts=FACTS).content),
    "made like it": lambda one: made(PIECES, like=one, facts=FACTS),
    "served": served,
    "marked": marked,
    "planned": plan_of,
    "modules": lambda one: modules_beside(one, Path("nowhere")),
}


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*at, key))


def damaged(at: tuple[Any, ...], by: object) -> bytes:
    found = copy.deepcopy(WHOLE)
    inner = found
    for key in at[:-1]:
        inner = inner[key]
    if by is GONE:
        del inner[at[-1]]
    else:
        inner[at[-1]] = by
    return json.dumps(found).encode()


def test_nothing_in_a_notebook_brings_its_readers_down() -> None:
    tried = 0
    for at in places(WHOLE):
        for by in (GONE, None, 3, [3], {"a": 1}):
            try:
                document = read_notebook(damaged(at, by))
            except MlalmError:
                continue
            for name, read in READERS.items():
                tried += 1
                try:
                    read(document)
                except MlalmError:
                    continue
                except Exception as error:
                    raise AssertionError(f"{name} of {at} as {by!r}") from error
    assert tried > 1000


def test_what_is_made_again_of_a_damaged_notebook_has_the_cells_of_a_person() -> None:
    own = {"cell_type": "code", "id": 5, "metadata": None, "source": "mine = 1", "outputs": []}
    old = read_notebook(json.dumps({**WHOLE, "metadata": [], "cells": [*WHOLE["cells"], own]}).encode())
    again = made_again(old, PIECES, like=EMPTY, facts=FACTS)
    assert again.added == ("mine = 1",)
    cells = json.loads(again.content)["cells"]
    assert [one["id"] for one in cells if one["source"] == "mine = 1"] == ["added-5"]
    assert all(isinstance(one["id"], str) for one in cells)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("%web_input df", "%web_input", "no %web_input"),
        ("%web_input df", "", "no %web_input"),
        ("%web_output scores", "%web_output", "no %web_output"),
        ("%web_output scores", "%web_output score", "score"),
        ("%web_input df", "%web_input 'df", "df"),
        ("model = %model line:1", "model = %model", "Cell 2"),
        ("model = %model line:1", "%model line:1", "model"),
        ("model = %model line:1", "", "model"),
        ("%web_output scores", "%web_output scores\n%web_output df", "one %web_output, got 'scores' in"),
    ],
)
def test_marks_that_are_half_there_are_refused_with_what_is_missing(
    before: str, after: str, said: str
) -> None:
    text = json.dumps(WHOLE)
    assert json.dumps(before)[1:-1] in text
    changed = read_notebook(text.replace(json.dumps(before)[1:-1], json.dumps(after)[1:-1]).encode())
    with pytest.raises(MlalmError, match=said):
        served(changed)
