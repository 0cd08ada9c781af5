"""Executes a notebook for papermill in the caller's process, holding the lease of its job."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from types import FrameType
from typing import Any

import nbformat
from papermill.log import logger

from mlalm_jupyter.adapters import descendants, liveness
from mlalm_jupyter.adapters.watched_papermill import Watch, WatchedEngine
from mlalm_jupyter.api.recorder import LEASE_S
from mlalm_jupyter.api.scratch import free_scratch, scratch
from mlalm_jupyter.domain.errors import MlalmError, RunFailed
from mlalm_jupyter.domain.job import JobState, Lease
from mlalm_jupyter.domain.run import Cells, Output, Run, RunStatus
from mlalm_jupyter.ports import Execution
from mlalm_jupyter.surfaces.engine.origin import Origin, workspace_of
from mlalm_jupyter.workspace import Workspace

_BEAT_S = LEASE_S / 5
_LOOK_S = 0.5
_PATIENCE_S = 3


class End(StrEnum):
    """Why an execution was ended from outside."""

    CANCELED = "It was canceled."
    INTERRUPTED = "It was interrupted where papermill was started."
    LOST = "Its lease ran out and was given up; what this process did since does not count."


class RecordedEngine(WatchedEngine):
    """Papermill's own engine with a record of the run: snapshot, progress and end."""

    @classmethod
    def execute_notebook(
        cls, nb: Any, kernel_name: str, output_path: Any = None, *, input_path: Any = None, **options: Any
    ) -> Any:
        origin = Origin.of(nb, input_path=input_path, output_path=output_path)
        parameters = dict(nb.metadata.get("papermill", {}).get("parameters") or {})
        folder = liveness.owners_folder(os.environ)
        with (
            Workspace.open(workspace_of(origin)) as workspace,
            liveness.present(folder) as owner,
            contextlib.ExitStack() as stack,
        ):
            _release_the_gone(workspace, liveness.Watch(folder))
            run, lease = workspace.recorder.begin(
                origin.notebook,
                path=_path(workspace, origin),
                parameters=parameters,
                origin="papermill",
                owner=owner,
            )
            logger.info(f"Recorded as run {run.id[:12]} in {workspace.path}")
            recorded = _Recorded(workspace, run, lease)
            keeping = stack.enter_context(scratch(workspace.context, lease))
            watch = Watch(
                on_cell=recorded.progress,
                replaces_injected=origin.replaces_injected,
                scratch=keeping,
                keeps_values=_is_python(nb),
            )
            with recorded.heart(watch), recorded.interruptible():
                try:
                    recorded.starts()
                    done = super().execute_notebook(
                        nb,
                        kernel_name,
                        output_path,
                        watch=watch,
                        kernel_env={**recorded.kernel_env(), "MLALM_KEEP": str(watch.keep_in or "")},
                        **options,
                    )
                except BaseException as error:
                    _end_badly(recorded, watch, nb, error)
                    raise
            outputs = recorded.outputs(watch)
            recorded.end(replace(_as_papermill_sees_it(watch.execution(_bytes(nb)), nb), outputs=outputs))
            return done


class _Recorded:
    """One run in this process, and its lease."""

    def __init__(self, workspace: Workspace, run: Run, lease: Lease) -> None:
        self._workspace = workspace
        self._recorder = workspace.recorder
        self._lease = lease
        self.run = run
        self.ended: End | None = None
        self._interrupted_at: float | None = None
        self._mark = descendants.mark(lease.job_id, lease.attempt)

    def starts(self) -> None:
        self.run = self._recorder.running(self.run, self._lease)

    def kernel_env(self) -> dict[str, str]:
        return {
            **os.environ,
            "MLALM_WORKSPACE": str(self._workspace.path),
            "MLALM_HOME": str(liveness.owners_folder(os.environ).parent),
            "MLALM_RUN": self.run.id,
            descendants.MARK: descendants.joined(os.environ.get(descendants.MARK), self._mark),
        }

    def progress(self, cells: Cells) -> None:
        # telling how far it is must not be what ends a run
        with contextlib.suppress(MlalmError):
            self._recorder.progress(self.run, self._lease, cells)

    def outputs(self, watch: Watch) -> tuple[Output, ...]:
        return watch.outputs(self._workspace.blobs.put_file)

    def end(self, execution: Execution) -> None:
        self.run = self._recorder.end(self.run, self._lease, execution)

    @contextlib.contextmanager
    def heart(self, watch: Watch) -> Iterator[None]:
        """Keep the lease alive beside the execution, and end that when it is no longer wanted."""
        quiet = threading.Event()
        watch.stop = lambda: self.ended is not None
        thread = threading.Thread(target=self._beat, args=(quiet,), name="mlalm-heart", daemon=True)
        thread.start()
        try:
            yield
        finally:
            quiet.set()
            thread.join()

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Remember an interrupt: raised inside a callback, its exception gets lost and nothing would end."""
        if (
            threading.current_thread() is not threading.main_thread()
            or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        ):
            yield
            return

        def told(number: int, frame: FrameType | None) -> None:
            self.ended = self.ended or End.INTERRUPTED
            self._interrupted_at = time.monotonic()
            signal.default_int_handler(number, frame)

        signal.signal(signal.SIGINT, told)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _beat(self, quiet: threading.Event) -> None:
        beaten = time.monotonic()
        while not quiet.wait(_LOOK_S):
            now = time.monotonic()
            if self._interrupted_at is not None and now > self._interrupted_at + _PATIENCE_S:
                self._interrupted_at = None
                descendants.end(mark=self._mark)
            if now < beaten + _BEAT_S:
                continue
            beaten = now
            try:
                if self._recorder.heartbeat(self._lease):
                    continue
                with self._workspace.catalog.read() as tx:
                    job = tx.jobs.get(self._lease.job_id)
            except MlalmError as error:
                # the lease outlasts some missed beats; without it the end is not recorded
                logger.warning(f"The run's lease was not renewed. {error}")
                continue
            ours = (job.owner, job.attempt) == (self._lease.owner, self._lease.attempt)
            self.ended = End.CANCELED if ours and job.cancel_requested else End.LOST
            # the kernel goes, and all it started; papermill then finds it dead
            descendants.end(mark=self._mark)
            return


def _end_badly(recorded: _Recorded, watch: Watch, nb: Any, error: BaseException) -> None:
    """Record the end of a run that did not get to its end; what was raised goes on to papermill's caller."""
    if recorded.ended is None and isinstance(error, KeyboardInterrupt):
        recorded.ended = End.INTERRUPTED
    outputs = recorded.outputs(watch)
    execution = replace(watch.execution(_bytes(nb)), outputs=outputs)
    if recorded.ended is not None:
        status, cause = RunStatus.CANCELED, recorded.ended.value
    else:
        status, cause = RunStatus.FAILED, execution.cause or f"{type(error).__name__}: {error}"
    recorded.end(replace(execution, status=status, cause=cause))
    if recorded.ended is End.INTERRUPTED and not isinstance(error, KeyboardInterrupt):
        raise KeyboardInterrupt from error
    if recorded.ended in (End.CANCELED, End.LOST):
        raise RunFailed(recorded.run.path, run_id=recorded.run.id, cause=cause) from error


def _as_papermill_sees_it(execution: Execution, nb: Any) -> Execution:
    """Papermill also fails for a cell that was allowed to raise; the record says what its caller is told."""
    if execution.status is RunStatus.FAILED:
        return execution
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            if output.output_type != "error":
                continue
            if output.ename == "SystemExit" and output.evalue in ("", "0"):
                continue
            cause = f"{output.ename}: {output.evalue} (papermill counts cells tagged 'raises-exception' too)"
            return replace(execution, status=RunStatus.FAILED, cause=cause, failed_cell=None)
    return execution


def _release_the_gone(workspace: Workspace, watch: liveness.Watch) -> None:
    """End what killed processes left, so that no run of theirs stays Running where no server looks."""
    with workspace.catalog.read() as tx:
        running = tx.jobs.find(state=JobState.RUNNING)
    for owner in watch.gone({str(job.owner) for job in running}, expired=[]):
        for job in running:
            if job.owner == owner:
                descendants.end(mark=descendants.mark(job.id, job.attempt), grace_s=0.5)
        workspace.recorder.release(owner)
    free_scratch(workspace.context)


def _is_python(nb: Any) -> bool:
    return str(nb.metadata.get("kernelspec", {}).get("language", "python")).lower() == "python"


def _path(workspace: Workspace, origin: Origin) -> str:
    return workspace.context.inside(origin.file) if origin.file else origin.place


def _bytes(nb: Any) -> bytes:
    text: str = nbformat.writes(nb)  # type: ignore[no-untyped-call]
    return text.encode()
