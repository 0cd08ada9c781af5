"""Keeps the record of a run: snapshot and job in one transaction, each status once, the end fenced."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.files import readable_file
from mlalm_jupyter.api.moving import begun
from mlalm_jupyter.api.nesting import WITHIN, check_awaited, started_within
from mlalm_jupyter.api.pinning import is_there
from mlalm_jupyter.api.registering import measured
from mlalm_jupyter.api.scratch import folder_of
from mlalm_jupyter.api.snapshots import changed_files, environment_here, taken
from mlalm_jupyter.domain.asset import Pin
from mlalm_jupyter.domain.errors import InvalidInput, NotFound, SnapshotLocked, Unavailable
from mlalm_jupyter.domain.job import Job, JobState, Lease
from mlalm_jupyter.domain.run import Cells, Figure, Findings, Live, Output, Run, RunStatus, Snapshot
from mlalm_jupyter.domain.trust import CODE_FORMS, sealed_statement
from mlalm_jupyter.notebook.document import NotebookDocument, pieces, read_notebook
from mlalm_jupyter.notebook.findings import figures_in, metrics_in
from mlalm_jupyter.ports import Execution, Transaction

LEASE_S = 15.0
"""How long a job is held without a sign of life; its owner renews it several times in that time."""

_NAMED = 5
_JOB_END = {
    RunStatus.FINISHED: JobState.FINISHED,
    RunStatus.FINISHED_PARTIAL: JobState.FINISHED,
    RunStatus.FAILED: JobState.FAILED,
    RunStatus.FAILED_PARTIAL: JobState.FAILED,
    RunStatus.CANCELED: JobState.CANCELED,
}
_RUN_END = {
    JobState.QUEUED: RunStatus.QUEUED,
    JobState.FAILED: RunStatus.FAILED,
    JobState.CANCELED: RunStatus.CANCELED,
}


class Recorder:
    """Writes what happens to runs."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def submit(
        self,
        notebook: bytes,
        *,
        path: str,
        parameters: Mapping[str, object],
        origin: str,
        until: str | None = None,
        message: str = "",
        tags: Mapping[str, str] | None = None,
        assets: tuple[Pin, ...] | None = None,
        job: Mapping[str, object] | None = None,
        max_attempts: int = 1,
        again: Run | None = None,
        is_awaited: bool = False,
        anew: bool = False,
    ) -> Run:
        """Take the snapshot and queue the job that executes it; both exist or neither.

        With `is_awaited` the caller is about to wait for its end, which inside a run is not always possible.
        """
        ctx = self._context
        within = started_within(ctx)
        if is_awaited:
            check_awaited(ctx, path, within)
        snapshot = taken(
            ctx, notebook, path=path, parameters=parameters, until=until, message=message, assets=assets
        )
        with ctx.catalog.write() as tx:
            return self.queue(
                tx,
                notebook,
                snapshot,
                path=path,
                origin=origin,
                tags=tags,
                job=_within(job, within),
                max_attempts=max_attempts,
                note=_told_changed(_differing(again.snapshot, snapshot), again) if again else "",
                anew=anew,
            )

    def queue(
        self,
        tx: Transaction,
        notebook: bytes,
        snapshot: Snapshot,
        *,
        path: str,
        origin: str,
        tags: Mapping[str, str] | None = None,
        job: Mapping[str, object] | None = None,
        max_attempts: int = 1,
        note: str = "",
        anew: bool = False,
    ) -> Run:
        """Queue the job of a snapshot inside the transaction of a caller, who may add to it."""
        run = self._new(tx, notebook, snapshot, path=path, origin=origin, tags=tags, anew=anew)
        run = replace(run, findings=Findings(note=note))
        return self._queued(tx, run, job=job or {}, max_attempts=max_attempts)

    def draft(self, tx: Transaction, notebook: bytes, snapshot: Snapshot, *, path: str) -> Run:
        """Keep a snapshot that is to run later, inside the transaction of a caller."""
        return self._added(tx, self._new(tx, notebook, snapshot, path=path, origin="draft"))

    def keep(
        self,
        notebook: bytes,
        *,
        path: str,
        message: str = "",
        tags: Mapping[str, str] | None = None,
        live: Live | None = None,
        assets: tuple[Pin, ...] | None = None,
        anew: bool = False,
    ) -> Run:
        """Take the snapshot of a notebook that nobody is going to execute: a draft, or what a live kernel did."""
        ctx = self._context
        document = read_notebook(notebook)
        snapshot = taken(
            ctx,
            notebook,
            path=path,
            document=document,
            message=message,
            assets=assets,
            loaded=live.inputs if live else (),
        )
        found = self._findings(document, live.executed if live else ())
        with ctx.catalog.write() as tx:
            origin = "interactive" if live else "draft"
            run = self._new(
                tx, notebook, snapshot, path=path, origin=origin, tags=tags, anew=anew, document=document
            )
            if live:
                run = replace(
                    run,
                    status=live.status,
                    started_at=live.started_at,
                    ended_at=run.created_at,
                    cause=live.cause,
                    failed_cell=live.failed_cell,
                    executed_digest=snapshot.digest,
                    cells=Cells(done=len(set(live.executed)), total=run.cells.total),
                    findings=replace(found, note=live.note),
                    inputs=tuple(live.inputs),
                )
            return self._added(tx, run)

    def begin(
        self, notebook: bytes, *, path: str, parameters: Mapping[str, object], origin: str, owner: str
    ) -> tuple[Run, Lease]:
        """Take the snapshot of a run that the calling process executes itself, and hold its job."""
        ctx = self._context
        document = read_notebook(notebook)
        snapshot = taken(ctx, notebook, path=path, document=document, parameters=parameters)
        within = started_within(ctx)
        with ctx.catalog.write() as tx:
            new = self._new(tx, notebook, snapshot, path=path, origin=origin, document=document)
            run = self._queued(tx, new, job=_within({}, within), max_attempts=1)
            lease = tx.jobs.adopt(
                str(run.job_id), owner, now_s=ctx.clock.time_s(), lease_s=LEASE_S, at=ctx.clock.now()
            )
        return run, lease

    def running(self, run: Run, lease: Lease) -> Run:
        """The first cell is about to start, in this process; where its environment is another, both are kept."""
        ctx = self._context
        here = environment_here(ctx)
        changed = _told_changed(changed_files(ctx, run))
        with ctx.catalog.write() as tx:
            self._held(tx, lease)
            current = tx.runs.get(run.id)
            if current.status is RunStatus.RUNNING:
                return current
            moved = current.moved(RunStatus.RUNNING, at=ctx.clock.now())
            moved = replace(
                moved,
                executed_in=here if here != run.snapshot.environment else {},
                findings=_with_note(replace(current.findings, note=changed), current),
            )
            tx.runs.move(moved, expected=current.status)
            ctx.note(tx, "run", "start", subject_id=run.id, subject=run.id[:12], data={"notebook": run.path})
        return moved

    def progress(self, run: Run, lease: Lease, cells: Cells) -> bool:
        """How far it is; False when the job is no longer ours."""
        with self._context.catalog.write() as tx:
            if not tx.jobs.progress(lease, _told(cells)):
                return False
            tx.runs.progress(run.id, cells)
        return True

    def heartbeat(self, lease: Lease) -> bool:
        """Keep the lease; False when it was lost or someone asked to cancel."""
        ctx = self._context
        with ctx.catalog.write() as tx:
            if not tx.jobs.heartbeat(lease, now_s=ctx.clock.time_s(), lease_s=LEASE_S):
                return False
            return not tx.jobs.get(lease.job_id).cancel_requested

    def end(
        self, run: Run, lease: Lease, execution: Execution, *, result: Mapping[str, object] | None = None
    ) -> Run:
        """Record how it ended, unless another attempt holds the job by now; the run as it is afterwards."""
        ctx = self._context
        executed = ctx.blobs.put_pieces(pieces(execution.notebook))
        found = self._findings(read_notebook(execution.notebook), execution.executed)
        now = ctx.clock.now()
        with ctx.catalog.write() as tx:
            current = tx.runs.get(run.id)
            tx.jobs.progress(lease, _told(execution.cells))
            ended = tx.jobs.finish(
                lease,
                _JOB_END[execution.status],
                at=now,
                result={"run": run.id, "models": list(current.models), **(result or {})},
                cause=execution.cause,
            )
            if not ended:
                return current
            if current.status is RunStatus.QUEUED and execution.status is not RunStatus.CANCELED:
                running = current.moved(RunStatus.RUNNING, at=now)
                tx.runs.move(running, expected=current.status)
                current = running
            moved = current.moved(
                execution.status, at=now, cause=execution.cause, failed_cell=execution.failed_cell
            )
            done = replace(
                moved, cells=execution.cells, executed_digest=executed, findings=_with_note(found, current)
            )
            tx.runs.move(done, expected=current.status)
            tx.runs.add_outputs(run.id, self._signed(execution.outputs))
            measured(tx, done)
            self._note_end(tx, moved)
            return tx.runs.get(run.id)

    def executed(self, run: Run, lease: Lease, execution: Execution) -> Run:
        """The notebook is done but the job is not: what follows (a patch, say) belongs to the same lease."""
        ctx = self._context
        digest = ctx.blobs.put_pieces(pieces(execution.notebook))
        found = self._findings(read_notebook(execution.notebook), execution.executed)
        with ctx.catalog.write() as tx:
            self._held(tx, lease)
            tx.jobs.progress(lease, _told(execution.cells))
            current = tx.runs.get(run.id)
            moved = current.moved(
                execution.status, at=ctx.clock.now(), cause=execution.cause, failed_cell=execution.failed_cell
            )
            done = replace(
                moved, cells=execution.cells, executed_digest=digest, findings=_with_note(found, current)
            )
            tx.runs.move(done, expected=current.status)
            tx.runs.add_outputs(run.id, self._signed(execution.outputs))
            measured(tx, done)
            self._note_end(tx, moved)
            return tx.runs.get(run.id)

    def _signed(self, outputs: Sequence[Output]) -> list[Output]:
        sign = self._context.keyring.sign
        return [
            replace(one, signature=sign(sealed_statement("output", one.digest)))
            if one.digest and one.format in CODE_FORMS
            else one
            for one in outputs
        ]

    def finish_job(
        self, lease: Lease, state: JobState, *, result: Mapping[str, object] | None, cause: str | None
    ) -> bool:
        """End a job whose run has ended already."""
        with self._context.catalog.write() as tx:
            return tx.jobs.finish(lease, state, at=self._context.clock.now(), result=result, cause=cause)

    def abandon(self, lease: Lease, state: JobState, *, cause: str) -> bool:
        """End a job whose process is gone or was ended, and its run with it."""
        with self._context.catalog.read() as tx:
            left = self._left(tx.jobs.get(lease.job_id))
        with self._context.catalog.write() as tx:
            job = tx.jobs.get(lease.job_id)
            if not tx.jobs.finish(lease, state, at=self._context.clock.now(), result=None, cause=cause):
                return False
            self._follow(tx, job, state, cause, left)
        return True

    def release(self, owner: str, *, cause: str = "The process that ran it is gone.") -> list[Job]:
        """Put back what an owner held that is gone, or end it where no attempt is left; runs included."""
        ctx = self._context
        with ctx.catalog.read() as tx:
            held = [job for job in tx.jobs.find(state=JobState.RUNNING) if job.owner == owner]
        left = {(job.id, job.attempt): self._left(job) for job in held}
        with ctx.catalog.write() as tx:
            released = tx.jobs.release(owner, at=ctx.clock.now(), cause=cause)
            for job in released:
                self._follow(tx, job, job.state, cause, left.get((job.id, job.attempt)))
        return released

    def _left(self, job: Job) -> Execution | None:
        """What an attempt had done that did not live to tell it; of one that will be tried again, too."""
        ctx = self._context
        if job.state is not JobState.RUNNING:
            return None
        try:
            return ctx.make_runner().left_in(folder_of(ctx, job.id, job.attempt), keep=ctx.blobs.put_file)
        except (Unavailable, OSError):
            # no room for it: that the run has ended must be told all the same
            return None

    def cancel(self, job_id: str) -> Job:
        """Cancel a queued job and its run at once, or ask a running one to stop."""
        ctx = self._context
        with ctx.catalog.write() as tx:
            before = tx.jobs.get(job_id)
            if before.state.is_final:
                return before
            job = tx.jobs.request_cancel(before.id, at=ctx.clock.now())
            ctx.note(tx, "job", "cancel", subject_id=job.id, subject=job.id[:12])
            if job.state is JobState.CANCELED:
                self._follow(tx, job, job.state, "Canceled before it started.")
        return job

    def _new(
        self,
        tx: Transaction,
        notebook: bytes,
        snapshot: Snapshot,
        *,
        path: str,
        origin: str,
        tags: Mapping[str, str] | None = None,
        anew: bool = False,
        document: NotebookDocument | None = None,
    ) -> Run:
        """A run that is nothing but its snapshot yet; its experiment is made when it is the first.

        `document` is the notebook for whoever has read it already.
        """
        ctx = self._context
        now = ctx.clock.now()
        experiment_id = tx.experiments.id_at(path) or begun(ctx, tx, path, notebook, anew=anew).id
        return Run(
            id=ctx.clock.new_id(),
            experiment_id=experiment_id,
            path=path,
            status=RunStatus.DRAFT,
            snapshot=snapshot,
            origin=origin,
            created_at=now,
            created_by=ctx.who,
            cells=Cells(total=len((document or read_notebook(notebook)).code_cells)),
            tags={str(key): str(value) for key, value in (tags or {}).items()},
        )

    def _queued(self, tx: Transaction, run: Run, *, job: Mapping[str, object], max_attempts: int) -> Run:
        """Add a run with the job that executes it."""
        job_id = self._context.clock.new_id()
        tx.jobs.add(
            Job(
                id=job_id,
                kind=str(job.get("kind", "run")),
                payload={"run": run.id, **{key: value for key, value in job.items() if key != "kind"}},
                state=JobState.QUEUED,
                attempt=0,
                max_attempts=max_attempts,
                created_at=run.created_at,
                created_by=run.created_by,
            )
        )
        return self._added(tx, replace(run, status=RunStatus.QUEUED, job_id=job_id))

    def _added(self, tx: Transaction, run: Run) -> Run:
        pins = run.snapshot.assets
        there = tuple(pin for pin in pins if is_there(tx, pin))
        if there != pins:  # something was deleted since the notebook was looked at
            run = replace(run, snapshot=replace(run.snapshot, assets=there))
        tx.runs.add(run)
        self._context.note(
            tx,
            "experiment",
            "snapshot",
            subject_id=run.experiment_id,
            subject=run.path,
            data={"run": run.id, "snapshot": run.snapshot.digest},
        )
        return run

    def _findings(self, document: NotebookDocument, executed: tuple[int, ...]) -> Findings:
        """What the outputs of an executed notebook tell."""
        figures = tuple(
            Figure(one.name, self._context.blobs.put(one.data), one.media_type)
            for one in figures_in(document)
        )
        return Findings(executed, metrics=metrics_in(document), figures=figures)

    @staticmethod
    def _held(tx: Transaction, lease: Lease) -> None:
        job = tx.jobs.get(lease.job_id)
        if (job.state, job.owner, job.attempt) != (JobState.RUNNING, lease.owner, lease.attempt):
            raise NotFound(
                "lease", lease.job_id[:12], fix="Another worker holds this job by now; its result will count."
            )

    def _follow(
        self, tx: Transaction, job: Job, state: JobState, cause: str, left: Execution | None = None
    ) -> None:
        """Move the run of a job to where its job went, with what its execution left."""
        run_id = job.payload.get("run")
        if not isinstance(run_id, str):
            return
        run = tx.runs.get(run_id)
        wanted = _RUN_END[state]
        if run.status.is_final or run.status is wanted:
            return
        if wanted is RunStatus.QUEUED:
            moved = run.moved(wanted, at=self._context.clock.now(), cause=None)
        else:
            moved = self._lost(run, wanted, cause, left)
        tx.runs.move(moved, expected=run.status)
        if wanted.is_final:
            if left:
                tx.runs.add_outputs(run.id, self._signed(left.outputs))
            self._note_end(tx, moved)

    def _lost(self, run: Run, end: RunStatus, cause: str, left: Execution | None) -> Run:
        """A run as it ends whose process could not say how: what is known is how far it had got."""
        if run.status is not RunStatus.RUNNING:
            return run.moved(end, at=self._context.clock.now(), cause=cause)
        lost = run.moved(
            end.of_part if run.snapshot.until is not None else end,
            at=self._context.clock.now(),
            cause=cause,
            failed_cell=run.cells.current,
        )
        if left is None:
            executed = tuple(range(1, run.cells.done + 1))
            return replace(lost, findings=replace(run.findings, executed=executed))
        found = self._findings(read_notebook(left.notebook), left.executed)
        return replace(
            lost,
            cells=left.cells,
            executed_digest=self._context.blobs.put_pieces(pieces(left.notebook)),
            findings=_with_note(found, run),
            failed_cell=lost.failed_cell and left.failed_cell,
        )

    def _note_end(self, tx: Transaction, run: Run) -> None:
        self._context.note(
            tx,
            "run",
            "end",
            subject_id=run.id,
            subject=run.id[:12],
            data={"status": run.status.value, "cause": run.cause},
        )


def _within(job: Mapping[str, object] | None, within: Sequence[str]) -> Mapping[str, object]:
    """What a job is asked for, with the notebooks from whose runs it is started."""
    return {**(job or {}), WITHIN: list(within)} if within else job or {}


def _with_note(findings: Findings, run: Run) -> Findings:
    """Findings with what was noted about the run before."""
    notes = dict.fromkeys(filter(None, (run.findings.note, findings.note)))
    return replace(findings, note=" ".join(notes))


def _differing(before: Snapshot, now: Snapshot) -> list[str]:
    """The files that one of two snapshots of the same cells read and the other did not find so."""
    names = sorted({*before.files, *now.files})
    return [name for name in names if before.files.get(name) != now.files.get(name)]


def _told_changed(files: list[str], before: Run | None = None) -> str:
    """What a reader should know of files that are not what they were."""
    if not files:
        return ""
    many = f"{', '.join(files[:_NAMED])}{f' and {len(files) - _NAMED} more' if len(files) > _NAMED else ''}"
    verb = "has" if len(files) == 1 else "have"
    if before is None:
        return f"{many} {verb} changed between the snapshot and the first cell."
    return f"{many} {verb} changed since run {before.id[:12]}, whose cells these are."


def _told(cells: Cells) -> dict[str, object]:
    return {"cells_done": cells.done, "cells_total": cells.total, "cell_current": cells.current}


def notebook_file(context: Context, notebook: str) -> tuple[str, bytes]:
    """A notebook's path in the workspace and its bytes now; a snapshot is no place to write, nor to run anew."""
    if notebook.startswith("run:"):
        raise SnapshotLocked(notebook)
    named = notebook if notebook.endswith(".ipynb") else f"{notebook}.ipynb"
    here = Path(os.path.expanduser(named))
    if not here.exists() and not (context.path / here).exists():
        folder = Path(os.path.expanduser(notebook))
        if (folder if folder.exists() else context.path / folder).is_dir():
            raise InvalidInput(f"The notebook '{notebook}'", expected="a notebook's file", got="a folder")
    path = readable_file(context, named)
    return context.inside(path), path.read_bytes()
