"""Uploads in parts over real HTTP: ended on either side half way, they go on where they stopped."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from mlalm_jupyter.api.uploads import KEPT_S
from mlalm_jupyter.domain.errors import (
    Conflict,
    InvalidInput,
    MlalmError,
    NotFound,
    Unauthorized,
    Unavailable,
)
from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.local_host import LocalHost
from mlalm_jupyter.serving.uploading import upload_file
from mlalm_jupyter.workspace import Workspace

pytestmark = pytest.mark.prove_experiments

PART = 64 << 10
ROW = b"12,4.5,a town\n"


class Stage:
    def __init__(self, folder: Path) -> None:
        self.host = LocalHost(Home(folder / "home"))
        self.ws = Workspace.init(folder / "ws", host=self.host)
        self.host.start()
        self.host.ensure(self.ws.info.id, self.ws.path)
        self.base = str(self.host.base_url())
        self.token = self.ws.context.keyring.management_token()

    @property
    def parts(self) -> list[Path]:
        found = sorted((self.ws.path / ".mlalm" / "uploads").glob("*/part"))
        return [path for path in found if path.stat().st_size or not (path.parent / "done.json").exists()]

    def ask(self, method: str, path: str, **rest: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(
            method, f"{self.base}/mlalm/uploads{path}", headers=headers, timeout=60, **rest
        )

    def send(self, file: Path, name: str = "rides", **rest: Any) -> dict[str, Any]:
        return upload_file(self.base, self.token, file, name, part_bytes=PART, **rest)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("uploads"))
    yield made
    made.ws.close()
    made.host.stop()


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """Half a megabyte that no other test has."""
    path = tmp_path / "rides.csv"
    path.write_bytes(b"hour,wind,town\n" + ROW * 40_000 + f"1,2,{tmp_path.name}\n".encode())
    return path


def wanted(data: bytes, **changes: Any) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    return {"name": "rides", "file": "rides.csv", "size_bytes": len(data), "sha256": digest, **changes}


class Ended(Exception):
    pass


def test_a_file_arrives_in_parts_and_becomes_a_dataset(stage: Stage, big: Path) -> None:
    told: list[tuple[str, int, int]] = []
    kept = stage.send(big, tags={"year": "2024"}, description="sent", progress=lambda *one: told.append(one))
    assert kept["row_count"] == 40_001
    assert kept["digest"] == hashlib.sha256(big.read_bytes()).hexdigest()
    assert (kept["tags"], kept["description"]) == ({"year": "2024"}, "sent")
    assert len([text for text, _, _ in told if text.startswith("Sending")]) == 1 + -(
        -big.stat().st_size // PART
    )
    assert stage.parts == []
    assert len(stage.ws.datasets.load(kept["reference"])) == 40_001


def test_a_client_that_ended_half_way_goes_on_where_it_stopped(stage: Stage, big: Path) -> None:
    begun = 0

    def ends(text: str, _done: int, _total: int) -> None:
        nonlocal begun
        begun += text.startswith("Sending")
        if begun == 4:
            raise Ended

    with pytest.raises(Ended):
        stage.send(big, progress=ends)
    assert [path.stat().st_size for path in stage.parts] == [3 * PART]
    sent: list[int] = []
    real = requests.Session.request

    def watched(self: requests.Session, method: str, url: str, **rest: Any) -> requests.Response:
        if method == "PUT":
            sent.append(rest["params"]["offset"])
        return real(self, method, url, **rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "request", watched)
        kept = stage.send(big)
    assert min(sent) == 3 * PART, "what had arrived was not sent again"
    assert kept["row_count"] == 40_001


def test_a_server_that_was_killed_half_way_goes_on_where_it_stopped(stage: Stage, big: Path) -> None:
    steps = 0

    def kills(text: str, _done: int, _total: int) -> None:
        nonlocal steps
        steps += text.startswith("Sending")
        if steps == 4:
            pids = [process.pid for process in stage.host.status().processes]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            deadline = time.monotonic() + 60
            while stage.host.home.server_pid() is not None:
                assert time.monotonic() < deadline, "it did not end in time"
                time.sleep(0.02)
            assert stage.host.start().is_running
        elif steps == 6:
            # while the next part is on its way
            api = next(one.pid for one in stage.host.status().processes if one.role == "api")
            os.kill(api, signal.SIGKILL)

    kept = stage.send(big, progress=kills)
    assert steps > 6
    assert kept["digest"] == hashlib.sha256(big.read_bytes()).hexdigest()
    assert stage.ws.datasets.show(kept["reference"]).dataset.row_count == 40_001
    assert stage.parts == []


def test_a_part_that_does_not_begin_where_the_last_one_ended_is_refused(stage: Stage) -> None:
    data = b"a,b\n1,2\n"
    begun = stage.ask("POST", "", json=wanted(data)).json()["result"]
    assert begun["offset"] == 0
    place = f"/{begun['upload']}"
    assert stage.ask("PUT", place, params={"offset": 0}, data=data[:3]).json()["result"]["offset"] == 3
    for offset in (0, 4, 99):
        answer = stage.ask("PUT", place, params={"offset": offset}, data=b"x")
        assert (answer.status_code, answer.json()["error"]["fix"]) == (409, "Go on at byte 3.")
    for offset in ("", "-1", "x", "9" * 30):
        assert stage.ask("PUT", place, params={"offset": offset}, data=b"x").status_code == 400
    assert stage.ask("PUT", place, params={"offset": 3}, data=data).status_code == 400, "more than was said"
    assert stage.ask("POST", f"{place}/finish").status_code == 409, "it is not whole"
    assert stage.ask("GET", place).json()["result"]["offset"] == 3
    assert stage.ask("PUT", place, params={"offset": 3}, data=data[3:]).status_code == 200
    finished = stage.ask("POST", f"{place}/finish").json()["result"]
    assert finished["row_count"] == 1
    assert stage.ask("POST", f"{place}/finish").json()["result"] == finished, "its answer may get lost"
    assert stage.ask("PUT", place, params={"offset": 0}, data=data).status_code == 409


def test_bytes_that_are_not_those_that_were_announced_are_dropped(stage: Stage) -> None:
    begun = stage.ask("POST", "", json=wanted(b"a,b\n1,2\n")).json()["result"]
    place = f"/{begun['upload']}"
    stage.ask("PUT", place, params={"offset": 0}, data=b"a,b\n1,3\n")
    answer = stage.ask("POST", f"{place}/finish")
    assert (answer.status_code, answer.json()["error"]["fix"]) == (400, "Begin the upload again.")
    assert stage.parts == []


def test_content_of_another_kind_is_refused_at_the_end_and_nothing_is_kept(
    stage: Stage, tmp_path: Path
) -> None:
    (tmp_path / "rides.csv").write_bytes(b"a,b\n1\n")
    before = sorted(stage.ws.blobs.digests())
    with pytest.raises(InvalidInput, match=r"Line 2 of 'rides.csv'"):
        stage.send(tmp_path / "rides.csv", "bad")
    assert sorted(stage.ws.blobs.digests()) == before
    assert stage.parts == []


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../evil"},
        {"name": 3},
        {"file": "evil"},
        {"size_bytes": -1},
        {"size_bytes": True},
        {"sha256": "../../x"},
        {"format": "xls"},
        {"more": 1},
        {"header": "no"},
    ],
)
def test_what_is_announced_wrongly_is_refused(stage: Stage, change: dict[str, Any]) -> None:
    answer = stage.ask("POST", "", json=wanted(b"a\n1\n", **change))
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "InvalidInput"
    assert stage.parts == []


def test_an_announcement_that_is_no_object_is_refused(stage: Stage) -> None:
    for body in (b"[1]", b"{", b"null"):
        assert stage.ask("POST", "", data=body).status_code == 400


@pytest.mark.parametrize("upload", ["0" * 32, "x", "..", "%2e%2e%2fkeys"])
def test_an_upload_that_nobody_began_is_not_found(stage: Stage, upload: str) -> None:
    assert stage.ask("GET", f"/{upload}").status_code == 404
    assert stage.ask("PUT", f"/{upload}", params={"offset": 0}, data=b"x").status_code == 404


def test_without_the_token_nothing_is_taken(stage: Stage, big: Path) -> None:
    with pytest.raises(Unauthorized):
        upload_file(stage.base, "wrong", big, "rides")
    for method, path in (("POST", ""), ("GET", "/x"), ("PUT", "/x"), ("POST", "/x/finish")):
        answer = requests.request(method, f"{stage.base}/mlalm/uploads{path}", timeout=60)
        assert answer.status_code == 401


def test_nobody_at_the_address_is_told(big: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlalm_jupyter.serving.uploading._PAUSES_S", (0.0,))
    with pytest.raises(Unavailable, match="Nobody answers"):
        upload_file("http://127.0.0.1:9", "token", big, "rides")


def test_two_that_send_the_same_file_share_what_arrives(stage: Stage, big: Path) -> None:
    other: dict[str, Any] = {}

    def meanwhile(text: str, _done: int, _total: int) -> None:
        if text.startswith("Sending") and not other:
            other["begun"] = True
            with pytest.raises(Ended):
                stage.send(big, progress=ends_at_third)

    count = 0

    def ends_at_third(text: str, _done: int, _total: int) -> None:
        nonlocal count
        count += text.startswith("Sending")
        if count == 3:
            raise Ended

    assert stage.send(big, progress=meanwhile)["row_count"] == 40_001


def test_parts_are_forgotten_after_a_week(workspace: Workspace) -> None:
    old = workspace.uploads.begin(wanted(b"a\n1\n"))
    young = workspace.uploads.begin(wanted(b"a\n2\n"))
    folder = workspace.path / ".mlalm" / "uploads" / old.upload
    past = time.time() - KEPT_S - 60
    for path in (*folder.iterdir(), folder):
        os.utime(path, (past, past))
    workspace.uploads.begin(wanted(b"a\n3\n"))
    with pytest.raises(NotFound):
        workspace.uploads.arrived(old.upload)
    assert workspace.uploads.arrived(young.upload).offset == 0


def test_an_upload_is_found_again_by_what_it_is(workspace: Workspace) -> None:
    begun = workspace.uploads.begin(wanted(b"a\n1\n"))
    workspace.uploads.append(begun.upload, 0, b"a\n")
    assert workspace.uploads.begin(wanted(b"a\n1\n")).offset == 2
    assert workspace.uploads.begin(wanted(b"a\n1\n", name="other")).offset == 0
    with pytest.raises(Conflict):
        workspace.uploads.append(begun.upload, 0, b"a\n")


def test_a_disk_that_is_full_keeps_what_arrived(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = workspace.uploads.begin(wanted(b"a\n1\n"))
    workspace.uploads.append(begun.upload, 0, b"a\n")

    def full(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(MlalmError, match="No space left"):
            workspace.uploads.append(begun.upload, 2, b"1\n")
    assert workspace.uploads.append(begun.upload, 2, b"1\n").offset == 4
    assert workspace.uploads.finish(begun.upload).row_count == 1
    assert json.loads(json.dumps(workspace.datasets.show("rides").to_dict()))["dataset"]["version"] == 1


def test_a_finish_that_found_no_room_keeps_what_arrived(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = workspace.uploads.begin(wanted(b"a\n1\n"))
    workspace.uploads.append(begun.upload, 0, b"a\n1\n")

    def full(*_: object, **__: object) -> None:
        raise Unavailable("Nothing was written.", why="The disk is full.", fix="Make room.")

    with monkeypatch.context() as patch:
        patch.setattr(workspace.blobs, "put_file", full)
        with pytest.raises(Unavailable):
            workspace.uploads.finish(begun.upload)
    assert workspace.uploads.arrived(begun.upload).offset == 4
    assert workspace.uploads.finish(begun.upload).reference == "rides:1"


def test_a_finish_may_be_repeated_and_the_same_file_begun_again_is_another_version(
    workspace: Workspace,
) -> None:
    for version in (1, 2):
        begun = workspace.uploads.begin(wanted(b"a\n1\n"))
        assert begun.offset == 0
        workspace.uploads.append(begun.upload, 0, b"a\n1\n")
        with ThreadPoolExecutor(4) as many:
            finished = list(many.map(workspace.uploads.finish, [begun.upload] * 4))
        assert {one.reference for one in finished} == {f"rides:{version}"}
    assert len(workspace.datasets.list(name="rides")) == 2


def test_a_finish_killed_after_its_dataset_was_made_tells_of_that_one(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = workspace.uploads.begin(wanted(b"a\n1\n"))
    workspace.uploads.append(begun.upload, 0, b"a\n1\n")

    def killed(*_: object) -> None:
        raise Ended

    with monkeypatch.context() as patch:
        patch.setattr(os, "ftruncate", killed)
        with pytest.raises(Ended):
            workspace.uploads.finish(begun.upload)
    assert workspace.uploads.finish(begun.upload).reference == "rides:1"
    assert len(workspace.datasets.list(name="rides")) == 1
