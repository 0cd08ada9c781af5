"""How triggers are shown: what they run, when, and what they did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mlalm_jupyter.domain.trigger import DraftState, Firing, FiringOutcome, Missed, Trigger
from mlalm_jupyter.surfaces.display.parts import (
    Cell,
    Code,
    Digest,
    Facts,
    Grid,
    Moment,
    Note,
    Status,
    Tone,
    View,
    joined,
)

_TONES: dict[FiringOutcome, Tone] = {FiringOutcome.STARTED: "good", FiringOutcome.FAILED: "bad"}
_DRAFTS: dict[DraftState, Cell] = {
    DraftState.SAME: "has the same code",
    DraftState.DIFFERS: Status("the snapshot differs from your editor", "busy"),
    DraftState.GONE: Status("is gone; the snapshot runs all the same", "busy"),
    DraftState.UNREADABLE: Status("cannot be read; the snapshot runs all the same", "busy"),
}
_MISSED = {
    Missed.ONCE: "one run for the latest of them",
    Missed.SKIP: "no run",
}


def trigger(one: Trigger) -> View:
    parts: View = [
        *([Note(one.note)] if one.note else []),
        Facts(
            f"Trigger {one.name}",
            [
                ("state", _state(one)),
                ("runs", one.path),
                ("as", _what(one)),
                ("snapshot", Digest(one.snapshot) if one.snapshot else None),
                ("kept as run", Digest(one.snapshot_run_id) if one.snapshot_run_id else None),
                ("notebook", _DRAFTS[one.draft] if one.draft else None),
                ("up to", f"the cell tagged '{one.until}'" if one.until else None),
                ("parameters", joined([f"{name}={value}" for name, value in one.parameters.items()])),
                ("when", Code(one.cron)),
                ("time zone", one.timezone),
                ("next", Moment(one.due_at) if one.due_at else None),
                ("for missed times", _MISSED[one.missed]),
                ("made", Moment(one.created_at)),
                ("by", one.created_by),
            ],
        ),
    ]
    if one.next_times:
        rows = [(_local(time), Moment(time)) for time in one.next_times]
        parts = [*parts, Grid("Next times", (f"in {one.timezone}", "that is"), rows)]
    if one.firings:
        parts = [*parts, _firings(one.firings)]
    return parts


def triggers(many: Sequence[Trigger]) -> View:
    if not many:
        return [
            Note("Nothing runs by the clock yet. Add it with `mlalm trigger add NOTEBOOK NAME --cron CRON`.")
        ]
    return [
        Grid(
            "Triggers",
            ("trigger", "state", "runs", "when", "time zone", "next", "last", "came of it"),
            [
                (
                    one.name,
                    _state(one),
                    one.path,
                    Code(one.cron),
                    one.timezone,
                    Moment(one.due_at) if one.due_at else None,
                    Moment(one.last.due_at) if one.last else None,
                    _came_of(one.last) if one.last else None,
                )
                for one in many
            ],
        )
    ]


def _firings(many: Sequence[Firing]) -> Grid:
    return Grid(
        "What it did last",
        ("due", "outcome", "run", "missed", "why"),
        [
            (
                Moment(one.due_at),
                _came_of(one),
                Digest(one.run_id) if one.run_id else None,
                one.missed,
                one.reason,
            )
            for one in many
        ],
    )


def _state(one: Trigger) -> Status:
    return Status("paused", "idle") if one.is_paused else Status("on", "good")


def _came_of(one: Firing) -> Status:
    return Status(one.outcome.value, _TONES.get(one.outcome, "idle"))


def _what(one: Trigger) -> str:
    return "it is at each time" if one.follows_draft else "it was when the trigger was added"


def _local(time: str) -> str:
    moment = datetime.fromisoformat(time)
    return f"{moment:%a %Y-%m-%d %H:%M} {time[19:]}"
