"""Keeps the times of triggers: one run for each, however many look at the clock, and never a burst."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.recorder import Recorder
from mlalm_jupyter.api.snapshots import taken
from mlalm_jupyter.api.timetable import Timetable
from mlalm_jupyter.domain.errors import InvalidInput, MlalmError
from mlalm_jupyter.domain.run import RunStatus, Snapshot
from mlalm_jupyter.domain.trigger import Firing, FiringOutcome, Missed, Trigger
from mlalm_jupyter.ports import Transaction

ON_TIME_S = 60.0
"""A due time that is noticed within this time was not missed: a server may be starting anew."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """What a trigger wants executed."""

    notebook: bytes
    snapshot: Snapshot


class Timekeeper:
    """Starts what triggers ask for.

    A due time, the run it starts and the job of that run are written in one transaction, which only whoever moves the
    trigger on to its next time comes through: there is one run for a time, whoever else looks, and whoever dies.
    """

    def __init__(self, context: Context, recorder: Recorder) -> None:
        self._context = context
        self._recorder = recorder

    def look(self) -> list[Firing]:
        """Do what is due now, and tell what was done."""
        ctx = self._context
        now = ctx.clock.now()
        with ctx.catalog.read() as tx:
            due = tx.triggers.due(now)
        fired = [self._fire(trigger, now) for trigger in due]
        return [one for one in fired if one is not None]

    def next_due_at(self) -> str | None:
        """When there is something to do next."""
        with self._context.catalog.read() as tx:
            return tx.triggers.next_due_at()

    def _fire(self, trigger: Trigger, now: str) -> Firing | None:
        """Act on the due times of a trigger until now; None when somebody else has."""
        first = str(trigger.due_at)
        try:
            timetable = Timetable(trigger.cron, trigger.timezone)
        except InvalidInput as error:
            # another time zone database than the one it was made with; no next time can be told
            return self._record(trigger, due_at=first, missed=1, now=now, next_at=None, ready=str(error))
        due_at, earlier = timetable.latest(first, now)
        ready: _Ready | str | None = None
        if trigger.missed is Missed.ONCE or _seconds(due_at, now) <= ON_TIME_S:
            ready = self._ready(trigger)
        missed = earlier + (ready is None)
        return self._record(
            trigger, due_at=due_at, missed=missed, now=now, next_at=timetable.after(now), ready=ready
        )

    def _ready(self, trigger: Trigger) -> _Ready | str:
        """What is to run, or why it cannot."""
        ctx = self._context
        try:
            if trigger.snapshot_run_id is None:
                notebook = (ctx.path / Path(trigger.path)).read_bytes()
                assets = None
            else:
                with ctx.catalog.read() as tx:
                    kept = tx.runs.get(trigger.snapshot_run_id).snapshot
                notebook, assets = ctx.blobs.get(kept.digest), kept.assets
            snapshot = taken(
                ctx,
                notebook,
                path=trigger.path,
                parameters=trigger.parameters,
                until=trigger.until,
                message=f"trigger '{trigger.name}'",
                assets=assets,
            )
        except FileNotFoundError:
            return f"Its notebook {trigger.path} is gone."
        except OSError as error:
            return f"Its notebook {trigger.path} was not read: {error.strerror}."
        except MlalmError as error:
            return str(error)
        return _Ready(notebook, snapshot)

    def _record(
        self,
        trigger: Trigger,
        *,
        due_at: str,
        missed: int,
        now: str,
        next_at: str | None,
        ready: _Ready | str | None,
    ) -> Firing | None:
        """Write down what is done about a due time, together with the run that this starts."""
        ctx = self._context
        late = _seconds(due_at, now) > ON_TIME_S
        with ctx.catalog.write() as tx:
            if not tx.triggers.move_on(trigger, due_at=next_at):
                return None
            if tx.triggers.has_fired(trigger.id, due_at):
                return None  # the clock was put back; that time had its run
            run_id: str | None = None
            if ready is None:
                outcome, reason = FiringOutcome.SKIPPED, "Nothing ran here then, and such times are skipped."
            elif isinstance(ready, str):
                outcome, reason = FiringOutcome.FAILED, ready
            elif self._is_waiting(tx, trigger):
                outcome, reason = FiringOutcome.SKIPPED, "The run before it still waits for its turn."
                missed += 1
            else:
                run = self._recorder.queue(
                    tx,
                    ready.notebook,
                    ready.snapshot,
                    path=trigger.path,
                    origin="trigger",
                    tags={"trigger": trigger.name},
                    anew=True,  # whoever made the trigger was asked
                )
                run_id, outcome = run.id, FiringOutcome.STARTED
                reason = "Made up for: nothing ran here at that time." if late else "It was time."
            firing = Firing(
                id=ctx.clock.new_id(),
                trigger_id=trigger.id,
                due_at=due_at,
                fired_at=now,
                outcome=outcome,
                reason=reason,
                run_id=run_id,
                missed=missed,
            )
            tx.triggers.add_firing(firing)
            ctx.note(
                tx, "trigger", "fire", subject_id=trigger.id, subject=trigger.name, data=firing.to_dict()
            )
        return firing

    @staticmethod
    def _is_waiting(tx: Transaction, trigger: Trigger) -> bool:
        """Whether the run of the time before has not begun: runs that take longer than their pause do not pile up."""
        last = next((one for one in tx.triggers.firings(trigger.id, limit=5) if one.run_id), None)
        if last is None:
            return False
        try:
            return tx.runs.get(str(last.run_id)).status is RunStatus.QUEUED
        except MlalmError:
            return False  # it is gone with its experiment


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
