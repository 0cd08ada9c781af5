"""Uploads that come in parts, and go on where they stopped after either side was ended."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.datasets import Datasets
from mlalm_jupyter.domain.asset import Dataset
from mlalm_jupyter.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from mlalm_jupyter.domain.names import checked_name
from mlalm_jupyter.domain.workspace import HIDDEN
from mlalm_jupyter.formats import tables

FOLDER = "uploads"
KEPT_S = 7 * 24 * 3600.0
_CHUNK = 1 << 20
_DONE = "done.json"
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be uploaded; two that want the same are one upload, which is how it is found again."""

    name: str
    file: str
    size_bytes: int
    sha256: str
    format: str | None = None
    header: bool = True
    tags: Mapping[str, str] | None = None
    description: str = ""

    @classmethod
    def from_dict(cls, said: object) -> Wanted:
        types: dict[str, tuple[type, ...]] = {
            "name": (str,),
            "file": (str,),
            "size_bytes": (int,),
            "sha256": (str,),
            "format": (str, type(None)),
            "header": (bool,),
            "tags": (dict, type(None)),
            "description": (str,),
        }
        if not isinstance(said, dict):
            raise InvalidInput("The upload", expected="an object", got=type(said).__name__)
        for key, value in said.items():
            if key not in types or not isinstance(value, types[key]):
                raise InvalidInput(
                    f"'{key}' of the upload", expected=f"one of {', '.join(types)}", got=repr(value)[:80]
                )
        for key in ("name", "file", "size_bytes", "sha256"):
            if key not in said:
                raise InvalidInput("The upload", expected=f"'{key}'", got="none")
        wanted = cls(**said)
        checked_name("dataset", wanted.name)
        tables.format_of(wanted.file, said=wanted.format, header=wanted.header)
        if not _DIGEST.fullmatch(wanted.sha256):
            raise InvalidInput(
                "'sha256' of the upload", expected="64 hex digits", got=repr(wanted.sha256)[:80]
            )
        if wanted.size_bytes < 0 or isinstance(said["size_bytes"], bool):
            raise InvalidInput(
                "'size_bytes' of the upload", expected="a number of bytes", got=repr(said["size_bytes"])
            )
        return wanted

    def to_dict(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in self.__slots__}

    @property
    def id(self) -> str:
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Arrived:
    """How much of an upload is here."""

    upload: str
    offset: int
    size_bytes: int

    def to_dict(self) -> dict[str, object]:
        return {"upload": self.upload, "offset": self.offset, "size_bytes": self.size_bytes}


class Uploads:
    """The uploads of a workspace that are not whole yet."""

    def __init__(self, context: Context, datasets: Datasets) -> None:
        self._context = context
        self._datasets = datasets
        self._root = context.path / HIDDEN / FOLDER

    def begin(self, said: object) -> Arrived:
        """Make room for an upload, or find the one that was begun; parts older than a week are forgotten."""
        wanted = Wanted.from_dict(said)
        self._sweep()
        folder = self._root / wanted.id
        if (folder / _DONE).exists() and self._kept(folder) is not None:
            shutil.rmtree(folder, ignore_errors=True)  # the same file once more is another version
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _replace(folder / "wanted.json", json.dumps(wanted.to_dict()))
            (folder / "part").touch(mode=0o600)
        except OSError as error:
            raise _unwritten(error) from error
        return self.arrived(wanted.id)

    def arrived(self, upload: str) -> Arrived:
        """How much of an upload is here."""
        folder = self._folder(upload)
        whole = self._wanted(folder).size_bytes
        if self._kept(folder) is not None:
            return Arrived(upload, whole, whole)
        return Arrived(upload, (folder / "part").stat().st_size, whole)

    def append(self, upload: str, offset: int, data: bytes) -> Arrived:
        """Take the next part; one that does not begin where the last one ended is refused."""
        folder = self._folder(upload)
        wanted = self._wanted(folder)
        with self._alone(folder) as part:
            here = os.fstat(part).st_size
            if self._kept(folder) is not None:
                raise Conflict(
                    "That part was not kept.",
                    why="The upload is whole, and a dataset already.",
                    fix="Finish it, which tells which one, or begin it again for another version.",
                )
            if offset != here:
                raise Conflict(
                    "That part was not kept.",
                    why=f"It begins at byte {offset}, and {here} bytes are here.",
                    fix=f"Go on at byte {here}.",
                )
            if here + len(data) > wanted.size_bytes:
                raise InvalidInput(
                    "That part",
                    expected=f"at most {wanted.size_bytes - here} bytes, which are still to come",
                    got=str(len(data)),
                )
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(part, view) :]
                os.fsync(part)
            except OSError as error:
                raise _unwritten(error) from error
        return self.arrived(upload)

    def finish(self, upload: str) -> Dataset:
        """Keep a whole upload as the next version of its dataset; asked again, it tells of the same one.

        Its parts are gone then, or when their content is refused; whatever else goes wrong, they stay.
        """
        folder = self._folder(upload)
        wanted = self._wanted(folder)
        with self._alone(folder) as part:
            if (kept := self._kept(folder)) is not None:
                return kept
            here = os.fstat(part).st_size
            if here != wanted.size_bytes:
                raise Conflict(
                    "The upload was not finished.",
                    why=f"{here} of its {wanted.size_bytes} bytes are here.",
                    fix=f"Go on at byte {here}.",
                )
            if _hash(folder / "part") != wanted.sha256:
                shutil.rmtree(folder, ignore_errors=True)
                raise InvalidInput(
                    "What arrived",
                    expected=f"bytes with sha256 {wanted.sha256[:12]}...",
                    got="others, so all parts were dropped",
                    fix="Begin the upload again.",
                )
            new_id = self._context.clock.new_id()
            try:
                # said before it is made, so that whoever asks again after a kill finds what was made
                _replace(folder / _DONE, json.dumps({"id": new_id, "name": wanted.name}))
                made = self._datasets.keep_file(
                    folder / "part",
                    wanted.name,
                    file=wanted.file,
                    format=wanted.format,
                    header=wanted.header,
                    tags=wanted.tags or {},
                    description=wanted.description,
                    new_id=new_id,
                )
            except InvalidInput:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            except OSError as error:
                raise _unwritten(error) from error
            os.ftruncate(part, 0)
            return made

    def _kept(self, folder: Path) -> Dataset | None:
        """The version that this upload became, if it did."""
        try:
            said = json.loads((folder / _DONE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        with self._context.catalog.read() as tx:
            return next((one for one in tx.datasets.find(name=said["name"]) if one.id == said["id"]), None)

    def _folder(self, upload: str) -> Path:
        folder = self._root / upload
        if not re.fullmatch(r"[0-9a-f]{32}", upload) or not (folder / "wanted.json").exists():
            raise _unknown(upload)
        return folder

    @staticmethod
    def _wanted(folder: Path) -> Wanted:
        return Wanted.from_dict(json.loads((folder / "wanted.json").read_text(encoding="utf-8")))

    @staticmethod
    @contextmanager
    def _alone(folder: Path) -> Iterator[int]:
        """Hold the part: two senders of one upload take turns, and the slower one learns where it is."""
        try:
            part = os.open(folder / "part", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise _unknown(folder.name) from error
        try:
            fcntl.flock(part, fcntl.LOCK_EX)
            if not os.fstat(part).st_nlink:
                raise _unknown(folder.name)  # it was dropped while we waited
            yield part
        finally:
            os.close(part)

    def _sweep(self) -> None:
        before_s = self._context.clock.time_s() - KEPT_S
        for folder in self._root.glob("*"):
            try:
                newest_s = max(file.stat().st_mtime for file in (folder, *folder.iterdir()))
            except OSError:
                continue  # somebody else is sweeping as well
            if newest_s < before_s:
                shutil.rmtree(folder, ignore_errors=True)


def _hash(path: Path) -> str:
    hasher = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()


def _replace(file: Path, text: str) -> None:
    making = file.with_name(f".{file.name}.{os.getpid()}")
    with open(making, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    os.replace(making, file)


def _unknown(upload: str) -> NotFound:
    return NotFound("upload", upload[:40], fix="Begin it (again); parts are kept for a week.")


def _unwritten(error: OSError) -> Unavailable:
    return Unavailable(
        "That part was not kept.",
        why=f"The system said: {error.strerror}.",
        fix="Make room on the disk of the workspace, then go on.",
    )
