"""What the doctor finds: nothing in a healthy workspace, and every damage by its name."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pandas as pd
import pytest
import requests
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.errors import Unavailable
from mlalm_jupyter.serving.scorers import is_alive
from mlalm_jupyter.workspace import Workspace
from tests.contract.hand_clock import NoServer

pytestmark = [pytest.mark.prove_skeleton, pytest.mark.timeout(240)]
ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0]})


@pytest.fixture
def full(hosted: Workspace, tmp_path: Path) -> Workspace:
    """A workspace that holds one of everything."""
    return filled(hosted, tmp_path)


def filled(hosted: Workspace, tmp_path: Path) -> Workspace:
    (tmp_path / "rows.csv").write_text("a\n1\n2\n")
    hosted.datasets.upload(str(tmp_path / "rows.csv"), "rows")
    hosted.models.register(LinearRegression().fit(ROWS, ROWS["a"]), "line", sample=ROWS)
    hosted.services.deploy("line:1", "line")
    hosted.endpoints.add("line/ep2")
    return hosted


def test_a_workspace_in_use_is_healthy(full: Workspace) -> None:
    checkup = full.workspaces.doctor()
    assert checkup.findings == ()
    assert checkup.is_healthy
    assert checkup.checked["blobs"] >= 3
    assert checkup.checked["endpoints"] == 2
    assert checkup.checked["server processes"] >= 4


def test_one_changed_byte_of_any_blob_is_named_with_its_user(full: Workspace) -> None:
    users = {
        full.datasets.show("rows").dataset.digest: "dataset rows:1",
        full.models.show("line").bundle_digest: "model line:1",
        full.endpoints.show("line").definition_hash: "definition ",
    }
    for digest, user in users.items():
        path = full.blobs.path(digest)
        good = path.read_bytes()
        place = random.Random(digest).randrange(len(good))
        path.chmod(0o644)
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        found = [one for one in full.workspaces.doctor().findings if one.where == f"blob {digest[:12]}"]
        assert len(found) == 1
        assert "no longer give the hash" in found[0].what
        assert user in found[0].what
        assert found[0].fix
        path.write_bytes(good)
    assert full.workspaces.doctor().is_healthy


def test_a_missing_blob_is_named_by_who_needs_it(full: Workspace) -> None:
    path = full.blobs.path(full.datasets.show("rows").dataset.digest)
    path.rename(path.with_suffix(".away"))
    path.with_suffix(".away").rename(full.path / "away")
    assert any(
        one.where == "dataset rows:1" and "missing" in one.what for one in full.workspaces.doctor().findings
    )


def test_keys_that_others_may_read_are_named(full: Workspace) -> None:
    (full.path / ".mlalm/keys/master.key").chmod(0o644)
    (found,) = full.workspaces.doctor().findings
    assert found.where == "key file master.key"
    assert "chmod 600" in found.fix


def test_another_master_key_is_noticed(full: Workspace, tmp_path: Path) -> None:
    other = Workspace.init(tmp_path / "other")
    key = full.path / ".mlalm/keys/master.key"
    key.write_bytes((other.path / ".mlalm/keys/master.key").read_bytes())
    found = full.workspaces.doctor().findings
    assert {one.where for one in found} == {"endpoint line/default", "endpoint line/ep2"}


def test_a_reference_to_nothing_is_noticed(full: Workspace) -> None:
    with sqlite3.connect(full.path / ".mlalm/catalog.sqlite") as db:
        db.execute("UPDATE endpoints SET definition_hash = ? WHERE name = 'ep2'", ("0" * 64,))
    db.close()
    assert any(one.where == "endpoint line/ep2" for one in full.workspaces.doctor().findings)


@pytest.mark.full
def test_a_server_that_does_not_run_is_said(workspace: Workspace, tmp_path: Path) -> None:
    full = filled(workspace, tmp_path)
    full.server.stop()
    (found,) = full.workspaces.doctor().findings
    assert found.where == "server"
    assert "2 endpoints do not answer" in found.what
    full.server.start()
    assert full.workspaces.doctor().is_healthy


def test_a_deleted_model_that_nothing_serves_any_more_is_no_damage(full: Workspace) -> None:
    full.models.register(LinearRegression().fit(ROWS, ROWS["a"] * 2), "line", sample=ROWS)
    full.services.deploy("line:2", "line", update=True)
    full.endpoints.patch("line/ep2", model="line:2")
    full.models.delete("line:1", yes=True)
    assert full.workspaces.doctor().findings == ()


def test_a_model_that_serves_and_is_not_in_the_catalog_is_named(full: Workspace) -> None:
    with sqlite3.connect(full.path / ".mlalm/catalog.sqlite") as db:
        db.execute("DELETE FROM model_facts")
        db.execute("DELETE FROM models")
    db.close()
    assert [one.what for one in full.workspaces.doctor().findings] == ["Its model line:1 is gone."]


KEY_DAMAGES = {
    "missing": lambda file: file.unlink(),
    "cut off": lambda file: file.write_bytes(b"dG9vIHNob3J0"),
    "no base64": lambda file: file.write_bytes(b"\xff\xfe"),
}


@pytest.mark.parametrize("damage", KEY_DAMAGES)
@pytest.mark.parametrize("name", ["signing.key", "signing.pub", "master.key", "management.token"])
def test_a_damaged_key_file_is_a_finding(full: Workspace, name: str, damage: str) -> None:
    KEY_DAMAGES[damage](full.path / ".mlalm/keys" / name)
    with Workspace.open(full.path) as again:
        found = again.workspaces.doctor().findings
    assert [one.fix for one in found if one.where == f"key file {name}"] == [
        "Restore it from a copy of the workspace."
    ]


@pytest.mark.parametrize("ciphertext", ["", "A", "no base64", "AAAA"])
def test_a_damaged_service_key_is_a_finding(full: Workspace, ciphertext: str) -> None:
    with sqlite3.connect(full.path / ".mlalm/catalog.sqlite") as db:
        db.execute("UPDATE service_keys SET ciphertext = ?", (ciphertext,))
    db.close()
    found = full.workspaces.doctor().findings
    assert {one.where for one in found} == {"endpoint line/default", "endpoint line/ep2"}
    assert all("key: It does not open" in one.what for one in found)


def test_a_blob_that_cannot_be_read_is_a_finding(full: Workspace) -> None:
    for digest in (full.datasets.show("rows").dataset.digest, full.endpoints.show("line").definition_hash):
        path = full.blobs.path(digest)
        path.rename(path.with_name("away"))
        path.mkdir()
        found = full.workspaces.doctor().findings
        assert any(one.where == f"blob {digest[:12]}" and "cannot be read" in one.what for one in found)
        path.rmdir()
        path.with_name("away").rename(path)
    assert full.workspaces.doctor().is_healthy


def test_a_folder_of_blobs_that_is_none_is_a_finding_and_the_rest_is_looked_at(full: Workspace) -> None:
    folder = full.blobs.path(full.datasets.show("rows").dataset.digest).parent
    shutil.rmtree(folder)
    folder.write_bytes(b"")
    found = {one.where for one in full.workspaces.doctor().findings}
    assert {"blobs", "dataset rows:1"} <= found


def test_a_definition_that_is_something_else_is_a_finding(full: Workspace) -> None:
    digest = full.datasets.show("rows").dataset.digest
    with sqlite3.connect(full.path / ".mlalm/catalog.sqlite") as db:
        db.execute("INSERT INTO definitions VALUES (?, 'none', '2026-01-01')", (digest,))
    db.close()
    (found,) = full.workspaces.doctor().findings
    assert found.where == f"definition {digest[:12]}"
    assert "JSON" in found.what


def test_an_address_that_this_workspace_cannot_open_is_a_finding(full: Workspace, tmp_path: Path) -> None:
    full.datasets.upload(str(tmp_path / "rows.csv"), "there", by_reference=True)
    with sqlite3.connect(full.path / ".mlalm/catalog.sqlite") as db:
        (text,) = db.execute("SELECT source FROM datasets WHERE name = 'there'").fetchone()
        source = {**json.loads(text), "sealed_address": "AAAA"}
        db.execute("UPDATE datasets SET source = ? WHERE name = 'there'", (json.dumps(source),))
    db.close()
    (found,) = full.workspaces.doctor().findings
    assert found.where == "dataset there:1"
    assert "Its address: It does not open" in found.what


@pytest.mark.parametrize("role", ["worker", "api"])
def test_a_server_process_that_does_not_run_is_a_finding(workspace: Workspace, role: str) -> None:
    workspace.server.start()
    assert workspace.workspaces.doctor().is_healthy
    # stopped, the supervisor can start nothing again
    status = workspace.server.status()
    assert status.pid is not None
    os.kill(status.pid, signal.SIGSTOP)
    try:
        (process,) = (one for one in status.processes if one.role == role)
        os.kill(process.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while is_alive(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        (found,) = workspace.workspaces.doctor().findings
        assert found.where == f"server process {role}"
        assert found.fix == f"See `mlalm server logs --process {role}`."
        if role != "api":
            health = requests.get(f"{status.base_url}/mlalm/health/server", timeout=30).json()
            assert (health["status"], health["lacking"]) == ("degraded", [role])
    finally:
        os.kill(status.pid, signal.SIGCONT)
    assert workspace.workspaces.doctor().is_healthy


@pytest.mark.full
def test_what_a_scorer_cannot_serve_is_a_finding(workspace: Workspace, tmp_path: Path) -> None:
    full = filled(workspace, tmp_path)
    path = full.blobs.path(full.models.show("line").bundle_digest)
    good = path.read_bytes()
    full.server.stop()
    path.chmod(0o600)
    path.write_bytes(b"bad")
    full.server.start()
    with pytest.raises(Unavailable, match="line:1 is damaged"):
        full.services.score("line", ROWS)
    path.write_bytes(good)
    found = full.workspaces.doctor().findings
    assert found
    assert {one.where for one in found} <= {"endpoint line/default", "endpoint line/ep2"}
    assert all("cannot serve" in one.what for one in found)


@pytest.mark.parametrize("value", ["bogus", "{", "[]", "-1", b"\xff\xfe"])
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("datasets", "schema"),
        ("datasets", "tags"),
        ("models", "signature"),
        ("models", "tags"),
        ("runs", "environment"),
        ("runs", "status"),
        ("jobs", "state"),
        ("jobs", "payload"),
    ],
)
def test_a_record_that_was_changed_by_another_hand_is_a_finding(
    recorded: Path, tmp_path: Path, table: str, column: str, value: str | bytes
) -> None:
    shutil.copytree(recorded, tmp_path / "copy")
    with sqlite3.connect(tmp_path / "copy/.mlalm/catalog.sqlite") as db:
        db.execute("PRAGMA ignore_check_constraints=ON")
        db.execute(f"UPDATE {table} SET {column} = ?", (value,))
    db.close()
    with Workspace.open(tmp_path / "copy", host=NoServer()) as damaged:
        found = damaged.workspaces.doctor().findings
    assert any("record" in one.what or "is damaged" in one.what for one in found)
    assert all(one.fix for one in found)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a workspace that has a dataset, a model, a run and a job."""
    path = tmp_path_factory.mktemp("recorded")
    (path / "rows.csv").write_text("a\n1\n2\n")
    with Workspace.init(path, host=NoServer()) as made:
        made.datasets.upload(str(path / "rows.csv"), "rows")
        made.models.register(LinearRegression().fit(ROWS, ROWS["a"]), "line", sample=ROWS)
        made.recorder.submit(b'{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}',
            path="n.ipynb", parameters={}, origin="scheduler")  # fmt: skip
    return path
