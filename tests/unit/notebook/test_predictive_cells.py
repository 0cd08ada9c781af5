"""Predictive notebooks as files: which cells are made, and what stays of a person's work when they are made again."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest

from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook
from mlalm_jupyter.notebook.predictive.cells import CODE, Piece, pieces_of
from mlalm_jupyter.notebook.predictive.parts import Fitted, Place, Plan, Port, Statement
from mlalm_jupyter.notebook.predictive.rebuilding import facts_of, made, made_again

pytestmark = pytest.mark.prove_conversion

TRAINING = NotebookDocument(
    {
        "nbformat": 4,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "widgets": {"state": 1}},
        "cells": [
            {"cell_type": "code", "source": "import pandas as pd\nimport seaborn"},
            {"cell_type": "code", "source": "df = pd.read_csv('churn.csv')"},
            {
                "cell_type": "code",
                "source": "df.head()\n\n# ages of people\n# in decades\ndf['decade'] = df.age // 10\n"
                "df.hist()\ndf['long'] = df.days > 90",
            },
            {"cell_type": "code", "source": "def twice(x):\n    # indeed\n    return 2 * x  # twice"},
            {"cell_type": "code", "source": "predictions = model.predict(df)"},
        ],
    }
)
PLAN = Plan(
    inputs=(Port("input1", "df", Place(2, 0)),),
    outputs=(Port("scores", "predictions", Place(5, 0)),),
    program=(),
    kept=(
        Statement(Place(1, 0), "import pandas as pd", "import pandas as pd"),
        Statement(Place(3, 1), "df['decade'] = df.age // 10", "df['decade'] = df.age // 10"),
        Statement(Place(3, 3), "df['long'] = df.days > 90", "df['long'] = df.days > limit"),
        Statement(
            Place(4, 0),
            "def twice(x):\n    # indeed\n    return 2 * x  # twice",
            "def twice(x):\n    # indeed\n    return 2 * x  # twice",
        ),
        Statement(Place(5, 0), "predictions = model.predict(df)", "predictions = model.predict(df)"),
    ),
    fitted=(
        Fitted("limit", "value", Place(3, 3), "90", is_before=True),
        Fitted("model", "model", Place(4, 0), "model"),
    ),
)


def pieces(**changed: str) -> list[Piece]:
    found = pieces_of(
        PLAN,
        TRAINING,
        title="churn, predictive",
        told="Cut out of churn.ipynb.",
        loads={"limit": "90", "model": "%model churn:1"},
        rows={"input1": "%dataset churn-rows:1"},
    )
    return [Piece(one.part, one.kind, changed.get(one.part, one.text)) for one in found]


def texts(content: bytes) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(content)["cells"]]


def edited(content: bytes, change: Any) -> NotebookDocument:
    notebook = json.loads(content)
    change(notebook["cells"])
    return NotebookDocument(notebook)


def test_rows_come_in_what_was_fitted_is_loaded_and_an_answer_goes_out() -> None:
    assert texts(made(pieces(), like=TRAINING, facts={})) == [
        "# churn, predictive\n\nCut out of churn.ipynb.",
        "%load_ext mlalm_jupyter\ndf = %dataset churn-rows:1\n%web_input df",
        "limit = 90\nmodel = %model churn:1",
        "import pandas as pd",
        "# ages of people\n# in decades\ndf['decade'] = df.age // 10\ndf['long'] = df.days > limit",
        "def twice(x):\n    # indeed\n    return 2 * x  # twice",
        "predictions = model.predict(df)",
        "%web_output predictions scores",
    ]


def test_it_is_a_notebook_for_the_same_kernel_and_the_same_each_time() -> None:
    content = made(pieces(), like=TRAINING, facts={"training": "ab" * 16})
    notebook = nbformat.reads(content.decode(), as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)  # type: ignore[no-untyped-call]
    assert notebook.metadata.kernelspec.name == "python3"
    assert "widgets" not in notebook.metadata
    assert facts_of(read_notebook(content))["training"] == "ab" * 16
    assert made(pieces(), like=TRAINING, facts={"training": "ab" * 16}) == content


def test_what_nobody_touched_is_made_again() -> None:
    old = read_notebook(made(pieces(), like=TRAINING, facts={}))
    again = made_again(old, pieces(fitted="model = %model churn:2"), like=TRAINING, facts={})
    assert again.content == made(pieces(fitted="model = %model churn:2"), like=TRAINING, facts={})
    assert (again.added, again.kept, again.held_back) == ((), (), ())


def test_a_cell_that_a_person_put_in_stays_where_it_is() -> None:
    def change(cells: list[Any]) -> None:
        cells.insert(7, nbformat.v4.new_code_cell("only = predictions > 0"))
        cells.insert(0, {"cell_type": "markdown", "source": ["Mine.\n", "All of it."], "metadata": {}})

    old = edited(made(pieces(), like=TRAINING, facts={}), change)
    again = made_again(old, pieces(fitted="model = %model churn:2"), like=TRAINING, facts={})
    found = texts(again.content)
    assert found[0] == "Mine.\nAll of it."
    assert found[3] == "model = %model churn:2"
    assert found[8] == "only = predictions > 0"
    assert again.added == ("Mine.", "only = predictions > 0")
    nbformat.validate(nbformat.reads(again.content.decode(), as_version=4))  # type: ignore[no-untyped-call]


def test_a_cell_that_a_person_changed_stays_and_what_would_stand_there_is_told() -> None:
    def change(cells: list[Any]) -> None:
        cells[4]["source"] = "df['decade'] = df.age // 5"
        cells[6]["source"] = "predictions = model.predict(df)[:, 1]"

    old = edited(made(pieces(), like=TRAINING, facts={}), change)
    again = made_again(old, pieces(**{"cell-3": "df['decade'] = df.age // 20"}), like=TRAINING, facts={})
    assert texts(again.content)[4] == "df['decade'] = df.age // 5"
    assert texts(again.content)[6] == "predictions = model.predict(df)[:, 1]"
    assert again.held_back == ("df['decade'] = df.age // 5",)
    assert again.kept == ("predictions = model.predict(df)[:, 1]",)


def test_a_cell_that_is_not_made_any_more_goes_unless_it_was_changed() -> None:
    old = read_notebook(made(pieces(), like=TRAINING, facts={}))
    fewer = [one for one in pieces() if one.part != "cell-4"]
    assert "def twice" not in "".join(texts(made_again(old, fewer, like=TRAINING, facts={}).content))

    def change(cells: list[Any]) -> None:
        cells[5]["source"] = "def twice(x):\n    return x + x"

    again = made_again(
        edited(made(pieces(), like=TRAINING, facts={}), change), fewer, like=TRAINING, facts={}
    )
    assert texts(again.content)[5] == "def twice(x):\n    return x + x"
    assert again.held_back == ("def twice(x):",)


def test_a_cell_that_was_split_in_two_keeps_both_halves() -> None:
    def change(cells: list[Any]) -> None:
        half = {**cells[4], "id": "half"}
        cells[4]["source"] = "df['decade'] = df.age // 10"
        half["source"] = "df['long'] = df.days > limit"
        cells.insert(5, half)

    again = made_again(
        edited(made(pieces(), like=TRAINING, facts={}), change), pieces(), like=TRAINING, facts={}
    )
    assert texts(again.content)[4:6] == ["df['decade'] = df.age // 10", "df['long'] = df.days > limit"]


def test_a_new_cell_comes_in_at_its_place() -> None:
    old = read_notebook(made(pieces(), like=TRAINING, facts={}))
    more = pieces()
    more.insert(5, Piece("cell-3b", CODE, "df = df.fillna(0)"))
    assert texts(made_again(old, more, like=TRAINING, facts={}).content)[5] == "df = df.fillna(0)"


def test_what_a_person_changed_stays_where_it_belongs_when_cells_come_before_it() -> None:
    def change(cells: list[Any]) -> None:
        cells[5]["source"] = "def twice(x):\n    return x + x"
        cells.insert(6, nbformat.v4.new_code_cell("df = df[df.age > 18]"))

    old = edited(made(pieces(), like=TRAINING, facts={}), change)
    later = {"cell-1": "cell-2", "cell-3": "cell-4", "cell-4": "cell-5", "cell-5": "cell-6"}
    new = [Piece(later.get(one.part, one.part), one.kind, one.text) for one in pieces()]
    new.insert(4, Piece("cell-3", CODE, "df = df.copy()"))
    again = made_again(old, new, like=TRAINING, facts={})
    assert texts(again.content)[3:9] == [
        "import pandas as pd",
        "df = df.copy()",
        pieces()[4].text,
        "def twice(x):\n    return x + x",
        "df = df[df.age > 18]",
        "predictions = model.predict(df)",
    ]
    assert (again.kept, again.held_back) == (("def twice(x):",), ())


def test_a_cell_that_a_person_took_out_stays_out_and_is_told_until_it_says_something_else() -> None:
    old = edited(made(pieces(), like=TRAINING, facts={}), lambda cells: cells.pop(5))
    for _ in range(2):
        again = made_again(old, pieces(fitted="model = %model churn:2"), like=TRAINING, facts={})
        assert "def twice" not in "".join(texts(again.content))
        assert "churn:2" in "".join(texts(again.content))
        assert again.kept == ("def twice(x): (taken out)",)
        old = read_notebook(again.content)
    other = made_again(old, pieces(**{"cell-4": "def twice(x):\n    return x + x"}), like=TRAINING, facts={})
    assert texts(other.content)[5] == "def twice(x):\n    return x + x"


def test_what_a_notebook_says_of_itself_stays_when_it_is_made_again() -> None:
    old = json.loads(made(pieces(), like=TRAINING, facts={}))
    old["metadata"].update(title="Mine", kernelspec={"name": "old"})
    again = json.loads(made_again(NotebookDocument(old), pieces(), like=TRAINING, facts={}).content)
    assert again["metadata"]["title"] == "Mine"
    assert again["metadata"]["kernelspec"]["name"] == "python3"
