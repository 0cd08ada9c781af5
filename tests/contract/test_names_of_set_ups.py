"""What a set-up registers has names of its own: nothing that a person or another notebook has gets a version of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from mlalm_jupyter.domain.errors import InUse
from mlalm_jupyter.workspace import Workspace

pytestmark = [pytest.mark.prove_conversion, pytest.mark.timeout(600)]

TRAIN = (
    "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n"
    "from sklearn.preprocessing import StandardScaler",
    "df = pd.read_csv('churn.csv')\nX = df[['age', 'income']]",
    "scaler = StandardScaler().fit(X)\nmodel = LogisticRegression(C={}).fit(scaler.transform(X), df.churn)",
    "predictions = model.predict(scaler.transform(X))",
)


@pytest.fixture
def ws(hosted: Any) -> Workspace:
    found: Workspace = hosted
    return found


def write(ws: Workspace, name: str, *, strength: float, shift: int = 0) -> Path:
    """A training notebook in a folder of its own, with its table beside it."""
    file = ws.path / name
    file.parent.mkdir(exist_ok=True)
    chance = np.random.default_rng(3)
    table = pd.DataFrame({"age": chance.integers(18, 80, 60) + shift, "income": chance.normal(3, 1, 60)})
    table["churn"] = (table.age > 50).astype(int)
    table.to_csv(file.parent / "churn.csv", index=False)
    cells = [new_code_cell(one.format(strength)) for one in TRAIN]
    nbformat.write(new_notebook(cells=cells), file)
    return file


def versions(ws: Workspace) -> dict[str, list[str]]:
    nouns: dict[str, Any] = {"model": ws.models, "transform": ws.transforms, "dataset": ws.datasets}
    return {
        kind: sorted(one.reference for name in noun.list() for one in noun.list(name=name.name))
        for kind, noun in nouns.items()
    }


@pytest.mark.full
def test_what_a_person_or_another_notebook_has_gets_no_version_by_a_set_up(ws: Workspace) -> None:
    rows = pd.DataFrame({"age": [1.0, 2.0], "income": [1.0, 0.0]})
    ws.models.register(LogisticRegression().fit(rows, [0, 1]), "churn", sample=rows)
    ws.transforms.register(StandardScaler().fit(rows), "churn-scaler", sample=rows)
    rows.to_csv(ws.path / "mine.csv", index=False)
    ws.datasets.upload("mine.csv", "churn-rows")

    write(ws, "churn.ipynb", strength=1)
    ws.experiments.run("churn")
    made = ws.services.setup("predictive", "churn")
    assert [one.reference for one in made.assets] == ["churn-scaler-2:1", "churn-2:1"]
    assert versions(ws) == {
        "model": ["churn-2:1", "churn:1"],
        "transform": ["churn-scaler-2:1", "churn-scaler:1"],
        "dataset": ["churn-rows-2:1", "churn-rows:1"],
    }

    write(ws, "teams/churn.ipynb", strength=0.1, shift=1)
    ws.experiments.run("teams/churn")
    other = ws.services.setup("predictive", "teams/churn")
    assert [one.reference for one in other.assets] == ["churn-scaler-3:1", "churn-3:1"]

    write(ws, "churn.ipynb", strength=0.01)
    ws.experiments.run("churn")
    again = ws.services.setup("predictive", "churn")
    assert [one.reference for one in again.assets] == ["churn-scaler-2:1", "churn-2:2"]
    assert versions(ws) == {
        "model": ["churn-2:1", "churn-2:2", "churn-3:1", "churn:1"],
        "transform": ["churn-scaler-2:1", "churn-scaler-3:1", "churn-scaler:1"],
        "dataset": ["churn-rows-2:1", "churn-rows-3:1", "churn-rows:1"],
    }

    nouns: dict[str, Any] = {
        "churn-2:2": ws.models, "churn-scaler-2:1": ws.transforms, "churn-rows-2:1": ws.datasets
    }  # fmt: skip
    for reference, noun in nouns.items():
        with pytest.raises(InUse, match=r"It is in use by .*'notebook churn\.predictive\.ipynb'"):
            noun.delete(reference, yes=True)
    ws.models.delete("churn:1", yes=True)
