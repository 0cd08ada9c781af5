"""The catalog of one workspace: made, opened, read, written, checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, insert

from mlalm_jupyter.adapters import folder_blobs
from mlalm_jupyter.adapters.catalog.connections import Connections, FileConnections, MemoryConnections
from mlalm_jupyter.adapters.catalog.engine import writing_engine
from mlalm_jupyter.adapters.catalog.refusals import translated
from mlalm_jupyter.adapters.catalog.schema import metadata, revisions, workspaces
from mlalm_jupyter.adapters.catalog.transaction import SqlTransaction
from mlalm_jupyter.adapters.catalog.upgrade import head, is_current, upgrade
from mlalm_jupyter.domain.errors import AlreadyExists, Corrupt, Unavailable, WorkspaceNotFound


class SqlCatalog:
    """Fills `ports.Catalog`; one instance serves all threads of a process, and its forks.

    >>> catalog = SqlCatalog.in_memory(workspace_id="0" * 32, workspace_path="wine", at="2026-01-01")
    >>> with catalog.read() as tx:
    ...     tx.info.path
    'wine'
    """

    def __init__(self, connections: Connections, *, place: Path | str, workspace_path: Path) -> None:
        self._connections = connections
        self._place = place
        self._workspace_path = workspace_path

    @classmethod
    def create(
        cls, path: Path | str, *, workspace_id: str, workspace_path: Path | str, at: str
    ) -> SqlCatalog:
        """Make the catalog of a new workspace in a file that does not exist yet."""
        path = Path(path)
        try:
            with folder_blobs.translated(path):
                path.touch(mode=0o600, exist_ok=False)
        except Unavailable as error:
            if isinstance(error.__cause__, FileExistsError):
                fix = "Open the workspace it belongs to, or choose another folder."
                raise AlreadyExists("catalog", str(path), fix=fix) from error
            raise
        try:
            with translated(path):
                engine = writing_engine(path)
                with engine.connect() as connection, connection.begin():
                    _furnish(connection, workspace_id, at)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return cls.open(path, workspace_path=workspace_path)

    @classmethod
    def open(cls, path: Path | str, *, workspace_path: Path | str) -> SqlCatalog:
        """Open a catalog that exists; one with an older schema is copied beside itself, then migrated."""
        path, workspace_path = Path(path), Path(workspace_path)
        if not path.exists():
            raise WorkspaceNotFound(str(workspace_path), why=f"Its catalog '{path}' does not exist.")
        connections = FileConnections(path)
        with translated(path):
            try:
                with connections.read() as connection:
                    current = is_current(connection, place=path, workspace_path=workspace_path)
                if not current:
                    upgrade(path, workspace_path=workspace_path)
            except BaseException:
                connections.close()
                raise
        return cls(connections, place=path, workspace_path=workspace_path)

    @classmethod
    def in_memory(cls, *, workspace_id: str, workspace_path: Path | str, at: str) -> SqlCatalog:
        """A catalog that is gone with its process: for tests."""
        connections = MemoryConnections()
        with connections.write() as connection:
            _furnish(connection, workspace_id, at)
        return cls(connections, place="in memory", workspace_path=Path(workspace_path))

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        """Everything read inside belongs together; nothing can be written."""
        with translated(self._place), self._connections.read() as connection:
            yield self._transaction(connection)

    @contextmanager
    def write(self) -> Iterator[SqlTransaction]:
        """All of it is kept when the block ends well, nothing otherwise."""
        with translated(self._place), self._connections.write() as connection:
            yield self._transaction(connection)

    def faults(self) -> list[str]:
        """What the storage engine itself finds wrong."""
        try:
            with translated(self._place), self._connections.read() as connection:
                said = connection.exec_driver_sql("PRAGMA integrity_check").scalars()
                faults = [f"The database engine says: {one}." for one in said if one != "ok"]
                for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
                    faults.append(f"Row {row} of table {table} refers to a row of {parent} that is gone.")
                return faults
        except Corrupt as error:
            return [error.why]

    def close(self) -> None:
        """Let go of the file; a closed catalog opens it again when it is used."""
        with translated(self._place):
            self._connections.close()

    def _transaction(self, connection: Connection) -> SqlTransaction:
        if not is_current(connection, place=self._place, workspace_path=self._workspace_path):
            raise Unavailable(
                f"The catalog '{self._place}' was not used.",
                why="One with an older schema was put in its place.",
                fix="Open the workspace again; that migrates it.",
            )
        return SqlTransaction(connection, workspace_path=str(self._workspace_path))


def _furnish(connection: Connection, workspace_id: str, at: str) -> None:
    metadata.create_all(connection, checkfirst=False)
    revisions.create(connection)
    connection.execute(insert(revisions), {"version_num": head()})
    connection.execute(insert(workspaces), {"id": workspace_id, "created_at": at})
