"""Notices that anyone changed a catalog, for the price of a few microseconds a look."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path


class CatalogChanges:
    """Watches one SQLite file; every process' commits count."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _identity(path)
        self._connection = sqlite3.connect(
            path.absolute().as_uri() + "?mode=rw", uri=True, isolation_level=None
        )
        self._connection.execute("PRAGMA query_only = 1")
        self._seen: int | None = None

    def since_last_look(self) -> bool:
        """Whether it changed; true the first time, and while that cannot be told."""
        try:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return True
        before, self._seen = self._seen, int(version)
        return self._seen != before

    def is_same_file(self) -> bool:
        """Whether the file that is watched is still the one at that path."""
        return self._file is not None and _identity(self._path) == self._file

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
