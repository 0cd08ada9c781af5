"""What the server answers beside scoring, through the public port of a real one over a real workspace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.local_host import LocalHost
from mlalm_jupyter.workspace import Workspace

ROWS = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})


def total(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(total=rows["a"] + rows["b"])


class Stage:
    def __init__(self, folder: Path) -> None:
        self.host = LocalHost(Home(folder / "home"))
        self.ws = Workspace.init(folder / "ws", host=self.host)
        self.ws.services.deploy(total, "sums", sample=ROWS)
        self.base = str(self.host.base_url())
        self.token = self.ws.context.keyring.management_token()

    def verb(self, noun: str, name: str, body: Any = None, *, token: str | None = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        url = f"{self.base}/mlalm/api/{noun}/{name}"
        return requests.post(url, json={} if body is None else body, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("api"))
    yield made
    made.ws.close()
    made.host.stop()


def soon(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_a_verb_is_done_in_the_workspace_whose_token_was_sent(stage: Stage) -> None:
    answer = stage.verb("endpoint", "add", {"endpoint": "sums/ep2"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"]["reference"] == "sums/ep2"
    assert stage.ws.endpoints.show("sums/ep2").id == answer.json()["result"]["id"]
    assert stage.ws.services.score("sums/ep2", ROWS).rows[0] == (1.0, 3.0, 4.0)


def test_what_a_verb_refuses_is_told_in_what_why_and_fix(stage: Stage) -> None:
    answer = stage.verb("service", "show", {"service": "sum"})
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["code"] == "NotFound"
    assert "sums" in error["why"]
    assert stage.verb("nonsense", "show").status_code == 404
    assert stage.verb("service", "show", {"services": "sums"}).status_code == 400


def test_a_server_is_not_stopped_through_itself(stage: Stage) -> None:
    answer = stage.verb("server", "stop")
    assert answer.status_code == 409
    assert "mlalm server stop" in answer.json()["error"]["fix"]
    assert stage.verb("server", "status").json()["result"]["is_running"] is True


@pytest.mark.parametrize("token", ["", "wrong", "x" * 5000])
def test_without_a_management_token_nothing_is_done(stage: Stage, token: str) -> None:
    answer = stage.verb("endpoint", "add", {"endpoint": "sums/ep3"}, token=token)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "Unauthorized"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_scoring_key_manages_nothing_and_a_management_token_scores_nothing(stage: Stage) -> None:
    keys = stage.ws.endpoints.keys("sums")
    assert stage.verb("endpoint", "list", token=keys.primary).status_code == 401
    address = stage.ws.endpoints.show("sums/default").address
    headers = {"Authorization": f"Bearer {stage.token}"}
    assert requests.post(f"{address}/execute", json={}, headers=headers, timeout=60).status_code == 401


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"', b"[" * 10_000, b"\xff", b"{}" + b" " * (17 << 20)])
def test_a_body_that_is_no_object_is_refused(stage: Stage, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {stage.token}", "Content-Type": "application/json"}
    answer = requests.post(f"{stage.base}/mlalm/api/endpoint/list", data=body, headers=headers, timeout=60)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == "InvalidInput"


def test_the_page_tells_what_runs_and_no_secret(stage: Stage) -> None:
    answer = requests.get(f"{stage.base}/", timeout=60)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert stage.base in answer.text
    assert "scorer-1" in answer.text
    keys = stage.ws.endpoints.keys("sums")
    for secret in (keys.primary, keys.secondary, stage.token, "sums", str(stage.ws.path)):
        assert secret not in answer.text


def test_the_server_tells_its_health(stage: Stage) -> None:
    told = requests.get(f"{stage.base}/mlalm/health/server", timeout=60).json()
    assert (told["status"], told["base_url"], told["workspaces"]) == ("ok", stage.base, 1)
    assert {process["role"] for process in told["processes"]} >= {"supervisor", "scorer-0", "scorer-1", "api"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("POST", "/workspaces/a/services/b", 404),
    ],
)
def test_what_is_not_there_is_told_in_the_published_envelope(
    stage: Stage, method: str, path: str, status: int
) -> None:
    answer = requests.request(method, f"{stage.base}{path}", timeout=60)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["details"][0]["code"] == error["code"]
    assert "x-ms-request-id" in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/mlalm/api/endpoint/list", 405, "MethodNotAllowed"),
        ("GET", "/mlalm/nothing", 404, "NotFound"),
        ("POST", "/mlalm/api/no", 404, "NotFound"),
        ("POST", "/mlalm/api/endpoint/list", 401, "Unauthorized"),
    ],
)
def test_our_own_addresses_tell_every_error_in_our_envelope(
    stage: Stage, method: str, path: str, status: int, code: str
) -> None:
    answer = requests.request(method, f"{stage.base}{path}", timeout=60)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert (set(error), error["code"]) == ({"code", "what", "why", "fix"}, code)
    assert all(error.values())


def test_what_was_committed_and_never_published_is_published_soon(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill between the commit and the publishing."""
    monkeypatch.setattr(stage.host, "publish", lambda *_: None)
    made = stage.ws.endpoints.add("sums/late")
    monkeypatch.undo()
    key = stage.ws.endpoints.keys("sums/late").primary
    body = {"Inputs": {"input1": [{"a": 1, "b": 2}]}}

    def answers() -> bool:
        headers = {"Authorization": f"Bearer {key}"}
        answer = requests.post(f"{made.address}/execute", json=body, headers=headers, timeout=60)
        return answer.status_code == 200

    soon(answers)
