"""Passing on to the api process: what travels, what stays, and what is said when nobody is there."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mlalm_jupyter.scoring.envelope import error_body
from mlalm_jupyter.scoring.errors import Refusal, bad_gateway
from mlalm_jupyter.scoring.forwarding import ApiForwarder

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def scope(method: str = "POST", headers: list[tuple[bytes, bytes]] | None = None) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "scheme": "https",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"x=%41",
        "headers": headers or [(b"host", b"me.example:8443")],
        "client": ("10.0.0.9", 1234),
    }


def exchanged(
    folder: Path, handler: Handler, asked: dict[str, Any], parts: list[bytes]
) -> tuple[list[dict[str, Any]], BaseException | None]:
    """What the forwarder sends on when an api process behaves like `handler`."""
    sent: list[dict[str, Any]] = []

    async def story() -> BaseException | None:
        server = await asyncio.start_unix_server(handler, folder / "api.sock")
        waiting = list(parts)

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)
            body = waiting.pop(0) if waiting else b""
            return {"type": "http.request", "body": body, "more_body": bool(waiting)}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        try:
            await ApiForwarder(folder / "api.sock", connect_s=0.2)(asked, receive, send, "the-id")
        except (Refusal, EOFError, OSError) as error:
            return error
        finally:
            server.close()
        return None

    error = asyncio.run(asyncio.wait_for(story(), 20))
    return sent, error


async def read_all(reader: asyncio.StreamReader, until: bytes) -> bytes:
    held = b""
    while not held.endswith(until):
        part = await reader.read(65536)
        if not part:
            break
        held += part
    return held


def test_host_scheme_and_query_travel_and_hop_by_hop_headers_do_not(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await read_all(reader, b"xyz"))
        writer.write(
            b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: X-Mine\r\nX-Mine: a\r\n"
            b"Keep-Alive: 5\r\nX-Kept: b\r\nX-Ms-Request-Id: forged\r\n\r\nok"
        )
        await writer.drain()
        writer.close()

    headers = [
        (b"host", b"me.example:8443"),
        (b"content-length", b"6"),
        (b"connection", b"keep-alive, X-Secret"),
        (b"x-secret", b"1"),
        (b"upgrade", b"websocket"),
        (b"te", b"trailers"),
        (b"x-forwarded-proto", b"forged"),
        (b"x-forwarded-for", b"forged"),
        (b"authorization", b"Bearer t"),
    ]
    sent, error = exchanged(tmp_path, handler, scope(headers=headers), [b"abc", b"xyz"])
    assert error is None
    head, _, rest = heard[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /a%20b?x=%41 HTTP/1.1"
    assert sorted(line.lower() for line in lines[1:]) == [
        b"authorization: bearer t",
        b"connection: close",
        b"content-length: 6",
        b"host: me.example:8443",
        b"x-forwarded-for: 10.0.0.9",
        b"x-forwarded-proto: https",
        b"x-ms-request-id: the-id",
    ]
    assert rest == b"abcxyz"
    assert sent[0]["status"] == 201
    assert sorted(sent[0]["headers"]) == [
        (b"content-length", b"2"),
        (b"x-kept", b"b"),
        (b"x-ms-request-id", b"the-id"),
    ]
    assert b"".join(message.get("body", b"") for message in sent) == b"ok"
    assert sent[-1]["more_body"] is False


def test_an_answer_streams_before_the_request_is_whole(tmp_path: Path) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 Too Large\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n")
        await writer.drain()
        writer.close()

    headers = [(b"host", b"x"), (b"transfer-encoding", b"chunked")]
    sent, error = exchanged(tmp_path, handler, scope(headers=headers), [b"x" * 1000] * 5000)
    assert error is None
    assert sent[0]["status"] == 413


def test_nobody_there_is_a_502_in_words(tmp_path: Path) -> None:
    async def story() -> None:
        async def never() -> dict[str, Any]:
            raise AssertionError("nothing is read before there is somebody to pass it to")

        with pytest.raises(Refusal, match="scoring goes on") as caught:
            await ApiForwarder(tmp_path / "api.sock", connect_s=0.2)(scope(), never, never, "id")
        assert (caught.value.status, caught.value.code) == (502, "BadGateway")

    asyncio.run(asyncio.wait_for(story(), 20))


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200", b"nonsense\r\n\r\n"])
def test_an_api_process_that_dies_before_it_answers_is_a_502(tmp_path: Path, said: bytes) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(said)
        writer.close()

    sent, error = exchanged(tmp_path, handler, scope("GET"), [])
    assert sent == []
    assert isinstance(error, Refusal)
    assert error.status == 502


def test_an_answer_that_breaks_off_is_never_taken_for_whole(tmp_path: Path) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    sent, error = exchanged(tmp_path, handler, scope("GET"), [])
    assert error is None, "the answer has begun: there is no other one to give"
    assert sent[-1]["more_body"] is True


def test_an_error_has_the_envelope_of_the_address_it_is_told_at() -> None:
    refusal = bad_gateway("Nobody is there.")
    ours = json.loads(error_body(refusal, path="/mlalm/api/endpoint/list"))["error"]
    assert (set(ours), ours["why"]) == ({"code", "what", "why", "fix"}, "Nobody is there.")
    theirs = json.loads(error_body(refusal, path="/workspaces/a/services/b"))["error"]
    assert theirs["details"][0]["message"] == "Nobody is there."


def test_an_answer_to_a_request_that_was_not_read_to_its_end_arrives_whole(tmp_path: Path) -> None:
    sent: list[dict[str, Any]] = []
    has_hung_up = threading.Event()

    def refuses(listener: socket.socket) -> None:
        line, _ = listener.accept()
        line.recv(65536)
        line.sendall(b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\nconnection: close\r\n\r\nnone")
        line.close()
        has_hung_up.set()

    async def receive() -> dict[str, Any]:
        # the loop is busy with something else meanwhile: the body goes out before the answer is looked at
        assert has_hung_up.wait(10)
        return {"type": "http.request", "body": b"x", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "api.sock"))
        listener.listen()
        api = threading.Thread(target=refuses, args=[listener])
        api.start()
        asked = scope("PUT", [(b"host", b"x"), (b"content-length", b"1")])
        asyncio.run(ApiForwarder(tmp_path / "api.sock")(asked, receive, send, "the-id"))
        api.join()
    assert [one.get("status") or one["body"] for one in sent] == [404, b"none", b""]
