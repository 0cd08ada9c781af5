"""Trained models: versions that never change, and where each came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlalm_jupyter.domain.errors import InUse
from mlalm_jupyter.domain.signature import Signature


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a model came from; a file from anywhere says `external`."""

    origin: str
    run_id: str | None = None
    experiment: str | None = None
    datasets: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        return {
            "origin": self.origin,
            "run_id": self.run_id,
            "experiment": self.experiment,
            "datasets": list(self.datasets),
        }


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """One version of a trained model.

    `model_hash` covers payload and signature, so training again on the same data gives it again;
    `bundle_digest` names the `.ilearner` file, which also holds the sample.
    """

    id: str
    name: str
    version: int
    model_hash: str
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

    @property
    def reference(self) -> str:
        return f"{self.name}:{self.version}"

    def to_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "reference": self.reference,
            "model_hash": self.model_hash,
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
        }


def check_deletable(reference: str, users: Sequence[str]) -> None:
    """Refuse to delete a model that something serves or a snapshot refers to, naming who."""
    if users:
        raise InUse("model", reference, users=users)
