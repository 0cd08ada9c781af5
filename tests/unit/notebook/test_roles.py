"""What cells are for. The labels beside the notebooks of the corpus were given by hand, before this was written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook
from mlalm_jupyter.notebook.roles import ROLES, roles_of

pytestmark = pytest.mark.prove_experiments

CORPUS = Path(__file__).parent / "corpus"
LABELS: dict[str, list[str]] = json.loads((CORPUS / "labels.json").read_text("utf-8"))


def notebook(*cells: str, tags: list[str] | None = None, language: str = "python") -> NotebookDocument:
    made = [{"cell_type": "code", "source": text, "metadata": {"tags": tags or []}} for text in cells]
    content = {"nbformat": 4, "metadata": {"language_info": {"name": language}}, "cells": made}
    return read_notebook(json.dumps(content).encode())


def roles(*cells: str, tags: list[str] | None = None) -> tuple[str, ...]:
    return roles_of(notebook(*cells, tags=tags))[-1].roles


def test_a_dozen_notebooks_are_labelled() -> None:
    assert len(LABELS) >= 12
    assert {label for labels in LABELS.values() for label in labels} == {*ROLES, "none"}


@pytest.mark.parametrize("name", LABELS)
def test_main_roles_are_those_that_a_person_gives(name: str) -> None:
    document = read_notebook((CORPUS / f"{name}.ipynb").read_bytes())
    found = [one.main or "none" for one in roles_of(document)]
    assert found == LABELS[name]


@pytest.mark.parametrize(
    ("text", "main"),
    [
        ("df = pd.read_csv('a.csv')", "import"),
        ("df = %dataset census", "import"),
        ("df = ws.datasets.load('census')", "import"),
        ("from sklearn.datasets import load_iris\nX, y = load_iris(return_X_y=True)", "import"),
        ("df = df.fillna(0).merge(other)", "transform"),
        ("df['a'] = df['b'] * 2", "transform"),
        ("from sklearn.preprocessing import StandardScaler as S\nS().fit(X)", "transform"),
        ("from sklearn.pipeline import make_pipeline\nfrom sklearn.impute import SimpleImputer\n"
         "from sklearn.preprocessing import StandardScaler\n"
         "make_pipeline(SimpleImputer(), StandardScaler()).fit(X)", "transform"),
        ("from sklearn.pipeline import make_pipeline\nfrom sklearn.impute import SimpleImputer\n"
         "from sklearn.svm import SVC\np = make_pipeline(SimpleImputer(), SVC())\np.fit(X, y)", "train"),
        ("%time model.fit(X, y)", "train"),
        ("from xgboost import XGBClassifier\nXGBClassifier().fit(X, y)", "train"),
        ("p = model.predict(X)", "score"),
        ("%score churn df", "score"),
        ("print(model.score(X, y))", "evaluate"),
        ("log_metric('auc', 0.8)", "evaluate"),
        ("%register model churn", "output"),
        ("df.to_csv('x.csv')", "output"),
        ("df.head()", "output"),
        ("df", "output"),
        ("import pandas as pd", None),
        ("x = 3", None),
        ("def f(d):\n    return d.dropna()", None),
    ],
)  # fmt: skip
def test_each_role_has_its_signs(text: str, main: str | None) -> None:
    assert roles_of(notebook(text))[-1].main == main


def test_a_cell_can_have_several_roles_and_one_main_one() -> None:
    text = "df = pd.read_csv('a')\nmodel.fit(df, y)\nprint(accuracy_score(y, model.predict(df)))\n%register model m"
    found = roles(text)
    assert found[0] == "train"
    assert set(found) == {"import", "train", "score", "evaluate", "output"}


def test_what_a_variable_was_made_by_is_remembered_between_cells() -> None:
    scaler = "from sklearn.preprocessing import StandardScaler\nx = StandardScaler()"
    assert roles(scaler, "x.fit(data)") == ("transform", "output")[:1]
    assert roles("x = StandardScaler()\nx = LogisticRegression()", "x.fit(data)")[0] == "train"


def test_a_tag_says_more_than_the_code() -> None:
    assert roles("df.head()", tags=["role:train", "role:score", "other"]) == ("train", "score")
    assert roles("model.fit(X, y)", tags=["role:none"]) == ()
    assert roles("model.fit(X, y)", tags=["role:nonsense"])[0] == "train"


def test_a_role_comes_with_what_tells_it() -> None:
    (cell,) = roles_of(notebook("model.fit(X, y)\n%register model m"))
    assert cell.to_dict() == {
        "cell": 1,
        "main": "train",
        "roles": ["train", "output"],
        "because": {"train": ["fit"], "output": ["%register"]},
        "tags": [],
    }


@pytest.mark.parametrize(
    ("text", "tags", "roles", "said"),
    [
        ("df.head()", ["role:train"], ("train",), ("role:train",)),
        ("model.fit(X, y)", ["skip"], (), ("skip",)),
        ("model.fit(X, y)", ["role:none"], (), ("role:none",)),
        ("rows = f()", ["web-input"], ("import",), ("web-input",)),
        ("p = model.predict(X)", ["web-output"], ("output", "score"), ("web-output",)),
        ("model.fit(X, y)", ["role:nonsense", "other"], ("train",), ()),
    ],
)  # fmt: skip
def test_what_a_person_said_with_a_tag_is_known_to_be_said(
    text: str, tags: list[str], roles: tuple[str, ...], said: tuple[str, ...]
) -> None:
    (cell,) = roles_of(notebook(text, tags=tags))
    assert (cell.roles, cell.tags) == (roles, said)


def test_in_another_language_only_tags_tell_a_role() -> None:
    assert [one.main for one in roles_of(notebook("fit <- lm(y ~ x)", language="R"))] == [None]
    assert roles_of(notebook("fit <- lm(y ~ x)", language="R", tags=["role:train"]))[0].main == "train"
