"""No request ends a scorer: whatever comes in over a socket, it answers with a documented error or hangs up."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator

import pytest
import requests

from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.local_host import LocalHost
from tests.contract.served import Fixed, Handmade, body, call

LIMITS = {
    "MLALM_MAX_BODY_BYTES": "200000",
    "MLALM_BODY_TIMEOUT_S": "1.5",
    "MLALM_HEAD_TIMEOUT_S": "1.5",
    "MLALM_SCORE_TIMEOUT_S": "1.5",
}


class Stage:
    """A server with tight limits, and one endpoint."""

    def __init__(self, host: LocalHost, made: Handmade) -> None:
        self.host = host
        self.made = made
        self.address = made.go_live(host, "s/default", made.model(Fixed(1)))
        self.port = int(str(host.base_url()).rpartition(":")[2])
        self.path = self.address.removeprefix(str(host.base_url())) + "/execute"

    def pids(self) -> set[int]:
        return {one.pid for one in self.host.status().processes if one.role.startswith("scorer")}

    def said(self, sent: bytes, *, hang_up: bool = False) -> bytes:
        """Everything the server says to these bytes until it hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(sent)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
            held = b""
            while part := connection.recv(65536):
                held += part
            return held

    def head(self, *lines: str, key: str = "primary-key") -> bytes:
        named = [
            f"POST {self.path} HTTP/1.1",
            "Host: x",
            f"Authorization: Bearer {key}",
            "Connection: close",
            *lines,
        ]
        return "\r\n".join([*named, "", ""]).encode()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("requests")
    before = {name: os.environ.get(name) for name in LIMITS}
    os.environ.update(LIMITS)
    host = LocalHost(Home(folder / "home"))
    try:
        yield Stage(host, Handmade(folder / "ws"))
    finally:
        host.stop()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@pytest.fixture(autouse=True)
def unharmed(stage: Stage) -> Iterator[None]:
    """After each test the same scorers answer as before."""
    before = stage.pids()
    assert len(before) == 2
    yield
    assert stage.pids() == before
    assert call(stage.address).status_code == 200


def refused(said: bytes, status: int, code: str, cause: str) -> None:
    head, _, rest = said.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode()), said[:200]
    assert b"content-type: application/json; charset=utf-8" in head.lower()
    assert b"x-ms-request-id: " in head.lower()
    error = json.loads(rest)["error"]
    assert (error["code"], error["details"][0]["code"]) == (code, cause)


def test_a_body_larger_than_the_limit_is_too_large_however_it_is_sent(stage: Stage) -> None:
    much = b" " * 300_000
    told = stage.head(f"Content-Length: {len(much)}")
    refused(stage.said(told + much), 413, "MemoryQuotaViolation", "OutOfMemoryLimit")
    chunked = stage.head("Transfer-Encoding: chunked") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(much), much)
    refused(stage.said(chunked), 413, "MemoryQuotaViolation", "OutOfMemoryLimit")


def test_a_client_that_asks_first_is_told_before_it_sends(stage: Stage) -> None:
    said = stage.said(stage.head("Content-Length: 100000000", "Expect: 100-continue"))
    refused(said, 413, "MemoryQuotaViolation", "OutOfMemoryLimit")


def test_a_hundred_megabytes_are_refused_without_being_kept(stage: Stage) -> None:
    try:
        answer = requests.post(
            f"{stage.address}/execute",
            data=b"x" * 100_000_000,
            headers={"Authorization": "Bearer primary-key"},
            timeout=60,
        )
    except requests.ConnectionError:
        return  # past eight times the limit the server hangs up while the client still sends
    assert answer.status_code == 413


def test_a_body_that_never_comes_whole_is_out_of_time(stage: Stage) -> None:
    refused(
        stage.said(stage.head("Content-Length: 100") + b'{"Inputs"'), 408, "RequestTimeout", "RequestCanceled"
    )
    refused(stage.said(stage.head("Content-Length: 100")), 408, "RequestTimeout", "RequestCanceled")


def test_a_head_that_never_comes_whole_is_out_of_time(stage: Stage) -> None:
    refused(stage.said(b"POST /x HTTP/1.1\r\nHost: x\r\nX-Slow: "), 408, "BadArgument", "RequestCanceled")
    refused(stage.said(b""), 408, "BadArgument", "RequestCanceled")


def test_a_second_head_on_a_kept_connection_is_out_of_time_too(stage: Stage) -> None:
    first = b"GET /mlalm/health HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stage.port), timeout=20) as connection:
        connection.sendall(first)
        said = b""
        while not said.endswith(b"}"):  # head and body may come apart
            said += connection.recv(65536)
        assert said.startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /mlalm/health HT")
        held = b""
        while part := connection.recv(65536):
            held += part
    refused(held, 408, "BadArgument", "RequestCanceled")


def test_a_head_without_end_is_too_large(stage: Stage) -> None:
    with socket.create_connection(("127.0.0.1", stage.port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        held = b""
        try:
            for _ in range(200):
                connection.sendall(b"X-Much: " + b"y" * 8000 + b"\r\n")
                time.sleep(0.001)
            held = connection.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            return  # it hung up before we were through, which is as good
    refused(held, 431, "BadArgument", "RequestTooLarge")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    ],
    ids=lambda sent: repr(sent[:30]),
)
def test_what_is_not_http_is_refused_in_json(stage: Stage, sent: bytes) -> None:
    said = stage.said(sent, hang_up=True)
    assert said.startswith(b"HTTP/1.1 400 "), said[:200]
    assert json.loads(said.partition(b"\r\n\r\n")[2])["error"]["code"] == "BadArgument"


def test_a_client_that_hangs_up_half_way_costs_nothing(stage: Stage) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", stage.port), timeout=20) as connection:
            connection.sendall(stage.head("Content-Length: 100000") + b'{"Inputs":')


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{" * 10_000,
        b"[" * 10_000 + b"]" * 10_000,
        b'{"Inputs":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"Inputs": {"input1": [{"age": NaN, "hours": 1}]}}',
        b'{"Inputs": {"input1": [{"age": Infinity, "hours": 1}]}}',
        b'{"Inputs": {"input1": [{"age": ' + b"9" * 100_000 + b', "hours": 1}]}}',
        b'{"Inputs": {"input1": [{"age": "\xc3\x28", "hours": 1}]}}',
        b"\xff" * 1000,
        b"age=1&hours=2",
    ],
    ids=lambda payload: repr(payload[:40]),
)
def test_a_hostile_body_is_refused_by_its_cause(stage: Stage, payload: bytes) -> None:
    said = stage.said(stage.head(f"Content-Length: {len(payload)}") + payload)
    refused(said, 400, "BadArgument", "RequestBodyInvalid")


def test_a_compressed_body_is_refused_in_words(stage: Stage) -> None:
    said = stage.said(stage.head("Content-Length: 3", "Content-Encoding: gzip") + b"abc")
    refused(said, 400, "BadArgument", "RequestBodyInvalid")


def test_a_query_with_a_thousand_parameters_is_refused(stage: Stage) -> None:
    answer = call(stage.address, query="&".join(f"p{number}=1" for number in range(1000)))
    assert answer.json()["error"]["details"][0]["code"] == "InvalidQueryParameter"


def test_many_requests_on_one_connection_sent_at_once_are_answered_in_order(stage: Stage) -> None:
    payload = json.dumps(body()).encode()
    one = (
        f"POST {stage.path}?details=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer primary-key\r\n"
        f"Content-Length: {len(payload)}\r\n\r\n"
    ).encode() + payload
    last = stage.head("Content-Length: 0")
    said = stage.said(one * 20 + last)
    assert said.count(b"HTTP/1.1 200 ") == 20
    assert said.count(b"HTTP/1.1 400 ") == 1
