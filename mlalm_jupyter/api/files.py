"""The person's own files: found, read, and never overwritten unasked."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.domain.errors import AlreadyExists, InvalidInput, NotFound, Unavailable


def readable_file(context: Context, file: str, *, or_folder: bool = False) -> Path:
    """The file a person named, from the current folder or from the workspace."""
    named = Path(os.path.expanduser(file))
    path = named if named.is_absolute() or named.exists() else context.path / named
    if path.is_dir() and not or_folder:
        raise InvalidInput(f"The file '{file}'", expected="a file", got="a folder")
    if not path.exists():
        beside = [one.name for one in path.parent.iterdir() if one.is_file()] if path.parent.is_dir() else []
        raise NotFound("file", file, known=beside, fix=f"Looked in {_places(context, named)}.")
    if not os.access(path, os.R_OK):
        raise Unavailable(
            f"The file '{file}' was not read.",
            why="You may not read it.",
            fix="Have its permissions changed.",
        )
    return path


def text_of(path: Path, *, name: str) -> str:
    """The text of a file, which must be UTF-8."""
    return decoded(path.read_bytes(), name=name)


def decoded(data: bytes, *, name: str) -> str:
    """The bytes of a file as text, without the mark that some editors put before it."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            f"Line {line} of '{name}'",
            expected="text in UTF-8",
            got=f"the byte 0x{data[error.start]:02x}",
            fix="Save the file as UTF-8.",
        ) from error


def _places(context: Context, named: Path) -> str:
    looked_in = [named.parent] if named.is_absolute() else [Path.cwd(), context.path]
    return " and ".join(dict.fromkeys(str(folder.resolve()) for folder in looked_in))


def write_new_file(context: Context, file: str, data: bytes) -> Path:
    """Write a file that does not exist yet, whole or not at all."""
    path = Path(os.path.expanduser(file))
    if path.exists():
        raise AlreadyExists("file", str(file), fix="Choose another name, or move that file away.")
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
        with open(temporary, "xb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        _put(temporary, path)
    except FileExistsError as error:
        raise AlreadyExists("file", str(file), fix="Choose another name, or move that file away.") from error
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise Unavailable(
            f"The file '{file}' was not written.",
            why="The disk is full." if is_full else f"The system said: {error.strerror}.",
            fix="Free some room there, or choose another place." if is_full else "Choose another place.",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return path.resolve()


@contextlib.contextmanager
def with_room(undone: str) -> Iterator[None]:
    """Say in our words where a disk has no room left, or lets us write nothing; `undone` is what did not happen."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error):
            raise Unavailable(
                undone,
                why=f"The disk{f' of {error.filename!r}' if error.filename else ''} is full.",
                fix="Free some room there, then repeat it.",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise Unavailable(
                undone,
                why=f"You may not write to '{error.filename}'.",
                fix="Have its permissions changed, or use a place of your own.",
            ) from error
        raise


def _put(temporary: Path, path: Path) -> None:
    """Give a finished file its name, which nothing may have yet."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        # FAT and some network disks know no links: the name is taken first, and then gets its bytes at once
        with open(path, "xb"):
            pass
        try:
            os.replace(temporary, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
