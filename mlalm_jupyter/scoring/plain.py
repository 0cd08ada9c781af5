"""Rows as people have them, for who never saw the published service: JSON, CSV or Arrow, in and out.

| body | is |
|---|---|
| `[{"age": 20}, ...]` | rows of the only input |
| `{"columns": [...], "data": [[...], ...]}` | the same as a table |
| `{"data": ROWS}`, `{"instances": ROWS}`, `{"dataframe_split": ...}` | the same with a name around it |
| `{"left": ROWS, "right": ROWS, "parameters": {...}}` | several inputs by name |
| `text/csv`, with a header line | rows of the only input |
| `application/vnd.apache.arrow.stream` (or `.file`) | rows of the only input |

The answer comes as the request's `Accept` says, else as the body came. Its values are typed: numbers are numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np

from mlalm_jupyter.domain.signature import Schema
from mlalm_jupyter.scoring.answers import Output
from mlalm_jupyter.scoring.arrow import from_arrow
from mlalm_jupyter.scoring.columns import Array
from mlalm_jupyter.scoring.errors import Refusal, bad_request
from mlalm_jupyter.scoring.requests import Asked, Cell, Given, Rows, Table, as_utf8, decoded

JSON, CSV = b"application/json", b"text/csv"
ARROW, ARROW_FILE = b"application/vnd.apache.arrow.stream", b"application/vnd.apache.arrow.file"
FORMS = (JSON, CSV, ARROW, ARROW_FILE)
_WRAPPED = ("data", "instances", "dataframe_records", "dataframe_split", "inputs")
_PARAMETERS = ("parameters", "params")


class _Split(msgspec.Struct):
    columns: list[str]
    data: list[list[Cell]]


_Value = Rows | _Split
_BODY = msgspec.json.Decoder(Rows | dict[str, msgspec.Raw])
_VALUE = msgspec.json.Decoder(_Value)
_SETTINGS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def form_of(content_type: bytes) -> bytes:
    """The form of a body; none said is JSON."""
    kind = content_type.partition(b";")[0].strip().lower()
    if not kind or kind.endswith(b"json") or kind in (b"*/*", b"application/x-www-form-urlencoded"):
        return JSON
    if kind in FORMS:
        return kind
    known = ", ".join(one.decode() for one in FORMS)
    message = f"The content type '{kind[:60].decode('latin-1')}' is not taken; it should be one of {known}."
    raise Refusal(415, "BadArgument", "DataTypeNotSupported", message)


def answer_form(accept: bytes, came_as: bytes) -> bytes:
    """The first of the forms that a client accepts; what it does not say is as its body came."""
    for part in accept.lower().split(b","):
        kind = part.partition(b";")[0].strip()
        if kind in FORMS:
            return kind
        if kind == b"application/*":
            return JSON
        if kind == b"text/*":
            return CSV
    return came_as


def asked(body: bytes, content_type: bytes, inputs: Mapping[str, Schema]) -> Asked:
    """A body as inputs by name."""
    form = form_of(content_type)
    if form == JSON:
        return _from_json(body, content_type, inputs)
    name = _only(inputs, form)
    table = _from_csv(body, content_type, name) if form == CSV else from_arrow(body, name)
    return Asked({name: table})


def _only(inputs: Mapping[str, Schema], form: bytes) -> str:
    if len(inputs) != 1:
        named = ", ".join(f"'{name}'" for name in inputs) or "none"
        message = f"A body of {form.decode()} is for one input; this service takes {named}. Send JSON with their names."
        raise bad_request(message, cause="MissingRequestInput", target="body")
    return next(iter(inputs))


def _from_json(body: bytes, content_type: bytes, inputs: Mapping[str, Schema]) -> Asked:
    told = decoded(_BODY, body, content_type)
    if isinstance(told, list):
        return Asked({_only(inputs, JSON): told})
    settings = next((told.pop(name) for name in _PARAMETERS if name in told and name not in inputs), None)
    parameters = None if settings is None else decoded(_SETTINGS, bytes(settings))
    if not set(told) & set(inputs):
        if "columns" in told and "data" in told:
            split = {name: told[name] for name in ("columns", "data")}
            return Asked({_only(inputs, JSON): _value(msgspec.json.encode(split))}, parameters)
        wrapped = [name for name in _WRAPPED if name in told]
        if len(told) == 1 and wrapped and inputs:
            return Asked({_only(inputs, JSON): _value(bytes(told[wrapped[0]]))}, parameters)
        _check_rows(told, inputs)
    return Asked({name: _value(bytes(raw)) for name, raw in told.items()}, parameters)


def _check_rows(told: Mapping[str, object], inputs: Mapping[str, Schema]) -> None:
    """Refuse one row without its list, and the body of the request-response form, which has an address of its own."""
    if "Inputs" in told:
        message = (
            "A body with 'Inputs' is for the address that ends in /execute?api-version=2.0. This one takes rows as they are, "
            'such as [{"column": 1}].'
        )
        raise bad_request(message, target="body")
    columns = {column.name for schema in inputs.values() for column in schema.columns}
    if set(told) & columns:
        raise bad_request('The body is one row. Send a list of rows, such as [{"column": 1}].', target="body")


def _value(raw: bytes) -> Table | Rows:
    value = decoded(_VALUE, raw)
    return Table(value.columns, value.data) if isinstance(value, _Split) else value


def _from_csv(body: bytes, content_type: bytes, name: str) -> Given:
    try:
        text = as_utf8(body, content_type).decode()
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except UnicodeDecodeError as error:
        raise bad_request(f"The body is not UTF-8: {error}.", target="body") from error
    except csv.Error as error:
        raise bad_request(f"The body is no CSV: {error}.", target="body") from error
    rows = [row for row in rows if row]
    if not rows:
        raise bad_request("The body has no header line.", target="body")
    header, *cells = rows
    if len(set(header)) != len(header):
        raise bad_request("The header names a column twice.", target="body")
    for index, row in enumerate(cells):
        if len(row) != len(header):
            message = (
                f"Row {index} has {len(row)} cells, and the header names {len(header)} (the first row is 0)."
            )
            raise bad_request(message, cause="InputMismatchError", target=f"{name}[{index}]")
    columns = zip(*cells, strict=True) if cells else [()] * len(header)
    held = {
        column: [None if cell == "" else cell for cell in values]
        for column, values in zip(header, columns, strict=True)
    }
    return Given(name, held, len(cells))


def encoded(outputs: Mapping[str, Output], form: bytes) -> bytes:
    """An answer in a form; several outputs are told by name, which CSV and Arrow cannot."""
    if form == JSON:
        told = {name: _objects(output) for name, output in outputs.items()}
        return msgspec.json.encode(next(iter(told.values())) if len(told) == 1 else told)
    if len(outputs) != 1:
        named = ", ".join(f"'{name}'" for name in outputs)
        message = f"The service gives {named}, which only JSON can tell apart; accept application/json."
        raise Refusal(406, "BadArgument", "DataTypeNotSupported", message)
    (output,) = outputs.values()
    return _csv(output) if form == CSV else _arrow(output, is_file=form == ARROW_FILE)


def _objects(output: Output) -> list[dict[str, object]]:
    columns = [values(array) for array in output.arrays]
    return [dict(zip(output.names, row, strict=True)) for row in zip(*columns, strict=True)]


def values(array: Array) -> list[Any]:
    """A column as values of JSON; what JSON has no number for is null, dates are ISO 8601."""
    kind = array.dtype.kind
    if kind in "iub":
        return list(array.tolist())
    if kind == "f":
        return [value if np.isfinite(value) else None for value in array.tolist()]
    if kind == "M":
        dates = array.astype("datetime64[us]").tolist()
        return [None if value is None else value.isoformat() for value in dates]
    return [_plain(value) for value in array]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, datetime):
        return (value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value).isoformat()
    return str(value)


def _csv(output: Output) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(output.names)
    columns = [values(array) for array in output.arrays]
    writer.writerows(["" if cell is None else cell for cell in row] for row in zip(*columns, strict=True))
    return text.getvalue().encode()


def _arrow(output: Output, *, is_file: bool) -> bytes:
    import pyarrow as pa

    columns = [_arrow_column(array) for array in output.arrays]
    table = pa.table(columns, names=list(output.names))
    sink = pa.BufferOutputStream()
    opener: Any = pa.ipc.new_file if is_file else pa.ipc.new_stream
    with opener(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _arrow_column(array: Array) -> Any:
    import pyarrow as pa

    if array.dtype.kind != "O":
        return pa.array(array, from_pandas=True)
    told = [_plain(value) for value in array]
    kinds = {type(value) for value in told if value is not None}
    # a column of several kinds is text
    return pa.array(told if len(kinds) <= 1 else [None if value is None else str(value) for value in told])
