"""Setting up a service: the predictive notebook is written beside the training one, which stays as it is."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from mlalm_jupyter.adapters.conversion import NotebookConversion
from mlalm_jupyter.api import setting_up
from mlalm_jupyter.domain.errors import AlreadyExists, Conflict, InvalidInput, MlalmError
from mlalm_jupyter.domain.setup import SetUp
from mlalm_jupyter.notebook.predictive.proof import Proof, Reason, Trace
from mlalm_jupyter.workspace import Workspace

pytestmark = [pytest.mark.prove_conversion, pytest.mark.timeout(600)]

TRAIN = (
    "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n"
    "from sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import StandardScaler",
    "df = pd.read_csv('churn.csv')\ndf.head()",
    "# what is not known\ndf['income'] = df.income.fillna(df.income.mean())",
    "X = df.drop(columns=['churn', 'id'])\n"
    "X_train, X_test, y_train, y_test = train_test_split(X, df.churn, random_state=1)",
    "scaler = StandardScaler().fit(X_train)\nmodel = LogisticRegression().fit(scaler.transform(X_train), y_train)",
    "predictions = model.predict(scaler.transform(X_test))\nprint((predictions == y_test).mean())",
)
OTHER = "model = LogisticRegression(C=0.001).fit(scaler.transform(X_train), y_train)"

NAMED = "import pandas as pd\npredictions = pd.DataFrame({{'{}': predictions}})"


@pytest.fixture
def ws(hosted: Any) -> Workspace:
    found: Workspace = hosted
    chance = np.random.default_rng(3)
    table = pd.DataFrame(
        {"id": range(80), "age": chance.integers(18, 80, 80), "income": chance.normal(3, 1, 80)}
    )
    table.loc[[3, 40], "income"] = np.nan
    table["churn"] = (table.age + chance.normal(0, 9, 80) > 50).astype(int)
    table.to_csv(found.path / "churn.csv", index=False)
    return found


def write(ws: Workspace, name: str, *cells: str) -> Path:
    notebook = new_notebook(cells=[new_code_cell(one) for one in cells])
    nbformat.write(notebook, ws.path / name)
    return ws.path / name


def texts(file: Path) -> list[str]:
    return [one.source for one in nbformat.read(file, as_version=4).cells]


def edit(file: Path, change: Any) -> None:
    notebook = json.loads(file.read_text())
    change(notebook["cells"])
    file.write_text(json.dumps(notebook, indent=1) + "\n")


def answers(ws: Workspace, service: str) -> list[tuple[object, ...]]:
    rows = pd.DataFrame({"age": [20, 75, 50], "income": [2.5, None, 3.0]})
    scored = ws.services.score(service, rows)
    return [(scored.names, *row) for row in scored.rows]


@pytest.mark.full
@pytest.mark.timeout(900)
def test_from_a_training_notebook_to_a_service_and_on(ws: Workspace) -> None:
    """One story, because each of its steps stands on the one before."""
    training = write(ws, "churn.ipynb", *TRAIN)
    with pytest.raises(
        Conflict, match=r"churn\.ipynb was not set up as a service\. It never ran\. Run it with"
    ):
        ws.services.setup("predictive", "churn")
    assert not (ws.path / "churn.predictive.ipynb").exists()

    ws.experiments.run("churn")
    before = training.read_bytes()
    made = ws.services.setup("predictive", "churn")
    check_made(ws, made)
    file = ws.path / made.experiment.path
    assert training.read_bytes() == before

    with pytest.raises(Conflict, match="It never ran"):
        ws.services.deploy("churn.predictive", "churn")

    # a person puts a filter before the output (R063), and it stays when the notebook is made again
    edit(file, lambda cells: cells.insert(-1, cell(NAMED.format("churns"))))
    again = ws.services.setup("predictive", "churn")
    assert (again.is_new, again.by_hand) == (False, ("import pandas as pd",))
    assert texts(file)[-2] == NAMED.format("churns")
    assert [one.reference for one in again.assets] == [one.reference for one in made.assets]

    ws.experiments.run("churn.predictive")
    service = ws.services.deploy("churn.predictive", "churn")
    first = answers(ws, "churn")
    assert [one[0] for one in first] == [("churns",)] * 3
    assert {one[1] for one in first} == {0, 1}
    kept = (file.read_bytes(), service.default.definition_hash)

    # another algorithm: another predictive notebook, and a service of its own (R066)
    write(ws, "churn.ipynb", *TRAIN[:4], TRAIN[4].partition("\n")[0], OTHER, TRAIN[5])
    ws.experiments.run("churn")
    other = ws.services.setup("predictive", "churn")
    assert (other.experiment.path, other.is_new) == ("churn.predictive-2.ipynb", True)
    assert other.note == (
        "churn.predictive.ipynb is deployed and stays as it is, with what you changed in it: none of that is in "
        "churn.predictive-2.ipynb. Deploy churn.predictive-2.ipynb as a service of its own."
    )
    assert "`%deploy churn.predictive-2 SERVICE`" in texts(ws.path / other.experiment.path)[0]
    assert [one.reference for one in other.assets if one.kind == "model"] == ["churn:2"]
    ws.experiments.run("churn.predictive-2")
    for update in (True, False):
        with pytest.raises(Conflict) as refused:
            ws.services.deploy("churn.predictive-2", "churn", update=update)
        assert str(refused.value) == (
            "Service 'churn' was not updated. It was deployed from churn.predictive.ipynb, and churn.predictive-2.ipynb "
            "was cut out of churn.ipynb anew, without what you changed there. Make it a service of its own with "
            "`mlalm service deploy churn.predictive-2 NAME`; or change churn.predictive.ipynb, run it, and deploy that "
            "with --update."
        )
    ws.services.deploy("churn.predictive-2", "churn-two")
    assert [one[0] for one in answers(ws, "churn-two")] == [("predictions",)] * 3
    assert answers(ws, "churn") == first
    assert (file.read_bytes(), ws.services.show("churn").default.definition_hash) == kept

    # only data handling changed (R062): the same service is deployed again, and only its default endpoint moves
    ws.endpoints.add("churn/second")
    edit(file, lambda cells: cells[-2].update(source=NAMED.format("leaves")))
    ws.experiments.run("churn.predictive")
    ws.services.deploy("churn.predictive", "churn", update=True)
    assert answers(ws, "churn")[0][0] == ("leaves",)
    assert answers(ws, "churn/second") == first


def check_made(ws: Workspace, made: SetUp) -> None:
    assert made.experiment.path == "churn.predictive.ipynb"
    assert (made.experiment.kind, made.experiment.parent) == ("predictive", "churn.ipynb")
    assert made.inputs == ("age", "income")
    assert made.outputs == ("predictions",)
    assert set(made.not_needed) == {"id", "churn"}
    assert {one.kind for one in made.assets} == {"value", "transform", "model"}
    assert made.proven
    assert made.proven.rows == 20
    assert made.proven.perturbed_rows == 20
    found = "\n".join(texts(ws.path / made.experiment.path))
    assert "# what is not known" in found
    assert not [
        word for word in (".fit(", "head()", "print(", "read_csv", "train_test_split(X") if word in found
    ]
    model = ws.models.show("churn:1")
    assert model.lineage.run_id == made.run_id
    assert ws.experiments.show("churn.predictive").parent_run_id == made.run_id


def cell(text: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "source": text,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "id": "mine",
    }


def test_a_notebook_whose_run_failed_says_where_and_why(ws: Workspace) -> None:
    write(ws, "churn.ipynb", *TRAIN[:2], "df['nowhere']")
    with pytest.raises(MlalmError, match="nowhere"):
        ws.experiments.run("churn")
    with pytest.raises(Conflict) as refused:
        ws.services.setup("predictive", "churn")
    assert "Its last run is Failed at cell 3: " in refused.value.why
    assert "nowhere" in refused.value.why
    assert refused.value.fix.startswith("Mend that, run it with `mlalm experiment run churn.ipynb`")


@pytest.mark.full
def test_running_it_once_more_registers_and_deploys_nothing(ws: Workspace) -> None:
    magics = (
        "%load_ext mlalm_jupyter\nkept = %register model churn-raw --sample X\n"
        "service = %deploy churn-raw raw\nprint(kept.reference, service.default.address[:4])"
    )
    write(ws, "churn.ipynb", *TRAIN[:5], magics, TRAIN[5])
    ws.experiments.run("churn")
    ws.services.setup("predictive", "churn")
    assert [one.reference for one in ws.models.list(name="churn-raw")] == ["churn-raw:1"]
    assert [one.name for one in ws.services.list()] == ["raw"]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        pytest.param((*TRAIN[:4], "df['again'] = df.churn", *TRAIN[4:]), "", marks=pytest.mark.full),
        (("import sklearn\nrows = [1]",), "service setup ports"),
        (
            (*TRAIN[:5], TRAIN[4].replace("model", "second"), TRAIN[5], "others = second.predict(X_test)"),
            r"Say which one with `%select_model second` in a cell, or with `--model second`\.",
        ),
    ],
)
def test_a_refusal_says_what_to_do_and_writes_nothing(
    ws: Workspace, cells: tuple[str, ...], said: str
) -> None:
    if not said:
        cells = tuple(one.replace("X = df.drop(columns=['churn', 'id'])", "X = df[['again', 'age']]") for one in
                      (*TRAIN[:3], "df['again'] = df.churn * 2", *TRAIN[3:]))  # fmt: skip
        said = "churn"
    write(ws, "churn.ipynb", *cells)
    ws.experiments.run("churn")
    with pytest.raises((Conflict, InvalidInput), match=said):
        ws.services.setup("predictive", "churn")
    assert [one.name for one in ws.path.glob("*.ipynb")] == ["churn.ipynb"]
    assert ws.models.list() == ()
    assert ws.transforms.list() == ()


HIDDEN_FILL = "def tidy(t):\n    t['income'] = t.income.fillna(t.income.median())\n    return t\n"
CLEANER = (
    "class Cleaner:\n    def __init__(self, table):\n        self.table = table\n"
    "    def run(self):\n        self.table.loc[self.table.age > 70, 'age'] = 30"
)


@pytest.mark.full
@pytest.mark.parametrize(
    ("file", "cells", "said"),
    [
        # a statistic of each request, in a module that is not read
        (HIDDEN_FILL, ("import tidying\ndf = tidying.tidy(df)",), "A row alone is worked out otherwise"),
        # a change of rows that the text does not tell
        (
            "",
            (CLEANER, "Cleaner(df).run()"),
            r"Cell 4 changes 'df', which its text does not tell: write `df = ...`",
        ),
    ],
)
def test_what_only_running_shows_is_refused(
    ws: Workspace, file: str, cells: tuple[str, ...], said: str
) -> None:
    (ws.path / "tidying.py").write_text(file)
    forest = TRAIN[4].replace("LogisticRegression()", "RandomForestClassifier(random_state=1)")
    head = TRAIN[0] + "\nfrom sklearn.ensemble import RandomForestClassifier"
    write(ws, "churn.ipynb", head, TRAIN[1], *cells, TRAIN[3], forest, TRAIN[5])
    ws.experiments.run("churn")
    with pytest.raises(Conflict, match=said):
        ws.services.setup("predictive", "churn")
    assert [one.name for one in ws.path.glob("*.ipynb")] == ["churn.ipynb"]


BY_HAND = (
    "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression",
    "df = pd.read_csv('churn.csv')\ndf = df.set_index('id')\nmost = df.age.max()\n"
    "df = df.query('age <= @most').sample(frac=1, random_state=4)\n"
    "df.loc[df.income.isna(), 'income'] = df['age'] / 20",
    "X = pd.DataFrame()\nX['old'] = [age > 50 for age in df.age]\nX['early'] = [one < 40 for one in df.index]\n"
    "df = df.reset_index(drop=True)\nX['income'] = df.income",
    "cut = int(0.7 * len(X))\nA, y = X.to_numpy(dtype=float), df.churn.to_numpy()\n"
    "model = LogisticRegression().fit(A[:cut], y[:cut])",
    "proba = model.predict_proba(A[cut:])[:, 1]",
)


@pytest.mark.full
def test_rows_that_were_shuffled_filtered_and_split_by_hand_are_found_again(ws: Workspace) -> None:
    write(ws, "churn.ipynb", *BY_HAND)
    ws.experiments.run("churn")
    made = ws.services.setup("predictive", "churn")
    assert made.inputs == ("id", "age", "income")
    assert any("has the same row twice is refused" in one for one in made.warnings)
    ws.experiments.run("churn.predictive")
    ws.services.deploy("churn.predictive", "churn")
    rows = pd.DataFrame({"id": [900, 901], "age": [20, 75], "income": [2.5, None]})
    low, high = (row[0] for row in ws.services.score("churn", rows).rows)
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert low < 0.5 < high


@pytest.mark.full
def test_a_column_is_asked_for_where_only_other_callers_have_other_values_or_gaps(ws: Workspace) -> None:
    table = pd.read_csv(ws.path / "churn.csv")
    table["unit"] = "year"
    table["phone"] = ["07x" if row % 3 else None for row in range(80)]
    table["tags"] = "a"
    table["vip"] = [True if row == 7 else None for row in range(80)]  # not among rows at equal distances
    table.to_csv(ws.path / "churn.csv", index=False)
    more = (
        "df['age'] = np.where(df.unit == 'month', df.age / 12, df.age)\n"
        "df['no_phone'] = df.phone.isna()\ndf['vip'] = df.vip.fillna(False).astype(int)"
    )
    cells = [one.replace("'churn', 'id'", "'churn', 'id', 'unit', 'phone', 'tags'") for one in TRAIN]
    write(ws, "churn.ipynb", "import numpy as np", *cells[:3], more, *cells[3:])
    ws.experiments.run("churn")
    made = ws.services.setup("predictive", "churn")
    assert made.inputs == ("age", "income", "unit", "phone", "vip")
    ws.experiments.run("churn.predictive")
    ws.services.deploy("churn.predictive", "churn")
    rows = pd.DataFrame({"age": [240, 240], "income": 3.0, "unit": ["year", "month"], "phone": "07x"})
    rows["vip"] = [None, True]
    assert [one[0] for one in ws.services.score("churn", rows).rows] == [1, 0]


@pytest.mark.full
def test_a_time_limit_that_is_reached_is_told_as_one_and_blames_no_cell(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(ws, "churn.ipynb", *TRAIN, "import time\ntime.sleep(5)")
    ws.experiments.run("churn")

    def refused(limit_s: float) -> str:
        with pytest.raises(Conflict) as found:
            ws.services.setup("predictive", "churn", timeout_s=limit_s)
        return str(found.value)

    assert refused(2) == (
        "No predictive notebook was cut out of churn.ipynb. A run of it reached the time limit of 2 s. Give each run "
        "more, for example twice as much: `--timeout-s 4`."
    )
    told = [
        "Cell 3 does not work on other rows of the same types, so that nothing can be compared: It took longer than "
        "30 s, and was stopped in cell 3.",
        "The slice fails on the rows of the notebook at `a = b`: it took longer than 30 s.",
    ]

    def proof(number: int) -> Any:
        return lambda *given, **named: Proof(False, (Reason(told[number], (3,)),))

    monkeypatch.setattr(NotebookConversion, "trace", lambda *given, **named: Trace(b"", None, None, ()))
    monkeypatch.setattr(NotebookConversion, "prove", proof(0))
    assert "A run of it reached the time limit of 30 s. Give each run more" in refused(30)
    assert "ell 3" not in refused(30)
    monkeypatch.setattr(NotebookConversion, "prove", proof(1))
    assert refused(30).endswith("30 s. Give each run more, for example twice as much: `--timeout-s 60`.")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (
            "df['again'] = df['churn'] * df.age",
            "Cell 4 is not valid. Expected an output that can be had without the",
        ),
        (
            "df = df.assign(again=df.churn * df.age)",
            "The answers depend on 'churn', which is what the model learns",
        ),
    ],
)
def test_a_feature_that_the_label_is_in_is_named_as_what_to_leave_out(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, made: str, told: str
) -> None:
    write(ws, "churn.ipynb", *TRAIN[:3], made, *TRAIN[3:])
    ws.experiments.run("churn")
    depend = Reason(
        "The answers depend on 'churn', which is what the model learns to predict.", (4,), ("churn",)
    )
    monkeypatch.setattr(NotebookConversion, "trace", lambda *given, **named: Trace(b"", None, None, ()))
    monkeypatch.setattr(NotebookConversion, "prove", lambda *given, **named: Proof(False, (depend,)))
    with pytest.raises((Conflict, InvalidInput)) as found:
        ws.services.setup("predictive", "churn")
    assert told in str(found.value)
    assert str(found.value).endswith(
        "Leave `again` (cell 4) out of what the model learns from: that column is made of it."
    )


@pytest.mark.full
def test_a_column_that_is_filled_is_not_filled_where_a_person_has_it_matter(ws: Workspace) -> None:
    write(ws, "churn.ipynb", *TRAIN[:3], "df = df.astype({'id': 'float'})", *TRAIN[3:])
    ws.experiments.run("churn")
    made = ws.services.setup("predictive", "churn")
    file = ws.path / made.experiment.path
    before = file.read_bytes()
    filling = next(text for text in texts(file) if "fills = {" in text)
    place = list(texts(file)[1:]).index(filling) + 1
    fill = filling.partition("'id': ")[2].partition(",")[0].partition("}")[0]

    def refused(change: str, at: int) -> str:
        file.write_bytes(before)
        edit(file, lambda cells: cells.insert(at, cell(change)))
        ws.experiments.run("churn.predictive")
        with pytest.raises(InvalidInput) as found:
            ws.services.deploy("churn.predictive", "churn")
        return str(found.value)

    told = (
        f"is not valid. Expected answers that come from what callers send, got some that need 'id', which is {fill} in "
        f"every row because callers are not asked for it. Let rows that have it come in and run it again: "
        f"callers are then asked for it, and cell {place} no longer fills it."
    )
    assert refused("df.loc[df['id'] > 40, 'age'] = 99", place + 1) == f"Cell {place + 1} {told}"
    assert refused("predictions = predictions + df.to_numpy()[:, 0]", -1) == f"The notebook {told}"

    first = "\n".join(
        "df = __import__('pandas').read_csv('churn.csv').drop(columns='churn')"
        if "%dataset" in line
        else line
        for line in texts(file)[1].splitlines()
    )
    edit(file, lambda cells: cells[1].update(source=first))
    edit(file, lambda cells: cells.insert(place + 1, cell("df.loc[df['id'] > 40, 'age'] = 99")))
    ws.experiments.run("churn.predictive")
    ws.services.deploy("churn.predictive", "churn")
    (asked,) = ws.definitions.show("churn").inputs.values()
    assert set(asked.names) == {"id", "age", "income"}


def test_whoever_breaks_a_set_up_off_is_told_what_came_of_it(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(ws, "churn.ipynb", *TRAIN)
    ws.experiments.run("churn")

    def broken_off(*given: object, **named: object) -> Any:
        raise KeyboardInterrupt

    def told() -> str:
        with pytest.raises(KeyboardInterrupt) as found:
            ws.services.setup("predictive", "churn")
        return str(found.value)

    monkeypatch.setattr(NotebookConversion, "trace", broken_off)
    assert told() == "No predictive notebook was cut out of churn.ipynb. Nothing was written."
    monkeypatch.setattr(NotebookConversion, "trace", lambda *given, **named: Trace(b"", None, None, ()))
    monkeypatch.setattr(NotebookConversion, "prove", lambda *given, **named: Proof(True))
    monkeypatch.setattr(setting_up, "kept_things", broken_off)
    assert told() == (
        "churn.predictive.ipynb was being written: repeat it, and what is kept already is used."
    )


@pytest.mark.full
def test_a_run_with_parameters_is_cut_out_with_the_values_it_had(ws: Workspace) -> None:
    cells = ["least = 0", *TRAIN[:3], "df['rich'] = (df.income > least).astype(int)", *TRAIN[3:]]
    write(ws, "churn.ipynb", *cells)
    edit(ws.path / "churn.ipynb", lambda cells: cells[0]["metadata"].update(tags=["parameters"]))
    ws.experiments.run("churn", parameters={"least": 3})
    made = ws.services.setup("predictive", "churn")
    found = texts(ws.path / made.experiment.path)
    assert any("least = 3" in one for one in found)
    assert not any("was not compared" in one for one in made.warnings)


@pytest.mark.full
@pytest.mark.parametrize("name", ["kept_rows", "written", "write_new_notebook"])
def test_whoever_is_killed_while_setting_up_may_repeat_it(ws: Workspace, name: str) -> None:
    write(ws, "churn.ipynb", *TRAIN)
    run = ws.experiments.run("churn")
    program = f"""
import os, signal, sys
from mlalm_jupyter.api import predictive_notebooks, setting_up
from mlalm_jupyter.workspace import Workspace

place = predictive_notebooks if hasattr(predictive_notebooks, {name!r}) and {name!r} != "written" else setting_up
real = getattr(place, {name!r})

def die(*given, **named):
    if {name!r} == "write_new_notebook":
        real(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(place, {name!r}, die)
with Workspace.open(sys.argv[1]) as ws:
    ws.services.setup("predictive", "churn")
"""
    done = subprocess.run([sys.executable, "-c", program, str(ws.path)], timeout=300, check=False)
    assert done.returncode == -signal.SIGKILL
    made = ws.services.setup("predictive", "churn")
    assert made.experiment.path == "churn.predictive.ipynb"
    known = ws.experiments.show("churn.predictive")
    assert (known.kind, known.parent, known.parent_run_id) == ("predictive", "churn.ipynb", run.id)
    assert [one.reference for one in ws.models.list(name="churn")] == ["churn:1"]
    assert ws.workspaces.doctor().findings == ()


def test_what_is_no_training_notebook_is_refused(ws: Workspace) -> None:
    write(ws, "churn.ipynb", *TRAIN)
    with pytest.raises(InvalidInput, match="Expected predictive or ports, got 'both'"):
        ws.services.setup("both", "churn")
    with pytest.raises(InvalidInput, match="one that trains nothing"):
        ws.services.setup("ports", "churn")
    with pytest.raises(InvalidInput, match="retrain run SERVICE"):
        ws.services.setup("retraining", "churn")


def test_a_notebook_of_that_name_that_was_not_cut_out_of_it_is_left_alone(ws: Workspace) -> None:
    write(ws, "churn.ipynb", *TRAIN)
    mine = write(ws, "churn.predictive.ipynb", "mine = 1")
    before = mine.read_bytes()
    ws.experiments.run("churn")
    with pytest.raises(AlreadyExists, match="not cut out of this one"):
        ws.services.setup("predictive", "churn")
    assert mine.read_bytes() == before


@pytest.mark.parametrize("word", ["ports", pytest.param("retraining", marks=pytest.mark.full)])
def test_a_notebook_without_a_model_stays_one_notebook_and_gets_its_marks(ws: Workspace, word: str) -> None:
    file = write(
        ws,
        "tidy.ipynb",
        "import pandas as pd",
        "rows = pd.read_csv('churn.csv')\nrows['old'] = rows.age > 60\nrows.head()",
        "rows = rows[['id', 'old']]",
    )
    made = ws.services.setup(word, "tidy")
    assert (made.experiment.path, made.inputs, made.outputs) == ("tidy.ipynb", ("rows",), ("rows",))
    assert ("clearer name" in made.note) == (word == "retraining")
    assert texts(file) == [
        "import pandas as pd",
        "rows = pd.read_csv('churn.csv')",
        "%load_ext mlalm_jupyter\n%web_input rows",
        "rows['old'] = rows.age > 60\nrows.head()",
        "rows = rows[['id', 'old']]",
        "%web_output rows",
    ]
    with pytest.raises(Conflict, match="It never ran"):
        ws.services.deploy("tidy", "tidy")
    ws.experiments.run("tidy")
    ws.services.deploy("tidy", "tidy")
    scored = ws.services.score("tidy", pd.DataFrame({"id": [7], "age": [70], "income": [1.0], "churn": [0]}))
    assert scored.rows == ((7, True),)
    before = file.read_bytes()
    assert "Nothing changed" in ws.services.setup("ports", "tidy").note
    assert file.read_bytes() == before


@pytest.mark.full
def test_data_that_is_handed_on_as_a_part_of_what_was_loaded_is_what_callers_send(ws: Workspace) -> None:
    cells = (
        "from sklearn.datasets import load_iris\nfrom sklearn.linear_model import LogisticRegression",
        "from sklearn.model_selection import train_test_split\niris = load_iris()",
        "X_train, X_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=1)",
        "model = LogisticRegression(max_iter=500).fit(X_train, y_train)\npredictions = model.predict(X_test)",
    )
    write(ws, "iris.ipynb", *cells)
    ws.experiments.run("iris")
    made = ws.services.setup("predictive", "iris")
    assert made.inputs == tuple(f"iris_data_{place}" for place in range(4))
    ws.experiments.run("iris.predictive")
    ws.services.deploy("iris.predictive", "iris")
    rows = pd.DataFrame([[5.0, 3.4, 1.5, 0.2], [6.5, 3.0, 5.8, 2.2]], columns=list(made.inputs))
    assert [one[0] for one in ws.services.score("iris", rows).rows] == [0, 2]
