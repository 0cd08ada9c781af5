"""What rows look like: typed columns in and out of models and services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mlalm_jupyter.domain.errors import InvalidInput


class ColumnType(StrEnum):
    """The types a column may have; the words are those of the published service schema."""

    BOOLEAN = "Boolean"
    INT64 = "Int64"
    DOUBLE = "Double"
    STRING = "String"
    DATETIME = "DateTime"


_SCHEMA_WORDS: dict[ColumnType, tuple[str, str]] = {
    ColumnType.BOOLEAN: ("Boolean", ""),
    ColumnType.INT64: ("Integer", "Int64"),
    ColumnType.DOUBLE: ("Number", "Double"),
    ColumnType.STRING: ("String", ""),
    ColumnType.DATETIME: ("String", "Date-time"),
}
_INTEGER_FORMATS = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "byte", ""}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its type, and whether a value may be missing."""

    name: str
    type: ColumnType
    nullable: bool = True

    def to_schema(self) -> dict[str, object]:
        kind, form = _SCHEMA_WORDS[self.type]
        schema: dict[str, object] = {"type": kind}
        if form:
            schema["format"] = form
        schema["x-ms-isnullable"] = self.nullable
        return schema

    @classmethod
    def from_schema(cls, name: str, schema: Mapping[str, object], *, where: str) -> Column:
        kind = str(schema.get("type", "")).lower()
        form = str(schema.get("format", "") or "").lower()
        nullable = str(schema.get("x-ms-isnullable", True)).lower() != "false"
        if kind == "boolean":
            return cls(name, ColumnType.BOOLEAN, nullable)
        if kind == "integer" and form in _INTEGER_FORMATS:
            return cls(name, ColumnType.INT64, nullable)
        if kind == "number":
            return cls(name, ColumnType.DOUBLE, nullable)
        if kind == "string":
            dated = form in ("date-time", "date-timeoffset")
            return cls(name, ColumnType.DATETIME if dated else ColumnType.STRING, nullable)
        raise InvalidInput(
            f"The column type at {where}",
            expected="Boolean, Integer, Number or String with a matching format",
            got=f"type {schema.get('type')!r}, format {schema.get('format')!r}",
        )


@dataclass(frozen=True, slots=True)
class Schema:
    """An ordered set of columns."""

    columns: tuple[Column, ...] = ()

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for column in self.columns:
            if column.name in seen:
                raise InvalidInput("The schema", expected="each column once", got=f"'{column.name}' twice")
            seen.add(column.name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def missing_from(self, names: Iterable[str]) -> list[str]:
        """The columns of this schema that `names` lacks.

        >>> Schema((Column("age", ColumnType.INT64),)).missing_from(["sex"])
        ['age']
        """
        given = set(names)
        return [name for name in self.names if name not in given]

    def to_dict(self) -> dict[str, object]:
        return {column.name: column.to_schema() for column in self.columns}

    @classmethod
    def from_dict(cls, value: Mapping[str, object], *, where: str = "$") -> Schema:
        columns = []
        for name, schema in value.items():
            if not isinstance(schema, Mapping):
                raise InvalidInput(
                    f"The column at {where}.{name}", expected="an object", got=type(schema).__name__
                )
            columns.append(Column.from_schema(name, schema, where=f"{where}.{name}"))
        return cls(tuple(columns))


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model takes and what it gives."""

    inputs: Schema
    outputs: Schema

    def to_dict(self) -> dict[str, object]:
        return {"inputs": _listed(self.inputs), "outputs": _listed(self.outputs)}

    @classmethod
    def from_dict(cls, value: Mapping[str, object]) -> Signature:
        return cls(_from_list(value, "inputs"), _from_list(value, "outputs"))


def _listed(schema: Schema) -> list[dict[str, object]]:
    """Columns as a list, because their order matters and a canonical object would sort it away."""
    return [{"name": column.name, **column.to_schema()} for column in schema.columns]


def _from_list(value: Mapping[str, object], key: str) -> Schema:
    items = value.get(key)
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise InvalidInput(f"The signature's {key}", expected="a list of columns", got=type(items).__name__)
    columns = []
    for index, item in enumerate(items):
        if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
            raise InvalidInput(
                f"Column {index} of the signature's {key}",
                expected="an object with a name",
                got=repr(item)[:60],
            )
        columns.append(Column.from_schema(str(item["name"]), item, where=f"$.{key}[{index}]"))
    return Schema(tuple(columns))


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for a person: column names and plain values, as a surface shows or sends them."""

    names: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...] = field(default=())

    def to_dict(self) -> dict[str, object]:
        return {"columns": list(self.names), "rows": [list(row) for row in self.rows]}
