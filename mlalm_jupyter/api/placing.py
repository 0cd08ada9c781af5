"""Where a service is kept: in this workspace, or in the store of a New service, in whatever region that is.

A store is a workspace with one service in it, so a verb of a service is done there by the code that does it here.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from mlalm_jupyter.api.context import Context, Opener
from mlalm_jupyter.api.golive import kept_definition
from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import Corrupt, InvalidInput, MlalmError, NoEndpoints, NotFound
from mlalm_jupyter.domain.estate import Region, Terms
from mlalm_jupyter.domain.names import checked_name
from mlalm_jupyter.domain.resource_ids import ResourceId, is_resource_id
from mlalm_jupyter.domain.service import NEW, WebService
from mlalm_jupyter.ports import Estate


@dataclass(frozen=True, slots=True)
class Held:
    """A New service and the place it is kept in."""

    region: Region
    folder: Path
    service: WebService
    terms: Terms


def silence(_text: str) -> None:
    """For whoever asks for what there is, and not for what is broken."""


def held_services(
    estate: Estate, another: Opener, *, trouble: Callable[[str], object] = silence
) -> list[Held]:
    """All New services of this machine, region by region; of one whose store does not open, only why."""
    found: list[Held] = []
    for region in estate.regions():
        if region.note:
            trouble(f"What lives in region {region.name} cannot be seen. {region.note}")
        for name in region.services:
            try:
                held = _held_at(estate, region, name, another)
            except NotFound:
                continue  # somebody has just deleted it
            except (MlalmError, OSError) as error:
                trouble(f"Service '{name}' in region {region.name} cannot be read: {error}")
            else:
                found += [held] if held else []
    return found


def held_service(context: Context, name: str) -> Held | None:
    """The New service of a name, in whatever region it is."""
    estate = context.host.estate
    for region in estate.regions():
        if name in region.services and (held := _held_at(estate, region, name, context.another)):
            return held
    return None


def _held_at(estate: Estate, region: Region, name: str, another: Opener) -> Held | None:
    """What a store holds; nothing where the one who made it, or deleted it, was ended half way."""
    folder = estate.store(region, name)
    with another(str(folder), host=estate.host(region)) as there, there.catalog.read() as tx:
        for one in tx.services.find():
            if one.terms:
                return Held(region, folder, one, one.terms)
    return None


@contextlib.contextmanager
def opened(context: Context, held: Held) -> Iterator[Context]:
    """The store of a New service."""
    host = context.host.estate.host(held.region)
    with context.another(str(held.folder), host=host, progress=context.progress) as there:
        yield there


def served_definitions(context: Context) -> Iterator[tuple[Held, ServiceDefinition]]:
    """What New services serve, as far as it can be read."""
    for held in held_services(context.host.estate, context.another):
        try:
            with opened(context, held) as there:
                yield held, kept_definition(there, held.service.default.definition_hash)
        except (Corrupt, NotFound, InvalidInput):
            continue


@contextlib.contextmanager
def changing(context: Context, held: Held) -> Iterator[Context]:
    """The store of a New service, while nobody else changes it; refused when it is another one by then."""
    with context.host.estate.changing(held.region, held.service.name), opened(context, held) as there:
        with there.catalog.read() as tx:
            if tx.services.get(held.service.name).id != held.service.id:
                raise NotFound(
                    "service", held.service.name, none="Somebody has just deleted it, and made another one."
                )
        yield there


@contextlib.contextmanager
def placed(context: Context, service: str, *, changes: bool = False) -> Iterator[Context]:
    """Where a service is kept: here, or in the store of the New service of that name."""
    name, _, endpoint = service.partition("/")
    is_here = kind_here(context, name) is not None
    held = None if is_here else held_service(context, name)
    if held is None:
        if not is_here:
            _refuse_unknown(context, name)
        yield context
        return
    if endpoint:
        raise NoEndpoints(name, done=f"called '{endpoint}'", fix=f"Name the service alone: '{name}'.")
    with changing(context, held) if changes else opened(context, held) as there:
        yield there


def named_by(context: Context, service: str) -> str:
    """The name of a service that may be named by its id in Azure's way."""
    if not is_resource_id(service):
        return service
    wanted = ResourceId.parse(service)
    for region in context.host.estate.regions():
        is_there = region.name.lower() == wanted.group.lower() and wanted.name in region.services
        if is_there and context.host.estate.host(region).subscription() == wanted.subscription:
            return wanted.name
    known = [f"{region.name}/{name}" for region in context.host.estate.regions() for name in region.services]
    raise NotFound("service", service, known=known, fix="" if known else "No region has any.")


def check_classic(context: Context, service: str, *, done: str, fix: str) -> None:
    """Refuse what only endpoints can have done to them; a New service has none."""
    name = service.partition("/")[0]
    kind = kind_here(context, name)
    if kind == NEW or (kind is None and held_service(context, name)):
        raise NoEndpoints(name, done=done, fix=fix.format(name=name))


def is_elsewhere(context: Context, service: str) -> bool:
    """Whether a service is a New one of that name, and none of this workspace."""
    name = service.partition("/")[0]
    return kind_here(context, name) is None and held_service(context, name) is not None


def kind_here(context: Context, name: str) -> str | None:
    """The kind of the service of a name in this workspace."""
    with context.catalog.read() as tx:
        return tx.services.kind(name)


def _refuse_unknown(context: Context, name: str) -> None:
    """Name what there is in regions as well; where there are none, the verb itself knows as much."""
    elsewhere = [one for region in context.host.estate.regions() for one in region.services]
    if elsewhere:
        checked_name("service", name)
        with context.catalog.read() as tx:
            raise NotFound("service", name, known=[*elsewhere, *(one.name for one in tx.services.find())])


Method = TypeVar("Method", bound=Callable[..., Any])


def where_it_is(*, changes: bool = False) -> Callable[[Method], Method]:
    """Have a verb of a service done where that service is kept; its class says with `_over` how it is made there."""

    def marked(method: Method) -> Method:
        signature = inspect.signature(method)

        @functools.wraps(method)
        def done(self: Any, /, *given: Any, **named: Any) -> Any:
            bound = signature.bind(self, *given, **named)
            argument = list(bound.arguments)[1]
            service = bound.arguments[argument] = named_by(self._context, str(bound.arguments[argument]))
            with placed(self._context, service, changes=changes) as there:
                holder = self if there is self._context else self._over(there)
                return method(holder, *bound.args[1:], **bound.kwargs)

        return cast("Method", done)

    return marked


def of_endpoints(done: str, *, fix: str, is_within: bool = False) -> Callable[[Method], Method]:
    """Have a verb of endpoints say of a New service that it has none, and what to do instead.

    `is_within`: the store of a New service does it itself, under the service's name.
    """

    def marked(method: Method) -> Method:
        endpoint_in = _first_argument(method)

        @functools.wraps(method)
        def checked(self: Any, /, *given: Any, **named: Any) -> Any:
            endpoint = endpoint_in(self, *given, **named)
            if not is_within or is_elsewhere(self._context, endpoint):
                check_classic(self._context, endpoint, done=done, fix=fix)
            return method(self, *given, **named)

        return cast("Method", checked)

    return marked


def _first_argument(method: Callable[..., Any]) -> Callable[..., str]:
    """What a call names first, which is the service or the endpoint it is about."""
    signature = inspect.signature(method)

    def found(*given: Any, **named: Any) -> str:
        bound = signature.bind(*given, **named).arguments.values()
        return str(list(bound)[1])

    return found
