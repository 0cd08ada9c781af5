"""Jobs in the catalog: rows with leases, so that work outlives whoever does it and ends once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Update, bindparam, case, func, insert, select, update

from mlalm_jupyter.adapters.catalog.lookup import at_most, beginning_with, only_row
from mlalm_jupyter.adapters.catalog.records import an_object, record
from mlalm_jupyter.adapters.catalog.schema import jobs
from mlalm_jupyter.domain.errors import IllegalStatusChange, InvalidInput
from mlalm_jupyter.domain.job import Job, JobState, Lease, after_lost_owner

_FIX = "List them with `mlalm job list`."
_BY_PREFIX = beginning_with(jobs)
_NEWEST_FIRST = select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
_QUEUED = jobs.c.state == JobState.QUEUED.value
_RUNNING = jobs.c.state == JobState.RUNNING.value
_THIS = jobs.c.id == bindparam("job_id")
_TAKE = (
    update(jobs)
    .where(_QUEUED)
    .values(
        state=JobState.RUNNING.value,
        owner=bindparam("by_owner"),
        attempt=jobs.c.attempt + 1,
        lease_until=bindparam("until"),
        started_at=func.coalesce(jobs.c.started_at, bindparam("at")),
        progress={},
    )
)
_CLAIM = _TAKE.where(
    jobs.c.id.in_(
        select(jobs.c.id)
        .where(_QUEUED)
        .order_by(jobs.c.created_at, jobs.c.id)
        .limit(bindparam("count"))
        .with_for_update(skip_locked=True)
    )
).returning(jobs)
_ADOPT = _TAKE.where(_THIS).returning(jobs.c.attempt)
# a lease is checked inside the very statement that uses it: whoever lost it changes nothing
_HELD = update(jobs).where(
    _THIS,
    jobs.c.owner == bindparam("by_owner"),
    jobs.c.attempt == bindparam("in_attempt"),
    _RUNNING,
)
_CANCEL = (
    update(jobs)
    .where(_THIS, jobs.c.state.in_([JobState.QUEUED.value, JobState.RUNNING.value]))
    .values(
        cancel_requested=True,
        ended_at=case((_QUEUED, bindparam("at")), else_=jobs.c.ended_at),
        state=case((_QUEUED, JobState.CANCELED.value), else_=jobs.c.state),
    )
)
_OWNERS = select(jobs.c.owner).where(_RUNNING).distinct().order_by(jobs.c.owner)
_EXPIRED = _OWNERS.where(jobs.c.lease_until < bindparam("now_s"))
_OF_OWNER = (
    select(jobs).where(_RUNNING, jobs.c.owner == bindparam("by_owner")).order_by(jobs.c.created_at, jobs.c.id)
)


class SqlJobs:
    """Fills `ports.JobStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, job: Job) -> None:
        self._connection.execute(
            insert(jobs),
            {
                "id": job.id,
                "kind": job.kind,
                "payload": dict(job.payload),
                "state": job.state.value,
                "attempt": job.attempt,
                "max_attempts": job.max_attempts,
                "created_at": job.created_at,
                "created_by": job.created_by,
                "owner": job.owner,
                "lease_until": job.lease_until,
                "cancel_requested": job.cancel_requested,
                "progress": dict(job.progress),
                "result": None if job.result is None else dict(job.result),
                "cause": job.cause,
                "started_at": job.started_at,
                "ended_at": job.ended_at,
            },
        )

    def get(self, prefix: str) -> Job:
        return _job(only_row(self._connection, _BY_PREFIX, jobs, kind="job", prefix=prefix, fix=_FIX))

    def find(self, *, state: JobState | None = None, limit: int | None = None) -> list[Job]:
        statement = _NEWEST_FIRST
        if state is not None:
            statement = statement.where(jobs.c.state == state.value)
        rows = self._connection.execute(statement.limit(at_most(limit)))
        return [_job(row) for row in rows]

    def claim(self, owner: str, *, limit: int, now_s: float, lease_s: float, at: str) -> list[Job]:
        rows = self._connection.execute(
            _CLAIM, {"by_owner": owner, "until": now_s + lease_s, "at": at, "count": limit}
        )
        return sorted((_job(row) for row in rows), key=lambda job: (job.created_at, job.id))

    def adopt(self, job_id: str, owner: str, *, now_s: float, lease_s: float, at: str) -> Lease:
        attempt = self._connection.execute(
            _ADOPT, {"job_id": job_id, "by_owner": owner, "until": now_s + lease_s, "at": at}
        ).scalar()
        if attempt is None:
            current = self.get(job_id).state
            raise IllegalStatusChange("job", job_id[:12], current=current, wanted=JobState.RUNNING)
        return Lease(job_id, owner, attempt)

    def heartbeat(self, lease: Lease, *, now_s: float, lease_s: float) -> bool:
        return self._as_holder(lease, _HELD.values(lease_until=now_s + lease_s))

    def progress(self, lease: Lease, progress: Mapping[str, object]) -> bool:
        return self._as_holder(lease, _HELD.values(progress=dict(progress)))

    def finish(
        self,
        lease: Lease,
        state: JobState,
        *,
        at: str,
        result: Mapping[str, object] | None,
        cause: str | None,
    ) -> bool:
        if not state.is_final:
            raise InvalidInput("The end of a job", expected="a state that is final", got=state.value)
        return self._as_holder(
            lease,
            _HELD.values(
                state=state.value,
                ended_at=at,
                lease_until=None,
                result=None if result is None else dict(result),
                cause=cause,
            ),
        )

    def request_cancel(self, job_id: str, *, at: str) -> Job:
        self._connection.execute(_CANCEL, {"job_id": job_id, "at": at})
        return self.get(job_id)

    def owners(self) -> list[str]:
        return list(self._connection.scalars(_OWNERS))

    def release(self, owner: str, *, at: str, cause: str = "The process that ran it is gone.") -> list[Job]:
        held = [_job(row) for row in self._connection.execute(_OF_OWNER, {"by_owner": owner})]
        for job in held:
            state = after_lost_owner(job)
            values: dict[str, Any] = {"state": state.value, "lease_until": None}
            if state.is_final:
                values |= {"ended_at": at, "cause": cause}
            else:
                values |= {"owner": None, "progress": {}}
            self._as_holder(Lease(job.id, owner, job.attempt), _HELD.values(values))
        return [self.get(job.id) for job in held]

    def expired(self, *, now_s: float) -> list[str]:
        return list(self._connection.scalars(_EXPIRED, {"now_s": now_s}))

    def _as_holder(self, lease: Lease, change: Update) -> bool:
        done = self._connection.execute(
            change, {"job_id": lease.job_id, "by_owner": lease.owner, "in_attempt": lease.attempt}
        )
        return done.rowcount == 1


@record("job")
def _job(row: Sequence[Any]) -> Job:
    (
        key, kind, payload, state, attempt, max_attempts, created_at, created_by, owner, lease_until,
        cancel_requested, progress, result, cause, started_at, ended_at,
    ) = row  # fmt: skip
    return Job(
        id=key,
        kind=kind,
        payload=an_object(payload),
        state=JobState(state),
        attempt=attempt,
        max_attempts=max_attempts,
        created_at=created_at,
        created_by=created_by,
        owner=owner,
        lease_until=lease_until,
        cancel_requested=cancel_requested,
        progress=an_object(progress),
        result=result,
        cause=cause,
        started_at=started_at,
        ended_at=ended_at,
    )
