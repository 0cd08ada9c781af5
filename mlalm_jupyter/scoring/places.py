"""Where, inside the server's home, the scorers find what they read and listen on."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MAX_SOCKET_PATH = 100
_PROJECTION = re.compile(r"[0-9a-f]{32}\.json")


@dataclass(frozen=True, slots=True)
class Places:
    """The part of the home that scorers share with the rest of the server.

    >>> str(Places(Path("/home/ada/mlalm")).control_socket(0))
    '/home/ada/mlalm/control/scorer-0.sock'
    """

    home: Path

    @property
    def generation(self) -> Path:
        return self.home / "generation"

    @property
    def calls(self) -> Path:
        return self.home / "calls"

    @property
    def projections(self) -> Path:
        return self.home / "serving"

    @property
    def control(self) -> Path:
        return self.home / "control"

    @property
    def api_socket(self) -> Path:
        return self.control / "api.sock"

    def projection(self, workspace_id: str) -> Path:
        return self.projections / f"{workspace_id}.json"

    def control_socket(self, slot: int) -> Path:
        return self.control / f"scorer-{slot}.sock"

    def projection_files(self) -> list[Path]:
        """The projections that exist; anything not named like a workspace is not one."""
        try:
            names = os.listdir(self.projections)
        except FileNotFoundError:
            return []
        return [self.projections / name for name in names if _PROJECTION.fullmatch(name)]


@contextlib.contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """An address of a socket file short enough for the kernel, which takes about a hundred bytes."""
    if len(os.fsencode(path)) <= _MAX_SOCKET_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listening_at(path: Path) -> socket.socket:
    """A new socket file that listens, in place of any that was left there; it is its user's alone."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with socket_address(path) as address:
            listener.bind(address)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(before)
    listener.listen(512)
    return listener
