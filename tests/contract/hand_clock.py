"""A clock that a test moves by hand, and a server that is not there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from mlalm_jupyter.adapters.system_clock import SystemClock
from mlalm_jupyter.domain.server import ServerStatus
from mlalm_jupyter.serving.local_host import LocalHost


class HandClock(SystemClock):
    """Stands still until it is moved."""

    def __init__(self, at: str) -> None:
        self.at = datetime.fromisoformat(at).astimezone(UTC)

    def to(self, at: str) -> None:
        self.at = datetime.fromisoformat(at).astimezone(UTC)

    def pass_(self, **more: float) -> None:
        self.at += timedelta(**more)

    def now(self) -> str:
        return self.at.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def time_s(self) -> float:
        return self.at.timestamp()


class FileClock(HandClock):
    """Shows what is in a file, for processes whose clock another one moves."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def at(self) -> datetime:  # type: ignore[override]
        return datetime.fromisoformat(self._file.read_text())


class NoServer(LocalHost):
    """The host of services, of which no server is ever started: nobody else looks at the triggers."""

    def ensure(self, workspace_id: str, workspace_path: Path) -> None:
        pass

    def status(self) -> ServerStatus:
        return ServerStatus(False, None, "nowhere")
