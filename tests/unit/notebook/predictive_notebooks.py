"""Small notebooks as text, and their originals and slices run side by side in this process."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter.notebook.code import code_of
from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook
from mlalm_jupyter.notebook.predictive.parts import Plan
from mlalm_jupyter.notebook.predictive.plan import plan_of

SETUP = """\
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split"""

FILLED = "df = pd.read_csv('people.csv')\ndf['age'] = df['age'].fillna(df['age'].median())"
"""Reads the table of people, without holes in the ages."""
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=1)"

Cell = str | tuple[str, ...]


def document(*cells: Cell) -> NotebookDocument:
    """A notebook of code cells; a tuple is a text with the tags of its cell."""
    made = []
    for cell in cells:
        text, tags = (cell, []) if isinstance(cell, str) else (cell[0], list(cell[1:]))
        made.append({"cell_type": "code", "source": text, "metadata": {"tags": tags}})
    content = {"nbformat": 4, "metadata": {"language_info": {"name": "python"}}, "cells": made}
    return read_notebook(json.dumps(content).encode())


def people(rows: int = 80) -> pd.DataFrame:
    """A table with numbers, words, holes, and two labels."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "age": rng.integers(18, 80, rows).astype(float),
            "pay": rng.normal(3000, 700, rows).round(1),
            "town": rng.choice(["Bern", "Chur", "Olten"], rows),
            "sex": rng.choice(["f", "m"], rows),
            "note": rng.choice(["good fine day", "bad grey day", "good sun"], rows),
        }
    )
    table["y"] = ((table["age"] > 45) ^ (table["sex"] == "f")).astype(int)
    table["cost"] = table["age"] * 2 + table["pay"] / 100 + (table["town"] == "Chur") * 7
    table.loc[rng.choice(rows, 9, replace=False), "age"] = np.nan
    return table


def _run(text: str, space: dict[str, Any]) -> None:
    exec(compile(text, "<cell>", "exec"), space)  # the programs are those of the tests beside


def original(plan: Plan) -> tuple[dict[str, Any], Any, Any, dict[str, Any]]:
    """What is fitted, the table that comes in, the output, and all names, after the notebook as typed."""
    space: dict[str, Any] = {"__name__": "__main__"}
    fitted: dict[str, Any] = {}
    came = out = None
    for statement in plan.program:
        here = [one for one in plan.fitted if one.place == statement.place]
        for one in here:
            if one.is_before:
                fitted[one.name] = copy.deepcopy(eval(one.expression, space))
        code = code_of(statement.typed)
        if not code.magics:
            _run(statement.typed, space)
        for one in here:
            if not one.is_before:
                fitted[one.name] = copy.deepcopy(eval(one.expression, space))
        for port in plan.inputs:
            if port.place == statement.place:
                came = copy.deepcopy(eval(port.expression or port.variable, space))
        for port in plan.outputs:
            if port.place == statement.place:
                out = copy.deepcopy(eval(port.expression or port.variable, space))
    return fitted, came, out, space


def scored(plan: Plan, fitted: dict[str, Any], rows: Any) -> Any:
    """What the slice answers."""
    needed = {one.name for one in plan.fitted}
    space: dict[str, Any] = {name: copy.deepcopy(value) for name, value in fitted.items() if name in needed}
    space[plan.inputs[0].variable] = copy.deepcopy(rows)
    space["__name__"] = "__main__"
    for statement in plan.kept:
        _run(statement.frozen, space)
    return space[plan.outputs[0].variable]


def check(*cells: Cell, held: str, label: str | None = None, model: str | None = None) -> Plan:
    """That a notebook's slice answers as the notebook did: all at once, one by one, and without the label."""
    plan = plan_of(document(*cells), model=model)
    fitted, came, out, space = original(plan)
    index = list(eval(held, space))
    given = came
    if label is not None and label in came:
        given = came.drop(columns=[label])
    places = {key: place for place, key in enumerate(came.index)} if hasattr(came, "index") else None
    rows = [places[key] if places is not None else key for key in index]
    expected = np.asarray(out)
    assert len(expected) == len(rows)
    _same(np.asarray(scored(plan, fitted, _taken(given, rows))), expected)
    for place, row in enumerate(rows[:4]):
        _same(np.asarray(scored(plan, fitted, _taken(given, [row]))), expected[[place]])
    return plan


def _taken(table: Any, rows: list[int]) -> Any:
    return table.iloc[rows] if hasattr(table, "iloc") else table[rows]


def _same(one: Any, other: Any) -> None:
    if one.dtype.kind in "fiub":
        np.testing.assert_allclose(one.astype(float), other.astype(float), rtol=1e-9)
    else:
        assert one.tolist() == other.tolist()


def write_people(folder: Path) -> None:
    people().to_csv(folder / "people.csv", index=False)
