"""The workspaces a worker serves: registered in the home, opened while they are there and sound."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mlalm_jupyter.adapters.catalog_changes import CatalogChanges
from mlalm_jupyter.adapters.liveness import Watch
from mlalm_jupyter.domain.errors import MlalmError, WorkspaceNotFound
from mlalm_jupyter.domain.workspace import CATALOG, HIDDEN
from mlalm_jupyter.serving.follower import Follower
from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.scheduler import Scheduler
from mlalm_jupyter.workspace import Workspace

_LOOK_AGAIN_S = 1.0


@dataclass
class KnownWorkspace:
    """One open workspace, and what the worker remembers of it between its rounds."""

    id: str
    path: Path
    workspace: Workspace
    changes: CatalogChanges
    watch: Watch
    scheduler: Scheduler
    follower: Follower
    may_have_queued: bool = True
    may_have_running: bool = True
    check_owners_at_s: float = 0.0
    rest_until_s: float = 0.0
    is_open: bool = True
    trouble: str = ""

    def close(self) -> None:
        self.is_open = False
        self.scheduler.close()
        self.follower.close()
        self.changes.close()
        self.workspace.close()


class KnownWorkspaces:
    """Opens what is registered; what cannot be opened is told once, and tried again now and then."""

    def __init__(self, home: Home, *, say: Callable[[str], None], owners: Path) -> None:
        self._home = home
        self._say = say
        self._owners = owners
        self._open: dict[str, KnownWorkspace] = {}
        self._told: dict[str, str] = {}
        self._registry_seen: int | None = None
        self._look_at_s = 0.0

    def __iter__(self) -> Iterator[KnownWorkspace]:
        return iter(list(self._open.values()))

    def refresh(self) -> None:
        """Look whether workspaces came or went; nearly free when the registry has not changed."""
        try:
            registry = os.stat(self._home.workspaces).st_mtime_ns
        except FileNotFoundError:
            registry = 0
        now = time.monotonic()
        if registry == self._registry_seen and now < self._look_at_s:
            return
        self._registry_seen = registry
        self._look_at_s = now + _LOOK_AGAIN_S
        registered = self._home.registered()
        for known in self:
            path = registered.get(known.id)
            if path is None:
                self._close(known, "it is no longer registered")
            elif path != known.path or not known.changes.is_same_file():
                self._close(known, "its catalog is gone or was replaced")
        for workspace_id, path in registered.items():
            if workspace_id not in self._open:
                self._try_to_open(workspace_id, path)

    def close(self) -> None:
        for known in self:
            known.close()
        self._open.clear()

    def _close(self, known: KnownWorkspace, why: str) -> None:
        known.close()
        del self._open[known.id]
        self._say(f"workspace {known.path} is left alone: {why}")

    def _try_to_open(self, workspace_id: str, path: Path) -> None:
        try:
            self._open[workspace_id] = self._opened(workspace_id, path)
        except (MlalmError, OSError, sqlite3.Error) as error:
            if self._told.get(workspace_id) != str(error):
                self._told[workspace_id] = str(error)
                self._say(f"workspace {path} is skipped: {error}")
        else:
            self._told.pop(workspace_id, None)
            self._say(f"workspace {path} is served")

    def _opened(self, workspace_id: str, path: Path) -> KnownWorkspace:
        workspace = Workspace.open(path)
        try:
            if workspace.info.id != workspace_id:
                raise WorkspaceNotFound(
                    str(path), why=f"Another one, {workspace.info.id[:12]}, lies there now."
                )
            changes = CatalogChanges(path / HIDDEN / CATALOG)
        except BaseException:
            workspace.close()
            raise
        return KnownWorkspace(
            workspace_id,
            path,
            workspace,
            changes,
            Watch(self._owners),
            Scheduler(workspace, say=self._say),
            Follower(workspace, say=self._say),
        )
