"""The `.ilearner` package: what goes in comes out, with the same bytes each time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from mlalm_jupyter.domain.errors import InvalidInput, NotSerialisable, UntrustedContent
from mlalm_jupyter.domain.signature import ColumnType
from mlalm_jupyter.formats import bundle, frames

RNG = np.random.default_rng(0)
ROWS = pd.DataFrame(
    {
        "age": RNG.integers(18, 80, 200),
        "hours": RNG.uniform(0, 60, 200).round(2),
        "sex": RNG.choice(["female", "male"], 200),
    }
)
RICH = (ROWS["age"] + ROWS["hours"] > 70).map({True: ">50K", False: "<=50K"})
LEVEL = pd.cut(ROWS["hours"], 3, labels=["low", "mid", "high"]).astype(str)


def prepared() -> Any:
    return make_column_transformer((OneHotEncoder(), ["sex"]), (StandardScaler(), ["age", "hours"]))


def fitted() -> dict[str, Any]:
    return {
        "logistic": make_pipeline(prepared(), LogisticRegression()).fit(ROWS, RICH),
        "forest": make_pipeline(prepared(), RandomForestClassifier(8, random_state=0)).fit(ROWS, LEVEL),
        "boosting": make_pipeline(prepared(), GradientBoostingClassifier(n_estimators=5)).fit(ROWS, RICH),
        "histogram": make_pipeline(prepared(), HistGradientBoostingRegressor(max_iter=5)).fit(
            ROWS, ROWS["hours"]
        ),
        "search": GridSearchCV(
            make_pipeline(prepared(), LogisticRegression()), {"logisticregression__C": [0.1, 1]}, cv=2
        ).fit(ROWS, RICH),
        "clusters": make_pipeline(prepared(), KMeans(3, n_init=1, random_state=0)).fit(ROWS),
        "transform": make_pipeline(prepared()).fit(ROWS),
    }


@pytest.mark.parametrize("name", sorted(fitted()))
def test_scikit_learn_objects_are_data_and_answer_the_same_after(name: str) -> None:
    model = fitted()[name]
    made = bundle.pack(model, sample=ROWS)
    assert (made.format, made.is_data_only, made.wants()) == ("skops", True, [])
    again = bundle.read(made.data).load(trusted=False)
    pd.testing.assert_frame_equal(frames.score(again, ROWS), frames.score(model, ROWS), check_exact=True)


def test_what_a_model_takes_and_gives_is_read_from_the_sample() -> None:
    made = bundle.pack(fitted()["forest"], sample=ROWS)
    assert [(one.name, one.type) for one in made.signature.inputs.columns] == [
        ("age", ColumnType.INT64),
        ("hours", ColumnType.DOUBLE),
        ("sex", ColumnType.STRING),
    ]
    assert made.signature.outputs.names[3:] == (
        "Scored Labels",
        'Scored Probabilities for Class "high"',
        'Scored Probabilities for Class "low"',
        'Scored Probabilities for Class "mid"',
    )


def test_score_columns_have_the_names_that_clients_know() -> None:
    scored = {name: frames.score(model, ROWS) for name, model in fitted().items()}
    assert list(scored["logistic"])[3:] == ["Scored Labels", "Scored Probabilities"]
    assert list(scored["histogram"])[3:] == ["Scored Labels"]
    assert list(scored["clusters"])[3:] == ["Assignments"]
    probabilities = fitted()["logistic"].predict_proba(ROWS)[:, 1]
    assert scored["logistic"]["Scored Probabilities"].to_numpy() == pytest.approx(probabilities, abs=0)


def test_a_taken_score_column_gets_a_number() -> None:
    class Same:
        def predict(self, rows: pd.DataFrame) -> Any:
            return rows["Scored Labels"]

    assert list(frames.score(Same(), pd.DataFrame({"Scored Labels": [1]}))) == [
        "Scored Labels",
        "Scored Labels (2)",
    ]


def test_columns_in_another_order_and_more_of_them_are_put_right() -> None:
    model = fitted()["logistic"]
    turned = ROWS[["sex", "hours", "age"]].assign(extra=1)
    assert list(frames.score(model, turned)["Scored Labels"]) == list(
        frames.score(model, ROWS)["Scored Labels"]
    )


def test_what_needs_code_becomes_a_pickle_that_opens_only_when_trusted() -> None:
    model = make_pipeline(FunctionTransformer(lambda rows: rows[["hours"]]), LogisticRegression()).fit(
        ROWS, RICH
    )
    made = bundle.pack(model, sample=ROWS)
    assert (made.format, made.is_data_only) == ("cloudpickle", False)
    with pytest.raises(UntrustedContent) as caught:
        made.load(trusted=False)
    assert caught.value.digest == made.model_hash
    assert list(made.load(trusted=True).predict(ROWS)) == list(model.predict(ROWS))  # type: ignore[attr-defined]


def test_a_function_of_a_table_is_a_model_too() -> None:
    made = bundle.pack(lambda rows: rows.assign(twice=rows["age"] * 2), sample=ROWS)
    assert made.signature.outputs.names == ("age", "hours", "sex", "twice")


class Holder:
    """Something of a person's own that predicts and holds what no file can hold."""

    def __init__(self) -> None:
        self.parts = {"good": 1, "bad": [0, (number for number in range(3))]}

    def predict(self, rows: pd.DataFrame) -> Any:
        return rows["age"]


def test_what_cannot_be_saved_is_named_by_its_attribute() -> None:
    with pytest.raises(NotSerialisable) as caught:
        bundle.pack(Holder(), sample=ROWS)
    assert caught.value.attribute == "parts['bad'][1]"
    assert "The Holder was not registered. Its attribute `parts['bad'][1]` cannot be written" in str(
        caught.value
    )
    assert "generator" in str(caught.value)


def test_a_model_without_sample_is_refused() -> None:
    with pytest.raises(InvalidInput, match="--sample"):
        bundle.pack(fitted()["logistic"], sample=None)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises((InvalidInput, TypeError)):
        bundle.pack(42, sample=ROWS)


def test_a_package_says_what_it_is(tmp_path: Path) -> None:
    made = bundle.pack(fitted()["logistic"], sample=ROWS)
    (tmp_path / "m.ilearner").write_bytes(made.data)
    opened = bundle.read(tmp_path / "m.ilearner")
    assert opened.framework.startswith("scikit-learn ")
    assert opened.manifest["format_version"] == 2
    assert len(opened.sample_rows) == 5
    outputs = json.loads(opened.members["sample.json"])["outputs"]
    assert [row[3] for row in outputs] == list(fitted()["logistic"].predict(ROWS.head()))


@pytest.mark.parametrize(
    ("values", "kind", "nullable"),
    [
        (pd.Series(["a", None]), ColumnType.STRING, True),
        (pd.Series(["a"], dtype="category"), ColumnType.STRING, True),
        (pd.Series([1, 2], dtype="int32"), ColumnType.INT64, False),
        (pd.Series([1, None], dtype="Int64"), ColumnType.INT64, True),
        (pd.Series([1.5], dtype="float32"), ColumnType.DOUBLE, True),
        (pd.Series([True, False]), ColumnType.BOOLEAN, False),
        (pd.Series([True, None], dtype=object), ColumnType.BOOLEAN, True),
        (pd.Series(pd.to_datetime(["2011-01-01"])), ColumnType.DATETIME, True),
        (pd.Series([1, "a"], dtype=object), ColumnType.STRING, True),
        (pd.Series([1, 2.5], dtype=object), ColumnType.DOUBLE, True),
    ],
)
def test_the_type_of_a_column_is_read_from_its_values(values: Any, kind: ColumnType, nullable: bool) -> None:
    (column,) = frames.schema_of(pd.DataFrame({"a": values})).columns
    assert (column.type, column.nullable) == (kind, nullable)
