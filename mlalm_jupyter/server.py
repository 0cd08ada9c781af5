"""The server's api, composed: health, a page for a person, and the verbs over HTTP."""

from __future__ import annotations

import hmac
import html
import json
import logging
import os
import secrets
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from mlalm_jupyter.adapters.keyring import FolderKeyring
from mlalm_jupyter.api.uploads import Uploads
from mlalm_jupyter.domain.errors import Conflict, Corrupt, InvalidInput, MlalmError, Unauthorized
from mlalm_jupyter.domain.workspace import HIDDEN
from mlalm_jupyter.scoring.envelope import OURS
from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.local_host import LocalHost
from mlalm_jupyter.surfaces import verbs_http
from mlalm_jupyter.workspace import Workspace

MAX_BODY_BYTES = 16 << 20
log = logging.getLogger("mlalm.api")
Answer = Callable[[Request], Awaitable[Response]]


def _envelope(status: int, error: MlalmError, **headers: str) -> JSONResponse:
    return JSONResponse({"error": error.to_dict()}, status_code=status, headers=headers)


async def health(_request: Request) -> Response:
    """How the whole server is, and which of its processes do not run just now."""
    host = LocalHost()
    status = await run_in_threadpool(host.status)
    lacking = await run_in_threadpool(host.lacking)
    body = {
        "status": "ok" if status.is_running and not lacking else "degraded",
        "lacking": lacking,
        "version": status.version,
        "base_url": status.base_url,
        "processes": [process.to_dict() for process in status.processes],
        "workspaces": len(status.workspaces),
    }
    return JSONResponse(body)


async def page(request: Request) -> Response:
    """What runs here, for a person who opens the address in a browser; it tells no secrets."""
    status = await run_in_threadpool(LocalHost().status)
    processes = "".join(
        f"<tr><td>{html.escape(one.role)}</td><td>{one.pid}</td><td>{html.escape(one.started_at)}</td>"
        f"<td>{one.restarts}</td></tr>"
        for one in status.processes
    )
    return HTMLResponse(
        _PAGE.format(
            version=html.escape(status.version or ""),
            base_url=html.escape(str(request.base_url)),
            workspaces=len(status.workspaces),
            processes=processes,
        ),
        headers={"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )


async def verb(request: Request) -> Response:
    """One verb, done in the workspace whose management token was sent."""
    noun, name = request.path_params["noun"], request.path_params["verb"]
    if noun == "server" and name in ("start", "stop"):
        return _envelope(409, _not_through_itself(name))
    try:
        path = await run_in_threadpool(_managed_workspace, request)
        arguments = await _arguments(request)
    except Unauthorized as error:
        return _envelope(401, error, **{"www-authenticate": "Bearer"})
    except InvalidInput as error:
        return _envelope(400, error)
    status, body = await run_in_threadpool(_done, noun, name, arguments, path)
    return JSONResponse(body, status_code=status)


async def begin_upload(request: Request) -> Response:
    """Room for an upload that comes in parts, or the one that was begun."""
    return await _uploading(request, lambda uploads, body: uploads.begin(_json(body)))


async def arrived(request: Request) -> Response:
    """How much of an upload is here."""
    upload = request.path_params["upload"]
    return await _uploading(request, lambda uploads, _: uploads.arrived(upload))


async def upload_part(request: Request) -> Response:
    """The bytes of an upload that begin at `?offset=`."""
    upload, offset = request.path_params["upload"], request.query_params.get("offset", "")

    def keep(uploads: Uploads, body: bytes) -> object:
        if not offset.isdecimal() or len(offset) > 18:
            raise InvalidInput("The offset", expected="a number of bytes", got=repr(offset)[:40])
        return uploads.append(upload, int(offset), body)

    return await _uploading(request, keep)


async def finish_upload(request: Request) -> Response:
    """The dataset that a whole upload becomes."""
    upload = request.path_params["upload"]
    return await _uploading(request, lambda uploads, _: uploads.finish(upload))


async def _uploading(request: Request, do: Callable[[Uploads, bytes], object]) -> Response:
    try:
        path = await run_in_threadpool(_managed_workspace, request)
        body = await _body(request)
    except Unauthorized as error:
        return _envelope(401, error, **{"www-authenticate": "Bearer"})
    except InvalidInput as error:
        return _envelope(400, error)

    def done() -> object:
        with Workspace.open(path) as workspace:
            return do(workspace.uploads, body)

    status, answer = await run_in_threadpool(verbs_http.answered, "The upload", done)
    return JSONResponse(answer, status_code=status)


def _not_through_itself(name: str) -> Conflict:
    return Conflict(
        f"The server did not {name}.",
        why="You asked the server itself, which cannot tell you how that went, and others use it too.",
        fix=f"Run `mlalm server {name}` on its machine.",
    )


def _done(noun: str, name: str, arguments: dict[str, Any], path: Path) -> tuple[int, dict[str, Any]]:
    return verbs_http.dispatch(noun, name, arguments, workspace=path)


def _managed_workspace(request: Request) -> Path:
    """The folder of the workspace whose management token came along; a scoring key opens none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    what = "The call of the management api"
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized(what, needs="`Authorization: Bearer TOKEN` with a workspace's management token")
    found: Path | None = None
    for path in Home.found(os.environ).registered().values():
        # each one is compared, so that timing tells neither which nor how many
        if hmac.compare_digest(_token(path).encode(), token.encode()):
            found = path
    if found is None:
        raise Unauthorized(what, needs="the management token of a workspace that is registered here")
    return found


def _token(path: Path) -> str:
    try:
        return FolderKeyring(path / HIDDEN / "keys").management_token()
    except Corrupt:
        # nobody can send this: it is fresh every time
        return secrets.token_urlsafe(48)


async def _arguments(request: Request) -> dict[str, Any]:
    """The verb's arguments by name, from a JSON object; no body is no arguments."""
    value = _json(await _body(request))
    if not isinstance(value, dict):
        raise InvalidInput("The body", expected="a JSON object", got=type(value).__name__)
    return value


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise InvalidInput("The body", expected=f"at most {MAX_BODY_BYTES} bytes", got="more")
    return bytes(body)


def _json(body: bytes) -> Any:
    if not body.strip():
        return {}
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The body", expected="JSON", got=str(error)) from error


async def _refused(request: Request, error: Exception) -> Response:
    """What the router itself refuses, in the envelope of whoever asks there."""
    assert isinstance(error, HTTPException)
    names = {404: "NotFound", 405: "MethodNotAllowed"}
    code = names.get(error.status_code, "BadArgument")
    what = f"{error.detail}."
    if _is_ours(request):
        fix = "See the verbs and their addresses with `mlalm --help` and in docs/reference/verbs.md."
        told = {"code": code, "what": what, "why": f"It was {request.method} {request.url.path}.", "fix": fix}
        return JSONResponse({"error": told}, status_code=error.status_code, headers=error.headers)
    body = {"error": {"code": code, "message": what, "details": [{"code": code, "message": what}]}}
    return JSONResponse(body, status_code=error.status_code, headers=error.headers)


def _is_ours(request: Request) -> bool:
    """Whether an address is one of our own; all others are the published service's."""
    return request.url.path.startswith(OURS)


async def _failed(request: Request, error: Exception) -> Response:
    """The outermost frame: whatever nobody foresaw is in the log, under the id the answer names."""
    request_id = request.headers.get("x-ms-request-id", uuid.uuid4().hex)
    log.error("request %s failed", request_id, exc_info=error)
    if _is_ours(request):
        told = verbs_http.internal_error(f"{request.method} {request.url.path}")
        fix = f"The server's log has it under {request_id}; report it together with what you did."
        return JSONResponse({"error": {**told, "fix": fix}}, status_code=500)
    message = f"Something unforeseen happened; the server's log has it under {request_id}."
    detail = {"code": "UnknownError", "message": message}
    body = {"error": {"code": "InternalError", "message": message, "details": [detail]}}
    return JSONResponse(body, status_code=500)


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>mlalm server</title>
<style>
 body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; }}
 table {{ border-collapse: collapse; }} td, th {{ padding: .2rem 1.2rem .2rem 0; text-align: left; }}
 code {{ background: #8882; padding: .1rem .3rem; border-radius: .2rem; }}
</style>
<h1>mlalm server</h1>
<p>Version {version}, at <code>{base_url}</code>. It hosts the services of {workspaces} workspace(s).</p>
<table><tr><th>process</th><th>pid</th><th>since</th><th>restarts</th></tr>{processes}</table>
<p>An endpoint answers <code>POST</code> at its own address with its own key: <code>mlalm endpoint list</code>
shows the addresses, <code>mlalm service consume SERVICE</code> writes the call.
Health: <a href="/mlalm/health">this scorer</a>, <a href="/mlalm/health/server">the server</a>.</p>
</html>
"""

app = Starlette(
    routes=[
        Route("/", page),
        Route("/mlalm/health", health),
        # at the public port a scorer answers the shorter address for itself
        Route("/mlalm/health/server", health),
        Route("/mlalm/api/{noun}/{verb}", verb, methods=["POST"]),
        Route("/mlalm/uploads", begin_upload, methods=["POST"]),
        Route("/mlalm/uploads/{upload}", arrived, methods=["GET"]),
        Route("/mlalm/uploads/{upload}", upload_part, methods=["PUT"]),
        Route("/mlalm/uploads/{upload}/finish", finish_upload, methods=["POST"]),
    ],
    exception_handlers={HTTPException: _refused, Exception: _failed},
)
