"""How models are shown: versions, aliases, lineage, comparisons, signatures, policies and what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlalm_jupyter.domain.event import Event
from mlalm_jupyter.domain.lineage import Dependent, LineageGraph, ModelComparison, differs
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.model import Alias, TrainedModel
from mlalm_jupyter.domain.policy import Policy
from mlalm_jupyter.domain.trust import Signed, Verification
from mlalm_jupyter.notebook.lineage_drawing import drawn, in_order, named, told
from mlalm_jupyter.surfaces.display.parts import (
    Bars,
    Cell,
    Code,
    Digest,
    Facts,
    Grid,
    Moment,
    Note,
    Picture,
    Status,
    View,
    joined,
    size,
)
from mlalm_jupyter.surfaces.display.told import columns, equal, origin, pairs, same_again

_FEW = 12


def model(one: TrainedModel) -> View:
    facts = Facts(
        f"Model {one.reference}",
        [
            ("about", one.description),
            ("aliases", joined([f"{one.name}@{word}" for word in one.aliases])),
            ("kind", f"{one.framework}, kept as {one.format}"),
            ("takes", columns(one.signature.inputs)),
            ("gives", columns(one.signature.outputs)),
            ("from", origin(one.lineage)),
            ("cell", _cell(one)),
            ("run", Digest(one.lineage.run_id) if one.lineage.run_id else None),
            ("data", joined(one.lineage.datasets)),
            ("metrics", joined([f"{name}={value:.6g}" for name, value in one.metrics.items()], limit=_FEW)),
            ("parameters", pairs(one.parameters, limit=_FEW)),
            ("tags", pairs(one.tags)),
            ("properties", pairs(one.properties)),
            ("python", str(one.lineage.environment.get("python", ""))),
            ("commit", str(one.lineage.git.get("commit", ""))[:12]),
            ("size", size(one.size_bytes)),
            ("registered", Moment(one.created_at)),
            ("by", one.created_by),
            ("hash", Digest(one.model_hash)),
            ("same again", same_again(one)),
        ],
    )
    return [*([Note(one.note)] if one.note else []), facts, *equal(one.equal_to, one.name)]


def models(many: Sequence[TrainedModel]) -> View:
    if not many:
        return noted(many) or [
            Note("No models here. Register one in a notebook with `%register VARIABLE NAME --sample ROWS`.")
        ]
    has_metrics = any(one.metrics for one in many)
    grid = Grid(
        "Models",
        (
            "model",
            "aliases",
            "kind",
            "from",
            "data",
            *(("metrics",) if has_metrics else ()),
            "tags",
            "size",
            "registered",
            "by",
        ),
        [
            (
                one.reference,
                joined([f"@{word}" for word in one.aliases], limit=3),
                one.framework,
                origin(one.lineage),
                joined([name.removeprefix("dataset ") for name in one.lineage.datasets], limit=3),
                *(
                    (joined([f"{name}={value:.4g}" for name, value in one.metrics.items()], limit=3),)
                    if has_metrics
                    else ()
                ),
                pairs(one.tags),
                size(one.size_bytes),
                Moment(one.created_at),
                one.created_by,
            )
            for one in many
        ],
    )
    return [grid, *noted(many)]


def alias(one: Alias) -> View:
    facts = Facts(
        f"Alias {one.reference}",
        [
            ("stands for", one.model if one.version else None),
            ("before", None if one.before is None else f"{one.name}:{one.before}"),
            ("revision", one.revision),
            ("moved", Moment(one.updated_at)),
            ("by", one.updated_by),
        ],
    )
    return [*([Note(one.note)] if one.note else []), facts]


def aliases(many: Sequence[Alias]) -> View:
    if not many:
        return noted(many) or [
            Note("No aliases yet. Give one with `mlalm model alias NAME:VERSION champion`.")
        ]
    rows = [(one.reference, one.model, one.revision, Moment(one.updated_at), one.updated_by) for one in many]
    return [Grid("Aliases", ("alias", "stands for", "revision", "moved", "by"), rows)]


def lineage(one: LineageGraph) -> View:
    subject = one.thing(one.subject)
    rows: list[Sequence[Cell]] = [
        (
            thing.kind,
            thing.name,
            thing.told,
            joined([named(before) for before in one.before(thing.id)], limit=6),
            Moment(thing.at) if thing.at else None,
            thing.by,
        )
        for thing in in_order(one)
    ]
    grid = Grid(
        f"Lineage of {subject.kind} {subject.name}", ("what", "name", "is", "from", "when", "by"), rows
    )
    return [Picture(drawn(one), told(one).rstrip("\n")), grid, *([Note(one.note)] if one.note else [])]


def dependents(many: Sequence[Dependent]) -> View:
    if not many:
        return [Note("Nothing depends on it; it can be deleted.")]
    rows = [(one.kind, one.name, one.why, "yes" if one.is_binding else "no") for one in many]
    return [Grid("Who depends on it", ("what", "name", "why", "keeps it"), rows)]


def comparison(one: ModelComparison) -> View:
    heads = tuple(model.reference for model in one.models)
    rows: list[Sequence[Cell]] = [
        ("kind", *(model.framework for model in one.models)),
        ("kept as", *(model.format for model in one.models)),
        ("size", *(size(count) for count in one.sizes)),
        ("from", *(origin(model.lineage) for model in one.models)),
        ("data", *(joined(model.lineage.datasets, limit=3) for model in one.models)),
        ("registered", *(Moment(model.created_at) for model in one.models)),
        ("same bytes as", *(_same(model, one.models) for model in one.models)),
        *_rows("metric", one.metrics),
        *_rows("parameter", one.parameters),
        *_rows("tag", one.tags),
        *_rows("", one.schema),
    ]
    shown = [row for row in rows if any(cell not in (None, "") for cell in row[1:])]
    marked = [("≠" if differs(row[1:]) and row[0] != "registered" else "", *row) for row in shown]
    bars = [
        Bars(name, heads, tuple(value if isinstance(value, float) else None for value in values))
        for name, values in one.metrics.items()
    ]
    return [
        Grid("Versions side by side (≠ where they differ)", ("", "", *heads), marked, is_data=True),
        *bars,
    ]


def signed(one: Signed) -> View:
    facts = Facts(
        f"Signature of model {one.model}",
        [
            ("why", one.seal.reason),
            ("hash", Digest(one.seal.digest)),
            ("key", Digest(one.seal.key_id)),
            ("signed", Moment(one.seal.at)),
            ("by", one.seal.by),
            ("public key", Code(one.public_key)),
        ],
    )
    return [*([Note(one.note)] if one.note else []), facts]


def verification(one: Verification) -> View:
    rows = [
        (
            check.what,
            Status("well" if check.is_well else "not well", "good" if check.is_well else "bad"),
            check.told,
        )
        for check in one.checks
    ]
    facts = Facts(
        "What is in it",
        [
            ("opening", one.opening),
            ("known here as", joined(one.known)),
            ("hash", Digest(one.model_hash) if one.model_hash else None),
        ],
    )
    return [
        Grid(f"Check of {one.what}", ("what", "result", "because"), rows),
        *([facts] if facts.told else []),
    ]


def policy(one: Policy) -> View:
    facts = Facts(
        f"Policy {one.name}",
        [
            ("says", one.told),
            ("rule", one.rule),
            ("acted on", one.applied),
            ("then", Moment(one.applied_at) if one.applied_at else None),
            ("outcome", one.note),
            ("added", Moment(one.created_at)),
            ("by", one.created_by),
        ],
    )
    return [facts]


def policies(many: Sequence[Policy]) -> View:
    if not many:
        return [Note("No policies: nothing moves by itself. See `mlalm policy add --help`.")]
    rows = [
        (one.name, one.told, one.applied, one.note, Moment(one.created_at), one.created_by) for one in many
    ]
    return [Grid("Policies", ("policy", "says", "acted on", "outcome", "added", "by"), rows)]


def events(many: Sequence[Event]) -> View:
    if not many:
        return [Note("Nothing is on record.")]
    rows = [
        (
            Moment(one.at),
            one.by,
            one.verb,
            f"{one.noun} {one.subject}",
            joined([f"{name}: {value}" for name, value in one.data.items() if value not in (None, "", [])]),
        )
        for one in many
    ]
    return [Grid("What was done", ("when", "by", "did", "what", "how"), rows)]


def noted(many: Sequence[object]) -> list[Note]:
    return [Note(many.note)] if isinstance(many, Listing) and many.note else []


def _cell(one: TrainedModel) -> str | None:
    if one.lineage.cell is None:
        return None
    return f"{one.lineage.cell}{f', output {one.lineage.output}' if one.lineage.output else ''}"


def _same(one: TrainedModel, all_of_them: Sequence[TrainedModel]) -> str:
    return joined(
        [other.reference for other in all_of_them if other is not one and other.model_hash == one.model_hash]
    )


def _rows(kind: str, table: Mapping[str, Sequence[object]]) -> list[tuple[Cell, ...]]:
    return [(f"{kind} {name}".strip(), *map(_told, values)) for name, values in table.items()]


def _told(value: object) -> str | None:
    if isinstance(value, float):
        return f"{value:.6g}"
    return None if value is None or value == "" else str(value)
