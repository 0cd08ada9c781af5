"""The Open Inference Protocol, version 2: a column is a tensor, in JSON or with the binary extension.

A service of one input also takes a single tensor of two dimensions, whose columns are those of the input in order.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from mlalm_jupyter.domain.signature import Column, ColumnType, Schema
from mlalm_jupyter.scoring.answers import Output
from mlalm_jupyter.scoring.columns import Array
from mlalm_jupyter.scoring.errors import Refusal, bad_request, mismatch, unparsable
from mlalm_jupyter.scoring.plain import values
from mlalm_jupyter.scoring.requests import Asked, Cell, Given, decoded

_NUMPY = {
    "BOOL": "?", "UINT8": "u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "INT8": "i1", "INT16": "<i2",
    "INT32": "<i4", "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip
DATATYPES = {
    ColumnType.BOOLEAN: "BOOL",
    ColumnType.INT64: "INT64",
    ColumnType.DOUBLE: "FP64",
    ColumnType.STRING: "BYTES",
    ColumnType.DATETIME: "BYTES",
}
_MOST_CELLS = 100_000_000


class Tensor(msgspec.Struct):
    """A tensor of a request."""

    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw = msgspec.Raw()
    parameters: dict[str, Any] | None = None


class Wanted(msgspec.Struct):
    """An output that a request asks for."""

    name: str
    parameters: dict[str, Any] | None = None


class Inference(msgspec.Struct):
    """The body of an inference request."""

    inputs: list[Tensor]
    id: str | None = None
    outputs: list[Wanted] | None = None
    parameters: dict[str, Any] | None = None


_REQUEST = msgspec.json.Decoder(Inference)
_CELLS = msgspec.json.Decoder(list[Any])


@dataclass(frozen=True, slots=True)
class Inferring:
    """An inference request, read."""

    asked: Asked
    id: str | None
    wanted: tuple[Wanted, ...]
    all_binary: bool


def read_inference(body: bytes, json_length: bytes, inputs: Mapping[str, Schema]) -> Inferring:
    """A request as inputs by name; `json_length` says where binary tensors begin, when there are any."""
    head, binary = body, b""
    if json_length:
        if not json_length.isdigit() or int(json_length) > len(body):
            raise bad_request("The header Inference-Header-Content-Length is no length within the body.")
        head, binary = body[: int(json_length)], body[int(json_length) :]
    told = decoded(_REQUEST, head)
    if inputs and not told.inputs:
        raise bad_request("The request has no tensors.", cause="MissingRequestInput", target="inputs")
    arrays: dict[str, tuple[Tensor, Sequence[Cell]]] = {}
    for tensor in told.inputs:
        cells, binary = _cells(tensor, binary)
        if tensor.name in arrays:
            raise mismatch(f"The tensor '{tensor.name[:60]}' is there twice.", target="inputs")
        arrays[tensor.name] = (tensor, cells)
    if binary:
        raise bad_request(f"{len(binary)} bytes follow the last binary tensor.")
    tables = _tables(arrays, inputs)
    parameters = {
        name: msgspec.Raw(msgspec.json.encode(value))
        for name, value in (told.parameters or {}).items()
        if name != "binary_data_output"
    }
    all_binary = bool((told.parameters or {}).get("binary_data_output"))
    return Inferring(Asked(tables, parameters), told.id, tuple(told.outputs or ()), all_binary)


def _cells(tensor: Tensor, binary: bytes) -> tuple[Sequence[Cell], bytes]:
    """The cells of a tensor, row after row, and the binary data that is left for the tensors after it."""
    place = f"inputs.{tensor.name[:60]}"
    if any(size < 0 for size in tensor.shape) or len(tensor.shape) > 2:
        raise mismatch("A tensor has one or two dimensions, rows first.", target=f"{place}.shape")
    count = 1
    for size in tensor.shape:
        count *= size
    if count > _MOST_CELLS:
        raise mismatch(f"A tensor of {count} cells is more than is taken.", target=f"{place}.shape")
    kind = tensor.datatype.upper()
    if kind != "BYTES" and kind not in _NUMPY:
        raise bad_request(
            f"The datatype '{tensor.datatype[:20]}' is not known; it should be one of {', '.join(_NUMPY)}, BYTES.",
            cause="DataTypeNotSupported",
            target=f"{place}.datatype",
        )
    length = (tensor.parameters or {}).get("binary_data_size")
    if length is not None:
        if not isinstance(length, int) or isinstance(length, bool) or not 0 <= length <= len(binary):
            raise bad_request("binary_data_size is more than the body holds.", target=place)
        cells: Sequence[Cell] = _unpacked(binary[:length], kind, count, place)
        binary = binary[length:]
    else:
        if not bytes(tensor.data):
            raise bad_request("The tensor has neither data nor a binary size.", target=place)
        cells = _flat(decoded(_CELLS, bytes(tensor.data)), place)
    if len(cells) != count:
        shape = "x".join(map(str, tensor.shape))
        raise mismatch(f"It has {len(cells)} cells, and its shape is {shape}.", target=place)
    return cells, binary


def _unpacked(data: bytes, kind: str, count: int, place: str) -> list[Any]:
    if kind != "BYTES":
        dtype = np.dtype(_NUMPY[kind])
        if len(data) != count * dtype.itemsize:
            message = f"{count} cells of {kind} are {count * dtype.itemsize} bytes, and {len(data)} came."
            raise mismatch(message, target=place)
        return list(np.frombuffer(data, dtype=dtype).tolist())
    found: list[Any] = []
    at = 0
    while at + 4 <= len(data):
        (size,) = struct.unpack_from("<I", data, at)
        at += 4
        if at + size > len(data):
            break
        try:
            found.append(data[at : at + size].decode())
        except UnicodeDecodeError as error:
            raise unparsable(f"Cell {len(found)} is not UTF-8: {error}.", target=place) from error
        at += size
    if at != len(data):
        raise mismatch("Its binary data is cut.", target=place)
    return found


def _flat(cells: list[Any], place: str) -> list[Cell]:
    if cells and all(isinstance(cell, list) for cell in cells):
        cells = [one for row in cells for one in row]
    for cell in cells:
        if cell is not None and not isinstance(cell, (str, bool, int, float)):
            raise unparsable("Its data is deeper than rows of cells.", target=place)
    return cells


def _tables(
    arrays: Mapping[str, tuple[Tensor, Sequence[Cell]]], inputs: Mapping[str, Schema]
) -> dict[str, Given]:
    if len(inputs) == 1:
        ((name, schema),) = inputs.items()
        if len(arrays) == 1 and (found := _matrix(name, schema, *next(iter(arrays.values())))):
            return {name: found}
        return {name: _table(name, arrays)}
    tables = {}
    for name, schema in inputs.items():
        own = {
            column: arrays[key]
            for column in schema.names
            for key in (f"{name}.{column}", column)
            if key in arrays
        }
        if own:
            tables[name] = _table(name, own)
    return tables


def _matrix(name: str, schema: Schema, tensor: Tensor, cells: Sequence[Cell]) -> Given | None:
    """A tensor of two dimensions as the columns of the only input, in order."""
    width = len(schema.columns)
    if len(tensor.shape) != 2 or tensor.name in schema.names or tensor.shape[1] != width:
        return None
    rows = tensor.shape[0]
    columns = {column: list(cells[index::width]) for index, column in enumerate(schema.names)}
    return Given(name, dict(columns), rows)


def _table(name: str, arrays: Mapping[str, tuple[Tensor, Sequence[Cell]]]) -> Given:
    rows = None
    for column, (tensor, cells) in arrays.items():
        if len(tensor.shape) == 2 and tensor.shape[1] != 1:
            message = f"Tensor '{column[:60]}' should have the shape [rows] or [rows, 1], for a column."
            raise mismatch(message, target=f"inputs.{column[:60]}.shape")
        if rows is not None and len(cells) != rows:
            raise mismatch(
                f"Tensor '{column[:60]}' has {len(cells)} rows, and others {rows}.", target="inputs"
            )
        rows = len(cells)
    return Given(name, {column: cells for column, (_, cells) in arrays.items()}, rows or 0)


def encode_inference(
    outputs: Mapping[str, Output], request: Inferring, *, model: str, version: str
) -> tuple[bytes, int | None]:
    """The body of an answer, and how long its JSON part is where binary tensors follow it."""
    known = named_outputs({name: output.names for name, output in outputs.items()})
    wanted = {one.name: one for one in request.wanted}
    if unknown := [name for name in wanted if name not in known]:
        raise bad_request(
            f"The service gives no '{unknown[0][:60]}'; it gives {', '.join(list(known)[:20])}.",
            cause="InvalidOutputOverrideName",
            target="outputs",
        )
    tensors: list[dict[str, Any]] = []
    parts: list[bytes] = []
    for name, (port, index) in known.items():
        if wanted and name not in wanted:
            continue
        array = outputs[port].arrays[index]
        datatype = _datatype(array)
        tensor: dict[str, Any] = {"name": name, "shape": [len(array), 1], "datatype": datatype}
        asked = wanted.get(name)
        is_binary = (asked.parameters or {}).get("binary_data") if asked else None
        if request.all_binary if is_binary is None else is_binary:
            packed = _packed(array, datatype)
            tensor["parameters"] = {"binary_data_size": len(packed)}
            parts.append(packed)
        else:
            tensor["data"] = ["" if v is None and datatype == "BYTES" else v for v in values(array)]
        tensors.append(tensor)
    answer: dict[str, Any] = {"model_name": model, "model_version": version}
    if request.id is not None:
        answer["id"] = request.id
    head = msgspec.json.encode({**answer, "outputs": tensors})
    return (b"".join([head, *parts]), len(head)) if parts else (head, None)


def named_outputs(columns: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, int]]:
    """Each column of each output under the name its tensor has: its own, and with several outputs OUTPUT.COLUMN."""
    several = len(columns) > 1
    return {
        (f"{port}.{name}" if several else name): (port, index)
        for port, names in columns.items()
        for index, name in enumerate(names)
    }


def _datatype(array: Array) -> str:
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "b":
        return "BOOL"
    if kind in "iu":
        return f"{'U' if kind == 'u' else ''}INT{size * 8}"
    if kind == "f" and size in (2, 4, 8):
        return f"FP{size * 8}"
    return "BYTES"


def _packed(array: Array, datatype: str) -> bytes:
    if datatype != "BYTES":
        return array.astype(np.dtype(_NUMPY[datatype])).tobytes()
    parts = []
    for value in values(array):
        text = b"" if value is None else str(value).encode()
        parts += [struct.pack("<I", len(text)), text]
    return b"".join(parts)


def metadata(
    model: str, version: str, inputs: Mapping[str, Schema], outputs: Mapping[str, Schema]
) -> dict[str, object]:
    """What a model takes and gives, as the protocol tells it."""
    several = len(inputs) > 1
    return {
        "name": model,
        "versions": [version],
        "platform": "mlalm",
        "inputs": [
            _told(f"{name}.{column.name}" if several else column.name, column)
            for name, schema in inputs.items()
            for column in schema.columns
        ],
        "outputs": [
            _told(name, outputs[port].columns[index])
            for name, (port, index) in named_outputs({n: s.names for n, s in outputs.items()}).items()
        ],
    }


def _told(name: str, column: Column) -> dict[str, object]:
    return {"name": name, "datatype": DATATYPES[column.type], "shape": [-1, 1]}


def refused(refusal: Refusal) -> bytes:
    """A refusal as this protocol says it: one sentence."""
    place = f" ({refusal.target})" if refusal.target else ""
    return msgspec.json.encode({"error": f"{refusal.message}{place}"})
