"""Imports ahead of need: what the supervisor has imported, the processes forked off it need not import again."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Iterator

ALSO = "ALSO_NEEDED"
"""What a role's module calls the list of further modules it imports only once it runs."""
_ALLOCATOR = "JE_ARROW_MALLOC_CONF"


def warm(module: str) -> None:
    """Import the module of a role and what it names as needed beside it."""
    with _quietly():
        loaded = importlib.import_module(module)
        for also in getattr(loaded, ALSO, ()):
            importlib.import_module(also)


def can_fork() -> bool:
    """Whether a fork of this process is a sound process: it has one thread, on a system where libraries bear it."""
    if sys.platform != "linux":
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without threads that an import would start, and with nothing moved about that is to be shared."""
    is_ours = _ALLOCATOR not in os.environ
    if is_ours:
        # Arrow carries an allocator that tidies in a thread, from the import on and whether it is used or not
        os.environ[_ALLOCATOR] = "background_thread:false"
    gc.disable()
    try:
        yield
    finally:
        # the collector would write into each page it looks at, and so copy what is shared
        gc.freeze()
        gc.enable()
        if is_ours:
            del os.environ[_ALLOCATOR]
