"""ARFF: every kind of attribute, and the line of every fault."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.formats.arff import read_arff

IRIS = """% from a book
@RELATION 'iris flowers'
@attribute 'petal length' REAL
@attribute count integer
@attribute note string
@attribute seen date yyyy-MM-dd
@attribute class {Iris-setosa, 'Iris versicolor', "o'dd"}

@data
1.4, 2, 'it\\'s, small', 2024-01-31, Iris-setosa
?, 3, ?, ?, 'Iris versicolor'
% a remark
-2e3, 4, plain text, "2024-02-01", "o'dd"
"""


def read(text: str | bytes) -> pd.DataFrame:
    data = text if isinstance(text, bytes) else text.encode()
    return read_arff(io.BytesIO(data), name="iris.arff", told=lambda _: None)


def test_every_kind_of_attribute_is_read() -> None:
    frame = read(IRIS)
    assert list(frame.columns) == ["petal length", "count", "note", "seen", "class"]
    assert frame["petal length"].isna().tolist() == [False, True, False]
    assert frame["petal length"].tolist()[2] == -2000.0
    assert frame["count"].dtype == "int64"
    assert frame["note"].tolist()[0] == "it's, small"
    assert frame["note"].tolist()[2] == "plain text"
    assert frame["seen"].iloc[0] == pd.Timestamp("2024-01-31")
    assert frame["class"].tolist() == ["Iris-setosa", "Iris versicolor", "o'dd"]


def test_sparse_rows_name_what_is_not_zero() -> None:
    frame = read("@relation s\n@attribute a numeric\n@attribute b integer\n@data\n{1 7}\n{}\n{0 2.5, 1 ?}\n")
    assert frame["a"].tolist() == [0.0, 0.0, 2.5]
    assert frame["b"].isna().tolist() == [False, False, True]


def test_a_quoted_question_mark_is_text() -> None:
    assert read("@relation q\n@attribute a string\n@data\n'?'\n?\n")["a"].isna().tolist() == [False, True]


HEAD = "@relation x\n@attribute a numeric\n@attribute b {u,v}\n@data\n"


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("a,b\n1,2\n", 1, "@relation"),
        ("@relation x\nnonsense\n", 2, "@attribute or @data"),
        ("@relation x\n@attribute a numeric\n", 3, "@data and rows"),
        ("@relation x\n@data\n1\n", 2, "at least one @attribute before @data"),
        ("@relation x\n@attribute a blob\n", 2, "numeric, real, integer, string, date or {levels}"),
        ("@relation x\n@attribute a real\n@attribute a real\n", 3, "every attribute once"),
        ("@relation x\n@attribute a date 'EEE'\n", 2, "a date pattern of yyyy, MM, dd, HH, mm, ss and SSS"),
        (HEAD + "1,u\nx,u\n", 6, "a number for 'a'"),
        (HEAD + "1,w\n", 5, "one of {u,v} for 'b'"),
        (HEAD + "1\n", 5, "2 cells, one for each attribute"),
        (HEAD + "1,u,2\n", 5, "2 cells, one for each attribute"),
        (HEAD + "1,'u\n", 5, "cells with commas between, and quotes that are closed"),
        (HEAD + "{0 1}\n", 5, "sparse rows of numbers only"),
        ("@relation x\n@attribute a real\n@data\n{7 1}\n", 4, "an index from 0 to 0 and a value"),
        (b"@relation x\n@attribute a string\n@data\n\xff\n", 4, "text in UTF-8"),
    ],
)
def test_a_fault_is_refused_with_its_line(text: str | bytes, line: int, expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    assert (caught.value.where, caught.value.expected) == (f"Line {line} of 'iris.arff'", expected)
    assert caught.value.fix
