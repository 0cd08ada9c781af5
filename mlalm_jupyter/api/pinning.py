"""What the references in a notebook stand for, noted down when a snapshot is taken."""

from __future__ import annotations

from collections.abc import Mapping

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.domain.asset import Dataset, Pin, Transform
from mlalm_jupyter.domain.errors import InvalidInput, NotFound
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.notebook.document import NotebookDocument
from mlalm_jupyter.notebook.references import references_in
from mlalm_jupyter.ports import Transaction

Asset = Dataset | Transform | TrainedModel


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
                found[reference.kind, wanted] = pin_of(tx, reference.kind, wanted)
            except (NotFound, InvalidInput):
                continue
    return tuple(found.values())


def pin_of(tx: Transaction, kind: str, wanted: str) -> Pin:
    """The version that a reference stands for now."""
    asset = asset_of(tx, AssetRef.parse(kind, wanted))
    if isinstance(asset, Dataset):
        digest = asset.digest
    else:
        digest = asset.transform_hash if isinstance(asset, Transform) else asset.model_hash
    return Pin(kind, asset.name, asset.version, asset.id, digest, wanted)


def asset_of(tx: Transaction, ref: AssetRef) -> Asset:
    """The dataset, transform or model of a reference; without a version the newest."""
    if ref.kind == "dataset":
        return tx.datasets.get(ref)
    return tx.transforms.get(ref) if ref.kind == "transform" else tx.models.get(ref)
