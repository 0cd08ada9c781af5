"""What the Jupyter server answers for us: the verbs, and where the workspace lies."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.ioloop import IOLoop

from mlalm_jupyter.api.verbs import VERBS
from mlalm_jupyter.domain.errors import InvalidInput, MlalmError, WorkspaceNotFound
from mlalm_jupyter.surfaces.lab.record import NamesTheRecord, RecordHandler
from mlalm_jupyter.surfaces.verbs_http import dispatch
from mlalm_jupyter.workspace import find_folder, nearest

FILES = ("file", "path")
"""Arguments that name a file or folder, there or yet to be made, as a page does: from the folder Jupyter serves."""
_SHORT_THREADS, _LONG_THREADS = 8, 128
_SHORT = ThreadPoolExecutor(_SHORT_THREADS, thread_name_prefix="mlalm-verb")
# whoever follows a job holds a thread until its end, which must not keep short verbs waiting
_LONG = ThreadPoolExecutor(_LONG_THREADS, thread_name_prefix="mlalm-long-verb")


class _Handler(APIHandler):
    @property
    def root(self) -> Path:
        return Path(self.settings["server_root_dir"]).expanduser().resolve()

    def workspace(self, *, near: object = None) -> str | None:
        """The workspace that is asked for, else that of the environment, else the nearest one around a file.

        Without a file it is the nearest one around the folder that Jupyter serves.
        """
        named = self.get_query_argument("workspace", None) or os.environ.get("MLALM_WORKSPACE")
        if named:
            return str(named)
        start = (self.root / near).parent if isinstance(near, str) and near else self.root
        found = nearest(start)
        return None if found is None else str(found)

    def answer(self, status: int, body: dict[str, Any]) -> None:
        self.set_status(status)
        self.finish(json.dumps(body))


class VerbHandler(_Handler):
    """`POST /mlalm/api/{noun}/{verb}`: the arguments of a verb in, its result out."""

    @web.authenticated
    async def post(self, noun: str, verb: str) -> None:
        try:
            arguments = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError) as error:
            fault = InvalidInput("The body", expected="JSON", got=f"something else ({error})")
            self.answer(400, {"error": fault.to_dict()})
            return
        near = arguments.get("notebook") if isinstance(arguments, dict) else None
        if isinstance(arguments, dict):
            if (noun, verb) == ("workspace", "init") and arguments.get("path") is None:
                arguments["path"] = "."
            arguments = {name: self._placed(name, value) for name, value in arguments.items()}
        # where there is none, the folder that Jupyter serves is named, and not the one it was started in
        workspace = self.workspace(near=near) or str(self.root)
        status, body = await IOLoop.current().run_in_executor(
            _threads_of(noun, verb), lambda: dispatch(noun, verb, arguments, workspace=workspace)
        )
        self.answer(status, body)

    def _placed(self, name: str, value: object) -> object:
        """A file by its whole path; a notebook also goes by its path in the workspace, as the record names it."""
        if not isinstance(value, str) or "://" in value:
            return value
        path = self.root / Path(value).expanduser()
        return str(path) if name in FILES or (name == "notebook" and path.exists()) else value


class PlaceHandler(_Handler):
    """`GET /mlalm/where?near=FILE`: the workspace, and its folder as the page names it."""

    @web.authenticated
    async def get(self) -> None:
        named = self.workspace(near=self.get_query_argument("near", None))
        try:
            if named is None:
                why = "Neither the folder that Jupyter serves nor any above it is one."
                raise WorkspaceNotFound(str(self.root), why=why)
            found = find_folder(named).resolve()
        except MlalmError as error:
            self.answer(404, {"error": error.to_dict()})
            return
        below = found.relative_to(self.root).as_posix() if found.is_relative_to(self.root) else None
        self.answer(200, {"workspace": str(found), "folder": "" if below == "." else below})


def _threads_of(noun: str, name: str) -> ThreadPoolExecutor:
    is_long = any((verb.noun, verb.name) == (noun, name) and verb.is_long for verb in VERBS)
    return _LONG if is_long else _SHORT


def handlers(base_url: str, *, root: str) -> list[tuple[Any, ...]]:
    """Our routes; the one for the workspace's record stands before the server's own."""
    return [
        (NamesTheRecord(base_url, root=root), RecordHandler),
        (url_path_join(base_url, "mlalm", "api", "([a-z]+)", "([a-z-]+)"), VerbHandler),
        (url_path_join(base_url, "mlalm", "where"), PlaceHandler),
    ]
