"""What the references in a notebook stand for, noted down when a snapshot is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.domain.asset import Dataset, Pin, Transform
from mlalm_jupyter.domain.errors import InvalidInput, NotFound
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.notebook.document import NotebookDocument
from mlalm_jupyter.notebook.references import references_in
from mlalm_jupyter.ports import Transaction

Asset = Dataset | Transform | TrainedModel


def pins_of(
    context: Context,
    document: NotebookDocument,
    parameters: Mapping[str, object] | None = None,
    *,
    loaded: Sequence[str] = (),
) -> tuple[Pin, ...]:
    """What the references in a notebook stand for now; what is not there yet, the run itself may bring.

    `loaded` is what a live kernel has loaded, such as `dataset census:1`: a name without a version meant that.
    """
    asked: dict[tuple[str, str], None] = {}
    for reference in references_in(document):
        given = (parameters or {}).get(reference.variable or "")
        asked[reference.kind, given if isinstance(given, str) else reference.wanted] = None
    found: list[Pin] = []
    with context.catalog.read() as tx:
        for kind, wanted in asked:
            # a version that the notebook names itself was loaded by that name, if there is another
            own = [told for told in loaded if tuple(told.split(" ", 1)) not in asked] or loaded
            versions = _versions_loaded(kind, wanted, own) or _versions_loaded(kind, wanted, loaded)
            try:
                found.append(pin_of(tx, kind, wanted, version=versions[-1] if versions else None))
            except (NotFound, InvalidInput):
                continue
    return tuple(found)


def told_absent(document: NotebookDocument, pins: Sequence[Pin], parameters: Mapping[str, object]) -> str:
    """What a notebook refers to that its pins do not have, as a reader should know it; often it makes that itself."""
    pinned = {(pin.kind, pin.wanted) for pin in pins}
    absent: dict[str, None] = {}
    for reference in references_in(document):
        given = parameters.get(reference.variable or "")
        wanted = given if isinstance(given, str) else reference.wanted
        if (reference.kind, wanted) not in pinned:
            absent[f"{reference.kind} {wanted}"] = None
    if not absent:
        return ""
    return f"It refers to {', '.join(absent)}, which the workspace does not have."


def pins_again(context: Context, before: Run) -> tuple[Pin, ...]:
    """What a run's references stand for when it is run again: its pins, and what it loaded by other ways."""
    pins = list(before.snapshot.assets)
    known = {(pin.kind, pin.wanted) for pin in pins} | {(pin.kind, pin.reference) for pin in pins}
    extra: dict[tuple[str, str], Pin] = {}
    with context.catalog.read() as tx:
        for told in before.inputs:
            kind, _, reference = told.partition(" ")
            name = reference.partition(":")[0]
            if (kind, name) in known or (kind, reference) in known:
                continue
            try:
                asset = asset_of(tx, AssetRef.parse(kind, reference))
                if run_that_made(asset) != before.id:
                    extra[kind, name] = replace(pin_of(tx, kind, reference), wanted=name)
            except (NotFound, InvalidInput):
                continue  # deleted since; where it is still asked for, that is said there
    return (*pins, *extra.values())


def run_that_made(asset: Asset) -> str | None:
    """The run that an asset came of."""
    return asset.run_id if isinstance(asset, Dataset) else asset.lineage.run_id


def _versions_loaded(kind: str, wanted: str, loaded: Sequence[str]) -> list[int]:
    """The versions of a name among what was loaded, in that order; none for a reference that has a version."""
    beginning = f"{kind} {wanted}:"
    return [int(told.removeprefix(beginning)) for told in loaded if told.startswith(beginning)]


def pin_of(tx: Transaction, kind: str, wanted: str, *, version: int | None = None) -> Pin:
    """The version that a reference stands for now, or a given one."""
    ref = AssetRef.parse(kind, wanted)
    asset = asset_of(tx, ref if version is None else replace(ref, version=version))
    if isinstance(asset, Dataset):
        digest = asset.digest
    else:
        digest = asset.transform_hash if isinstance(asset, Transform) else asset.model_hash
    return Pin(kind, asset.name, asset.version, asset.id, digest, wanted)


def is_there(tx: Transaction, pin: Pin) -> bool:
    """Whether the workspace still has what a reference stood for."""
    try:
        return asset_of(tx, AssetRef(pin.kind, pin.name, pin.version)).id == pin.id
    except NotFound:
        return False


def asset_of(tx: Transaction, ref: AssetRef) -> Asset:
    """The dataset, transform or model of a reference; without a version the newest."""
    if ref.kind == "dataset":
        return tx.datasets.get(ref)
    return tx.transforms.get(ref) if ref.kind == "transform" else tx.models.get(ref)
