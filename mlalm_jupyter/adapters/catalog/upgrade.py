"""Bringing a catalog file to the schema this version knows: one process at a time, after a copy."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, select

from mlalm_jupyter.adapters.catalog import migrations
from mlalm_jupyter.adapters.catalog.engine import BUSY_S, file_engine
from mlalm_jupyter.adapters.catalog.schema import revisions
from mlalm_jupyter.domain.errors import Corrupt, NewerSchema, Unavailable


def head() -> str:
    """The schema that this version writes."""
    return migrations.REVISIONS[-1]


def is_current(connection: Connection, *, path: Path, workspace_path: Path) -> bool:
    """Whether the tables are as this version knows them; a newer schema is refused."""
    found = connection.execute(select(revisions.c.version_num)).scalar()
    if found is None:
        raise Corrupt(f"The catalog '{path}'", why="It does not say which schema it has.")
    if found not in migrations.REVISIONS:
        raise NewerSchema(str(workspace_path), found=found, known=head())
    return bool(found == head())


def upgrade(path: Path, *, workspace_path: Path) -> Path | None:
    """Migrate the file at `path`; the copy made before, or None when another process was quicker."""
    from alembic import command
    from alembic.config import Config

    with _alone(path):
        engine = file_engine(path, begin="BEGIN IMMEDIATE", pragmas=("foreign_keys=OFF",))
        with engine.connect() as connection, connection.begin():
            if is_current(connection, path=path, workspace_path=workspace_path):
                return None
            found: str = connection.execute(select(revisions.c.version_num)).scalar_one()
            copy = _copy(path, path.with_name(f"{path.name}.schema-{found}"))
            config = Config()
            config.set_main_option("script_location", str(migrations.FOLDER).replace("%", "%%"))
            config.set_main_option("path_separator", "newline")
            config.set_main_option(
                "version_locations", "\n".join(map(str, migrations.VERSIONS)).replace("%", "%%")
            )
            config.attributes["connection"] = connection
            command.upgrade(config, head())
            if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all():
                raise Corrupt(
                    f"The catalog '{path}'",
                    why=f"{len(broken)} of its rows refer to rows that do not exist, so it was not migrated.",
                )
        return copy


def _copy(path: Path, target: Path) -> Path:
    making = target.with_name(f"{target.name}.making")
    making.unlink(missing_ok=True)
    with (
        contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(making)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    os.replace(making, target)
    return target


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock file beside the catalog; the kernel lets go of it if this process dies."""
    import fcntl

    deadline = time.monotonic() + BUSY_S
    with open(path.with_name(f"{path.name}.lock"), "w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unavailable(
                        f"The catalog '{path}' was not opened.",
                        why=f"Another process has been migrating it for {BUSY_S:.0f} seconds.",
                        fix="Wait for that process, then try again.",
                    ) from None
                time.sleep(0.05)
            else:
                yield
                return
