"""What a definition needs, copied into the store of a New service, with the trust that it has where it comes from."""

from __future__ import annotations

from dataclasses import replace

from mlalm_jupyter.api.adopting import Asset, adopt, held_as
from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.golive import (
    check_assets,
    held_dataset,
    held_model,
    held_transform,
    keep_seal,
    new_seal,
    servable,
    valid_seal,
)
from mlalm_jupyter.domain.asset import Dataset, Transform
from mlalm_jupyter.domain.definition import HeldAsset, ModelAsset, ServiceDefinition
from mlalm_jupyter.domain.errors import InvalidInput, NotFound
from mlalm_jupyter.domain.estate import Plan
from mlalm_jupyter.domain.model import Lineage, TrainedModel
from mlalm_jupyter.domain.projection import Servable
from mlalm_jupyter.domain.trust import TYPE, Seal
from mlalm_jupyter.domain.wsd.parts import asset_uri
from mlalm_jupyter.ports import Transaction

_MB = 1 << 20


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
        numbers = {asset.id: _adopted(tx, asset, told=told) for asset in assets}
        kept = _numbered(definition, assets, numbers)
        _sealed(there, tx, trusted, kept, reason=f"trusted in {told}, from where it was deployed")
    return kept


def as_kept(context: Context, there: Context, definition: ServiceDefinition) -> ServiceDefinition | None:
    """A definition as a store calls it that has all it needs already; None where something would be copied."""
    with context.catalog.read() as tx:
        assets = _assets(tx, definition)
    with there.catalog.read() as tx:
        numbers = {asset.id: held_as(tx, asset) for asset in assets}
    known = {id: number for id, number in numbers.items() if number is not None}
    return _numbered(definition, assets, known) if len(known) == len(numbers) else None


def is_whole(there: Context, definition: ServiceDefinition) -> bool:
    """Whether a store has all that a definition names, by these names, and may run its code."""
    with there.catalog.read() as tx:
        try:
            check_assets(tx, definition)
        except (NotFound, InvalidInput):
            return False
        return not definition.code or valid_seal(there, tx, "definition", definition.digest) is not None


def _numbered(
    definition: ServiceDefinition, assets: list[Asset], numbers: dict[str, int]
) -> ServiceDefinition:
    """A definition with the numbers that its assets have in a store."""
    text = definition.text
    for asset in assets:
        if numbers[asset.id] != asset.version:
            kind, digest = _identity(asset)
            before = asset_uri(kind, asset.name, asset.version, digest)
            text = text.replace(before, asset_uri(kind, asset.name, numbers[asset.id], digest))
    return definition if text == definition.text else ServiceDefinition.from_text(text)


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


def _assets(tx: Transaction, definition: ServiceDefinition) -> list[Asset]:
    return [
        *(held_model(tx, one) for one in definition.models),
        *(held_transform(tx, one) for one in definition.transforms),
        *(held_dataset(tx, one) for one in definition.datasets),
    ]


def _identity(asset: Asset) -> tuple[str, str]:
    if isinstance(asset, TrainedModel):
        return "model", asset.model_hash
    return ("transform", asset.transform_hash) if isinstance(asset, Transform) else ("dataset", asset.digest)


def _adopted(tx: Transaction, asset: Asset, *, told: str) -> int:
    """The version that an asset has in a store, where it is put if it is not there."""
    version = held_as(tx, asset)
    if version is not None:
        return version
    if isinstance(asset, Dataset):
        return adopt(tx, asset).version
    lineage = Lineage("external", source={"file": told, "kind": "a copy", "says": asset.lineage.told})
    return adopt(tx, replace(asset, lineage=lineage)).version
