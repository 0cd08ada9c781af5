"""Web services and their endpoints: named references that move from one definition to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import DefaultEndpointNotPatchable, NothingToRollBack
from mlalm_jupyter.domain.names import DEFAULT_ENDPOINT


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A point-in-time copy of a service behind its own id and keys.

    What it serves is `definition_hash`; only that, and with it `revision`, ever changes.
    """

    id: str
    service_id: str
    service: str
    name: str
    definition_hash: str
    revision: int
    created_at: str
    updated_at: str
    model: str | None = None
    model_hash: str | None = None
    address: str | None = None
    note: str | None = None
    """What a verb has to say about it, for example that nothing changed."""

    @property
    def reference(self) -> str:
        return f"{self.service}/{self.name}"

    @property
    def is_default(self) -> bool:
        return self.name == DEFAULT_ENDPOINT

    def redeployed(self, definition: ServiceDefinition, *, at: str) -> Endpoint:
        """The default endpoint after deploying again; no other one follows."""
        return self._moved(definition, at=at)

    def patched(self, definition: ServiceDefinition, *, at: str) -> Endpoint:
        """This endpoint with another model behind it."""
        if self.is_default:
            raise DefaultEndpointNotPatchable(self.reference)
        return self._moved(definition, at=at)

    def applied(self, definition: ServiceDefinition, *, at: str) -> Endpoint:
        """This endpoint serving exactly what a definition file says."""
        return self._moved(definition, at=at)

    def rolled_back(self, definition: ServiceDefinition, *, at: str) -> Endpoint:
        """This endpoint serving an earlier definition again."""
        return self._moved(definition, at=at)

    def _moved(self, definition: ServiceDefinition, *, at: str) -> Endpoint:
        model = definition.models[0] if definition.models else None
        return replace(
            self,
            definition_hash=definition.digest,
            revision=self.revision + 1,
            updated_at=at,
            model=model.reference if model else None,
            model_hash=model.model_hash if model else None,
        )

    def to_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "service_id": self.service_id,
            "service": self.service,
            "name": self.name,
            "reference": self.reference,
            "definition_hash": self.definition_hash,
            "model": self.model,
            "model_hash": self.model_hash,
            "revision": self.revision,
            "address": self.address,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class WebService:
    """A named thing you call; it has a default endpoint and may have more."""

    id: str
    name: str
    kind: str
    source: str
    created_at: str
    created_by: str
    endpoints: tuple[Endpoint, ...] = ()
    state: str = "running"

    @property
    def default(self) -> Endpoint:
        return next(endpoint for endpoint in self.endpoints if endpoint.is_default)

    def to_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "state": self.state,
            "source": self.source,
            "created_at": self.created_at,
            "created_by": self.created_by,
            "endpoints": [endpoint.to_dict() for endpoint in self.endpoints],
        }


@dataclass(frozen=True, slots=True)
class Move:
    """One step in an endpoint's history: what it began to serve, when, by whom and why."""

    endpoint: str
    revision: int
    action: str
    definition_hash: str
    model: str | None
    at: str
    by: str

    def to_dict(self) -> dict[str, object]:
        return {
            "endpoint": self.endpoint,
            "revision": self.revision,
            "action": self.action,
            "definition_hash": self.definition_hash,
            "model": self.model,
            "at": self.at,
            "by": self.by,
        }


def rollback_target(endpoint: str, history: Sequence[Move]) -> str:
    """The definition that a rollback of `endpoint` goes back to.

    Rollbacks undo forward moves one by one, so rolling back twice goes two steps back instead of to and fro. One to
    what has been undone already is a forward move.

    >>> def move(n, action, definition): return Move("s/ep", n, action, definition, None, "", "")
    >>> rollback_target("s/ep", [move(1, "add", "A"), move(2, "patch", "B"), move(3, "patch", "C")])
    'B'
    """
    forward: list[str] = []
    for move in history:
        if move.action == "rollback" and move.definition_hash in forward:
            while forward[-1] != move.definition_hash:
                forward.pop()
        elif not forward or forward[-1] != move.definition_hash:
            forward.append(move.definition_hash)
    if len(forward) < 2:
        raise NothingToRollBack(endpoint)
    return forward[-2]
