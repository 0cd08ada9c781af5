"""What the Jupyter server answers for us, asked over HTTP."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest
from jupyter_server.auth.identity import User
from sklearn.linear_model import LinearRegression
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.web import create_signed_value

from mlalm_jupyter.api.services import Services
from mlalm_jupyter.surfaces.lab import typescript
from mlalm_jupyter.workspace import Workspace

pytestmark = pytest.mark.prove_experiments

pytest_plugins = ["pytest_jupyter.jupyter_server"]
Fetch = Callable[..., Awaitable[Any]]

NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "cells": [
        {
            "cell_type": "code",
            "id": "a",
            "source": "1 + 1",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
    ],
}


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {"mlalm_jupyter": True}},
        "ContentsManager": {"allow_hidden": True},
    }


@pytest.fixture
def ws(home: Path, jp_root_dir: Path) -> Workspace:
    return Workspace.init(jp_root_dir)


@pytest.fixture
def ask(
    http_server_client: Any, jp_base_url: str, jp_auth_header: dict[str, str]
) -> Callable[..., Awaitable[tuple[int, bytes]]]:
    """Ask for an address exactly as it is written, escapes and all; refusals come back like other answers."""

    async def asked(address: str, headers: dict[str, str] | None = None, **rest: Any) -> tuple[int, bytes]:
        answer = await http_server_client.fetch(
            jp_base_url.rstrip("/") + address,
            headers={**jp_auth_header, **(headers or {})},
            raise_error=False,
            **rest,
        )
        return answer.code, answer.body

    return asked


async def refused(answer: Awaitable[Any]) -> tuple[int, dict[str, str]]:
    with pytest.raises(HTTPClientError) as caught:
        await answer
    assert caught.value.response is not None
    return caught.value.code, json.loads(caught.value.response.body)["error"]


async def asked(fetch: Fetch, verb: str, **arguments: object) -> Any:
    answer = await fetch("mlalm", "api", *verb.split("/"), method="POST", body=json.dumps(arguments))
    return json.loads(answer.body)["result"]


async def test_a_verb_answers_with_its_result(ws: Workspace, jp_fetch: Fetch) -> None:
    assert (await asked(jp_fetch, "workspace/show"))["id"] == ws.info.id


async def test_a_verb_nobody_knows_is_not_found(ws: Workspace, jp_fetch: Fetch) -> None:
    code, fault = await refused(jp_fetch("mlalm", "api", "endpoint", "patsch", method="POST", body="{}"))
    assert (code, fault["code"]) == (404, "NotFound")
    assert "patch" in fault["why"]


async def test_a_body_that_is_no_json_is_refused(ws: Workspace, jp_fetch: Fetch) -> None:
    code, fault = await refused(jp_fetch("mlalm", "api", "model", "list", method="POST", body="{nope"))
    assert (code, fault["code"]) == (400, "InvalidInput")


async def test_an_error_says_what_why_and_what_to_do(ws: Workspace, jp_fetch: Fetch) -> None:
    body = json.dumps({"model": "churn:9"})
    code, fault = await refused(jp_fetch("mlalm", "api", "model", "show", method="POST", body=body))
    assert (code, fault["what"]) == (404, "No model 'churn:9'.")
    assert fault["why"]
    assert fault["fix"]


async def test_a_page_learns_how_far_a_long_verb_is_and_nothing_is_kept_of_it(
    ws: Workspace, jp_fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, seen = threading.Event(), threading.Event()

    def setup(holder: Any, **arguments: object) -> str:
        holder._context.progress("Running the notebook once more", 2, 5)
        told.set()
        assert seen.wait(30)
        return "done"

    async def how_far(ticket: str) -> Any:
        return json.loads((await jp_fetch("mlalm", "progress", params={"ticket": ticket})).body)["progress"]

    monkeypatch.setattr(Services, "setup", setup)
    body = json.dumps({"kind": "predictive", "notebook": "a.ipynb"})
    asking = asyncio.ensure_future(
        jp_fetch("mlalm", "api", "service", "setup", method="POST", body=body, params={"ticket": "t1"})
    )
    assert await asyncio.get_running_loop().run_in_executor(None, told.wait, 30)
    assert await how_far("t1") == {"text": "Running the notebook once more", "done": 2, "total": 5}
    assert await how_far("t2") is None
    seen.set()
    assert json.loads((await asking).body) == {"result": "done"}
    assert await how_far("t1") is None


async def test_nobody_gets_in_without_the_token(ws: Workspace, jp_fetch: Fetch, jp_base_url: str) -> None:
    for parts, method in (
        (("api", "workspace", "show"), "POST"),
        (("where",), "GET"),
        (("progress",), "GET"),
    ):
        with pytest.raises(HTTPClientError) as caught:
            await jp_fetch(
                "mlalm",
                *parts,
                method=method,
                body="{}" if method == "POST" else None,
                headers={"Authorization": "token wrong"},
                follow_redirects=False,
            )
        assert caught.value.code in (302, 403)


async def test_the_page_learns_where_the_workspace_lies(
    ws: Workspace, jp_fetch: Fetch, jp_root_dir: Path
) -> None:
    place = json.loads((await jp_fetch("mlalm", "where")).body)
    assert place == {"workspace": str(jp_root_dir.resolve()), "folder": ""}


async def test_the_workspace_around_a_notebook_is_the_one_that_is_meant(
    home: Path, jp_fetch: Fetch, jp_root_dir: Path
) -> None:
    for name in ("one", "two"):
        Workspace.init(jp_root_dir / name).close()
        (jp_root_dir / name / "deep").mkdir()
    place = json.loads((await jp_fetch("mlalm", "where", params={"near": "two/deep/train.ipynb"})).body)
    assert place == {"workspace": str((jp_root_dir / "two").resolve()), "folder": "two"}
    code, fault = await refused(jp_fetch("mlalm", "where"))
    assert (code, fault["code"]) == (404, "WorkspaceNotFound"), "the folder above both is none"


async def test_the_workspace_of_the_environment_goes_before_the_nearest(
    ws: Workspace, jp_fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workspace.init(tmp_path / "elsewhere") as other, Workspace.init(tmp_path / "named") as named:
        monkeypatch.setenv("MLALM_WORKSPACE", str(other.path))
        place = json.loads((await jp_fetch("mlalm", "where")).body)
        assert place == {"workspace": str(other.path.resolve()), "folder": None}
        assert (await asked(jp_fetch, "workspace/show"))["id"] == other.info.id
        answer = await jp_fetch(
            "mlalm",
            "api",
            "workspace",
            "show",
            params={"workspace": str(named.path)},
            method="POST",
            body="{}",
        )
        assert json.loads(answer.body)["result"]["id"] == named.info.id, (
            "a workspace that is asked for goes first"
        )


async def test_files_lie_in_the_folder_that_jupyter_serves(
    ws: Workspace, jp_fetch: Fetch, jp_root_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started_in = tmp_path / "started-in"
    started_in.mkdir()
    monkeypatch.chdir(started_in)
    (jp_root_dir / "data").mkdir()
    (jp_root_dir / "data/rows.csv").write_text("a\n1\n")
    (jp_root_dir / "f.py").write_text("def f(rows):\n    return rows\n")
    await asked(jp_fetch, "dataset/upload", file="data/rows.csv", name="rows")
    told = await asked(jp_fetch, "dataset/download", dataset="rows", file="out/copy.csv")
    assert told["file"] == str((jp_root_dir / "out/copy.csv").resolve())
    assert (jp_root_dir / "out/copy.csv").read_text() == "a\n1\n"
    what = {"what": "f.py", "sample": "rows", "service": "same"}
    await asked(jp_fetch, "service/deploy", **what)
    await asked(jp_fetch, "wsd/export", what="same", file="same.wsd.json")
    assert (jp_root_dir / "same.wsd.json").exists()
    await asked(jp_fetch, "wsd/validate", file="same.wsd.json")
    assert list(started_in.iterdir()) == []
    _, fault = await refused(
        jp_fetch(
            "mlalm",
            "api",
            "dataset",
            "upload",
            method="POST",
            body='{"file": "ftp://a/b.csv", "name": "far"}',
        )
    )
    assert str(jp_root_dir) not in fault["what"] + fault["why"], "an address is no file here"


async def test_whatever_may_name_a_file_names_it_from_the_folder_that_jupyter_serves(
    home: Path, jp_fetch: Fetch, jp_root_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a workspace below that folder, which is where the process is not."""
    started_in = tmp_path / "started-in"
    started_in.mkdir()
    monkeypatch.chdir(started_in)
    team = jp_root_dir / "team"
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    with Workspace.init(team) as made, Workspace.init(jp_root_dir / "far"):
        made.models.register(LinearRegression().fit(frame, [1.0, 2.0]), "line", sample=frame)
        made.models.download("line", str(team / "line.ilearner"))
    (team / "train.ipynb").write_text(json.dumps(NOTEBOOK))
    (team / "rows.csv").write_text("a\n1\n2\n")
    (team / "f.py").write_text("def f(rows):\n    return rows\n")
    (team / "line").mkdir()

    async def done(verb: str, **arguments: object) -> Any:
        params = {"workspace": str(team)}
        answer = await jp_fetch(
            *("mlalm", "api", *verb.split("/")),
            params=params,
            method="POST",
            body=json.dumps(arguments),
            request_timeout=90,  # the first deployment starts the server
        )
        return json.loads(answer.body)["result"]

    saved = await done("experiment/save-as", source="team/train.ipynb", name="second")
    assert (saved["experiment"]["path"], saved["experiment"]["parent"]) == ("second.ipynb", "train.ipynb")
    nearest = await asked(jp_fetch, "experiment/save-as", source="team/train", name="third")
    assert nearest["experiment"]["parent"] == "train.ipynb", (
        "its workspace is the nearest one around the source"
    )
    await done("experiment/export", source="team/train.ipynb", file="team/train.json")
    await done("experiment/graph", source="team/train")
    await done("experiment/diff", before="team/train.ipynb", after="team/second.ipynb")
    assert (await done("experiment/copy", source="team/train.ipynb", to="far"))["experiment"]["path"]
    assert (jp_root_dir / "far/train.ipynb").exists()
    await done("gallery/publish", source="team/train.ipynb", gallery="shared")
    assert (jp_root_dir / "shared/train/about.json").exists()
    assert [one["name"] for one in await done("gallery/list", gallery="shared")] == ["train"]
    await done("gallery/clone", package="train", gallery="shared", name="fourth")
    await done("model/register", model="team/line.ilearner", name="again")
    # a word is a reference, also where a folder has that name
    await done("service/deploy", what="line", service="lines", sample="team/rows.csv")
    await done("service/deploy", what="team/f.py:f", service="same", sample="team/rows.csv")
    (team / "second.ipynb").rename(team / "moved.ipynb")
    moved = await done("experiment/move", notebook="second.ipynb", to="team/moved.ipynb")
    assert moved["path"] == "moved.ipynb"
    assert list(started_in.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [({}, "."), ({"path": None}, "."), ({"path": "sub"}, "sub"), ({"path": "."}, ".")],
)
async def test_a_workspace_is_made_in_the_folder_that_jupyter_serves(
    home: Path,
    jp_fetch: Fetch,
    jp_root_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: dict[str, object],
    folder: str,
) -> None:
    started_in = tmp_path / "started-in"
    started_in.mkdir()
    monkeypatch.chdir(started_in)
    made = await asked(jp_fetch, "workspace/init", **arguments)
    assert made["path"] == str((jp_root_dir / folder).resolve())
    assert list(started_in.iterdir()) == []


@pytest.mark.timeout(60)
async def test_followers_of_jobs_do_not_keep_the_panel_waiting(
    ws: Workspace,
    jp_fetch: Fetch,
    jp_root_dir: Path,
    jp_base_url: str,
    jp_auth_header: dict[str, str],
    http_server_port: tuple[Any, int],
) -> None:
    slow = {**NOTEBOOK["cells"][0], "source": "import time; time.sleep(600)"}  # type: ignore[index]
    (jp_root_dir / "slow.ipynb").write_text(json.dumps({**NOTEBOOK, "cells": [slow]}))
    run = await asked(jp_fetch, "experiment/run", notebook="slow.ipynb", wait=False)
    # the client of the fixtures sends ten requests at once and no more
    client = SimpleAsyncHTTPClient(force_instance=True, max_clients=40)
    follow = HTTPRequest(
        f"http://localhost:{http_server_port[1]}{jp_base_url}mlalm/api/job/follow",
        method="POST",
        headers=jp_auth_header,
        body=json.dumps({"job": run["job_id"]}),
        request_timeout=60,
    )
    followers = [asyncio.ensure_future(client.fetch(follow)) for _ in range(40)]
    try:
        await asyncio.sleep(0.5)  # until they hold what they can hold
        answer = await asyncio.wait_for(asked(jp_fetch, "service/list"), timeout=20)
        assert answer == []
        assert not any(follower.done() for follower in followers)
    finally:
        await asked(jp_fetch, "run/cancel", run=run["id"])
        ends = await asyncio.wait_for(asyncio.gather(*followers), timeout=30)
    assert {json.loads(end.body)["result"]["state"] for end in ends} == {"Canceled"}


async def test_without_a_workspace_it_says_how_to_make_one(home: Path, jp_fetch: Fetch) -> None:
    code, fault = await refused(jp_fetch("mlalm", "where"))
    assert (code, fault["code"]) == (404, "WorkspaceNotFound")
    assert "mlalm workspace init" in fault["fix"]
    code, fault = await refused(jp_fetch("mlalm", "api", "service", "list", method="POST", body="{}"))
    assert (code, fault["code"]) == (404, "WorkspaceNotFound")


@pytest.mark.parametrize(
    "address",
    [
        "/api/contents/.mlalm",
        "/api/contents/.mlalm/keys/signing.key",
        "/api/contents//.mlalm/keys/signing.key",
        "/api/contents/%2Emlalm/keys/signing.key",
        "/api/contents/a%2F..%2F.mlalm%2Fcatalog.sqlite",
        "/api/contents/link/keys/signing.key",
        "/files/.mlalm/keys/master.key",
        "/files/.%6Dlalm/keys/master.key",
        "/files/link/keys/master.key",
        "/nbconvert/html/.mlalm/keys/signing.key",
    ],
)
async def test_the_record_is_never_served_as_files(
    ws: Workspace, ask: Callable[..., Awaitable[tuple[int, bytes]]], jp_root_dir: Path, address: str
) -> None:
    (jp_root_dir / "link").symlink_to(jp_root_dir / ".mlalm")
    (jp_root_dir / "near.txt").write_text("seen")
    assert (await ask("/files/near.txt"))[1] == b"seen", "files beside it are served"
    code, body = await ask(address)
    assert code == 403
    assert b"It is the workspace's record" in body


async def test_the_record_is_not_listed_and_does_not_spoil_the_list(
    ws: Workspace, ask: Callable[..., Awaitable[tuple[int, bytes]]], jp_root_dir: Path
) -> None:
    (jp_root_dir / "link").symlink_to(jp_root_dir / ".mlalm")
    (jp_root_dir / ".hidden").write_text("shown, as the settings say")
    code, body = await ask("/api/contents")
    assert code == 200
    assert [entry["name"] for entry in json.loads(body)["content"]] == [".hidden"]


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("PUT", ".mlalm/keys/signing.key", {"type": "file", "format": "text", "content": "x"}),
        ("PUT", "%2Emlalm/keys/signing.key", {"type": "file", "format": "text", "content": "x"}),
        ("PUT", "link/keys/signing.key", {"type": "file", "format": "text", "content": "x"}),
        ("DELETE", ".mlalm/keys/signing.key", None),
        ("DELETE", "%2Emlalm/keys/signing.key", None),
        ("PATCH", "%2Emlalm/keys/signing.key", {"path": "mine"}),
        ("PATCH", "near.txt", {"path": ".mlalm/keys/signing.pub"}),
        ("POST", "", {"copy_from": ".mlalm/keys/signing.key"}),
        ("POST", ".mlalm/keys", {"copy_from": "near.txt"}),
        ("POST", ".mlalm/keys/signing.key/checkpoints", {}),
    ],
)
async def test_the_record_cannot_be_written_copied_or_moved_as_files(
    ws: Workspace,
    ask: Callable[..., Awaitable[tuple[int, bytes]]],
    jp_root_dir: Path,
    method: str,
    address: str,
    body: dict[str, str] | None,
) -> None:
    (jp_root_dir / "link").symlink_to(jp_root_dir / ".mlalm")
    (jp_root_dir / "near.txt").write_text("x")
    keys = jp_root_dir / ".mlalm/keys"
    before = {path.name: path.read_bytes() for path in keys.iterdir()}
    code, _ = await ask(
        f"/api/contents/{address}", method=method, body=None if body is None else json.dumps(body)
    )
    assert code == 403
    assert {path.name: path.read_bytes() for path in keys.iterdir()} == before
    assert {path.name for path in jp_root_dir.iterdir()} == {".mlalm", "link", "near.txt"}


async def test_a_page_of_another_site_cannot_use_the_session_of_a_person(
    ws: Workspace, ask: Callable[..., Awaitable[tuple[int, bytes]]], jp_serverapp: Any
) -> None:
    people = jp_serverapp.identity_provider
    people.cookie_name = "session"
    ada = people.user_to_cookie(User("ada"))
    signed = create_signed_value(jp_serverapp.web_app.settings["cookie_secret"], "session", ada).decode()
    cookies = {"Cookie": f"session={signed}; _xsrf=right", "Authorization": ""}
    address = "/mlalm/api/workspace/show"
    assert (await ask(address, method="POST", body="{}", headers=cookies))[0] == 403
    own = {**cookies, "X-XSRFToken": "right"}
    assert (await ask(address, method="POST", body="{}", headers=own))[0] == 200


@pytest.mark.timeout(120)
async def test_a_notebook_runs_and_its_answers_fit_the_schema(
    ws: Workspace, jp_fetch: Fetch, jp_root_dir: Path
) -> None:
    (jp_root_dir / "one.ipynb").write_text(json.dumps(NOTEBOOK))
    schema = typescript.answers_schema()
    run = await asked(jp_fetch, "experiment/run", notebook="one.ipynb", wait=False)
    for _ in range(400):
        if run["status"] not in ("Queued", "Running"):
            break
        await asyncio.sleep(0.1)
        run = await asked(jp_fetch, "run/show", run=run["id"])
    assert (run["status"], run["cells_done"]) == ("Finished", 1)
    experiments = await asked(jp_fetch, "experiment/list")
    assert [one["path"] for one in experiments] == ["one.ipynb"]
    _fits(schema, "Experiment", experiments[0])
    (jp_root_dir / "f.py").write_text("def f(rows):\n    return rows\n")
    (jp_root_dir / "rows.csv").write_text("a\n1\n")
    args = {"what": str(jp_root_dir / "f.py"), "service": "same", "sample": str(jp_root_dir / "rows.csv")}
    _fits(schema, "WebService", await asked(jp_fetch, "service/deploy", **args))
    (jp_root_dir / "f.py").write_text("def f(rows):\n    return rows[:1]\n")
    _, fault = await refused(
        jp_fetch("mlalm", "api", "service", "deploy", method="POST", body=json.dumps(args))
    )
    _fits(schema, "Fault", fault)


def _fits(schema: dict[str, Any], name: str, value: object) -> None:
    jsonschema.validate(value, {**schema, "$ref": f"#/$defs/{name}"})


def test_the_types_of_the_page_are_those_of_the_verbs() -> None:
    committed = Path(__file__).parents[2] / "labextension/src/generated/api.ts"
    assert committed.read_text(encoding="utf-8") == typescript.generated(), inspect.getdoc(typescript)


async def test_words_that_begin_with_a_tilde_are_no_files(ws: Workspace, jp_fetch: Fetch) -> None:
    (ws.path / "a.ipynb").write_text('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}')
    kept = await asked(
        jp_fetch, "experiment/snapshot", notebook=str(ws.path / "a.ipynb"), message="~5% better than before"
    )
    assert kept["message"] == "~5% better than before"
    status, _ = await refused(asked(jp_fetch, "experiment/snapshot", notebook="~nobody-here/a.ipynb"))
    assert status in (400, 404)
