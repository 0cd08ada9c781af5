"""The server's home: where it keeps its port, its state, its projections and its logs."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlalm_jupyter.adapters.folder_blobs import translated
from mlalm_jupyter.domain.errors import Corrupt, Unavailable
from mlalm_jupyter.domain.server import DEFAULT_HOME
from mlalm_jupyter.scoring.places import Places

SCORERS = 2
"""How many scorers a server runs that was not asked for more."""
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Home(Places):
    """One user's server home; only that user may look into it.

    >>> Home.found({"MLALM_HOME": "/tmp/h"}).home
    PosixPath('/tmp/h')
    """

    @classmethod
    def found(cls, environ: Mapping[str, str]) -> Home:
        """The home that MLALM_HOME names, or the usual one."""
        return cls(Path(environ.get("MLALM_HOME") or DEFAULT_HOME).expanduser().absolute())

    @property
    def server_file(self) -> Path:
        return self.home / "server.json"

    @property
    def lock_file(self) -> Path:
        return self.home / "server.lock"

    @property
    def port_file(self) -> Path:
        return self.home / "port"

    @property
    def workspaces(self) -> Path:
        return self.home / "workspaces"

    @property
    def plans(self) -> Path:
        return self.home / "plans"

    @property
    def regions(self) -> Path:
        return self.home / "regions"

    @property
    def region_file(self) -> Path:
        return self.home / "region.json"

    def region(self) -> dict[str, Any] | None:
        """Which region this is the home of, and the subscription it is under; None for a person's own home."""
        facts = read_json(self.region_file)
        if facts is None and self.region_file.exists():
            raise Corrupt(
                f"The file '{self.region_file}'",
                why="It does not say any more which region this is.",
                fix="Restore it from a copy of the region's storage.",
            )
        return facts

    @property
    def scorers_file(self) -> Path:
        return self.home / "scorers"

    def scorers(self) -> int:
        """How many scorers the server here should run."""
        try:
            return max(SCORERS, int(self.scorers_file.read_text()))
        except (OSError, ValueError):
            return SCORERS

    def want_scorers(self, count: int) -> None:
        """Write down how many scorers a server here begins with; never fewer than any server has."""
        write_atomic(self.scorers_file, f"{max(SCORERS, count)}\n".encode())

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    def log(self, role: str) -> Path:
        return self.logs / f"{role}.log"

    def make(self) -> None:
        """Make what is missing of it."""
        with translated(self.home):
            for folder in (self.home, self.projections, self.control, self.workspaces, self.logs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def port(self) -> int | None:
        """The port that was chosen for this home, once and for all."""
        try:
            text = self.port_file.read_text().strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not (text.isdigit() and 0 < int(text) < 65536):
            raise Corrupt(
                f"The file '{self.port_file}'",
                why=f"It holds {text[:20]!r}, which is no port.",
                fix="Write the port that your addresses name into it.",
            )
        return int(text)

    def base_url(self) -> str | None:
        port = self.port()
        return None if port is None else f"http://127.0.0.1:{port}"

    def server_pid(self) -> int | None:
        """The process id of the supervisor that holds the lock, or None when no server runs."""
        try:
            with translated(self.home):
                handle = os.open(self.lock_file, os.O_RDONLY)
        except Unavailable as error:
            if isinstance(error.__cause__, (FileNotFoundError, NotADirectoryError)):
                return None
            raise
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(handle, 20, 0).strip()
            return int(text) if text.isdigit() else 0
        finally:
            os.close(handle)
        return None

    def server(self) -> dict[str, Any] | None:
        """What the supervisor wrote about itself, if that is the one which runs."""
        pid = self.server_pid()
        found = read_json(self.server_file)
        return found if pid and found and found.get("pid") == pid else None

    def registered(self) -> dict[str, Path]:
        """The folders of the workspaces this server knows, by id."""
        found = {}
        for path in sorted(self.workspaces.glob("*.json")):
            entry = read_json(path)
            if entry and isinstance(entry.get("path"), str):
                found[path.stem] = Path(entry["path"])
        return found


def write_atomic(path: Path, data: bytes) -> None:
    """Put a whole file in place of whatever is there, or leave that as it is."""
    with translated(path.parent):
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def write_json(path: Path, value: object) -> None:
    write_atomic(path, json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file, or None when there is none to read."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


@contextlib.contextmanager
def locked(path: Path, *, timeout_s: float) -> Iterator[None]:
    """Hold a lock file alone, waiting a bounded time for it."""
    with translated(path.parent):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _wait_for(handle, path, timeout_s)
        yield
    finally:
        os.close(handle)


def _wait_for(handle: int, path: Path, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Unavailable(
                    f"'{path.name}' could not be locked.",
                    why=f"Another process has held it for {timeout_s:g} s.",
                    fix="See which with `mlalm server status`, then try again.",
                ) from None
        time.sleep(_POLL_S)
