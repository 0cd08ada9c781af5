"""What every answer has around it: JSON, a request id, and the published form of an error."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import msgspec

from mlalm_jupyter.scoring.addresses import V2, route
from mlalm_jupyter.scoring.errors import Refusal
from mlalm_jupyter.scoring.inference import refused

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

JSON = b"application/json; charset=utf-8"


def new_request_id() -> str:
    """A guid, as `x-ms-request-id` carries it."""
    return str(uuid.uuid4())


OURS = "/mlalm/"
"""Where the addresses begin that are our own; all others have the published service's envelope."""


def error_body(refusal: Refusal, *, path: str = "") -> bytes:
    """A refusal in the words of whoever asks at that address."""
    if (found := route(path)) is not None and found.what == V2:
        return refused(refusal)
    return msgspec.json.encode(refusal.to_ours() if path.startswith(OURS) else refusal.to_dict())


async def respond(
    send: Send,
    status: int,
    body: bytes,
    *,
    request_id: str,
    headers: Headers = (),
    content_type: bytes = JSON,
) -> None:
    """Send one whole answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", content_type),
                (b"content-length", str(len(body)).encode()),
                (b"x-ms-request-id", request_id.encode()),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, refusal: Refusal, *, request_id: str, path: str = "") -> None:
    body = error_body(refusal, path=path)
    await respond(send, refusal.status, body, request_id=request_id, headers=refusal.headers)
