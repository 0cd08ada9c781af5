"""What the database refuses, in our words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from mlalm_jupyter.adapters.catalog.engine import BUSY_S
from mlalm_jupyter.domain.errors import Conflict, Corrupt, InvalidInput, MlalmError, Unavailable


@contextmanager
def translated(place: Path | str) -> Iterator[None]:
    """Turn the engine's errors into ours; `place` is the database file."""
    try:
        yield
    except DBAPIError as error:
        raise refusal(error.orig or error, place) from error
    except sqlite3.Error as error:
        raise refusal(error, place) from error
    except UnicodeEncodeError as error:
        # a file name that is no UTF-8 reaches Python as text that nothing else can hold
        raise InvalidInput(
            f"The text {error.object!r}", expected="text that UTF-8 can hold", got=error.reason
        ) from error


def refusal(error: BaseException, place: Path | str) -> MlalmError:
    """The sentence for an error of the database."""
    code = getattr(error, "sqlite_errorname", None) or ""
    said = str(error).rstrip(".")
    if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT")):
        return Corrupt(f"The catalog '{place}'", why=f"The database engine says: {said}.")
    if "no such table" in said or "no such column" in said:
        return Corrupt(f"The catalog '{place}'", why=f"A part of it is missing: {said}.")
    if code.startswith("SQLITE_CONSTRAINT"):
        return Conflict(
            "The change was not kept.",
            why=f"It contradicts what is recorded: {said}.",
            fix="Look at what there is now, then repeat the change if it is still wanted.",
        )
    if code == "SQLITE_READONLY" and _is_writable(Path(place)):
        return Conflict(
            "The change was not kept.",
            why="It was tried in a transaction that only reads.",
            fix="Make it inside `catalog.write()`.",
        )
    why, fix = _unavailable(code, said, Path(place))
    return Unavailable(f"The catalog '{place}' was not used.", why=why, fix=fix)


def _unavailable(code: str, said: str, place: Path) -> tuple[str, str]:
    if code.startswith("SQLITE_FULL") or (code.startswith("SQLITE_IOERR") and _is_full(place.parent)):
        return "The disk is full.", "Free some room there, then try again."
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return (
            f"Another process has been writing to it for {BUSY_S:.0f} seconds.",
            "Try again in a moment.",
        )
    if code.startswith("SQLITE_CANTOPEN") and place.is_dir():
        return "It is a folder, and a catalog is a file.", "Restore the file from a copy."
    if code.startswith("SQLITE_CANTOPEN") and not place.exists():
        return "That file does not exist any more.", "Restore it from a copy."
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return (
            f"The folder '{place.parent}' cannot be written to.",
            "Have its permissions changed, or use a workspace in a folder of your own.",
        )
    if code.startswith("SQLITE_IOERR"):
        return f"The disk reported an error: {said}.", "Check the disk, then `mlalm workspace doctor`."
    return f"The database engine says: {said}.", "Run `mlalm workspace doctor`."


def _is_writable(place: Path) -> bool:
    return os.access(place, os.W_OK) and os.access(place.parent, os.W_OK)


def _is_full(folder: Path) -> bool:
    try:
        room = os.statvfs(folder)
    except OSError:
        return False
    return room.f_bavail == 0
