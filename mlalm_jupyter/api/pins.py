"""What references to assets stand for: pinned when a snapshot is taken, and the same in every run of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol, TypeVar

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.domain.asset import Dataset, Pin, Transform
from mlalm_jupyter.domain.errors import InvalidInput, NotFound
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.notebook.document import NotebookDocument
from mlalm_jupyter.notebook.references import references_in
from mlalm_jupyter.ports import DatasetStore, ModelStore, Transaction, TransformStore


class _Referred(Protocol):
    @property
    def reference(self) -> str: ...


Asset = Dataset | Transform | TrainedModel
A = TypeVar("A", bound=_Referred)


def pins_of(
    context: Context, document: NotebookDocument, parameters: Mapping[str, object] | None = None
) -> tuple[Pin, ...]:
    """What the references in a notebook stand for now; what is not there yet, the run itself may bring."""
    found: dict[tuple[str, str], Pin] = {}
    with context.catalog.read() as tx:
        for reference in references_in(document):
            given = (parameters or {}).get(reference.variable or "")
            wanted = given if isinstance(given, str) else reference.wanted
            try:
                pin = pin_of(tx, reference.kind, wanted)
            except (NotFound, InvalidInput):
                continue
            found[reference.kind, wanted] = pin
    return tuple(found.values())


def pin_of(tx: Transaction, kind: str, wanted: str) -> Pin:
    """The version that a reference stands for now."""
    asset = _held(tx, AssetRef.parse(kind, wanted))
    return Pin(kind, asset.name, asset.version, asset.id, _digest(asset), wanted)


def newest_of(tx: Transaction, kind: str, name: str) -> int:
    """The number of the newest version of a name."""
    return _held(tx, AssetRef(kind, name)).version


def resolved(context: Context, tx: Transaction, ref: AssetRef) -> AssetRef:
    """The version that a reference without one means here.

    In a run that is what it stood for when the snapshot was taken, unless the run itself has made a newer one;
    elsewhere it is the newest.
    """
    if ref.version is not None:
        return ref
    run = run_here(context, tx)
    if run is None:
        return replace(ref, version=_held(tx, ref).version)
    versions = [*_store(tx, ref.kind).find(name=ref.name)]
    own = [one.version for one in versions if _run_of(one) == run.id]
    pinned = [pin.version for pin in run.snapshot.assets if (pin.kind, pin.wanted) == (ref.kind, ref.name)]
    older = [one.version for one in versions if one.created_at <= run.created_at]
    meant = own or pinned or older
    if versions and not meant:
        raise NotFound(
            ref.kind,
            ref.name,
            known=[one.reference for one in versions],
            fix="All its versions are newer than this run's snapshot; name the one you mean.",
        )
    return replace(ref, version=max(meant)) if meant else ref


def used(context: Context, kind: str, reference: str, get: Callable[[Transaction, AssetRef], A]) -> A:
    """The asset that a reference means here; the run (or the kernel) that asks is known to have used it."""
    wanted = AssetRef.parse(kind, reference)
    run_id = context.run_id
    with context.catalog.write() if run_id else context.catalog.read() as tx:
        found = get(tx, resolved(context, tx, wanted))
        told = f"{kind} {found.reference}"
        if run_id and run_here(context, tx):
            tx.runs.add_input(run_id, told)
    if told not in context.used:
        context.used.append(told)
    return found


def run_here(context: Context, tx: Transaction) -> Run | None:
    """The run this process is part of."""
    if not context.run_id:
        return None
    try:
        return tx.runs.get(context.run_id)
    except NotFound:
        return None  # a run of another workspace


def _store(tx: Transaction, kind: str) -> DatasetStore | TransformStore | ModelStore:
    stores: Mapping[str, DatasetStore | TransformStore | ModelStore] = {
        "dataset": tx.datasets,
        "transform": tx.transforms,
        "model": tx.models,
    }
    return stores[kind]


def _held(tx: Transaction, ref: AssetRef) -> Asset:
    return _store(tx, ref.kind).get(ref)


def _run_of(asset: Asset) -> str | None:
    """The run that made it."""
    return asset.run_id if isinstance(asset, Dataset) else asset.lineage.run_id


def _digest(asset: Asset) -> str:
    if isinstance(asset, Dataset):
        return asset.digest
    return asset.transform_hash if isinstance(asset, Transform) else asset.model_hash
