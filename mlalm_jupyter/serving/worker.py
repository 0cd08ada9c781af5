"""The worker: claims jobs of all registered workspaces, and keeps each in a process of its own.

What is recorded of a job happens exactly once, for only the present lease can record an end. What its code does
happens at most as often as the job has attempts: one for every run and retraining, for a notebook may have acted
outside already, so that one whose worker dies has failed. A job of a kind that bears it may be given more, and is then
begun again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from mlalm_jupyter.adapters import descendants, liveness
from mlalm_jupyter.api.recorder import LEASE_S
from mlalm_jupyter.api.scratch import free_scratch
from mlalm_jupyter.domain.errors import MlalmError, NotFound
from mlalm_jupyter.domain.job import Job, JobState, Lease
from mlalm_jupyter.serving.children import how_it_ended
from mlalm_jupyter.serving.held_job import HeldJob
from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.known_workspaces import KnownWorkspace, KnownWorkspaces

SLOTS = 2
_BEAT_S = LEASE_S / 5
_CHECK_OWNERS_S = 0.5
_REST_S = 1.0
_TIDY_S = 60.0
_ORPHANS_S = 5.0
_STOP_S = 12.0
_SHORTEST_NAP_S = 0.01
_LONGEST_NAP_S = 0.1
_CANCELED = "It was canceled."
_STOPPED = "The server was stopped while it ran."
_GONE = "The process that ran it is gone."


class Worker:
    """One worker; `round` is called again and again."""

    def __init__(self, home: Home, *, slots: int, owner: str, owners: Path) -> None:
        self.owner = owner
        self._slots = slots
        self._owners = owners
        self._known = KnownWorkspaces(home, say=say, owners=owners)
        self._held: list[HeldJob] = []
        self._tidy_at_s = 0.0
        self._may_have_orphans = False

    def round(self) -> bool:
        """Do all that is due; whether anything is going on."""
        self._known.refresh()
        active = bool(self._held)
        for known in self._known:
            if known.rest_until_s > time.monotonic():
                continue
            with self._kept_going(known):
                active |= self._look_at(known)
        for held in list(self._held):
            with self._kept_going(held.known):
                self._tend(held)
        if self._may_have_orphans:
            self._end_orphans()
        self._tidy()
        return active

    def stop(self) -> None:
        """End the jobs in hand and let go of them: one with attempts left is queued again, any other has failed."""
        for held in self._held:
            held.stop()
        for known in self._known:
            known.scheduler.close()
            known.follower.close()
        deadline = time.monotonic() + _STOP_S
        while any(held.exit_status() is None for held in self._held) and time.monotonic() < deadline:
            time.sleep(_SHORTEST_NAP_S)
        for held in self._held:
            held.sweep()
        self._held.clear()
        self._end_orphans()
        for known in self._known:
            with self._kept_going(known):
                for job in known.workspace.recorder.release(self.owner, cause=_STOPPED):
                    say(f"job {job.id[:12]} was let go of: {job.state}")
                free_scratch(known.workspace.context)
        self._known.close()

    def _look_at(self, known: KnownWorkspace) -> bool:
        changed = known.changes.since_last_look()
        if changed:
            known.may_have_queued = known.may_have_running = True
            for held in self._held:
                if held.known is known:
                    self._obey(held)
        is_new, changed = changed, changed | known.scheduler.look(is_changed=changed)
        changed |= known.follower.look(is_changed=is_new)
        if known.may_have_running and known.check_owners_at_s <= time.monotonic():
            known.check_owners_at_s = time.monotonic() + _CHECK_OWNERS_S
            known.may_have_running = self._release_the_gone(known)
        if known.may_have_queued and (len(self._held) < self._slots or self._awaited()):
            self._claim(known)
        return changed

    def _awaited(self) -> set[str]:
        """The jobs that jobs in hand wait for, while there is a slot of those left: it is lent to them alone."""
        if sum(not held.waits_for for held in self._held) >= self._slots:
            return set()
        return {one for held in self._held for one in held.waits_for} - {
            held.lease.job_id for held in self._held
        }

    def _claim(self, known: KnownWorkspace) -> None:
        catalog, clock = known.workspace.catalog, known.workspace.clock
        free = self._slots - len(self._held)
        claimed: list[Job] = []
        with catalog.read() as tx:
            waiting = tx.jobs.find(state=JobState.QUEUED)
        if waiting and free > 0:
            with catalog.write() as tx:
                claimed = tx.jobs.claim(
                    self.owner, limit=free, now_s=clock.time_s(), lease_s=LEASE_S, at=clock.now()
                )
        elif waiting:
            claimed = self._claimed_on_loan(known, waiting)
        known.may_have_queued = len(claimed) < len(waiting)
        for job in claimed:
            self._start(known, Lease(job.id, self.owner, job.attempt))

    def _claimed_on_loan(self, known: KnownWorkspace, waiting: list[Job]) -> list[Job]:
        """With all slots taken: what their jobs wait for, as many at once as they have lent."""
        awaited = self._awaited()
        lent = self._slots - sum(not held.waits_for for held in self._held)
        wanted = [job.id for job in reversed(waiting) if job.id in awaited][:lent]
        clock = known.workspace.clock
        claimed: list[Job] = []
        if not wanted:
            return claimed
        with known.workspace.catalog.write() as tx:
            for job_id in wanted:
                if tx.jobs.get(job_id).state is JobState.QUEUED:
                    tx.jobs.adopt(job_id, self.owner, now_s=clock.time_s(), lease_s=LEASE_S, at=clock.now())
                    claimed.append(tx.jobs.get(job_id))
        return claimed

    def _start(self, known: KnownWorkspace, lease: Lease) -> None:
        try:
            held = HeldJob.start(known, lease, beat_due_s=time.monotonic() + _BEAT_S)
        except OSError as error:
            cause = f"Its process was not started: {error.strerror}."
            known.workspace.recorder.abandon(lease, JobState.FAILED, cause=cause)
            say(f"job {lease.job_id[:12]} failed: {cause}")
            return
        self._held.append(held)
        say(f"job {lease.job_id[:12]} began, attempt {lease.attempt}, pid {held.process.pid}")

    def _tend(self, held: HeldJob) -> None:
        status = held.exit_status()
        if status is not None:
            self._settle(held, status)
        elif not held.known.is_open:
            held.stop()
        elif not held.is_stopping and held.beat_due_s <= time.monotonic():
            held.beat_due_s = time.monotonic() + _BEAT_S
            if not held.known.workspace.recorder.heartbeat(held.lease):
                self._obey(held)

    def _obey(self, held: HeldJob) -> None:
        """See what has become of a job in hand: canceled, ended, or taken by another."""
        job = self._job(held)
        held.waits_for = job.waits_for if job is not None and _is_held(job, held.lease) else ()
        if job is None or not _is_held(job, held.lease):
            # its process has recorded the end and is about to go, unless somebody else has the job
            if job is not None and job.attempt == held.lease.attempt and job.state.is_final:
                held.expire()
            elif not held.is_stopping:
                say(f"job {held.lease.job_id[:12]} is no longer ours; its process is ended")
                held.stop()
        elif job.cancel_requested and not held.is_stopping:
            say(f"job {job.id[:12]} is canceled")
            held.stop()

    def _settle(self, held: HeldJob, status: int) -> None:
        """After the process of a job has ended: nothing of it is left, and there is an end on record."""
        left = held.sweep()
        self._end_orphans()
        if held.known.is_open:
            job = self._job(held)
            if job is not None and _is_held(job, held.lease):
                told = f"Its process {how_it_ended(status)} before it was done."
                state, cause = JobState.FAILED, held.last_words or told
                if job.cancel_requested:
                    state, cause = JobState.CANCELED, _CANCELED
                held.known.workspace.recorder.abandon(held.lease, state, cause=cause)
                say(f"job {held.lease.job_id[:12]} is {state}: {cause}")
            free_scratch(held.known.workspace.context)
        # only now: while its end could not be recorded, this is tried again
        self._held.remove(held)
        _ = held.last_words  # which closes where they come from
        say(f"job {held.lease.job_id[:12]}: its process {how_it_ended(status)}")
        if left:
            say(f"job {held.lease.job_id[:12]} left processes that do not end: {[one.pid for one in left]}")

    def _end_orphans(self) -> None:
        """End what job processes that were killed have left to us.

        A living job process adopts its own orphans, so that any other child of ours belonged to a dead one.
        """
        # what a trigger's snapshot is taken with is ours as well, and gone in a moment
        self._may_have_orphans = any(
            known.scheduler.is_busy or known.follower.is_busy for known in self._known
        )
        if self._may_have_orphans:
            return
        mine = {held.process.pid for held in self._held}
        deadline = time.monotonic() + _ORPHANS_S
        while orphans := [one for one in descendants.children() if one.pid not in mine]:
            for orphan in orphans:
                descendants.end(root=orphan.pid, grace_s=0.0, give_up_s=1.0)
                orphan.send(signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(orphan.pid, os.WNOHANG)
            if time.monotonic() > deadline:
                say(f"orphans that do not end: {[one.pid for one in orphans]}")
                return
            time.sleep(_SHORTEST_NAP_S)

    def _release_the_gone(self, known: KnownWorkspace) -> bool:
        """Give back, or end, what owners held that are gone; first their processes, if any are still here.

        Whether there was any job at work: without one there is nothing to look for until something changes.
        """
        workspace = known.workspace
        with workspace.catalog.read() as tx:
            running = tx.jobs.find(state=JobState.RUNNING)
            expired = tx.jobs.expired(now_s=workspace.clock.time_s()) if running else []
        held = {one.lease for one in self._held}
        for job in running:
            lease = Lease(job.id, self.owner, job.attempt)
            if job.owner == self.owner and lease not in held:
                # its catalog was away or another for a while, and its process was ended
                workspace.recorder.abandon(lease, JobState.FAILED, cause=_GONE)
        for owner in known.watch.gone({str(job.owner) for job in running} - {self.owner}, expired=expired):
            for job in running:
                if job.owner == owner:
                    descendants.end(mark=descendants.mark(job.id, job.attempt), grace_s=0.5)
            for job in workspace.recorder.release(owner):
                say(f"job {job.id[:12]} of {owner}, which is gone, is now {job.state}")
            free_scratch(workspace.context)
        return bool(running)

    def _tidy(self) -> None:
        """Remove the files of attempts that are over, and of owners that are gone and hold nothing any more."""
        now = time.monotonic()
        if now < self._tidy_at_s:
            return
        self._tidy_at_s = now + _TIDY_S
        holding: set[str] = set()
        for known in self._known:
            try:
                with known.workspace.catalog.read() as tx:
                    holding.update(tx.jobs.owners())
                free_scratch(known.workspace.context)
            except MlalmError:
                return
        for owner in liveness.owners(self._owners):
            if owner not in holding and liveness.is_gone(owner, folder=self._owners):
                liveness.forget(owner, folder=self._owners)

    @staticmethod
    def _job(held: HeldJob) -> Job | None:
        with held.known.workspace.catalog.read() as tx:
            try:
                return tx.jobs.get(held.lease.job_id)
            except NotFound:
                return None

    @contextlib.contextmanager
    def _kept_going(self, known: KnownWorkspace) -> Iterator[None]:
        """The trouble of one workspace is told once, and keeps none of the others waiting."""
        try:
            yield
        except MlalmError as error:
            known.rest_until_s = time.monotonic() + _REST_S
            if known.trouble != str(error):
                known.trouble = str(error)
                say(f"workspace {known.path}: {error}")
        else:
            known.trouble = ""


def _is_held(job: Job, lease: Lease) -> bool:
    return (job.state, job.owner, job.attempt) == (JobState.RUNNING, lease.owner, lease.attempt)


def say(text: str) -> None:
    """A line of the worker's log."""
    print(f"{datetime.now().strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)


def main() -> None:
    """Work until told to stop."""
    parser = argparse.ArgumentParser(prog="mlalm-worker")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--slots", type=int, default=SLOTS, help="how many jobs at once")
    args = parser.parse_args()
    home = Home(args.home.expanduser().absolute())
    os.environ["MLALM_HOME"] = str(home.home)
    os.environ.pop(descendants.MARK, None)
    is_told_to_stop = False

    def told(_number: int, _frame: object) -> None:
        nonlocal is_told_to_stop
        is_told_to_stop = True

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)
    descendants.adopt_orphans()
    home.make()
    owners = liveness.owners_folder(os.environ)
    with liveness.present(owners) as owner:
        say(f"worker {owner} with {args.slots} slots")
        worker = Worker(home, slots=args.slots, owner=owner, owners=owners)
        nap_s = _SHORTEST_NAP_S
        while not is_told_to_stop:
            nap_s = _SHORTEST_NAP_S if worker.round() else min(nap_s * 1.1, _LONGEST_NAP_S)
            time.sleep(nap_s)
        worker.stop()
        say("stopped")


if __name__ == "__main__":
    main()
