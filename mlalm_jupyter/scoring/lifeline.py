"""Children that end with their parent, even when that is killed outright."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; if that is already so, end at once.

    The parent must have started us from a thread that lives as long as it does, for the kernel watches
    that thread.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if is_orphan(parent):
        os._exit(1)


def is_orphan(parent: int) -> bool:
    """Whether someone else has inherited this process."""
    return os.getppid() != parent
