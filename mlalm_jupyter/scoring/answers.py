"""A result on its way out: typed columns to the published JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from mlalm_jupyter.scoring.columns import Array, cells


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """One output on its way out: names, .NET types, and a typed column for each."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    arrays: tuple[Array, ...]

    @property
    def columns(self) -> tuple[list[str | None], ...]:
        """Its cells as the published answers have them: text or null."""
        return tuple(cells(array) for array in self.arrays)

    @property
    def rows(self) -> int:
        return len(self.arrays[0]) if self.arrays else 0


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
