"""How datasets, models, rows and files are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mlalm_jupyter.domain.asset import Dataset
from mlalm_jupyter.domain.model import Lineage, TrainedModel
from mlalm_jupyter.domain.outcome import Preview, Removed, Written
from mlalm_jupyter.domain.server import Scored
from mlalm_jupyter.domain.signature import Schema
from mlalm_jupyter.surfaces.display.parts import (
    Cell,
    Code,
    Digest,
    Facts,
    Grid,
    Moment,
    Note,
    View,
    joined,
    size,
)

ROWS_SHOWN = 50


def dataset(one: Dataset) -> View:
    facts = Facts(
        f"Dataset {one.reference}",
        [
            ("rows", one.row_count),
            ("columns", _columns(one.schema)),
            ("kind", one.format),
            ("size", size(one.size_bytes)),
            ("uploaded", Moment(one.created_at)),
            ("by", one.created_by),
            ("sha256", Digest(one.digest)),
        ],
    )
    return [facts, *_equal(one.equal_to, one.name)]


def datasets(many: Sequence[Dataset]) -> View:
    if not many:
        return [Note("No datasets yet. Upload one with `mlalm dataset upload FILE NAME`.")]
    return [
        Grid(
            "Datasets",
            ("dataset", "rows", "columns", "kind", "size", "uploaded", "by"),
            [
                (
                    one.reference,
                    one.row_count,
                    len(one.schema.columns),
                    one.format,
                    size(one.size_bytes),
                    Moment(one.created_at),
                    one.created_by,
                )
                for one in many
            ],
        )
    ]


def preview(one: Preview) -> View:
    return [*dataset(one.dataset), rows("First rows", one.head.names, one.head.rows)]


def model(one: TrainedModel) -> View:
    facts = Facts(
        f"Model {one.reference}",
        [
            ("about", one.description),
            ("kind", f"{one.framework}, kept as {one.format}"),
            ("takes", _columns(one.signature.inputs)),
            ("gives", _columns(one.signature.outputs)),
            ("from", _origin(one.lineage)),
            ("run", Digest(one.lineage.run_id) if one.lineage.run_id else None),
            ("data", joined(one.lineage.datasets)),
            ("tags", _pairs(one.tags)),
            ("size", size(one.size_bytes)),
            ("registered", Moment(one.created_at)),
            ("by", one.created_by),
            ("hash", Digest(one.model_hash)),
        ],
    )
    return [facts, *_equal(one.equal_to, one.name)]


def models(many: Sequence[TrainedModel]) -> View:
    if not many:
        return [
            Note("No models yet. Register one in a notebook with `%register VARIABLE NAME --sample ROWS`.")
        ]
    return [
        Grid(
            "Models",
            ("model", "kind", "from", "data", "tags", "size", "registered", "by"),
            [
                (
                    one.reference,
                    one.framework,
                    _origin(one.lineage),
                    joined([name.removeprefix("dataset ") for name in one.lineage.datasets], limit=3),
                    _pairs(one.tags),
                    size(one.size_bytes),
                    Moment(one.created_at),
                    one.created_by,
                )
                for one in many
            ],
        )
    ]


def scored(one: Scored) -> View:
    facts = Facts(
        "",
        [
            ("answered by", one.endpoint),
            ("model", one.model),
            ("definition", Digest(one.definition_hash)),
            ("form", one.form),
            ("request", Code(one.request_id)),
        ],
    )
    shown = rows("Scored rows", one.names, one.rows[:ROWS_SHOWN])
    more = len(one.rows) - ROWS_SHOWN
    note = [Note(f"{more} more rows are not shown; --json gives all.")] if more > 0 else []
    return [shown, *note, facts]


def rows(title: str, names: Sequence[str], values: Iterable[Sequence[object]]) -> Grid:
    """A table of somebody's data."""
    return Grid(title, tuple(names), [tuple(_value(value) for value in row) for row in values], is_data=True)


def written(one: Written) -> View:
    return [
        Facts(
            f"Wrote {one.what}",
            [("file", Code(one.file)), ("size", size(one.size_bytes)), ("sha256", Digest(one.digest))],
        )
    ]


def removed(one: Removed) -> View:
    name = one.name[:12] if len(one.name) == 64 else one.name
    return [Note(f"Removed {one.kind} {name}.")]


def _value(value: object) -> Cell:
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def _columns(schema: Schema) -> str:
    return joined([f"{column.name} {column.type}" for column in schema.columns], limit=16)


def _pairs(pairs: Mapping[str, object]) -> str:
    return joined([f"{key}={value}" for key, value in pairs.items()], limit=6)


def _origin(lineage: Lineage) -> str:
    if lineage.experiment:
        return lineage.experiment
    return {"external": "a file", "notebook": "a notebook, outside a run"}.get(lineage.origin, lineage.origin)


def _equal(version: int | None, name: str) -> list[Note]:
    return [Note(f"Its bytes are equal to those of {name}:{version}.")] if version is not None else []
