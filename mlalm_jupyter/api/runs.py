"""Single runs: shown, canceled, compared, and run again as they were."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.recorder import Recorder
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.api.waiting import ended
from mlalm_jupyter.domain.errors import InvalidInput, RunFailed
from mlalm_jupyter.domain.job import JobState
from mlalm_jupyter.domain.names import id_prefix
from mlalm_jupyter.domain.outcome import Comparison
from mlalm_jupyter.domain.run import Run


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
        if found.status.is_final or found.job_id is None:
            told = (
                f"it has ended already, {found.status.value}" if found.status.is_final else "it never started"
            )
            return replace(found, note=f"Nothing changed: {told}.")
        self._recorder.cancel(found.job_id)
        return self.show(found.id)

    @verb("run", "compare")
    def compare(
        self, runs: Annotated[str, Arg("the beginnings of two or more run ids, with commas between")]
    ) -> Comparison:
        """Put runs side by side: what they were given, what was measured, what differs."""
        names = [name.strip() for name in runs.split(",") if name.strip()]
        if len(set(names)) < 2:
            raise InvalidInput("The runs", expected="two or more, with commas between", got=f"'{runs}'")
        return Comparison(tuple(self.show(name) for name in names))

    @verb("run", "replay", is_long=True)
    def replay(
        self,
        run: Annotated[str, Arg("a run's id, or its beginning", completes="run")],
        *,
        wait: Annotated[bool, Arg("wait for its end")] = True,
        timeout_s: Annotated[float | None, Arg("how long to wait")] = None,
    ) -> Run:
        """Run a snapshot again as it was: the same cells, parameters and versions of assets."""
        ctx = self._context
        before = self.show(run)
        ctx.host.ensure(ctx.info.id, ctx.path)
        again = self._recorder.submit(
            ctx.blobs.get(before.snapshot.digest),
            path=before.path,
            parameters=before.snapshot.parameters,
            origin="replay",
            until=before.snapshot.until,
            message=f"replay of {before.id[:12]}",
            tags=before.tags,
            assets=before.snapshot.assets,
        )
        return ended_run(ctx, again, timeout_s=timeout_s) if wait else again


def ended_run(context: Context, run: Run, *, timeout_s: float | None = None) -> Run:
    """A run once it has ended; RunFailed when it did not end well."""
    job = ended(context, str(run.job_id), told=f"Run of {run.path}", timeout_s=timeout_s)
    with context.catalog.read() as tx:
        run = tx.runs.get(run.id)
    if job.state is not JobState.FINISHED:
        cause = run.cause or f"It was {run.status}."
        raise RunFailed(run.path, run_id=run.id, cause=cause, cell=run.failed_cell)
    return run
