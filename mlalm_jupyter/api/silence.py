"""Why nothing is heard of a job: most often the disk is full, and then nobody can write down what happens."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.recorder import LEASE_S
from mlalm_jupyter.domain.job import Job, JobState

_MISSED_S = LEASE_S / 2
"""A lease that was not renewed for so long would have been, if its owner could write."""
_TRIED = b"\0" * (64 << 10)


def has_no_room(context: Context) -> bool:
    """Whether the disk of a workspace takes nothing more; that is tried, for a quota shows in no other way."""
    try:
        handle, name = tempfile.mkstemp(dir=context.scratch.parent, prefix=".room-")
    except OSError as error:
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    try:
        return os.write(handle, _TRIED) < len(_TRIED)
    except OSError as error:
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    finally:
        os.close(handle)
        with contextlib.suppress(OSError):
            os.unlink(name)


def note_of(context: Context, job: Job) -> str | None:
    """What to know of a job that has not ended, beyond that it has not."""
    if job.state.is_final:
        return None
    if why := silenced(context, job):
        return f"{why} Free some room there."
    if not job.cancel_requested:
        return None
    return f"It was asked to stop; `mlalm job follow {job.id[:12]}` tells when it has."


def silenced(context: Context, job: Job) -> str:
    """Why nothing can be recorded of a job that has not ended; empty where something is, or can be."""
    if job.state.is_final:
        return ""
    heard_s = (job.lease_until or 0.0) - LEASE_S if job.state is JobState.RUNNING else 0.0
    if heard_s + _MISSED_S > context.clock.time_s() or not has_no_room(context):
        return ""
    return f"The disk of '{context.path}' is full, so that nothing of it can be recorded."
