"""Jobs: work that outlives the call, held by whoever has its lease."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


class JobState(StrEnum):
    QUEUED = "Queued"
    RUNNING = "Running"
    FINISHED = "Finished"
    FAILED = "Failed"
    CANCELED = "Canceled"

    @property
    def is_final(self) -> bool:
        return self in (JobState.FINISHED, JobState.FAILED, JobState.CANCELED)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to finish a job: results that carry another owner or attempt are turned away."""

    job_id: str
    owner: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work and who holds it."""

    WAITS_FOR: ClassVar[str] = "waits_for"
    """In its progress: the jobs that it waits for and cannot go on without."""

    id: str
    kind: str
    payload: Mapping[str, object]
    state: JobState
    attempt: int
    max_attempts: int
    created_at: str
    created_by: str
    owner: str | None = None
    lease_until: float | None = None
    cancel_requested: bool = False
    progress: Mapping[str, object] = field(default_factory=dict)
    result: Mapping[str, object] | None = None
    cause: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    note: str | None = None
    """What a person should know who asked for something that was so already."""

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The jobs, by id, without whose end it does not go on."""
        told = self.progress.get(self.WAITS_FOR)
        return tuple(str(one) for one in told) if isinstance(told, list) else ()

    def to_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "kind": self.kind,
            "payload": dict(self.payload),
            "state": self.state.value,
            "attempt": self.attempt,
            "max_attempts": self.max_attempts,
            "created_at": self.created_at,
            "created_by": self.created_by,
            "owner": self.owner,
            "cancel_requested": self.cancel_requested,
            "progress": dict(self.progress),
            "result": dict(self.result) if self.result is not None else None,
            "cause": self.cause,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "note": self.note,
        }


def after_lost_owner(job: Job) -> JobState:
    """Where a job goes whose owner died: back to the queue while attempts are left.

    A job that someone wanted cancelled is not begun again.
    """
    if job.cancel_requested:
        return JobState.CANCELED
    return JobState.QUEUED if job.attempt < job.max_attempts else JobState.FAILED
