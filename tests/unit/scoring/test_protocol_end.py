"""A process that ends answers those whom it has let in."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest
import uvicorn

from mlalm_jupyter.scoring.limits import Limits
from mlalm_jupyter.scoring.protocol import bounded_protocol

ASKS = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


async def answers(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def listener() -> socket.socket:
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    found.listen()
    return found


@pytest.mark.parametrize("asks_after_s", [0.0, 0.4])
def test_a_connection_that_was_taken_before_the_end_is_answered(
    listener: socket.socket, asks_after_s: float
) -> None:
    config = uvicorn.Config(
        answers, http=bounded_protocol(Limits()), lifespan="off", log_config=None, timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        with socket.create_connection(listener.getsockname(), timeout=10) as caller:
            until = time.monotonic() + 10
            while not server.server_state.connections and time.monotonic() < until:
                time.sleep(0.01)
            server.should_exit = True
            time.sleep(asks_after_s)
            caller.sendall(ASKS)
            answer = b""
            while part := caller.recv(1000):
                answer += part
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"ok")
    finally:
        server.should_exit = True
        thread.join(timeout=20)
    assert not thread.is_alive()


def test_one_that_never_asks_does_not_hold_the_end_up(listener: socket.socket) -> None:
    config = uvicorn.Config(answers, http=bounded_protocol(Limits()), lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    with socket.create_connection(listener.getsockname(), timeout=10):
        until = time.monotonic() + 10
        while not server.server_state.connections and time.monotonic() < until:
            time.sleep(0.01)
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()
