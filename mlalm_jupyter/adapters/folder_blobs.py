"""Blobs as files of a folder, each named by its sha256; published by temp file, fsync and rename."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mlalm_jupyter.domain.errors import Corrupt, MlalmError, NotFound, Unavailable

_CHUNK = 1 << 20


class FolderBlobs:
    """A content-addressed store in one folder; any number of processes may use it at once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        target = self.path(digest)
        if not target.exists():
            with self._publishing(target) as file:
                _write_all(file, data)
        return digest

    def put_file(self, path: Path) -> tuple[str, int]:
        hasher = hashlib.sha256()
        size = 0
        with translated(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.root, prefix=".incoming-")
            try:
                with open(path, "rb") as source:
                    while chunk := source.read(_CHUNK):
                        hasher.update(chunk)
                        _write_all(handle, chunk)
                        size += len(chunk)
                digest = hasher.hexdigest()
                _settle(handle, temporary, self.path(digest))
            except BaseException:
                _discard(handle, temporary)
                raise
        return digest, size

    def get(self, digest: str) -> bytes:
        try:
            data = self.path(digest).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(
                "blob", digest, fix="Run `mlalm workspace doctor` to see what misses it."
            ) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise Corrupt(f"Blob {digest[:12]}", why="Its bytes no longer give the hash it is named by.")
        return data

    def path(self, digest: str) -> Path:
        return self.root / digest[:2] / digest[2:]

    def has(self, digest: str) -> bool:
        return self.path(digest).exists()

    def digests(self) -> Iterator[str]:
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            for file in sorted(folder.iterdir()):
                yield folder.name + file.name

    def fault(self, digest: str) -> str | None:
        hasher = hashlib.sha256()
        try:
            with open(self.path(digest), "rb") as file:
                while chunk := file.read(_CHUNK):
                    hasher.update(chunk)
        except FileNotFoundError:
            return "its file is missing"
        except OSError as error:
            return f"its file cannot be read: {error.strerror}"
        return None if hasher.hexdigest() == digest else "its bytes no longer give the hash it is named by"

    @contextlib.contextmanager
    def _publishing(self, target: Path) -> Iterator[int]:
        with translated(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.root, prefix=".incoming-")
            try:
                yield handle
                _settle(handle, temporary, target)
            except BaseException:
                _discard(handle, temporary)
                raise


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _settle(handle: int, temporary: str, target: Path) -> None:
    os.fsync(handle)
    os.fchmod(handle, 0o444)
    os.close(handle)
    target.parent.mkdir(exist_ok=True)
    os.replace(temporary, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _discard(handle: int, temporary: str) -> None:
    with contextlib.suppress(OSError):
        os.close(handle)
    with contextlib.suppress(OSError):
        os.unlink(temporary)


@contextlib.contextmanager
def translated(place: Path) -> Iterator[None]:
    """Say what the operating system refuses in our words."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, place) from error


def storage_error(error: OSError, place: Path) -> MlalmError:
    """The sentence for a disk that does not take what it is given."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Unavailable(
            f"Nothing was written to '{place}'.",
            why="The disk is full.",
            fix="Free some room there, then try again.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Unavailable(
            f"Nothing was written to '{place}'.",
            why="You may not write there.",
            fix="Choose a folder of your own, or have its permissions changed.",
        )
    named = error.filename or place
    return Unavailable(
        f"'{named}' was not used.", why=f"The system said: {error.strerror}.", fix="Check the path."
    )
