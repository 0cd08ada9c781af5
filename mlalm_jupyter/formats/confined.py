"""Code that only answers: while it is confined, it writes no files, starts no programs and asks nobody.

Python cannot take an audit hook off again, so there is one for good, which is blind outside of `confined`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import FrameType
from typing import Any

FILES, PROGRAMS, OTHERS = "files", "programs", "others"
_WRITING = frozenset(
    (
        *("open", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate"),
        *("shutil.rmtree", "shutil.move"),
    )
)
_STARTING = frozenset(("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.startfile"))
_ASKING = frozenset(("socket.connect", "socket.getaddrinfo", "socket.sendto"))
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_LIBRARY = os.path.realpath(sysconfig.get_path("stdlib"))
_IMPORTING = "<frozen importlib._bootstrap>"


class Outreach(PermissionError):
    """Code that was only to answer did something to the world around it."""


_noted: ContextVar[tuple[frozenset[str], list[Outreach]] | None] = ContextVar("mlalm_confined", default=None)


@contextlib.contextmanager
def confined(*what: str) -> Iterator[None]:
    """Refuse what is named, files, programs or others; code that hides the refusal is refused at its end."""
    _watch()
    noted: list[Outreach] = []
    token = _noted.set((frozenset(what), noted))
    try:
        yield
    except Exception as error:
        if noted and error is not noted[0]:
            raise noted[0].with_traceback(error.__traceback__) from error
        raise
    finally:
        _noted.reset(token)
    if noted:
        raise noted[0]


def written_paths(event: str, arguments: tuple[Any, ...]) -> list[str]:
    """The files that an audited event is about to make, change or remove; those of the interpreter do not count."""
    if event not in _WRITING:
        return []
    if event == "open":
        path, mode, flags = (*arguments, None, None)[:3]
        is_written = (
            any(one in mode for one in "wax+") if isinstance(mode, str) else bool((flags or 0) & _WRITES)
        )
        given = [path] if is_written else []
    else:
        given = list(arguments[:2])
    paths = [
        os.path.realpath(os.fsdecode(one)) for one in given if isinstance(one, (str, bytes, os.PathLike))
    ]
    paths = [one for one in paths if not one.startswith("/dev/") and "__pycache__" not in one]
    return [] if not paths or _is_importing() else paths


_hooks: list[Callable[[str, tuple[Any, ...]], None]] = []


def _watch() -> None:
    if not _hooks:
        _hooks.append(_audited)
        sys.addaudithook(_audited)


def _audited(event: str, arguments: tuple[Any, ...]) -> None:
    found = _noted.get()
    if found is None:
        return
    refused, noted = found
    told = ""
    if event in _WRITING and FILES in refused:
        paths = written_paths(event, arguments)
        told = f"it writes '{paths[0]}', and scoring writes no files" if paths else ""
    elif event in _STARTING and PROGRAMS in refused:
        told = "it starts another program" if _is_own() else ""
    elif event in _ASKING and OTHERS in refused:
        told = (
            f"it asks {_whom(arguments)}, which may say something else tomorrow" if _is_far(arguments) else ""
        )
    if told:
        error = Outreach(told)
        noted.append(error)
        raise error


def _is_importing() -> bool:
    """Whether a library is just being loaded; several make caches then."""
    return any(one.f_code.co_filename == _IMPORTING for one in _frames())


def _is_own() -> bool:
    """Whether the code itself does it, and not a library that wants to know something of the machine."""
    for frame in _frames():
        file = frame.f_code.co_filename
        if file == __file__ or file.startswith("<frozen"):
            continue
        place = os.path.realpath(file)
        if place.startswith(_LIBRARY + os.sep) and "-packages" not in place:
            continue
        return not os.path.isabs(file)
    return True


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_far(arguments: tuple[Any, ...]) -> bool:
    """Whether somebody else is asked, by a name or an address, and not another part of the same program."""
    return not _is_importing() and bool(_whom(arguments))


def _whom(arguments: tuple[Any, ...]) -> str:
    for one in arguments:
        if isinstance(one, tuple) and one and isinstance(one[0], str):
            return one[0]
        if isinstance(one, (str, bytes)) and one:
            return os.fsdecode(one)
    return ""
