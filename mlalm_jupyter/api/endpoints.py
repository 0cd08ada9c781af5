"""Endpoints: named references that move from definition to definition while they answer."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.golive import (
    check_still_servable,
    held_model,
    keep_seal,
    kept_definition,
    model_asset,
    new_seal,
    prepared,
    published,
    valid_seal,
)
from mlalm_jupyter.api.packages import named_model
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.definition import ModelAsset, ServiceDefinition
from mlalm_jupyter.domain.errors import AlreadyExists, Conflict, InvalidInput, StaleRevision
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.names import EndpointRef
from mlalm_jupyter.domain.server import Key, KeyPair
from mlalm_jupyter.domain.service import Endpoint, Move, WebService, rollback_target
from mlalm_jupyter.domain.trust import Seal
from mlalm_jupyter.ports import StoredKey, Transaction


class Endpoints:
    """The endpoints of a workspace's services."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @verb("endpoint", "add")
    def add(self, endpoint: Annotated[str, Arg("SERVICE/ENDPOINT", completes="service")]) -> Endpoint:
        """Add an endpoint that serves what the default endpoint serves now, with its own address and keys.

        >>> ws.endpoints.add("wine/ep2").revision  # doctest: +SKIP
        1
        """
        ctx = self._context
        ref = _named_endpoint(endpoint)
        with ctx.catalog.read() as tx:
            default = tx.endpoints.get(EndpointRef(ref.service))
            _refuse_taken(tx, ref)
        prepared(ctx, kept_definition(ctx, default.definition_hash))
        with ctx.catalog.write() as tx:
            default = tx.endpoints.get(EndpointRef(ref.service))
            _refuse_taken(tx, ref)
            made = new_endpoint(ctx, default, name=ref.endpoint)
            tx.endpoints.add(made, new_keys(ctx, made.id))
            note_move(ctx, tx, made, "add")
        published(ctx)
        return self._addressed(made)

    @verb("endpoint", "list")
    def list(
        self, *, service: Annotated[str | None, Arg("only this service's", completes="service")] = None
    ) -> Listing[Endpoint]:
        """List endpoints: what each serves, and its address."""
        with self._context.catalog.read() as tx:
            if service is not None:
                tx.services.get(service)
            found = [one for one in tx.endpoints.find() if service in (None, one.service)]
        return Listing("endpoint", map(self._addressed, found))

    @verb("endpoint", "show")
    def show(self, endpoint: Annotated[str, Arg("SERVICE/ENDPOINT", completes="endpoint")]) -> Endpoint:
        """Show one endpoint."""
        with self._context.catalog.read() as tx:
            return self._addressed(tx.endpoints.get(EndpointRef.parse(endpoint)))

    @verb("endpoint", "patch", is_long=True)
    def patch(
        self,
        endpoint: Annotated[str, Arg("SERVICE/ENDPOINT, any but the default", completes="endpoint")],
        *,
        model: Annotated[
            str,
            Arg(
                "the model to put behind it: NAME:VERSION, NAME@ALIAS or an .ilearner file", completes="model"
            ),
        ],
    ) -> Endpoint:
        """Put another trained model behind a non-default endpoint, while it answers.

        >>> ws.endpoints.patch("wine/ep2", model="wine:2").model  # doctest: +SKIP
        'wine:2'
        """
        return self.patch_at(endpoint, model=model)

    def patch_at(self, endpoint: str, *, model: str, revision: int | None = None) -> Endpoint:
        """The same, for who has seen the endpoint at a revision and would not overrule what came since."""
        ctx = self._context
        with ctx.catalog.read() as tx:
            current = tx.endpoints.get(EndpointRef.parse(endpoint))
            if revision not in (None, current.revision):
                raise StaleRevision("endpoint", current.reference, expected=revision)
            trained = named_model(ctx, tx, model)
            is_sealed = valid_seal(ctx, tx, "definition", current.definition_hash) is not None
        before = kept_definition(ctx, current.definition_hash)
        definition = before.with_model(model_asset(trained))
        patched = current.patched(definition, at=ctx.clock.now())
        if patched.definition_hash == current.definition_hash:
            return self._unchanged(current, f"it serves {trained.reference} already")
        self._check_fits(current.reference, before.models[0], trained)
        seal = (
            new_seal(ctx, "definition", definition.digest, reason=f"patched here into {current.reference}")
            if is_sealed
            else None
        )
        return self.move(patched, definition, action="patch", expected_revision=current.revision, seal=seal)

    def _check_fits(self, endpoint: str, asset: ModelAsset, model: TrainedModel) -> None:
        """Refuse a model that asks for other columns than callers send, or gives fewer than they read."""
        with self._context.catalog.read() as tx:
            served = held_model(tx, asset)
        extra = model.signature.inputs.missing_from(served.signature.inputs.names)
        gone = served.signature.outputs.missing_from(model.signature.outputs.names)
        faults = [
            f"asks for {_listed(extra)}, which callers do not send" if extra else "",
            f"does not give {_listed(gone)}, which callers may read" if gone else "",
        ]
        if any(faults):
            raise Conflict(
                f"Endpoint '{endpoint}' was not patched.",
                why=f"Model {model.reference} {' and '.join(filter(None, faults))}; it serves {served.reference}.",
                fix=f"Deploy the model as a service of its own: `mlalm service deploy {model.reference} NAME`.",
            )

    @verb("endpoint", "rollback", is_long=True)
    def rollback(
        self,
        endpoint: Annotated[str, Arg("SERVICE/ENDPOINT", completes="endpoint")],
        *,
        to: Annotated[
            int | None, Arg("a revision of its history; without it, one step back", metavar="REVISION")
        ] = None,
    ) -> Endpoint:
        """Serve an earlier definition again; every step stays in the history."""
        ctx = self._context
        with ctx.catalog.read() as tx:
            current = tx.endpoints.get(EndpointRef.parse(endpoint))
            moves = tx.endpoints.moves(current.id)
        digest = rollback_target(current.reference, moves) if to is None else _served_at(current, moves, to)
        if digest == current.definition_hash:
            return self._unchanged(current, f"it serves what revision {to} served already")
        definition = kept_definition(ctx, digest)
        back = current.rolled_back(definition, at=ctx.clock.now())
        return self.move(back, definition, action="rollback", expected_revision=current.revision)

    @verb("endpoint", "history")
    def history(
        self, endpoint: Annotated[str, Arg("SERVICE/ENDPOINT", completes="endpoint")]
    ) -> Listing[Move]:
        """What an endpoint served and when, oldest first."""
        with self._context.catalog.read() as tx:
            return Listing("move", tx.endpoints.moves(tx.endpoints.get(EndpointRef.parse(endpoint)).id))

    @verb("endpoint", "keys")
    def keys(
        self,
        endpoint: Annotated[str, Arg("SERVICE/ENDPOINT", completes="endpoint")],
        *,
        only: Annotated[
            str | None, Arg("primary or secondary: that key alone, for a script", metavar="WHICH")
        ] = None,
    ) -> KeyPair | Key:
        """Show the two keys that open an endpoint, or one of them."""
        if only not in (None, "primary", "secondary"):
            raise InvalidInput(f"The key '{only}'", expected="primary or secondary", got=repr(only))
        pair = self.key_pair(endpoint)
        if only is None:
            return pair
        return pair.primary if only == "primary" else pair.secondary

    def key_pair(self, endpoint: str) -> KeyPair:
        """The two keys of an endpoint."""
        ctx = self._context
        with ctx.catalog.read() as tx:
            found = tx.endpoints.get(EndpointRef.parse(endpoint))
            stored = tx.endpoints.keys(found.id)
        plain = {
            key.slot: Key(ctx.keyring.decrypt(key.ciphertext, context=key_context(found.id, key.slot)))
            for key in stored
        }
        return KeyPair(found.reference, plain["primary"], plain["secondary"])

    def move(
        self,
        moved: Endpoint,
        definition: ServiceDefinition,
        *,
        action: str,
        expected_revision: int,
        seal: Seal | None = None,
    ) -> Endpoint:
        """Move an endpoint's reference: load first, then swap, then let everyone see it."""
        ctx = self._context
        prepared(ctx, definition, seal=seal)
        with ctx.catalog.write() as tx:
            check_still_servable(ctx, tx, definition, seal=seal)
            tx.definitions.add(definition, at=ctx.clock.now())
            if seal:
                keep_seal(ctx, tx, seal)
            tx.endpoints.save(moved, expected_revision=expected_revision)
            note_move(ctx, tx, moved, action)
        published(ctx)
        return self._addressed(moved)

    def _unchanged(self, endpoint: Endpoint, because: str) -> Endpoint:
        return replace(self._addressed(endpoint), note=f"Nothing changed: {because}.")

    def _addressed(self, endpoint: Endpoint) -> Endpoint:
        return addressed(self._context, endpoint)


def addressed(context: Context, endpoint: Endpoint) -> Endpoint:
    """An endpoint with the address it answers at."""
    base = context.host.base_url()
    if base is None:
        return endpoint
    return replace(endpoint, address=f"{base}/workspaces/{context.info.id}/services/{endpoint.id}")


def with_addresses(context: Context, service: WebService) -> WebService:
    """A service whose endpoints say where they answer."""
    return replace(service, endpoints=tuple(addressed(context, endpoint) for endpoint in service.endpoints))


def new_endpoint(context: Context, like: Endpoint, *, name: str) -> Endpoint:
    """A fresh endpoint that serves what another one serves."""
    now = context.clock.now()
    return replace(like, id=context.clock.new_id(), name=name, revision=1, created_at=now, updated_at=now)


def new_keys(context: Context, endpoint_id: str) -> list[StoredKey]:
    """Two fresh keys for an endpoint, as they are kept."""
    keys = []
    for slot in ("primary", "secondary"):
        secret = context.keyring.new_service_key()
        ciphertext = context.keyring.encrypt(secret, context=key_context(endpoint_id, slot))
        keys.append(StoredKey(endpoint_id, slot, hashlib.sha256(secret.encode()).hexdigest(), ciphertext))
    return keys


def key_context(endpoint_id: str, slot: str) -> str:
    """What a key's ciphertext is bound to, so that it opens in no other row."""
    return f"{endpoint_id}:{slot}"


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


def _named_endpoint(text: str) -> EndpointRef:
    ref = EndpointRef.parse(text)
    if "/" not in text:
        raise InvalidInput(
            f"The endpoint '{text}'",
            expected="SERVICE/ENDPOINT",
            got="a service alone",
            fix=f"For example {text}/ep2.",
        )
    return ref


def _refuse_taken(tx: Transaction, ref: EndpointRef) -> None:
    if any(one.service == ref.service and one.name == ref.endpoint for one in tx.endpoints.find()):
        raise AlreadyExists("endpoint", str(ref), fix="Choose another name, or patch the one that exists.")


def _served_at(endpoint: Endpoint, moves: list[Move], revision: int) -> str:
    for move in moves:
        if move.revision == revision:
            return move.definition_hash
    raise InvalidInput(
        f"Revision {revision} of {endpoint.reference}",
        expected=f"a revision of its history, 1 to {endpoint.revision}",
        got=str(revision),
    )


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
