"""Brings the scorers up to what a catalog says when nobody else did, for example after a kill in between."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from mlalm_jupyter.domain.errors import Conflict, MlalmError
from mlalm_jupyter.domain.workspace import CATALOG, HIDDEN
from mlalm_jupyter.scoring.lifeline import is_orphan
from mlalm_jupyter.serving.home import Home, read_json
from mlalm_jupyter.serving.local_host import LocalHost
from mlalm_jupyter.workspace import Workspace

LOOK_S = 0.5
log = logging.getLogger("mlalm.republisher")


@dataclass(frozen=True)
class _Held:
    """An open workspace, and which file its catalog was."""

    workspace: Workspace
    file: tuple[int, int]


class Republisher(threading.Thread):
    """Compares each registered workspace with its projection, again and again."""

    def __init__(self, home: Home, *, parent: int) -> None:
        super().__init__(name="republisher", daemon=True)
        self.home = home
        self.host = LocalHost(home)
        self.parent = parent
        self._open: dict[str, _Held] = {}
        self._behind: dict[str, int] = {}
        self._complaints: dict[str, str] = {}

    def run(self) -> None:
        while True:
            for workspace_id, path in self.home.registered().items():
                self._look_once(workspace_id, path)
            if is_orphan(self.parent):
                os._exit(1)
            time.sleep(LOOK_S)

    def _look_once(self, workspace_id: str, path: Path) -> None:
        try:
            self._look(workspace_id, path)
        except MlalmError as error:
            self._complain(workspace_id, str(error))
        except Exception as error:  # the outermost frame of this thread; the next look may go better
            log.debug("looking at workspace %s", workspace_id, exc_info=error)
            self._complain(workspace_id, f"{type(error).__name__}: {error}")
        else:
            self._complaints.pop(workspace_id, None)

    def _look(self, workspace_id: str, path: Path) -> None:
        workspace = self._workspace(workspace_id, path)
        if workspace is None:
            return
        with workspace.catalog.read() as tx:
            last = tx.events.last_seq()
        published = (read_json(self.home.projection(workspace_id)) or {}).get("seq")
        if published == last:
            self._behind.pop(workspace_id, None)
        elif self._behind.get(workspace_id) != last:
            # whoever committed this is most likely about to publish it
            self._behind[workspace_id] = last
        elif self.host.catch_up(workspace_id, workspace.projection):
            log.info("published workspace %s up to event %s; nobody else had", workspace_id, last)

    def _workspace(self, workspace_id: str, path: Path) -> Workspace | None:
        """The open workspace, as long as its folder is there and is the same one."""
        held = self._open.get(workspace_id)
        try:
            stat = os.stat(path / HIDDEN / CATALOG)
        except OSError:
            stat = None
        if held is not None and (stat is None or held.file != (stat.st_dev, stat.st_ino)):
            self._open.pop(workspace_id).workspace.close()
            held = None
        if stat is None:
            return None
        if held is None:
            workspace = Workspace.open(path)
            held = self._open[workspace_id] = _Held(workspace, (stat.st_dev, stat.st_ino))
        if held.workspace.info.id != workspace_id:
            raise Conflict(
                f"The folder '{path}' was left alone.",
                why="Another workspace lies there than the one that was registered.",
                fix="Put the right one back.",
            )
        return held.workspace

    def _complain(self, workspace_id: str, text: str) -> None:
        if self._complaints.get(workspace_id) != text:
            self._complaints[workspace_id] = text
            log.warning("workspace %s was not looked at: %s", workspace_id, text)
        if (held := self._open.pop(workspace_id, None)) is not None:
            held.workspace.close()
