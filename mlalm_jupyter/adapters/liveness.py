"""Owners of jobs, and how others see that one is gone: each keeps a file locked for as long as it lives.

The system lets go of the lock at whatever moment and in whatever way the process ends, so that its jobs
need not wait for a lease to run out.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from mlalm_jupyter.adapters.folder_blobs import translated
from mlalm_jupyter.domain.server import DEFAULT_HOME

_PATIENCE_S = 5.0
"""How long a lease that ran out is watched before its owner counts as gone.

A machine that slept wakes up with every lease run out, and its owners are about to renew them.
"""


def owners_folder(environ: Mapping[str, str]) -> Path:
    """Where in the server's home the files of owners are."""
    named = environ.get("MLALM_HOME") or DEFAULT_HOME
    return Path(named).expanduser().absolute() / "workers"


@contextlib.contextmanager
def present(folder: Path) -> Iterator[str]:
    """Be an owner of jobs inside this block: yields the name to hold them by."""
    name = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"
    with translated(folder):
        for missing in (folder.parent, folder):
            missing.mkdir(mode=0o700, parents=True, exist_ok=True)
        making = folder / f".{name}"
        handle = os.open(making, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            # it gets its name when it is locked, so that nobody ever sees it without its lock
            os.rename(making, folder / f"{name}.lock")
        except OSError:
            os.close(handle)
            raise
    try:
        yield name
    finally:
        with contextlib.suppress(OSError):
            os.unlink(folder / f"{name}.lock")
        os.close(handle)


def is_gone(owner: str, *, folder: Path) -> bool | None:
    """Whether an owner has ended; None when that cannot be seen from here."""
    if owner.partition(":")[0] != socket.gethostname():
        return None
    # without a file it may live with another home
    held = is_locked(folder / f"{owner}.lock")
    return None if held is None else not held


def is_locked(path: Path) -> bool | None:
    """Whether somebody holds a lock file; None where there is none to look at."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def owners(folder: Path) -> list[str]:
    """All whose files are there."""
    return [path.name.removesuffix(".lock") for path in folder.glob("[!.]*.lock")]


def forget(owner: str, *, folder: Path) -> None:
    """Remove the file of an owner that is gone."""
    with contextlib.suppress(OSError):
        os.unlink(folder / f"{owner}.lock")


class Watch:
    """Tells which owners of jobs are gone.

    One whose lock is free is gone at once. Of any other only its lease can tell: it must have run out and
    not be renewed while it is watched a little longer, which also finds owners that hang or were stopped.
    """

    def __init__(self, folder: Path, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._monotonic_s = monotonic_s
        self._expired_since: dict[str, float] = {}

    def gone(self, owners: Iterable[str], *, expired: Collection[str]) -> list[str]:
        """Those of the owners that are gone; `expired` are the ones with a lease that ran out."""
        now = self._monotonic_s()
        found = []
        for owner in owners:
            if owner not in expired:
                self._expired_since.pop(owner, None)
                if is_gone(owner, folder=self._folder):
                    found.append(owner)
            elif is_gone(owner, folder=self._folder) or (
                now - self._expired_since.setdefault(owner, now) >= _PATIENCE_S
            ):
                self._expired_since.pop(owner, None)
                found.append(owner)
        return found
