"""What comes in: both published forms, and everything that is neither."""

from __future__ import annotations

import json

import pytest

from mlalm_jupyter.scoring.errors import Refusal
from mlalm_jupyter.scoring.requests import decode, given

TABLE = {"Inputs": {"input1": {"ColumnNames": ["a", "b"], "Values": [[1, "x"], [None, "y"]]}}}
OBJECTS = {"Inputs": {"input1": [{"a": 1, "b": "x"}, {"b": "y", "a": None}]}, "GlobalParameters": {}}


@pytest.mark.parametrize("document", [TABLE, OBJECTS], ids=["table", "objects"])
def test_both_forms_give_the_same_columns(document: object) -> None:
    request = decode(json.dumps(document).encode())
    assert request.Inputs is not None
    table = given("input1", request.Inputs["input1"])
    assert {name: list(cells) for name, cells in table.columns.items()} == {"a": [1, None], "b": ["x", "y"]}
    assert table.rows == 2


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("", "utf-8"),
        ("; charset=utf-8", "utf-8"),
        ("; charset=UTF8", "utf-8"),
        ('; charset="us-ascii"', "utf-8"),
        ("; charset=iso-8859-1", "latin-1"),
        ("; CHARSET=utf-16", "utf-16"),
        ("; charset=utf-8", "utf-8-sig"),
    ],
)
def test_a_body_is_read_in_the_charset_it_names(charset: str, codec: str) -> None:
    text = '{"Inputs": {"input1": [{"städte": "Köln"}]}}'
    request = decode(text.encode(codec), f"application/json{charset}".encode())
    assert request.Inputs == {"input1": [{"städte": "Köln"}]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   \r\n",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b'{"Inputs": []}',
        b'{"Inputs": {"input1": 7}}',
        b'{"Inputs": {"input1": {"ColumnNames": ["a"]}}}',
        b'{"Inputs": {"input1": {"ColumnNames": ["a"], "Values": [1]}}}',
        b'{"Inputs": {"input1": {"ColumnNames": ["a"], "Values": [[[1]]]}}}',
        b'{"Inputs": {"input1": {"ColumnNames": [1], "Values": [[1]]}}}',
        b'{"Inputs": {"input1": [["a"]]}}',
        b'{"Inputs": {"input1": [{"a": {}}]}}',
        b'{"Inputs": {"input1": [{"a": NaN}]}}',
        b'{"Inputs": {"input1": [{"a": -Infinity}]}}',
        b'{"Inputs": {"input1": [{"a": 1e999}]}}',
        b'{"Inputs": {"input1": [{"a": ' + b"9" * 100_000 + b"}]}}",
        b'{"Inputs": {"input1": [{"a": "\xff\xfe"}]}}',
        b'{"Inputs": {"input1": [{"\xff": 1}]}}',
        b'{"Inputs": {"input1": [{"a": "\\ud800"}]}}',
        b'{"Inputs": {}} {}',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"x": ' + b'{"x":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
        b'{"Inputs": {"input1": [{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}]}}",
        b'{"GlobalParameters": {"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}}",
    ],
    ids=lambda body: repr(body[:50]),
)
def test_a_broken_body_is_refused_and_says_why(body: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        decode(body)
    assert (caught.value.status, caught.value.code, caught.value.cause) == (
        400,
        "BadArgument",
        "RequestBodyInvalid",
    )
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("charset", ["utf-7", "rot13", "zip", "punycode", "nonsense", "x" * 500])
def test_a_charset_that_is_not_known_is_refused(charset: str) -> None:
    with pytest.raises(Refusal, match="charset"):
        decode(b"{}", f"application/json; charset={charset}".encode())


def test_a_body_that_is_not_in_its_charset_is_refused() -> None:
    with pytest.raises(Refusal, match="is not utf-16"):
        decode(b'{"Inputs": 1}', b"application/json; charset=utf-16")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"ColumnNames": ["a", "a"], "Values": []}, "Column 'a' is named twice"),
        ({"ColumnNames": ["a", "b"], "Values": [[1, 2], [3]]}, "Row 1 has 1 cell, and ColumnNames names 2"),
        ({"ColumnNames": [], "Values": [[1]]}, "Row 0 has 1 cell, and ColumnNames names 0"),
        ([{"a": 1, "b": 2}, {"a": 1}], "Row 1 has no column 'b'"),
    ],
)
def test_a_table_that_is_not_one_is_a_mismatch(value: object, said: str) -> None:
    request = decode(json.dumps({"Inputs": {"input1": value}}).encode())
    assert request.Inputs is not None
    with pytest.raises(Refusal, match=said) as caught:
        given("input1", request.Inputs["input1"])
    assert caught.value.cause == "InputMismatchError"


def test_a_table_without_rows_has_its_columns() -> None:
    request = decode(b'{"Inputs": {"input1": {"ColumnNames": ["a"], "Values": []}}}')
    assert request.Inputs is not None
    table = given("input1", request.Inputs["input1"])
    assert (list(table.columns), table.rows) == (["a"], 0)
