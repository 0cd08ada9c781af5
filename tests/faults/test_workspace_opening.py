"""Opening and making workspaces where something is in the way: one sentence, and nothing half written."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlalm_jupyter.domain.errors import InvalidInput, MlalmError, NewerSchema, Unavailable, WorkspaceNotFound
from mlalm_jupyter.workspace import Workspace

pytestmark = [pytest.mark.prove_skeleton, pytest.mark.usefixtures("home")]


def sentence(caught: pytest.ExceptionInfo[MlalmError]) -> str:
    assert caught.value.why
    assert caught.value.fix
    return str(caught.value)


def test_opening_never_makes_a_workspace(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceNotFound) as caught:
        Workspace.open(tmp_path)
    assert sentence(caught) == (
        f"No workspace at '{tmp_path}'. That folder is no workspace. "
        "Make one with `mlalm workspace init FOLDER`, or name one: --workspace or MLALM_WORKSPACE."
    )
    assert not list(tmp_path.glob(".mlalm*"))


def test_the_nearest_folder_above_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Workspace.init(tmp_path / "ws")
    inner = tmp_path / "ws" / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert Workspace.open().info.id == made.info.id
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkspaceNotFound, match="Neither this folder nor any above it is one"):
        Workspace.open()


def test_the_environment_names_the_workspace_and_an_argument_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = Workspace.init(tmp_path / "one"), Workspace.init(tmp_path / "other")
    monkeypatch.setenv("MLALM_WORKSPACE", str(one.path))
    assert Workspace.open().info.id == one.info.id
    assert Workspace.open(other.path).info.id == other.info.id


def test_init_twice_keeps_what_is_there(tmp_path: Path) -> None:
    first = Workspace.init(tmp_path / "ws")
    key = (tmp_path / "ws/.mlalm/keys/signing.key").read_bytes()
    assert Workspace.init(tmp_path / "ws").info == first.info
    assert (tmp_path / "ws/.mlalm/keys/signing.key").read_bytes() == key


def test_the_hidden_folder_ignores_itself_in_git(tmp_path: Path) -> None:
    Workspace.init(tmp_path)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    seen = subprocess.run(
        ["git", "-C", str(tmp_path), "status", "--porcelain"], capture_output=True, text=True, check=True
    )
    assert seen.stdout == ""


def test_a_file_is_no_workspace(tmp_path: Path) -> None:
    file = tmp_path / "ws"
    file.write_text("mine")
    with pytest.raises(InvalidInput, match="Expected a folder, got a file"):
        Workspace.open(file)
    with pytest.raises(InvalidInput, match="Expected a folder, got a file"):
        Workspace.init(file)
    assert file.read_text() == "mine"


def test_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    import sqlite3

    path = Workspace.init(tmp_path).path
    with sqlite3.connect(path / ".mlalm/catalog.sqlite") as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    db.close()
    before = (path / ".mlalm/catalog.sqlite").read_bytes()
    with pytest.raises(NewerSchema) as caught:
        Workspace.open(path)
    assert "A newer mlalm wrote it (its schema is 9999" in sentence(caught)
    assert "Install the newer mlalm that wrote it" in sentence(caught)
    assert (path / ".mlalm/catalog.sqlite").read_bytes() == before


def test_a_catalog_that_is_garbage_is_named_and_left_alone(tmp_path: Path) -> None:
    path = Workspace.init(tmp_path).path / ".mlalm/catalog.sqlite"
    for beside in path.parent.glob("catalog.sqlite-*"):
        beside.unlink()
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(MlalmError, match="is damaged") as caught:
        Workspace.open(tmp_path)
    assert "doctor" in sentence(caught) or "copy" in sentence(caught)
    assert path.read_bytes() == b"garbage" * 1000


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    place = tmp_path / "tiny"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_leaves_no_half_workspace(tiny_disk: Path) -> None:
    (tiny_disk / "filler").write_bytes(b"x" * 2_050_000)
    with pytest.raises(Unavailable) as caught:
        Workspace.init(tiny_disk / "ws")
    assert "disk is full" in sentence(caught)
    assert not list((tiny_disk / "ws").glob(".mlalm*"))


def test_a_full_disk_leaves_no_half_dataset(tiny_disk: Path, tmp_path: Path) -> None:
    ws = Workspace.init(tiny_disk / "ws")
    (tmp_path / "big.csv").write_text("a\n" + "1\n" * 2_000_000)
    with pytest.raises(Unavailable, match="disk is full"):
        ws.datasets.upload(str(tmp_path / "big.csv"), "big")
    assert len(ws.datasets.list()) == 0
    assert not list((tiny_disk / "ws/.mlalm/blobs").rglob(".incoming-*"))


def test_a_folder_without_write_permission_is_refused(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    if os.geteuid() == 0:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "ro,size=64k", "tmpfs", str(locked)],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip("root may write everywhere, and no read-only file system can be mounted here")
    else:
        locked.chmod(0o500)
    try:
        with pytest.raises(Unavailable) as caught:
            Workspace.init(locked / "ws")
        assert "You may not write there." in sentence(caught)
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", "-l", str(locked)], check=True)
