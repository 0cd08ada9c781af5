"""Keeps the workspace's record from being served as files, whatever Jupyter's settings say of hidden files.

Two doors are shut: addresses that name it, and every path that the contents manager is asked for. The second
also shuts copies, renames and links, whose addresses name something else.
"""

from __future__ import annotations

import errno
import os
from typing import Any
from urllib.parse import unquote

from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher

from mlalm_jupyter.domain.workspace import HIDDEN

FAULT = {
    "code": "Unauthorized",
    "what": f"'{HIDDEN}' was not opened.",
    "why": "It is the workspace's record and holds keys.",
    "fix": "Use the verbs, for example `mlalm workspace show`.",
}


def is_within(path: str) -> bool:
    """Whether a path names the record, or something in it.

    >>> is_within("rides/.mlalm/keys/signing.key"), is_within("rides/train.ipynb")
    (True, False)
    """
    return HIDDEN in path.replace(os.sep, "/").casefold().split("/")


class Refused(web.HTTPError, PermissionError):
    """An answer of 403; as a PermissionError it also has a folder listed without what is refused in it."""

    def __init__(self) -> None:
        web.HTTPError.__init__(self, 403, f"{FAULT['what']} {FAULT['why']}")
        self.errno = errno.EACCES


class NamesTheRecord(Matcher):
    """Matches addresses that name the record, also spelt with escapes or reached over a link."""

    def __init__(self, base_url: str, *, root: str) -> None:
        self._files = f"{unquote(base_url).rstrip('/')}/files/"
        self._root = root

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        path = unquote(request.path)
        if is_within(path):
            return {}
        if not path.startswith(self._files):
            return None
        # files are read past the contents manager, so links are followed here
        file = os.path.join(self._root, path.removeprefix(self._files).lstrip("/"))
        return {} if is_within(os.path.realpath(file)) else None


class RecordHandler(APIHandler):
    """Refuses, whatever is asked."""

    @web.authenticated
    async def refuse(self, *_: str) -> None:
        self.set_status(403)
        self.finish({"error": FAULT, "message": f"{FAULT['what']} {FAULT['why']}"})

    get = head = post = put = patch = delete = refuse


def keep_out(contents: Any) -> None:
    """Have a contents manager neither list the record nor open, write, copy or move anything in it."""
    inner = getattr(contents, "_get_os_path", None)
    if inner is None:
        return  # it keeps no files on this machine

    def outside(path: str) -> str:
        place = str(inner(path))
        if is_within(place) or is_within(os.path.realpath(place)):
            raise Refused
        return place

    contents._get_os_path = outside
