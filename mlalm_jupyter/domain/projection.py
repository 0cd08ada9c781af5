"""What the scorers need to know of the catalog, small enough to be a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ServableModel:
    """A model behind a definition: where its file lies and the seal that lets it run."""

    reference: str
    model_hash: str
    bundle_digest: str
    bundle_path: str
    seal: str | None
    types: tuple[tuple[str, str], ...] = ()
    """Classes in it that are trusted by name, each with the signature over that."""

    def to_dict(self) -> dict[str, Any]:
        told = {
            "reference": self.reference,
            "model_hash": self.model_hash,
            "bundle_digest": self.bundle_digest,
            "bundle_path": self.bundle_path,
            "seal": self.seal,
        }
        # left out where there are none, which is how servers of before read it
        return {**told, "types": [list(one) for one in self.types]} if self.types else told

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ServableModel:
        types = tuple((name, signature) for name, signature in value.get("types", ()))
        return cls(**{**value, "types": types})


@dataclass(frozen=True, slots=True)
class ServableDataset:
    """A dataset that a definition brings: which kind of file, and where it lies."""

    reference: str
    digest: str
    format: str
    path: str


@dataclass(frozen=True, slots=True)
class Servable:
    """A definition with everything a scorer needs to serve it."""

    digest: str
    path: str
    seal: str | None
    models: tuple[ServableModel, ...] = ()
    transforms: tuple[ServableModel, ...] = ()
    datasets: tuple[ServableDataset, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "digest": self.digest,
            "path": self.path,
            "seal": self.seal,
            "models": [one.to_dict() for one in self.models],
            "transforms": [one.to_dict() for one in self.transforms],
            "datasets": [asdict(one) for one in self.datasets],
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Servable:
        return cls(
            digest=value["digest"],
            path=value["path"],
            seal=value["seal"],
            models=tuple(ServableModel.from_dict(one) for one in value["models"]),
            transforms=tuple(ServableModel.from_dict(one) for one in value.get("transforms", ())),
            datasets=tuple(ServableDataset(**one) for one in value.get("datasets", ())),
        )


@dataclass(frozen=True, slots=True)
class ServedEndpoint:
    """An endpoint as scorers see it: which keys open it and which definition it answers with."""

    id: str
    reference: str
    revision: int
    definition_hash: str
    key_digests: tuple[str, ...]
    state: str = "running"
    max_concurrent_calls: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "reference": self.reference,
            "revision": self.revision,
            "definition_hash": self.definition_hash,
            "key_digests": list(self.key_digests),
            "state": self.state,
            "max_concurrent_calls": self.max_concurrent_calls,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ServedEndpoint:
        return cls(
            id=value["id"],
            reference=value["reference"],
            revision=value["revision"],
            definition_hash=value["definition_hash"],
            key_digests=tuple(value["key_digests"]),
            # files that were written before there were these do not say them
            state=value.get("state", "running"),
            max_concurrent_calls=value.get("max_concurrent_calls"),
        )


@dataclass(frozen=True, slots=True)
class Projection:
    """One workspace as the scorers see it; it can be made again from the catalog at any time."""

    workspace_id: str
    workspace_path: str
    seq: int
    public_key: str
    endpoints: tuple[ServedEndpoint, ...]
    servables: tuple[Servable, ...]
    subscription: str | None = None
    """What the addresses of a region's services are under."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "version": 1,
            "subscription": self.subscription,
            "workspace_id": self.workspace_id,
            "workspace_path": self.workspace_path,
            "seq": self.seq,
            "public_key": self.public_key,
            "endpoints": [endpoint.to_dict() for endpoint in self.endpoints],
            "servables": [servable.to_dict() for servable in self.servables],
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Projection:
        return cls(
            workspace_id=value["workspace_id"],
            workspace_path=value["workspace_path"],
            seq=value["seq"],
            public_key=value["public_key"],
            endpoints=tuple(ServedEndpoint.from_dict(item) for item in value["endpoints"]),
            servables=tuple(Servable.from_dict(item) for item in value["servables"]),
            subscription=value.get("subscription"),
        )
