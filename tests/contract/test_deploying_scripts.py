"""Scoring scripts: `init()` once, `run(data)` for each request, with a model behind them or none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.errors import InvalidInput, MissingDependency, MlalmError, UntrustedContent
from mlalm_jupyter.workspace import Workspace

pytestmark = [pytest.mark.prove_services, pytest.mark.timeout(240)]
ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
PLAIN = """
import json

def init():
    global factor
    factor = 3

def run(data):
    return json.dumps([row[0] * factor for row in json.loads(data)["data"]])
"""
WITH_MODEL = """
import pandas as pd

def init(model):
    global behind
    behind = model

def run(rows: pd.DataFrame):
    return {"line": behind.predict(rows[["a"]])}
"""


@pytest.fixture
def ws(hosted: Workspace) -> Workspace:
    for factor in (2.0, 5.0):
        hosted.models.register(LinearRegression().fit(ROWS, ROWS["a"] * factor), "line", sample=ROWS)
    return hosted


def script(ws: Workspace, text: str) -> str:
    path = ws.path / "score.py"
    path.write_text(text)
    return str(path)


def says(ws: Workspace, service: str) -> list[float]:
    return [round(float(str(row[-1])), 6) for row in ws.services.score(service, ROWS).rows]


def test_a_script_without_a_model_answers_rows(ws: Workspace) -> None:
    made = ws.services.deploy(script(ws, PLAIN), "threefold", sample=ROWS)
    assert made.default.model is None
    assert says(ws, "threefold") == [3, 6, 9]
    ws.services.deploy(
        script(ws, PLAIN.replace("factor = 3", "factor = 4")), "threefold", sample=ROWS, update=True
    )
    assert says(ws, "threefold") == [4, 8, 12]
    ws.endpoints.rollback("threefold")
    assert says(ws, "threefold") == [3, 6, 9]


def test_the_model_of_a_script_is_an_asset_that_can_be_patched(ws: Workspace, tmp_path: Path) -> None:
    made = ws.services.deploy(script(ws, WITH_MODEL), "line", sample=ROWS, model="line:1")
    assert made.default.model == "line:1"
    assert says(ws, "line") == [2, 4, 6]
    ws.endpoints.add("line/ep2")
    assert ws.endpoints.patch("line/ep2", model="line:2").model == "line:2"
    assert says(ws, "line/ep2") == [5, 10, 15]
    assert says(ws, "line") == [2, 4, 6]
    file = ws.definitions.export("line", str(tmp_path / "line.wsd.json")).file
    ws.definitions.set_model(file, "line:2")
    ws.definitions.apply(file, "line")
    assert says(ws, "line") == [5, 10, 15]


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        (PLAIN, {}, "expected a sample|Expected a sample"),
        (PLAIN, {"sample": ROWS, "model": "line:1"}, r"an init\(model\) that takes the model"),
        (WITH_MODEL, {"sample": ROWS}, r"a model for its init\(model\).*--model NAME:VERSION"),
        (
            "def init():\n    1 / 0\n\ndef run(data):\n    return data\n",
            {"sample": ROWS},
            r"ZeroDivisionError.*line 2",
        ),
        (
            "def init():\n    pass\n\ndef run(data):\n    return data['x']\n",
            {"sample": ROWS},
            "TypeError.*line 5",
        ),
        (
            "def init():\n    pass\n\ndef run(data):\n    return 'no json'\n",
            {"sample": ROWS},
            "JSON or a table",
        ),
        ("def tidy(rows):\n    return rows\n", {"sample": ROWS, "model": "line:1"}, "a script with"),
        ("def init():\n", {"sample": ROWS}, "The code of .*score.py., line 1"),
    ],
)
def test_a_script_that_cannot_answer_is_refused(
    ws: Workspace, text: str, given: dict[str, object], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        ws.services.deploy(script(ws, text), "broken", **given)  # type: ignore[arg-type]
    assert ws.services.list() == ()


def test_what_a_script_needs_is_named(ws: Workspace) -> None:
    with pytest.raises(MissingDependency, match="pip install nowhere_to_be_found"):
        ws.services.deploy(script(ws, f"import nowhere_to_be_found\n{PLAIN}"), "broken", sample=ROWS)


def test_a_model_that_runs_code_is_not_opened_for_a_script_unless_it_is_trusted(ws: Workspace) -> None:
    ws.models.register(_Odd(), "odd", sample=ROWS)
    ws.trust.remove(ws.models.show("odd:1").model_hash, yes=True)
    with pytest.raises(UntrustedContent):
        ws.services.deploy(script(ws, WITH_MODEL), "odd", sample=ROWS, model="odd:1")
    with pytest.raises(MlalmError, match="a script with"):
        ws.services.deploy("line:1", "odd", model="line:2")


class _Odd:
    """Nothing that is kept as data."""

    def predict(self, rows: pd.DataFrame) -> pd.Series:
        return rows["a"]
