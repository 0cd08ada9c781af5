"""Waiting for jobs: watched in the catalog, told as progress."""

from __future__ import annotations

import time

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.domain.errors import Unavailable
from mlalm_jupyter.domain.job import Job

_POLL_S = 0.05


def ended(context: Context, job_id: str, *, told: str, timeout_s: float | None = None) -> Job:
    """The job once it has ended, telling how far it is meanwhile."""
    deadline = time.monotonic() + timeout_s if timeout_s is not None else None
    last: object = None
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
        time.sleep(_POLL_S)


def _count(job: Job, name: str) -> int:
    value = job.progress.get(name)
    return value if isinstance(value, int) else 0
