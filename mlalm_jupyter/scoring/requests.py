"""A request-response call as it comes in: bytes to inputs by name, in either published form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from mlalm_jupyter.scoring.errors import Refusal, bad_request, mismatch

T = TypeVar("T")
Cell = str | int | float | bool | None

_SUPERSETS_OF_ASCII = {"", "utf-8", "utf8", "us-ascii", "ascii"}
# a request may name any codec Python has, and some of those run for ever or are no text at all
_OTHER_CHARSETS = {"iso-8859-1", "latin-1", "latin1", "windows-1252", "utf-16", "utf-16le", "utf-16be"}
_BOM = b"\xef\xbb\xbf"


class Table(msgspec.Struct):
    """An input as column names and rows of cells."""

    ColumnNames: list[str]
    Values: list[list[Cell]]


Rows = list[dict[str, Cell]]


class Request(msgspec.Struct):
    """The body of a call; what it holds beyond these names is ignored."""

    Inputs: dict[str, Table | Rows] | None = None
    GlobalParameters: dict[str, msgspec.Raw] | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """One input with its cells turned into columns."""

    name: str
    columns: Mapping[str, Sequence[Cell]]
    rows: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that came in another form than the published ones."""

    Inputs: Mapping[str, Table | Rows | Given] | None
    GlobalParameters: Mapping[str, msgspec.Raw] | None = None


_DECODER = msgspec.json.Decoder(Request)


def decode(body: bytes, content_type: bytes = b"") -> Request:
    """Read a body, or say what is wrong with it."""
    return decoded(_DECODER, body, content_type)


def decoded(decoder: msgspec.json.Decoder[T], body: bytes, content_type: bytes = b"") -> T:
    """A body of JSON as something of a known shape."""
    body = as_utf8(body, content_type)
    if not body or body.isspace():
        raise bad_request("The request has no body.")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise bad_request(f"The body has another shape than this service takes: {error}.") from error
    except msgspec.DecodeError as error:
        raise bad_request(f"The body is not JSON: {error}.") from error
    except UnicodeDecodeError as error:
        raise bad_request(f"The body is not UTF-8: {error}.") from error
    except RecursionError as error:
        raise bad_request("The body is nested too deeply.") from error


def given(name: str, value: Table | Rows | Given) -> Given:
    """One input as columns, whichever form it came in."""
    if isinstance(value, Given):
        return value
    return _from_table(name, value) if isinstance(value, Table) else _from_rows(name, value)


def _from_table(name: str, table: Table) -> Given:
    names, values = table.ColumnNames, table.Values
    if len(set(names)) != len(names):
        twice = _first_repeated(names)
        raise mismatch(f"Column '{_short(twice)}' is named twice.", target=f"Inputs.{name}.ColumnNames")
    width = len(names)
    for index, row in enumerate(values):
        if len(row) != width:
            raise mismatch(
                f"Row {index} has {_cells(len(row))}, and ColumnNames names {width} (the first row is 0).",
                target=f"Inputs.{name}.Values[{index}]",
            )
    columns: Iterable[Sequence[Cell]] = zip(*values, strict=True) if values else [()] * width
    return Given(name, dict(zip(names, columns, strict=True)), len(values))


def _from_rows(name: str, rows: Rows) -> Given:
    if not rows:
        return Given(name, {}, 0)
    columns: dict[str, Sequence[Cell]] = {}
    for column in rows[0]:
        try:
            columns[column] = [row[column] for row in rows]
        except KeyError:
            raise _ragged(name, column, rows) from None
    return Given(name, columns, len(rows))


def _ragged(name: str, column: str, rows: Rows) -> Refusal:
    index = next(index for index, row in enumerate(rows) if column not in row)
    return mismatch(
        f"Row {index} has no column '{_short(column)}' (the first row is 0; null means a missing value).",
        target=f"Inputs.{name}[{index}]",
    )


def as_utf8(body: bytes, content_type: bytes) -> bytes:
    """The body in UTF-8, whatever charset the content type names."""
    at = content_type.lower().find(b"charset=") if content_type else -1
    if at >= 0:
        charset = content_type[at + 8 :].split(b";")[0].strip(b" \"'").decode("latin-1").lower()
        if charset not in _SUPERSETS_OF_ASCII:
            body = _transcoded(body, charset)
    return body[3:] if body[:3] == _BOM else body


def _transcoded(body: bytes, charset: str) -> bytes:
    if charset not in _OTHER_CHARSETS:
        raise bad_request(f"The charset '{_short(charset)}' is not known here; send UTF-8.")
    try:
        return body.decode(charset).encode()
    except UnicodeError as error:
        raise bad_request(f"The body is not {charset}: {error}.") from error


def _first_repeated(names: Sequence[str]) -> str:
    seen: set[str] = set()
    for one in names:
        if one in seen:
            break
        seen.add(one)
    return one


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
