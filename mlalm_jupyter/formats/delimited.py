"""CSV and TSV: every line is looked at before pandas reads it, because pandas fills what a short one lacks."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Callable, Generator, Iterator
from typing import BinaryIO

import pandas as pd

from mlalm_jupyter.domain.errors import InvalidInput

Told = Callable[[int], None]
"""Told how many bytes have been read."""

_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
_ROWS_BETWEEN = 1 << 14
# the csv module stops at 128 kB otherwise, which one cell of text may well exceed
_LONGEST_CELL = 1 << 27
_NAMES = {",": "commas", "\t": "tabs"}


def check_delimited(
    stream: BinaryIO, *, separator: str, header: bool, is_guessed: bool, name: str, told: Told
) -> None:
    """Refuse a file whose lines differ, naming the first one that does.

    `is_guessed` says that nobody told whether its first line has names.
    """
    with contextlib.closing(_rows(stream, separator, name, told)) as rows:
        first_line, first = next(rows, (0, []))
        if not first:
            raise InvalidInput(f"The table '{name}'", expected="at least one line", got="none")
        if header:
            _check_separator(first, separator, name)
        for number, (line, row) in enumerate(rows):
            if len(row) != len(first):
                raise InvalidInput(
                    f"Line {line} of '{name}'",
                    expected=f"{len(first)} cells, as in line {first_line}",
                    got=str(len(row)),
                    fix=f"Correct that line; a cell that holds {_NAMES[separator]} must stand in double quotes.",
                )
            if number == 0 and is_guessed and header:
                _check_names(first, row, line=first_line, name=name)
    stream.seek(0)


def read_delimited(
    stream: BinaryIO,
    *,
    separator: str,
    header: bool,
    name: str,
    limit: int | None = None,
    as_text: bool = False,
) -> pd.DataFrame:
    """The rows of a delimited file that has been checked; `as_text` leaves every cell as it is written."""
    try:
        frame = pd.read_csv(
            stream,
            sep=separator,
            header=0 if header else None,
            index_col=False,
            encoding="utf-8-sig",
            low_memory=False,
            nrows=limit,
            dtype=object if as_text else None,
            keep_default_na=not as_text,
        )
    except ValueError as error:
        raise InvalidInput(
            f"The table '{name}'", expected="readable rows", got=str(error).splitlines()[0]
        ) from error
    if not header:
        frame.columns = [f"Col{index + 1}" for index in range(frame.shape[1])]
    return frame


def _rows(
    stream: BinaryIO, separator: str, name: str, told: Told
) -> Generator[tuple[int, list[str]], None, None]:
    """Each row that is not empty, and the line it begins in."""
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    reader = csv.reader(_without_nul(text, name), delimiter=separator, strict=True)
    line = 1
    try:
        for number, row in enumerate(reader):
            if row:
                yield line, row
            line = reader.line_num + 1
            if number % _ROWS_BETWEEN == 0:
                told(stream.tell())
    except csv.Error as error:
        raise InvalidInput(
            f"Line {line} of '{name}'",
            expected="cells in double quotes that are closed, with a quote in them written twice",
            got=str(error),
            fix="Correct that line.",
        ) from error
    except UnicodeDecodeError as error:
        raise undecodable(stream, name) from error
    finally:
        text.detach()


def _without_nul(lines: Iterator[str], name: str) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            raise InvalidInput(
                f"Line {number} of '{name}'",
                expected="text",
                got="a NUL byte, so this is some other kind of file",
                fix="Say which with `--format`.",
            )
        yield line


def undecodable(stream: BinaryIO, name: str) -> InvalidInput:
    """The error for a file that is not UTF-8, naming its first line that is not."""
    stream.seek(0)
    for number, line in enumerate(stream, start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            return InvalidInput(
                f"Line {number} of '{name}'",
                expected="text in UTF-8",
                got=f"the byte 0x{line[error.start]:02x}",
                fix="Save the file as UTF-8, or say what kind of file it is with `--format`.",
            )
    return InvalidInput(f"The file '{name}'", expected="text in UTF-8", got="something else")


def _check_separator(first: list[str], separator: str, name: str) -> None:
    others = [
        word for sign, word in (*_NAMES.items(), (";", "semicolons")) if len(first) == 1 and sign in first[0]
    ]
    if others:
        raise InvalidInput(
            f"Line 1 of '{name}'",
            expected=f"names with {_NAMES[separator]} between them",
            got=f"one name that holds {others[0]}",
            fix=f"Save the file with {_NAMES[separator]}, or use `--format tsv` for one with tabs.",
        )


def _check_names(first: list[str], second: list[str], *, line: int, name: str) -> None:
    """Numbers above numbers are hardly names; which they are is for a person to say."""
    for above, below in zip(first, second, strict=True):
        if _NUMBER.fullmatch(above) and _NUMBER.fullmatch(below):
            raise InvalidInput(
                f"Line {line} of '{name}'",
                expected="names of columns",
                got=f"the number {above.strip()} above the number {below.strip()}",
                fix="Say `--no-header` if the first line is data, or `--format` and the kind if it does hold names.",
            )
