"""Random sequences of everything people do with experiments, against a referee that imports nothing of ours."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from mlalm_jupyter.domain.errors import (
    Conflict,
    InUse,
    InvalidInput,
    MissingAssets,
    MlalmError,
    NotFound,
    Unconfirmed,
)
from mlalm_jupyter.domain.job import JobState, Lease
from mlalm_jupyter.domain.run import Cells, Live, RunStatus
from mlalm_jupyter.ports import Execution
from tests.contract.experiment_model import (
    FORMS,
    KINDS,
    NAMES,
    Cell,
    Experiment,
    Pins,
    Snapshot,
    Version,
    sha256,
    sources,
    with_version,
)  # fmt: skip
from tests.contract.experiment_sides import Side, pick
from tests.contract.parity_scenarios import package, scaling

pytestmark = pytest.mark.prove_experiments

T = TypeVar("T")
NAMED = ("train.ipynb", "deep/score.ipynb", "other.ipynb")
TEXTS = ("a = 1", "# rides:1", "print('é')\n%time a")
VERSIONS = (None, None, None, 1, 2, 3, 4)
ENDS = ("Finished", "Finished (Partial run)", "Failed", "Failed (Partial run)", "Canceled")
LIVE = (RunStatus.FINISHED, RunStatus.FINISHED_PARTIAL, RunStatus.FAILED_PARTIAL)
ACTIONS: list[Callable[[Experimenting], None]] = []


def action(do: Callable[[Experimenting], None]) -> Callable[[Experimenting], None]:
    ACTIONS.append(do)
    return do


@contextmanager
def inside(run: str) -> Iterator[None]:
    """As the kernel of a run."""
    os.environ["MLALM_RUN"] = run
    try:
        yield
    finally:
        del os.environ["MLALM_RUN"]


class Experimenting:
    """What people do, in any order; all that is chance comes out of one seed."""

    def __init__(self, folder: Path, seed: int, figures: Counter[str], *, real_runs: int) -> None:
        self.folder, self.figures = folder, figures
        self.real_runs = real_runs
        """How many more notebooks may be executed."""
        self.chance = random.Random(seed)
        shutil.rmtree(folder, ignore_errors=True)
        self.sides = (Side(folder / "a"), Side(folder / "b"))
        self.texts: list[tuple[Path, str, tuple[Cell, ...], Pins, str]] = []
        self.named = 0
        for path in NAMED:
            self.sides[0].write(path, self.cells())
        for kind in KINDS:
            self.published(self.sides[0], kind, 1)

    def go(self, steps: int) -> None:
        for number in range(steps):
            do = self.chance.choice(ACTIONS)
            print(f"{number:>3} {do.__name__}", end="")
            do(self)
            print()
            for side in self.sides:
                side.check()
                if number % 10 == 0 or do.__name__ in ("delete", "collect_what_is_not_needed"):
                    side.check_bytes()
        for side in self.sides:
            side.check_bytes()
            side.check_health()
            self.figures["snapshots taken in random sequences"] += side.taken
        self.figures["random sequences"] += 1
        self.figures["steps of random sequences, each followed by a check of all"] += steps

    def close(self) -> None:
        for side in self.sides:
            side.ws.close()

    def one_of(self, options: Sequence[T]) -> T:
        chosen = self.chance.choice(options)
        print(f" {chosen}", end="")
        return chosen

    def number(self) -> int:
        return self.one_of(range(1000))

    def side(self) -> int:
        return self.one_of((0, 0, 0, 1))

    def cells(self) -> tuple[Cell, ...]:
        return tuple(self.cell() for _ in range(self.chance.randint(1, 4)))

    def cell(self) -> Cell:
        if self.chance.random() < 0.3:
            return Cell(self.one_of(TEXTS))
        form = self.chance.randrange(len(FORMS))
        return Cell(kind=self.one_of(KINDS), version=self.one_of(VERSIONS), form=form)

    def fresh(self, suffix: str = ".ipynb") -> str:
        self.named += 1
        return f"new{self.named}{suffix}"

    # what people do with files

    @action
    def edit(self) -> None:
        side = self.side()
        path = self.one_of(NAMED)
        cells = self.cells()
        self.sides[side].write(path, cells)

    @action
    def remove_the_notebook(self) -> None:
        path = self.one_of(NAMED)
        side = self.sides[0]
        if side.place.files.pop(path, None) is not None:
            del side.place.cells[path]
            (side.ws.path / path).unlink()

    # assets

    @action
    def publish(self) -> None:
        side = self.side()
        kind = self.one_of(KINDS)
        content = self.one_of((1, 2, 3))
        self.published(self.sides[side], kind, content)

    def published(self, side: Side, kind: str, content: int, *, run: str | None = None) -> None:
        ws, place = side.ws, side.place
        file = self.folder / self.fresh(".csv" if kind == "dataset" else ".ilearner")
        if kind == "dataset":
            file.write_text("hour\n" + "1\n" * content)
            made = ws.datasets.upload(str(file), NAMES[kind])
            digest = sha256(file.read_bytes())
            assert made.digest == digest
            version, made_id = made.version, made.id
        elif kind == "transform":
            file.write_bytes(scaling())
            step = ws.transforms.register(str(file), NAMES[kind])
            version, made_id, digest = step.version, step.id, step.transform_hash
        else:
            file.write_bytes(package(content))
            model = ws.models.register(str(file), NAMES[kind])
            version, made_id, digest = model.version, model.id, model.model_hash
        place.given[kind] += 1
        assert version == place.given[kind], "numbers rise by one, and are never given twice"
        place.assets[kind].append(Version(kind, version, made_id, digest, run))

    @action
    def delete_an_asset(self) -> None:
        side = self.side()
        kind = self.one_of(KINDS)
        number = self.number()
        ws, place = self.sides[side].ws, self.sides[side].place
        asset = pick(place.assets[kind], number)
        if asset is None:
            return
        delete = {"dataset": ws.datasets, "transform": ws.transforms, "model": ws.models}[kind].delete
        if place.users(asset):
            with pytest.raises(InUse):
                delete(asset.reference, yes=True)
        else:
            delete(asset.reference, yes=True)
            place.assets[kind].remove(asset)

    # snapshots and runs

    @action
    def keep_a_draft(self) -> None:
        side = self.side()
        number = self.number()
        one = self.sides[side]
        if path := one.file(number):
            run = one.ws.experiments.snapshot(path)
            assert one.took(run, path).status == "Draft"

    @action
    def keep_what_a_kernel_did(self) -> None:
        number = self.number()
        status = self.one_of(LIVE)
        has_unsaved = self.one_of((True, False))
        side = self.sides[0]
        path = side.file(number)
        if path is None:
            return
        content = side.place.files[path] + (b"\n" if has_unsaved else b"")
        cause = "ValueError: no" if "Failed" in status else None
        if side.place.looks_moved(path, content):  # only with what was not saved yet
            with pytest.raises(Conflict, match="--anew"):
                side.ws.recorder.keep(content, path=path, live=Live(status, (1,), cause=cause))
            return
        run = side.ws.recorder.keep(content, path=path, live=Live(status, (1,), cause=cause))
        taken = side.took(run, path, content=content, executed=content)
        assert taken.status == status.value

    @action
    def queue(self) -> None:
        side = self.side()
        number = self.number()
        is_part = self.one_of((True, False))
        attempts = self.one_of((1, 2))
        one = self.sides[side]
        if path := one.file(number):
            run = one.ws.recorder.submit(
                one.place.files[path],
                path=path,
                parameters={},
                origin="scheduler",
                until="here" if is_part else None,
                max_attempts=attempts,
            )
            taken = one.took(run, path, is_part=is_part, most_attempts=attempts)
            assert taken.status == "Queued"

    @action
    def queue_again_as_it_was(self) -> None:
        """A replay refers to what the snapshot referred to, whatever is newest."""
        side = self.side()
        one = self.sides[side]
        before = pick(one.place.snapshots, self.number())
        if before is None or before.path not in one.place.files:
            return
        with one.ws.catalog.read() as tx:
            pins = tx.runs.get(before.id).snapshot.assets
        run = one.ws.recorder.submit(
            before.content, path=before.path, parameters={}, origin="replay", assets=pins
        )
        taken = one.took(run, before.path, content=before.content)
        taken.cells, taken.pins = before.cells, dict(before.pins)

    @action
    def begin(self) -> None:
        number = self.number()
        side = self.sides[0]
        if path := side.file(number):
            run, lease = side.ws.recorder.begin(
                side.place.files[path], path=path, parameters={}, origin="papermill", owner="me"
            )
            taken = side.took(run, path, attempts=1, holder="me")
            assert taken.status == "Queued"
            side.leases[taken.id] = lease

    @action
    def run_for_real(self) -> None:
        """Papermill, with a kernel; now and then, for it takes seconds."""
        number = self.number()
        if self.real_runs == 0:
            return
        side = self.sides[0]
        path = side.file(number)
        if path is None:
            return
        self.real_runs -= 1
        ws, out = side.ws, self.folder / self.fresh()
        command = [
            sys.executable,
            "-m",
            "papermill",
            "--engine",
            "mlalm",
            "--no-progress-bar",
            path,
            str(out),
        ]
        done = subprocess.run(command, cwd=ws.path, capture_output=True, text=True, timeout=300, check=False)
        run = next(one for one in ws.experiments.history(path) if not one.is_editable)
        assert run.origin == "papermill", done.stderr
        cells = side.place.cells[path]
        # nobody loads the magics, so that whatever refers to an asset fails; %time needs what a cell before it set
        if any(cell.kind for cell in cells):
            assert run.status is RunStatus.FAILED, done.stderr
        elif all(cell.text in TEXTS[:2] for cell in cells):
            assert run.status is RunStatus.FINISHED, done.stderr
        assert (done.returncode == 0) is (run.status is RunStatus.FINISHED), done.stderr
        executed = ws.blobs.get(str(run.executed_digest))
        assert sources(executed) == [cell.source for cell in cells]
        side.took(run, path, attempts=1, executed=executed)
        self.figures["snapshots executed by papermill in random sequences"] += 1

    @action
    def claim(self) -> None:
        side = self.side()
        owner = self.one_of(("worker 1", "worker 2"))
        limit = self.one_of((1, 2, 3))
        one = self.sides[side]
        clock = one.ws.clock
        waiting = one.place.queued[:limit]
        with one.ws.catalog.write() as tx:
            jobs = tx.jobs.claim(owner, limit=limit, now_s=clock.time_s(), lease_s=600, at=clock.now())
        assert [job.id for job in jobs] == [run.job for run in waiting], "the longest waiting go first"
        for run, job in zip(waiting, jobs, strict=True):
            run.holder, run.attempts = owner, run.attempts + 1
            assert job.attempt == run.attempts
            one.leases[run.id] = Lease(job.id, owner, job.attempt)

    @property
    def has_held(self) -> bool:
        return any(run.holder for side in self.sides for run in side.place.snapshots)

    def held(self, number: int, side: int = 0) -> Snapshot | None:
        return pick([one for one in self.sides[side].place.snapshots if one.holder], number)

    @action
    def start(self) -> None:
        number = self.number()
        side = self.side()
        run = self.held(number, side)
        if run is not None:
            ws = self.sides[side].ws
            ws.recorder.running(ws.runs.show(run.id), self.sides[side].leases[run.id])
            if run.status == "Queued":
                run.move("Running")

    @action
    def give_a_sign_of_life(self) -> None:
        number = self.number()
        run = self.held(number)
        if run is not None:
            alive = self.sides[0].ws.recorder.heartbeat(self.sides[0].leases[run.id])
            assert alive is not run.is_to_stop

    @action
    def use_an_asset_in_a_run(self) -> None:
        number = self.number()
        kind = self.one_of(KINDS)
        side = self.side()
        one = self.sides[side]
        run = self.held(number, side)
        if run is None or run.status != "Running":
            return
        meant = one.place.meant_in(run, kind)
        ws = one.ws
        load: Callable[[str], object] = {
            "dataset": ws.datasets.load, "transform": ws.transforms.load, "model": ws.models.load
        }[kind]  # fmt: skip
        with inside(run.id):
            if meant is None:
                with pytest.raises(NotFound):
                    load(NAMES[kind])
            else:
                load(NAMES[kind])
                run.inputs.add(f"{kind} {meant.reference}")

    @action
    def make_a_dataset_in_a_run(self) -> None:
        number = self.number()
        content = self.one_of((4, 5, 6))
        run = self.held(number)
        if run is not None and run.status == "Running":
            with inside(run.id):
                self.published(self.sides[0], "dataset", content, run=run.id)

    @action
    def end(self) -> None:
        number = self.number()
        end = self.one_of(ENDS)
        side = self.side()
        one = self.sides[side]
        run = self.held(number, side)
        if run is None:
            return
        if run.is_part:
            end = RunStatus(end).of_part.value
        shown = one.ws.runs.show(run.id)
        lease = one.leases[run.id]
        done = one.ws.recorder.end(shown, lease, self.execution(run, end))
        assert done.status.value == end
        if run.status == "Queued" and end != "Canceled":
            run.move("Running")
        run.move(end)
        run.executed, run.holder = self.execution(run, end).notebook, None
        one.lost.append((done, lease))

    @staticmethod
    def execution(run: Snapshot, end: str) -> Execution:
        cause = "ValueError: no" if "Failed" in end else None
        notebook = run.content.replace(b'"execution_count": null', b'"execution_count": 1')
        return Execution(notebook + b" ", RunStatus(end), Cells(1, 1), cause=cause, executed=(1,))

    @action
    def lose_the_process(self) -> None:
        """The one process of a job dies, or whoever holds several jobs does."""
        number = self.number()
        side = self.side()
        is_whole = self.one_of((True, False))
        one = self.sides[side]
        run = self.held(number, side)
        if run is None or run.holder is None:
            return
        lease, owner = one.leases[run.id], run.holder
        if not is_whole:
            gone = [run]
            state = JobState.CANCELED if run.is_to_stop else JobState.FAILED
            assert one.ws.recorder.abandon(lease, state, cause="Its process was killed.")
        else:
            gone = [each for each in one.place.snapshots if each.holder == owner]
            one.ws.recorder.release(owner)
        for each in gone:
            one.lost.append((one.ws.runs.show(each.id), one.leases[each.id]))
            each.holder = None
            if each.is_to_stop:
                each.move("Canceled")
            elif not is_whole or each.attempts == each.most_attempts:
                is_part = each.is_part and each.status == "Running"
                each.move("Failed (Partial run)" if is_part else "Failed")
            elif each.status == "Running":
                each.move("Queued")

    @action
    def hear_from_one_that_was_given_up(self) -> None:
        """A process comes back to life whose job has ended, or is another's: nothing of it counts."""
        number = self.number()
        side = self.side()
        found = pick(self.sides[side].lost, number)
        if found is None:
            return
        run, lease = found
        recorder = self.sides[side].ws.recorder
        if any(run.id == gone.id for gone in self.sides[side].place.gone):
            return
        execution = Execution(b'{"nbformat": 4, "cells": []}', RunStatus.FINISHED, Cells(9, 9))
        recorder.end(run, lease, execution)
        assert not recorder.abandon(lease, JobState.FAILED, cause="It came late.")
        assert not recorder.heartbeat(lease)
        assert not recorder.progress(run, lease, Cells(7, 7))
        with pytest.raises(MlalmError):
            recorder.running(run, lease)

    @action
    def cancel(self) -> None:
        number = self.number()
        side = self.side()
        one = self.sides[side]
        run = pick(one.place.snapshots, number)
        if run is None:
            return
        shown = one.ws.runs.cancel(run.id)
        if run.is_at_work and run.holder:
            run.is_to_stop = True
        elif run.is_at_work:
            run.move("Canceled")
        else:
            assert shown.note

    # new experiments from old ones

    @action
    def save_as(self) -> None:
        number = self.number()
        keep = self.one_of((True, False))
        side = self.side()
        one = self.sides[side]
        found = one.source(number)
        if found is None:
            return
        source, cells, pins, parent = found
        path = self.fresh()
        saved = one.ws.experiments.save_as(source, path, keep_versions=keep)
        one.wrote(path, one.place.saved_as(cells, pins, keep=keep))
        one.place.experiments[path] = Experiment(saved.experiment.id, parent)
        told = {(swap.kind, swap.old, swap.new) for swap in saved.swaps}
        assert all(old != new for _, old, new in told)
        if keep:
            assert told == set()
        else:
            newest = {kind: one.place.newest(kind) for kind in KINDS}
            moved = {
                (pin.kind, pin.reference, now.reference) for pin in pins.values() if (now := newest[pin.kind])
            }
            assert told == {swap for swap in moved if swap[1] != swap[2]}

    @action
    def update_an_asset(self) -> None:
        number = self.number()
        kind = self.one_of(KINDS)
        version = self.one_of((None, 1, 2, 3))
        side = self.sides[0]
        place, path = side.place, side.file(number)
        if path is None:
            return
        meant = place.meant(Cell(kind=kind, version=version))
        used = [cell for cell in place.cells[path] if cell.kind == kind]
        text = NAMES[kind] + (f":{version}" if version else "")
        if not used or meant is None:
            with pytest.raises(InvalidInput if not used else NotFound):
                side.ws.experiments.update_asset(path, text, kind=kind)
            return
        cells = tuple(
            with_version(cell, meant.version) if cell.kind == kind else cell for cell in place.cells[path]
        )
        updated = side.ws.experiments.update_asset(path, text, kind=kind)
        if cells == place.cells[path]:
            assert updated.note
            place.experiments.setdefault(path, Experiment(updated.experiment.id))
            return
        # what it was is kept first
        kept = side.ws.experiments.history(path)[1]
        side.took(kept, path)
        side.wrote(path, cells)

    @action
    def export(self) -> None:
        number = self.number()
        side = self.side()
        one = self.sides[side]
        found = one.source(number)
        if found is None:
            return
        source, cells, pins, path = found
        file = self.folder / self.fresh(".json")
        one.ws.experiments.export(source, str(file))
        shown = one.ws.experiments.show(path)
        one.place.experiments.setdefault(path, Experiment(shown.id, shown.parent))
        self.texts.append((file, path, cells, pins, shown.id))
        again = self.folder / self.fresh(".json")
        one.ws.experiments.export(source, str(again))
        assert again.read_bytes() == file.read_bytes(), "the same text each time"

    @action
    def import_(self) -> None:
        number = self.number()
        side = self.side()
        overwrite = self.one_of((True, False))
        found = pick(self.texts, number)
        if found is None:
            return
        file, _, cells, pins, origin = found
        one = self.sides[side]
        ws, place = one.ws, one.place
        here = {(asset.kind, asset.version, asset.id) for kind in KINDS for asset in place.assets[kind]}
        missing = [pin for pin in pins.values() if (pin.kind, pin.version, pin.id) not in here]
        name = self.fresh()
        if missing:
            with pytest.raises(MissingAssets) as caught:
                ws.experiments.import_(str(file), None if overwrite else name, overwrite=overwrite)
            assert all(any(pin.id in told for told in caught.value.missing) for pin in missing)
            return
        known = next((path for path, each in place.experiments.items() if each.id == origin), None)
        if not overwrite:
            made = ws.experiments.import_(str(file), name)
            assert (made.experiment.id == origin) is (known is None)
            place.experiments[name] = Experiment(made.experiment.id, made.experiment.parent)
            one.wrote(name, cells)
        elif known is None or known not in place.files:
            with pytest.raises(NotFound):
                ws.experiments.import_(str(file), overwrite=True)
        else:
            ws.experiments.import_(str(file), overwrite=True)
            one.took(ws.experiments.history(known)[1], known)
            one.wrote(known, cells)
            # and the same text comes out, as long as its references stand for the same
            again = self.folder / self.fresh(".json")
            ws.experiments.export(known, str(again))
            if side == 0 and place.pins(cells) == pins and known == found[1]:
                assert again.read_bytes() == file.read_bytes()

    @action
    def copy(self) -> None:
        number = self.number()
        side = self.side()
        one, other = self.sides[side], self.sides[1 - side]
        found = one.source(number)
        if found is None:
            return
        source, cells, pins, parent = found
        path = self.fresh()
        copied = one.ws.experiments.copy(source, str(other.ws.path), name=path)
        in_order = sorted(pins.items(), key=lambda one: (one[1].kind, one[1].version))
        brought = {key: other.place.adopted(pin) for key, pin in in_order}
        made = tuple(
            with_version(cell, brought[cell.kind, cell.wanted].version)
            if cell.kind
            and (cell.kind, cell.wanted) in brought
            # a bare name goes on to mean what it meant, also where another version is the newest
            and (cell.version or other.place.newest(cell.kind) != brought[cell.kind, cell.wanted])
            else cell
            for cell in cells
        )
        other.wrote(path, made)
        other.place.experiments[path] = Experiment(copied.experiment.id, parent.removesuffix(".ipynb"))

    # deleting

    @action
    def delete(self) -> None:
        number = self.number()
        side = self.side()
        one = self.sides[side]
        ws, place = one.ws, one.place
        path = pick(sorted(place.experiments), number)
        if path is None:
            return
        snapshots = place.experiments[path].snapshots
        if any(run.is_at_work for run in snapshots):
            with pytest.raises(InUse):
                ws.experiments.delete(path, yes=True)
            return
        with pytest.raises(Unconfirmed):
            ws.experiments.delete(path)
        ws.experiments.delete(path, yes=True)
        del place.experiments[path]
        place.gone.extend(snapshots)
        for run in snapshots:
            with pytest.raises(NotFound):
                ws.runs.show(run.id)
            if run.job:
                with pytest.raises(NotFound):
                    ws.jobs.show(run.job)

    @action
    def collect_what_is_not_needed(self) -> None:
        side = self.side()
        ws, place = self.sides[side].ws, self.sides[side].place
        for file in (ws.path / ".mlalm" / "blobs").rglob("*"):
            if file.is_file():
                os.utime(file, (1000, 1000))
        ws.workspaces.gc(grace_h=0.05)
        kept = {sha256(part) for one in place.snapshots for part in (one.content, one.executed) if part}
        gone = {sha256(part) for one in place.gone for part in (one.content, one.executed) if part}
        assert not [digest for digest in gone - kept if ws.blobs.has(digest)], "bytes that nothing needs stay"
        stray = {file.name for file in (ws.path / ".mlalm" / "blobs").glob(".incoming-*")}
        assert stray == set()
        self.sides[side].check_health()


SHARES = 12 if os.environ.get("MLALM_FULL") == "1" else 4
"""So many that processes which take them side by side end at about one time."""


@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    "share", [0, *(pytest.param(share, marks=pytest.mark.full) for share in range(1, SHARES))]
)
def test_whatever_people_do_in_whatever_order_the_rules_hold(
    share: int, home: Path, tmp_path: Path, counts: Callable[[int, int], int], figures: Counter[str]
) -> None:
    given = os.environ.get("SEED")
    many = 1 if given else counts(1, 12)
    for number in range(many):
        seed = int(given) if given else random.SystemRandom().randrange(10**9)
        print(f"\nsequence {number}: SEED={seed}")
        people = Experimenting(tmp_path / "sequence", seed, figures, real_runs=counts(1, 3))
        try:
            people.go(counts(50, 120))
        finally:
            people.close()
