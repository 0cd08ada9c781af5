"""Connections to the catalog: one held for writing and a few for reading, shared by all threads."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine

from mlalm_jupyter.adapters.catalog.engine import (
    BUSY_S,
    AsItIs,
    driver_of,
    memory_engine,
    reading_engine,
    writing_engine,
)
from mlalm_jupyter.adapters.catalog.forks import Gate, check_not_inherited, laid_down_for_forks
from mlalm_jupyter.domain.errors import Conflict, Unavailable

_MAX_IDLE_READERS = 8


class Connections(Protocol):
    """Where transactions happen."""

    def read(self) -> AbstractContextManager[Connection]:
        """One unchanging view of the catalog."""

    def write(self) -> AbstractContextManager[Connection]:
        """All or nothing, and nobody else writes meanwhile."""

    def close(self) -> None: ...


class FileConnections:
    """Connections to a database file, for any number of threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = _Held(path)
        laid_down_for_forks(self)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        held = self._held()
        with held.gate:
            connection = held.reader()
            try:
                transaction = connection.begin()
                try:
                    yield connection
                finally:
                    transaction.rollback()
            finally:
                is_kept = held is self._kept and not isinstance(driver_of(connection), AsItIs)
                if is_kept and len(held.readers) < _MAX_IDLE_READERS:
                    held.readers.append(connection)
                else:
                    connection.close()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        held = self._held()
        with held.turn, held.gate:
            connection = held.write()
            with connection.begin():
                yield connection

    def close(self) -> None:
        held, self._kept = self._kept, _Held(self._path)
        with held.turn:
            held.close()

    @property
    def gate(self) -> Gate:
        return self._kept.gate

    def lay_down(self) -> None:
        """Close what is idle."""
        self._kept.close()

    def inherited(self) -> tuple[object, tuple[int, int]]:
        """Begin anew; what was held before, and the file it is of."""
        held, self._kept = self._kept, _Held(self._path)
        return held, held.file

    def _held(self) -> _Held:
        """What is held, unless another file was put in the place of ours."""
        held, found = self._kept, identity(self._path)
        check_not_inherited(self._path, found)
        if held.file != found:
            self.close()
        return self._kept


class _Held:
    """The connections of this process to one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.file = identity(path)
        self.turn = Turn()
        self.gate = Gate()
        self.readers: deque[Connection] = deque()
        self._writer: Connection | None = None

    @cached_property
    def _reading(self) -> Engine:
        return reading_engine(self._path)

    @cached_property
    def _writing(self) -> Engine:
        return writing_engine(self._path)

    def reader(self) -> Connection:
        try:
            return self.readers.pop()
        except IndexError:
            return self._reading.connect()

    def write(self) -> Connection:
        if self._writer is None:
            self._writer = self._writing.connect()
        return self._writer

    def close(self) -> None:
        while self.readers:
            self.readers.pop().close()
        if self._writer is not None and not self._writer.in_transaction():
            self._writer.close()
            self._writer = None


def identity(path: Path) -> tuple[int, int]:
    """Which file is at `path`: a connection stays with its own when that is replaced."""
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_dev, status.st_ino


class MemoryConnections:
    """One connection for everything: for tests, and gone with its process."""

    def __init__(self) -> None:
        self._connection = memory_engine().connect()
        # SQLAlchemy's own transaction stays open for good; those of SQLite are begun and ended by hand,
        # because a read may hold another read or a write
        self._connection.begin()
        self._driver = driver_of(self._connection)
        self._driver.execute("COMMIT")
        self._turn = Turn()
        self._lock = threading.RLock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._lock:
            yield self._connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self._lock, self._turn:
            self._driver.execute("BEGIN")
            try:
                yield self._connection
                self._driver.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.OperationalError):
                    self._driver.execute("ROLLBACK")
                raise

    def close(self) -> None:
        self._connection.close()


class Turn:
    """Writers of one process go one by one; a thread that asks while it writes is refused, not stuck."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None

    def __enter__(self) -> None:
        me = threading.get_ident()
        if self._holder == me:
            raise Conflict(
                "The change was not begun.",
                why="The same thread is in the middle of another one.",
                fix="Finish that first, or make both in one transaction.",
            )
        if not self._lock.acquire(timeout=BUSY_S):
            raise Unavailable(
                "Nothing was written to the catalog.",
                why=f"Another thread has been writing to it for {BUSY_S:.0f} seconds.",
                fix="Try again in a moment.",
            )
        self._holder = me

    def __exit__(self, *_: object) -> None:
        self._holder = None
        self._lock.release()
