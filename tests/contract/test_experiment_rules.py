"""Random sequences of everything people do with experiments, against a referee that imports nothing of ours."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mlalm_jupyter.domain.errors import InUse, InvalidInput, MissingAssets, MlalmError, NotFound, Unconfirmed
from mlalm_jupyter.domain.job import JobState, Lease
from mlalm_jupyter.domain.run import Cells, Live, Run, RunStatus
from mlalm_jupyter.ports import Execution
from mlalm_jupyter.workspace import Workspace
from tests.contract.experiment_model import (
    FORMS,
    KINDS,
    NAMES,
    Cell,
    Experiment,
    Pins,
    Place,
    Snapshot,
    Version,
    rendered,
    sha256,
    sources,
    with_version,
)
from tests.contract.parity_scenarios import package, scaling

pytestmark = pytest.mark.prove_experiments

T = TypeVar("T")
REFERENCES = st.builds(
    Cell,
    kind=st.sampled_from(KINDS),
    version=st.sampled_from([None, None, 1, 2, 3, 4]),
    form=st.integers(0, len(FORMS) - 1),
)
TEXTS = st.builds(Cell, text=st.sampled_from(["a = 1", "# rides:1", "print('é')\n%time a"]))
NOTEBOOKS = st.lists(REFERENCES | TEXTS, min_size=1, max_size=4).map(tuple)
NAMED = ("train.ipynb", "deep/score.ipynb", "other.ipynb")
FILES = st.sampled_from(NAMED)
SIDES = st.sampled_from([0, 0, 0, 1])
PICKS = st.integers(0, 40)
ENDS = st.sampled_from(["Finished", "Finished (Partial run)", "Failed", "Failed (Partial run)", "Canceled"])
LIVE = st.sampled_from([RunStatus.FINISHED, RunStatus.FINISHED_PARTIAL, RunStatus.FAILED_PARTIAL])


def pick(items: Sequence[T], number: int) -> T | None:
    return items[number % len(items)] if items else None


@contextmanager
def inside(run: str) -> Iterator[None]:
    """As the kernel of a run."""
    os.environ["MLALM_RUN"] = run
    try:
        yield
    finally:
        del os.environ["MLALM_RUN"]


class Side:
    """A workspace, and what should be in it."""

    def __init__(self, folder: Path) -> None:
        self.ws = Workspace.init(folder)
        self.place = Place()
        self.leases: dict[str, Lease] = {}
        self.lost: list[tuple[Run, Lease]] = []
        self.taken = 0

    def write(self, path: str, cells: tuple[Cell, ...]) -> None:
        file = self.ws.path / path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(rendered(cells))
        self.wrote(path, cells)

    def wrote(self, path: str, cells: tuple[Cell, ...]) -> None:
        """A file with these cells is there now, written by whomever."""
        content = (self.ws.path / path).read_bytes()
        assert sources(content) == [cell.source for cell in cells]
        self.place.files[path], self.place.cells[path] = content, cells

    def file(self, number: int) -> str | None:
        return pick(sorted(self.place.files), number)

    def took(self, run: Run, path: str, *, content: bytes | None = None, **facts: object) -> Snapshot:
        """A snapshot of the file, or of other content, was taken."""
        place = self.place
        self.taken += 1
        known = {kind: list(place.assets[kind]) for kind in KINDS}
        cells = place.cells[path]
        snapshot = Snapshot(
            run.id, path, cells, content or place.files[path], place.pins(cells), run.status.value, known,
            number=self.taken, job=run.job_id, **facts,  # type: ignore[arg-type]
        )  # fmt: skip
        place.experiments.setdefault(path, Experiment(run.experiment_id)).snapshots.append(snapshot)
        return snapshot

    def source(self, number: int) -> tuple[str, tuple[Cell, ...], Pins, str] | None:
        """A draft or a snapshot: its name, its cells, what they stand for, and the experiment it is of."""
        place = self.place
        drafts = [(path, cells, place.pins(cells), path) for path, cells in place.cells.items()]
        locked = [(f"run:{one.id}", one.cells, one.pins, one.path) for one in place.snapshots]
        return pick([*locked, *drafts], number)

    def check(self) -> None:
        ws, place = self.ws, self.place
        assert [one.path for one in ws.experiments.list()] == sorted(place.experiments)
        for path, content in place.files.items():
            assert (ws.path / path).read_bytes() == content, f"{path} is another file"
        for path, experiment in place.experiments.items():
            shown = ws.experiments.show(path)
            assert (shown.id, shown.parent) == (experiment.id, experiment.parent)
            rows = list(ws.experiments.history(path, limit=1000))
            editable = [row.is_editable for row in rows]
            has_draft = path in place.files
            assert editable == [True] * has_draft + [False] * len(experiment.snapshots)
            if has_draft:
                assert (rows[0].snapshot.digest, rows[0].status.value) == (
                    sha256(place.files[path]), "Draft",
                )  # fmt: skip
            for row, wanted in zip(rows[has_draft:], reversed(experiment.snapshots), strict=True):
                self._check_locked(row, wanted)
        for kind in KINDS:
            for asset in place.assets[kind]:
                self._check_asset(asset)

    def _check_locked(self, row: Run, wanted: Snapshot) -> None:
        assert (row.id, row.status.value, row.path) == (wanted.id, wanted.status, wanted.path)
        assert row.snapshot.digest == sha256(wanted.content)
        assert self.ws.blobs.get(row.snapshot.digest) == wanted.content
        assert row.executed_digest == (sha256(wanted.executed) if wanted.executed else None)
        if wanted.executed:
            assert self.ws.blobs.get(str(row.executed_digest)) == wanted.executed
        pins = {(pin.kind, pin.wanted): pin for pin in row.snapshot.assets}
        assert set(pins) == set(wanted.pins)
        for key, pin in pins.items():
            meant = wanted.pins[key]
            assert (pin.version, pin.id, pin.digest) == (meant.version, meant.id, meant.digest)
        assert set(row.inputs) == wanted.inputs
        assert (row.ended_at is not None) == (wanted.is_final or wanted.executed is not None)
        assert wanted.status not in ("Failed", "Failed (Partial run)") or row.cause

    def _check_asset(self, asset: Version) -> None:
        with self.ws.catalog.read() as tx:
            held = asset_in(tx, asset.kind, asset.reference)
        assert (held[0], held[1]) == (asset.id, asset.digest)
        assert self.ws.blobs.has(held[2]), f"the bytes of {asset.reference} are gone"


def asset_in(tx: object, kind: str, reference: str) -> tuple[str, str, str]:
    """The id, the hash and the blob of an asset, as the catalog has them."""
    from mlalm_jupyter.api.pinning import asset_of, pin_of
    from mlalm_jupyter.domain.names import AssetRef

    pin = pin_of(tx, kind, reference)  # type: ignore[arg-type]
    asset = asset_of(tx, AssetRef.parse(kind, reference))  # type: ignore[arg-type]
    return pin.id, pin.digest, str(getattr(asset, "bundle_digest", pin.digest))


class Experimenting(RuleBasedStateMachine):
    """What people do, in any order."""

    def __init__(self, folder: Path, figures: Counter[str]) -> None:
        super().__init__()
        self.folder, self.figures = folder, figures
        shutil.rmtree(folder, ignore_errors=True)
        self.sides = (Side(folder / "a"), Side(folder / "b"))
        self.texts: list[tuple[Path, str, tuple[Cell, ...], Pins, str]] = []
        self.named = 0
        figures["random sequences"] += 1

    def teardown(self) -> None:
        for side in self.sides:
            self.figures["snapshots taken in random sequences"] += side.taken
            assert side.ws.workspaces.doctor().findings == ()
            side.ws.close()

    @invariant()
    def everything_is_as_it_should_be(self) -> None:
        self.figures["steps of random sequences, everything checked after each"] += 1
        for side in self.sides:
            side.check()

    def fresh(self, suffix: str = ".ipynb") -> str:
        self.named += 1
        return f"new{self.named}{suffix}"

    @initialize(cells=st.tuples(NOTEBOOKS, NOTEBOOKS, NOTEBOOKS))
    def furnish(self, cells: tuple[tuple[Cell, ...], ...]) -> None:
        for path, each in zip(NAMED, cells, strict=True):
            self.sides[0].write(path, each)
        for kind in KINDS:
            self.published(self.sides[0], kind, 1)

    # what people do with files

    @rule(side=SIDES, path=FILES, cells=NOTEBOOKS)
    def edit(self, side: int, path: str, cells: tuple[Cell, ...]) -> None:
        self.sides[side].write(path, cells)

    @rule(path=FILES)
    def remove_the_notebook(self, path: str) -> None:
        side = self.sides[0]
        if side.place.files.pop(path, None) is not None:
            del side.place.cells[path]
            (side.ws.path / path).unlink()

    # assets

    @rule(side=SIDES, kind=st.sampled_from(KINDS), content=st.integers(1, 3))
    def publish(self, side: int, kind: str, content: int) -> None:
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

    @rule(side=SIDES, kind=st.sampled_from(KINDS), number=PICKS)
    def delete_an_asset(self, side: int, kind: str, number: int) -> None:
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

    @rule(side=SIDES, number=PICKS)
    def keep_a_draft(self, side: int, number: int) -> None:
        one = self.sides[side]
        if path := one.file(number):
            run = one.ws.experiments.snapshot(path)
            assert one.took(run, path).status == "Draft"

    @rule(number=PICKS, status=LIVE, has_unsaved=st.booleans())
    def keep_what_a_kernel_did(self, number: int, status: RunStatus, has_unsaved: bool) -> None:
        side = self.sides[0]
        path = side.file(number)
        if path is None:
            return
        content = side.place.files[path] + (b"\n" if has_unsaved else b"")
        cause = "ValueError: no" if "Failed" in status else None
        run = side.ws.recorder.keep(content, path=path, live=Live(status, (1,), cause=cause))
        taken = side.took(run, path, content=content, executed=content)
        assert taken.status == status.value

    @rule(side=SIDES, number=PICKS, is_part=st.booleans(), attempts=st.integers(1, 2))
    def queue(self, side: int, number: int, is_part: bool, attempts: int) -> None:
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

    @rule(number=PICKS)
    def begin(self, number: int) -> None:
        side = self.sides[0]
        if path := side.file(number):
            run, lease = side.ws.recorder.begin(
                side.place.files[path], path=path, parameters={}, origin="papermill", owner="me"
            )
            taken = side.took(run, path, attempts=1, holder="me")
            assert taken.status == "Queued"
            side.leases[taken.id] = lease

    @precondition(lambda self: any(side.place.queued for side in self.sides))
    @rule(side=SIDES, owner=st.sampled_from(["worker 1", "worker 2"]), limit=st.integers(1, 3))
    def claim(self, side: int, owner: str, limit: int) -> None:
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

    @precondition(lambda self: self.has_held)
    @rule(number=PICKS, side=SIDES)
    def start(self, number: int, side: int) -> None:
        run = self.held(number, side)
        if run is not None:
            ws = self.sides[side].ws
            ws.recorder.running(ws.runs.show(run.id), self.sides[side].leases[run.id])
            if run.status == "Queued":
                run.move("Running")

    @precondition(lambda self: self.has_held)
    @rule(number=PICKS)
    def give_a_sign_of_life(self, number: int) -> None:
        run = self.held(number)
        if run is not None:
            alive = self.sides[0].ws.recorder.heartbeat(self.sides[0].leases[run.id])
            assert alive is not run.is_to_stop

    @precondition(lambda self: self.has_held)
    @rule(number=PICKS, kind=st.sampled_from(KINDS), side=SIDES)
    def use_an_asset_in_a_run(self, number: int, kind: str, side: int) -> None:
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

    @precondition(lambda self: self.has_held)
    @rule(number=PICKS, content=st.integers(4, 6))
    def make_a_dataset_in_a_run(self, number: int, content: int) -> None:
        run = self.held(number)
        if run is not None and run.status == "Running":
            with inside(run.id):
                self.published(self.sides[0], "dataset", content, run=run.id)

    @precondition(lambda self: self.has_held)
    @rule(number=PICKS, end=ENDS, side=SIDES)
    def end(self, number: int, end: str, side: int) -> None:
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

    @precondition(lambda self: self.has_held)
    @rule(number=PICKS, side=SIDES, is_whole=st.booleans())
    def lose_the_process(self, number: int, side: int, is_whole: bool) -> None:
        """The one process of a job dies, or whoever holds several jobs does."""
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
                each.move("Failed")
            elif each.status == "Running":
                each.move("Queued")

    @precondition(lambda self: any(side.lost for side in self.sides))
    @rule(number=PICKS, side=SIDES)
    def hear_from_one_that_was_given_up(self, number: int, side: int) -> None:
        """A process comes back to life whose job has ended, or is another's: nothing of it counts."""
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

    @precondition(lambda self: any(side.taken for side in self.sides))
    @rule(number=PICKS, side=SIDES)
    def cancel(self, number: int, side: int) -> None:
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

    @rule(number=PICKS, keep=st.booleans(), side=SIDES)
    def save_as(self, number: int, keep: bool, side: int) -> None:
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

    @rule(number=PICKS, kind=st.sampled_from(KINDS), version=st.sampled_from([None, 1, 2, 3]))
    def update_an_asset(self, number: int, kind: str, version: int | None) -> None:
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

    @rule(number=PICKS, side=SIDES)
    def export(self, number: int, side: int) -> None:
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

    @precondition(lambda self: bool(self.texts))
    @rule(number=PICKS, side=SIDES, overwrite=st.booleans())
    def import_(self, number: int, side: int, overwrite: bool) -> None:
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

    @rule(number=PICKS, side=SIDES)
    def copy(self, number: int, side: int) -> None:
        one, other = self.sides[side], self.sides[1 - side]
        found = one.source(number)
        if found is None:
            return
        source, cells, pins, parent = found
        path = self.fresh()
        copied = one.ws.experiments.copy(source, str(other.ws.path), name=path)
        brought = {(pin.kind, pin.reference): other.place.adopted(pin) for pin in pins.values()}
        made = tuple(
            with_version(cell, brought[cell.kind, cell.wanted].version)
            if cell.version and (cell.kind, cell.wanted) in brought
            else cell
            for cell in cells
        )
        other.wrote(path, made)
        other.place.experiments[path] = Experiment(copied.experiment.id, parent.removesuffix(".ipynb"))

    # deleting

    @precondition(lambda self: any(side.place.experiments for side in self.sides))
    @rule(number=PICKS, side=SIDES)
    def delete(self, number: int, side: int) -> None:
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

    @precondition(lambda self: any(side.place.gone for side in self.sides))
    @rule(side=SIDES)
    def collect_what_is_not_needed(self, side: int) -> None:
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
        assert ws.workspaces.doctor().findings == ()


@pytest.mark.timeout(7200)
def test_whatever_people_do_in_whatever_order_the_rules_hold(
    home: Path, tmp_path: Path, counts: Callable[[int, int], int], figures: Counter[str]
) -> None:
    machine = settings(
        max_examples=counts(25, 1000),
        stateful_step_count=counts(30, 60),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        database=None,
    )
    run_state_machine_as_test(lambda: Experimenting(tmp_path / "sequence", figures), settings=machine)
