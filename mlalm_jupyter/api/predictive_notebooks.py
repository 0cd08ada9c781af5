"""Predictive notebooks in the workspace: where one goes, and how it is written beside the training notebook."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.notebook_services import code_beside
from mlalm_jupyter.api.recorder import Recorder
from mlalm_jupyter.api.saving import replaced, write_new_notebook
from mlalm_jupyter.domain.errors import AlreadyExists, Conflict, InvalidInput
from mlalm_jupyter.domain.experiment import PREDICTIVE, Experiment
from mlalm_jupyter.domain.names import name_of
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook
from mlalm_jupyter.notebook.predictive.cells import CODE, Piece, pieces_of
from mlalm_jupyter.notebook.predictive.code import shaped
from mlalm_jupyter.notebook.predictive.parts import MODEL, Plan
from mlalm_jupyter.notebook.predictive.proof import Proof
from mlalm_jupyter.notebook.predictive.rebuilding import facts_of, made, made_again
from mlalm_jupyter.notebook.predictive.serving import served
from mlalm_jupyter.ports import Transaction

_ANY = "any:1"
_MOST_EVENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """The predictive notebook that is to be written."""

    path: str
    before: bytes | None
    """What is there now, if it is one that was made for the same training notebook."""
    experiment: Experiment | None
    deployed: tuple[str, ...] = ()
    """Those that were made before and have been deployed; they stay as they are."""

    @property
    def note(self) -> str:
        """What a person who changed the one before should know; nothing where there is none."""
        if not self.deployed:
            return ""
        before = self.deployed[-1]
        return (
            f"{before} is deployed and stays as it is, with what you changed in it: none of that is in {self.path}. "
            f"Deploy {self.path} as a service of its own."
        )


@dataclass(frozen=True, slots=True)
class Hands:
    """What of a person's is in the notebook."""

    added: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()


def target_of(context: Context, path: str) -> Target:
    """Where the predictive notebook goes: the one that is there is made again until it is deployed."""
    stem = path.removesuffix(".ipynb")
    with context.catalog.read() as tx:
        deployed = _deployed(tx)
    number, stay = 1, list[str]()
    while True:
        there = f"{stem}.predictive{'' if number == 1 else f'-{number}'}.ipynb"
        number += 1
        if f"experiment {there}" in deployed:
            stay += [there] if (context.path / there).exists() else []
            continue
        with context.catalog.read() as tx:
            known = tx.experiments.at_path(there)
        file = context.path / there
        if not file.exists():
            if known is None:
                return Target(there, None, None, tuple(stay))
            continue  # its history stays its own
        before = file.read_bytes()
        facts = facts_of(read_notebook(before, name=there))
        if facts.get("training") != path:
            raise AlreadyExists(
                "notebook", there, fix="It was not cut out of this one. Move it, or rename one of them."
            )
        return Target(there, before, known, tuple(stay))


def _deployed(tx: Transaction) -> set[str]:
    """What was ever deployed from here, as the record of deployments names it."""
    found = tx.events.find(noun="service", limit=_MOST_EVENTS)
    return {str(one.data.get("source")) for one in found if one.action == "deploy"}


def notebook_pieces(
    plan: Plan,
    document: NotebookDocument,
    proof: Proof,
    *,
    path: str,
    target: str,
    run: Run,
    loads: Mapping[str, str],
    rows: str,
) -> list[Piece]:
    stem = Path(path).name.removesuffix(".ipynb")
    told = (
        f"Cut out of {_link(Path(path).name)}, run {run.id[:12]}: rows come in, what was fitted there "
        "is loaded, and its answers go out. It may be changed; what is changed stays when it is made again. Run it, "
        f"then deploy it with `%deploy {name_of(Path(target).name)} SERVICE`."
    )
    (port,) = plan.inputs
    made_of = pieces_of(
        plan,
        document,
        title=f"{_plain(stem)}, predictive",
        told=told,
        loads=loads,
        rows={port.name: f"%dataset {rows}"},
    )
    lines = [
        line for line in shaped(port, proof.shape) if line != f"{port.variable} = {port.variable}.copy()"
    ]
    if lines:
        made_of.insert(2, Piece("shape", CODE, "\n".join(lines)))
    return made_of


def _link(file: str) -> str:
    """A link in markdown to a file that lies beside the notebook.

    >>> _link("my [old] churn.ipynb")
    '[my \\\\[old\\\\] churn.ipynb](my%20%5Bold%5D%20churn.ipynb)'
    """
    return f"[{_plain(file)}]({quote(file)})"


def _plain(text: str) -> str:
    """A text as markdown shows it, with nothing in it taken for emphasis or a link.

    >>> _plain("my_churn")
    'my_churn'
    """
    return re.sub(r"([\\`*\[\]<>])", r"\\\1", text)


def code_as_written(
    plan: Plan, document: NotebookDocument, proof: Proof, *, path: str, run: Run, folder: Path
) -> str:
    """What would be deployed of the notebook that is to be written; its assets may have any references."""
    loads = {one.name: f"%{'model' if one.kind == MODEL else 'transform'} {_ANY}" for one in plan.fitted}
    pieces = notebook_pieces(plan, document, proof, path=path, target=path, run=run, loads=loads, rows=_ANY)
    try:
        service = served(read_notebook(made(pieces, like=document, facts={}), name=path))
    except InvalidInput as error:
        raise Conflict(
            f"No predictive notebook was cut out of {path}.",
            why=f"What would be in it cannot be deployed. {error.why}",
            fix=error.fix,
        ) from error
    return code_beside(service, folder)


def written(
    context: Context,
    target: Target,
    path: str,
    run: Run,
    document: NotebookDocument,
    pieces: Sequence[Piece],
) -> tuple[Experiment, Hands]:
    """The notebook, written or made again; the one that was there is kept as a snapshot."""
    facts: Mapping[str, object] = {"kind": PREDICTIVE, "training": path, "run": run.id}
    if target.before is None:
        with context.catalog.write() as tx:
            experiment = _known(context, tx, target, path, run)
            _note(context, tx, experiment, run)
            written_anew = made(pieces, like=document, facts=facts)
            write_new_notebook(
                context, target.path, written_anew, fix="Somebody made it meanwhile. Repeat this."
            )
        return experiment, Hands()
    with context.catalog.write() as tx:
        # whoever wrote the notebook may have been ended before it was known
        experiment = _known(context, tx, target, path, run)
    file, undone = context.path / target.path, f"{target.path} was not made again."
    rebuilt = made_again(read_notebook(target.before), pieces, like=document, facts=facts)
    if rebuilt.content != target.before:
        Recorder(context).keep(target.before, path=target.path, message=f"before it was made again of {path}")
    with context.catalog.write() as tx:
        # while nobody else can write, so that nobody deploys what is being replaced
        if f"experiment {target.path}" in _deployed(tx):
            raise Conflict(
                f"{target.path} was not made again.",
                why="Somebody has deployed it meanwhile.",
                fix="Repeat it.",
            )
        _note(context, tx, experiment, run)
        if rebuilt.content != target.before:
            replaced(file, target.before, rebuilt.content)
        elif not file.exists():
            raise Conflict(undone, why="Somebody took it away at the same moment.", fix="Repeat it.")
    return experiment, Hands(rebuilt.added, rebuilt.kept, rebuilt.held_back)


def _known(context: Context, tx: Transaction, target: Target, path: str, run: Run) -> Experiment:
    """The experiment of the predictive notebook, linked to the training notebook it was cut out of."""
    if found := tx.experiments.at_path(target.path):
        return found
    origin = tx.experiments.at_path(path)
    experiment = Experiment(
        context.clock.new_id(),
        target.path,
        PREDICTIVE,
        context.clock.now(),
        parent=path,
        parent_id=origin.id if origin else None,
        parent_run_id=run.id,
    )
    tx.experiments.add(experiment)
    return experiment


def _note(context: Context, tx: Transaction, experiment: Experiment, run: Run) -> None:
    data = {"training": run.path, "run": run.id}
    context.note(tx, "service", "setup", subject_id=experiment.id, subject=experiment.path, data=data)
