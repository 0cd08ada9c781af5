"""What a blob store promises, asked of the one in a folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import multiprocessing
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mlalm_jupyter.adapters.folder_blobs import FolderBlobs
from mlalm_jupyter.domain.errors import Corrupt, NotFound, Unavailable


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "blobs")


def test_what_is_put_is_got_by_its_hash(blobs: FolderBlobs) -> None:
    digest = blobs.put(b"rides")
    assert digest == hashlib.sha256(b"rides").hexdigest()
    assert blobs.get(digest) == b"rides"
    assert blobs.has(digest)
    assert list(blobs.digests()) == [digest]


def test_a_file_is_put_whole_and_stays(blobs: FolderBlobs, tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "big").write_bytes(data)
    assert blobs.put_file(tmp_path / "big") == (hashlib.sha256(data).hexdigest(), len(data))
    assert blobs.get(hashlib.sha256(data).hexdigest()) == data


def test_equal_bytes_are_kept_once(blobs: FolderBlobs, tmp_path: Path) -> None:
    (tmp_path / "same").write_bytes(b"rides")
    first = blobs.put(b"rides")
    inode = blobs.path(first).stat().st_ino
    assert blobs.put_file(tmp_path / "same")[0] == first
    assert blobs.put(b"rides") == first
    assert len(list(blobs.digests())) == 1
    assert inode


def test_blobs_are_read_only_files(blobs: FolderBlobs) -> None:
    assert stat.S_IMODE(blobs.path(blobs.put(b"x")).stat().st_mode) == 0o444


def test_nothing_is_left_behind_when_a_source_cannot_be_read(blobs: FolderBlobs, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="was not used"):
        blobs.put_file(tmp_path / "nowhere")
    assert not list(blobs.root.iterdir())


def test_a_missing_blob_is_not_found(blobs: FolderBlobs) -> None:
    with pytest.raises(NotFound):
        blobs.get("0" * 64)
    assert blobs.fault("0" * 64) == "its file is missing"


def test_one_changed_byte_is_noticed(blobs: FolderBlobs) -> None:
    digest = blobs.put(b"rides")
    blobs.path(digest).chmod(0o644)
    blobs.path(digest).write_bytes(b"rIdes")
    with pytest.raises(Corrupt, match="no longer give the hash"):
        blobs.get(digest)
    assert blobs.fault(digest) == "its bytes no longer give the hash it is named by"


def _put_many(root: str, seed: int) -> list[str]:
    blobs = FolderBlobs(Path(root))
    return [blobs.put(f"blob {n % 50}".encode()) for n in range(seed, seed + 200)]


def test_many_processes_put_the_same_blobs_at_once(blobs: FolderBlobs) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.starmap(_put_many, [(str(blobs.root), seed) for seed in (0, 7, 13)])
    digests = list(blobs.digests())
    assert len(digests) == 50
    assert all(blobs.fault(digest) is None for digest in digests)
    assert not list(blobs.root.glob(".incoming-*"))


def test_pieces_are_kept_once_and_got_as_a_whole(blobs: FolderBlobs) -> None:
    first = blobs.put_pieces([b"one", b"two", b"three"])
    assert first == hashlib.sha256(b"onetwothree").hexdigest()
    second = blobs.put_pieces([b"one", b"2", b"three"])
    assert (blobs.get(first), blobs.get(second)) == (b"onetwothree", b"one2three")
    assert blobs.has(first)
    assert blobs.fault(first) is None
    assert len(list(blobs.digests())) == 4 + 2
    assert set(blobs.pieces(first)) & set(blobs.pieces(second)) == {blobs.put(b"one"), blobs.put(b"three")}
    assert blobs.put_pieces([b"onetwo", b"three"]) == first


def test_a_blob_in_one_piece_is_a_plain_one(blobs: FolderBlobs) -> None:
    digest = blobs.put_pieces([b"all"])
    assert blobs.path(digest).read_bytes() == b"all"
    assert blobs.pieces(digest) == ()
    assert blobs.put_pieces([b"a", b"ll"]) == digest
    assert list(blobs.digests()) == [digest]


def test_a_damaged_piece_is_seen_in_the_whole(blobs: FolderBlobs) -> None:
    digest = blobs.put_pieces([b"one", b"two"])
    piece = blobs.path(blobs.put(b"two"))
    piece.chmod(0o600)
    piece.write_bytes(b"TWO")
    with pytest.raises(Corrupt):
        blobs.get(digest)
    assert blobs.fault(digest) == "its bytes no longer give the hash it is named by"
    piece.unlink()
    assert blobs.fault(digest) == "one of its pieces is missing"
    with pytest.raises(NotFound):
        blobs.get(digest)


def test_what_is_not_kept_and_not_young_is_freed(blobs: FolderBlobs) -> None:
    whole = blobs.put_pieces([b"one", b"two"])
    lost, young = blobs.put(b"lost"), blobs.put(b"young")
    (blobs.root / ".incoming-dead").write_bytes(b"half")
    for file in [*blobs._files(), blobs.root / ".incoming-dead"]:
        os.utime(file, (1000, 1000))
    blobs.put(b"young")  # put again: somebody is about to refer to it
    assert blobs.free({whole, *blobs.pieces(whole)}, before_s=2000) == (2, 8)
    assert blobs.get(whole) == b"onetwo"
    assert blobs.has(young)
    assert not blobs.has(lost)
    assert not (blobs.root / ".incoming-dead").exists()


def test_a_blob_of_somebody_else_is_young_again_when_it_is_put(
    blobs: FolderBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a shared workspace nobody can touch the time of another person's file."""
    digest = blobs.put(b"theirs")
    os.utime(blobs.path(digest), (1000, 1000))

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refused)
    blobs.put(b"theirs")  # somebody is about to refer to it
    assert blobs.free((), before_s=2000) == (0, 0)
    assert blobs.get(digest) == b"theirs"


def test_a_blob_put_while_others_are_freed_is_there_afterwards(tmp_path: Path) -> None:
    """The blob is old each time it is put, and a collector runs all the while."""
    root = tmp_path / "blobs"
    blobs = FolderBlobs(root)
    digest = blobs.put(b"wanted")
    for _ in range(200):
        with contextlib.suppress(FileNotFoundError):
            os.utime(blobs.path(digest), (1000, 1000))
        putter = threading.Thread(target=blobs.put, args=(b"wanted",))
        putter.start()
        blobs.free((), before_s=2000)
        putter.join()
        assert blobs.has(digest)


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def as_circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def as_file_in_place_of_its_folder(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()
    path.parent.write_bytes(b"")


@pytest.mark.parametrize("damage", [as_folder, as_circle, as_file_in_place_of_its_folder])
def test_a_file_that_the_system_will_not_read_is_a_damaged_blob(
    blobs: FolderBlobs, damage: Callable[[Path], None]
) -> None:
    digest = blobs.put(b"rides")
    damage(blobs.path(digest))
    with pytest.raises(Corrupt, match="Its file cannot be read"):
        blobs.get(digest)
    fault = blobs.fault(digest)
    assert fault is not None
    assert "cannot be read" in fault or "missing" in fault
    assert isinstance(blobs.has(digest), bool)


def test_a_folder_of_blobs_that_is_none_is_said_in_our_words(blobs: FolderBlobs) -> None:
    as_file_in_place_of_its_folder(blobs.path(blobs.put(b"rides")))
    for ask in (lambda: list(blobs.digests()), lambda: blobs.free((), before_s=0)):
        with pytest.raises(Unavailable, match="was not used"):
            ask()


def test_a_damaged_list_of_pieces_is_a_damaged_blob(blobs: FolderBlobs) -> None:
    digest = blobs.put_pieces([b"one", b"two"])
    recipe = blobs._recipe(digest)
    recipe.chmod(0o600)
    recipe.write_bytes(b"\xff\xfe")
    with pytest.raises(Corrupt, match="list of its pieces"):
        blobs.get(digest)
    assert blobs.fault(digest) == "the list of its pieces cannot be read"
    assert blobs.put_pieces([b"one", b"two"]) == digest
    assert blobs.get(digest) == b"onetwo"


@pytest.mark.parametrize("damage", [b"rIdes", b"ride", b"ridess", b""])
def test_a_damaged_blob_is_whole_again_when_it_is_put_once_more(blobs: FolderBlobs, damage: bytes) -> None:
    digest = blobs.put(b"rides")
    whole = blobs.put_pieces([b"rides", b" of a day"])
    blobs.path(digest).chmod(0o600)
    blobs.path(digest).write_bytes(damage)
    assert blobs.fault(digest)
    assert blobs.put(b"rides") == digest
    assert blobs.get(digest) == b"rides"
    blobs.path(digest).chmod(0o600)
    blobs.path(digest).write_bytes(damage)
    blobs.put_pieces([b"rides", b" of a day"])
    assert blobs.get(whole) == b"rides of a day"
    assert stat.S_IMODE(blobs.path(digest).stat().st_mode) == 0o444
