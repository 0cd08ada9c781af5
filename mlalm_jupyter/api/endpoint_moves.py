"""How an endpoint moves or is set: one compare-and-swap, written into its history, seen by every scorer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.golive import (
    check_still_servable,
    held_model,
    keep_seal,
    kept_definition,
    prepared,
    published,
)
from mlalm_jupyter.domain.definition import ModelAsset, ServiceDefinition
from mlalm_jupyter.domain.errors import Conflict, Corrupt, NotFound
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.names import EndpointRef
from mlalm_jupyter.domain.resource_ids import ResourceId
from mlalm_jupyter.domain.service import Endpoint, WebService
from mlalm_jupyter.domain.settings import SettingsChange
from mlalm_jupyter.domain.trust import Seal
from mlalm_jupyter.ports import Transaction

_DONE = {"patch": "patched", "refresh": "refreshed"}
"""The moves that an endpoint may be protected from, and how a refusal says them."""
AS_IT_IS = SettingsChange()


class EndpointMoves:
    """What the verbs of endpoints share."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def move(
        self,
        moved: Endpoint,
        definition: ServiceDefinition,
        *,
        action: str,
        expected_revision: int,
        seal: Seal | None = None,
        change: SettingsChange = AS_IT_IS,
        note: Callable[[Transaction], None] | None = None,
    ) -> Endpoint:
        """Move an endpoint's reference: load first, then swap, then let everyone see it."""
        ctx = self._context
        with ctx.catalog.read() as tx:
            check_changeable(ctx, tx.endpoints.get(EndpointRef(moved.service, moved.name)))
        prepared(ctx, definition, seal=seal)
        with ctx.catalog.write() as tx:
            check_still_servable(ctx, tx, definition, seal=seal)
            now = tx.endpoints.get(EndpointRef(moved.service, moved.name))
            check_unprotected(now, action, change)
            tx.definitions.add(definition, at=ctx.clock.now())
            if seal:
                keep_seal(ctx, tx, seal)
            if note:
                note(tx)
            # the time it began to be served, which is after all the loading
            moved = replace(moved, updated_at=ctx.clock.now(), settings=now.settings)
            tx.endpoints.save(moved, expected_revision=expected_revision)
            note_move(ctx, tx, moved, action)
            moved = self._set(tx, moved, change)
        published(ctx)
        return self._addressed(moved)

    def configure(self, endpoint: str, change: SettingsChange) -> Endpoint:
        """Set an endpoint otherwise, without moving it."""
        ctx = self._context
        with ctx.catalog.write() as tx:
            before = tx.endpoints.get(EndpointRef.parse(endpoint))
            after = self._set(tx, before, change)
        if after == before:
            return self._unchanged(before, "it is set like that already")
        published(ctx)
        return self._addressed(after)

    def _set(self, tx: Transaction, endpoint: Endpoint, change: SettingsChange) -> Endpoint:
        """The endpoint as it is set from now on, with an event if that is a change."""
        ctx = self._context
        told = endpoint.settings.changed_to(change.of(endpoint.settings))
        if not told:
            return endpoint
        after = endpoint.with_settings(change.of(endpoint.settings), at=ctx.clock.now())
        tx.endpoints.save_settings(after)
        ctx.note(tx, "endpoint", "configure", subject_id=endpoint.id, subject=endpoint.reference, data=told)
        return after

    def _unchanged(self, endpoint: Endpoint, because: str) -> Endpoint:
        return replace(self._addressed(endpoint), note=f"Nothing changed: {because}.")

    def _addressed(self, endpoint: Endpoint) -> Endpoint:
        return addressed(self._context, endpoint)


def check_changeable(context: Context, endpoint: Endpoint) -> None:
    """Refuse to move what says of itself that it stays as it is."""
    try:
        serving = kept_definition(context, endpoint.definition_hash)
    except (Corrupt, NotFound):
        return  # what is damaged may always be replaced
    if serving.is_read_only:
        raise Conflict(
            f"{'Service' if endpoint.is_service else 'Endpoint'} '{endpoint.reference}' was not changed.",
            why="Its definition is read-only (`readOnly`), so it answers as it does until it is deleted.",
            fix="Deploy the other definition as a service of its own.",
        )


def check_unprotected(endpoint: Endpoint, action: str, change: SettingsChange = AS_IT_IS) -> None:
    """Refuse a move that the endpoint does not take, unless the same change lets it."""
    if action in _DONE:
        if change.allow_update:
            endpoint = replace(endpoint, settings=SettingsChange(allow_update=True).of(endpoint.settings))
        endpoint.check_movable(_DONE[action])


def check_fits(
    context: Context, asset: ModelAsset, model: TrainedModel, *, what: str, whose: str, fix: str
) -> None:
    """Refuse a model that asks for other columns than it gets, or gives fewer than are read."""
    with context.catalog.read() as tx:
        served = held_model(tx, asset)
    extra = model.signature.inputs.missing_from(served.signature.inputs.names)
    gone = served.signature.outputs.missing_from(model.signature.outputs.names)
    faults = [
        f"asks for {_listed(extra)}, which callers do not send" if extra else "",
        f"does not give {_listed(gone)}, which callers may read" if gone else "",
    ]
    if any(faults):
        why = f"Model {model.reference} {' and '.join(filter(None, faults))}; {whose} {served.reference}."
        raise Conflict(what, why=why, fix=fix)


def addressed(context: Context, endpoint: Endpoint) -> Endpoint:
    """An endpoint with the address it answers at."""
    return replace(endpoint, address=context.host.address(context.info.id, endpoint.id))


def with_addresses(context: Context, service: WebService) -> WebService:
    """A service whose endpoints say where they answer, and that says what it is called in Azure's way."""
    subscription, terms = context.host.subscription(), service.terms
    resource_id = (
        ResourceId(subscription, terms.region, service.name).told if terms and subscription else None
    )
    endpoints = tuple(addressed(context, endpoint) for endpoint in service.endpoints)
    return replace(service, endpoints=endpoints, resource_id=resource_id)


def note_move(context: Context, tx: Transaction, endpoint: Endpoint, action: str) -> None:
    """Write an endpoint's move into its history."""
    context.note(
        tx,
        "endpoint",
        action,
        subject_id=endpoint.id,
        subject=endpoint.reference,
        data={
            "definition_hash": endpoint.definition_hash,
            "model": endpoint.model,
            "revision": endpoint.revision,
        },
        at=endpoint.updated_at,
    )


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
