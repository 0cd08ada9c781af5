"""Models that come as files: packages of ours under any name, and files and folders of other tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.golive import is_type_trusted, valid_seal
from mlalm_jupyter.api.registering import parameters_of
from mlalm_jupyter.domain.errors import UntrustedContent
from mlalm_jupyter.domain.model import Lineage

if TYPE_CHECKING:
    import pandas as pd

    from mlalm_jupyter.formats.foreign import Foreign

FILE = "file"
"""The kind of a seal over the bytes of another tool's file."""


@dataclass(frozen=True)
class OutsideModel:
    """A model from elsewhere as a package, and what is known of it."""

    package: bytes | Path = field(repr=False)
    lineage: Lineage
    is_ours: bool
    """Whether it was opened and packed here, because somebody here trusts it."""
    parameters: Mapping[str, object] = field(default_factory=dict)


def outside_model(context: Context, path: Path, sample: Callable[[], pd.DataFrame | None]) -> OutsideModel:
    """A file or folder as a package.

    A package of ours is taken as it is. Anything else is looked through first, opened if that runs nothing or somebody
    trusts those bytes, and packed in the best form there is for it.
    """
    from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay
    from mlalm_jupyter.formats.foreign import looked_at
    from mlalm_jupyter.formats.inspection import is_package

    if path.suffix == ".ilearner" or is_package(path):
        return OutsideModel(path, Lineage("external", source={"file": path.name}), is_ours=False)
    found = looked_at(path)
    model = opened_outside(context, path, found)
    said = {name: value for name, value in found.lineage.items() if name != "kind"}
    lineage = Lineage("external", source={**said, "kind": found.kind})
    rows = sample()
    context.progress("Packing the model", 0, 0)
    package = bundles.pack(
        model,
        sample=found.sample if rows is None else rows,
        lineage=lineage.told,
        allows=lambda name: is_type_trusted(context, name),
    )
    return OutsideModel(
        package.data,
        lineage,
        # what was data and became code here was made so by us; classes that are trusted by name stay so
        is_ours=not package.is_data_only or not set(found.wants) <= set(found.types),
        parameters=parameters_of(model),
    )


def opened_outside(context: Context, path: Path, found: Foreign) -> object:
    """The model in another tool's file, if opening it runs nothing or somebody trusts it."""
    with context.catalog.read() as tx:
        is_trusted = valid_seal(context, tx, FILE, found.digest) is not None
    context.progress("Opening the model file", 0, 0)
    try:
        return found.load(trusted=is_trusted, allows=lambda name: is_type_trusted(context, name))
    except UntrustedContent as error:
        what = f"The {'folder' if path.is_dir() else 'file'} '{path.name}'"
        raise UntrustedContent(
            what, wants=error.wants, digest=found.digest, kind=FILE, types=error.types
        ) from error
