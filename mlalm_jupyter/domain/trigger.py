"""Triggers: what starts work by itself, when, and what it did each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Missed(StrEnum):
    """What becomes of times that passed while nothing was there to keep them."""

    ONCE = "once"
    """The latest of them is made up for; the others are counted."""
    SKIP = "skip"
    """They are counted."""


class FiringOutcome(StrEnum):
    STARTED = "started"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Firing:
    """What a trigger did about one due time; there is one of these for each time at most."""

    id: str
    trigger_id: str
    due_at: str
    fired_at: str
    outcome: FiringOutcome
    reason: str
    run_id: str | None = None
    missed: int = 0
    """How many due times passed without a run of their own, up to this one."""

    def to_dict(self) -> dict[str, object]:
        return {
            "due_at": self.due_at,
            "fired_at": self.fired_at,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "run_id": self.run_id,
            "missed": self.missed,
        }


class DraftState(StrEnum):
    """How a notebook is to the snapshot that a trigger runs."""

    SAME = "same"
    DIFFERS = "differs"
    GONE = "gone"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Trigger:
    """A timetable by which an experiment runs."""

    id: str
    name: str
    kind: str
    """What it starts; "experiment" so far."""
    path: str
    """The notebook."""
    cron: str
    timezone: str
    missed: Missed
    created_at: str
    created_by: str
    due_at: str | None
    """The next time it is to fire; None while it is paused, or when its timetable has no more times."""
    snapshot_run_id: str | None = None
    """The locked snapshot that runs; None when the notebook is taken as it is at each time."""
    parameters: Mapping[str, object] = field(default_factory=dict)
    until: str | None = None
    """The tag of the last cell to run."""
    is_paused: bool = False
    last: Firing | None = None
    snapshot: str | None = None
    """The digest of the snapshot that runs."""
    draft: DraftState | None = None
    next_times: tuple[str, ...] = ()
    """When it will fire next, in its own time zone."""
    firings: tuple[Firing, ...] = ()
    """What it did, newest first."""
    note: str | None = None
    """What a person should know who asked for something that was so already."""

    @property
    def follows_draft(self) -> bool:
        return self.snapshot_run_id is None

    def to_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "path": self.path,
            "cron": self.cron,
            "timezone": self.timezone,
            "missed": self.missed.value,
            "follows_draft": self.follows_draft,
            "snapshot_run_id": self.snapshot_run_id,
            "snapshot": self.snapshot,
            "draft": self.draft.value if self.draft else None,
            "parameters": dict(self.parameters),
            "until": self.until,
            "is_paused": self.is_paused,
            "due_at": self.due_at,
            "next_times": list(self.next_times),
            "created_at": self.created_at,
            "created_by": self.created_by,
            "last": self.last.to_dict() if self.last else None,
            "firings": [firing.to_dict() for firing in self.firings],
            "note": self.note,
        }
