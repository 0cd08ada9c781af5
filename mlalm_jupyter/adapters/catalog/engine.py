"""Connections to SQLite: one held for writing, a few for reading, and none is carried over a fork."""

from __future__ import annotations

import contextlib
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


def driver_of(connection: Connection) -> Any:
    """The driver's own connection, for what is done so often that SQLAlchemy's 10 us a statement count."""
    return connection.connection.dbapi_connection


def _engine(connect: Callable[[], sqlite3.Connection], begin: str) -> Engine:
    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)

    def begun(connection: Connection) -> None:
        driver_of(connection).execute(begin)

    event.listen(engine, "begin", begun)
    return engine


class _Held:
    """The connections of one process to one file."""

    def __init__(self, path: Path) -> None:
        self.holds = _identity(path)
        self.turn = Turn()
        self.readers: deque[Connection] = deque()
        self.writer: Connection | None = None
        self._read_engine = file_engine(path, begin="BEGIN", pragmas=("query_only=ON",))
        self._write_engine = file_engine(path, begin="BEGIN IMMEDIATE", pragmas=_WRITING)

    def reader(self) -> Connection:
        try:
            return self.readers.pop()
        except IndexError:
            return self._read_engine.connect()

    def write(self) -> Connection:
        if self.writer is None:
            self.writer = self._write_engine.connect()
        return self.writer

    def close(self) -> None:
        while self.readers:
            self.readers.pop().close()
        with self.turn:
            if self.writer is not None:
                self.writer.close()
                self.writer = None


class FileConnections:
    """Connections to a database file, for any number of threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = _Held(path)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        held = self._held()
        connection = held.reader()
        try:
            transaction = connection.begin()
            try:
                yield connection
            finally:
                transaction.rollback()
        finally:
            if held is self._kept and len(held.readers) < _MAX_IDLE_READERS:
                held.readers.append(connection)
            else:
                connection.close()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        held = self._held()
        with held.turn:
            connection = held.write()
            with connection.begin():
                yield connection

    def close(self) -> None:
        held, self._kept = self._held(), _Held(self._path)
        held.close()

    def _held(self) -> _Held:
        """What is held, unless this is a fork or another file was put in the place of ours."""
        held = self._kept
        found = _identity(self._path)
        if held.holds == found:
            return held
        self._kept = _Held(self._path)
        if held.holds[0] == found[0]:
            held.close()
        else:
            _not_ours.append(held)
        return self._kept


def _identity(path: Path) -> tuple[int, int, int]:
    """This process, and which file is at `path`: a connection stays with its file when that is replaced."""
    try:
        status = os.stat(path)
    except OSError:
        return os.getpid(), 0, 0
    return os.getpid(), status.st_dev, status.st_ino


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
