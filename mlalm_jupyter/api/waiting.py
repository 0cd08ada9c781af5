"""Waiting for jobs: watched in the catalog, told as progress; inside a run, kept with its own job as well."""

from __future__ import annotations

import time

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.nesting import Enclosing, check_awaited, enclosing
from mlalm_jupyter.api.silence import silenced
from mlalm_jupyter.domain.errors import Unavailable
from mlalm_jupyter.domain.job import Job, JobState

_POLL_S = 0.05
_LOOK_S = 1.0
UNATTENDED_S = 5.0
"""How long nobody may be there who could go on with a job; a server that is started again takes less."""


def ended(context: Context, job_id: str, *, told: str, timeout_s: float | None = None) -> Job:
    """The job once it has ended, telling how far it is meanwhile; whoever breaks that off is told how to go on."""
    try:
        with enclosing(context) as around:
            if around is None:
                return _ended(context, job_id, None, told=told, timeout_s=timeout_s)
            _check(context, job_id, around)
            try:
                return _ended(context, job_id, around, told=told, timeout_s=timeout_s)
            finally:
                around.mark(job_id, is_waiting=False)
    except KeyboardInterrupt as error:
        follow = f"`mlalm job follow {job_id[:12]}`"
        raise KeyboardInterrupt(f"{told} goes on; follow it with {follow}.") from error


def _ended(
    context: Context, job_id: str, around: Enclosing | None, *, told: str, timeout_s: float | None
) -> Job:
    deadline = time.monotonic() + timeout_s if timeout_s is not None else None
    last: object = None
    look_s, attended_s = 0.0, time.monotonic()
    recorded_s = attended_s
    while True:
        with context.catalog.read() as tx:
            job = tx.jobs.get(job_id)
        if job.progress != last:
            last = job.progress
            context.progress(told, _count(job, "cells_done"), _count(job, "cells_total"))
        if job.state.is_final:
            return job
        if deadline is not None and time.monotonic() > deadline:
            raise Unavailable(
                f"{told} was not waited for any longer.",
                why=f"It is still {job.state} after {timeout_s:g} s.",
                fix=f"It goes on; follow it with `mlalm job follow {job.id[:12]}`.",
            )
        if time.monotonic() >= look_s:
            look_s = time.monotonic() + _LOOK_S
            if around:
                around.mark(job_id, is_waiting=True)
            if _is_attended(context, job):
                attended_s = time.monotonic()
            elif time.monotonic() - attended_s >= UNATTENDED_S:
                raise Unavailable(
                    f"{told} was not waited for any longer.",
                    why=f"It is {job.state}, and no server runs that would go on with it.",
                    fix=f"Run `mlalm server start`, then `mlalm job follow {job.id[:12]}`.",
                )
            if not (why := silenced(context, job)):
                recorded_s = time.monotonic()
            elif time.monotonic() - recorded_s >= UNATTENDED_S:
                raise Unavailable(
                    f"{told} was not waited for any longer.",
                    why=why,
                    fix=f"Free some room there, then `mlalm job follow {job.id[:12]}`.",
                )
        time.sleep(_POLL_S)


def _check(context: Context, job_id: str, around: Enclosing) -> None:
    """A run that has not ended is not waited for from within itself, nor from a run that comes from its notebook."""
    with context.catalog.read() as tx:
        job = tx.jobs.get(job_id)
        run_id = job.payload.get("run")
        if job.state.is_final or not isinstance(run_id, str):
            return
        path = tx.runs.get(run_id).path
    check_awaited(context, path, around.notebooks)


def _is_attended(context: Context, job: Job) -> bool:
    """Whether somebody holds a job, or a server runs whose worker will."""
    if job.state is JobState.RUNNING and (job.lease_until or 0.0) >= context.clock.time_s():
        return True
    status = context.host.status()
    return status.is_running and context.info.id in status.workspaces


def _count(job: Job, name: str) -> int:
    value = job.progress.get(name)
    return value if isinstance(value, int) else 0
