"""CSV and TSV: what is read, and which line is named when something is wrong with it."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.formats import tables


def read(text: str | bytes, kind: str = tables.CSV, *, is_guessed: bool = True) -> pd.DataFrame:
    data = text if isinstance(text, bytes) else text.encode()
    found = tables.read_content(
        io.BytesIO(data), kind, name="rides.csv", size_bytes=len(data), is_guessed=is_guessed
    )
    assert found.frame is not None
    return found.frame


def refused(text: str | bytes, kind: str = tables.CSV, *, is_guessed: bool = True) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read(text, kind, is_guessed=is_guessed)
    return caught.value


def test_a_table_is_read_with_its_types() -> None:
    frame = read('hour,wind,town\n1,4.5,"Bern, CH"\n2,,"a ""b"""\n\n3,1.25,\n')
    assert frame["hour"].tolist() == [1, 2, 3]
    assert frame["wind"].isna().tolist() == [False, True, False]
    assert frame["town"].tolist()[:2] == ["Bern, CH", 'a "b"']


def test_a_table_without_names_gets_some() -> None:
    frame = read("1\t2\n3\t4\n", "GenericTSVNoHeader")
    assert frame.to_dict("list") == {"Col1": [1, 3], "Col2": [2, 4]}


def test_a_cell_may_hold_line_ends_and_what_follows_keeps_its_line_number() -> None:
    assert read('a,b\n"one\ntwo",2\n').iloc[0, 0] == "one\ntwo"
    assert refused('a,b\n"one\ntwo",2\n3\n').where == "Line 4 of 'rides.csv'"


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert list(read(b"\xef\xbb\xbfa,b\n1,2\n").columns) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "line", "got"),
    [
        ("a,b\n1,2\n3\n", 3, "1"),
        ("a,b\n1,2,3\n", 2, "3"),
        ("a,b\n\n\n1\n", 4, "1"),
        ('a,b\n1,"2\n', 2, "unexpected end of data"),
        ('a,b\n"1"x,2\n', 2, "',' expected after '\"'"),
        (b"a,b\n1,2\n\xff,3\n", 3, "the byte 0xff"),
        (b"a,b\n1,\0\n", 2, "a NUL byte, so this is some other kind of file"),
        ("a;b\n1;2\n", 1, "one name that holds semicolons"),
        ("a\tb\n1\t2\n", 1, "one name that holds tabs"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line_and_a_way_out(text: str | bytes, line: int, got: str) -> None:
    error = refused(text)
    assert (error.where, error.got) == (f"Line {line} of 'rides.csv'", got)
    assert error.fix


def test_an_empty_file_is_refused() -> None:
    assert refused("").expected == "at least one line"


def test_numbers_above_numbers_are_not_taken_for_names_unless_somebody_says_so() -> None:
    error = refused("5.1,3.5,setosa\n4.9,3.0,setosa\n")
    assert error.got == "the number 5.1 above the number 4.9"
    assert "--no-header" in error.fix
    assert list(read("2019,2020\n1,2\n", is_guessed=False).columns) == ["2019", "2020"]


def test_a_table_of_names_only_has_no_rows() -> None:
    assert read("a,b\n").shape == (0, 2)


def test_a_very_long_cell_is_read() -> None:
    assert len(read(f"a,b\n1,{'x' * 300_000}\n").iloc[0, 1]) == 300_000


def test_reading_tells_how_far_it_is() -> None:
    told: list[int] = []
    data = b"a,b\n" + b"1,2\n" * 100_000
    tables.read_content(io.BytesIO(data), tables.CSV, name="x", size_bytes=len(data), told=told.append)
    assert len(told) > 3
    assert told == sorted(told)
