"""What references to assets stand for: pinned when a snapshot is taken, and the same in every run of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.domain.asset import Dataset, Pin
from mlalm_jupyter.domain.errors import InvalidInput, NotFound
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.notebook.document import NotebookDocument
from mlalm_jupyter.notebook.references import references_in
from mlalm_jupyter.ports import Transaction


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
    ref = AssetRef.parse(kind, wanted)
    return _pin(kind, _held(tx, ref), wanted)


def resolved(context: Context, tx: Transaction, ref: AssetRef) -> AssetRef:
    """The version that a reference without one means here.

    In a run that is what it stood for when the snapshot was taken, unless the run itself has made a newer one;
    elsewhere it is the newest.
    """
    if ref.version is not None:
        return ref
    newest = _held(tx, ref)
    run = _running(context, tx)
    if run is None or _is_made_by(tx, ref.kind, newest, run):
        return replace(ref, version=newest.version)
    pins = {(pin.kind, pin.wanted): pin.version for pin in run.snapshot.assets}
    version = pins.get((ref.kind, ref.name))
    if version is None:
        older = [one.version for one in _versions(tx, ref) if one.created_at <= run.created_at]
        version = max(older, default=newest.version)
    return replace(ref, version=version)


def note_use(context: Context, ref: AssetRef) -> None:
    """Keep that the run of this process has used an asset."""
    if context.run_id:
        with context.catalog.write() as tx:
            tx.runs.add_input(context.run_id, f"{ref.kind} {ref}")


def _running(context: Context, tx: Transaction) -> Run | None:
    if not context.run_id:
        return None
    try:
        return tx.runs.get(context.run_id)
    except NotFound:
        return None  # a run of another workspace


def _held(tx: Transaction, ref: AssetRef) -> Dataset | TrainedModel:
    return tx.datasets.get(ref) if ref.kind == "dataset" else tx.models.get(ref)


def _versions(tx: Transaction, ref: AssetRef) -> list[Dataset] | list[TrainedModel]:
    return tx.datasets.find(name=ref.name) if ref.kind == "dataset" else tx.models.find(name=ref.name)


def _is_made_by(tx: Transaction, kind: str, asset: Dataset | TrainedModel, run: Run) -> bool:
    made = tx.events.find(noun=kind, subject_id=asset.id)
    return any(event.data.get("run") == run.id for event in made)


def _pin(kind: str, asset: Dataset | TrainedModel, wanted: str) -> Pin:
    digest = asset.digest if isinstance(asset, Dataset) else asset.model_hash
    return Pin(kind, asset.name, asset.version, asset.id, digest, wanted)
