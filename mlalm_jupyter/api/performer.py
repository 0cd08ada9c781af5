"""Does claimed jobs: executes a snapshot, and what was asked to follow."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.endpoints import Endpoints
from mlalm_jupyter.api.recorder import Recorder
from mlalm_jupyter.api.scratch import scratch
from mlalm_jupyter.api.snapshots import last_cell
from mlalm_jupyter.domain.errors import MlalmError, Unavailable
from mlalm_jupyter.domain.job import Job, JobState, Lease
from mlalm_jupyter.domain.run import Cells, Run, RunStatus
from mlalm_jupyter.notebook.document import read_notebook
from mlalm_jupyter.ports import Execution

_LOG = logging.getLogger(__name__)
_CANCELED = "It was canceled."
OnProgress = Callable[[Cells], None]


class Performer:
    """Executes jobs in the calling process and records their end."""

    def __init__(self, context: Context, recorder: Recorder, endpoints: Endpoints) -> None:
        self._context = context
        self._recorder = recorder
        self._endpoints = endpoints

    def perform(
        self,
        lease: Lease,
        *,
        on_progress: OnProgress | None = None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Do one claimed job; its result counts only while the lease is ours."""
        with self._context.catalog.read() as tx:
            job = tx.jobs.get(lease.job_id)
            run = tx.runs.get(str(job.payload["run"]))
        run = self._recorder.running(run, lease)
        with scratch(self._context, lease) as folder:
            execution = self._execute(run, lease, on_progress, folder)
            self._record(job, run, lease, execution, is_stopped=is_stopped())

    def _record(self, job: Job, run: Run, lease: Lease, execution: Execution, *, is_stopped: bool) -> None:
        if is_stopped:
            with self._context.catalog.read() as tx:
                is_canceled = tx.jobs.get(lease.job_id).cancel_requested
            if not is_canceled:
                raise Unavailable(
                    "The run was broken off.",
                    why="Its process was told to stop.",
                    fix="Run it again.",
                )
            canceled = replace(execution, status=RunStatus.CANCELED, cause=_CANCELED)
            self._recorder.end(run, lease, canceled)
        elif job.kind == "retrain" and not execution.cause:
            self._finish_retraining(
                run, lease, execution, patch=job.payload.get("patch"), model=str(job.payload["model"])
            )
        else:
            self._recorder.end(run, lease, execution)

    def _execute(self, run: Run, lease: Lease, on_progress: OnProgress | None, folder: Path) -> Execution:
        ctx = self._context

        def told(cells: Cells) -> None:
            try:
                self._recorder.progress(run, lease, cells)
            except Unavailable as error:
                # telling how far it is must not be what ends a run
                _LOG.warning("how far run %s is was not kept: %s", run.id[:12], error)
            if on_progress:
                on_progress(cells)

        env = {"MLALM_WORKSPACE": str(ctx.path), "MLALM_RUN": run.id}
        notebook = ctx.blobs.get(run.snapshot.digest)
        return ctx.make_runner().execute(
            notebook,
            parameters=run.snapshot.parameters,
            env=env,
            cwd=(ctx.path / Path(run.path)).parent,
            on_cell=told,
            until=last_cell(read_notebook(notebook), run.snapshot.until),
            keep=ctx.blobs.put_file,
            scratch=folder,
        )

    def _finish_retraining(
        self, run: Run, lease: Lease, execution: Execution, *, patch: object, model: str
    ) -> None:
        """A retraining is done when its model is registered and, where asked, serves."""
        self._recorder.executed(run, lease, execution)
        with self._context.catalog.read() as tx:
            trained = [one for one in tx.models.find(run_id=run.id) if one.name == model]
        result: dict[str, object] = {"run": run.id, "model": None, "endpoint": None}
        if not trained:
            cause = f"Its notebook registered no version of '{model}': end it with `%register VAR {model}`."
            self._recorder.finish_job(lease, JobState.FAILED, result=result, cause=cause)
            return
        newest = max(trained, key=lambda one: one.version)
        result["model"] = newest.reference
        if isinstance(patch, str):
            try:
                result["endpoint"] = self._endpoints.patch(patch, model=newest.reference).reference
            except MlalmError as error:
                self._recorder.finish_job(
                    lease, JobState.FAILED, result=result, cause=f"{newest.reference} was trained. {error}"
                )
                return
        self._recorder.finish_job(lease, JobState.FINISHED, result=result, cause=None)
