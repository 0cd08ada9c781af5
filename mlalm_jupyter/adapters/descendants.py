"""Finds and ends everything a job started, however far it went to get away.

jupyter_client starts each kernel in a session of its own, so ending a process group misses it. A process
belongs to a job when it descends from the job's process, or when its environment carries the job's mark
(which survives even the death of everything in between). Linux only: elsewhere nothing is found, and
ending a job ends no more than its own process and what Jupyter itself ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass

MARK = "MLALM_JOB"
"""The environment variable that every descendant of a job carries."""

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_POLL_S = 0.02
_ON_LINUX = sys.platform == "linux"


def mark(job_id: str, attempt: int) -> str:
    """The mark of one attempt at a job."""
    return f"{job_id}:{attempt}"


def joined(outer: str | None, own: str) -> str:
    """The marks of a job that was begun inside another, which carries both.

    >>> joined("a7:2", mark("c4", 1))
    'a7:2,c4:1'
    """
    return f"{outer},{own}" if outer else own


def adopt_orphans() -> None:
    """Have descendants whose parent ended become children of this process instead of the system's first."""
    if _ON_LINUX:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def signal_at_death_of(parent: int, number: int) -> bool:
    """Ask for a signal when the parent dies; False when it is dead already.

    The system watches the thread that started us, so a parent must do that from a thread that stays.
    """
    if _ON_LINUX:
        _prctl(_PR_SET_PDEATHSIG, number)
    return os.getppid() == parent


@dataclass(frozen=True, slots=True)
class Process:
    """A process: its number, and when it started, for numbers are used again."""

    pid: int
    started: int

    def send(self, number: signal.Signals) -> None:
        """Signal this process, and never another that was given its number since."""
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return
        try:
            now = _read_stat(self.pid)
            if now is not None and now.started == self.started:
                signal.pidfd_send_signal(handle, number)
        except (ProcessLookupError, PermissionError):
            pass
        finally:
            os.close(handle)


def find(*, mark: str | None = None, root: int | None = None) -> list[Process]:
    """The living descendants of `root`, and all processes with that mark and theirs; never the caller."""
    table = {stat.pid: stat for stat in _all_stats()}
    children: dict[int, list[int]] = {}
    for stat in table.values():
        children.setdefault(stat.parent, []).append(stat.pid)
    wanted: set[int] = set()
    if root is not None:
        wanted.update(children.get(root, ()))
    if mark is not None:
        wanted.update(pid for pid in table if _carries(pid, mark))
    queue = list(wanted)
    while queue:
        below = [pid for pid in children.get(queue.pop(), ()) if pid not in wanted]
        wanted.update(below)
        queue.extend(below)
    wanted.discard(os.getpid())
    return [Process(pid, table[pid].started) for pid in sorted(wanted) if not table[pid].is_dead]


def end(
    *,
    mark: str | None = None,
    root: int | None = None,
    spare: Collection[int] = (),
    grace_s: float = 2.0,
    give_up_s: float = 10.0,
) -> list[Process]:
    """End them all, asking first and killing after the grace, until none is left.

    Returns what is left all the same: what the system itself cannot end (it hangs in a driver, say).
    """
    began = time.monotonic()
    asked: set[Process] = set()
    while True:
        left = [one for one in find(mark=mark, root=root) if one.pid not in spare]
        waited_s = time.monotonic() - began
        if not left or waited_s > grace_s + give_up_s:
            return left
        for one in left:
            if waited_s >= grace_s:
                one.send(signal.SIGKILL)
            elif one not in asked:
                asked.add(one)
                one.send(signal.SIGTERM)
                # a stopped process would see the request only when somebody continues it
                one.send(signal.SIGCONT)
        time.sleep(_POLL_S)


def children() -> list[Process]:
    """The children of this process, with those that have ended and wait to be buried."""
    return [Process(stat.pid, stat.started) for stat in _all_stats() if stat.parent == os.getpid()]


@dataclass(frozen=True, slots=True)
class _Stat:
    pid: int
    parent: int
    started: int
    is_dead: bool


def _all_stats() -> Iterator[_Stat]:
    if not _ON_LINUX:
        return
    for name in os.listdir("/proc"):
        if name.isdigit() and (stat := _read_stat(int(name))) is not None:
            yield stat


def _read_stat(pid: int) -> _Stat | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    # the name stands in parentheses and may itself hold spaces and parentheses
    state, parent, *rest = text[text.rfind(b")") + 2 :].split()
    return _Stat(pid, int(parent), int(rest[17]), state in (b"Z", b"X"))


def _carries(pid: int, mark: str) -> bool:
    """Whether a process of the same user was started with that mark in its environment."""
    with contextlib.suppress(OSError):
        if os.stat(f"/proc/{pid}").st_uid != os.geteuid():
            return False
        with open(f"/proc/{pid}/environ", "rb") as file:
            for entry in file.read().split(b"\0"):
                name, _, value = entry.partition(b"=")
                if name == MARK.encode():
                    return mark.encode() in value.split(b",")
    return False


def _prctl(option: int, argument: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0)
