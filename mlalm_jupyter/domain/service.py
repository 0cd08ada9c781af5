"""Web services and their endpoints: named references that move from one definition to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import (
    Conflict,
    DefaultEndpointNotPatchable,
    InvalidInput,
    NothingToRollBack,
    UpdatePrevented,
)
from mlalm_jupyter.domain.estate import Terms
from mlalm_jupyter.domain.names import DEFAULT_ENDPOINT, EndpointRef
from mlalm_jupyter.domain.settings import NO_SETTINGS, EndpointSettings

RUNNING, STOPPED = "running", "stopped"
CLASSIC, NEW = "classic", "new"
KINDS = (CLASSIC, NEW)
MOST_COPIES = 1000


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
    settings: EndpointSettings = NO_SETTINGS
    is_service: bool = False
    """Whether it is all there is of a New service, and so is called by the service's name alone."""

    @property
    def reference(self) -> str:
        return self.service if self.is_service else f"{self.service}/{self.name}"

    @property
    def is_default(self) -> bool:
        return self.name == DEFAULT_ENDPOINT

    def redeployed(self, definition: ServiceDefinition, *, at: str) -> Endpoint:
        """The default endpoint after deploying again; no other one follows."""
        return self.moved(definition, at=at)

    def patched(self, definition: ServiceDefinition, *, at: str) -> Endpoint:
        """This endpoint with another model behind it."""
        self.check_movable("patched")
        return self.moved(definition, at=at)

    def refreshed(self, definition: ServiceDefinition, *, at: str) -> Endpoint:
        """This endpoint with the graph that the default endpoint has now."""
        self.check_movable("refreshed")
        return self.moved(definition, at=at)

    def check_movable(self, done: str) -> None:
        """Refuse what moves other endpoints than the default one, and none that is protected."""
        if self.is_default:
            raise DefaultEndpointNotPatchable(self.reference, done=done)
        if self.settings.prevent_update:
            raise UpdatePrevented(self.reference, done=done)

    def with_settings(self, settings: EndpointSettings, *, at: str) -> Endpoint:
        """This endpoint with other settings; what it serves, and its revision, stay."""
        if self.is_default and settings.prevent_update:
            raise InvalidInput(
                f"The protection of '{self.reference}'",
                expected="another endpoint than the default one",
                got="the default one, which neither patch nor refresh moves anyway",
            )
        return replace(self, settings=settings, updated_at=at)

    def applied(self, definition: ServiceDefinition, *, at: str) -> Endpoint:
        """This endpoint serving exactly what a definition file says."""
        return self.moved(definition, at=at)

    def rolled_back(self, definition: ServiceDefinition, *, at: str) -> Endpoint:
        """This endpoint serving an earlier definition again."""
        return self.moved(definition, at=at)

    def moved(self, definition: ServiceDefinition, *, at: str) -> Endpoint:
        """This endpoint serving something else, whoever may ask for that."""
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
            "name": None if self.is_service else self.name,
            "reference": self.reference,
            "definition_hash": self.definition_hash,
            "model": self.model,
            "model_hash": self.model_hash,
            "revision": self.revision,
            "address": self.address,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            **self.settings.to_dict(),
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class WebService:
    """A named thing you call.

    A classic one has a default endpoint and may have more. A New one has terms instead, and one definition: what it
    keeps as its default endpoint is the service itself, and is shown nowhere else.
    """

    id: str
    name: str
    kind: str
    source: str
    created_at: str
    created_by: str
    endpoints: tuple[Endpoint, ...] = ()
    state: str = RUNNING
    description: str = ""
    note: str | None = None
    """What a verb has to say about it, for example that nothing changed."""
    terms: Terms | None = None
    resource_id: str | None = None
    """Of a New service: what it is called in Azure's way."""

    @property
    def is_new(self) -> bool:
        return self.terms is not None

    @property
    def own_endpoints(self) -> tuple[Endpoint, ...]:
        """What may be called an endpoint of it."""
        return () if self.is_new else self.endpoints

    @property
    def is_running(self) -> bool:
        return self.state == RUNNING

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
            "description": self.description,
            "created_at": self.created_at,
            "created_by": self.created_by,
            "region": self.terms.region if self.terms else None,
            "plan": self.terms.plan.name if self.terms else None,
            "resource_id": self.resource_id,
            "address": self.default.address,
            "definition_hash": self.default.definition_hash,
            "model": self.default.model,
            "model_hash": self.default.model_hash,
            "revision": self.default.revision,
            "updated_at": self.default.updated_at,
            "endpoints": [endpoint.to_dict() for endpoint in self.own_endpoints],
            "note": self.note,
        }


def check_endpoint_deletable(endpoint: Endpoint, *, others: Sequence[str]) -> None:
    """Refuse to delete the default endpoint: not while there are others, and then only with its service.

    >>> check_endpoint_deletable(Endpoint("1", "2", "s", "ep2", "h", 1, "", ""), others=["s/default"])
    """
    if not endpoint.is_default:
        return
    why = "A service always has its default endpoint"
    why += f", and this one has {', '.join(others)} besides." if others else "."
    raise Conflict(
        f"Endpoint '{endpoint.reference}' was not deleted.",
        why=why,
        fix=f"Delete the whole service with `mlalm service delete {endpoint.service}`.",
    )


def counted_names(ref: EndpointRef, count: int) -> list[EndpointRef]:
    """The endpoints that one name stands for when several are asked for: NAME1 to NAMEn.

    >>> [str(one) for one in counted_names(EndpointRef("churn", "ep"), 2)]
    ['churn/ep1', 'churn/ep2']
    """
    if not 1 <= count <= MOST_COPIES:
        raise InvalidInput("The count of endpoints", expected=f"1 to {MOST_COPIES}", got=str(count))
    EndpointRef.parse(f"{ref}{count}")  # the longest of the names
    return [EndpointRef(ref.service, f"{ref.endpoint}{number}") for number in range(1, count + 1)]


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


def in_force(endpoint: str, history: Sequence[Move], at: str) -> Move:
    """The move that said what was served at a time, in the catalog's form of times.

    >>> moves = [Move("s/ep", n, "patch", "", None, f"2026-01-0{n}", "") for n in (1, 3)]
    >>> in_force("s/ep", moves, "2026-01-02").revision
    1
    """
    found = [move for move in history if move.at <= at]
    if not found:
        raise InvalidInput(
            f"The time {at}",
            expected=f"one since {endpoint} has been there, from {history[0].at} on"
            if history
            else "a history",
            got="an earlier one",
        )
    return found[-1]


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
