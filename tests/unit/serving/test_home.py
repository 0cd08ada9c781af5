"""The server's home: files whole or not at all, and who holds the lock."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from mlalm_jupyter.domain.errors import Corrupt, Unavailable
from mlalm_jupyter.serving.home import Home, locked, read_json, write_atomic, write_json


@pytest.fixture
def place(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.make()
    return made


def test_the_home_is_the_named_one_or_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert Home.found({"MLALM_HOME": "/srv/mlalm"}).home == Path("/srv/mlalm")
    assert Home.found({}).home == Home.found({"MLALM_HOME": ""}).home == Path("/home/ada/.local/share/mlalm")


def test_an_address_is_known_once_a_port_was_chosen(place: Home) -> None:
    assert place.base_url() is None
    place.port_file.write_text("20123\n")
    assert place.base_url() == "http://127.0.0.1:20123"


@pytest.mark.parametrize("text", ["", "x", "0", "65536", "-1"])
def test_a_port_file_that_holds_no_port_is_named(place: Home, text: str) -> None:
    place.port_file.write_text(text)
    with pytest.raises(Corrupt, match="no port"):
        place.port()


def test_what_a_dead_server_wrote_is_not_believed(place: Home) -> None:
    write_json(place.server_file, {"pid": os.getpid()})
    place.lock_file.write_text(str(os.getpid()))
    assert place.server_pid() is None, "nobody holds the lock"
    assert place.server() is None
    handle = os.open(place.lock_file, os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert place.server_pid() == os.getpid()
    assert place.server() == {"pid": os.getpid()}
    write_json(place.server_file, {"pid": 1})
    assert place.server() is None, "it was written by another one"
    os.close(handle)


def test_a_file_is_replaced_whole_or_not_at_all(place: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place.home / "file"
    write_atomic(path, b"one")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="disk is full"):
        write_atomic(path, b"two")
    assert path.read_bytes() == b"one"
    assert [one.name for one in place.home.iterdir() if one.is_file()] == ["file"]


def test_a_lock_is_waited_for_and_not_for_ever(place: Home) -> None:
    path = place.home / "a.lock"
    with (
        locked(path, timeout_s=1),
        pytest.raises(Unavailable, match="could not be locked"),
        locked(path, timeout_s=0.1),
    ):
        raise AssertionError("two hold it")
    with locked(path, timeout_s=1):
        pass


def test_only_registrations_that_read_count(place: Home, tmp_path: Path) -> None:
    write_json(place.workspaces / "a.json", {"id": "a", "path": str(tmp_path)})
    (place.workspaces / "b.json").write_text("{")
    (place.workspaces / "c.json").write_text("[]")
    assert place.registered() == {"a": tmp_path}
    assert read_json(place.workspaces / "d.json") is None
