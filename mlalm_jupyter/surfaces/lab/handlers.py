"""What the Jupyter server answers for us: the verbs, where the workspace lies, and its locked snapshots."""

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

from mlalm_jupyter.api.verbs import VERBS, find
from mlalm_jupyter.domain.errors import InvalidInput, MlalmError, NotFound, SnapshotLocked, WorkspaceNotFound
from mlalm_jupyter.surfaces.lab.progress import Tickets
from mlalm_jupyter.surfaces.lab.record import NamesTheRecord, RecordHandler
from mlalm_jupyter.surfaces.lab.snapshots import NamesSnapshots, download, model, named
from mlalm_jupyter.surfaces.verbs_http import dispatch, status_of
from mlalm_jupyter.workspace import Workspace, find_folder, nearest

_SHORT_THREADS, _LONG_THREADS = 8, 128
_SHORT = ThreadPoolExecutor(_SHORT_THREADS, thread_name_prefix="mlalm-verb")
# whoever follows a job holds a thread until its end, which must not keep short verbs waiting
_LONG = ThreadPoolExecutor(_LONG_THREADS, thread_name_prefix="mlalm-long-verb")
_TICKETS = Tickets()


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

    def place(self, *, near: str | None) -> tuple[Path, str | None]:
        """The workspace's folder, and the same as the page names it, which cannot name what lies elsewhere."""
        named = self.workspace(near=near)
        if named is None:
            why = "Neither the folder that Jupyter serves nor any above it is one."
            raise WorkspaceNotFound(str(self.root), why=why)
        found = find_folder(named).resolve()
        if not found.is_relative_to(self.root):
            return found, None
        below = found.relative_to(self.root).as_posix()
        return found, "" if below == "." else below

    def answer(self, status: int, body: dict[str, Any]) -> None:
        self.set_status(status)
        self.finish(json.dumps(body))

    def refuse(self, error: MlalmError, *, status: int | None = None) -> None:
        """An error as ours and as Jupyter's own pages read it."""
        self.answer(status or status_of(type(error)), {"error": error.to_dict(), "message": str(error)})


class VerbHandler(_Handler):
    """`POST /mlalm/api/{noun}/{verb}?ticket=T`: the arguments of a verb in, its result out."""

    @web.authenticated
    async def post(self, noun: str, verb: str) -> None:
        try:
            arguments = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError) as error:
            fault = InvalidInput("The body", expected="JSON", got=f"something else ({error})")
            self.answer(400, {"error": fault.to_dict()})
            return
        near = None
        if isinstance(arguments, dict):
            if (noun, verb) == ("workspace", "init") and arguments.get("path") is None:
                arguments["path"] = "."
            places = _places(noun, verb)
            near = next((arguments[name] for name in arguments if places.get(name) == "notebook"), None)
            arguments = {name: self._placed(value, places.get(name, "")) for name, value in arguments.items()}
        # where there is none, the folder that Jupyter serves is named, and not the one it was started in
        workspace = self.workspace(near=near) or str(self.root)
        ticket = self.get_query_argument("ticket", "")

        def do() -> tuple[int, dict[str, Any]]:
            with _TICKETS.telling(ticket) as progress:
                return dispatch(noun, verb, arguments, workspace=workspace, progress=progress)

        status, body = await IOLoop.current().run_in_executor(_threads_of(noun, verb), do)
        self.answer(status, body)

    def _placed(self, value: object, place: str) -> object:
        """A file by its whole path, for a page names it from the folder that Jupyter serves.

        A notebook also goes by its path in the workspace, as the record names it.
        """
        if not place or not isinstance(value, str) or not value or "://" in value or value.startswith("git@"):
            return value
        path = self.root / os.path.expanduser(value)
        named = [path]
        if place == "notebook":
            named.append(path.with_name(f"{path.name}.ipynb"))
        elif place == "either":
            is_word = "/" not in value and not path.suffix
            # FILE.py:FUNCTION
            named = [] if is_word else [path, path.with_name(path.name.rpartition(":")[0] or path.name)]
        return str(path) if place == "file" or any(one.exists() for one in named) else value


def _places(noun: str, verb: str) -> dict[str, str]:
    """Which files the arguments of a verb may name; none for a verb that nobody knows, which is said later."""
    try:
        return {one.name: one.place for one in find(noun, verb).parameters}
    except NotFound:
        return {}


class ProgressHandler(_Handler):
    """`GET /mlalm/progress?ticket=T`: how far the verb is that was asked for with this ticket."""

    @web.authenticated
    async def get(self) -> None:
        self.answer(200, {"progress": _TICKETS.said(self.get_query_argument("ticket", ""))})


class PlaceHandler(_Handler):
    """`GET /mlalm/where?near=FILE`: the workspace, and its folder as the page names it."""

    @web.authenticated
    async def get(self) -> None:
        try:
            found, below = self.place(near=self.get_query_argument("near", None))
        except MlalmError as error:
            self.refuse(error, status=404)
            return
        self.answer(200, {"workspace": str(found), "folder": below})


class SnapshotHandler(_Handler):
    """`/mlalm/snapshots/{path}` and `/api/contents/mlalm:{path}`: a contents API that can only be read."""

    @web.authenticated
    async def get(self, path: str | None = None) -> None:
        path = (path or "").strip("/")
        if path.endswith("/checkpoints") or path == "checkpoints":
            self.finish(json.dumps([]))
            return
        has_content = self.get_query_argument("content", "1") != "0"
        is_download = bool(self.get_query_argument("download", ""))
        try:
            # a path of the drive goes on inside of a notebook, so what is around the notebook is looked for
            found, below = self.place(near=f"{path}/inside")
            asked = path.removeprefix(below or "").strip("/") if _is_in(path, below) else path

            def read() -> tuple[str, str | bytes]:
                with Workspace.open(found) as workspace:
                    if is_download:
                        return download(workspace, asked)
                    answer = model(workspace, asked, below=below or "", has_content=has_content)
                    return "", json.dumps(answer)

            name, answer = await IOLoop.current().run_in_executor(_SHORT, read)
        except MlalmError as error:
            self.refuse(error)
            return
        if is_download:
            self.set_attachment_header(name)
        self.set_header("Content-Type", "application/json")
        self.finish(answer)

    @web.authenticated
    async def locked(self, path: str | None = None) -> None:
        self.refuse(SnapshotLocked(named(path or "")))

    put = patch = post = delete = locked


def _is_in(path: str, folder: str | None) -> bool:
    return bool(folder) and f"{path}/".startswith(f"{folder}/")


def _threads_of(noun: str, name: str) -> ThreadPoolExecutor:
    is_long = any((verb.noun, verb.name) == (noun, name) and verb.is_long for verb in VERBS)
    return _LONG if is_long else _SHORT


def handlers(base_url: str, *, root: str) -> list[tuple[Any, ...]]:
    """Our routes; those for the record and for snapshots stand before the server's own."""
    return [
        (NamesTheRecord(base_url, root=root), RecordHandler),
        (NamesSnapshots(base_url), SnapshotHandler),
        (url_path_join(base_url, "mlalm", "api", "([a-z]+)", "([a-z-]+)"), VerbHandler),
        (url_path_join(base_url, "mlalm", "progress"), ProgressHandler),
        (url_path_join(base_url, "mlalm", "where"), PlaceHandler),
        (url_path_join(base_url, "mlalm", "snapshots") + "(?:/(.*))?", SnapshotHandler),
    ]
