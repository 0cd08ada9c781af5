"""The scorer as a bare ASGI callable: address -> key -> endpoint -> predictor -> answer.

What it does not answer itself it passes on to the api process.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl

import msgspec

from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.scoring import answers, requests
from mlalm_jupyter.scoring.compute import Worker
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
from mlalm_jupyter.scoring.limits import Limits
from mlalm_jupyter.scoring.predictor import Predictor
from mlalm_jupyter.scoring.roster import Roster, Served, ServedWorkspace

API_VERSION = "2.0"
HEALTH = "/mlalm/health"
Forward = Callable[[Scope, Receive, Send, str], Awaitable[None]]
log = logging.getLogger("mlalm.scoring")


class _Head(NamedTuple):
    """The headers a scoring request is read by."""

    authorization: bytes
    content_type: bytes
    content_length: bytes
    content_encoding: bytes
    expect: bytes


class _Query(NamedTuple):
    version: str
    details: bool
    as_objects: bool


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
            address = _scoring_address(path)
            if address is not None:
                await self._score(address, scope, receive, send, request_id)
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

    async def _score(
        self, address: tuple[str, str], scope: Scope, receive: Receive, send: Send, request_id: str
    ) -> None:
        roster = self.roster
        if roster.generation.current() != roster.taken_over:
            roster.notice()
        head = _head(scope["headers"])
        if scope["method"] != "POST":
            raise method_not_allowed(scope["method"], b"POST")
        workspace, served = self._admitted(address, head.authorization)
        query = _query(scope["query_string"])
        if query.version != API_VERSION:
            message = f"The api-version '{query.version[:20]}' is not known; it should be {API_VERSION}."
            raise bad_request(message, cause="BadVersionCall", target="api-version")
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
            answer = await self._computed(predictor, body, head.content_type, query)
        finally:
            if gate is not None:
                gate.leave()
        headers = (*served.headers, *predictor.headers)
        await respond(send, 200, answer, request_id=request_id, headers=headers)

    def _admitted(self, address: tuple[str, str], authorization: bytes) -> tuple[ServedWorkspace, Served]:
        """The endpoint at an address, for whoever holds one of its own keys."""
        scheme, _, key = authorization.partition(b" ")
        key = key.strip()
        if scheme.lower() != b"bearer" or not key:
            raise unauthorized("Send the endpoint's key as `Authorization: Bearer KEY`.")
        workspace = self.roster.workspaces.get(address[0])
        if workspace is None:
            raise not_found("WorkspaceNotFound", "No workspace with that id is served here.")
        served = workspace.endpoints.get(address[1])
        if served is None:
            raise not_found("WebServiceIdNotFoundInWorkspace", "That workspace has no endpoint with that id.")
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

    async def _computed(self, predictor: Predictor, body: bytes, content_type: bytes, query: _Query) -> bytes:
        try:
            async with asyncio.timeout(self.limits.score_timeout_s):
                return await self.compute.run(_answer, predictor, body, content_type, query)
        except TimeoutError:
            raise out_of_time(self.limits.score_timeout_s) from None

    async def _body(self, head: _Head, receive: Receive) -> bytes | None:
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


def _answer(predictor: Predictor, body: bytes, content_type: bytes, query: _Query) -> bytes:
    """Bytes to bytes, in the compute thread."""
    outputs = predictor.predict(requests.decode(body, content_type))
    return answers.encode(outputs, details=query.details, as_objects=query.as_objects)


def _scoring_address(path: str) -> tuple[str, str] | None:
    """Workspace id and endpoint id of `/workspaces/{ws}/services/{endpoint}/execute`.

    >>> _scoring_address("/Workspaces/ab/services/cd/Execute/")
    ('ab', 'cd')
    """
    parts = path.split("/")
    if len(parts) == 7 and not parts[6]:
        parts.pop()
    if len(parts) != 6 or parts[0] or parts[5].lower() != "execute":
        return None
    if parts[1].lower() != "workspaces" or parts[3].lower() != "services":
        return None
    return parts[2].lower(), parts[4].lower()


_HEADERS = {
    b"authorization": 0,
    b"content-type": 1,
    b"content-length": 2,
    b"content-encoding": 3,
    b"expect": 4,
}


def _head(headers: list[tuple[bytes, bytes]]) -> _Head:
    found = [b"", b"", b"", b"", b""]
    for name, value in headers:
        at = _HEADERS.get(name)
        if at is not None:
            found[at] = value
    return _Head(*found)


@lru_cache(maxsize=256)
def _query(query: bytes) -> _Query:
    """What the query asks for; names and values of any case, in any order."""
    try:
        found = {name.lower(): value for name, value in parse_qsl(query.decode("latin-1"), max_num_fields=20)}
    except ValueError as error:
        raise bad_request("The query has too many parameters.", cause="InvalidQueryParameter") from error
    return _Query(
        version=found.get("api-version", API_VERSION),
        details=found.get("details", "").lower() == "true",
        as_objects=found.get("format", "").lower() == "swagger",
    )


def _gone(workspace: ServedWorkspace) -> Refusal:
    message = (
        f"The folder of this service's workspace, '{workspace.projection.workspace_path}', is gone."
        " Put it back, and the service answers again."
    )
    return unavailable("WorkspaceNotFound", message)
