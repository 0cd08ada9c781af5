"""An experiment with all it refers to, carried from one workspace to another.

A parcel holds the text of the experiment and, of each asset, its identity and where its bytes are; these are read when
their turn comes, so that never more than one asset is in memory. Assets keep their ids, so a workspace that has one
already does not get it twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from mlalm_jupyter.api.adopting import adopt, held_as
from mlalm_jupyter.api.contents import kept_bytes
from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.pinning import asset_of, told_absent
from mlalm_jupyter.api.registering import numbers, texts
from mlalm_jupyter.api.saving import found_source, new_path, write_new_notebook
from mlalm_jupyter.domain.asset import Dataset, Pin, Transform
from mlalm_jupyter.domain.errors import Corrupt, InvalidInput, NotFound
from mlalm_jupyter.domain.experiment import Experiment
from mlalm_jupyter.domain.model import Lineage, TrainedModel
from mlalm_jupyter.domain.names import AssetRef, checked_name
from mlalm_jupyter.domain.outcome import SavedAs, Swap
from mlalm_jupyter.domain.signature import Schema
from mlalm_jupyter.formats.tables import format_of
from mlalm_jupyter.notebook.document import read_notebook
from mlalm_jupyter.notebook.exported import ExportedExperiment, Parent
from mlalm_jupyter.notebook.references import rewritten
from mlalm_jupyter.ports import Transaction


@dataclass(frozen=True, slots=True)
class Packed:
    """One asset of a parcel: what is known of it, and how its bytes are read."""

    kind: str
    facts: dict[str, object]
    read: Callable[[], bytes]

    @property
    def id(self) -> str:
        return str(self.facts["id"])

    @property
    def reference(self) -> str:
        return f"{self.facts['name']}:{self.facts['version']}"


@dataclass(frozen=True, slots=True)
class Parcel:
    """An experiment and its assets."""

    experiment: ExportedExperiment
    assets: tuple[Packed, ...]
    note: str = ""
    """What did not come along."""


def packed(context: Context, source: str) -> Parcel:
    """What a notebook or a snapshot is made of."""
    found = found_source(context, source)
    origin, pins = found.origin, found.pins
    document = read_notebook(found.content)
    experiment = ExportedExperiment.of(
        document,
        id=origin.id if origin else context.clock.new_id(),
        name=found.path.removesuffix(".ipynb"),
        kind=origin.kind if origin else "training",
        assets=pins,
        parent=parent_of(origin) if origin else None,
    )
    with context.catalog.read() as tx:
        assets = tuple(_packed(context, tx, pin) for pin in {pin.id: pin for pin in pins}.values())
    return Parcel(experiment, assets, told_absent(document, pins, found.parameters))


def unpacked(context: Context, parcel: Parcel, *, name: str, told: str) -> SavedAs:
    """Put a parcel into this workspace under a new name; nothing of it is run.

    Code that came along is as foreign as any other: a model that carries some needs this workspace's trust to serve.
    """
    path = new_path(context, name)
    kept: dict[str, str] = {}
    opened: dict[str, Dataset | Transform | TrainedModel] = {}
    for asset in parcel.assets:
        data = asset.read()
        opened[asset.id] = _opened(context, asset, data, told=told)
        kept[asset.id] = context.blobs.put(data)
    swaps: list[Swap] = []
    here: dict[str, str] = {}
    with context.catalog.write() as tx:
        for asset in sorted(parcel.assets, key=_in_order):
            here[asset.id] = _adopted(context, tx, asset, kept[asset.id], opened[asset.id])
            if here[asset.id] != asset.reference:
                swaps.append(Swap(asset.kind, str(asset.facts["name"]), asset.reference, here[asset.id]))
        pinned = _pinned(tx, parcel.experiment.assets, here)
        changed = {(swap.kind, swap.old): swap.new for swap in swaps}
        changed |= {(pin.kind, pin.wanted): here[pin.id] for pin in pinned}
        experiment = Experiment(
            id=context.clock.new_id(),
            path=path,
            kind=parcel.experiment.kind,
            created_at=context.clock.now(),
            parent=parcel.experiment.name,
            parent_id=parcel.experiment.id,
        )
        tx.experiments.add(experiment)
        context.note(tx, "experiment", "copy", subject_id=experiment.id, subject=path, data={"from": told})
        write_new_notebook(context, path, rewritten(parcel.experiment.to_notebook(), changed))
    return SavedAs(experiment, tuple(swaps), note=" ".join(filter(None, (parcel.note, _told(pinned, here)))))


def parent_of(experiment: Experiment) -> Parent | None:
    """What an experiment was saved from, as its text says it."""
    if experiment.parent is None or experiment.parent_id is None:
        return None
    return Parent(experiment.parent, experiment.parent_id, experiment.parent_run_id)


def missing_assets(tx: Transaction, pins: Iterable[Pin]) -> list[str]:
    """The assets that are not here under the same id, in words."""
    told = []
    for pin in pins:
        ref = AssetRef(pin.kind, pin.name, pin.version)
        try:
            found = asset_of(tx, ref).id
        except NotFound:
            told.append(f"{pin.told} (id {pin.id}), which is not here")
            continue
        if found == pin.id:
            wanted = AssetRef.parse(pin.kind, pin.wanted)
            if wanted.alias is not None and wanted.alias not in {
                one.alias for one in tx.models.aliases(name=pin.name)
            }:
                told.append(f"{pin.kind} {pin.wanted}, an alias that is not here")
        else:
            told.append(f"{pin.told} (id {pin.id}), while {pin.reference} here is another one (id {found})")
    return told


def _packed(context: Context, tx: Transaction, pin: Pin) -> Packed:
    asset = asset_of(tx, AssetRef(pin.kind, pin.name, pin.version))
    if isinstance(asset, Dataset):
        if asset.source is not None:
            raise InvalidInput(
                f"The {pin.told}",
                expected="one whose bytes are kept here, so that they can be carried along",
                got=f"a reference to {asset.source.address}",
                fix="Upload it as a file first.",
            )
        return Packed(pin.kind, asset.to_dict(), partial(context.blobs.get, asset.digest))
    facts = {**asset.to_dict(), "lineage": asset.lineage.told}
    return Packed(pin.kind, facts, partial(context.blobs.get, asset.bundle_digest))


def _opened(context: Context, asset: Packed, data: bytes, *, told: str) -> Dataset | Transform | TrainedModel:
    """The asset as a record, made from its bytes wherever they tell; a parcel that lies is refused."""
    from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which others need not pay

    facts = asset.facts
    try:
        name = checked_name(asset.kind, str(facts["name"]))
        version = _positive(facts["version"])
        tags = {str(key): str(value) for key, value in _mapping(facts.get("tags", {})).items()}
        common = {
            "id": _identity(facts["id"]),
            "name": name,
            "version": version,
            "created_at": str(facts["created_at"]),
            "created_by": str(facts["created_by"]),
            "tags": tags,
            "description": str(facts.get("description", "")),
        }
        if asset.kind == "dataset":
            return _read_again(context, asset, data, common)
        said = {
            "properties": texts(_mapping(facts.get("properties", {}))),
            "metrics": numbers(_mapping(facts.get("metrics", {}))),
            "parameters": _mapping(facts.get("parameters", {})),
        }
        lineage = _mapping(facts.get("lineage", {}))
    except (KeyError, TypeError, ValueError) as error:
        raise Corrupt(
            f"The {asset.kind} of the parcel", why=f"What is told of it is incomplete: {error}."
        ) from error
    opened = bundles.read(data)
    shared = {
        **common,
        "bundle_digest": "",
        "size_bytes": len(data),
        "format": opened.format,
        "framework": opened.framework,
        "is_data_only": opened.is_data_only and not opened.wants(),
        "signature": opened.signature,
        "lineage": Lineage(
            "external", source={"file": told, "kind": "a copy", **({"says": lineage} if lineage else {})}
        ),
    }
    if asset.kind == "transform":
        return Transform(**shared, transform_hash=opened.model_hash)  # type: ignore[arg-type]
    is_told = "is_deterministic" in opened.manifest
    return TrainedModel(
        **shared,  # type: ignore[arg-type]
        **said,  # type: ignore[arg-type]
        model_hash=opened.model_hash,
        is_deterministic=opened.is_deterministic if is_told else None,
        varies=opened.varies,
    )


def _read_again(context: Context, asset: Packed, data: bytes, common: Mapping[str, object]) -> Dataset:
    """A dataset with its rows and columns as its bytes have them, and not as somebody says."""
    facts = asset.facts
    reference, _ = asset.reference, Schema.from_dict(_mapping(facts["schema"]))
    kind = format_of(reference, said=str(facts["format"]))
    kept = kept_bytes(context, data, name=reference, kind=kind)
    if kept.digest != str(facts["digest"]):
        raise Corrupt(f"The dataset {reference} of the parcel", why="Its bytes give another hash.")
    return Dataset(
        **common,  # type: ignore[arg-type]
        format=kind,
        digest=kept.digest,
        size_bytes=kept.size_bytes,
        row_count=kept.row_count,
        schema=kept.schema,
        profile_digest=kept.profile_digest,
    )


def _adopted(
    context: Context, tx: Transaction, asset: Packed, digest: str, opened: Dataset | Transform | TrainedModel
) -> str:
    """The reference of an asset here: what it was, unless that name and version is another asset's already."""
    held = held_as(tx, opened)
    if held is not None:
        return f"{opened.name}:{held}"
    made = {"created_at": opened.created_at, "created_by": opened.created_by}
    # it is here from now on: what a run found here when it began must not change because of it
    opened = replace(opened, created_at=context.clock.now())
    if not isinstance(opened, Dataset):
        opened = replace(opened, bundle_digest=digest)
    here = adopt(tx, opened)
    context.note(tx, asset.kind, "copy", subject_id=here.id, subject=here.reference, data=made)
    return here.reference


def _in_order(asset: Packed) -> tuple[str, str, int]:
    """Versions of one name in their order, so that the newest is also the last to be given a number here."""
    version = asset.facts.get("version")
    return asset.kind, str(asset.facts.get("name")), version if isinstance(version, int) else 0


def _pinned(tx: Transaction, pins: Iterable[Pin], here: Mapping[str, str]) -> list[Pin]:
    """References by a name alone, or by an alias, that mean something else here, or nothing."""
    found = []
    for pin in pins:
        wanted = AssetRef.parse(pin.kind, pin.wanted)
        if pin.id in here and wanted.version is None and _id_of(tx, wanted) != pin.id:
            found.append(pin)
    return found


def _id_of(tx: Transaction, wanted: AssetRef) -> str | None:
    try:
        return asset_of(tx, wanted).id
    except NotFound:
        return None


def _told(pinned: Iterable[Pin], here: Mapping[str, str]) -> str:
    told = [f"{pin.kind} {pin.wanted} now says {here[pin.id]}" for pin in pinned]
    if not told:
        return ""
    return f"What was read there is named, for these mean something else here: {', '.join(told)}."


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError("an object is missing")
    return value


def _positive(value: object) -> int:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"a version is {value!r}")
    return value


def _identity(value: object) -> str:
    text = str(value)
    if len(text) != 32 or not set(text) <= set("0123456789abcdef"):
        raise ValueError(f"an id is {text[:40]!r}")
    return text
