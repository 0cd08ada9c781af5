"""Datasets and transforms: versions that experiments refer to, and what a snapshot pinned of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlalm_jupyter.domain.errors import AlreadyExists, InUse
from mlalm_jupyter.domain.model import Lineage
from mlalm_jupyter.domain.signature import Schema, Signature


def next_version(last_given: int) -> int:
    """The version after the last one ever given; a deleted number is not given again.

    >>> next_version(0)
    1
    """
    return last_given + 1


@dataclass(frozen=True, slots=True)
class Source:
    """Where the bytes of a dataset lie that is kept by reference, and how they were when they were seen."""

    address: str
    """As people may see it: without a password, and without the values of its query."""
    etag: str | None = None
    modified: str | None = None
    sealed_address: str | None = None
    """The whole address, encrypted; only where it holds more than people may see."""

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Source:
        return cls(stored["address"], stored["etag"], stored["modified"], stored["sealed_address"])

    def to_dict(self) -> dict[str, object]:
        return {"address": self.address, "etag": self.etag, "modified": self.modified}


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
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    profile_digest: str | None = None
    """The blob that tells of its columns; those of older versions of this package have none."""
    source: Source | None = None
    """Where its bytes lie, if they are not kept here."""
    run_id: str | None = None
    """The run that made it."""
    note: str | None = None
    """What a verb has to say about it, for example that nothing changed."""

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
            "tags": dict(self.tags),
            "description": self.description,
            "source": self.source.to_dict() if self.source else None,
            "run_id": self.run_id,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Transform:
    """One version of a fitted preprocessing step, kept as a package as models are."""

    id: str
    name: str
    version: int
    transform_hash: str
    bundle_digest: str
    size_bytes: int
    format: str
    framework: str
    is_data_only: bool
    signature: Signature
    lineage: Lineage
    created_at: str
    created_by: str
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    equal_to: int | None = None
    note: str | None = None

    @property
    def reference(self) -> str:
        return f"{self.name}:{self.version}"

    def to_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "reference": self.reference,
            "transform_hash": self.transform_hash,
            "bundle_digest": self.bundle_digest,
            "size_bytes": self.size_bytes,
            "format": self.format,
            "framework": self.framework,
            "is_data_only": self.is_data_only,
            "signature": self.signature.to_dict(),
            "lineage": self.lineage.to_dict(),
            "created_at": self.created_at,
            "created_by": self.created_by,
            "tags": dict(self.tags),
            "description": self.description,
            "equal_to": self.equal_to,
            "note": self.note,
        }


def unchanged(reference: str, version: int, *, newest: int) -> str:
    """What is told where a version that is there already was asked for instead of an equal one.

    >>> unchanged("rides:1", 1, newest=3)
    'Nothing changed: rides:1 has the same bytes; the newest is version 3.'
    """
    newer = f"; the newest is version {newest}" if newest > version else ""
    return f"Nothing changed: {reference} has the same bytes{newer}."


SET_UP_OF = "set-up-of"
"""The tag with the id of the training notebook for whose predictive notebook something was kept."""


def check_kept_for(experiment_id: str, kind: str, name: str, tags: Iterable[Mapping[str, str]]) -> None:
    """Refuse a name that somebody else has, be it a person or what was set up of another notebook.

    `tags` are those of its versions.

    >>> check_kept_for("e1", "dataset", "churn-rows", [])
    """
    if any(one.get(SET_UP_OF) != experiment_id for one in tags):
        raise AlreadyExists(kind, name, fix="It is not of this notebook; choose another name.")


def check_unused(kind: str, reference: str, users: Sequence[str]) -> None:
    """Refuse to delete an asset that a snapshot or another asset refers to, naming who."""
    if users:
        raise InUse(
            kind,
            reference,
            users=users,
            fix="It stays as long as they do; they go with `mlalm experiment delete` and `mlalm model delete`.",
        )


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
