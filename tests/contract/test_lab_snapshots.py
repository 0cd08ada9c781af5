"""Locked snapshots in the Jupyter server: a drive that is read, and that nothing can change."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlalm_jupyter.domain.errors import SnapshotLocked
from mlalm_jupyter.domain.run import Cells, Run, RunStatus
from mlalm_jupyter.ports import Execution
from mlalm_jupyter.workspace import Workspace

pytestmark = pytest.mark.prove_experiments

pytest_plugins = ["pytest_jupyter.jupyter_server"]
Ask = Callable[..., Awaitable[tuple[int, Any]]]

WHY = "A snapshot is the record of what ran and stays as it is."


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {"mlalm_jupyter": True}},
        "ContentsManager": {"allow_hidden": True},
    }


@pytest.fixture
def ws(home: Path, jp_root_dir: Path) -> Iterator[Workspace]:
    with Workspace.init(jp_root_dir / "rides") as workspace:
        yield workspace


def notebook(*cells: str, prints: str = "") -> bytes:
    stream = {"output_type": "stream", "name": "stdout", "text": [prints]}
    shape: dict[str, Any] = {"cell_type": "code", "metadata": {}, "execution_count": None}
    filled = [
        {**shape, "id": f"c{number}", "source": [cell], "outputs": [stream] if prints else []}
        for number, cell in enumerate(cells)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": filled}).encode()


def written(workspace: Workspace, path: str, *cells: str) -> None:
    place = workspace.path / path
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(notebook(*cells))


@pytest.fixture
def run(ws: Workspace) -> Run:
    written(ws, "deep/train.ipynb", "1 + 1", "rows = 2")
    return ws.experiments.snapshot(str(ws.path / "deep/train.ipynb"))


@pytest.fixture
def ask(http_server_client: Any, jp_base_url: str, jp_auth_header: dict[str, str]) -> Ask:
    """Ask for an address exactly as it is written; refusals come back like other answers."""

    async def asked(
        address: str, body: object = None, headers: dict[str, str] | None = None, **rest: Any
    ) -> tuple[int, Any]:
        answer = await http_server_client.fetch(
            jp_base_url.rstrip("/") + address,
            headers={**jp_auth_header, **(headers or {})},
            body=None if body is None else json.dumps(body),
            raise_error=False,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            **rest,
        )
        return answer.code, json.loads(answer.body) if answer.body else None

    return asked


DRIVES = pytest.mark.parametrize(
    "drive", ["/mlalm/snapshots/", "/api/contents/mlalm:", "/api/contents/mlalm%3A"]
)


@DRIVES
async def test_a_snapshot_is_read_as_a_notebook_that_cannot_be_written(
    ws: Workspace, run: Run, ask: Ask, drive: str
) -> None:
    code, model = await ask(f"{drive}rides/deep/train.ipynb/{run.id}.locked.ipynb")
    assert (code, model["type"], model["format"], model["writable"]) == (200, "notebook", "json", False)
    assert model["path"] == f"rides/deep/train.ipynb/{run.id}.locked.ipynb"
    assert [cell["source"] for cell in model["content"]["cells"]] == ["1 + 1", "rows = 2"]
    assert all(cell["metadata"]["editable"] is False for cell in model["content"]["cells"])
    stored = ws.blobs.get(run.snapshot.digest)
    assert b"editable" not in stored, "what is kept says nothing of pages"
    code, bare = await ask(f"{drive}rides/deep/train.ipynb/{run.id}.locked.ipynb?content=0")
    assert (code, bare["content"], bare["format"]) == (200, None, None)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + notebook("1 + 1"),
        notebook("1 + 1").decode().encode("utf-16"),
        b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "1 + 1"}]}',
        b'{"nbformat": 4, "nbformat_minor": "x", "metadata": [], "cells": [{"source": ["1 ", "+ 1"], "metadata": 3}]}',
    ],
    ids=["byte order mark", "utf-16", "bare", "odd"],
)
async def test_a_notebook_that_another_program_wrote_opens_too(
    ws: Workspace, ask: Ask, content: bytes
) -> None:
    (ws.path / "odd.ipynb").write_bytes(content)
    kept = ws.experiments.snapshot(str(ws.path / "odd.ipynb"))
    code, model = await ask(f"/mlalm/snapshots/rides/odd.ipynb/{kept.id}.locked.ipynb")
    assert code == 200, model
    (cell,) = model["content"]["cells"]
    assert (cell["source"], cell["metadata"]["editable"]) == ("1 + 1", False)
    assert ws.blobs.get(kept.snapshot.digest) == content


async def test_a_run_shows_what_its_cells_printed(ws: Workspace, run: Run, ask: Ask) -> None:
    submitted = ws.blobs.get(run.snapshot.digest)
    one, lease = ws.recorder.begin(submitted, path=run.path, parameters={}, origin="test", owner="test")
    ws.recorder.running(one, lease)
    execution = Execution(notebook("1 + 1", prints="2\n"), RunStatus.FINISHED, Cells(done=1, total=1))
    assert ws.recorder.end(one, lease, execution).executed_digest
    _, model = await ask(f"/mlalm/snapshots/rides/deep/train.ipynb/{one.id}.locked.ipynb")
    assert model["content"]["cells"][0]["outputs"][0]["text"] == "2\n"


@DRIVES
async def test_folders_list_experiments_and_experiments_list_runs(
    ws: Workspace, run: Run, ask: Ask, drive: str
) -> None:
    written(ws, "score.ipynb", "3")
    ws.experiments.snapshot(str(ws.path / "score.ipynb"))
    _, top = await ask(f"{drive}rides")
    assert [(one["name"], one["type"]) for one in top["content"]] == [
        ("deep", "directory"),
        ("score.ipynb", "directory"),
    ]
    _, deep = await ask(f"{drive}rides/deep")
    assert [one["path"] for one in deep["content"]] == ["rides/deep/train.ipynb"]
    _, runs = await ask(f"{drive}rides/deep/train.ipynb")
    assert [one["name"] for one in runs["content"]] == [f"{run.id}.locked.ipynb"], (
        "the draft is a file, and not here"
    )


async def test_what_is_not_there_is_not_found_in_our_words(ws: Workspace, run: Run, ask: Ask) -> None:
    for path in (
        f"rides/deep/other.ipynb/{run.id}.locked.ipynb",
        "rides/deep/train.ipynb/ffff.locked.ipynb",
        "rides/no",
    ):
        code, body = await ask(f"/mlalm/snapshots/{path}")
        assert (code, body["error"]["code"]) == (404, "NotFound"), path
    code, body = await ask("/mlalm/snapshots/elsewhere")
    assert (code, body["error"]["code"]) == (404, "WorkspaceNotFound")


@DRIVES
@pytest.mark.parametrize(
    ("method", "ending", "body"),
    [
        ("PUT", "", {"type": "notebook", "format": "json", "content": {}}),
        ("PATCH", "", {"path": "mine.ipynb"}),
        ("POST", "", {"type": "notebook"}),
        ("POST", "/checkpoints", {}),
        ("POST", "/checkpoints/1", {}),
        ("DELETE", "", None),
        ("DELETE", "/checkpoints/1", None),
    ],
)
async def test_no_request_changes_a_snapshot(
    ws: Workspace, run: Run, ask: Ask, jp_root_dir: Path, drive: str, method: str, ending: str, body: object
) -> None:
    kept, before = ws.runs.show(run.id), ws.blobs.get(run.snapshot.digest)
    code, answer = await ask(
        f"{drive}rides/deep/train.ipynb/{run.id}.locked.ipynb{ending}", body, method=method
    )
    assert code == 409
    assert answer["message"] == str(SnapshotLocked(run.id[:12]))
    assert answer["message"].startswith(f"Snapshot '{run.id[:12]}' was not changed. {WHY} ")
    assert answer["error"]["code"] == "SnapshotLocked"
    assert ws.runs.show(run.id) == kept
    assert ws.blobs.get(run.snapshot.digest) == before
    assert {path.name for path in jp_root_dir.iterdir()} == {"rides"}


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("PATCH", "near.txt", {"path": "mlalm:rides/deep/train.ipynb/{}.locked.ipynb"}),
        ("POST", "", {"copy_from": "mlalm:rides/deep/train.ipynb/{}.locked.ipynb"}),
        ("POST", "/mlalm:rides/deep/train.ipynb", {"copy_from": "near.txt"}),
        (
            "PUT",
            "/mlalm:rides/deep/train.ipynb/new.ipynb",
            {"type": "file", "format": "text", "content": "x"},
        ),
    ],
)
async def test_no_file_is_moved_or_copied_to_where_snapshots_are(
    ws: Workspace, run: Run, ask: Ask, jp_root_dir: Path, method: str, address: str, body: dict[str, str]
) -> None:
    (jp_root_dir / "near.txt").write_text("x")
    given = {name: value.format(run.id) for name, value in body.items()}
    code, answer = await ask(f"/api/contents/{address}", given, method=method)
    assert code == 409
    assert WHY in answer["message"]
    assert {path.name for path in jp_root_dir.iterdir()} == {"rides", "near.txt"}


async def test_a_file_that_is_called_like_the_drive_spoils_no_list(
    ws: Workspace, ask: Ask, jp_root_dir: Path
) -> None:
    (jp_root_dir / "mlalm:odd.txt").write_text("x")
    code, listed = await ask("/api/contents")
    assert code == 200
    assert [one["name"] for one in listed["content"]] == ["rides"]


async def test_a_snapshot_is_downloaded_as_it_is_kept(
    ws: Workspace, run: Run, jp_fetch: Callable[..., Awaitable[Any]]
) -> None:
    path = ("mlalm", "snapshots", "rides", "deep", "train.ipynb", f"{run.id}.locked.ipynb")
    answer = await jp_fetch(*path, params={"download": "1"})
    assert run.id in answer.headers["Content-Disposition"]
    assert answer.body == ws.blobs.get(run.snapshot.digest)


async def test_nobody_reads_snapshots_without_the_token(ws: Workspace, run: Run, ask: Ask) -> None:
    for drive in ("/mlalm/snapshots/", "/api/contents/mlalm:"):
        code, _ = await ask(
            f"{drive}rides/deep/train.ipynb/{run.id}.locked.ipynb", headers={"Authorization": "token no"}
        )
        assert code in (302, 403)
