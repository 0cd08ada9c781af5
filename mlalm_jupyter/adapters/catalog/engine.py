"""Engines over SQLite, set up so that writers wait for each other and an answer once given stays given."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from mlalm_jupyter.domain.errors import Corrupt

BUSY_S = 30.0
"""How long a writer waits for the one before it."""


def reading_engine(path: Path) -> Engine:
    """Transactions that only read, each with one view of the file."""

    def connect() -> sqlite3.Connection:
        try:
            return _connected(path, "query_only=ON")
        except sqlite3.OperationalError:
            if not _may_be_taken_as_it_is(path):
                raise
            return _connected(path, "query_only=ON", how="mode=ro&immutable=1", factory=AsItIs)

    return _engine(connect, "BEGIN")


class AsItIs(sqlite3.Connection):
    """A connection that takes its file for one that nobody changes, so it is not to be kept for later."""


def _may_be_taken_as_it_is(path: Path) -> bool:
    """Whether we may only read there, and all that was written is in the file itself.

    SQLite writes a little beside a database even to read it, unless it is told that nothing changes.
    """
    beside = path.with_name(f"{path.name}-wal")
    is_ours = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return not is_ours and os.access(path, os.R_OK) and not (beside.exists() and beside.stat().st_size)


def writing_engine(path: Path) -> Engine:
    """Transactions that write, one at a time: a lock taken later than at once may be refused at once."""
    # a copy that was put back is not in WAL mode, in which readers and the writer do not hold each other up
    return _engine(lambda: _connected(path, "journal_mode=WAL", "foreign_keys=ON"), "BEGIN IMMEDIATE")


def remaking_engine(path: Path) -> Engine:
    """Transactions that make tables anew, in the midst of which rows may refer to nothing."""
    return _engine(lambda: _connected(path, "journal_mode=WAL", "foreign_keys=OFF"), "BEGIN IMMEDIATE")


def memory_engine() -> Engine:
    """A database that lives as long as its one connection."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA foreign_keys=ON")
        return connection

    return _engine(connect, "BEGIN")


def driver_of(connection: Connection) -> Any:
    """The driver's own connection, for what is done so often that SQLAlchemy's 10 us a statement count."""
    return connection.connection.dbapi_connection


def _connected(
    path: Path, *pragmas: str, how: str = "mode=rw", factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?{how}",  # neither makes a file
        factory=factory,
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        for pragma in ("synchronous=FULL", *pragmas):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def _engine(connect: Callable[[], sqlite3.Connection], begin: str) -> Engine:
    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, json_deserializer=_from_json)

    def begun(connection: Connection) -> None:
        driver_of(connection).execute(begin)

    event.listen(engine, "begin", begun)
    return engine


def _from_json(text: str) -> object:
    # most columns of most rows are one of these, and a row of runs has eleven
    if text == "{}":
        return {}
    if text == "[]":
        return []
    try:
        value: object = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise Corrupt(
            "A record of the catalog", why=f"It holds something else than JSON: {error}."
        ) from error
    return value
