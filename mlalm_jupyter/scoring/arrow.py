"""Arrow tables of callers, none of which takes much more memory than its bytes.

The format can say much in few bytes: compressed buffers, columns without any, views of one text again and again. Such
bodies are refused before they are read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from mlalm_jupyter.scoring.errors import Refusal, bad_request, mismatch
from mlalm_jupyter.scoring.requests import Cell, Given

_FILE = b"ARROW1"
_CELLS_PER_BYTE = 8
"""A column of yes and no has eight cells in a byte, and none has more."""
_RECORDS, _DICTIONARY = 3, 2
_COMPRESSION, _INNER = 3, 1


def from_arrow(body: bytes, name: str) -> Given:
    """A stream or a file of Arrow as the columns of an input."""
    import pyarrow as pa

    # a file holds the stream behind its mark; what its footer says of places is not needed and not believed
    stream = body[8:] if body[:6] == _FILE else body
    try:
        for message in _messages(stream):
            if _is_compressed(message):
                raise bad_request(
                    "Compressed Arrow data is not taken; write it without compression.", target="body"
                )
        batches, rows = [], 0
        with pa.ipc.open_stream(pa.py_buffer(stream)) as reader:
            _check_types(pa, reader.schema)
            width = max(1, len(reader.schema))
            for batch in reader:
                rows += batch.num_rows
                if rows * width > _CELLS_PER_BYTE * len(stream):
                    raise mismatch(
                        "The table says that it has more cells than its bytes can hold.", target=name
                    )
                batch.validate(full=True)
                batches.append(batch)
            table = pa.Table.from_batches(batches, reader.schema)
        columns = {column: _cells(table.column(index)) for index, column in enumerate(table.column_names)}
    except (pa.ArrowException, OSError, ValueError, OverflowError, struct.error, IndexError) as error:
        raise bad_request(
            f"The body is no readable Arrow data: {str(error)[:200]}.", target="body"
        ) from error
    if len(columns) != table.num_columns:
        raise bad_request("The table names a column twice.", target="body")
    return Given(name, columns, table.num_rows)


def _messages(stream: bytes) -> Iterator[bytes]:
    """The metadata of each message of a stream."""
    import pyarrow as pa

    reader = pa.ipc.MessageReader.open_stream(pa.py_buffer(stream))
    while True:
        try:
            message = reader.read_next_message()
        except StopIteration:
            return
        yield message.metadata.to_pybytes()


def _is_compressed(metadata: bytes) -> bool:
    """Whether a message says that its buffers are compressed; it is a table of FlatBuffers."""
    root = struct.unpack_from("<I", metadata)[0]
    kind = _field(metadata, root, 1)
    header = _field(metadata, root, 2)
    if not kind or not header:
        return False
    code = metadata[kind]
    place = _table_at(metadata, header)
    if code == _DICTIONARY:
        inner = _field(metadata, place, _INNER)
        if not inner:
            return False
        place = _table_at(metadata, inner)
    elif code != _RECORDS:
        return False
    return bool(_field(metadata, place, _COMPRESSION))


def _table_at(data: bytes, place: int) -> int:
    return int(place + struct.unpack_from("<I", data, place)[0])


def _field(data: bytes, table: int, number: int) -> int:
    """Where a field of a table stands; 0 where it is left out."""
    fields = table - struct.unpack_from("<i", data, table)[0]
    if fields < 0:
        raise ValueError("a message is damaged")
    size = struct.unpack_from("<H", data, fields)[0]
    at = 4 + 2 * number
    offset = struct.unpack_from("<H", data, fields + at)[0] if at + 2 <= size else 0
    return int(table + offset) if offset else 0


def _check_types(pa: Any, schema: Any) -> None:
    """Refuse columns whose values are no plain cells, or of which many may lie in the same bytes."""
    plain = (
        pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_string, pa.types.is_large_string,
        pa.types.is_date, pa.types.is_timestamp, pa.types.is_decimal, pa.types.is_null,
    )  # fmt: skip
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if not any(one(kind) for one in plain):
            message = f"Column '{field.name[:60]}' is of the type {field.type}, which is not taken."
            raise Refusal(400, "BadArgument", "DataTypeNotSupported", message[:300], target=field.name[:60])


def _cells(column: Any) -> list[Cell]:
    """The values of a column as cells of JSON would be; texts of a dictionary are held once."""
    found: list[Cell] = []
    for chunk in column.chunks:
        if hasattr(chunk, "dictionary"):
            words = _plain(chunk.dictionary.to_pylist())
            found += [None if index is None else words[index] for index in chunk.indices.to_pylist()]
        else:
            found += _plain(chunk.to_pylist())
    return found


def _plain(values: Sequence[object]) -> list[Cell]:
    return [
        value if value is None or isinstance(value, (str, bool, int, float)) else _cell(value)
        for value in values
    ]


def _cell(value: object) -> Cell:
    return value.isoformat() if isinstance(value, (datetime, date)) else str(value)
