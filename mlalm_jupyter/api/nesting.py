"""Runs that runs start: which notebooks they come from, and what a run at work waits for.

A run that waits lends its place among the jobs to what it waits for, else two that wait would keep each other's runs
queued for ever. And it never waits for a notebook that it comes from itself, for that would have no end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.domain.errors import Conflict, MlalmError, NotFound
from mlalm_jupyter.domain.job import Job, JobState, Lease
from mlalm_jupyter.domain.run import Run

WITHIN = "within"
"""In the payload of a job: the notebooks, as WORKSPACE/PATH, from whose runs it was started."""


@dataclass(frozen=True, slots=True)
class Enclosing:
    """The run that this process is part of, in its own workspace."""

    context: Context
    run: Run

    @property
    def notebooks(self) -> tuple[str, ...]:
        """Its own notebook and those from whose runs it was started, outermost first."""
        with self.context.catalog.read() as tx:
            job = tx.jobs.get(str(self.run.job_id)) if self.run.job_id else None
        before = job.payload.get(WITHIN) if job else None
        told = [str(one) for one in before] if isinstance(before, list) else []
        return (*told, notebook_of(self.context, self.run.path))

    def mark(self, job_id: str, *, is_waiting: bool) -> None:
        """Keep with our own job what it waits for; whoever took it over meanwhile is not disturbed."""
        with self.context.catalog.read() as tx:
            is_known = job_id in tx.jobs.get(str(self.run.job_id)).waits_for
        if is_known is is_waiting:
            return
        with self.context.catalog.write() as tx:
            own = tx.jobs.get(str(self.run.job_id))
            if own.state is not JobState.RUNNING or own.owner is None:
                return
            others = [one for one in own.waits_for if one != job_id]
            progress = {key: value for key, value in own.progress.items() if key != Job.WAITS_FOR}
            if waits_for := [*others, job_id] if is_waiting else others:
                progress[Job.WAITS_FOR] = waits_for
            tx.jobs.progress(Lease(own.id, own.owner, own.attempt), progress)


@contextlib.contextmanager
def enclosing(context: Context) -> Iterator[Enclosing | None]:
    """The run that this process is part of, wherever it is recorded; None outside of any."""
    with contextlib.ExitStack() as stack:
        yield _enclosing(context, stack)


def started_within(context: Context) -> tuple[str, ...]:
    """The notebooks from whose runs this process was started, outermost first."""
    with enclosing(context) as around:
        return around.notebooks if around else ()


def check_awaited(context: Context, path: str, within: Sequence[str]) -> None:
    """Refuse to wait for a run of a notebook that this process comes from itself."""
    if notebook_of(context, path) not in within:
        return
    own = within[-1].partition("/")[2]
    started = f"This is a run of {own}"
    if own != path:
        started += f", which a run of {path} started"
    raise Conflict(
        f"A run of {path} was not waited for.",
        why=f"{started}: each run would wait for another one, without an end.",
        fix="Run it from elsewhere, or without waiting (`--no-wait`).",
    )


def notebook_of(context: Context, path: str) -> str:
    """A notebook of any workspace, in one word."""
    return f"{context.info.id}/{path}"


def _enclosing(context: Context, stack: contextlib.ExitStack) -> Enclosing | None:
    if context.run_id is None:
        return None
    if run := _run(context, context.run_id):
        return Enclosing(context, run)
    folder = context.environ.get("MLALM_WORKSPACE")
    if not folder or Path(folder).resolve() == context.path.resolve():
        return None
    try:
        other = stack.enter_context(context.another(folder))
        run = _run(other, context.run_id)
    except MlalmError:
        return None  # what it is part of is gone, or cannot be read any more
    return Enclosing(other, run) if run else None


def _run(context: Context, run_id: str) -> Run | None:
    with context.catalog.read() as tx:
        try:
            return tx.runs.get(run_id)
        except NotFound:
            return None
