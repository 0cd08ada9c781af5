"""Experiments: notebooks whose every run leaves an immutable snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.recorder import Recorder, notebook_file
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.api.waiting import ended
from mlalm_jupyter.domain.errors import NotFound, RunFailed
from mlalm_jupyter.domain.experiment import Experiment
from mlalm_jupyter.domain.job import JobState
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.names import id_prefix
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.notebook.document import check_parameters, read_notebook


class Experiments:
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
        self, notebook: Annotated[str, Arg("the notebook's path", completes="experiment")]
    ) -> Experiment:
        """Show one experiment."""
        wanted = notebook if notebook.endswith(".ipynb") else f"{notebook}.ipynb"
        wanted = self._context.inside(wanted)
        with self._context.catalog.read() as tx:
            known = tx.experiments.find()
        found = next((one for one in known if wanted == one.path), None)
        if found is None:
            raise NotFound("experiment", notebook, known=[one.path for one in known])
        return found

    @verb("experiment", "run", is_long=True)
    def run(
        self,
        notebook: Annotated[str, Arg("the notebook to run", metavar="NOTEBOOK")],
        *,
        parameters: Annotated[
            Mapping[str, object] | None, Arg("values for its parameters cell", short="-p")
        ] = None,
        wait: Annotated[bool, Arg("wait for its end")] = True,
        timeout_s: Annotated[float | None, Arg("how long to wait")] = None,
    ) -> Run:
        """Take a snapshot of a notebook and have the scheduler execute exactly that.

        >>> ws.experiments.run("train.ipynb", parameters={"depth": 4}).status  # doctest: +SKIP
        <RunStatus.FINISHED: 'Finished'>
        """
        ctx = self._context
        path, content = notebook_file(ctx, notebook)
        check_parameters(read_notebook(content), parameters or {})
        ctx.host.ensure(ctx.info.id, ctx.path)
        run = self._recorder.submit(content, path=path, parameters=parameters or {}, origin="scheduler")
        if not wait:
            return run
        job = ended(ctx, str(run.job_id), told=f"Run of {path}", timeout_s=timeout_s)
        with ctx.catalog.read() as tx:
            run = tx.runs.get(run.id)
        if job.state is not JobState.FINISHED:
            raise RunFailed(
                path, run_id=run.id, cause=run.cause or f"It was {run.status}.", cell=run.failed_cell
            )
        return run

    @verb("experiment", "history")
    def history(
        self,
        notebook: Annotated[str, Arg("the notebook's path", completes="experiment")],
        *,
        limit: Annotated[int, Arg("how many runs to list")] = 50,
    ) -> Listing[Run]:
        """List the runs of an experiment, newest first."""
        experiment = self.show(notebook)
        with self._context.catalog.read() as tx:
            return Listing("run", tx.runs.find(experiment_id=experiment.id, limit=limit))


class Runs:
    """Single runs."""

    def __init__(self, context: Context, recorder: Recorder) -> None:
        self._context = context
        self._recorder = recorder

    @verb("run", "show")
    def show(self, run: Annotated[str, Arg("a run's id, or its beginning", completes="run")]) -> Run:
        """Show one run: its snapshot, how far it came, what it used and left."""
        with self._context.catalog.read() as tx:
            return tx.runs.get(id_prefix("run", run))

    @verb("run", "cancel")
    def cancel(self, run: Annotated[str, Arg("a run's id, or its beginning", completes="run")]) -> Run:
        """Stop a run, with everything it started."""
        found = self.show(run)
        if found.job_id:
            self._recorder.cancel(found.job_id)
        return self.show(found.id)
