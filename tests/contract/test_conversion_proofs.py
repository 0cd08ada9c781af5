"""The notebook conversion keeps the promise of `ports.NotebookConverter`: a slice is proven by running it, or refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from mlalm_jupyter.adapters import exact_frames
from mlalm_jupyter.adapters.conversion import NotebookConversion
from mlalm_jupyter.adapters.slice_answers import Slices
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.formats import bundle
from mlalm_jupyter.formats.code import CodeModule
from mlalm_jupyter.formats.held import Held
from mlalm_jupyter.notebook.code import code_of
from mlalm_jupyter.notebook.predictive.parts import Fitted, Place, Plan, Port, Split, Statement
from mlalm_jupyter.notebook.predictive.proof import KeptFrame, Proof, Trace
from mlalm_jupyter.ports import NotebookConverter

pytestmark = pytest.mark.prove_conversion

PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
DROPPED = ""
"""What stays of a statement that fits."""


class Written:
    """A notebook and a plan for it, written by hand: statements with what stays of them."""

    def __init__(self, *cells: str) -> None:
        self.cells = cells
        self.frozen: dict[str, str] = {}
        self.kept: dict[str, str] = {}
        self.fitted: list[tuple[str, str, str, str, bool]] = []
        self.splits: list[str] = []

    def plan(self, *, source: str, table: str, last: str, answer: str) -> Plan:
        places: dict[str, Place] = {}
        program = []
        for number, cell in enumerate(self.cells, start=1):
            code = code_of(cell)
            for index, node in enumerate(code.tree.body):
                text = code.text_of(node)
                places[text] = place = Place(number, index)
                program.append(Statement(place, text, self.frozen.get(text, text)))
        kept = [
            Statement(places[text], text, frozen)
            for text, frozen in sorted(self.kept.items(), key=lambda one: places[one[0]])
        ]
        return Plan(
            (Port("input", table, places[source]),),
            (Port("output", answer, places[last]),),
            tuple(program),
            tuple(kept),
            tuple(
                Fitted(name, kind, places[text], expression, before)
                for name, kind, text, expression, before in self.fitted
            ),
            tuple(Split(places[text], text.partition("= ")[2]) for text in self.splits),
        )

    @property
    def notebook(self) -> bytes:
        made = new_notebook(cells=[new_code_cell(one) for one in self.cells], metadata=PYTHON)
        return nbformat.writes(made).encode()


def rows(folder: Path, count: int = 120) -> pd.DataFrame:
    random = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "size": random.normal(50, 10, count).round(3),
            "age": random.integers(1, 40, count),
            "town": random.choice(["Bern", "Köln", "Lyon"], count),
            "ticket": [f"t{number}" for number in range(count)],
        }
    )
    noise = random.normal(0, 4, count)
    frame["sold"] = np.where(frame["size"] - frame["age"] + noise > 30, "yes", "no")
    frame.loc[random.choice(count, 9, replace=False), "size"] = np.nan
    frame.to_csv(folder / "rows.csv", index=False)
    return frame


def converted(
    written: Written,
    plan: Plan,
    folder: Path,
    *,
    executed: object | None = None,
    as_written: Callable[[Proof], str] | None = None,
) -> tuple[Trace, Proof]:
    """What a trace keeps and what the proof says; both in real kernels."""
    converter: NotebookConverter = NotebookConversion()
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    cwd = folder / "notebooks"
    options: dict[str, Any] = {"cwd": cwd, "env": {}, "on_cell": lambda _: None, "scratch": scratch}
    options["timeout_s"] = 100
    trace = converter.trace(written.notebook, plan, parameters={}, **options)
    return trace, converter.prove(plan, trace, executed=executed, as_written=as_written, **options)


def sentences(proof: Proof) -> str:
    return " ".join(str(one) for one in proof.reasons)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notebooks").mkdir()
    rows(tmp_path / "notebooks")
    return tmp_path


IMPORTS = """import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler"""
READ = "df = pd.read_csv('rows.csv')"
FILL = "df['size'] = df['size'].fillna(df['size'].median())"
FEATURES = "X = df.drop(columns=['sold', 'ticket', 'town'])"
LABEL = "y = df['sold']"
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=3)"
SCALE = "scaler = StandardScaler().fit(X_train)"
TRAIN = "model = LogisticRegression().fit(scaler.transform(X_train), y_train)"
SCALED = "X_scaled = scaler.transform(X_test)"
PREDICT = "predicted = model.predict(X_scaled)"


def churn(*, split: str = SPLIT) -> Written:
    written = Written(
        IMPORTS,
        READ + "\ndf.head()",
        FILL + "\n" + FEATURES + "\n" + LABEL,
        split + "\n" + SCALE,
        TRAIN,
        SCALED + "\n" + PREDICT + "\npredicted",
        "print((predicted == y_test).mean())\nassert (predicted == y_test).mean() > 0.6\ndf.to_csv('left.csv')",
    )
    filled = "df['size'] = df['size'].fillna(size_median)"
    written.frozen = {FILL: filled, SCALE: DROPPED, TRAIN: DROPPED}
    written.kept = {
        "import pandas as pd": "import pandas as pd",
        FILL: filled,
        FEATURES: FEATURES,
        split: "X_test = X",
        SCALED: SCALED,
        PREDICT: PREDICT,
    }
    written.fitted = [
        ("size_median", "value", FILL, "df['size'].median()", True),
        ("scaler", "transform", SCALE, "scaler", False),
        ("model", "model", TRAIN, "model", False),
    ]
    written.splits = [split]
    return written


def churn_plan(written: Written) -> Plan:
    return written.plan(source=READ, table="df", last=PREDICT, answer="predicted")


@pytest.mark.parametrize(
    "split", [SPLIT, pytest.param(SPLIT.replace(", random_state=3", ""), marks=pytest.mark.full)]
)
def test_a_slice_with_a_scaler_a_model_and_a_median_is_proven(folder: Path, split: str) -> None:
    written = churn(split=split)
    trace, proof = converted(written, churn_plan(written), folder)
    assert sentences(proof) == ""
    assert proof.is_proven
    assert trace.labels == ("sold",)
    assert proof.inputs.names == ("size", "age")
    assert proof.outputs.names == ("predicted",)
    assert proof.not_needed == ("town", "ticket", "sold")
    assert (proof.figures.rows, proof.figures.perturbed_rows) == (30, 30)
    forms = {one.name: one.form for one in trace.things}
    assert forms == {"size_median": "literal", "scaler": "package", "model": "package"}
    # what is deployed answers rows by itself, from the packages alone
    things = {
        one.name: bundle.read(one.file).load(trusted=False) if one.file else float(one.text)
        for one in trace.things
    }
    answered = CodeModule(proof.code, name="deployed", file="<deployed>")["run"](proof.sample, **things)
    pd.testing.assert_frame_equal(answered, proof.sample_answers)


@pytest.mark.full
def test_a_column_that_is_seldom_other_than_usual_is_asked_for_as_the_model_reads_it(folder: Path) -> None:
    """In none of the rows that are looked at for each column is it other, and it turns no answer in the notebook."""
    random = np.random.default_rng(7)
    table = pd.DataFrame({"a": random.normal(size=1800).round(3), "flag": 0})
    table.loc[[1, 2], ["a", "flag"]] = [[5, 1], [4, 1]]
    table["y"] = (table["a"] > 0).astype(int)
    table.to_csv(folder / "notebooks" / "flags.csv", index=False)
    read, train = (
        "df = pd.read_csv('flags.csv')",
        "model = LogisticRegression().fit(df[['a', 'flag']], df['y'])",
    )
    predict = "predicted = model.predict(df[['a', 'flag']])"
    written = Written(IMPORTS, read, train, predict)
    written.frozen = {train: DROPPED}
    written.kept = {predict: predict}
    written.fitted = [("model", "model", train, "model", False)]
    _, proof = converted(
        written, written.plan(source=read, table="df", last=predict, answer="predicted"), folder
    )
    assert proof.is_proven, sentences(proof)
    assert proof.inputs.names == ("a", "flag")


@pytest.mark.full
def test_tracing_leaves_the_notebook_as_any_run_of_it_and_trying_it_writes_nothing(folder: Path) -> None:
    written = churn()
    trace, proof = converted(written, churn_plan(written), folder)
    assert proof.is_proven
    again = nbformat.reads(trace.notebook.decode(), as_version=4)
    shown = [output.output_type for cell in again.cells for output in cell.outputs]
    assert shown == ["execute_result", "execute_result", "stream"]
    assert "'yes'" in again.cells[5].outputs[0].data["text/plain"]
    # the notebook itself wrote this; the trial on other rows, with other values, did not
    left = pd.read_csv(folder / "notebooks" / "left.csv", index_col=0)
    original = pd.read_csv(folder / "notebooks" / "rows.csv")
    pd.testing.assert_series_equal(left["age"], original["age"])
    assert sorted(os.listdir(folder / "notebooks")) == ["left.csv", "rows.csv"]


def test_predictions_that_were_worked_out_before_are_refused(folder: Path) -> None:
    written = churn()
    written.kept = {PREDICT: "predicted = before"}
    written.fitted = [*written.fitted, ("before", "value", PREDICT, "predicted", False)]
    _, proof = converted(written, churn_plan(written), folder)
    assert not proof.is_proven
    assert "rows" in sentences(proof)


@pytest.mark.full
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda code: code, ""),
        (
            lambda code: code.replace("return ", "predicted[0] = 'no'\n    return ", 1),
            "answers otherwise than what was cut out: in",
        ),
        (lambda code: code.replace("def run", "def other"), "fails where what was cut out does not: "),
    ],
)
def test_the_code_of_the_notebook_that_would_be_written_is_asked_too(
    folder: Path, change: Callable[[str], str], said: str
) -> None:
    written = churn()

    def as_written(proof: Proof) -> str:
        head, run, body = proof.code.partition("def run")
        return head + change(run + body)

    _, proof = converted(written, churn_plan(written), folder, as_written=as_written)
    assert said in sentences(proof)
    assert proof.is_proven == (not said)


@pytest.mark.full
def test_a_median_that_is_worked_out_anew_from_each_request_is_refused(folder: Path) -> None:
    written = churn()
    written.frozen.pop(FILL)
    written.kept[FILL] = FILL
    written.fitted = written.fitted[1:]
    _, proof = converted(written, churn_plan(written), folder)
    assert not proof.is_proven
    assert "alone" in sentences(proof)
    assert proof.reasons[0].cells == (3,)


@pytest.mark.full
def test_a_slice_that_reads_what_is_to_be_predicted_is_refused_with_the_column(folder: Path) -> None:
    written = churn()
    leak = FEATURES.replace("df.drop", "df.assign(known=(df['sold'] == 'yes') * 1).drop")
    written.cells = tuple(cell.replace(FEATURES, leak) for cell in written.cells)
    written.kept = {leak if text == FEATURES else text: frozen for text, frozen in written.kept.items()}
    written.kept[leak] = leak
    _, proof = converted(written, churn_plan(written), folder)
    assert not proof.is_proven
    assert sentences(proof) == "The answers depend on 'sold', which is what the model learns to predict."
    assert proof.reasons[0].columns == ("sold",)
    assert proof.reasons[0].cells == (3,)


@pytest.mark.full
def test_arrays_and_what_is_changed_in_place_are_proven_and_answers_of_several_columns(folder: Path) -> None:
    ready = "df.dropna(inplace=True)"
    town = "df['bern'] = (df['town'] == 'Bern').astype(int)"
    values, label = "X = df[['size', 'age', 'bern']].values", "y = df['sold'].map({'no': 0, 'yes': 1}).values"
    split, train = "A, B, a, b = train_test_split(X, y)", "model = LogisticRegression().fit(A, a)"
    double, answer = "B[:, 0] *= 2", "chances = model.predict_proba(B)"
    written = Written(IMPORTS, READ, ready, town, values, label, split, double, train, answer)
    written.frozen = {train: DROPPED}
    written.kept = {town: town, values: values, split: "B = X", double: double, answer: answer}
    written.fitted = [("model", "model", train, "model", False)]
    written.splits = [split]
    plan = written.plan(source=READ, table="df", last=answer, answer="chances")
    trace, proof = converted(written, plan, folder)
    assert trace.labels == ("sold",)
    # rows that lack something are left out of the notebook, and have no place among the answers of this slice
    assert not proof.is_proven
    written.kept[ready] = ready
    plan = written.plan(source=READ, table="df", last=answer, answer="chances")
    _, proof = converted(written, plan, folder)
    assert sentences(proof) == ""
    assert proof.inputs.names == ("size", "age", "town")
    assert proof.outputs.names == ("chances_0", "chances_1")


@pytest.mark.full
def test_rows_that_only_training_leaves_out_are_not_asked_for_and_modules_beside_travel(folder: Path) -> None:
    (folder / "notebooks" / "tidying.py").write_text(
        "def picked(df):\n    return df[['size', 'age']].values\n"
    )
    left, picked = "df = df.dropna()", "X = tidying.picked(df)"
    split = "A, B, a, b = train_test_split(X, df['sold'].to_numpy(dtype=object))"
    train, answer = "model = LogisticRegression().fit(A, a)", "model.predict(B)"
    written = Written(IMPORTS + "\nimport tidying", READ, left, picked, split, train, answer)
    written.frozen = {train: DROPPED, answer: "answers = model.predict(B)"}
    written.kept = {
        "import tidying": "import tidying",
        left: "df = df",
        picked: picked,
        split: "B = X",
        answer: "answers = model.predict(B)",
    }
    written.fitted = [
        ("model", "model", train, "model", False),
        ("unread", "value", train, "len(A)", False),
    ]
    written.splits = [left, split]
    plan = written.plan(source=READ, table="df", last=answer, answer="answers")
    plan = replace(plan, outputs=(replace(plan.outputs[0], expression=answer),))
    trace, proof = converted(written, plan, folder)
    assert sentences(proof) == ""
    assert trace.labels == ("sold",)
    assert proof.inputs.names == ("size", "age")
    assert any("leaves out rows such as 9" in one for one in proof.warnings)
    assert "def run(df, *, model):" in proof.code


@pytest.mark.full
def test_a_notebook_that_fails_is_refused_with_its_cell(folder: Path) -> None:
    written = churn()
    written.cells = (*written.cells, "nowhere")
    with pytest.raises(InvalidInput, match=r"Cell 8 .*NameError"):
        converted(written, churn_plan(written), folder)


@pytest.mark.full
def test_an_answer_that_is_no_table_is_refused_by_its_type(folder: Path) -> None:
    written = churn()
    written.cells = (*written.cells, "share = {'yes': 1}")
    written.kept["share = {'yes': 1}"] = "share = {'yes': 1}"
    plan = written.plan(source=READ, table="df", last="share = {'yes': 1}", answer="share")
    _, proof = converted(written, plan, folder)
    assert (
        sentences(proof) == "'share', which gives the answers, was not kept: it is a dict, which has no rows."
    )


@pytest.mark.full
def test_what_no_package_describes_is_held_in_one(folder: Path) -> None:
    means = "means = df.groupby('town')['age'].mean()"
    mapped, answer = "df['usual'] = df['town'].map(means)", "more = df['age'] - df['usual']"
    written = Written(IMPORTS, READ, means, mapped, answer)
    written.frozen = {means: DROPPED}
    written.kept = {mapped: mapped, answer: answer}
    written.fitted = [("means", "value", means, "means", False)]
    plan = written.plan(source=READ, table="df", last=answer, answer="more")
    trace, proof = converted(written, plan, folder, executed=pd.Series([1.0]))
    assert sentences(proof) == ""
    assert proof.inputs.names == ("age", "town")
    (thing,) = trace.things
    assert thing.form == "held"
    assert thing.file is not None
    opened = bundle.read(thing.file).load(trusted=True)
    assert isinstance(opened, Held)
    assert list(opened.value.index) == ["Bern", "Köln", "Lyon"]
    assert "answers otherwise than before" in " ".join(proof.warnings)
    assert json.dumps(proof.inputs.to_dict())


def test_the_process_that_answers_has_nothing_of_a_notebook_in_it() -> None:
    asked = (
        "import sys, mlalm_jupyter.adapters.slice_process; "
        "print([one for one in ('IPython', 'ipykernel', 'papermill', 'nbformat') if one in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-P", "-c", asked], capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout.strip() == "[]"


def test_what_code_keeps_for_itself_is_not_there_with_the_next_question(tmp_path: Path) -> None:
    code = "import pandas\nSEEN = []\n\ndef run(rows):\n    SEEN.append(1)\n    return pandas.DataFrame({'n': [len(SEEN)]})\n"
    file = tmp_path / "table.parquet"
    types = exact_frames.written(pd.DataFrame({"a": [1.0]}), file)
    slices = Slices([], {"table": KeptFrame(file, types)}, tmp_path, 60)
    answers = slices.ask(code, [{"table": "table"}, {"table": "table"}])
    assert [one.frame["n"].tolist() for one in answers if one.frame is not None] == [[1], [1]]
