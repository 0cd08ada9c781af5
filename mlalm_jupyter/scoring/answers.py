"""A result on its way out: typed columns to the published JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Output:
    """One output as the wire has it: names, .NET types, and columns of text or null."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    columns: tuple[list[str | None], ...]


def encode(outputs: Mapping[str, Output], *, details: bool = False, as_objects: bool = False) -> bytes:
    """The body of a 200 answer, as a table or as a list of objects."""
    form = _objects if as_objects else _table
    return msgspec.json.encode({"Results": {name: form(output, details) for name, output in outputs.items()}})


def _table(output: Output, details: bool) -> dict[str, object]:
    value: dict[str, object] = {"ColumnNames": output.names, "ColumnTypes": output.types} if details else {}
    value["Values"] = list(zip(*output.columns, strict=True))
    return {"type": "table", "value": value}


def _objects(output: Output, _details: bool) -> list[dict[str, str | None]]:
    return [dict(zip(output.names, row, strict=True)) for row in zip(*output.columns, strict=True)]
