"""New services: each lives in a region, in a store of its own that holds all it needs, and outlives its workspace.

A store is a workspace with one service in it, so everything that is done with a service is done there by the same
code. What deploys into a region copies the bytes it names, and has checked before what of them may run.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from mlalm_jupyter.api.context import Context, Opener
from mlalm_jupyter.api.golive import (
    held_dataset,
    held_model,
    held_transform,
    keep_seal,
    new_seal,
    servable,
)
from mlalm_jupyter.domain.asset import Dataset, Transform
from mlalm_jupyter.domain.definition import HeldAsset, ModelAsset, ServiceDefinition
from mlalm_jupyter.domain.errors import AlreadyExists, InvalidInput, NoEndpoints, NotFound, TermsAreFixed
from mlalm_jupyter.domain.estate import Plan, Region, Terms
from mlalm_jupyter.domain.model import Lineage, TrainedModel
from mlalm_jupyter.domain.names import checked_name
from mlalm_jupyter.domain.projection import Servable
from mlalm_jupyter.domain.service import NEW, WebService
from mlalm_jupyter.domain.trust import TYPE, Seal
from mlalm_jupyter.domain.wsd.parts import asset_uri
from mlalm_jupyter.ports import Estate, Transaction

_Asset = TrainedModel | Transform | Dataset
_MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Held:
    """A New service and the place it is kept in."""

    region: Region
    folder: Path
    service: WebService
    terms: Terms


def held_services(estate: Estate, another: Opener) -> list[Held]:
    """All New services of this machine, region by region."""
    found = [
        _held_at(estate, region, name, another) for region in estate.regions() for name in region.services
    ]
    return [one for one in found if one]


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
        found = next(iter(tx.services.find()), None)
    return Held(region, folder, found, found.terms) if found and found.terms else None


@contextlib.contextmanager
def placed(context: Context, service: str) -> Iterator[Context]:
    """Where a service is kept: here, or in the store of the New service of that name."""
    name = service.partition("/")[0]
    is_here = _kind_here(context, name) is not None
    held = None if is_here else held_service(context, name)
    if held is None:
        if not is_here:
            _refuse_unknown(context, name)
        yield context
        return
    if "/" in service:
        raise NoEndpoints(
            name, done=f"called '{service.partition('/')[2]}'", fix=f"Name the service alone: '{name}'."
        )
    host = context.host.estate.host(held.region)
    with context.another(str(held.folder), host=host, progress=context.progress) as there:
        yield there


def check_classic(context: Context, service: str, *, done: str, fix: str) -> None:
    """Refuse what only endpoints can have done to them; a New service has none."""
    name = service.partition("/")[0]
    kind = _kind_here(context, name)
    if kind == NEW or (kind is None and held_service(context, name)):
        raise NoEndpoints(name, done=done, fix=fix.format(name=name))


def _refuse_unknown(context: Context, name: str) -> None:
    """Name what there is in regions as well; where there are none, the verb itself knows as much."""
    elsewhere = [one for region in context.host.estate.regions() for one in region.services]
    if elsewhere:
        checked_name("service", name)
        with context.catalog.read() as tx:
            raise NotFound("service", name, known=[*elsewhere, *(one.name for one in tx.services.find())])


def is_elsewhere(context: Context, service: str) -> bool:
    """Whether a service is a New one of that name, and none of this workspace."""
    name = service.partition("/")[0]
    return _kind_here(context, name) is None and held_service(context, name) is not None


def _kind_here(context: Context, name: str) -> str | None:
    with context.catalog.read() as tx:
        return tx.services.kind(name)


Method = TypeVar("Method", bound=Callable[..., Any])


def where_it_is(method: Method) -> Method:
    """Have a verb of a service done where that service is kept; its class says with `_over` how it is made there."""
    service_in = _first_argument(method)

    @functools.wraps(method)
    def done(self: Any, /, *given: Any, **named: Any) -> Any:
        with placed(self._context, service_in(self, *given, **named)) as there:
            holder = self if there is self._context else self._over(there)
            return method(holder, *given, **named)

    return cast("Method", done)


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


def asked_terms(estate: Estate, service: str, *, plan: str | None, region: str | None) -> Terms:
    """The terms of a service that is to be made; what is missing or unknown is refused by its name."""
    plan = _given("plan", plan, service, what="the name of a plan", make="mlalm plan add PLAN")
    region = _given(
        "region",
        region,
        service,
        what="the name of a region, whose storage it is kept in",
        make="mlalm region add REGION --storage FOLDER",
    )
    return Terms(estate.region(region).name, estate.plan(plan))


def _given(field: str, value: str | None, service: str, *, what: str, make: str) -> str:
    if value:
        return value
    raise InvalidInput(
        f"The {field} of the New service '{service}'",
        expected=what,
        got="none",
        fix=f"Give --{field}. `mlalm {field} list` shows those that there are, `{make}` makes one.",
    )


def check_terms(held: Held, *, plan: str | None, region: str | None) -> None:
    """Refuse to move a service to other terms than it has."""
    if region not in (None, held.terms.region):
        raise TermsAreFixed(held.service.name, term="region", has=held.terms.region, wanted=str(region))
    if plan not in (None, held.terms.plan.name):
        raise TermsAreFixed(held.service.name, term="plan", has=held.terms.plan.name, wanted=str(plan))


@contextlib.contextmanager
def founded(
    context: Context, service: str, *, plan: str | None, region: str | None
) -> Iterator[tuple[Context, Terms]]:
    """A store for a service that is to be made; nothing of it stays where that fails."""
    estate = context.host.estate
    with estate.alone():
        terms = asked_terms(estate, service, plan=plan, region=region)
        place = estate.region(terms.region)
        if held_service(context, service) or _kind_here(context, service):
            raise AlreadyExists(
                "service", service, fix="Choose another name, or deploy with --update to move what it serves."
            )
        host = estate.host(place)
        host.grow(terms.plan.workers)
        folder = estate.store(place, service)
        try:
            with context.another(str(folder), host=host, make=True, progress=context.progress) as there:
                yield there, terms
        except BaseException:
            removed(context, estate, place, service)
            raise


def removed(context: Context, estate: Estate, region: Region, service: str) -> None:
    """Take a store away: first what makes it one, then the rest."""
    folder = estate.store(region, service)
    if not folder.exists():
        return
    with context.another(str(folder), host=estate.host(region), make=True) as there:
        workspace_id = there.info.id
    estate.host(region).forget(workspace_id)
    gone = folder.with_name(f".gone-{workspace_id}")
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def check_memory(context: Context, definition: ServiceDefinition, plan: Plan) -> None:
    """Refuse what is larger than a plan allows."""
    with context.catalog.read() as tx:
        sizes = {one.reference: one.size_bytes for one in _assets(tx, definition)}
    if (needed := sum(sizes.values())) > plan.memory_mb * _MB:
        largest = max(sizes, key=sizes.__getitem__)
        raise InvalidInput(
            f"What plan '{plan.name}' gives a service",
            expected=f"models and data of {plan.memory_mb} MB in all",
            got=f"{needed / _MB:,.1f} MB, {sizes[largest] / _MB:,.1f} MB of it {largest}",
            fix="Deploy it with a larger plan; `mlalm plan list` shows them.",
        )


def carried(
    context: Context, there: Context, definition: ServiceDefinition, *, seal: Seal | None
) -> ServiceDefinition:
    """Copy all that a definition needs into a store, with what was checked here of what may run there.

    The definition as it is there: an asset whose name and version are another's in the store gets the next number.
    """
    with context.catalog.read() as tx:
        trusted = servable(context, tx, definition, seal=seal)
        assets = _assets(tx, definition)
    for asset in assets:
        digest = asset.digest if isinstance(asset, Dataset) else asset.bundle_digest
        there.blobs.put_file(context.blobs.path(digest))
        if isinstance(asset, Dataset) and asset.profile_digest:
            there.blobs.put_file(context.blobs.path(asset.profile_digest))
    told = f"workspace {context.path.name} ({context.info.id[:12]})"
    with there.catalog.write() as tx:
        text = definition.text
        for asset in assets:
            number = _adopted(there, tx, asset, told=told)
            if number != asset.version:
                kind, digest = _identity(asset)
                before = asset_uri(kind, asset.name, asset.version, digest)
                text = text.replace(before, asset_uri(kind, asset.name, number, digest))
        kept = definition if text == definition.text else ServiceDefinition.from_text(text)
        _sealed(there, tx, trusted, kept, reason=f"trusted in {told}, from where it was deployed")
    return kept


def renumbered(here: ServiceDefinition, there: ServiceDefinition) -> str:
    """What is called otherwise in a store, for a reader who will meet both names."""
    pairs: list[tuple[ModelAsset | HeldAsset, ModelAsset | HeldAsset]] = [
        *zip(here.models, there.models, strict=True),
        *zip(here.transforms, there.transforms, strict=True),
        *zip(here.datasets, there.datasets, strict=True),
    ]
    told = [f"{one.reference} is kept there as {other.reference}" for one, other in pairs if one != other]
    return f"{', '.join(told)}, for that name is another's there." if told else ""


def _sealed(
    there: Context, tx: Transaction, trusted: Servable, definition: ServiceDefinition, *, reason: str
) -> None:
    """What was trusted where it comes from is trusted in its store, and nothing else."""
    wanted = {("model", one.model_hash) for one in (*trusted.models, *trusted.transforms) if one.seal}
    wanted |= {(TYPE, name) for one in (*trusted.models, *trusted.transforms) for name, _ in one.types}
    if trusted.seal:
        wanted.add(("definition", definition.digest))
    for kind, digest in sorted(wanted):
        keep_seal(there, tx, new_seal(there, kind, digest, reason=reason))


def _assets(tx: Transaction, definition: ServiceDefinition) -> list[_Asset]:
    return [
        *(held_model(tx, one) for one in definition.models),
        *(held_transform(tx, one) for one in definition.transforms),
        *(held_dataset(tx, one) for one in definition.datasets),
    ]


def _identity(asset: _Asset) -> tuple[str, str]:
    if isinstance(asset, TrainedModel):
        return "model", asset.model_hash
    return ("transform", asset.transform_hash) if isinstance(asset, Transform) else ("dataset", asset.digest)


def _adopted(there: Context, tx: Transaction, asset: _Asset, *, told: str) -> int:
    """The version that an asset has in a store, where it is put if it is not there."""
    held: list[TrainedModel] | list[Transform] | list[Dataset]
    if isinstance(asset, TrainedModel):
        held = tx.models.find(name=asset.name)
    elif isinstance(asset, Transform):
        held = tx.transforms.find(name=asset.name)
    else:
        held = tx.datasets.find(name=asset.name)
    for one in held:
        if one.id == asset.id:
            return one.version
    if isinstance(asset, Dataset):
        dataset = replace(asset, version=tx.datasets.claim(asset.name, asset.version))
        tx.datasets.add(dataset)
        return dataset.version
    lineage = Lineage("external", source={"file": told, "kind": "a copy", "says": asset.lineage.told})
    if isinstance(asset, Transform):
        version = tx.transforms.claim(asset.name, asset.version)
        tx.transforms.add(replace(asset, version=version, lineage=lineage))
        return version
    version = tx.models.claim(asset.name, asset.version)
    tx.models.add(replace(asset, version=version, lineage=lineage))
    return version
