"""Which version a reference means in this process, and who is known to have used it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.pinning import Asset, asset_of, run_that_made
from mlalm_jupyter.domain.errors import NotFound
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.ports import Transaction


class _Referred(Protocol):
    @property
    def reference(self) -> str: ...


A = TypeVar("A", bound=_Referred)


def resolved(context: Context, tx: Transaction, ref: AssetRef) -> AssetRef:
    """The version that a reference without one means here; elsewhere than in a run that is the newest.

    In a run it is what the run itself made, else what the name stood for when the snapshot was taken, else the
    newest that was there before it; for one that is run again, before it was run first.
    """
    if ref.version is not None:
        return ref
    run = run_here(context, tx)
    if ref.alias is not None:
        return _of_alias(tx, ref, run)
    if run is None:
        return replace(ref, version=asset_of(tx, ref).version)
    horizon = horizon_of(tx, run)
    versions = _versions(tx, ref)
    own = [one.version for one in versions if run_that_made(one) == run.id]
    pinned = [pin.version for pin in run.snapshot.assets if (pin.kind, pin.wanted) == (ref.kind, ref.name)]
    older = [one.version for one in versions if one.created_at <= horizon]
    meant = own or pinned or older
    if versions and not meant:
        raise NotFound(
            ref.kind,
            ref.name,
            known=[one.reference for one in versions],
            fix="All its versions are newer than this run's snapshot; name the one you mean.",
        )
    return replace(ref, version=max(meant)) if meant else ref


def _of_alias(tx: Transaction, ref: AssetRef, run: Run | None) -> AssetRef:
    """What an alias stood for when the snapshot was taken, unless the run itself has moved it since."""
    alias = tx.models.alias(ref.name, str(ref.alias))
    pinned = (
        [pin.version for pin in run.snapshot.assets if pin.kind == "model" and pin.wanted == str(ref)]
        if run
        else []
    )
    is_moved_here = run is not None and alias.run_id == run.id
    return AssetRef("model", ref.name, pinned[0] if pinned and not is_moved_here else alias.version)


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


def horizon_of(tx: Transaction, run: Run) -> str:
    """The time after which a run knows of no new versions: its snapshot's, or that of the run it repeats."""
    if run.job_id is not None:
        horizon = tx.jobs.get(run.job_id).payload.get("horizon")
        if isinstance(horizon, str):
            return horizon
    return run.created_at


def _versions(tx: Transaction, ref: AssetRef) -> list[Asset]:
    if ref.kind == "dataset":
        return [*tx.datasets.find(name=ref.name)]
    return [*(tx.transforms if ref.kind == "transform" else tx.models).find(name=ref.name)]
