"""Packages of models and transforms: where an object came from, and opening one that may be opened here."""

from __future__ import annotations

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.golive import valid_seal
from mlalm_jupyter.api.pins import run_here
from mlalm_jupyter.domain.errors import Corrupt, UntrustedContent
from mlalm_jupyter.domain.model import Lineage
from mlalm_jupyter.ports import Transaction


def opened_package(context: Context, what: str, *, bundle_digest: str, package_hash: str) -> object:
    """The object in a package; one that holds more than data only if this workspace signed it."""
    from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay

    with context.catalog.read() as tx:
        is_trusted = valid_seal(context, tx, "model", package_hash) is not None
    opened = bundles.read(context.blobs.get(bundle_digest))
    if opened.model_hash != package_hash:
        raise Corrupt(what, why="Its package gives another hash than the catalog has.")
    try:
        return opened.load(trusted=is_trusted, digest=package_hash)
    except UntrustedContent as error:
        raise UntrustedContent(what, wants=error.wants, digest=package_hash) from error


def lineage_of(context: Context, tx: Transaction, frame: object) -> Lineage:
    """Where a live object comes from: the run this kernel is executing, if it is executing one."""
    sample = getattr(frame, "attrs", {}).get("mlalm.dataset")
    datasets = (f"dataset {sample}",) if sample else ()
    run = run_here(context, tx)
    if run is None:
        return Lineage("notebook", datasets=datasets)
    return Lineage("run", run.id, run.path, tuple(dict.fromkeys((*run.inputs, *datasets))))
