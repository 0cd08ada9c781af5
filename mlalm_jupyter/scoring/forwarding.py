"""Passing a request on to the api process over its local socket, streaming both ways."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterable
from pathlib import Path

import h11

from mlalm_jupyter.scoring.envelope import Receive, Scope, Send
from mlalm_jupyter.scoring.errors import bad_gateway, bad_request, too_slow
from mlalm_jupyter.scoring.places import socket_address

_HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"expect",
}
# said by us and believed by the api process: a client may not say them
_OURS = {b"x-forwarded-for", b"x-forwarded-proto", b"forwarded", b"x-forwarded-host", b"x-ms-request-id"}
_CHUNK = 1 << 16
log = logging.getLogger("mlalm.scoring")
_RETRY_S = 0.05
_UPLOAD_S = 60.0
_DOWN = "The api process of the server does not answer; scoring goes on meanwhile."
Header = tuple[bytes, bytes]


class ApiForwarder:
    """The way to the api process: one connection per request, for these are few."""

    def __init__(self, socket: Path, *, connect_s: float = 20.0) -> None:
        self.socket = socket
        self.connect_s = connect_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        has_begun = False

        async def sending(message: Scope) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            with await self._reached() as line:
                await _Exchange(line, scope, request_id).run(receive, sending)
        except (OSError, EOFError, TimeoutError, h11.ProtocolError) as error:
            if not has_begun:
                raise bad_gateway(_DOWN) from error
            # half an answer is out: returning before it is whole makes uvicorn break the connection
            log.warning("request %s broke off half way: %s", request_id, error)

    async def _reached(self) -> socket.socket:
        """A connection; a process that is just being started again is given a moment."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.connect_s
        while True:
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            line.setblocking(False)
            try:
                with socket_address(self.socket) as address:
                    await loop.sock_connect(line, address)
                return line
            except (FileNotFoundError, ConnectionRefusedError):
                line.close()
                if loop.time() >= deadline:
                    raise
            except BaseException:
                line.close()
                raise
            await asyncio.sleep(_RETRY_S)


class _Exchange:
    """One request and its answer.

    Each way is looked after by itself: an answer may come, whole, from a process that did not care for the rest of
    the request and hung up on it.
    """

    def __init__(self, line: socket.socket, scope: Scope, request_id: str) -> None:
        self.line = line
        self.loop = asyncio.get_running_loop()
        self.scope = scope
        self.request_id = request_id
        self.is_too_slow = False
        self.http = h11.Connection(h11.CLIENT)

    async def run(self, receive: Receive, send: Send) -> None:
        await self.loop.sock_sendall(self.line, self.http.send(self._head()) or b"")
        upload = asyncio.create_task(self._upload(receive))
        try:
            await self._download(send)
        finally:
            upload.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError, h11.LocalProtocolError):
                await upload

    def _head(self) -> h11.Request:
        scope = self.scope
        headers = _passed(scope["headers"])
        has_length = any(name == b"content-length" for name, _ in headers)
        if not has_length and any(name == b"transfer-encoding" for name, _ in scope["headers"]):
            headers.append((b"transfer-encoding", b"chunked"))
        if not any(name == b"host" for name, _ in headers):
            headers.append((b"host", b"localhost"))
        client = scope["client"][0] if scope.get("client") else "unknown"
        headers += [
            (b"x-forwarded-proto", scope["scheme"].encode()),
            (b"x-forwarded-for", client.encode()),
            (b"x-ms-request-id", self.request_id.encode()),
            (b"connection", b"close"),
        ]
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        try:
            return h11.Request(method=scope["method"].encode(), target=target, headers=headers)
        except h11.LocalProtocolError as error:
            message = f"The request's head is not valid HTTP: {error}."
            raise bad_request(message, cause="BadParameterValue") from error

    async def _upload(self, receive: Receive) -> None:
        while True:
            try:
                async with asyncio.timeout(_UPLOAD_S):
                    message = await receive()
            except TimeoutError:
                self.is_too_slow = True
                self._hang_up()
                return
            if message["type"] == "http.disconnect":
                self._hang_up()
                return
            if body := message.get("body"):
                await self.loop.sock_sendall(self.line, self.http.send(h11.Data(body)) or b"")
            if not message.get("more_body"):
                await self.loop.sock_sendall(self.line, self.http.send(h11.EndOfMessage()) or b"")
                return

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self.line.shutdown(socket.SHUT_RDWR)

    async def _download(self, send: Send) -> None:
        while True:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                self.http.receive_data(await self.loop.sock_recv(self.line, _CHUNK))
            elif isinstance(event, h11.InformationalResponse):
                continue
            elif isinstance(event, h11.Response):
                headers = _passed(event.headers)
                headers.append((b"x-ms-request-id", self.request_id.encode()))
                await send({"type": "http.response.start", "status": event.status_code, "headers": headers})
            elif isinstance(event, h11.Data):
                await send({"type": "http.response.body", "body": bytes(event.data), "more_body": True})
            elif isinstance(event, h11.EndOfMessage):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            elif self.is_too_slow:
                raise too_slow(_UPLOAD_S)
            else:
                raise EOFError("the api process hung up")


def _passed(headers: Iterable[Header]) -> list[Header]:
    """Headers that travel on: neither of this hop only, nor ours to say."""
    headers = [(name.lower(), value.strip()) for name, value in headers]
    dropped = _HOP_BY_HOP | _OURS
    for name, value in headers:
        if name == b"connection":
            dropped = dropped | {token.strip().lower() for token in value.split(b",")}
    return [(name, value) for name, value in headers if name not in dropped]
