"""Services that are stopped, started again, and deleted; their keys are those of the default endpoint."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Annotated, Self

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.endpoint_copies import delete_endpoint, lost_with
from mlalm_jupyter.api.endpoint_moves import with_addresses
from mlalm_jupyter.api.endpoints import Endpoints
from mlalm_jupyter.api.golive import published
from mlalm_jupyter.api.placing import held_service, kind_here, where_it_is
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import Corrupt, Unconfirmed
from mlalm_jupyter.domain.estate import Region
from mlalm_jupyter.domain.names import DEFAULT_ENDPOINT, EndpointRef, checked_name
from mlalm_jupyter.domain.outcome import Removed
from mlalm_jupyter.domain.server import Key, KeyPair
from mlalm_jupyter.domain.service import RUNNING, STOPPED, Endpoint, WebService

_SERVICE = Arg("the service's name", completes="service")


class ServiceStates(ABC):
    """The part of `service` that begins and ends its answering."""

    _context: Context
    _endpoints: Endpoints

    @abstractmethod
    def _over(self, context: Context) -> Self:
        """The same for the services that another workspace keeps."""

    @verb("service", "start")
    @where_it_is(changes=True)
    def start(self, service: Annotated[str, _SERVICE]) -> WebService:
        """Have a stopped service answer again, with the addresses, keys and models it had."""
        ctx = self._context
        was_down = not ctx.host.status().is_running
        ctx.progress("Making sure that the server runs", 0, 0)
        ctx.host.ensure(ctx.info.id, ctx.path)
        is_changed = self.put(service, RUNNING) or was_down
        return self._told(service, is_changed=is_changed, otherwise="it runs already")

    @verb("service", "stop")
    @where_it_is(changes=True)
    def stop(self, service: Annotated[str, _SERVICE]) -> WebService:
        """Have a service refuse all calls until it is started; data, keys and addresses are kept.

        >>> ws.services.stop("wine").state  # doctest: +SKIP
        'stopped'
        """
        return self._told(service, is_changed=self.put(service, STOPPED), otherwise="it is stopped already")

    @verb("service", "delete")
    def delete(
        self,
        service: Annotated[str, _SERVICE],
        *,
        yes: Annotated[bool, Arg("delete without asking")] = False,
    ) -> Removed:
        """Delete a service with all its endpoints; models, definitions and what was noted of it stay."""
        ctx = self._context
        if kind_here(ctx, service) is None and (place := _place_of(ctx, service)):
            return self._removed(place, service, yes=yes)
        with ctx.catalog.write() as tx:
            found = tx.services.get(service)
            if not yes:
                goes = [lost for one in found.endpoints for lost in lost_with(tx, one)]
                raise Unconfirmed(f"Service {found.name}", goes=goes)
            for endpoint in found.endpoints:
                delete_endpoint(ctx, tx, endpoint)
            tx.services.delete(found.id)
            ctx.note(tx, "service", "delete", subject_id=found.id, subject=found.name)
        published(ctx)
        return Removed("service", found.name)

    def _removed(self, region: Region, name: str, *, yes: bool) -> Removed:
        """Take a New service away, with the store that is its own, even where that cannot be read any more."""
        ctx = self._context
        estate = ctx.host.estate
        folder = estate.store(region, name)
        if not yes:
            goes = ["its address", "its keys", f"its store '{folder}' with what it served and when"]
            raise Unconfirmed(f"Service {name}", goes=goes)
        with estate.changing(region, name):
            try:
                held = held_service(ctx, name)
                service_id = held.service.id if held else name
            except Corrupt:
                service_id = name
            estate.clear(region, name)
        with ctx.catalog.write() as tx:
            ctx.note(tx, "service", "delete", subject_id=service_id, subject=name)
        return Removed("service", name)

    @verb("service", "keys")
    @where_it_is()
    def keys(
        self,
        service: Annotated[str, _SERVICE],
        *,
        only: Annotated[
            str | None, Arg("primary or secondary: that key alone, for a script", metavar="WHICH")
        ] = None,
    ) -> KeyPair | Key:
        """Show the two keys that open a service's default endpoint, or one of them."""
        return self._endpoints.keys(_default(service), only=only)

    @verb("service", "regenerate-key")
    @where_it_is(changes=True)
    def regenerate_key(
        self, service: Annotated[str, _SERVICE], which: Annotated[str, Arg("primary or secondary")]
    ) -> Endpoint:
        """Make one of the two keys of a service's default endpoint anew; the other one works all the while."""
        return self._endpoints.regenerate_key(_default(service), which)

    def put(self, service: str, state: str) -> bool:
        """Put a service into a state; whether it was in another one."""
        ctx = self._context
        with ctx.catalog.write() as tx:
            found = tx.services.get(service)
            if found.state == state:
                return False
            tx.services.save(replace(found, state=state))
            action = "start" if state == RUNNING else "stop"
            ctx.note(tx, "service", action, subject_id=found.id, subject=found.name)
        published(ctx)
        return True

    def _told(self, service: str, *, is_changed: bool, otherwise: str) -> WebService:
        with self._context.catalog.read() as tx:
            shown = with_addresses(self._context, tx.services.get(service))
        return shown if is_changed else replace(shown, note=f"Nothing changed: {otherwise}.")


def _default(service: str) -> str:
    return str(EndpointRef(checked_name("service", service), DEFAULT_ENDPOINT))


def _place_of(context: Context, service: str) -> Region | None:
    """The region that a New service is in."""
    return next((one for one in context.host.estate.regions() if service in one.services), None)
