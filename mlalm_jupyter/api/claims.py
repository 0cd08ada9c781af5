"""Notebooks that somebody is setting up or deploying: who comes meanwhile is told so, before anything is done."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.files import with_room
from mlalm_jupyter.domain.errors import Conflict
from mlalm_jupyter.domain.workspace import HIDDEN

_FOLDER = "setting-up"


@contextlib.contextmanager
def claimed(context: Context, training: str, *, done: str, is_shared: bool = False) -> Iterator[None]:
    """Be the only one who makes something of a training notebook, or one of several who only read what was made.

    Whoever dies lets go.
    """
    folder = context.path / HIDDEN / _FOLDER
    undone = f"The notebook {training} was not {done}."
    with with_room(undone):
        folder.mkdir(mode=0o700, exist_ok=True)
        # the file stays: one that is removed could be held by two who opened it before and after
        handle = os.open(folder / context.digest(training.encode())[:32], os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                undone,
                why="Somebody is setting it up as a service, or deploying it, at this moment.",
                fix="Wait until that is done, then repeat this if it is still wanted.",
            ) from None
        yield
    finally:
        os.close(handle)
