"""Where an execution puts files of its own; what one that was killed left there is removed by whoever looks next."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.domain.errors import NotFound, Unavailable
from mlalm_jupyter.domain.job import JobState, Lease


def folder_of(context: Context, job_id: str, attempt: int) -> Path:
    """Where an attempt at a job has its files."""
    return context.scratch / f"{job_id}-{attempt}"


@contextlib.contextmanager
def scratch(context: Context, lease: Lease) -> Iterator[Path]:
    """A folder for one attempt at a job; it stays where the end of that is not on record yet."""
    folder = folder_of(context, lease.job_id, lease.attempt)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"Nothing was written to '{context.scratch}'.",
            why=f"The system said: {error.strerror}.",
            fix="Free some room there, or have its permissions changed.",
        ) from error
    try:
        yield folder
    finally:
        with contextlib.suppress(Unavailable):
            if not _is_running(context, lease.job_id, str(lease.attempt)):
                shutil.rmtree(folder, ignore_errors=True)


def free_scratch(context: Context) -> None:
    """Remove the folders of attempts that nobody is at any more."""
    try:
        names = os.listdir(context.scratch)
    except OSError:
        return
    for name in names:
        job_id, _, attempt = name.rpartition("-")
        if not _is_running(context, job_id, attempt):
            shutil.rmtree(context.scratch / name, ignore_errors=True)


def _is_running(context: Context, job_id: str, attempt: str) -> bool:
    with context.catalog.read() as tx:
        try:
            job = tx.jobs.get(job_id)
        except NotFound:
            return False
    return job.state is JobState.RUNNING and str(job.attempt) == attempt
