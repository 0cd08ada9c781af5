"""How datasets, models, rows and files are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mlalm_jupyter.domain.asset import Dataset, Transform
from mlalm_jupyter.domain.outcome import ModelSample, Preview, Removed, Written
from mlalm_jupyter.domain.profile import ColumnProfile, Profile
from mlalm_jupyter.domain.server import Scored
from mlalm_jupyter.surfaces.display.parts import (
    Cell,
    Code,
    Digest,
    Facts,
    Grid,
    Moment,
    Note,
    Spark,
    View,
    joined,
    size,
)
from mlalm_jupyter.surfaces.display.told import columns, count, equal, origin, pairs

ROWS_SHOWN = 50
_LONGEST = 24
"""Of a value that stands for many others."""


def dataset(one: Dataset) -> View:
    facts = Facts(
        f"Dataset {one.reference}",
        [
            ("about", one.description),
            *_extent(one),
            ("columns", columns(one.schema)),
            ("kind", one.format),
            ("size", size(one.size_bytes)),
            ("lies at", Code(one.source.address) if one.source else None),
            ("tags", pairs(one.tags)),
            ("run", Digest(one.run_id) if one.run_id else None),
            ("uploaded", Moment(one.created_at)),
            ("by", one.created_by),
            ("sha256", Digest(one.digest)),
        ],
    )
    return [*([Note(one.note)] if one.note else []), facts, *equal(one.equal_to, one.name)]


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
    view = list(dataset(one.dataset))
    if one.note:
        view.append(Note(one.note))
    elif one.head.names and one.head.rows:
        view.append(rows("First rows", one.head.names, one.head.rows))
    if one.profile and one.profile.members:
        view.append(_members(one.profile))
    if one.profile and one.profile.columns:
        view.append(_profile(one.profile))
    return view


def transform(one: Transform) -> View:
    facts = Facts(
        f"Transform {one.reference}",
        [
            ("about", one.description),
            ("kind", f"{one.framework}, kept as {one.format}"),
            ("takes", columns(one.signature.inputs)),
            ("gives", columns(one.signature.outputs)),
            ("from", origin(one.lineage)),
            ("run", Digest(one.lineage.run_id) if one.lineage.run_id else None),
            ("data", joined(one.lineage.datasets)),
            ("tags", pairs(one.tags)),
            ("size", size(one.size_bytes)),
            ("registered", Moment(one.created_at)),
            ("by", one.created_by),
            ("hash", Digest(one.transform_hash)),
        ],
    )
    return [*([Note(one.note)] if one.note else []), facts, *equal(one.equal_to, one.name)]


def transforms(many: Sequence[Transform]) -> View:
    if not many:
        return [
            Note("No transforms yet. Register one with `ws.transforms.register(OBJECT, NAME, sample=ROWS)`.")
        ]
    return [
        Grid(
            "Transforms",
            ("transform", "kind", "takes", "gives", "from", "tags", "registered", "by"),
            [
                (
                    one.reference,
                    one.framework,
                    count(one.signature.inputs),
                    count(one.signature.outputs),
                    origin(one.lineage),
                    pairs(one.tags),
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


def model_sample(one: ModelSample) -> View:
    taken = rows(f"Rows as {one.model} takes them", one.inputs.names, one.inputs.rows)
    return [taken, rows("What it said of them", one.outputs.names, one.outputs.rows)]


def written(one: Written) -> View:
    return [
        Facts(
            f"Wrote {one.what}",
            [
                ("file", Code(one.file)),
                ("size", size(one.size_bytes)),
                ("sha256", Digest(one.digest)),
                ("note", one.note),
            ],
        )
    ]


def removed(one: Removed) -> View:
    name = one.name[:12] if len(one.name) == 64 and "." not in one.name else one.name
    return [Note(f"Removed {one.kind} {name}. {one.note}".strip())]


def _extent(one: Dataset) -> list[tuple[str, Cell]]:
    """How much there is, in the words of its kind."""
    word = {"Zip": "files", "PlainText": "lines"}.get(one.format, "rows")
    if one.format == "Zip" and one.schema.columns:
        word = "rows"
    return [] if one.format == "RData" else [(word, one.row_count)]


def _members(profile: Profile) -> Grid:
    more = profile.member_count - len(profile.members)
    title = (
        f"Files in it (the first {len(profile.members)} of {profile.member_count})"
        if more > 0
        else "Files in it"
    )
    return Grid(
        title, ("file", "size"), [(_printable(one.name), size(one.size_bytes)) for one in profile.members]
    )


def _profile(profile: Profile) -> Grid:
    """One row for each column of the data; what none of them has is left out."""
    told: dict[str, Callable[[ColumnProfile], Cell]] = {
        "column": lambda one: _printable(one.name),
        "kind": lambda one: one.kind,
        "missing": lambda one: one.missing,
        "distinct": lambda one: one.distinct,
        "from": lambda one: _end(one.low),
        "to": lambda one: _end(one.high),
        "mean": lambda one: one.mean,
        "¼": lambda one: one.quantiles[0] if one.quantiles else None,
        "½": lambda one: one.quantiles[1] if one.quantiles else None,
        "¾": lambda one: one.quantiles[2] if one.quantiles else None,
        "commonest": lambda one: joined([_often(*pair) for pair in one.top], limit=3),
        "picture": _spark,
    }
    columns = {title: [tell(one) for one in profile.columns] for title, tell in told.items()}
    columns = {
        title: cells for title, cells in columns.items() if any(cell not in (None, "") for cell in cells)
    }
    return Grid("Columns", tuple(columns), [*zip(*columns.values(), strict=True)])


def _often(value: str, often: int) -> str:
    text = _printable(value)
    return f"{text if len(text) <= _LONGEST else f'{text[: _LONGEST - 1]}…'} ({often})"


def _spark(column: ColumnProfile) -> Spark | None:
    if column.histogram:
        drawn = column.histogram
        told = f"{column.name}: {len(drawn.counts)} ranges from {_end(drawn.low)} to {_end(drawn.high)}"
        return Spark(drawn.counts, _printable(f"{told}, at most {max(drawn.counts)} values in one"))
    if column.top:
        told = ", ".join(f"{value} {often} times" for value, often in column.top)
        return Spark(tuple(often for _, often in column.top), _printable(f"{column.name}: {told}"))
    return None


def _end(value: float | str | None) -> Cell:
    return value.replace("T00:00:00", "") if isinstance(value, str) else value


def _printable(text: str) -> str:
    """Names in archives and values in files may hold what moves a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _value(value: object) -> Cell:
    return value if value is None or isinstance(value, (str, int, float)) else str(value)
