"""The scorer as a bare ASGI callable: address -> key -> endpoint -> predictor -> answer.

What it does not answer itself it passes on to the api process.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from urllib.parse import parse_qsl

import msgspec

from mlalm_jupyter._version import __version__
from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.scoring.addresses import EXECUTE, SCORE, SWAGGER, V2, Route, route
from mlalm_jupyter.scoring.compute import Worker
from mlalm_jupyter.scoring.description import openapi, swagger
from mlalm_jupyter.scoring.envelope import Receive, Scope, Send, new_request_id, refuse, respond
from mlalm_jupyter.scoring.errors import (
    Refusal,
    bad_request,
    internal,
    load_refusal,
    method_not_allowed,
    not_found,
    out_of_memory,
    out_of_time,
    refusal_of,
    stopped,
    throttled,
    too_large,
    too_slow,
    unauthorized,
    unavailable,
)
from mlalm_jupyter.scoring.inference import metadata
from mlalm_jupyter.scoring.limits import Limits
from mlalm_jupyter.scoring.predictor import Predictor
from mlalm_jupyter.scoring.roster import Roster, Served, ServedWorkspace
from mlalm_jupyter.scoring.wires import (
    API_VERSION,
    Answer,
    Call,
    Head,
    Query,
    answered,
    check,
    check_model,
    service_of,
)

HEALTH = "/mlalm/health"
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:[0-9]{1,5})?")
Forward = Callable[[Scope, Receive, Send, str], Awaitable[None]]
log = logging.getLogger("mlalm.scoring")


class ScoringApp:
    """Everything that comes in at the public port of one scorer."""

    def __init__(self, roster: Roster, compute: Worker, forward: Forward, limits: Limits) -> None:
        self.roster = roster
        self.compute = compute
        self.limits = limits
        self.started_at = time.time()
        self.is_retiring = False
        self._forward = forward

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request_id = new_request_id()
        path: str = scope["path"]
        try:
            found = route(path)
            if found is not None:
                await self._serve(found, scope, receive, send, request_id)
            elif path == HEALTH:
                await respond(send, 200, msgspec.json.encode(self.health()), request_id=request_id)
            else:
                await self._forward(scope, receive, send, request_id)
        except Refusal as refusal:
            await refuse(send, refusal, request_id=request_id, path=path)
        except MlalmError as error:
            log.warning("%s: %s", request_id, error)
            await refuse(send, refusal_of(error), request_id=request_id, path=path)
        except MemoryError:
            await refuse(send, out_of_memory(), request_id=request_id, path=path)
        except Exception:  # the outermost frame of a request: one bad request never ends a scorer
            log.exception("request %s failed in a way nobody foresaw", request_id)
            await refuse(send, internal(request_id), request_id=request_id, path=path)

    def health(self) -> dict[str, object]:
        """How this scorer is, without names that a stranger need not know."""
        roster = self.roster
        current = roster.generation.current()
        return {
            "status": "degraded" if roster.faults else "ok",
            "role": f"scorer-{roster.slot}",
            "generation": current,
            "taken_over": roster.taken_over,
            "workspaces": len(roster.workspaces),
            "endpoints": sum(len(workspace.endpoints) for workspace in roster.workspaces.values()),
            "faults": [
                {"endpoint_id": id, "definition": fault.definition_hash, "code": fault.error.code}
                for (_, id), fault in roster.faults.items()
            ],
            "uptime_s": round(time.time() - self.started_at, 1),
        }

    def replace_stuck_threads(self) -> None:
        """Retire when code that never returns holds a thread; until then a fresh one computes."""
        limits = self.limits
        for worker, longest_s in (
            (self.compute, limits.score_timeout_s),
            (self.roster.loader, limits.load_timeout_s),
        ):
            if worker.busy_s() > longest_s and not self.is_retiring:
                log.error("the %s thread is stuck; this scorer is replaced", worker.name)
                self.is_retiring = True
                if worker is self.compute:
                    self.compute = worker.successor()

    async def _serve(self, found: Route, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        roster = self.roster
        if roster.generation.current() != roster.taken_over:
            roster.notice()
        head = _head(scope["headers"])
        is_call = found.what in (EXECUTE, SCORE) or found.rest[-1:] == ("infer",)
        if scope["method"] != ("POST" if is_call else "GET"):
            raise method_not_allowed(scope["method"], b"POST" if is_call else b"GET")
        if is_call:
            await self._score(found, head, scope, receive, send, request_id)
        else:
            answer = await self._told(found, head, scope)
            await respond(send, 200, msgspec.json.encode(answer), request_id=request_id)

    async def _score(
        self, found: Route, head: Head, scope: Scope, receive: Receive, send: Send, request_id: str
    ) -> None:
        workspace, served = self._admitted(found, head.authorization)
        query = _query(scope["query_string"])
        check(found, query, served.endpoint)
        if workspace.is_gone:
            raise _gone(workspace)
        if served.endpoint.state != "running":
            raise stopped(served.endpoint.reference)
        body = await self._body(head, receive)
        if body is None:
            return
        gate = served.gate
        if gate is not None and not gate.enter():
            raise throttled(served.endpoint.reference, gate.limit)
        try:
            predictor = served.predictor
            if predictor is None:
                predictor = await self._loaded(workspace, served)
            answer = await self._computed(predictor, Call(found, head, query, body, served.endpoint))
        finally:
            if gate is not None:
                gate.leave()
        headers = (*served.headers, *predictor.headers, *answer.headers)
        await respond(
            send, 200, answer.body, request_id=request_id, headers=headers, content_type=answer.content_type
        )

    async def _told(self, found: Route, head: Head, scope: Scope) -> object:
        """What an endpoint says of itself, to whoever knows its address; it tells no secrets."""
        workspace, served = self._found(found)
        name = service_of(served.endpoint)
        if found.what == V2:
            if found.rest == ():
                return {"name": "mlalm", "version": __version__, "extensions": ["binary_tensor_data"]}
            if found.rest in (("health", "live"), ("health", "ready")):
                return {found.rest[1]: True}
            if check_model(found, served.endpoint) == "ready":
                if served.endpoint.state != "running":
                    raise stopped(served.endpoint.reference)
                await self._loaded(workspace, served)
                return {"name": name, "ready": True}
        predictor = await self._loaded(workspace, served)
        definition = predictor.definition
        if found.what == V2:
            return metadata(name, str(served.endpoint.revision), definition.inputs, definition.outputs)
        address = _address(found, head, scope)
        if found.what == SWAGGER:
            return swagger(definition, address)
        return openapi(definition, address, service=name)

    def _found(self, found: Route) -> tuple[ServedWorkspace, Served]:
        workspace = self.roster.owner(found.owner, found.endpoint)
        if workspace is None:
            raise not_found("WorkspaceNotFound", "No workspace with that id is served here.")
        served = workspace.endpoints.get(found.endpoint)
        if served is None:
            raise not_found("WebServiceIdNotFoundInWorkspace", "That workspace has no endpoint with that id.")
        return workspace, served

    def _admitted(self, found: Route, authorization: bytes) -> tuple[ServedWorkspace, Served]:
        """The endpoint at an address, for whoever holds one of its own keys."""
        scheme, _, key = authorization.partition(b" ")
        key = key.strip()
        if scheme.lower() != b"bearer" or not key:
            raise unauthorized("Send the endpoint's key as `Authorization: Bearer KEY`.")
        workspace, served = self._found(found)
        digest = hashlib.sha256(key).hexdigest()
        # every digest is compared in full, so that timing tells nothing
        if not any([hmac.compare_digest(digest, one) for one in served.endpoint.key_digests]):  # noqa: C419
            raise unauthorized("That key does not open this endpoint.")
        return workspace, served

    async def _loaded(self, workspace: ServedWorkspace, served: Served) -> Predictor:
        try:
            return await self.roster.predictor(workspace, served)
        except MlalmError as error:
            raise load_refusal(error) from error

    async def _computed(self, predictor: Predictor, call: Call) -> Answer:
        try:
            async with asyncio.timeout(self.limits.score_timeout_s):
                return await self.compute.run(answered, predictor, call)
        except TimeoutError:
            raise out_of_time(self.limits.score_timeout_s) from None

    async def _body(self, head: Head, receive: Receive) -> bytes | None:
        """The whole body, within its bounds of size and time; None when the client hung up."""
        if head.content_encoding not in (b"", b"identity"):
            raise bad_request("A compressed body is not taken; send it as it is.")
        limit = self.limits.max_body_bytes
        announced = int(head.content_length) if head.content_length.isdigit() else 0
        if announced > limit and head.expect:
            raise too_large(limit)
        try:
            async with asyncio.timeout(self.limits.body_timeout_s):
                message = await receive()
                if message["type"] == "http.request" and not message.get("more_body"):
                    first: bytes = message["body"]
                    if len(first) > limit:
                        raise too_large(limit)
                    return first
                return await _rest_of_body(message, receive, limit)
        except TimeoutError:
            raise too_slow(self.limits.body_timeout_s) from None


async def _rest_of_body(message: Scope, receive: Receive, limit: int) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            return None
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            # what is too much is read and dropped: a client that is still sending does not hear an answer
            parts.clear()
            if size > 8 * limit:
                raise too_large(limit)
        else:
            parts.append(part)
        if not message.get("more_body"):
            break
        message = await receive()
    if size > limit:
        raise too_large(limit)
    return b"".join(parts)


_HEADERS = {
    b"authorization": 0,
    b"content-type": 1,
    b"content-length": 2,
    b"content-encoding": 3,
    b"expect": 4,
    b"accept": 5,
    b"inference-header-content-length": 6,
    b"host": 7,
}


def _head(headers: list[tuple[bytes, bytes]]) -> Head:
    found = [b""] * len(_HEADERS)
    for name, value in headers:
        at = _HEADERS.get(name)
        if at is not None:
            found[at] = value
    return Head(*found)


@lru_cache(maxsize=256)
def _query(query: bytes) -> Query:
    """What the query asks for; names and values of any case, in any order."""
    try:
        found = {name.lower(): value for name, value in parse_qsl(query.decode("latin-1"), max_num_fields=20)}
    except ValueError as error:
        raise bad_request("The query has too many parameters.", cause="InvalidQueryParameter") from error
    return Query(
        version=found.get("api-version", API_VERSION),
        details=found.get("details", "").lower() == "true",
        as_objects=found.get("format", "").lower() == "swagger",
    )


def _address(found: Route, head: Head, scope: Scope) -> str:
    """The address of an endpoint, with the host that the client reached it by."""
    host = head.host.decode("latin-1")
    if not _HOST.fullmatch(host):
        name, port = scope.get("server") or ("127.0.0.1", 80)
        host = f"{name}:{port}"
    parts = scope["path"].split("/")
    owner = "workspaces" if parts[1].lower() == "apihelp" else parts[1].lower()
    return f"{scope.get('scheme', 'http')}://{host}/{owner}/{found.owner}/services/{found.endpoint}"


def _gone(workspace: ServedWorkspace) -> Refusal:
    message = (
        f"The folder of this service's workspace, '{workspace.projection.workspace_path}', is gone."
        " Put it back, and the service answers again."
    )
    return unavailable("WorkspaceNotFound", message)
