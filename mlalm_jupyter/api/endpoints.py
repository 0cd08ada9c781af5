"""Endpoints: named references that move from definition to definition while they answer."""

from __future__ import annotations

from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.endpoint_copies import CONCURRENCY, DESCRIPTION, THROTTLE, EndpointCopies
from mlalm_jupyter.api.endpoint_keys import EndpointKeys
from mlalm_jupyter.api.endpoint_moves import AS_IT_IS, check_fits, check_unprotected
from mlalm_jupyter.api.golive import kept_definition, model_asset, new_seal, valid_seal
from mlalm_jupyter.api.packages import named_model
from mlalm_jupyter.api.placing import check_classic, of_endpoints, where_it_is
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import InvalidInput, StaleRevision
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.names import EndpointRef
from mlalm_jupyter.domain.run import time_since
from mlalm_jupyter.domain.service import Endpoint, Move, in_force, rollback_target
from mlalm_jupyter.domain.settings import SettingsChange


class Endpoints(EndpointCopies, EndpointKeys):
    """The endpoints of a workspace's services."""

    def _over(self, context: Context) -> Endpoints:
        return Endpoints(context)

    @verb("endpoint", "list")
    def list(
        self, *, service: Annotated[str | None, Arg("only this service's", completes="service")] = None
    ) -> Listing[Endpoint]:
        """List endpoints: what each serves, and its address."""
        if service is not None:
            check_classic(
                self._context, service, done="listed", fix="Show the service: `mlalm service show {name}`."
            )
        with self._context.catalog.read() as tx:
            if service is not None:
                tx.services.get(service)
            found = [one for one in tx.endpoints.find() if service in (None, one.service)]
        return Listing("endpoint", map(self._addressed, found))

    @verb("endpoint", "show")
    @of_endpoints(
        "shown",
        fix="Show the service: `mlalm service show {name}`.",
        is_within=True,
    )
    def show(self, endpoint: Annotated[str, Arg("SERVICE/ENDPOINT", completes="endpoint")]) -> Endpoint:
        """Show one endpoint."""
        with self._context.catalog.read() as tx:
            return self._addressed(tx.endpoints.get(EndpointRef.parse(endpoint)))

    @verb("endpoint", "patch", is_long=True)
    @of_endpoints(
        "patched",
        fix="Deploy the other model with `mlalm service deploy MODEL {name} --update`.",
    )
    def patch(
        self,
        endpoint: Annotated[
            str, Arg("SERVICE/ENDPOINT; with --model any but the default", completes="endpoint")
        ],
        *,
        model: Annotated[
            str | None,
            Arg(
                "the model to put behind it: NAME:VERSION, NAME@ALIAS or an .ilearner file",
                completes="model",
                place="either",
            ),
        ] = None,
        description: Annotated[str | None, DESCRIPTION] = None,
        throttle: Annotated[str | None, THROTTLE] = None,
        concurrency: Annotated[int | None, CONCURRENCY] = None,
        prevent_update: Annotated[bool, Arg("refuse to patch and to refresh it from now on")] = False,
        allow_update: Annotated[bool, Arg("let it be patched and refreshed again")] = False,
    ) -> Endpoint:
        """Put another trained model behind a non-default endpoint while it answers, or set it otherwise.

        The default endpoint takes settings; its model changes by deploying again.

        >>> ws.endpoints.patch("wine/ep2", model="wine:2").model  # doctest: +SKIP
        'wine:2'
        """
        change = SettingsChange(description, throttle, concurrency, prevent_update, allow_update)
        if model is not None:
            return self.patch_at(endpoint, model=model, change=change)
        if change.is_empty:
            raise InvalidInput(
                f"The patch of '{endpoint}'",
                expected="a model or a setting to change",
                got="neither",
                fix="For example `--model NAME:VERSION` or `--throttle Low`.",
            )
        return self.configure(endpoint, change)

    def patch_at(
        self, endpoint: str, *, model: str, revision: int | None = None, change: SettingsChange = AS_IT_IS
    ) -> Endpoint:
        """The same, for who has seen the endpoint at a revision and would not overrule what came since."""
        ctx = self._context
        with ctx.catalog.read() as tx:
            current = tx.endpoints.get(EndpointRef.parse(endpoint))
            if revision not in (None, current.revision):
                raise StaleRevision("endpoint", current.reference, expected=revision)
            check_unprotected(current, "patch", change)
            change.of(current.settings)
            trained = named_model(ctx, tx, model)
            is_sealed = valid_seal(ctx, tx, "definition", current.definition_hash) is not None
        before = kept_definition(ctx, current.definition_hash)
        definition = before.with_model(model_asset(trained))
        if definition.digest == current.definition_hash:
            if not change.is_empty:
                return self.configure(endpoint, change)
            return self._unchanged(current, f"it serves {trained.reference} already")
        check_fits(
            ctx,
            before.models[0],
            trained,
            what=f"Endpoint '{current.reference}' was not patched.",
            whose="it serves",
            fix=f"Deploy the model as a service of its own: `mlalm service deploy {trained.reference} NAME`.",
        )
        seal = (
            new_seal(ctx, "definition", definition.digest, reason=f"patched here into {current.reference}")
            if is_sealed
            else None
        )
        return self.move(
            current.moved(definition, at=ctx.clock.now()),
            definition,
            action="patch",
            expected_revision=current.revision,
            seal=seal,
            change=change,
        )

    @verb("endpoint", "rollback", is_long=True)
    @where_it_is(changes=True)
    def rollback(
        self,
        endpoint: Annotated[str, Arg("SERVICE/ENDPOINT, or a New service", completes="endpoint")],
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
    @where_it_is()
    def history(
        self,
        endpoint: Annotated[str, Arg("SERVICE/ENDPOINT, or a New service", completes="endpoint")],
        *,
        as_of: Annotated[
            str | None,
            Arg("only what it served then, such as 2026-11-01T09:30; UTC without a zone", metavar="TIME"),
        ] = None,
    ) -> Listing[Move]:
        """What an endpoint served and when, oldest first."""
        at = time_since(as_of) if as_of is not None else None
        with self._context.catalog.read() as tx:
            found = tx.endpoints.get(EndpointRef.parse(endpoint))
            moves = tx.endpoints.moves(found.id)
        return Listing("move", moves if at is None else [in_force(found.reference, moves, at)])


def _served_at(endpoint: Endpoint, moves: list[Move], revision: int) -> str:
    for move in moves:
        if move.revision == revision:
            return move.definition_hash
    raise InvalidInput(
        f"Revision {revision} of {endpoint.reference}",
        expected=f"a revision of its history, 1 to {endpoint.revision}",
        got=str(revision),
    )
