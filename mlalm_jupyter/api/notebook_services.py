"""Services made of notebooks: a run that ended well has shown that their cells work; what they say is deployed as text."""

from __future__ import annotations

import contextlib
import difflib
import math
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlalm_jupyter.api.claims import claimed
from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.packages import opened_package
from mlalm_jupyter.api.pinning import asset_of
from mlalm_jupyter.api.recorder import Recorder, notebook_file
from mlalm_jupyter.api.runs import Runs
from mlalm_jupyter.api.snapshots import changed_modules
from mlalm_jupyter.domain.asset import Transform
from mlalm_jupyter.domain.definition import HeldAsset, ModelAsset
from mlalm_jupyter.domain.errors import Conflict, InvalidInput, MlalmError, NotFound
from mlalm_jupyter.domain.experiment import PREDICTIVE
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.names import AssetRef, name_of
from mlalm_jupyter.domain.run import Run, RunStatus
from mlalm_jupyter.formats.held import Held
from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook
from mlalm_jupyter.notebook.predictive.code import code_text
from mlalm_jupyter.notebook.predictive.filled import Filled, filled_in
from mlalm_jupyter.notebook.predictive.modules import texts_beside, with_modules
from mlalm_jupyter.notebook.predictive.plan import is_predictive
from mlalm_jupyter.notebook.predictive.rebuilding import facts_of
from mlalm_jupyter.notebook.predictive.serving import Served, served

if TYPE_CHECKING:
    import pandas as pd


_LIKE = 0.5
_LOOKED_AT = 20
"""So many of the newest runs are looked at where none ended well."""


@dataclass(frozen=True, slots=True)
class NotebookCode:
    """What a notebook is as a service: code to deploy, and what it reads by name."""

    path: str
    run: Run
    service: Served
    code: str
    assets: Mapping[str, TrainedModel | Transform]
    training: str = ""
    """The training notebook that it was cut out of, if it was."""
    filled: Filled = field(default_factory=Filled)

    def named_assets(self) -> dict[str, ModelAsset | HeldAsset]:
        """The assets as a definition names them."""
        return {name: _named(name, one) for name, one in self.assets.items()}

    def opened(self, context: Context) -> dict[str, object]:
        """The fitted objects themselves."""
        return {name: _opened(context, one) for name, one in self.assets.items()}


def notebook_code(context: Context, notebook: str) -> NotebookCode:
    """The service that a notebook is; one that has not run to its end as it is now is refused."""
    path, content = notebook_file(context, notebook)
    document = read_notebook(content, name=path)
    _check_set_up(path, document)
    run = last_good_run(context, path, document, done="deployed")
    service = served(document)
    with context.catalog.read() as tx:
        pins = {(pin.kind, pin.wanted): pin.reference for pin in run.snapshot.assets}
        assets = {}
        for name, (kind, wanted) in service.assets.items():
            found = asset_of(tx, AssetRef.parse(kind, pins.get((kind, wanted), wanted)))
            assert isinstance(found, (TrainedModel, Transform))
            assets[name] = found
    code = code_beside(service, (context.path / path).parent)
    check_modules(context, path, run, document, done="deployed")  # as they were when they were read
    training = str(facts_of(document).get("training") or "")
    return NotebookCode(path, run, service, code, assets, training, filled_in(document))


def _check_set_up(path: str, document: NotebookDocument) -> None:
    """Refuse a notebook that trains, of which nothing was cut out yet: what would be deployed is another one."""
    if facts_of(document).get("training"):
        return
    try:
        served(document)
    except InvalidInput as error:
        if not is_predictive(document):
            return  # what it lacks is told after whether it ran
        raise Conflict(
            f"The notebook {path} was not deployed.",
            why="It trains a model, and a service does only a part of what it does.",
            fix=f"Make it a predictive notebook first with `mlalm service setup predictive {name_of(path)}`, then run "
            "and deploy that.",
        ) from error


def code_beside(service: Served, folder: Path) -> str:
    """The code of a service whose notebook lies in a folder, with the modules there that it imports."""
    return with_modules(code_text(service.plan), texts_beside(folder))


def last_good_run(context: Context, path: str, document: NotebookDocument, *, done: str) -> Run:
    """The newest run of a notebook that ended well; its cells must be what they are now."""
    with context.catalog.read() as tx:
        experiment_id = tx.experiments.id_at(path)
        found = (
            tx.runs.find(experiment_id=experiment_id, status=RunStatus.FINISHED, limit=1)
            if experiment_id
            else []
        )
        others = tx.runs.find(experiment_id=experiment_id, limit=_LOOKED_AT) if experiment_id else []
    fix = f"Run it with `mlalm experiment run {shlex.quote(path)}`, then repeat this."
    if not found:
        ran = [one for one in others if one.status is not RunStatus.DRAFT]
        why = _how_it_ended(ran[0]) if ran else "It never ran."
        if ran and ran[0].status is RunStatus.FAILED:
            fix = f"Mend that, run it with `mlalm experiment run {shlex.quote(path)}`, then repeat this."
        raise Conflict(f"The notebook {path} was not {done}.", why=why, fix=fix)
    run = found[0]
    if read_notebook(context.blobs.get(run.snapshot.digest)).code_hash != document.code_hash:
        why = f"Its cells have changed since its last finished run, {run.id[:12]}."
        raise Conflict(f"The notebook {path} was not {done}.", why=why, fix=fix)
    check_modules(context, path, run, document, done=done)
    return run


def _how_it_ended(run: Run) -> str:
    where = f" at cell {run.failed_cell}" if run.failed_cell is not None else ""
    return (
        f"Its last run is {run.status.value}{where}{f': {run.cause}' if run.cause else ''}".rstrip(".") + "."
    )


def check_modules(context: Context, path: str, run: Run, document: NotebookDocument, *, done: str) -> None:
    """Refuse what would be made of other modules beside the notebook than those of its run."""
    if changed := changed_modules(context, run, document, path):
        told = f"{changed[0]} beside it has" if len(changed) == 1 else f"{', '.join(changed)} beside it have"
        raise Conflict(
            f"The notebook {path} was not {done}.",
            why=f"{told} changed since its last finished run, {run.id[:12]}.",
            fix=f"Run it with `mlalm experiment run {shlex.quote(path)}`, then repeat this.",
        )


def rows_of(context: Context, code: NotebookCode) -> pd.DataFrame | None:
    """The rows that came in when the notebook ran; None where its run kept none."""
    import pandas

    port = code.service.plan.inputs[0]
    try:
        value = Runs(context, Recorder(context)).output(code.run.id, f"{port.place.cell}.{port.variable}")
    except MlalmError:
        return None
    return value if isinstance(value, pandas.DataFrame) else None


def answers_of(context: Context, code: NotebookCode) -> object | None:
    """What the notebook answered when it ran, as its mark found it; None where its run kept none."""
    port = code.service.plan.outputs[0]
    with context.catalog.read() as tx:
        kept = [one for one in tx.runs.outputs(code.run.id) if one.name == port.variable]
    before = [one for one in kept if one.cell <= port.place.cell]
    if not before:
        return None
    try:
        found: object = Runs(context, Recorder(context)).output(code.run.id, before[-1].reference)
    except MlalmError:
        return None
    return found


def differ(one: object, other: object) -> str:
    """Where two tables, columns or arrays hold other values, in words; nothing where they hold the same."""
    import numpy

    def values(thing: object) -> Any:
        held = numpy.asarray(thing.toarray() if hasattr(thing, "toarray") else thing, dtype=object)
        return held.reshape(len(held), -1) if held.ndim else held.reshape(1, 1)

    first, second = values(one), values(other)
    if first.shape != second.shape:
        return f"{second.shape[0]} rows of {second.shape[1]} instead of {first.shape[0]} of {first.shape[1]}"
    for row, (these, those) in enumerate(zip(first, second, strict=True), start=1):
        for a, b in zip(these, those, strict=True):
            if not _is_same(a, b):
                return f"{b!r} instead of {a!r} in row {row}"
    return ""


def _is_same(one: Any, other: Any) -> bool:
    if one is other or (_is_missing(one) and _is_missing(other)):
        return True
    try:
        return bool(one == other) or math.isclose(float(one), float(other), rel_tol=1e-6, abs_tol=1e-12)
    except (TypeError, ValueError):
        return str(one) == str(other)


def _is_missing(value: Any) -> bool:
    return value is None or value != value or str(value) in ("NaT", "<NA>")


def missing(context: Context, what: str) -> NotFound | None:
    """The error for a name that no model has and that looks more like one of the notebooks here; None for others."""
    suffix = Path(what).suffix
    is_file = bool(suffix) and not suffix.startswith(f".{PREDICTIVE}")
    if ":" in what or "@" in what or is_file or Path(what).is_absolute():
        return None
    with context.catalog.read() as tx:
        models = {one.name for one in tx.models.find()}
        known = {one.path for one in tx.experiments.find()}
    for folder in {context.path, (context.path / what).parent}:
        known |= {context.inside(one) for one in folder.glob("*.ipynb")}
    names = [one.removesuffix(".ipynb") for one in known]
    close = max((_likeness(what, one) for one in models), default=0.0)
    is_named_so = "/" in what or f".{PREDICTIVE}" in what
    if not is_named_so and max((_likeness(what, one) for one in names), default=0.0) <= max(close, _LIKE):
        return None
    return NotFound(
        "notebook", what, known=names, fix="List those that were set up or ran with `mlalm experiment list`."
    )


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def is_notebook(context: Context, what: str) -> bool:
    """Whether a text names a notebook: by its file, or as an experiment where no model is called so."""
    if what.endswith(".ipynb"):
        return True
    if ":" in what or "@" in what or not (context.path / f"{what}.ipynb").is_file():
        return False
    with context.catalog.read() as tx:
        try:
            tx.models.get(AssetRef.parse("model", what))
        except (NotFound, InvalidInput):
            return True
    return False


@contextlib.contextmanager
def deploying(context: Context, what: object) -> Iterator[None]:
    """Have nobody set up a notebook anew while that is deployed; of anything else there is nothing to hold."""
    if not (isinstance(what, str) and is_notebook(context, what)):
        yield
        return
    path, content = notebook_file(context, what)
    training = str(facts_of(read_notebook(content, name=path)).get("training") or path)
    with claimed(context, training, done="deployed", is_shared=True):
        yield


def _named(name: str, asset: TrainedModel | Transform) -> ModelAsset | HeldAsset:
    if isinstance(asset, TrainedModel):
        return ModelAsset(f"model_{name}", asset.name, asset.version, asset.model_hash)
    return HeldAsset(f"transform_{name}", "transform", asset.name, asset.version, asset.transform_hash)


def _opened(context: Context, asset: TrainedModel | Transform) -> object:
    is_model = isinstance(asset, TrainedModel)
    package_hash = asset.model_hash if isinstance(asset, TrainedModel) else asset.transform_hash
    what = f"{'Model' if is_model else 'Transform'} {asset.reference}"
    return Held.out_of(
        opened_package(context, what, bundle_digest=asset.bundle_digest, package_hash=package_hash)
    )
