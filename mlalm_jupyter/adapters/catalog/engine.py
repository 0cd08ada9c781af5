"""Connections to SQLite: one held for writing, a few for reading, and none is carried over a fork."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from mlalm_jupyter.domain.errors import Conflict, Unavailable

BUSY_S = 30.0
"""How long a writer waits for the one before it."""
_MAX_IDLE_READERS = 8
# a copy that was put back is not in WAL mode, in which readers and the writer do not hold each other up
_WRITING = ("journal_mode=WAL", "foreign_keys=ON")
_not_ours: list[_Held] = []
"""Connections of the process this one was forked from: closing them here could harm it there."""


class Connections(Protocol):
    """Where transactions happen."""

    def read(self) -> AbstractContextManager[Connection]:
        """One unchanging view of the catalog."""

    def write(self) -> AbstractContextManager[Connection]:
        """All or nothing, and nobody else writes meanwhile."""

    def close(self) -> None: ...


def file_engine(path: Path, *, begin: str, pragmas: tuple[str, ...] = ()) -> Engine:
    """An engine over a database file that exists; it never makes one."""
    uri = f"file:{quote(str(path))}?mode=rw"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in ("synchronous=FULL", *pragmas):
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    return _engine(connect, begin)


def memory_engine() -> Engine:
    """An engine over a database that lives as long as its one connection."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA foreign_keys=ON")
        return connection

    return _engine(connect, "BEGIN")


def _engine(connect: Callable[[], sqlite3.Connection], begin: str) -> Engine:
    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)

    def begun(connection: Connection) -> None:
        # straight on the driver: as a statement of SQLAlchemy it takes 9 us more
        driver: Any = connection.connection.dbapi_connection
        driver.execute(begin)

    event.listen(engine, "begin", begun)
    return engine


class _Held:
    """The connections of one process."""

    def __init__(self, path: Path) -> None:
        self.pid = os.getpid()
        self.turn = Turn()
        self.readers: deque[Connection] = deque()
        self.read_engine = file_engine(path, begin="BEGIN", pragmas=("query_only=ON",))
        self.write_engine = file_engine(path, begin="BEGIN IMMEDIATE", pragmas=_WRITING)
        self.writer: Connection | None = None


class FileConnections:
    """Connections to a database file, for any number of threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = _Held(path)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        held = self._held()
        try:
            connection = held.readers.pop()
        except IndexError:
            connection = held.read_engine.connect()
        transaction = connection.begin()
        try:
            yield connection
        finally:
            transaction.rollback()
            if len(held.readers) < _MAX_IDLE_READERS and held is self._kept:
                held.readers.append(connection)
            else:
                connection.close()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        held = self._held()
        with held.turn:
            if held.writer is None:
                held.writer = held.write_engine.connect()
            with held.writer.begin():
                yield held.writer

    def close(self) -> None:
        held, self._kept = self._held(), _Held(self._path)
        while held.readers:
            held.readers.pop().close()
        with held.turn:
            if held.writer is not None:
                held.writer.close()
                held.writer = None

    def _held(self) -> _Held:
        held = self._kept
        if held.pid != os.getpid():
            _not_ours.append(held)
            held = self._kept = _Held(self._path)
        return held


class MemoryConnections:
    """One connection for everything: for tests, and gone with its process."""

    def __init__(self) -> None:
        self.connection = memory_engine().connect()
        # SQLAlchemy's own transaction stays open for good; those of SQLite are begun and ended by hand,
        # because a read may hold another read or a write
        self.connection.begin()
        self.connection.exec_driver_sql("COMMIT")
        self._turn = Turn()
        self._lock = threading.RLock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._lock:
            yield self.connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self._lock, self._turn:
            self.connection.exec_driver_sql("BEGIN")
            try:
                yield self.connection
                self.connection.exec_driver_sql("COMMIT")
            except BaseException:
                self.connection.exec_driver_sql("ROLLBACK")
                raise

    def close(self) -> None:
        self.connection.close()


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
