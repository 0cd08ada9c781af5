"""Forks: SQLite's locks belong to a process, so no child may inherit what it would take for its own.

A copied connection, and even a fresh one to the same file beside it, would believe in locks that only the
parent holds. So everything idle is closed for the moment of the fork. What was in use right then stays with
the parent, and the child is told to leave that file alone.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from collections import Counter
from pathlib import Path
from typing import Protocol

from sqlalchemy.exc import DBAPIError

from mlalm_jupyter.domain.errors import Unavailable

_WAIT_S = 5.0
"""How long a fork waits for the transactions of other threads."""


class Gate:
    """Transactions pass through it; a fork shuts it, and waits for those inside."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside: Counter[int] = Counter()

    def __enter__(self) -> None:
        with self._changed:
            self._inside[threading.get_ident()] += 1

    def __exit__(self, *_: object) -> None:
        me = threading.get_ident()
        with self._changed:
            self._inside[me] -= 1
            if not self._inside[me]:
                del self._inside[me]
                self._changed.notify_all()

    def shut(self) -> None:
        me = threading.get_ident()
        self._changed.acquire()
        self._changed.wait_for(lambda: not self._inside.keys() - {me}, timeout=_WAIT_S)

    def open(self) -> None:
        self._changed.release()

    @property
    def is_empty(self) -> bool:
        return not self._inside


class Forking(Protocol):
    """What holds connections."""

    @property
    def gate(self) -> Gate: ...
    def lay_down(self) -> None: ...
    def inherited(self) -> tuple[object, tuple[int, int]]: ...


_here: weakref.WeakSet[Forking] = weakref.WeakSet()
_registering = threading.Lock()
_shut: list[tuple[Forking, Gate]] = []
_left_alone: list[object] = []
"""What the parent was using: to close it here would end its transaction there."""
_refused_files: set[tuple[int, int]] = set()


def laid_down_for_forks(connections: Forking) -> None:
    """Have these connections closed around every fork of this process."""
    with _registering:
        _here.add(connections)


def check_not_inherited(path: Path, file: tuple[int, int]) -> None:
    """Refuse a file that the parent was using in the moment this process was forked off."""
    if file in _refused_files:
        raise Unavailable(
            f"The catalog '{path}' was not used.",
            why="This process was forked off in the middle of a transaction on it.",
            fix="Start it outside of one, or afresh: multiprocessing's 'spawn' method does.",
        )


def _before() -> None:
    _registering.acquire()
    for connections in list(_here):
        gate = connections.gate
        gate.shut()
        _shut.append((connections, gate))
        with contextlib.suppress(DBAPIError, sqlite3.Error):
            connections.lay_down()


def _in_parent() -> None:
    while _shut:
        _shut.pop()[1].open()
    _registering.release()


def _in_child() -> None:
    while _shut:
        connections, gate = _shut.pop()
        held, file = connections.inherited()
        if not gate.is_empty:
            _left_alone.append(held)
            _refused_files.add(file)
    _registering.release()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
