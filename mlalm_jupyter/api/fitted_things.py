"""What a training notebook fitted, kept as assets that its predictive notebook loads."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.datasets import Datasets
from mlalm_jupyter.api.packages import inputs_of
from mlalm_jupyter.api.registering import Entry, kept
from mlalm_jupyter.api.transforms import kept_transform
from mlalm_jupyter.domain.errors import AlreadyExists
from mlalm_jupyter.domain.model import Lineage
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.domain.setup import FittedAsset
from mlalm_jupyter.notebook.predictive.parts import MODEL, Plan
from mlalm_jupyter.notebook.predictive.proof import LITERAL, PACKAGE, KeptThing, Proof, Trace


def kept_things(
    context: Context, path: str, run: Run, plan: Plan, trace: Trace
) -> tuple[dict[str, str], tuple[FittedAsset, ...]]:
    """Everything fitted as an asset, or as text where it is small and plain; and how the notebook loads each."""
    things = {one.name: one for one in trace.things}
    models = [one.name for one in plan.fitted if things[one.name].kind == MODEL]
    loads: dict[str, str] = {}
    assets = []
    for one in plan.fitted:
        thing = things[one.name]
        if thing.form == LITERAL:
            loads[one.name] = thing.text
            assets.append(FittedAsset(one.name, "value", thing.text))
            continue
        is_model = thing.kind == MODEL and thing.form == PACKAGE
        name = _asset_name(path, one.name, is_only=is_model and len(models) == 1)
        reference = _under_own_name(
            name,
            partial(_registered, context, run, thing, cell=one.place.cell, is_model=is_model),
        )
        kind = "model" if is_model else "transform"
        loads[one.name] = f"%{kind} {reference}"
        assets.append(FittedAsset(one.name, kind, reference))
    return loads, tuple(assets)


def kept_rows(datasets: Datasets, path: str, run: Run, proof: Proof, folder: Path) -> str:
    """Rows to try the notebook on, as a dataset."""
    from mlalm_jupyter.formats.samples import as_served

    assert proof.sample is not None
    file = folder / "rows.parquet"
    try:
        proof.sample.to_parquet(file)
    except (TypeError, ValueError):  # columns of unlike things come as texts into a service, too
        as_served(proof.inputs, proof.sample).to_parquet(file)
    name = _asset_name(path, "rows", is_only=False)
    return _under_own_name(
        name, lambda own: datasets.keep_rows(file, own, kept_for=run.experiment_id).reference
    )


def _under_own_name(name: str, keep: Callable[[str], str]) -> str:
    """What is kept gets its name, or that with a number where somebody else has the name already.

    >>> _under_own_name("churn", lambda own: f"{own}:1")
    'churn:1'
    """
    for number in count(1):
        try:
            return keep(name if number == 1 else f"{name}-{number}")
        except AlreadyExists:
            continue
    raise AssertionError("numbers do not end")


def _registered(context: Context, run: Run, thing: KeptThing, name: str, *, cell: int, is_model: bool) -> str:
    assert thing.file is not None
    context.progress(f"Keeping {thing.name}", 0, 0)
    lineage = Lineage(
        "run",
        run.id,
        run.path,
        inputs_of(context, run, cell),
        cell=cell,
        output=f"{cell}.{thing.name}",
        environment=run.executed_in or run.snapshot.environment,
        git=run.snapshot.git,
    )
    if is_model:
        entry = Entry(
            name=name,
            package=thing.file,
            lineage=lineage,
            is_ours=True,
            if_changed=True,
            kept_for=run.experiment_id,
        )
        return kept(context, entry).reference
    found = kept_transform(
        context, name, thing.file, lineage, is_ours=True, if_changed=True, kept_for=run.experiment_id
    )
    return found.reference


def _asset_name(path: str, variable: str, *, is_only: bool) -> str:
    """What something fitted is called in the workspace.

    >>> _asset_name("teams/churn.ipynb", "scaler", is_only=False)
    'churn-scaler'
    """
    stem = Path(path).name.removesuffix(".ipynb")
    name = stem if is_only else f"{stem}-{variable}"
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:120] or "model"
