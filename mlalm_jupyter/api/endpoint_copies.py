"""Endpoints as copies of the default one: added, brought up to it again, deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, overload

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.endpoint_keys import new_keys
from mlalm_jupyter.api.endpoint_moves import EndpointMoves, check_fits, check_unprotected, note_move
from mlalm_jupyter.api.golive import held_model, kept_definition, new_seal, prepared, published, valid_seal
from mlalm_jupyter.api.placing import of_endpoints
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import AlreadyExists, InvalidInput, Unconfirmed
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.names import EndpointRef
from mlalm_jupyter.domain.outcome import Removed
from mlalm_jupyter.domain.policy import FOLLOW, Policy
from mlalm_jupyter.domain.service import Endpoint, check_endpoint_deletable, counted_names
from mlalm_jupyter.domain.settings import NO_SETTINGS, EndpointSettings, SettingsChange
from mlalm_jupyter.ports import Transaction

DESCRIPTION = Arg("what it is for, in a sentence or two", metavar="TEXT")
THROTTLE = Arg(
    "Low: 4 calls at once; High: as many as --concurrency says; none: no level and no limit", metavar="LEVEL"
)
CONCURRENCY = Arg(
    "how many calls it answers at once, 1 to 200; without it there is no limit", metavar="CALLS"
)


class EndpointCopies(EndpointMoves):
    """The part of `endpoint` that makes, refreshes and ends copies of the default endpoint."""

    @overload
    def add(
        self,
        endpoint: str,
        *,
        count: None = None,
        description: str | None = None,
        throttle: str | None = None,
        concurrency: int | None = None,
        prevent_update: bool = False,
    ) -> Endpoint: ...
    @overload
    def add(
        self,
        endpoint: str,
        *,
        count: int,
        description: str | None = None,
        throttle: str | None = None,
        concurrency: int | None = None,
        prevent_update: bool = False,
    ) -> Listing[Endpoint]: ...
    @verb("endpoint", "add", is_long=True)
    @of_endpoints(
        "added",
        fix="Deploy the definition as another service, or serve another one from this: `mlalm wsd apply FILE {name}`.",
    )
    def add(
        self,
        endpoint: Annotated[str, Arg("SERVICE/ENDPOINT", completes="service")],
        *,
        count: Annotated[int | None, Arg("make so many, called ENDPOINT1, ENDPOINT2 and so on")] = None,
        description: Annotated[str | None, DESCRIPTION] = None,
        throttle: Annotated[str | None, THROTTLE] = None,
        concurrency: Annotated[int | None, CONCURRENCY] = None,
        prevent_update: Annotated[bool, Arg("refuse to patch and to refresh it")] = False,
    ) -> Endpoint | Listing[Endpoint]:
        """Add an endpoint that serves what the default endpoint serves now, with its own address and keys.

        With --count it is many at once, or none where one of the names is taken.

        >>> ws.endpoints.add("wine/ep2").revision  # doctest: +SKIP
        1
        """
        ctx = self._context
        named = _named_endpoint(endpoint)
        refs = [named] if count is None else counted_names(named, count)
        change = SettingsChange(description, throttle, concurrency, prevent_update)
        settings = change.of(NO_SETTINGS)
        with ctx.catalog.read() as tx:
            default = tx.endpoints.get(EndpointRef(named.service))
            _refuse_taken(tx, refs)
        prepared(ctx, kept_definition(ctx, default.definition_hash))
        made = []
        with ctx.catalog.write() as tx:
            default = tx.endpoints.get(EndpointRef(named.service))
            _refuse_taken(tx, refs)
            for ref in refs:
                one = new_endpoint(ctx, default, name=ref.endpoint, settings=settings)
                tx.endpoints.add(one, new_keys(ctx, one.id))
                note_move(ctx, tx, one, "add")
                made.append(self._addressed(one))
        published(ctx)
        return made[0] if count is None else Listing("endpoint", made)

    @verb("endpoint", "refresh", is_long=True)
    @of_endpoints(
        "refreshed",
        fix="Deploy what it should serve with `mlalm service deploy WHAT {name} --update`.",
    )
    def refresh(
        self,
        endpoint: Annotated[str, Arg("SERVICE/ENDPOINT, any but the default", completes="endpoint")],
        *,
        overwrite_models: Annotated[bool, Arg("take the models of the default endpoint as well")] = False,
    ) -> Endpoint:
        """Bring the graph of the default endpoint to another one, which keeps its own models.

        >>> ws.endpoints.refresh("wine/ep2", overwrite_models=True).model  # doctest: +SKIP
        'wine:3'
        """
        ctx = self._context
        ref = EndpointRef.parse(endpoint)
        with ctx.catalog.read() as tx:
            current = tx.endpoints.get(ref)
            default = tx.endpoints.get(EndpointRef(ref.service))
            is_sealed = valid_seal(ctx, tx, "definition", default.definition_hash) is not None
        check_unprotected(current, "refresh")
        graph = kept_definition(ctx, default.definition_hash)
        definition = graph if overwrite_models else self._with_own_models(current, graph)
        refreshed = current.refreshed(definition, at=ctx.clock.now())
        if refreshed.definition_hash == current.definition_hash:
            models = " and the models" if overwrite_models else ""
            return self._unchanged(current, f"it has the graph{models} of the default endpoint already")
        seal = (
            new_seal(ctx, "definition", definition.digest, reason=f"refreshed here in {current.reference}")
            if is_sealed
            else None
        )
        return self.move(
            refreshed, definition, action="refresh", expected_revision=current.revision, seal=seal
        )

    @verb("endpoint", "delete")
    @of_endpoints(
        "deleted",
        fix="Delete the service: `mlalm service delete {name}`.",
    )
    def delete(
        self,
        endpoint: Annotated[str, Arg("SERVICE/ENDPOINT, any but the default", completes="endpoint")],
        *,
        yes: Annotated[bool, Arg("delete without asking")] = False,
    ) -> Removed:
        """Delete an endpoint, its address and its keys; models, definitions and what was noted of it stay."""
        ctx = self._context
        ref = _named_endpoint(endpoint)
        with ctx.catalog.write() as tx:
            found = tx.endpoints.get(ref)
            others = [one.reference for one in tx.services.get(ref.service).endpoints if one != found]
            check_endpoint_deletable(found, others=others)
            if not yes:
                raise Unconfirmed(f"Endpoint {found.reference}", goes=lost_with(tx, found))
            delete_endpoint(ctx, tx, found)
        published(ctx)
        return Removed("endpoint", found.reference)

    def _with_own_models(self, current: Endpoint, graph: ServiceDefinition) -> ServiceDefinition:
        """A graph in which each model is the one that the endpoint has in its place, where that fits."""
        ctx = self._context
        own = {model.asset: model for model in kept_definition(ctx, current.definition_hash).models}
        wanted = {model.asset: model for model in graph.models}
        if len(own) == len(wanted) == 1:
            own = dict(zip(wanted, own.values(), strict=True))  # one model is it, whatever it is called there
        for asset, theirs in wanted.items():
            if asset in own and own[asset].model_hash != theirs.model_hash:
                with ctx.catalog.read() as tx:
                    model = held_model(tx, own[asset])
                check_fits(
                    ctx,
                    theirs,
                    model,
                    what=f"Endpoint '{current.reference}' was not refreshed.",
                    whose="the default endpoint serves",
                    fix="Take its models as well: repeat with --overwrite-models.",
                )
            if asset in own:
                graph = graph.with_model(own[asset], asset=asset)
        return graph


def new_endpoint(context: Context, like: Endpoint, *, name: str, settings: EndpointSettings) -> Endpoint:
    """A fresh endpoint that serves what another one serves; its settings are its own."""
    now = context.clock.now()
    return replace(
        like,
        id=context.clock.new_id(),
        name=name,
        revision=1,
        created_at=now,
        updated_at=now,
        settings=settings,
    )


def lost_with(tx: Transaction, endpoint: Endpoint) -> list[str]:
    """What goes with an endpoint, for the person who has to say yes."""
    serves = endpoint.model or f"definition {endpoint.definition_hash[:12]}"
    goes = [f"the address and both keys of {endpoint.reference}, which serves {serves}"]
    return [*goes, *(f"policy {one.name}, which moves it" for one in _followers(tx, endpoint))]


def delete_endpoint(context: Context, tx: Transaction, endpoint: Endpoint) -> None:
    """Forget an endpoint, and the policies that have nothing to move without it."""
    for policy in _followers(tx, endpoint):
        tx.policies.delete(policy.id)
        context.note(tx, "policy", "delete", subject_id=policy.id, subject=policy.name)
    tx.endpoints.delete(endpoint.id)
    context.note(tx, "endpoint", "delete", subject_id=endpoint.id, subject=endpoint.reference)


def _followers(tx: Transaction, endpoint: Endpoint) -> list[Policy]:
    return [one for one in tx.policies.find(rule=FOLLOW) if one.endpoint == endpoint.reference]


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


def _refuse_taken(tx: Transaction, refs: list[EndpointRef]) -> None:
    there = {one.reference for one in tx.endpoints.find()}
    taken = next((str(ref) for ref in refs if str(ref) in there), None)
    if taken is not None:
        none = "None of them was made. " if len(refs) > 1 else ""
        raise AlreadyExists(
            "endpoint", taken, fix=f"{none}Choose another name, or patch the one that exists."
        )
