"""The workspace and what a check of it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HIDDEN = ".mlalm"
"""The folder in a workspace that holds its record."""
CATALOG = "catalog.sqlite"
"""The catalog's file in that folder."""


@dataclass(frozen=True, slots=True)
class WorkspaceInfo:
    """What a workspace is and holds."""

    id: str
    path: str
    schema: str
    created_at: str
    counts: Mapping[str, int] = field(default_factory=dict)
    note: str | None = None
    """What a person should know who asked for something that was so already."""

    def to_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "path": self.path,
            "schema": self.schema,
            "created_at": self.created_at,
            "counts": dict(self.counts),
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: where, what, and what to do."""

    where: str
    what: str
    fix: str

    def to_dict(self) -> dict[str, str]:
        return {"where": self.where, "what": self.what, "fix": self.fix}


@dataclass(frozen=True, slots=True)
class Checkup:
    """What `workspace doctor` looked at and what it found."""

    checked: Mapping[str, int]
    findings: tuple[Finding, ...] = ()

    @property
    def is_healthy(self) -> bool:
        return not self.findings

    def to_dict(self) -> dict[str, object]:
        return {
            "healthy": self.is_healthy,
            "checked": dict(self.checked),
            "findings": [finding.to_dict() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Freed:
    """What `workspace gc` removed, and how many blobs are referred to."""

    blobs: int
    size_bytes: int
    kept: int

    def to_dict(self) -> dict[str, object]:
        return {"blobs": self.blobs, "size_bytes": self.size_bytes, "kept": self.kept}
