"""Jobs: work that outlives the call that asked for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.counts import at_least
from mlalm_jupyter.api.recorder import Recorder
from mlalm_jupyter.api.silence import note_of
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.api.waiting import ended
from mlalm_jupyter.domain.job import Job
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.names import id_prefix


class Jobs:
    """The jobs of a workspace."""

    def __init__(self, context: Context, recorder: Recorder) -> None:
        self._context = context
        self._recorder = recorder

    @verb("job", "list")
    def list(self, *, limit: Annotated[int, Arg("how many jobs to list")] = 50) -> Listing[Job]:
        """List jobs, newest first."""
        with self._context.catalog.read() as tx:
            return Listing("job", tx.jobs.find(limit=at_least(1, limit, of="jobs")))

    @verb("job", "show")
    def show(self, job: Annotated[str, Arg("a job's id, or its beginning", completes="job")]) -> Job:
        """Show one job: who holds it, how far it is, what came of it."""
        with self._context.catalog.read() as tx:
            found = tx.jobs.get(id_prefix("job", job))
        return replace(found, note=note_of(self._context, found))

    @verb("job", "follow", is_long=True)
    def follow(
        self,
        job: Annotated[str, Arg("a job's id, or its beginning", completes="job")],
        *,
        timeout_s: Annotated[float | None, Arg("how long to follow")] = None,
    ) -> Job:
        """Follow a job to its end."""
        found = self.show(job)
        return ended(self._context, found.id, told=f"Job {found.id[:12]}", timeout_s=timeout_s)

    @verb("job", "cancel")
    def cancel(self, job: Annotated[str, Arg("a job's id, or its beginning", completes="job")]) -> Job:
        """Stop a job, with everything it started."""
        found = self.show(job)
        if found.state.is_final:
            return replace(found, note=f"Nothing changed: it has ended already, {found.state.value}.")
        self._recorder.cancel(found.id)
        return self.show(found.id)
