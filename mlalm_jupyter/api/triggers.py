"""Triggers: experiments that run by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.moving import check_not_moved
from mlalm_jupyter.api.recorder import Recorder, notebook_file
from mlalm_jupyter.api.snapshots import last_cell, taken
from mlalm_jupyter.api.timetable import Timetable
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import InvalidInput, Unconfirmed
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.names import checked_name
from mlalm_jupyter.domain.outcome import Removed
from mlalm_jupyter.domain.run import Snapshot
from mlalm_jupyter.domain.trigger import DraftState, Missed, Trigger
from mlalm_jupyter.notebook.document import check_parameters, read_notebook
from mlalm_jupyter.ports import Transaction

_SHOWN_TIMES = 3
_SHOWN_FIRINGS = 10


class Triggers:
    """The triggers of a workspace."""

    def __init__(self, context: Context, recorder: Recorder) -> None:
        self._context = context
        self._recorder = recorder

    @verb("trigger", "add")
    def add(
        self,
        notebook: Annotated[str, Arg("the notebook to run", metavar="NOTEBOOK", place="notebook")],
        name: Annotated[str, Arg("what to call it")],
        *,
        cron: Annotated[
            str, Arg("when: minute, hour, day of month, month, day of week, such as '0 3 * * 1-5'")
        ],
        timezone: Annotated[str, Arg("whose clocks that means, such as Europe/Berlin")] = "UTC",
        parameters: Annotated[
            Mapping[str, object] | None, Arg("values for its parameters cell", short="-p")
        ] = None,
        to: Annotated[str | None, Arg("the tag of the last cell to run", metavar="TAG")] = None,
        missed: Annotated[
            str, Arg("for times when nothing ran here: once (one run for the latest) or skip")
        ] = Missed.ONCE.value,
        follow_draft: Annotated[
            bool, Arg("take the notebook as it is at each time, not the snapshot taken now")
        ] = False,
    ) -> Trigger:
        """Run an experiment by the clock: the snapshot taken now, or with --follow-draft the notebook of the moment.

        >>> ws.triggers.add("train.ipynb", "nightly", cron="0 3 * * *").next_times[0]  # doctest: +SKIP
        '2026-11-22T03:00:00+00:00'
        """
        ctx = self._context
        checked_name("trigger", name)
        timetable = Timetable(cron, timezone)
        rule = _missed(missed)
        path, content = notebook_file(ctx, notebook)
        document = read_notebook(content, name=path)
        given = dict(parameters or {})
        check_parameters(document, given)
        last_cell(document, to)
        snapshot: Snapshot | None = None
        if not follow_draft:
            said = f"for the trigger '{name}'"
            snapshot = taken(ctx, content, path=path, parameters=given, until=to, message=said)
        ctx.host.ensure(ctx.info.id, ctx.path)
        now = ctx.clock.now()
        trigger = Trigger(
            id=ctx.clock.new_id(),
            name=name,
            kind="experiment",
            path=path,
            cron=timetable.cron,
            timezone=timezone,
            missed=rule,
            created_at=now,
            created_by=ctx.who,
            due_at=timetable.after(now),
            parameters=given,
            until=to,
        )
        with ctx.catalog.write() as tx:
            check_not_moved(ctx, tx, path, content)
            if snapshot is not None:
                kept = self._recorder.draft(tx, content, snapshot, path=path)
                trigger = replace(trigger, snapshot_run_id=kept.id)
            tx.triggers.add(trigger)
            self._note(tx, "add", trigger, {"cron": trigger.cron, "timezone": timezone, "notebook": path})
        return self.show(name)

    @verb("trigger", "list")
    def list(self) -> Listing[Trigger]:
        """List what runs by the clock, when it runs next, and what came of it last."""
        with self._context.catalog.read() as tx:
            return Listing("trigger", tx.triggers.find())

    @verb("trigger", "show")
    def show(self, trigger: Annotated[str, Arg("its name", completes="trigger")]) -> Trigger:
        """Show one trigger: which snapshot it runs, whether that is what your editor has, and when."""
        ctx = self._context
        with ctx.catalog.read() as tx:
            found = tx.triggers.get(trigger)
            firings = tuple(tx.triggers.firings(found.id, limit=_SHOWN_FIRINGS))
            kept = tx.runs.get(found.snapshot_run_id) if found.snapshot_run_id else None
        times: tuple[str, ...] = ()
        if not found.is_paused:
            timetable = Timetable(found.cron, found.timezone)
            times = timetable.coming(ctx.clock.now(), count=_SHOWN_TIMES)
        snapshot = kept.snapshot.digest if kept else None
        return replace(
            found,
            snapshot=snapshot,
            draft=self._draft(found.path, snapshot) if snapshot else None,
            next_times=times,
            firings=firings,
            note=self._not_running(),
        )

    @verb("trigger", "pause")
    def pause(self, trigger: Annotated[str, Arg("its name", completes="trigger")]) -> Trigger:
        """Stop a trigger until it is resumed; the times that pass meanwhile are not missed."""
        ctx = self._context
        with ctx.catalog.write() as tx:
            found = tx.triggers.get(trigger)
            if not found.is_paused:
                tx.triggers.pause(found.id)
                self._note(tx, "pause", found)
        return self._shown(found, is_changed=not found.is_paused, otherwise="it is paused already")

    @verb("trigger", "resume")
    def resume(self, trigger: Annotated[str, Arg("its name", completes="trigger")]) -> Trigger:
        """Have a paused trigger go on, from its next time after now."""
        ctx = self._context
        ctx.host.ensure(ctx.info.id, ctx.path)
        with ctx.catalog.write() as tx:
            found = tx.triggers.get(trigger)
            if found.is_paused:
                due_at = Timetable(found.cron, found.timezone).after(ctx.clock.now())
                tx.triggers.resume(found.id, due_at=due_at)
                self._note(tx, "resume", found)
        return self._shown(found, is_changed=found.is_paused, otherwise="it is not paused")

    @verb("trigger", "delete")
    def delete(
        self,
        trigger: Annotated[str, Arg("its name", completes="trigger")],
        *,
        yes: Annotated[bool, Arg("delete without asking")] = False,
    ) -> Removed:
        """Delete a trigger; the runs it started, and the snapshot it ran, stay."""
        ctx = self._context
        with ctx.catalog.write() as tx:
            found = tx.triggers.get(trigger)
            if not yes:
                count = tx.triggers.count_firings(found.id)
                goes = [f"its timetable '{found.cron}' ({found.timezone})"]
                goes += [f"its list of {count} time{'s' if count != 1 else ''}"] if count else []
                raise Unconfirmed(f"Trigger {found.name}", goes=goes)
            tx.triggers.delete(found.id)
            self._note(tx, "delete", found)
        return Removed("trigger", found.name)

    def _shown(self, trigger: Trigger, *, is_changed: bool, otherwise: str) -> Trigger:
        shown = self.show(trigger.name)
        return shown if is_changed else replace(shown, note=f"Nothing changed: {otherwise}.")

    def _draft(self, path: str, snapshot: str) -> DraftState:
        """Whether the notebook, as it lies there now, has the code of the snapshot."""
        ctx = self._context
        kept = read_notebook(ctx.blobs.get(snapshot))
        try:
            now = read_notebook((ctx.path / path).read_bytes())
        except FileNotFoundError:
            return DraftState.GONE
        except (OSError, InvalidInput):
            return DraftState.UNREADABLE
        return DraftState.SAME if now.code_hash == kept.code_hash else DraftState.DIFFERS

    def _not_running(self) -> str | None:
        ctx = self._context
        status = ctx.host.status()
        if status.is_running and ctx.info.id in status.workspaces:
            return None
        return "The server does not run here, and without it no trigger does: `mlalm server start`."

    def _note(
        self, tx: Transaction, action: str, trigger: Trigger, data: Mapping[str, object] | None = None
    ) -> None:
        self._context.note(tx, "trigger", action, subject_id=trigger.id, subject=trigger.name, data=data)


def _missed(text: str) -> Missed:
    try:
        return Missed(text)
    except ValueError:
        known = " or ".join(f"'{one.value}'" for one in Missed)
        raise InvalidInput("The rule for missed times", expected=known, got=f"'{text}'") from None
