"""What the doctor finds: nothing in a healthy workspace, and every damage by its name."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.workspace import Workspace

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
        db.execute("DELETE FROM models")
    db.close()
    assert [one.what for one in full.workspaces.doctor().findings] == ["Its model line:1 is gone."]
