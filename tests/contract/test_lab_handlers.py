"""What the Jupyter server answers for us, asked over HTTP."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tornado.httpclient import HTTPClientError

from mlalm_jupyter.surfaces.lab import typescript
from mlalm_jupyter.workspace import Workspace

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


async def test_nobody_gets_in_without_the_token(ws: Workspace, jp_fetch: Fetch, jp_base_url: str) -> None:
    for parts, method in ((("api", "workspace", "show"), "POST"), (("where",), "GET")):
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


async def test_without_a_workspace_it_says_how_to_make_one(home: Path, jp_fetch: Fetch) -> None:
    code, fault = await refused(jp_fetch("mlalm", "where"))
    assert (code, fault["code"]) == (404, "WorkspaceNotFound")
    assert "mlalm workspace init" in fault["fix"]


@pytest.mark.parametrize(
    "route",
    [
        ("api", "contents", ".mlalm"),
        ("api", "contents", ".mlalm", "keys", "signing.key"),
        ("api", "contents", "a", "..", ".mlalm", "catalog.sqlite"),
        ("files", ".mlalm", "keys", "master.key"),
    ],
)
async def test_the_record_is_never_served_as_files(
    ws: Workspace, jp_fetch: Fetch, route: tuple[str, ...]
) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch(*route)
    assert caught.value.code in (403, 404)
    assert b"SQLite" not in (caught.value.response.body if caught.value.response else b"")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
async def test_the_record_cannot_be_written_as_files(ws: Workspace, jp_fetch: Fetch, method: str) -> None:
    key = ws.path / ".mlalm/keys/signing.key"
    before = key.read_bytes()
    body = json.dumps({"type": "file", "format": "text", "content": "x", "path": "b"})
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch(
            "api",
            "contents",
            ".mlalm/keys/signing.key",
            method=method,
            body=None if method == "DELETE" else body,
        )
    assert caught.value.code == 403
    assert key.read_bytes() == before


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
    _, fault = await refused(
        jp_fetch("mlalm", "api", "service", "deploy", method="POST", body=json.dumps(args))
    )
    _fits(schema, "Fault", fault)


def _fits(schema: dict[str, Any], name: str, value: object) -> None:
    jsonschema.validate(value, {**schema, "$ref": f"#/$defs/{name}"})


def test_the_types_of_the_page_are_those_of_the_verbs() -> None:
    committed = Path(__file__).parents[2] / "labextension/src/generated/api.ts"
    assert committed.read_text(encoding="utf-8") == typescript.generated(), inspect.getdoc(typescript)
