"""Bringing a catalog file to the schema this version knows: one process at a time, after a copy."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection

from mlalm_jupyter.adapters import folder_blobs
from mlalm_jupyter.adapters.catalog import migrations
from mlalm_jupyter.adapters.catalog.engine import BUSY_S, driver_of, remaking_engine
from mlalm_jupyter.domain.errors import Corrupt, NewerSchema, Unavailable


def head() -> str:
    """The schema that this version writes."""
    return migrations.REVISIONS[-1]


def is_current(connection: Connection, *, place: Path | str, workspace_path: Path) -> bool:
    """Whether the tables are as this version knows them; a newer schema is refused."""
    # every transaction asks this: a process that still runs an older version must not write to a newer schema
    row = driver_of(connection).execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        raise Corrupt(f"The catalog '{place}'", why="It does not say which schema it has.")
    (found,) = row
    if found == head():
        return True
    if found not in migrations.REVISIONS:
        raise NewerSchema(str(workspace_path), found=found, known=head())
    return False


def upgrade(path: Path, *, workspace_path: Path) -> None:
    """Migrate the file at `path` after copying it beside itself; another process may have been quicker."""
    with folder_blobs.translated(path), _alone(path):
        engine = remaking_engine(path)
        with engine.connect() as connection, connection.begin():
            if is_current(connection, place=path, workspace_path=workspace_path):
                return
            _copy(path, connection)
            _migrate(connection)
            if broken := driver_of(connection).execute("PRAGMA foreign_key_check").fetchall():
                raise Corrupt(
                    f"The catalog '{path}'",
                    why=f"{len(broken)} of its rows refer to rows that are gone, so it was not migrated.",
                )


def _migrate(connection: Connection) -> None:
    # Alembic takes 0.15 s to import, and almost no opening migrates anything
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, head())


def _copy(path: Path, connection: Connection) -> None:
    (found,) = driver_of(connection).execute("SELECT version_num FROM alembic_version").fetchone()
    target = path.with_name(f"{path.name}.schema-{found}")
    making = target.with_name(f"{target.name}.making")
    making.unlink(missing_ok=True)
    making.touch(mode=0o600)
    try:
        # the migrating connection itself holds the write lock; another one reads what was there before it
        with (
            contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as source,
            contextlib.closing(sqlite3.connect(making)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        os.replace(making, target)
    finally:
        making.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock file beside the catalog; the kernel lets go of it if this process dies."""
    import fcntl

    deadline = time.monotonic() + BUSY_S
    with open(path.with_name(f"{path.name}.lock"), "w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unavailable(
                        f"The catalog '{path}' was not opened.",
                        why=f"Another process has been migrating it for {BUSY_S:.0f} seconds.",
                        fix="Wait for that process, then try again.",
                    ) from None
                time.sleep(0.05)
        yield
