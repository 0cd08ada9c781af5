"""What the Jupyter server answers for us: the verbs, and where the workspace lies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.ioloop import IOLoop

from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.surfaces.verbs_http import dispatch
from mlalm_jupyter.workspace import HIDDEN, find_folder

PATHS = ("notebook", "file")
"""Arguments that name a file; a page names files from the folder that Jupyter serves."""


class _Handler(APIHandler):
    @property
    def root(self) -> Path:
        return Path(self.settings.get("server_root_dir", ".")).expanduser().resolve()

    def workspace(self) -> str | None:
        """The workspace that is asked for, or the nearest one around the folder that Jupyter serves."""
        named = self.get_query_argument("workspace", None)
        if named:
            return str(named)
        for folder in (self.root, *self.root.parents):
            if (folder / HIDDEN / "catalog.sqlite").exists():
                return str(folder)
        return None

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
            fault = {"code": "InvalidInput", "what": "The body is not valid.", "why": f"It is no JSON: {error}."}
            self.answer(400, {"error": {**fault, "fix": "Send the arguments as a JSON object."}})
            return
        if isinstance(arguments, dict):
            arguments = {name: self._placed(name, value) for name, value in arguments.items()}
        status, body = await IOLoop.current().run_in_executor(
            None, lambda: dispatch(noun, verb, arguments, workspace=self.workspace())
        )
        self.answer(status, body)

    def _placed(self, name: str, value: object) -> object:
        """A file by its whole path, where there is one below the folder that Jupyter serves."""
        if name not in PATHS or not isinstance(value, str) or Path(value).is_absolute():
            return value
        path = self.root / value
        return str(path) if path.exists() else value


class PlaceHandler(_Handler):
    """`GET /mlalm/where`: the workspace, and its folder as the page names it."""

    @web.authenticated
    async def get(self) -> None:
        try:
            found = find_folder(self.workspace()).resolve()
        except MlalmError as error:
            self.answer(404, {"error": error.to_dict()})
            return
        below = found.relative_to(self.root).as_posix() if found.is_relative_to(self.root) else None
        self.answer(200, {"workspace": str(found), "folder": "" if below == "." else below})


class HiddenHandler(_Handler):
    """Refuses the workspace's own record as files, whatever the server's settings say of hidden files."""

    @web.authenticated
    async def refuse(self, *_: str) -> None:
        fault = {
            "code": "Unauthorized",
            "what": f"'{HIDDEN}' was not opened.",
            "why": "It is the workspace's record and holds keys.",
            "fix": "Use the verbs, for example `mlalm workspace show`.",
        }
        self.answer(403, {"error": fault, "message": f"{fault['what']} {fault['why']}"})

    get = head = post = put = patch = delete = refuse


def handlers(base_url: str) -> list[tuple[str, type[_Handler]]]:
    """Our routes; those for hidden files stand before the server's own."""
    inside = rf"(?:.*/)?{HIDDEN.replace('.', '[.]')}(?:/.*)?"
    hidden = [rf"/{place}/{inside}" for place in ("api/contents", "files", "view", "nbconvert/[^/]+", "edit", "notebooks")]
    return [
        (url_path_join(base_url, "mlalm", "api", "([a-z]+)", "([a-z-]+)"), VerbHandler),
        (url_path_join(base_url, "mlalm", "where"), PlaceHandler),
        *((url_path_join(base_url, route), HiddenHandler) for route in hidden),
    ]
