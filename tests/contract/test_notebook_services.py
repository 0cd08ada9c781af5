"""Notebooks with marks as services: their cells answer without a kernel, with what they load and what lies beside them."""

from __future__ import annotations

from typing import Any

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from mlalm_jupyter.domain.errors import Conflict, InvalidInput, NotFound
from mlalm_jupyter.workspace import Workspace

pytestmark = [pytest.mark.prove_conversion, pytest.mark.timeout(240)]

ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "name": ["x", "y", None, "x"]})
ETL = (
    "import pandas as pd\nfrom tidying import tidy",
    "rows = pd.read_csv('rows.csv')\nrows.head()",
    "%web_input rows",
    "def twice(column):\n    return column * factor\n\nfactor = 2",
    "rows['b'] = twice(rows.a)\nrows = tidy(rows)\nprint('done')",
    "%web_output rows",
)


def write(ws: Workspace, name: str, *cells: str) -> str:
    notebook = new_notebook(cells=[new_code_cell(one) for one in ("%load_ext mlalm_jupyter", *cells)])
    nbformat.write(notebook, ws.path / name)
    return name


@pytest.fixture
def ws(hosted: Any) -> Workspace:
    found: Workspace = hosted
    ROWS.to_csv(found.path / "rows.csv", index=False)
    (found.path / "tidying.py").write_text(
        "from words import UNKNOWN\n\n\ndef tidy(rows):\n    return rows.fillna({'name': UNKNOWN})\n"
    )
    (found.path / "words.py").write_text("UNKNOWN = 'nobody'\n")
    return found


def answers(ws: Workspace, service: str, rows: pd.DataFrame) -> list[dict[str, Any]]:
    scored = ws.services.score(service, rows)
    return [dict(zip(scored.names, row, strict=True)) for row in scored.rows]


def test_a_notebook_that_only_tidies_answers_with_what_its_cells_make_of_rows(ws: Workspace) -> None:
    write(ws, "tidy_up.ipynb", *ETL)
    ws.experiments.run("tidy_up")
    made = ws.services.deploy("tidy_up", "tidy")
    assert made.source == "experiment tidy_up.ipynb"
    assert answers(ws, "tidy", pd.DataFrame({"a": [10.0, 0.5], "name": ["z", None]})) == [
        {"a": 10.0, "name": "z", "b": 20.0},
        {"a": 0.5, "name": "nobody", "b": 1.0},
    ]
    definition = ws.definitions.show("tidy")
    assert [list(one.names) for one in definition.inputs.values()] == [["a", "name"]]
    assert "print" not in definition.code[0].source
    assert "head()" not in definition.code[0].source


def test_it_answers_with_what_lay_beside_it_and_not_with_what_lies_there_now(ws: Workspace) -> None:
    write(ws, "tidy_up.ipynb", *ETL)
    ws.experiments.run("tidy_up")
    ws.services.deploy("tidy_up", "tidy")
    (ws.path / "words.py").unlink()
    (ws.path / "tidying.py").write_text("def tidy(rows):\n    return rows.head(0)\n")
    ws.endpoints.add("tidy/second")
    for endpoint in ("tidy", "tidy/second"):
        assert answers(ws, endpoint, ROWS.tail(2))[0]["name"] == "nobody"


def test_what_was_fitted_is_loaded_by_name_and_can_be_patched(ws: Workspace) -> None:
    scale = StandardScaler().fit(ROWS[["a"]])
    for factor in (1.0, 10.0):
        model = LinearRegression().fit(scale.transform(ROWS[["a"]]), ROWS.a * factor)
        ws.models.register(model, "line", sample=pd.DataFrame({"a": [0.5]}))
    ws.transforms.register(scale, "scale", sample=ROWS[["a"]])
    write(
        ws,
        "line.ipynb",
        "rows = %dataset rows rows.csv",
        "line = %model line:1\nscale = %transform scale:1",
        "%web_input rows",
        "scores = line.predict(scale.transform(rows[['a']]))",
        "%web_output scores",
    )
    ws.experiments.run("line")
    ws.services.deploy("line.ipynb", "line")
    assert [round(one["scores"], 6) for one in answers(ws, "line", ROWS)] == [1, 2, 3, 4]
    definition = ws.definitions.show("line")
    assert [one.reference for one in definition.models] == ["line:1"]
    assert [one.reference for one in definition.transforms] == ["scale:1"]
    ws.endpoints.add("line/second")
    ws.endpoints.patch("line/second", model="line:2")
    assert [round(one["scores"], 6) for one in answers(ws, "line/second", ROWS)] == [10, 20, 30, 40]
    assert [round(one["scores"], 6) for one in answers(ws, "line", ROWS)] == [1, 2, 3, 4]


def test_a_notebook_that_never_ran_is_refused(ws: Workspace) -> None:
    write(ws, "tidy_up.ipynb", *ETL)
    with pytest.raises(Conflict, match=r"tidy_up.ipynb was not deployed\. It never ran\. Run it with"):
        ws.services.deploy("tidy_up", "tidy")
    assert ws.services.list() == ()


TRAINING = (
    "import pandas as pd\nfrom sklearn.linear_model import LinearRegression",
    "rows = pd.read_csv('rows.csv')",
    "model = LinearRegression().fit(rows[['a']], rows.a)",
    "answers = model.predict(rows[['a']])",
)


@pytest.mark.parametrize("marks", [(), ("%web_input rows", "%web_output answers")])
def test_a_notebook_that_trains_and_was_not_set_up_is_refused_with_how_to(
    ws: Workspace, marks: tuple[str, ...]
) -> None:
    write(ws, "my train.ipynb", *TRAINING[:2], *marks[:1], *TRAINING[2:], *marks[1:])
    with pytest.raises(Conflict) as refused:
        ws.services.deploy("my train", "answers")
    assert str(refused.value) == (
        "The notebook my train.ipynb was not deployed. It trains a model, and a service does only a part of what it "
        "does. Make it a predictive notebook first with `mlalm service setup predictive 'my train'`, then run and "
        "deploy that."
    )


def test_a_mistyped_name_of_a_notebook_is_a_missing_notebook(ws: Workspace) -> None:
    write(ws, "tidy_up.ipynb", *ETL)
    write(ws, "churn.predictive.ipynb", *ETL)
    for typed, meant in (
        ("tidy_pu", "tidy_up"),
        ("chrun.predictive", "churn.predictive"),
        ("x/tidy_up", "tidy_up"),
    ):
        with pytest.raises(NotFound) as missing:
            ws.services.deploy(typed, "tidy")
        assert str(missing.value).startswith(f"No notebook '{typed}'. The nearest names are '{meant}'")
    ws.models.register(LinearRegression().fit(ROWS[["a"]], ROWS.a), "tidy", sample=ROWS[["a"]])
    for typed in ("tidi", "tidy:9", "nothing-like-it"):
        with pytest.raises(NotFound, match=f"No model '{typed}'"):
            ws.services.deploy(typed, "tidy")


def test_a_command_with_the_name_of_a_notebook_can_be_typed_as_it_stands(ws: Workspace) -> None:
    write(ws, "my tidy up.ipynb", *ETL)
    with pytest.raises(Conflict, match=r"`mlalm experiment run 'my tidy up\.ipynb'`"):
        ws.services.deploy("my tidy up", "tidy")
    ws.experiments.run("my tidy up.ipynb")
    ws.services.deploy("my tidy up", "tidy")


def test_a_notebook_that_has_changed_since_it_ran_is_refused(ws: Workspace) -> None:
    write(ws, "tidy_up.ipynb", *ETL)
    ws.experiments.run("tidy_up")
    write(ws, "tidy_up.ipynb", *ETL[:-1], "rows = rows[['b']]", ETL[-1])
    with pytest.raises(Conflict, match="Its cells have changed since its last finished run"):
        ws.services.deploy("tidy_up", "tidy")
    ws.experiments.run("tidy_up")
    ws.services.deploy("tidy_up", "tidy")
    assert answers(ws, "tidy", ROWS.head(1)) == [{"b": 2.0}]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (ETL[:-1], "The notebook .* got no %web_output"),
        ([one for one in ETL if one != "%web_input rows"], "got no %web_input"),
        ([one for one in ETL if not one.startswith("%")], "got no %web_input and %web_output"),
        ([*ETL, "%web_output rows again"], "Expected one %web_output"),
        ([*ETL[:4], "extra = pd.read_csv('rows.csv')\nrows = rows.merge(extra)", ETL[-1]], "scoring that reads no files"),
        ([*ETL[:4], "exec('rows = rows')", ETL[-1]], "Cell 6"),
        (
            [*ETL[:2], "middle = rows.a.mean()", *ETL[2:4], "rows['b'] = rows.a - middle", ETL[-1]],
            "Cell 4.*before those of callers come in.*middle = rows.a.mean",
        ),
        ([*ETL[:4], "other = 3", "%web_output other"], "which does not need them"),
        ([ETL[0], ETL[5], ETL[1], ETL[2]], "rows.*before answers go out|does not need|%web_input in cell"),
        (
            [
                *ETL[:3],
                "from sklearn.cluster import KMeans\nrows['k'] = KMeans(2).fit_predict(rows[['a']])",
                ETL[-1],
            ],
            "Cell 5.*fit_predict",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_a_service_is_refused_with_its_cell(
    ws: Workspace, cells: list[str], said: str
) -> None:
    from mlalm_jupyter.notebook.document import NotebookDocument
    from mlalm_jupyter.notebook.predictive.serving import served

    texts = ("%load_ext mlalm_jupyter", *cells)
    document = NotebookDocument(
        {"nbformat": 4, "cells": [{"cell_type": "code", "source": one} for one in texts]}
    )
    with pytest.raises(InvalidInput, match=f"(?s){said}"):
        served(document)


HIDDEN = (
    "parts = {'t': rows}",
    "parts['t']['b'] = parts['t'].a * 2\nanswer = rows[['a']]\nanswer['c'] = rows.shape[1]",
)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ((*ETL[:3], *HIDDEN, "%web_output answer"), "answers as in its run.*got .* instead of"),
        (
            (
                *ETL[:3],
                "def count(seen=[]):\n    seen.append(1)\n    return len(seen)",
                "rows['n'] = count()",
                ETL[-1],
            ),
            "the same answer each time",
        ),
        ((*ETL[:3], "import random\nrows['n'] = random.random()", ETL[-1]), "The service of"),
    ],
)
def test_what_answers_otherwise_than_it_ran_is_refused(
    ws: Workspace, cells: tuple[str, ...], said: str
) -> None:
    write(ws, "odd.ipynb", *cells)
    ws.experiments.run("odd")
    with pytest.raises(InvalidInput, match=f"(?s){said}"):
        ws.services.deploy("odd", "odd")
    assert ws.services.list() == ()


def test_what_a_call_would_change_of_a_loaded_thing_is_refused(ws: Workspace) -> None:
    from mlalm_jupyter.notebook.document import NotebookDocument
    from mlalm_jupyter.notebook.predictive.serving import served

    lines = (
        "names = %transform names:1\nrows = 1",
        "%web_input rows",
        "names.append('b')\nout = rows[names]",
        "%web_output out",
    )
    cells = [{"cell_type": "code", "source": one} for one in lines]
    with pytest.raises(InvalidInput, match=r"Cell 3.*names.append.*changes 'names'"):
        served(NotebookDocument({"nbformat": 4, "cells": cells}))


def test_a_notebook_that_is_not_there_is_refused(ws: Workspace) -> None:
    with pytest.raises((NotFound, InvalidInput), match="nowhere"):
        ws.services.deploy("nowhere.ipynb", "tidy")
