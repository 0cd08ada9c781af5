"""The server as a person sees it: where it answers and which processes carry it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mlalm_jupyter.domain.estate import Region

DEFAULT_HOME = "~/.local/share/mlalm"
"""Where a server is at home when MLALM_HOME does not say."""


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """One process of the server."""

    role: str
    pid: int
    started_at: str
    restarts: int = 0

    def to_dict(self) -> dict[str, object]:
        return {"role": self.role, "pid": self.pid, "started_at": self.started_at, "restarts": self.restarts}


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """Whether the server runs, where, and how."""

    is_running: bool
    base_url: str | None
    home: str
    version: str | None = None
    pid: int | None = None
    processes: tuple[ServerProcess, ...] = ()
    workspaces: Mapping[str, str] = field(default_factory=dict)
    """The folders of the workspaces it hosts, by their ids."""
    note: str | None = None
    """What a person should know who asked for something that was so already."""
    regions: tuple[Region, ...] = ()

    def to_dict(self) -> dict[str, object]:
        return {
            "is_running": self.is_running,
            "regions": [region.to_dict() for region in self.regions],
            "base_url": self.base_url,
            "home": self.home,
            "version": self.version,
            "pid": self.pid,
            "processes": [process.to_dict() for process in self.processes],
            "workspaces": dict(self.workspaces),
            "note": self.note,
        }


class Key(str):
    """A key of an endpoint: text wherever it is used, and masked where a cell or a log would show its repr.

    >>> key = Key("c2VjcmV0")
    >>> key
    '**********'
    >>> f"Bearer {key}"
    'Bearer c2VjcmV0'
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'**********'"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The two keys of an endpoint. They are shown only to whoever asks, and never print."""

    endpoint: str
    primary: Key
    secondary: Key

    def to_dict(self) -> dict[str, object]:
        return {"endpoint": self.endpoint, "primary": self.primary, "secondary": self.secondary}


@dataclass(frozen=True, slots=True)
class Scored:
    """The answer of an endpoint: rows, and who gave them."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    endpoint: str
    definition_hash: str
    model: str | None
    model_hash: str | None
    form: str
    request_id: str

    def to_dict(self) -> dict[str, object]:
        return {
            "columns": list(self.names),
            "types": list(self.types),
            "rows": [list(row) for row in self.rows],
            "endpoint": self.endpoint,
            "definition_hash": self.definition_hash,
            "model": self.model,
            "model_hash": self.model_hash,
            "form": self.form,
            "request_id": self.request_id,
        }
