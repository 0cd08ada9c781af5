"""How experiments, their runs, and jobs are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape

from mlalm_jupyter.domain.asset import Pin
from mlalm_jupyter.domain.experiment import Experiment
from mlalm_jupyter.domain.job import Job, JobState
from mlalm_jupyter.domain.outcome import Comparison, Opened, Published, Retrained, SavedAs
from mlalm_jupyter.domain.run import Output, Run, RunStatus
from mlalm_jupyter.notebook.changes import Changes
from mlalm_jupyter.notebook.drawing import drawn, told
from mlalm_jupyter.notebook.graph import Graph
from mlalm_jupyter.surfaces.display.parts import (
    Bars,
    Block,
    Cell,
    Code,
    Digest,
    Facts,
    Grid,
    Moment,
    Note,
    Picture,
    Status,
    Tone,
    View,
    joined,
    seconds_between,
    size,
)
from mlalm_jupyter.surfaces.display.registry import model, noted
from mlalm_jupyter.surfaces.display.services import endpoint

_RUN_TONES: dict[RunStatus, Tone] = {
    RunStatus.RUNNING: "busy",
    RunStatus.FINISHED: "good",
    RunStatus.FINISHED_PARTIAL: "good",
    RunStatus.FAILED: "bad",
    RunStatus.FAILED_PARTIAL: "bad",
}
_JOB_TONES: dict[JobState, Tone] = {
    JobState.RUNNING: "busy",
    JobState.FINISHED: "good",
    JobState.FAILED: "bad",
}


def experiment(one: Experiment) -> View:
    last = one.last_run
    return [
        Facts(
            f"Experiment {one.path}",
            [
                ("kind", one.kind),
                ("saved from", _origin(one)),
                ("runs", one.run_count),
                ("last run", _status(last) if last else "none yet"),
                ("id of it", Digest(last.id) if last else None),
                ("first seen", Moment(one.created_at)),
            ],
        )
    ]


def experiments(many: Sequence[Experiment]) -> View:
    if not many:
        return [Note("No experiments yet. Run a notebook with `mlalm experiment run NOTEBOOK`.")]
    return [
        Grid(
            "Experiments",
            ("notebook", "kind", "runs", "last run", "when"),
            [
                (
                    one.path,
                    one.kind,
                    one.run_count,
                    _status(one.last_run) if one.last_run else None,
                    Moment(one.last_run.created_at) if one.last_run else None,
                )
                for one in many
            ],
        )
    ]


def run(one: Run) -> View:
    return [
        *([Note(one.note)] if one.note else []),
        Facts(
            f"Run {one.id[:12]} of {one.path}",
            [
                ("status", _status(one)),
                ("said", one.snapshot.message),
                ("cause", one.cause),
                ("in cell", one.failed_cell),
                ("cells", _cells(one)),
                (
                    "asked for",
                    f"up to the cell tagged '{one.snapshot.until}'" if one.snapshot.until else None,
                ),
                ("order", one.findings.note),
                ("where", one.surroundings_note),
                ("parameters", _parameters(one)),
                ("metrics", _metrics(one)),
                ("figures", joined([figure.name for figure in one.findings.figures])),
                ("tags", joined([f"{name}={value}" for name, value in one.tags.items()])),
                ("refers to", joined([_pin(pin) for pin in one.snapshot.assets])),
                ("files", joined([f"{path} {digest[:8]}" for path, digest in one.snapshot.files.items()])),
                ("used", joined(one.inputs)),
                ("registered", joined(one.models)),
                ("started", Moment(one.started_at) if one.started_at else None),
                ("took", seconds_between(one.started_at, one.ended_at)),
                ("by", f"{one.created_by}, {one.origin}"),
                ("commit", _commit(one)),
                ("snapshot", Digest(one.snapshot.digest)),
                ("id", Digest(one.id)),
            ],
        ),
    ]


def runs(many: Sequence[Run]) -> View:
    if not many:
        return noted(many) or [Note("No runs yet. Run a notebook with `mlalm experiment run NOTEBOOK`.")]
    return [
        Grid(
            f"Runs of {many[0].path}",
            (
                "run",
                "status",
                "cells",
                "parameters",
                "metrics",
                "registered",
                "started",
                "took",
                "said",
                "by",
            ),
            [
                (
                    "draft, editable" if one.is_editable else Digest(one.id),
                    _status(one),
                    _cells(one),
                    _parameters(one),
                    _metrics(one),
                    joined(one.models),
                    Moment(one.started_at or one.created_at),
                    seconds_between(one.started_at, one.ended_at),
                    one.snapshot.message or None,
                    one.created_by if one.is_editable else f"{one.created_by}, {one.origin}",
                )
                for one in many
            ],
        )
    ]


def opened(one: Opened) -> View:
    if one.file is not None:
        return [Note(f"Run {one.run.id[:12]} of {one.run.path} was written to {one.file}.")]
    title = escape(f"Run {one.run.id[:12]} of {one.run.path}, locked", quote=True)
    # in a frame of its own in which nothing runs, so that its style and ours leave each other alone
    frame = (
        f'<iframe sandbox="" title="{title}" srcdoc="{escape(one.html, quote=True)}" class="page"></iframe>'
    )
    return [Picture(frame, one.text)]


def graph(one: Graph) -> View:
    if not one.cells:
        return [Note("No code cells to draw."), *map(Note, one.notes)]
    cells = replace(one, notes=())  # the notes stand below
    return [Picture(drawn(cells), told(cells).rstrip("\n")), *map(Note, one.notes)]


def changes(one: Changes) -> View:
    changed = one.to_text().removeprefix(one.summary).strip("\n")
    return [Note(one.summary), *([Block(changed)] if changed else [])]


def packages(many: Sequence[Published]) -> View:
    if not many:
        return [
            Note(
                "No experiments in that gallery yet. Publish one with `mlalm gallery publish SOURCE GALLERY`."
            )
        ]
    rows = [
        (one.name, one.note or one.description, joined(one.assets), _moment(one), one.published_by)
        for one in many
    ]
    return [Grid("Gallery", ("package", "about", "brings", "published", "by"), rows)]


def package(one: Published) -> View:
    return [
        Facts(
            f"Package {one.name}",
            [
                ("about", one.description),
                ("brings", joined(one.assets)),
                ("published", _moment(one)),
                ("by", one.published_by),
                ("folder", Code(one.folder)),
                ("note", one.note or ""),
            ],
        )
    ]


def _moment(one: Published) -> Moment | None:
    return Moment(one.published_at) if one.published_at else None


def outputs(many: Sequence[Output]) -> View:
    if not many:
        return [
            Note(
                "No values were kept of that run: none of its cells left any, or it ran before they were kept."
            )
        ]
    kept = [one for one in many if one.digest]
    rows = [(one.reference, one.told, one.format, size(one.size_bytes)) for one in kept]
    parts: View = [Grid("Values that cells left", ("output", "is", "kept as", "size"), rows)] if kept else []
    lost = [(one.reference, one.told, one.note) for one in many if not one.digest]
    return [*parts, Grid("Not kept", ("output", "is", "because"), lost)] if lost else parts


def saved_as(one: SavedAs) -> View:
    parts: View = experiment(one.experiment)
    if one.swaps:
        rows = [(swap.kind, swap.old, swap.new) for swap in one.swaps]
        parts = [*parts, Grid("Assets that moved", ("kind", "from", "to"), rows)]
    return [*parts, Note(one.note)] if one.note else parts


def comparison(one: Comparison) -> View:
    heads = [Digest(run.id) for run in one.runs]
    parts: View = [
        Grid(
            "Runs side by side",
            ("", *(head.short for head in heads)),
            [
                ("path", *(run.path for run in one.runs)),
                ("status", *(_status(run) for run in one.runs)),
                ("started", *(Moment(run.started_at or run.created_at) for run in one.runs)),
                ("took", *(seconds_between(run.started_at, run.ended_at) for run in one.runs)),
                *_rows("parameter", one.parameters),
                *_rows("metric", one.metrics),
                *_rows("", one.facts),
            ],
            is_data=True,
        )
    ]
    names = tuple(head.short for head in heads)
    bars = [Bars(name, names, tuple(map(_number, values))) for name, values in one.metrics.items()]
    return [*parts, *bars]


def _rows(kind: str, table: Mapping[str, Sequence[object]]) -> list[tuple[Cell, ...]]:
    return [(f"{kind} {name}".strip(), *map(_told, values)) for name, values in table.items()]


def _told(value: object) -> str | None:
    if isinstance(value, float):
        return f"{value:.6g}"
    return None if value is None or value == "" else str(value)


def _number(value: object) -> float | None:
    return value if isinstance(value, float) else None


def job(one: Job) -> View:
    return [
        *([Note(one.note)] if one.note else []),
        Facts(
            f"Job {one.id[:12]}",
            [
                ("state", _state(one)),
                ("cause", one.cause),
                ("does", one.kind),
                ("progress", _progress(one)),
                (
                    "result",
                    joined([f"{name} {value}" for name, value in (one.result or {}).items() if value]),
                ),
                ("attempt", f"{one.attempt} of {one.max_attempts}"),
                ("held by", one.owner),
                ("asked for", Moment(one.created_at)),
                ("took", seconds_between(one.started_at, one.ended_at)),
                ("by", one.created_by),
                ("id", Digest(one.id)),
            ],
        ),
    ]


def jobs(many: Sequence[Job]) -> View:
    if not many:
        return [Note("No jobs yet.")]
    return [
        Grid(
            "Jobs",
            ("job", "does", "state", "progress", "attempt", "asked for", "took", "by"),
            [
                (
                    Digest(one.id),
                    one.kind,
                    _state(one),
                    _progress(one),
                    f"{one.attempt} of {one.max_attempts}",
                    Moment(one.created_at),
                    seconds_between(one.started_at, one.ended_at),
                    one.created_by,
                )
                for one in many
            ],
        )
    ]


def retrained(one: Retrained) -> View:
    if one.model is None:
        return [*run(one.run), Note(f"It goes on; follow it with `mlalm job follow {one.run.job_id}`.")]
    parts = [*run(one.run), *model(one.model)]
    if one.endpoint is not None:
        return [*parts, *endpoint(one.endpoint)]
    how = f"`mlalm endpoint patch SERVICE/ENDPOINT --model {one.model.reference}`"
    return [*parts, Note(f"Nothing that serves has changed. Put it behind an endpoint with {how}.")]


def _status(one: Run) -> Status:
    return Status(one.status.value, _RUN_TONES.get(one.status, "idle"))


def _state(one: Job) -> Status:
    word = (
        f"{one.state.value}, asked to stop"
        if one.cancel_requested and not one.state.is_final
        else one.state.value
    )
    return Status(word, _JOB_TONES.get(one.state, "idle"))


def _cells(one: Run) -> str | None:
    return f"{one.cells.done} of {one.cells.total}" if one.cells.total else None


def _progress(one: Job) -> str | None:
    done, total = one.progress.get("cells_done"), one.progress.get("cells_total")
    return f"{done} of {total} cells" if total else None


def _parameters(one: Run) -> str:
    return joined([f"{name}={value}" for name, value in one.snapshot.parameters.items()], limit=6)


def _metrics(one: Run) -> str:
    return joined([f"{name} {value:.4g}" for name, value in one.findings.metrics.items()], limit=6)


def _pin(pin: Pin) -> str:
    return pin.told if pin.wanted == pin.reference else f"{pin.told} (written {pin.wanted})"


def _origin(one: Experiment) -> str | None:
    if one.parent is None:
        return None
    return f"{one.parent}, run {one.parent_run_id[:12]}" if one.parent_run_id else one.parent


def _commit(one: Run) -> Code | None:
    commit = one.snapshot.git.get("commit")
    if not commit:
        return None
    changed = " with changes" if one.snapshot.git.get("is_dirty") else ""
    return Code(f"{str(commit)[:12]}{changed}")
