"""Cells to typed columns and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from mlalm_jupyter.domain.signature import Column, ColumnType, Schema
from mlalm_jupyter.scoring.columns import cells, type_name, typed
from mlalm_jupyter.scoring.errors import Refusal
from mlalm_jupyter.scoring.requests import Given


def read(kind: ColumnType, *values: Any, nullable: bool = True) -> Any:
    table = Given("input1", {"c": values}, len(values))
    return typed(Schema((Column("c", kind, nullable),)), table)["c"]


@pytest.mark.parametrize(
    ("kind", "given", "dtype", "expected"),
    [
        (ColumnType.DOUBLE, (1, 2.5, "3", " 4e1 ", "-0.5"), "float64", [1, 2.5, 3, 40, -0.5]),
        (ColumnType.INT64, (1, "2", 3.0, "4.0", -(2**63)), "int64", [1, 2, 3, 4, -(2**63)]),
        (ColumnType.STRING, ("x", "", "1"), "object", ["x", "", "1"]),
        (ColumnType.STRING, ("x", 1, 1.0, 0.5, True, None), "object", ["x", "1", "1", "0.5", "True", None]),
        (ColumnType.BOOLEAN, (True, False), "bool", [True, False]),
        (ColumnType.BOOLEAN, ("true", "False", "1", 0, 1.0), "bool", [True, False, True, False, True]),
        (ColumnType.BOOLEAN, (True, None), "object", [True, None]),
    ],
)
def test_cells_are_read_by_the_type_of_their_column(
    kind: ColumnType, given: Sequence[Any], dtype: str, expected: list[Any]
) -> None:
    found = read(kind, *given)
    assert found.dtype == dtype
    assert found.tolist() == expected


@pytest.mark.parametrize("kind", [ColumnType.DOUBLE, ColumnType.INT64])
def test_a_missing_number_is_not_a_number(kind: ColumnType) -> None:
    found = read(kind, 1, None, "2")
    assert found.dtype == "float64"
    assert found[0] == 1
    assert math.isnan(found[1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2010-05-30T18:07:00Z", "2010-05-30T18:07:00"),
        ("2010-05-30T20:07:00+02:00", "2010-05-30T18:07:00"),
        ("2010-05-30", "2010-05-30T00:00:00"),
        ("5/30/2010 6:07:00 PM", "2010-05-30T18:07:00"),
        ("05/30/2010", "2010-05-30T00:00:00"),
    ],
)
def test_dates_are_read_as_utc(text: str, expected: str) -> None:
    assert read(ColumnType.DATETIME, text, None).tolist() == [pd.Timestamp(expected).to_pydatetime(), None]


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (ColumnType.DOUBLE, "abc"),
        (ColumnType.DOUBLE, ""),
        (ColumnType.DOUBLE, "1_000"),
        (ColumnType.DOUBLE, "1,5"),
        (ColumnType.DOUBLE, "١٢"),
        (ColumnType.DOUBLE, True),
        (ColumnType.DOUBLE, 10**400),
        (ColumnType.INT64, "abc"),
        (ColumnType.INT64, 1.5),
        (ColumnType.INT64, "1.5"),
        (ColumnType.INT64, "1_000"),
        (ColumnType.INT64, "١٢"),
        (ColumnType.INT64, 2**63),
        (ColumnType.INT64, "9" * 5000),
        (ColumnType.INT64, "nan"),
        (ColumnType.INT64, True),
        (ColumnType.BOOLEAN, "yes"),
        (ColumnType.BOOLEAN, 2),
        (ColumnType.DATETIME, "yesterday"),
        (ColumnType.DATETIME, 5),
        (ColumnType.DATETIME, "13/13/2010"),
        (ColumnType.DATETIME, "0001-01-01T00:00:00+14:00"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_cell_that_does_not_read_is_named_by_row_and_column(kind: ColumnType, wrong: Any) -> None:
    good = {ColumnType.DATETIME: "2010-01-01", ColumnType.BOOLEAN: True}.get(kind, 1)
    with pytest.raises(Refusal) as caught:
        read(kind, good, wrong)
    assert caught.value.cause == "InputParseError"
    assert caught.value.message.startswith("Column 'c' of row 1: expected ")
    assert caught.value.target == "Inputs.input1[1].c"
    assert len(caught.value.message) < 200


def test_a_null_where_a_value_is_required_is_named() -> None:
    with pytest.raises(Refusal, match="Column 'c' of row 2: a value is required"):
        read(ColumnType.INT64, 1, 2, None, nullable=False)


def test_columns_are_found_by_name_and_others_left_out() -> None:
    schema = Schema((Column("b", ColumnType.INT64), Column("a", ColumnType.STRING)))
    found = typed(schema, Given("input1", {"z": ["?"], "a": ["x"], "b": [1]}, 1))
    assert list(found) == ["b", "a"]


def test_missing_columns_are_all_named() -> None:
    schema = Schema((Column("a", ColumnType.INT64), Column("b", ColumnType.INT64)))
    with pytest.raises(Refusal, match="lacks the columns 'a', 'b'") as caught:
        typed(schema, Given("input1", {"A": [1]}, 1))
    assert caught.value.cause == "InputMismatchError"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([1, -2]), ["1", "-2"]),
        (np.array([7], dtype="uint8"), ["7"]),
        (np.array([0.25, 1.0, -0.0, np.nan, 1e300, 1e-7]), ["0.25", "1", "-0", None, "1e+300", "1e-07"]),
        (np.array([-1.07030497733224, np.inf, -np.inf]), ["-1.07030497733224", "Infinity", "-Infinity"]),
        (np.array([0.1, 2.0, np.nan, np.inf], dtype="float32"), ["0.1", "2", None, "Infinity"]),
        (np.array([True, False]), ["True", "False"]),
        (np.array(["2010-05-30T18:07:00", "NaT"], dtype="datetime64[ns]"), ["5/30/2010 6:07:00 PM", None]),
        (np.array(["2010-01-02T00:00:01"], dtype="datetime64[s]"), ["1/2/2010 12:00:01 AM"]),
        (
            np.array(["x", None, 1.0, 0.5, True, 3, float("nan")], dtype=object),
            ["x", None, "1", "0.5", "True", "3", None],
        ),
        (np.array(["x", "yz"]), ["x", "yz"]),
        (np.array([], dtype=float), []),
    ],
)
def test_result_cells_are_text_or_null_in_invariant_form(values: Any, expected: list[str | None]) -> None:
    assert cells(values) == expected


@for_all(st.floats(allow_nan=False))
def test_a_number_written_out_reads_back_as_itself(number: float) -> None:
    (text,) = cells(np.array([number]))
    assert text is not None
    assert float(text) == number
    assert read(ColumnType.DOUBLE, text)[0] == number


@for_all(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_a_whole_number_written_out_reads_back_as_itself(number: int) -> None:
    (text,) = cells(np.array([number], dtype=np.int64))
    assert read(ColumnType.INT64, text)[0] == number


@pytest.mark.parametrize(
    ("kind", "dtype", "name"),
    [
        (ColumnType.INT64, "int64", "Int64"),
        (ColumnType.INT64, "int32", "Int32"),
        (ColumnType.INT64, "uint8", "Int32"),
        (ColumnType.INT64, "float64", "Int64"),
        (ColumnType.DOUBLE, "float64", "Double"),
        (ColumnType.DOUBLE, "float32", "Single"),
        (ColumnType.STRING, "object", "String"),
        (ColumnType.BOOLEAN, "bool", "Boolean"),
        (ColumnType.DATETIME, "datetime64[us]", "DateTime"),
    ],
)
def test_types_are_told_by_their_published_names(kind: ColumnType, dtype: str, name: str) -> None:
    assert type_name(Column("c", kind), np.dtype(dtype)) == name


def test_whole_numbers_beside_a_missing_one_keep_every_digit() -> None:
    found = read(ColumnType.INT64, 2**53 + 1, None, "-9223372036854775808")
    assert found.tolist() == [2**53 + 1, pd.NA, -(2**63)]
    assert read(ColumnType.INT64, 2**53, None).dtype == "float64"


@pytest.mark.parametrize("text", ["nan", "NaN", " -nan "])
def test_text_that_says_no_number_is_refused_where_a_value_is_required(text: str) -> None:
    with pytest.raises(Refusal, match="Column 'c' of row 1: a value is required, and it is not a number"):
        read(ColumnType.DOUBLE, "1", text, nullable=False)
    assert math.isnan(read(ColumnType.DOUBLE, "1", text)[1])
    assert read(ColumnType.DOUBLE, "1", "-inf", nullable=False).tolist() == [1, -math.inf]
