"""Blobs as files of a folder, each named by its sha256; published by temp file, fsync and rename."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path

from mlalm_jupyter.domain.errors import Corrupt, MlalmError, NotFound, Unavailable

_CHUNK = 1 << 20
_INCOMING = ".incoming-"
_PIECES = ".pieces"
_MODE = 0o444
_AT_ONCE = 200
"""How many files are open while they are written."""
_FEW = 2
_ASKING = 16
"""How many threads wait for the disk at once."""
_YOUNG_S = 30.0
"""A blob this young need not be made young again; whoever frees blobs leaves those of some minutes alone."""


class FolderBlobs:
    """A content-addressed store in one folder; any number of processes may use it at once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self._keep({self._place(digest): data})
        return digest

    def put_pieces(self, pieces: Sequence[bytes]) -> str:
        whole = b"".join(pieces)
        digest = hashlib.sha256(whole).hexdigest()
        if len(pieces) < 2 or os.path.lexists(self._place(digest)):
            return self.put(whole)
        parts = [hashlib.sha256(piece).hexdigest() for piece in pieces]
        wanted = {self._place(part): piece for part, piece in zip(parts, pieces, strict=True)}
        wanted[self._place(digest) + _PIECES] = "".join(f"{part}\n" for part in parts).encode()
        self._keep(wanted)
        return digest

    def put_file(
        self,
        path: Path,
        *,
        check: Callable[[Path], None] | None = None,
        told: Callable[[int], None] | None = None,
    ) -> tuple[str, int]:
        with translated(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.root, prefix=_INCOMING)
            try:
                with ThreadPoolExecutor(1) as beside:
                    digest, size = _copied(path, handle, beside=beside, told=told)
                    os.fchmod(handle, _MODE)
                    # the disk writes while we look
                    on_disk = beside.submit(os.fsync, handle)
                    if check:
                        check(Path(temporary))
                    on_disk.result()
                with self._shared():
                    _name({self._place(digest): temporary})
            except BaseException:
                _discard(temporary)
                raise
            finally:
                os.close(handle)
        return digest, size

    def get(self, digest: str) -> bytes:
        try:
            data = self._read(digest)
        except FileNotFoundError as error:
            raise NotFound(
                "blob", digest, fix="Run `mlalm workspace doctor` to see what misses it."
            ) from error
        except OSError as error:
            why = f"Its file cannot be read: {error.strerror}."
            raise Corrupt(f"Blob {digest[:12]}", why=why) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise Corrupt(f"Blob {digest[:12]}", why="Its bytes no longer give the hash it is named by.")
        return data

    def path(self, digest: str) -> Path:
        return Path(self._place(digest))

    def pieces(self, digest: str) -> tuple[str, ...]:
        try:
            return tuple(self._recipe(digest).read_text("ascii").split())
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except (OSError, UnicodeDecodeError) as error:
            why = "The list of its pieces cannot be read."
            raise Corrupt(f"Blob {digest[:12]}", why=why) from error

    def has(self, digest: str) -> bool:
        return os.path.exists(self.path(digest)) or os.path.exists(self._recipe(digest))

    def digests(self) -> Iterator[str]:
        with translated(self.root):
            files = list(self._files())
        yield from map(_digest_of, files)

    def fault(self, digest: str) -> str | None:
        hasher = hashlib.sha256()
        try:
            if os.path.exists(self.path(digest)):
                with open(self.path(digest), "rb") as file:
                    while chunk := file.read(_CHUNK):
                        hasher.update(chunk)
            else:
                hasher.update(self._read(digest))
        except FileNotFoundError:
            return "its file is missing" if not self.pieces(digest) else "one of its pieces is missing"
        except OSError as error:
            return f"its file cannot be read: {error.strerror}"
        except Corrupt:
            return "the list of its pieces cannot be read"
        return None if hasher.hexdigest() == digest else "its bytes no longer give the hash it is named by"

    def free(
        self, keep: Collection[str], *, before_s: float, only: Collection[str] | None = None
    ) -> tuple[int, int]:
        count = size = 0
        with translated(self.root):
            if only is None:
                files = [*self._files(), *self.root.glob(f"{_INCOMING}*")]
            else:
                files = [file for one in sorted(only) for file in (self.path(one), self._recipe(one))]
        for file in files:
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

    def _place(self, digest: str) -> str:
        return f"{self.root}/{digest[:2]}/{digest[2:]}"

    def _keep(self, wanted: Mapping[str, bytes]) -> None:
        """Publish files that are not there yet, or damaged, all together, which takes hardly longer than one."""
        with translated(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            with self._shared():
                missing = [place for place in wanted if not _is_kept(place, wanted[place])]
                for begin in range(0, len(missing), _AT_ONCE):
                    self._publish({place: wanted[place] for place in missing[begin : begin + _AT_ONCE]})

    def _publish(self, wanted: Mapping[str, bytes]) -> None:
        written: dict[str, tuple[int, str]] = {}
        try:
            for place, data in wanted.items():
                written[place] = tempfile.mkstemp(dir=self.root, prefix=_INCOMING)
                _write_all(written[place][0], data)
            _settle(written)
        except BaseException:
            for _, temporary in written.values():
                _discard(temporary)
            raise
        finally:
            for handle, _ in written.values():
                os.close(handle)

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


def _is_kept(place: str, data: bytes) -> bool:
    """Whether a blob is there already, and whole; it is young again then, so that nobody takes it for forgotten."""
    try:
        if not _holds(place, data):
            return False
        if os.stat(place).st_mtime < time.time() - _YOUNG_S:
            os.utime(place)
    except FileNotFoundError:
        return False
    except PermissionError:
        # another person's file, which we cannot make young; one of ours in its place is
        return not os.access(os.path.dirname(place), os.W_OK)
    return True


def _holds(place: str, data: bytes) -> bool:
    """Whether a file has just these bytes; one that was damaged is to be written anew."""
    if os.stat(place).st_size != len(data):
        return False
    view = memoryview(data)
    with open(place, "rb", buffering=0) as file:
        while part := file.read(_CHUNK):
            if part != view[: len(part)]:
                return False
            view = view[len(part) :]
    return not view


def _digest_of(file: Path) -> str:
    return file.parent.name + file.name.removesuffix(_PIECES)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _copied(
    path: Path, handle: int, *, beside: Executor, told: Callable[[int], None] | None
) -> tuple[str, int]:
    """Copy a file into an open one; its digest, which is worked out beside the writing, and its size."""
    hasher = hashlib.sha256()
    size = 0
    hashed: Future[None] | None = None
    with open(path, "rb") as source:
        while chunk := source.read(_CHUNK):
            if hashed:
                hashed.result()
            hashed = beside.submit(hasher.update, chunk)
            _write_all(handle, chunk)
            size += len(chunk)
            if told:
                told(size)
    if hashed:
        hashed.result()
    return hasher.hexdigest(), size


def _settle(written: Mapping[str, tuple[int, str]]) -> None:
    """Give written files their names, so that they are there whatever happens to the machine from now on."""
    for handle, _ in written.values():
        os.fchmod(handle, _MODE)
    _sync([handle for handle, _ in written.values()])
    _name({place: temporary for place, (_, temporary) in written.items()})


def _name(written: Mapping[str, str]) -> None:
    """Give files that are on the disk their names, and have those there as well."""
    folders: dict[str, None] = {}
    for place, temporary in written.items():
        folder = os.path.dirname(place)
        if folder not in folders:
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder)
                folders[os.path.dirname(folder)] = None
        folders[folder] = None
        os.replace(temporary, place)
    entries: list[int] = []
    try:
        for folder in folders:
            entries.append(os.open(folder, os.O_RDONLY))
        _sync(entries)
    finally:
        for entry in entries:
            os.close(entry)


def _sync(handles: Sequence[int]) -> None:
    """Have open files on the disk; those that ask at the same moment are written together, ten times as fast."""
    if len(handles) <= _FEW:
        for handle in handles:
            os.fsync(handle)
        return
    with ThreadPoolExecutor(min(len(handles), _ASKING)) as asking:
        for _ in asking.map(os.fsync, handles):
            pass


def _discard(temporary: str) -> None:
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
