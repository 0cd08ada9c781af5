"""Experiments: notebooks whose every run leaves an immutable snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.counts import at_least
from mlalm_jupyter.api.drafts import draft_of
from mlalm_jupyter.api.exchange import Exchange
from mlalm_jupyter.api.moving import Moving, notebook_path, unknown
from mlalm_jupyter.api.named_blobs import MINIMUM_GRACE_H, blobs_of_runs, kept_blobs
from mlalm_jupyter.api.recorder import Recorder, notebook_file
from mlalm_jupyter.api.runs import ended_run
from mlalm_jupyter.api.snapshots import last_cell
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.api.views import Views
from mlalm_jupyter.domain.errors import InUse, InvalidInput, Unavailable, Unconfirmed, nearest
from mlalm_jupyter.domain.experiment import Experiment
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.outcome import Removed
from mlalm_jupyter.domain.run import Condition, Run, RunStatus, Sorting, time_since
from mlalm_jupyter.notebook.document import check_parameters, read_notebook
from mlalm_jupyter.ports import Transaction


class Experiments(Exchange, Views, Moving):
    """The experiments of a workspace."""

    def __init__(self, context: Context, recorder: Recorder) -> None:
        self._context = context
        self._recorder = recorder

    @verb("experiment", "list")
    def list(self) -> Listing[Experiment]:
        """List the notebooks that have been run here, with their last run."""
        with self._context.catalog.read() as tx:
            return Listing("experiment", tx.experiments.find())

    @verb("experiment", "show")
    def show(
        self, notebook: Annotated[str, Arg("the notebook's path", completes="experiment", place="notebook")]
    ) -> Experiment:
        """Show one experiment."""
        with self._context.catalog.read() as tx:
            found = tx.experiments.at_path(self._path(notebook))
            if found is None:
                raise unknown(self._context, tx, notebook)
        return found

    @verb("experiment", "snapshot")
    def snapshot(
        self,
        notebook: Annotated[str, Arg("the notebook to keep as it is", metavar="NOTEBOOK", place="notebook")],
        *,
        message: Annotated[str, Arg("why, in a few words", short="-m")] = "",
        tags: Annotated[Mapping[str, str] | None, Arg("words to find it by", metavar="KEY=VALUE")] = None,
        anew: Annotated[
            bool, Arg("begin an experiment of its own, though it looks like a moved one")
        ] = False,
    ) -> Run:
        """Keep a notebook as it is, without running it.

        `%snapshot` in a notebook also keeps which of its cells ran, in which order.

        >>> ws.experiments.snapshot("train.ipynb", message="before the new split").status  # doctest: +SKIP
        <RunStatus.DRAFT: 'Draft'>
        """
        path, content = notebook_file(self._context, notebook)
        return self._recorder.keep(content, path=path, message=message, tags=tags, anew=anew)

    @verb("experiment", "run", is_long=True)
    def run(
        self,
        notebook: Annotated[str, Arg("the notebook to run", metavar="NOTEBOOK", place="notebook")],
        *,
        parameters: Annotated[
            Mapping[str, object] | None, Arg("values for its parameters cell", short="-p")
        ] = None,
        to: Annotated[str | None, Arg("the tag of the last cell to run", metavar="TAG")] = None,
        message: Annotated[str, Arg("why, in a few words", short="-m")] = "",
        tags: Annotated[Mapping[str, str] | None, Arg("words to find it by", metavar="KEY=VALUE")] = None,
        anew: Annotated[
            bool, Arg("begin an experiment of its own, though it looks like a moved one")
        ] = False,
        wait: Annotated[bool, Arg("wait for its end")] = True,
        timeout_s: Annotated[float | None, Arg("how long to wait")] = None,
    ) -> Run:
        """Take a snapshot of a notebook and have the scheduler execute exactly that.

        >>> ws.experiments.run("train.ipynb", parameters={"depth": 4}).status  # doctest: +SKIP
        <RunStatus.FINISHED: 'Finished'>
        """
        ctx = self._context
        path, content = notebook_file(ctx, notebook)
        document = read_notebook(content)
        check_parameters(document, parameters or {})
        last_cell(document, to)
        ctx.host.ensure(ctx.info.id, ctx.path)
        run = self._recorder.submit(
            content,
            path=path,
            parameters=parameters or {},
            origin="scheduler",
            until=to,
            message=message,
            tags=tags,
            is_awaited=wait,
            anew=anew,
        )
        return ended_run(ctx, run, timeout_s=timeout_s) if wait else run

    @verb("experiment", "history")
    def history(
        self,
        notebook: Annotated[str, Arg("the notebook's path", completes="experiment", place="notebook")],
        *,
        limit: Annotated[int, Arg("how many runs to list")] = 50,
        status: Annotated[str | None, Arg("only those of this status, such as Failed")] = None,
        where: Annotated[
            str, Arg("only those with such metrics, parameters or tags: 'auc>=0.8, kind=forest'")
        ] = "",
        since: Annotated[
            str | None, Arg("only those since then, such as 2026-11-01; UTC without a zone")
        ] = None,
        sort: Annotated[
            str, Arg("time, status, or the name of a metric, parameter or tag; -NAME turns it round")
        ] = "",
    ) -> Listing[Run]:
        """List the runs of an experiment: the editable draft first, then the locked ones, newest first."""
        ctx = self._context
        wanted = _status(status)
        conditions = Condition.all_in(where)
        sorting = Sorting.parse(sort) if sort else None
        begin = time_since(since) if since is not None else None
        path = self._path(notebook)
        with ctx.catalog.read() as tx:
            experiment_id = tx.experiments.id_at(path)
            if experiment_id is None:
                raise unknown(ctx, tx, notebook)
            runs = tx.runs.find(
                experiment_id=experiment_id,
                status=wanted,
                where=conditions,
                since=begin,
                sort=sorting,
                limit=at_least(1, limit, of="runs"),
            )
            if sorting and runs:
                _check_name(tx, experiment_id, sorting, first=runs[0])
            if not runs:
                _check_conditions(tx, experiment_id, conditions)
            count = 0 if runs else tx.runs.count_of(experiment_id)
        is_whole = not (status or where or since or sort)
        if count:
            return Listing("run", note=f"None of the {count} runs of {path} meets this.")
        return Listing("run", [*draft_of(ctx, experiment_id, path), *runs] if is_whole else runs)

    @verb("experiment", "delete")
    def delete(
        self,
        notebook: Annotated[str, Arg("the notebook's path", completes="experiment", place="notebook")],
        *,
        yes: Annotated[bool, Arg("delete without asking")] = False,
    ) -> Removed:
        """Delete an experiment with all its snapshots; the notebook itself, models and services stay."""
        ctx = self._context
        experiment = self.show(notebook)
        with ctx.catalog.write() as tx:
            runs = tx.runs.find(experiment_id=experiment.id)
            at_work = [one.id[:12] for one in runs if one.job_id and not one.status.is_final]
            if at_work:
                raise InUse(
                    "experiment",
                    experiment.path,
                    users=[f"run {one}" for one in at_work],
                    fix=f"Wait for its end, or `mlalm run cancel {at_work[0]}`.",
                )
            if triggers := tx.triggers.find(path=experiment.path):
                raise InUse(
                    "experiment",
                    experiment.path,
                    users=[f"trigger {one.name}" for one in triggers],
                    fix=f"Delete what would run it first: `mlalm trigger delete {triggers[0].name}`.",
                )
            if not yes:
                many = f"{len(runs)} snapshots" if len(runs) != 1 else "1 snapshot"
                raise Unconfirmed(f"Experiment {experiment.path}", goes=[f"its history with {many}"])
            gone = blobs_of_runs(ctx.blobs, tx, runs)
            tx.runs.delete_of(experiment.id)
            tx.experiments.delete(experiment.id)
            ctx.note(
                tx,
                "experiment",
                "delete",
                subject_id=experiment.id,
                subject=experiment.path,
                data={"snapshots": len(runs)},
            )
        return Removed("experiment", experiment.path, note=self._freed(gone))

    def _freed(self, gone: set[str]) -> str:
        """Remove the bytes that only what was deleted had named; what somebody may be about to name stays a while."""
        ctx = self._context
        with ctx.catalog.read() as tx:
            keep = kept_blobs(ctx.blobs, tx)
        before_s = ctx.clock.time_s() - MINIMUM_GRACE_H * 3600
        try:
            count, size_bytes = ctx.blobs.free(keep, before_s=before_s, only=gone)
        except Unavailable as error:
            return f"Its bytes are still on disk ({error.what}); `mlalm workspace gc` frees them."
        rest = len(gone - keep) - count
        told = f"{size_bytes:,} bytes on disk were freed."
        if rest <= 0:
            return told
        return f"{told} What was written within the last minutes goes with `mlalm workspace gc`."

    def _path(self, notebook: str) -> str:
        """Where in the workspace a notebook is that a person named."""
        return notebook_path(self._context, notebook)


def _check_conditions(tx: Transaction, experiment_id: str, conditions: Sequence[Condition]) -> None:
    """Nothing fits a condition whose name is misspelt; one that some run has was only too strict."""
    names = tx.runs.names_of(experiment_id) if conditions else []
    for one in conditions:
        if names and one.name not in names:
            raise InvalidInput(
                "The condition",
                expected=f"a name that some run has ({', '.join(names)})",
                got=f"'{one.name}'",
            )


def _check_name(tx: Transaction, experiment_id: str, sorting: Sorting, *, first: Run) -> None:
    """A name that no run has is misspelt; those that have it come first, so one look is nearly always enough."""
    name = sorting.by
    if not sorting.is_by_name or name in {
        **first.findings.metrics,
        **first.snapshot.parameters,
        **first.tags,
    }:
        return
    names = tx.runs.names_of(experiment_id)
    if name not in names:
        known = f"time, status or one of {', '.join(names)}" if names else "time or status"
        raise InvalidInput("The order", expected=known, got=f"'{name}'")


def _status(text: str | None) -> RunStatus | None:
    if text is None:
        return None
    for status in RunStatus:
        if status.value.casefold() == text.strip().casefold():
            return status
    words = [status.value for status in RunStatus]
    known = ", ".join(f"'{word}'" for word in words)
    near = nearest(text, words)
    fix = f"The nearest is '{near[0]}'." if near else ""
    raise InvalidInput("The status", expected=f"one of {known}", got=f"'{text}'", fix=fix)
