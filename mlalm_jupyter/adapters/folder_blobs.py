"""Blobs as files of a folder, each named by its sha256; published by temp file, fsync and rename."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from mlalm_jupyter.domain.errors import Corrupt, MlalmError, NotFound, Unavailable

_CHUNK = 1 << 20
_INCOMING = ".incoming-"
_PIECES = ".pieces"


class FolderBlobs:
    """A content-addressed store in one folder; any number of processes may use it at once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self._keep(self.path(digest), data)
        return digest

    def put_pieces(self, pieces: Sequence[bytes]) -> str:
        hasher = hashlib.sha256()
        for piece in pieces:
            hasher.update(piece)
        digest = hasher.hexdigest()
        if len(pieces) < 2 or _is_kept(self.path(digest)):
            return self.put(b"".join(pieces))
        parts = "".join(f"{self.put(piece)}\n" for piece in pieces)
        self._keep(self._recipe(digest), parts.encode())
        return digest

    def put_file(
        self,
        path: Path,
        *,
        check: Callable[[Path], None] | None = None,
        told: Callable[[int], None] | None = None,
    ) -> tuple[str, int]:
        hasher = hashlib.sha256()
        size = 0
        with translated(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.root, prefix=_INCOMING)
            try:
                with open(path, "rb") as source:
                    while chunk := source.read(_CHUNK):
                        hasher.update(chunk)
                        _write_all(handle, chunk)
                        size += len(chunk)
                        if told:
                            told(size)
                if check:
                    check(Path(temporary))
                digest = hasher.hexdigest()
                with self._shared():
                    _settle(handle, temporary, self.path(digest))
            except BaseException:
                _discard(handle, temporary)
                raise
        return digest, size

    def get(self, digest: str) -> bytes:
        try:
            data = self._read(digest)
        except FileNotFoundError as error:
            raise NotFound(
                "blob", digest, fix="Run `mlalm workspace doctor` to see what misses it."
            ) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise Corrupt(f"Blob {digest[:12]}", why="Its bytes no longer give the hash it is named by.")
        return data

    def path(self, digest: str) -> Path:
        return self.root / digest[:2] / digest[2:]

    def pieces(self, digest: str) -> tuple[str, ...]:
        try:
            return tuple(self._recipe(digest).read_text().split())
        except FileNotFoundError:
            return ()

    def has(self, digest: str) -> bool:
        return self.path(digest).exists() or self._recipe(digest).exists()

    def digests(self) -> Iterator[str]:
        for file in self._files():
            yield _digest_of(file)

    def fault(self, digest: str) -> str | None:
        hasher = hashlib.sha256()
        try:
            if self.path(digest).exists():
                with open(self.path(digest), "rb") as file:
                    while chunk := file.read(_CHUNK):
                        hasher.update(chunk)
            else:
                hasher.update(self._read(digest))
        except FileNotFoundError:
            return "its file is missing" if not self.pieces(digest) else "one of its pieces is missing"
        except OSError as error:
            return f"its file cannot be read: {error.strerror}"
        return None if hasher.hexdigest() == digest else "its bytes no longer give the hash it is named by"

    def free(self, keep: Collection[str], *, before_s: float) -> tuple[int, int]:
        count = size = 0
        for file in [*self._files(), *self.root.glob(f"{_INCOMING}*")]:
            if _digest_of(file) in keep:
                continue
            with translated(self.root), self._alone(), contextlib.suppress(FileNotFoundError):
                facts = file.stat()
                if facts.st_mtime < before_s:
                    file.unlink()
                    count, size = count + 1, size + facts.st_size
        return count, size

    def _read(self, digest: str) -> bytes:
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            pieces = self.pieces(digest)
            if not pieces:
                raise
            return b"".join(self.path(piece).read_bytes() for piece in pieces)

    def _recipe(self, digest: str) -> Path:
        """The file that lists the pieces of a blob."""
        return self.path(digest).with_suffix(_PIECES)

    def _files(self) -> Iterator[Path]:
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            yield from sorted(folder.iterdir())

    def _keep(self, target: Path, data: bytes) -> None:
        with translated(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            with self._shared():
                if _is_kept(target):
                    return
                handle, temporary = tempfile.mkstemp(dir=self.root, prefix=_INCOMING)
                try:
                    _write_all(handle, data)
                    _settle(handle, temporary, target)
                except BaseException:
                    _discard(handle, temporary)
                    raise

    def _shared(self) -> contextlib.AbstractContextManager[None]:
        """Others may put blobs meanwhile, and nobody removes any."""
        return self._locked(fcntl.LOCK_SH)

    def _alone(self) -> contextlib.AbstractContextManager[None]:
        return self._locked(fcntl.LOCK_EX)

    @contextlib.contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        lock = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, kind)
            yield
        finally:
            os.close(lock)


def _is_kept(target: Path) -> bool:
    """Whether a blob is there already; it is young again then, so that nobody takes it for forgotten."""
    try:
        os.utime(target)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True  # it is another person's file
    return True


def _digest_of(file: Path) -> str:
    return file.parent.name + file.name.removesuffix(_PIECES)


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
