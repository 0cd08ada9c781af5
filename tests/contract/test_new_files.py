"""Files that verbs write for people: new, whole, and never mixed up with another one."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from mlalm_jupyter.api.files import write_new_file
from mlalm_jupyter.domain.errors import AlreadyExists, Unavailable
from mlalm_jupyter.workspace import Workspace

WRITERS = 8
SIZE = 1 << 17


@pytest.fixture(params=["links", "no links"])
def file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for a file, on a disk that knows links and on one that does not."""
    if request.param == "no links":

        def refused(*_: object, **__: object) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refused)
    return tmp_path / "target" / "out.bin"


def test_of_many_that_write_one_name_at_once_one_succeeds_and_its_bytes_are_there(
    workspace: Workspace, file: Path, counts: object
) -> None:
    together = Barrier(WRITERS)

    def write(number: int) -> int | None:
        together.wait(30)
        try:
            write_new_file(workspace.context, str(file), bytes([number]) * SIZE)
        except AlreadyExists:
            return None
        return number

    for _ in range(counts(5, 50)):  # type: ignore[operator]
        with ThreadPoolExecutor(WRITERS) as threads:
            wrote = [one for one in threads.map(write, range(WRITERS)) if one is not None]
        assert len(wrote) == 1
        assert file.read_bytes() == bytes(wrote) * SIZE
        assert os.listdir(file.parent) == [file.name]
        file.unlink()


def test_a_new_file_is_readable_as_any_other_of_this_person(workspace: Workspace, file: Path) -> None:
    file.parent.mkdir()
    other = file.parent / "other"
    other.write_bytes(b"")
    write_new_file(workspace.context, str(file), b"1")
    assert file.stat().st_mode == other.stat().st_mode


def test_a_file_that_was_not_written_whole_is_not_there(
    workspace: Workspace, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="The disk is full"):
        write_new_file(workspace.context, str(file), b"1" * SIZE)
    assert os.listdir(file.parent) == []
