"""Rows that were never in a table, and whether answers agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlalm_jupyter.adapters.agreement import aligned, difference
from mlalm_jupyter.adapters.perturbing import perturbed
from mlalm_jupyter.adapters.slice_answers import Answer
from mlalm_jupyter.adapters.traced_values import as_table, is_alike, same_as
from mlalm_jupyter.adapters.usage import classified, mixed
from mlalm_jupyter.adapters.watched_things import Call, Watching, unlike
from mlalm_jupyter.notebook.predictive.code import Shape
from mlalm_jupyter.notebook.predictive.proof import Rows


def rows() -> pd.DataFrame:
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "weight": random.normal(70, 9, 60),
            "stars": random.integers(1, 6, 60).astype(float),
            "town": pd.Categorical(random.choice(["a", "b"], 60)),
            "seen": pd.date_range("2024-01-01", periods=60),
            "is_new": random.random(60) > 0.5,
        },
        index=[f"r{number}" for number in range(60)],
    )
    frame.loc["r3", "weight"] = np.nan
    return frame


def test_perturbed_rows_have_the_same_types_and_only_numbers_that_measure_are_moved() -> None:
    frame = rows()
    other = perturbed(frame)
    assert list(other.index) == list(frame.index)
    assert list(other.dtypes) == list(frame.dtypes)
    for name in ("stars", "town", "seen", "is_new"):
        assert sorted(other[name]) == sorted(frame[name])
        assert list(other[name]) != list(frame[name])
    assert other["weight"].isna().sum() == 1
    # apart from those that would lie beyond the least or the most
    assert len(set(other["weight"].dropna()) & set(frame["weight"].dropna())) <= 2
    assert other["weight"].min() >= frame["weight"].min()
    assert other["weight"].max() <= frame["weight"].max()
    pd.testing.assert_frame_equal(other, perturbed(frame))


def test_rows_can_be_perturbed_as_wholes_and_without_some_columns() -> None:
    frame = rows()
    together = perturbed(frame, is_together=True)
    pairs = set(zip(frame["stars"], frame["seen"], strict=True))
    assert set(zip(together["stars"], together["seen"], strict=True)) == pairs
    pd.testing.assert_series_equal(perturbed(frame, but=["town"])["town"], frame["town"])


def test_other_values_of_a_column_are_missing_where_they_were() -> None:
    frame = rows().assign(same=1)
    other = mixed(frame)
    assert list(other["weight"].isna()) == list(frame["weight"].isna())
    assert set(other["same"]) == {2}


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 1e-12], None),
        ([1.0, 2.0], [1.0, 2.1], "in 1 of 2 rows; in the first of them 'z' is 2.1 instead of 2.0"),
        ([1.0, np.nan], [1.0, np.nan], None),
        ([1.0, np.nan], [1.0, 2.0], "in 1 of 2 rows"),
        ([1, 2], [1.0, 2.0], None),
        (["a", None], ["a", None], None),
        (["a", "b"], ["a", "c"], "in 1 of 2 rows; in the first of them 'z' is 'c' instead of 'b'"),
        (["1", "2"], [1, 2], "in 2 of 2 rows"),
        ([1], [1, 2], "there are 2 rows instead of 1"),
    ],
)
def test_answers_differ_in_what_a_sentence_says(one: list[Any], other: list[Any], said: str | None) -> None:
    found = difference(pd.DataFrame({"z": one}), pd.DataFrame({"z": other}))
    assert (found is None) == (said is None)
    assert said is None or (found is not None and said in found.sentence)


def test_small_floats_agree_in_fewer_digits_and_columns_must_have_the_same_names() -> None:
    one, other = np.array([0.1, 0.2]), np.array([0.1, 0.2 * (1 + 1e-7)])
    assert difference(pd.DataFrame({"z": one}), pd.DataFrame({"z": other})) is not None
    small = pd.DataFrame({"z": one.astype("float32")})
    assert difference(small, pd.DataFrame({"z": other})) is None
    found = difference(small, small.rename(columns={"z": "y"}))
    assert found is not None
    assert found.sentence == "the columns are 'y' instead of 'z'"


def test_answers_find_their_rows_by_labels_by_number_and_by_the_split() -> None:
    table = pd.DataFrame({"a": range(5)}, index=list("vwxyz"))
    whole = pd.DataFrame({"z": [10, 11, 12, 13, 14]}, index=table.index)
    by_label = next(aligned(whole.loc[["y", "w"]], whole, (), has_index=True, table=table))
    assert list(by_label["z"]) == [13, 11]
    split = Rows((4, 0), 5)
    plain = whole.reset_index(drop=True)
    held = pd.DataFrame({"z": [14, 10]})
    assert [list(one["z"]) for one in aligned(held, plain, [split], has_index=False, table=table)] == [
        [14, 10]
    ]
    assert list(aligned(held, plain, (), has_index=False, table=table)) == []


def test_a_label_is_known_by_its_values_however_they_are_written() -> None:
    table = pd.DataFrame({"income": ["low", "high", "low", "high"], "age": [1, 2, 3, 4]})
    assert same_as([0, 1, 0, 1], table, None) == ["income"]
    assert same_as(np.log(table["age"]), table, None) == ["age"]
    assert same_as(pd.Series(["high", "low"], index=[1, 2]), table, None) == ["income"]
    assert same_as([0, 1], table, (np.array([2, 3]), 4)) is not None
    assert same_as([0, 1], table, None) is None
    assert not is_alike(pd.Series([1.0, 2.0, 3.0]), pd.Series([1.0, 3.0, 2.0]))


def test_what_has_no_rows_is_no_answer() -> None:
    with pytest.raises(ValueError, match="it is a dict, which has no rows"):
        as_table({"a": 1}, "z")


def test_what_reaches_a_model_counts_even_when_its_answer_stays() -> None:
    class Threshold:
        def predict(self, rows: Any) -> Any:
            return np.asarray(rows)[:, 0] > 0

        def predict_proba(self, rows: Any) -> Any:
            return np.asarray(rows).sum(axis=1)

    model = Threshold()
    watching = Watching([model])

    def digests(given: list[list[float]]) -> tuple[str, str]:
        watching.begin()
        model.predict(np.array(given))
        return watching.ended()

    first = digests([[1.0, 0.0]])
    assert digests([[1.0, 0.0]]) == first
    other = digests([[1.0, 0.5]])
    assert other[0] != first[0]
    assert other[1] != first[1]
    assert list(model.predict(np.array([[1.0, 0.5]]))) == [True]


def test_a_column_that_a_pipeline_does_without_is_idle_and_one_that_it_looks_at_is_not() -> None:
    frame = pd.DataFrame({"used": [1.0, 2.0], "idle": [1.0, 2.0], "label": [0, 1], "known": [3.0, 4.0]})
    said = pd.DataFrame({"z": [0, 1]})

    def answer(made: str = "m", **given: str) -> Answer:
        return Answer(said, given=(given,), made=made)

    base = answer(used="1", idle="2", label="3", known="4")
    usage = classified(
        frame,
        [
            base,
            answer(used="x", idle="2", label="3", known="4"),  # it reaches the model and turns no answer
            Answer(None, "KeyError: 'used'"),
            answer(used="1", idle="x", label="3", known="4"),  # taken along, and nothing is lost without it
            answer(used="1", label="3", known="4"),
            answer(used="1", idle="2", label="x", known="4"),
            Answer(None, "KeyError: 'label'"),
            answer(used="1", idle="2", label="3", known="x", made="other"),  # the model weighs it
            answer(used="1", idle="2", label="3", made="other"),
        ],
        labels=["label"],
    )
    assert dict(usage.needed) == {"used": True, "idle": False, "label": False, "known": True}
    few, all_filled, only_labels = usage.shapes(frame, Shape(), ["label"])
    assert (dict(few.fills), few.absent) == ({"label": "0"}, ("idle",))
    assert set(all_filled.fills) == {"idle", "label"}
    assert set(only_labels.fills) == {"label"}


def test_a_row_among_others_is_compared_with_the_row_alone_whatever_it_holds() -> None:
    texts = np.array(["good", "bad"], dtype=object)
    numbers = np.array([[1.0, 2.0], [3.0, np.nan]])
    whole = [Call("predict", (texts, numbers), np.array([0.2, 0.7]))]
    alone = [Call("predict", (texts[1:], numbers[1:]), np.array([0.7]))]
    assert unlike(whole, alone, 1, 2) == ""
    assert unlike(whole, alone, 0, 2) == "`predict` is given other values for it"
    soft = [Call("predict", (texts[1:], numbers[1:]), np.array([0.6]))]
    assert unlike(whole, soft, 1, 2) == "`predict` makes something else of it"
