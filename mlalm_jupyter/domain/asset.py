"""Datasets: versioned bytes with a schema that experiments refer to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlalm_jupyter.domain.signature import Schema


def next_version(last_given: int) -> int:
    """The version after the last one ever given; a deleted number is not given again.

    >>> next_version(0)
    1
    """
    return last_given + 1


@dataclass(frozen=True, slots=True)
class Dataset:
    """One version of a dataset: bytes named by their hash."""

    id: str
    name: str
    version: int
    format: str
    digest: str
    size_bytes: int
    row_count: int
    schema: Schema
    created_at: str
    created_by: str
    equal_to: int | None = None

    @property
    def reference(self) -> str:
        return f"{self.name}:{self.version}"

    def to_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "reference": self.reference,
            "format": self.format,
            "digest": self.digest,
            "size_bytes": self.size_bytes,
            "row_count": self.row_count,
            "schema": self.schema.to_dict(),
            "created_at": self.created_at,
            "created_by": self.created_by,
            "equal_to": self.equal_to,
        }


@dataclass(frozen=True, slots=True)
class Pin:
    """What a reference in a notebook stood for when a snapshot of it was taken.

    >>> Pin("dataset", "census", 3, "0193ab", "9f86d0", wanted="census").reference
    'census:3'
    """

    kind: str
    name: str
    version: int
    id: str
    digest: str
    wanted: str

    @property
    def reference(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def told(self) -> str:
        """Kind and reference, as the inputs of a run say it."""
        return f"{self.kind} {self.reference}"

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Pin:
        return cls(**{name: stored[name] for name in ("kind", "name", "version", "id", "digest", "wanted")})

    def to_dict(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "name": self.name,
            "version": self.version,
            "id": self.id,
            "digest": self.digest,
            "wanted": self.wanted,
        }
