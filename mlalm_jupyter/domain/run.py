"""Runs: the act of executing a notebook, and the locked snapshot each one leaves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from mlalm_jupyter.domain.asset import Pin
from mlalm_jupyter.domain.errors import IllegalStatusChange, InvalidInput
from mlalm_jupyter.domain.metrics import written


class RunStatus(StrEnum):
    DRAFT = "Draft"
    QUEUED = "Queued"
    RUNNING = "Running"
    FINISHED = "Finished"
    FINISHED_PARTIAL = "Finished (Partial run)"
    FAILED = "Failed"
    FAILED_PARTIAL = "Failed (Partial run)"
    CANCELED = "Canceled"

    @property
    def is_final(self) -> bool:
        return not _MOVES[self]

    @property
    def of_part(self) -> RunStatus:
        """The same end of a run that was asked to do a part of its notebook only."""
        return {
            RunStatus.FINISHED: RunStatus.FINISHED_PARTIAL,
            RunStatus.FAILED: RunStatus.FAILED_PARTIAL,
        }.get(self, self)


_ENDS = (
    RunStatus.FINISHED,
    RunStatus.FINISHED_PARTIAL,
    RunStatus.FAILED,
    RunStatus.FAILED_PARTIAL,
    RunStatus.CANCELED,
)
_MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.DRAFT: frozenset({RunStatus.QUEUED}),
    # a run whose worker died before its first cell ends without ever having been Running
    RunStatus.QUEUED: frozenset({RunStatus.RUNNING, RunStatus.CANCELED, RunStatus.FAILED}),
    RunStatus.RUNNING: frozenset({RunStatus.QUEUED, *_ENDS}),
    **{end: frozenset() for end in _ENDS},
}


def may_become(current: RunStatus, wanted: RunStatus) -> bool:
    """Whether a run in `current` may move to `wanted`.

    >>> may_become(RunStatus.FINISHED, RunStatus.RUNNING)
    False
    """
    return wanted in _MOVES[current]


@dataclass(frozen=True, slots=True)
class Cells:
    """How far a run came: code cells done, of how many, and the one at work."""

    done: int = 0
    total: int = 0
    current: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The locked record of what a run executes: the notebook's bytes and all it depends on."""

    digest: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, object] = field(default_factory=dict)
    git: Mapping[str, object] = field(default_factory=dict)
    assets: tuple[Pin, ...] = ()
    """What each reference to an asset in it stood for."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files of the folder that it names, by path, and the sha256 of each."""
    until: str | None = None
    """The tag of the last cell that was asked for; None when all were."""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture that a run left."""

    name: str
    digest: str
    media_type: str

    def to_dict(self) -> dict[str, object]:
        return {"name": self.name, "digest": self.digest, "media_type": self.media_type}


@dataclass(frozen=True, slots=True)
class Output:
    """A value that a cell of a run left; without a digest it could not be kept, and `note` says why."""

    cell: int
    name: str
    format: str
    told: str
    digest: str | None
    size_bytes: int = 0
    note: str = ""
    signature: str | None = None
    """This workspace's over the digest, for a form that runs code where it is read."""

    @property
    def reference(self) -> str:
        """How it is named among the outputs of its run.

        >>> Output(3, "model", "pickle", "sklearn Ridge", "9f86d0").reference
        '3.model'
        """
        return f"{self.cell}.{self.name}"

    def to_dict(self) -> dict[str, object]:
        return {
            "cell": self.cell,
            "name": self.name,
            "reference": self.reference,
            "format": self.format,
            "told": self.told,
            "digest": self.digest,
            "size_bytes": self.size_bytes,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Findings:
    """What a run's outputs tell: which cells ran, in which order, what was measured and drawn."""

    executed: tuple[int, ...] = ()
    """Numbers of the code cells that ran, in the order they ran."""
    note: str = ""
    """What a reader should know about that order."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class Live:
    """What a live kernel did with a notebook until a snapshot was taken of it."""

    status: RunStatus
    executed: tuple[int, ...]
    note: str = ""
    started_at: str | None = None
    cause: str | None = None
    failed_cell: int | None = None
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One run of an experiment."""

    id: str
    experiment_id: str
    path: str
    status: RunStatus
    snapshot: Snapshot
    origin: str
    created_at: str
    created_by: str
    started_at: str | None = None
    ended_at: str | None = None
    cause: str | None = None
    failed_cell: int | None = None
    cells: Cells = Cells()
    executed_digest: str | None = None
    inputs: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    job_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    findings: Findings = Findings()
    executed_in: Mapping[str, object] = field(default_factory=dict)
    """The environment it ran in, where that was another than its snapshot's."""
    is_editable: bool = False
    """Only the draft at the top of a history is: it is the notebook itself."""
    note: str | None = None
    """What a person should know who asked for something that was so already."""

    @property
    def surroundings_note(self) -> str:
        """What to know of where it ran, when that was not where it was submitted from."""
        if not self.executed_in:
            return ""
        there, here = (
            f"Python {facts.get('python')} at {facts.get('executable')}"
            for facts in (self.snapshot.environment, self.executed_in)
        )
        if there == here:
            return "Other packages were installed when it ran than when it was submitted."
        return f"It was submitted from {there}, and ran with {here}."

    def moved(
        self, status: RunStatus, *, at: str, cause: str | None = None, failed_cell: int | None = None
    ) -> Run:
        """This run in another status, if that move is legal."""
        if not may_become(self.status, status):
            raise IllegalStatusChange("run", self.id[:12], current=self.status, wanted=status)
        started = self.started_at or (at if status is RunStatus.RUNNING else None)
        return replace(
            self,
            status=status,
            started_at=started,
            ended_at=at if status.is_final else None,
            cause=cause,
            failed_cell=failed_cell,
        )

    def to_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "experiment_id": self.experiment_id,
            "path": self.path,
            "status": self.status.value,
            "parameters": dict(self.snapshot.parameters),
            "snapshot": self.snapshot.digest,
            "environment": dict(self.snapshot.environment),
            "executed_in": dict(self.executed_in),
            "git": dict(self.snapshot.git),
            "origin": self.origin,
            "created_at": self.created_at,
            "created_by": self.created_by,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "cause": self.cause,
            "failed_cell": self.failed_cell,
            "cells_done": self.cells.done,
            "cells_total": self.cells.total,
            "cell_current": self.cells.current,
            "executed": self.executed_digest,
            "inputs": list(self.inputs),
            "models": list(self.models),
            "job_id": self.job_id,
            "tags": dict(self.tags),
            "assets": [pin.to_dict() for pin in self.snapshot.assets],
            "files": dict(self.snapshot.files),
            "until": self.snapshot.until,
            "message": self.snapshot.message,
            "cells_executed": list(self.findings.executed),
            "note": " ".join(filter(None, (self.note or self.findings.note, self.surroundings_note))),
            "metrics": written(self.findings.metrics),
            "figures": [figure.to_dict() for figure in self.findings.figures],
            "is_editable": self.is_editable,
        }


@dataclass(frozen=True, slots=True)
class Condition:
    """What a run must meet to be listed: a parameter, metric or tag, compared with a value.

    >>> Condition.parse("auc >= 0.8")
    Condition(name='auc', operator='>=', value=0.8)
    >>> Condition.parse("kind=forest")
    Condition(name='kind', operator='=', value='forest')
    """

    name: str
    operator: str
    value: float | str

    @classmethod
    def parse(cls, text: str) -> Condition:
        found = _CONDITION.fullmatch(text)
        text = text.strip().removesuffix(",")
        if not found or not found[3]:
            raise InvalidInput(
                f"The condition '{text}'",
                expected="NAME and =, !=, <, <=, > or >= and a value, such as auc>=0.8",
                got=repr(text),
            )
        name, operator, value = found.groups()
        name = name[1:-1] if name[0] in "'\"" else name
        if _NUMBER.fullmatch(value):
            return cls(name, operator, float(value))
        if operator not in ("=", "!="):
            raise InvalidInput(
                f"The condition '{text}'", expected=f"a number after {operator}", got=f"'{value}'"
            )
        return cls(name, operator, value.strip("'\""))

    @classmethod
    def all_in(cls, text: str) -> tuple[Condition, ...]:
        """Several conditions, with commas between them; a name or a value with a comma stands in quotes.

        >>> [one.name for one in Condition.all_in("'loss, mean' >= 1, kind = 'a, b'")]
        ['loss, mean', 'kind']
        """
        conditions, position = [], 0
        while text[position:].strip(", \t\n"):
            found = _CONDITION.match(text, position)
            end = found.end() if found else len(text)
            conditions.append(cls.parse(text[position:end]))
            position = end
        return tuple(conditions)


_CONDITION = re.compile(
    r"[\s,]*(\"[^\"]+\"|'[^']+'|[^\s=!<>,]+)\s*(<=|>=|!=|=|<|>)\s*(\"[^\"]*\"|'[^']*'|[^,]*?)\s*(?:,|$)"
)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?inf")


@dataclass(frozen=True, slots=True)
class Sorting:
    """The order of a history: by time, status, or the name of a parameter, metric or tag.

    >>> Sorting.parse("-auc")
    Sorting(by='auc', is_descending=True)
    """

    by: str
    is_descending: bool = False

    @classmethod
    def parse(cls, text: str) -> Sorting:
        return cls(text.removeprefix("-"), text.startswith("-"))

    @property
    def is_by_name(self) -> bool:
        """Whether it is by what runs were given or measured, which not each of them has."""
        return self.by not in ("time", "status")


def time_since(text: str) -> str:
    """A moment that a person named, as runs note theirs; without a zone it is UTC, as all times are shown.

    >>> time_since("2026-11-01")
    '2026-11-01T00:00:00.000000Z'
    >>> time_since("2026-11-01T09:30+09:00")
    '2026-11-01T00:30:00.000000Z'
    """
    try:
        moment = datetime.fromisoformat(text.strip().removesuffix("UTC").rstrip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    except (ValueError, OverflowError):
        raise InvalidInput(
            "The time",
            expected="a date or a time such as 2026-11-01 or 2026-11-01T09:30+01:00 (UTC without a zone)",
            got=f"'{text}'",
        ) from None
