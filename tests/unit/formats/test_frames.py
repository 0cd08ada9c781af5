"""Rows into frames, frames through models, and answers as columns."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import Birch, KMeans
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema
from mlalm_jupyter.formats import bundle, frames
from mlalm_jupyter.formats.samples import as_served, plain_rows

ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [0.0, 1.0, 0.0, 1.0]})
LOW_HIGH = np.array(["low", "low", "high", "high"])
FILE = "n,x,s,b,gap,text\n1,0.5,u,True,,\n2,1.5,v,False,3,w\n"


def test_frames_of_rows_have_the_types_of_the_same_file() -> None:
    read = pd.read_csv(io.StringIO(FILE))
    columns = {
        "n": np.array([1, 2]),
        "x": np.array([0.5, 1.5]),
        "s": np.array(["u", "v"], dtype=object),
        "b": np.array([True, False]),
        "gap": np.array([np.nan, 3.0]),
        "text": np.array([None, "w"], dtype=object),
    }
    made = frames.frame_of(frames.schema_of(read), columns)
    pd.testing.assert_frame_equal(made, read)


def test_a_frame_without_rows_keeps_its_columns() -> None:
    schema = Schema((Column("a", ColumnType.DOUBLE), Column("s", ColumnType.STRING)))
    made = frames.frame_of(schema, {"a": np.array([]), "s": np.array([], dtype=object)})
    assert (list(made), len(made), made["s"].dtype) == (["a", "s"], 0, "str")


def test_a_model_fitted_on_an_array_is_given_one() -> None:
    model = LogisticRegression().fit(ROWS.to_numpy(), LOW_HIGH)
    named = frames.score(model, ROWS)  # a warning about names would be an error here
    assert list(named["Scored Labels"]) == list(LOW_HIGH)
    made = bundle.pack(model, sample=pd.DataFrame(ROWS.to_numpy()))
    assert made.signature.inputs.names == ("0", "1")


@pytest.mark.parametrize("is_searched", [False, True])
def test_a_model_of_texts_reads_every_row_and_not_the_name_of_the_column(is_searched: bool) -> None:
    texts = pd.DataFrame({"good": ["good day", "bad night", "good night", "bad day"]})
    model: Any = make_pipeline(CountVectorizer(), MultinomialNB())
    if is_searched:
        model = GridSearchCV(model, {"multinomialnb__alpha": [0.5, 1.0]}, cv=2)
    model.fit(texts["good"], [1, 0, 1, 0])
    assert list(frames.score(model, texts.iloc[[1]])["Scored Labels"]) == [0]
    assert list(frames.score(model, texts)["Scored Labels"]) == [1, 0, 1, 0]
    with pytest.raises(InvalidInput, match="one column of texts"):
        frames.score(model, texts.assign(more="x"))


@pytest.mark.parametrize(
    ("model", "column"),
    [
        (KMeans(2, n_init=1, random_state=0), "Assignments"),
        (Birch(n_clusters=2), "Assignments"),
        (make_pipeline(StandardScaler(), Birch(n_clusters=2)), "Assignments"),
        (LinearRegression(), "Scored Labels"),
    ],
    ids=["means", "birch", "birch in a pipeline", "regression"],
)
def test_clusters_are_assigned_and_the_rest_is_labelled(model: Any, column: str) -> None:
    assert list(frames.score(model.fit(ROWS, [1.0, 2.0, 3.0, 4.0]), ROWS)) == ["a", "b", column]


def test_several_targets_get_a_column_each() -> None:
    model = LinearRegression().fit(ROWS, ROWS)
    assert list(frames.score(model, ROWS)) == ["a", "b", "Scored Labels 1", "Scored Labels 2"]


def test_a_transformer_gives_its_own_table() -> None:
    model = StandardScaler().fit(ROWS)
    assert list(frames.score(model, ROWS)) == ["a", "b"]
    assert frames.score(model, ROWS)["a"].mean() == pytest.approx(0)


@pytest.mark.parametrize(
    ("given", "columns"),
    [
        (lambda rows: {"a": rows["a"], "c": 1}, ["a", "c"]),
        (lambda rows: rows["a"] * 2, ["a"]),
        (lambda rows: (rows["a"] * 2).rename(None), ["result"]),
        (lambda rows: rows.to_numpy(), ["result1", "result2"]),
        (lambda rows: [1, 2], ["result"]),
    ],
)
def test_a_function_may_give_any_kind_of_table(given: Any, columns: list[str]) -> None:
    assert list(frames.score(given, ROWS)) == columns


@pytest.mark.parametrize("given", [lambda rows: 3, lambda rows: "text", lambda rows: {"a": [1], "b": [1, 2]}])
def test_what_is_no_table_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput, match="What the function gave"):
        frames.score(given, ROWS)


def test_a_model_that_answers_for_other_rows_is_refused() -> None:
    class Wrong:
        def predict(self, rows: pd.DataFrame) -> Any:
            return [1]

    with pytest.raises(InvalidInput, match=r"one answer for each of the 4 rows"):
        frames.score(Wrong(), ROWS)


def test_what_can_neither_predict_nor_transform_is_refused() -> None:
    with pytest.raises(InvalidInput, match="can do neither"):
        frames.score(object(), ROWS)


ODD = pd.DataFrame(
    {
        "small": np.array([1, 2], dtype="int8"),
        "short": np.array([0.5, 0.25], dtype="float32"),
        "whole": pd.array([1, None], dtype="Int64"),
        "truth": pd.array([True, None], dtype="boolean"),
        "level": pd.Categorical(["x", None]),
        "grade": pd.Categorical([1, 2]),
        "zoned": pd.to_datetime(["2020-01-01 10:00+02:00", "2020-01-02 10:00+02:00"]),
        "mixed": pd.Series([1, "a"], dtype=object),
    }
)


def test_a_sample_is_scored_with_the_types_a_request_would_have() -> None:
    served = as_served(frames.schema_of(ODD), ODD)
    assert {name: str(kind) for name, kind in served.dtypes.items()} == {
        "small": "int64",
        "short": "float64",
        "whole": "float64",
        "truth": "object",
        "level": "str",
        "grade": "int64",
        "zoned": "datetime64[us]",
        "mixed": "str",
    }
    assert served["zoned"][0] == pd.Timestamp("2020-01-01 08:00")


def test_a_sample_is_kept_as_plain_cells() -> None:
    first, second = plain_rows(ODD)
    assert first == [1, 0.5, 1, True, "x", 1, "2020-01-01T10:00:00+02:00", 1]
    assert second == [2, 0.25, None, None, None, 2, "2020-01-02T10:00:00+02:00", "a"]
