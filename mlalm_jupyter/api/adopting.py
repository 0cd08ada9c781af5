"""Assets that come from another workspace under the id they have there: found again, or put in under a free number."""

from __future__ import annotations

from dataclasses import replace

from mlalm_jupyter.domain.asset import Dataset, Transform
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.ports import Transaction

Asset = TrainedModel | Transform | Dataset


def held_as(tx: Transaction, asset: Asset) -> int | None:
    """The version that an asset has here; None where it is not here."""
    found: list[TrainedModel] | list[Transform] | list[Dataset]
    if isinstance(asset, TrainedModel):
        found = tx.models.find(name=asset.name)
    elif isinstance(asset, Transform):
        found = tx.transforms.find(name=asset.name)
    else:
        found = tx.datasets.find(name=asset.name)
    return next((one.version for one in found if one.id == asset.id), None)


def adopt(tx: Transaction, asset: Asset) -> Asset:
    """Put an asset in that is not here: under the version it has, or the next one where that is another's."""
    if isinstance(asset, TrainedModel):
        model = replace(asset, version=tx.models.claim(asset.name, asset.version))
        tx.models.add(model)
        return model
    if isinstance(asset, Transform):
        transform = replace(asset, version=tx.transforms.claim(asset.name, asset.version))
        tx.transforms.add(transform)
        return transform
    dataset = replace(asset, version=tx.datasets.claim(asset.name, asset.version))
    tx.datasets.add(dataset)
    return dataset
