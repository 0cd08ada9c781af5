"""Profiles: what is said of columns of every kind, and what odd values do to it."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pandas as pd
import pytest

from mlalm_jupyter.domain.profile import ColumnProfile, Profile
from mlalm_jupyter.formats.profiles import BINS, profiled


def of(values: object, **more: object) -> ColumnProfile:
    (column,) = profiled(pd.DataFrame({"x": pd.Series(values, **more)}))  # type: ignore[call-overload]
    assert isinstance(column, ColumnProfile)
    return column


def test_numbers_are_counted_measured_and_drawn() -> None:
    column = of([*range(1, 101), None])
    assert (column.kind, column.count, column.missing, column.distinct) == ("number", 101, 1, 100)
    assert (column.low, column.high, column.mean) == (1.0, 100.0, 50.5)
    assert column.quantiles == (25.75, 50.5, 75.25)
    assert column.histogram is not None
    assert column.histogram.counts == (5,) * BINS


def test_levels_are_listed_by_how_common_they_are() -> None:
    column = of(["b", "a", "b", None, "c"])
    assert (column.kind, column.missing, column.distinct) == ("text", 1, 3)
    assert column.top == (("b", 2), ("a", 1), ("c", 1))


def test_values_that_are_all_different_have_no_commonest() -> None:
    assert of([f"id{n}" for n in range(50)]).top == ()


def test_flags_and_times_are_their_own_kinds() -> None:
    assert of([True, False, True]).kind == "flag"
    column = of(pd.date_range("2024-01-01", periods=4, freq="D", tz="UTC"))
    assert (column.kind, column.low) == ("time", "2024-01-01T00:00:00+00:00")
    assert column.histogram is not None
    assert sum(column.histogram.counts) == 4


@pytest.mark.parametrize(
    "values",
    [
        [],
        [None, None],
        [math.nan, math.inf, -math.inf],
        [math.inf, 1.0],
        [1e308, -1e308],
        [0.0, 5e-324],
        [1.0, np.nextafter(1.0, 2)],
        [7, 7, 7],
        [2**62, -(2**62)],
    ],
)
def test_odd_numbers_give_a_profile_that_json_takes(values: list[float]) -> None:
    profile = Profile(profiled(pd.DataFrame({"x": pd.Series(values, dtype="object").infer_objects()})))
    text = json.dumps(profile.to_dict(), allow_nan=False)
    assert Profile.from_dict(json.loads(text)) == profile


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"x": pd.Categorical(["a", "b", None])}),
        pd.DataFrame({"x": pd.array([1, None], dtype="Int64")}),
        pd.DataFrame({"x": pd.array([True, None], dtype="boolean")}),
        pd.DataFrame({"x": [[1, 2], {"a": 1}]}),
        pd.DataFrame({"x": [1 + 2j, 3j]}),
        pd.DataFrame({"x": pd.to_timedelta([1, 2], unit="s")}),
        pd.DataFrame({"x": [b"\xff", b"a"]}),
        pd.DataFrame([[1, 2]], columns=["same", "same"]),
        pd.DataFrame({"x": pd.to_datetime(["1500-01-01", None])}),
    ],
    ids=lambda frame: str(frame.dtypes.iloc[0]),
)
def test_every_type_of_column_has_a_profile(frame: pd.DataFrame) -> None:
    found = Profile(profiled(frame))
    assert len(found.columns) == frame.shape[1]
    assert Profile.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False))) == found


def test_the_columns_of_a_parquet_file_have_one_too() -> None:
    out = io.BytesIO()
    pd.DataFrame({"many": [[1, 2], [3]], "when": pd.to_datetime(["2024-01-01", "2024-01-02"])}).to_parquet(
        out
    )
    assert [one.kind for one in profiled(pd.read_parquet(out))] == ["text", "time"]
