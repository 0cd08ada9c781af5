"""The server's logs: files a person can read, kept small."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mlalm_jupyter.domain.errors import InvalidInput, NotFound

_ROTATE_AT_BYTES = 5 << 20
_SHRINK_AT_BYTES = 50 << 20
_BLOCK = 1 << 16


def rotate(path: Path) -> None:
    """Put a log that has grown large aside; one earlier file is kept."""
    if path.exists() and path.stat().st_size > _ROTATE_AT_BYTES:
        os.replace(path, path.with_suffix(".log.1"))


def shrink(path: Path) -> None:
    """Put what a process has logged aside while it goes on logging into the same file."""
    if path.exists() and path.stat().st_size > _SHRINK_AT_BYTES:
        shutil.copyfile(path, path.with_suffix(".log.1"))
        os.truncate(path, 0)


def tail(path: Path, *, lines: int) -> str:
    """The last lines of a file, read from its end."""
    try:
        with open(path, "rb") as file:
            at = file.seek(0, os.SEEK_END)
            held = b""
            while at > 0 and held.count(b"\n") <= lines:
                step = min(_BLOCK, at)
                at -= step
                file.seek(at)
                held = file.read(step) + held
    except FileNotFoundError:
        return ""
    return "\n".join(held.decode(errors="replace").splitlines()[-lines:])


def told(folder: Path, *, process: str | None, lines: int) -> str:
    """The end of one process' log, or of each under its name."""
    if lines < 1:
        raise InvalidInput("The number of lines", expected="at least 1", got=str(lines))
    roles = sorted(path.stem for path in folder.glob("*.log"))
    if process is not None:
        if process not in roles:
            raise NotFound("server process", process, known=roles, fix="See them with `mlalm server status`.")
        return tail(folder / f"{process}.log", lines=lines)
    parts = [f"== {role} ==\n{tail(folder / f'{role}.log', lines=lines)}" for role in roles]
    return "\n\n".join(parts)
