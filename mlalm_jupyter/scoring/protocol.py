"""The HTTP protocol of a scorer: uvicorn's, which bounds neither size nor time of a request's head."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from mlalm_jupyter.scoring.envelope import error_body, new_request_id
from mlalm_jupyter.scoring.errors import Refusal
from mlalm_jupyter.scoring.limits import Limits

_LAST_ASKED_S = 1.0
"""How long a connection without any request is held when its process ends."""


class BoundedProtocol(HttpToolsProtocol):
    """Closes connections whose request head is too large or too slow, and speaks JSON even then."""

    limits = Limits()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._in_head = True
        self._has_ended = False
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._has_asked = self._is_ending = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End with the process; whoever was taken in and has not asked yet gets a moment to, and an answer."""
        if not (self._has_asked or self._is_ending):
            self._is_ending = True
            self.loop.call_later(_LAST_ASKED_S, self.shutdown)
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        self._has_ended = False
        super().data_received(data)
        if self._in_head and self.parser is not None and not self.transport.is_closing():
            # what follows the end of a message in one chunk is left uncounted: it is at most that chunk
            self._head_bytes = 0 if self._has_ended else self._head_bytes + len(data)
            if self._head_bytes > self.limits.max_head_bytes:
                self._refuse(431, "RequestTooLarge", "The request's head is too large.")
            elif self._head_timer is None and self._head_bytes > 0:
                self._arm()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._has_asked = True
        self._disarm()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = self._has_ended = True

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "BadParameterValue", "The request is not valid HTTP.")

    def _refuse(self, status: int, cause: str, message: str) -> None:
        body = error_body(Refusal(status, "BadArgument", cause, message))
        lines = [
            STATUS_LINE[status],
            b"content-type: application/json; charset=utf-8\r\n",
            b"content-length: %d\r\n" % len(body),
            b"x-ms-request-id: %s\r\n" % new_request_id().encode(),
            b"connection: close\r\n\r\n",
            body,
        ]
        self.transport.write(b"".join(lines))
        self.transport.close()

    def _arm(self) -> None:
        self._disarm()
        self._head_timer = self.loop.call_later(self.limits.head_timeout_s, self._too_slow)

    def _disarm(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self._refuse(408, "RequestCanceled", "The request's head did not arrive in time.")


def bounded_protocol(limits: Limits) -> type[BoundedProtocol]:
    """The protocol with limits of its own; uvicorn takes a class and makes the objects itself."""
    return type("BoundedProtocol", (BoundedProtocol,), {"limits": limits})
