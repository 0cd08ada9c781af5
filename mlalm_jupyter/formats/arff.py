"""ARFF, read strictly: every error names its line. Relational attributes and weights are not read."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

import pandas as pd

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.formats.delimited import Told, undecodable

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_ATTRIBUTE = re.compile(rf"@attribute\s+({_QUOTED}|[^\s'\"{{}},%]+)\s*(.*)", re.I)
_CELL = re.compile(rf"\s*({_QUOTED}|[^'\",\s{{}}][^,{{}}]*|)\s*(,|$)")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
# the letters of Java's date patterns that Python can say as well
_DATE_PARTS = (
    ("yyyy", "%Y"), ("yy", "%y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S"), ("SSS", "%f"),
)  # fmt: skip
_ISO = "yyyy-MM-dd'T'HH:mm:ss"
_LINES_BETWEEN = 1 << 14


@dataclass(frozen=True)
class _Attribute:
    name: str
    kind: str
    read: Callable[[str], Any]
    expected: str


def read_arff(stream: BinaryIO, *, name: str, told: Told) -> pd.DataFrame:
    """The rows of an ARFF file."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline=None)
    try:
        return _Reader(name).read(_lines(text, stream, told))
    except UnicodeDecodeError as error:
        raise undecodable(stream, name) from error
    finally:
        text.detach()


def _lines(text: io.TextIOWrapper, stream: BinaryIO, told: Told) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text, start=1):
        if number % _LINES_BETWEEN == 0:
            told(stream.tell())
        stripped = line.strip()
        if stripped and not stripped.startswith("%"):
            yield number, stripped


class _Reader:
    def __init__(self, name: str) -> None:
        self.name = name
        self.attributes: list[_Attribute] = []

    def read(self, lines: Iterator[tuple[int, str]]) -> pd.DataFrame:
        is_named = False
        last = 0
        for number, line in lines:
            last, word = number, line.split(maxsplit=1)[0].lower()
            if word == "@relation":
                is_named = True
            elif word == "@attribute" and is_named:
                self.attributes.append(self._attribute(number, line))
            elif word == "@data" and is_named:
                return self._rows(number, lines)
            else:
                expected = "@attribute or @data" if is_named else "@relation"
                raise self._fault(number, expected, _cut(line))
        raise self._fault(last + 1, "@data and rows" if is_named else "@relation", "the end of the file")

    def _attribute(self, number: int, line: str) -> _Attribute:
        found = _ATTRIBUTE.fullmatch(line)
        if not found:
            raise self._fault(number, "@attribute NAME TYPE", _cut(line))
        name, kind = _plain(found.group(1)), found.group(2).strip()
        if any(name == one.name for one in self.attributes):
            raise self._fault(number, "every attribute once", f"'{name}' a second time")
        word = kind.lower()
        if word in ("numeric", "real"):
            return _Attribute(name, "number", float, "a number")
        if word == "integer":
            return _Attribute(name, "integer", int, "a whole number")
        if word == "string":
            return _Attribute(name, "text", str, "text")
        if kind.startswith("{") and kind.endswith("}"):
            levels = frozenset(value for value, _ in self._cells(number, kind[1:-1]))
            return _Attribute(name, "text", _one_of(levels), f"one of {_cut(kind)}")
        if word.split(maxsplit=1)[:1] == ["date"]:
            pattern = _plain(kind[4:].strip()) or _ISO
            return _Attribute(name, "time", self._date(number, pattern), f"a date as {pattern}")
        raise self._fault(number, "numeric, real, integer, string, date or {levels}", _cut(kind) or "no type")

    def _date(self, number: int, pattern: str) -> Callable[[str], datetime]:
        form, rest = "", pattern
        while rest:
            part = next((one for one in _DATE_PARTS if rest.startswith(one[0])), None)
            if part:
                form, rest = form + part[1], rest[len(part[0]) :]
            elif rest[0] == "'" and "'" in rest[1:]:
                literal, _, rest = rest[1:].partition("'")
                form += literal.replace("%", "%%")
            elif rest[0].isalpha() or rest[0] == "'":
                raise self._fault(
                    number, "a date pattern of yyyy, MM, dd, HH, mm, ss and SSS", f"'{pattern}'"
                )
            else:
                form, rest = form + rest[0].replace("%", "%%"), rest[1:]
        return lambda text: datetime.strptime(text, form)

    def _rows(self, number: int, lines: Iterator[tuple[int, str]]) -> pd.DataFrame:
        if not self.attributes:
            raise self._fault(number, "at least one @attribute before @data", "none")
        columns: list[list[Any]] = [[] for _ in self.attributes]
        for number, line in lines:
            row = self._sparse(number, line) if line.startswith("{") else self._dense(number, line)
            for column, value in zip(columns, row, strict=True):
                column.append(value)
        return pd.DataFrame(
            {
                one.name: _series(one.kind, values)
                for one, values in zip(self.attributes, columns, strict=True)
            }
        )

    def _dense(self, number: int, line: str) -> list[Any]:
        cells = list(self._cells(number, line))
        if len(cells) != len(self.attributes):
            raise self._fault(
                number, f"{len(self.attributes)} cells, one for each attribute", str(len(cells))
            )
        return [
            self._value(number, one, text, is_quoted)
            for one, (text, is_quoted) in zip(self.attributes, cells, strict=True)
        ]

    def _sparse(self, number: int, line: str) -> list[Any]:
        """A row that names only what is not zero; of a nominal attribute zero is its first level."""
        if not line.endswith("}"):
            raise self._fault(number, "a sparse row that ends in }", _cut(line))
        row: list[Any] = [0.0 if one.kind == "number" else 0 for one in self.attributes]
        for one in self.attributes:
            if one.kind in ("text", "time"):
                raise self._fault(number, "sparse rows of numbers only", f"the attribute '{one.name}'")
        inner = line[1:-1].strip()
        for cell in inner.split(",") if inner else ():
            place, _, text = cell.strip().partition(" ")
            if not place.isdigit() or int(place) >= len(row):
                raise self._fault(number, f"an index from 0 to {len(row) - 1} and a value", _cut(cell))
            row[int(place)] = self._value(number, self.attributes[int(place)], text.strip(), False)
        return row

    def _value(self, number: int, attribute: _Attribute, text: str, is_quoted: bool) -> Any:
        if text == "?" and not is_quoted:
            return None
        try:
            return attribute.read(text)
        except ValueError:
            raise self._fault(
                number, f"{attribute.expected} for '{attribute.name}'", f"'{_cut(text)}'"
            ) from None

    def _cells(self, number: int, line: str) -> Iterator[tuple[str, bool]]:
        """The text of each cell, and whether it stood in quotes."""
        position, more = 0, True
        while more:
            found = _CELL.match(line, position)
            if not found:
                raise self._fault(number, "cells with commas between, and quotes that are closed", _cut(line))
            raw = found.group(1)
            yield _plain(raw), raw[:1] in ("'", '"')
            position, more = found.end(), found.group(2) == ","

    def _fault(self, number: int, expected: str, got: str) -> InvalidInput:
        fix = "Correct that line."
        return InvalidInput(f"Line {number} of '{self.name}'", expected=expected, got=got, fix=fix)


def _one_of(levels: frozenset[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in levels:
            raise ValueError(text)
        return text

    return read


def _plain(text: str) -> str:
    """What a word stands for: without its quotes, escapes resolved."""
    if text[:1] in ("'", '"') and len(text) > 1:
        return _ESCAPE.sub(lambda found: _ESCAPED.get(found.group(1), found.group(1)), text[1:-1])
    return text.strip()


def _series(kind: str, values: list[Any]) -> pd.Series[Any]:
    if kind == "number" or (kind == "integer" and None in values):
        return pd.Series(values, dtype="float64")
    if kind == "integer":
        return pd.Series(values, dtype="int64")
    if kind == "time":
        return pd.Series(pd.to_datetime(pd.Series(values, dtype="object")))
    return pd.Series(values, dtype=pd.Series(["a"]).dtype)


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
