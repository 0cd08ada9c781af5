"""What became of each cell of a training notebook."""

from __future__ import annotations

import pytest

from mlalm_jupyter.api.source_cells import source_cells
from mlalm_jupyter.notebook.document import NotebookDocument
from mlalm_jupyter.notebook.predictive.plan import plan_of

pytestmark = pytest.mark.prove_conversion

TRAIN = (
    "import pandas as pd\nfrom sklearn.linear_model import LinearRegression",
    "df = pd.read_csv('rides.csv')",
    "df['late'] = df.hour > 20",
    "df.head()",
    "model = LinearRegression().fit(df[['hour', 'late']], df.rides)",
    "predictions = model.predict(df[['hour', 'late']])\nprint(predictions.mean())",
)


def test_each_cell_says_how_much_of_it_stays_and_what_it_fitted() -> None:
    cells = [{"cell_type": "code", "source": text, "metadata": {}} for text in TRAIN]
    cells[3]["metadata"] = {"tags": ["skip"]}
    document = NotebookDocument({"nbformat": 4, "cells": cells})
    found = source_cells(document, plan_of(document))
    assert [(one.number, one.role, one.by_hand, one.stays, one.fitted) for one in found] == [
        (1, None, (), "none", ()),
        (2, "import", (), "none", ()),
        (3, "transform", (), "all", ()),
        (4, None, ("skip",), "none", ()),
        (5, "train", (), "none", ("model",)),
        (6, "score", (), "part", ()),
    ]
    assert found[2].title == "df['late'] = df.hour > 20"
