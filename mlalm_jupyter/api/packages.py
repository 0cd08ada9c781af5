"""Packages of models and transforms: where an object came from, and opening one that may be opened here."""

from __future__ import annotations

from pathlib import Path

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.files import readable_file
from mlalm_jupyter.api.golive import is_type_trusted, valid_seal
from mlalm_jupyter.api.pins import run_here
from mlalm_jupyter.api.snapshots import environment_here
from mlalm_jupyter.domain.errors import Corrupt, InvalidInput, NotFound, UntrustedContent
from mlalm_jupyter.domain.model import Lineage, TrainedModel
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.notebook.document import read_notebook
from mlalm_jupyter.ports import Transaction


def opened_package(context: Context, what: str, *, bundle_digest: str, package_hash: str) -> object:
    """The object in a package; one that holds more than data only if this workspace signed it."""
    data = context.blobs.get(bundle_digest)
    return opened_from(context, what, data, package_hash=package_hash)


def opened_from(
    context: Context, what: str, source: bytes | Path, *, package_hash: str | None = None
) -> object:
    """The object in a package, which may lie anywhere; the catalog's hash of it, where it is one of ours."""
    from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay

    opened = bundles.read(source)
    if package_hash is not None and opened.model_hash != package_hash:
        raise Corrupt(what, why="Its package gives another hash than the catalog has.")
    with context.catalog.read() as tx:
        is_trusted = valid_seal(context, tx, "model", opened.model_hash) is not None
    try:
        return opened.load(
            trusted=is_trusted, digest=opened.model_hash, allows=lambda name: is_type_trusted(context, name)
        )
    except UntrustedContent as error:
        kind = "" if package_hash is not None else "model"
        raise UntrustedContent(
            what, wants=error.wants, digest=opened.model_hash, kind=kind, types=error.types
        ) from error


def package_file(context: Context, tx: Transaction, named: str) -> Path | None:
    """The package that a person named by its file, whatever that is called; None for anything else."""
    path = model_file(context, tx, named)
    if path is None or named.endswith(".ilearner"):
        return path
    from mlalm_jupyter.formats.inspection import is_package  # costs half a second

    return path if is_package(path) else None


def model_file(context: Context, tx: Transaction, named: str) -> Path | None:
    """The file or folder that a person named; None for a reference.

    What ends in `.ilearner` or holds a slash is a file. Any other word is one only where it names no model here.
    """
    if named.endswith(".ilearner") or "/" in named:
        return readable_file(context, named, or_folder=not named.endswith(".ilearner"))
    try:
        tx.models.get(AssetRef.parse("model", named))
    except (NotFound, InvalidInput):
        return next((one for one in (Path(named), context.path / named) if one.exists()), None)
    return None


def named_model(context: Context, tx: Transaction, named: str) -> TrainedModel:
    """The registered version that a reference names, or that has the content of a package's file.

    The file may have any name and lie anywhere: what is in it tells which version it is.
    """
    path = package_file(context, tx, named)
    if path is None and "/" in named:
        raise InvalidInput(
            f"The file '{named}'",
            expected="a package (.ilearner) whose content is registered here",
            got="a model file of another tool",
            fix=f"Register it first: `mlalm model register {named} NAME --sample ROWS`.",
        )
    if path is None:
        return tx.models.get(AssetRef.parse("model", named))
    from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay

    found = tx.models.with_hash(bundles.read(path).model_hash)
    if not found:
        raise NotFound(
            "model",
            named,
            none="No version here has the content of that file.",
            fix=f"Register it first: `mlalm model register {named} NAME`.",
        )
    return found[0]


def inputs_of(context: Context, run: Run, cell: int | None) -> tuple[str, ...]:
    """What of all that a run has loaded the values of one of its cells can come from.

    Where cells of a live notebook ran in another order than they stand in, that is all of it.
    """
    executed = run.findings.executed
    if cell is None or not run.inputs or list(executed) != sorted(executed):
        return run.inputs
    from mlalm_jupyter.notebook.reach import made_of  # reads the notebook's code, which few callers need

    document = read_notebook(context.blobs.get(run.snapshot.digest))
    return made_of(document, cell, run.inputs, run.snapshot.parameters)


def lineage_of(context: Context, frame: object) -> Lineage:
    """Where a live object comes from: the run this kernel is executing, or the snapshot just taken of its notebook.

    Otherwise it is known by what this process loaded, and by the environment it is in.
    """
    sample = getattr(frame, "attrs", {}).get("mlalm.dataset")
    datasets = (f"dataset {sample}",) if sample else ()
    here = context.live
    with context.catalog.read() as tx:
        run = tx.runs.get(here.run_id) if here else run_here(context, tx)
    if run is None:
        return Lineage(
            "notebook",
            datasets=tuple(dict.fromkeys((*context.used, *datasets))),
            environment=environment_here(context),
            git=context.surroundings.git(context.path),
        )
    cell = here.cell if here else run.cells.current
    return Lineage(
        "notebook" if here else "run",
        run.id,
        run.path,
        tuple(dict.fromkeys((*inputs_of(context, run, cell), *datasets))),
        cell=cell,
        environment=run.executed_in or run.snapshot.environment,
        git=run.snapshot.git,
    )
