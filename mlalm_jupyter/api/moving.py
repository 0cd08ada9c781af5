"""Experiments whose notebook was moved: recognised by content, and followed once a person says so."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import Conflict, NotFound
from mlalm_jupyter.domain.experiment import Experiment
from mlalm_jupyter.ports import Transaction


class Moving:
    """The part of `experiment` that follows a notebook to its new place."""

    _context: Context

    @verb("experiment", "move")
    def move(
        self,
        notebook: Annotated[
            str,
            Arg(
                "where it was; no file is there any more",
                metavar="OLD",
                completes="experiment",
                place="notebook",
            ),
        ],
        to: Annotated[str, Arg("where it is now", metavar="NEW", place="notebook")],
    ) -> Experiment:
        """Have an experiment with its history follow a notebook that was moved or renamed.

        >>> ws.experiments.move("train.ipynb", "models/train.ipynb").path  # doctest: +SKIP
        'models/train.ipynb'
        """
        ctx = self._context
        old, new = notebook_path(ctx, notebook), notebook_path(ctx, to)
        with ctx.catalog.write() as tx:
            experiment_id = tx.experiments.id_at(old)
            if experiment_id is None:
                raise NotFound("experiment", notebook, known=[one.path for one in tx.experiments.find()])
            if (ctx.path / old).exists():
                raise _refused(old, why="Its notebook is still there.", fix=f"Move it to {new} first.")
            if not (ctx.path / new).is_file():
                raise _refused(old, why=f"There is no notebook {new}.", fix="Name the place where it is now.")
            if tx.experiments.id_at(new) is not None:
                raise _refused(
                    old,
                    why=f"{new} has a history of its own.",
                    fix=f"Delete that first, if it is not wanted: `mlalm experiment delete {shlex.quote(new)}`.",
                )
            tx.experiments.move(experiment_id, old=old, new=new)
            ctx.note(
                tx, "experiment", "move", subject_id=experiment_id, subject=new, data={"from": old, "to": new}
            )
            moved = tx.experiments.at_path(new)
        assert moved is not None
        return moved


def begun(context: Context, tx: Transaction, path: str, content: bytes, *, anew: bool = False) -> Experiment:
    """A new experiment for a notebook without a history; without `anew` one that looks like a moved one is refused."""
    if not anew:
        check_not_moved(context, tx, path, content)
    experiment = Experiment(context.clock.new_id(), path, "training", context.clock.now())
    tx.experiments.add(experiment)
    return experiment


def check_not_moved(context: Context, tx: Transaction, path: str, content: bytes) -> None:
    """Refuse a notebook without a history that looks like a known one whose file is gone."""
    # what lies outside is often a copy made for the moment
    if Path(path).is_absolute() or tx.experiments.id_at(path) is not None:
        return
    gone = moved_from(context, tx, content)
    if gone is not None:
        raise Conflict(
            f"No experiment was begun for {path}.",
            why=f"It is what {gone} was in its last snapshot, and no file is there any more.",
            fix=f"If it was moved, have its history follow with `mlalm experiment move {shlex.quote(gone)} {shlex.quote(path)}`; "
            f"else begin another one with `mlalm experiment snapshot {shlex.quote(path)} --anew`.",
        )


def notebook_path(context: Context, notebook: str) -> str:
    """Where in the workspace a notebook is that a person named."""
    return context.inside(notebook if notebook.endswith(".ipynb") else f"{notebook}.ipynb")


def moved_from(context: Context, tx: Transaction, content: bytes) -> str | None:
    """The path of an experiment whose file is gone and whose last snapshot is exactly this."""
    digest = hashlib.sha256(content).hexdigest()
    for one in tx.experiments.find():
        last = one.last_run
        is_inside = not Path(one.path).is_absolute()
        if last and last.snapshot.digest == digest and is_inside and not (context.path / one.path).exists():
            return one.path
    return None


def unknown(context: Context, tx: Transaction, notebook: str) -> NotFound:
    """What is said of a notebook that has no history; it may be a known one at a new place."""
    path, fix = notebook_path(context, notebook), ""
    file = context.path / path
    gone = moved_from(context, tx, file.read_bytes()) if file.is_file() else None
    if gone is not None:
        move = f"mlalm experiment move {shlex.quote(gone)} {shlex.quote(path)}"
        fix = f"It is what {gone} was: if it was moved, use `{move}`."
    return NotFound("experiment", notebook, known=[one.path for one in tx.experiments.find()], fix=fix)


def _refused(path: str, *, why: str, fix: str) -> Conflict:
    return Conflict(f"Experiment {path} was not moved.", why=why, fix=fix)
