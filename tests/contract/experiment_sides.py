"""A workspace beside the referee's picture of it, and the comparison of the two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from mlalm_jupyter.api.pinning import asset_of, pin_of
from mlalm_jupyter.domain.errors import Conflict
from mlalm_jupyter.domain.job import Lease
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.ports import Transaction
from mlalm_jupyter.workspace import Workspace
from tests.contract.experiment_model import (
    KINDS,
    Cell,
    Experiment,
    Pins,
    Place,
    Snapshot,
    Version,
    rendered,
    sha256,
    sources,
)  # fmt: skip

T = TypeVar("T")


def pick(items: Sequence[T], number: int) -> T | None:
    return items[number % len(items)] if items else None


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
        path = pick(sorted(self.place.files), number)
        if path is not None:
            self.settle(path)
        return path

    def settle(self, path: str) -> None:
        """A file that looks like a moved one begins an experiment only when somebody says so."""
        if self.place.looks_moved(path):
            with pytest.raises(Conflict, match="--anew"):
                self.ws.experiments.snapshot(path)
            self.took(self.ws.experiments.snapshot(path, anew=True), path)

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
        found = pick([*locked, *drafts], number)
        if found is not None and not found[0].startswith("run:"):
            self.settle(found[3])
        return found

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

    def check_bytes(self) -> None:
        """No byte of a snapshot has changed, and every pinned reference leads to what it led to."""
        for snapshot in self.place.snapshots:
            assert self.ws.blobs.get(sha256(snapshot.content)) == snapshot.content
            if snapshot.executed:
                assert self.ws.blobs.get(sha256(snapshot.executed)) == snapshot.executed
            for pin in snapshot.pins.values():
                assert pin in self.place.assets[pin.kind], "the referee would have deleted a pinned asset"
        for kind in KINDS:
            for asset in self.place.assets[kind]:
                self._check_asset(asset)

    def check_health(self) -> None:
        """Nothing is damaged. Holders that are played here are alive, however long real runs took meanwhile."""
        now_s = self.ws.clock.time_s()
        with self.ws.catalog.write() as tx:
            for lease in self.leases.values():
                tx.jobs.heartbeat(lease, now_s=now_s, lease_s=600)
        assert self.ws.workspaces.doctor().findings == ()

    def _check_locked(self, row: Run, wanted: Snapshot) -> None:
        assert (row.id, row.status.value, row.path) == (wanted.id, wanted.status, wanted.path), (row, wanted)
        assert row.snapshot.digest == sha256(wanted.content)
        assert row.executed_digest == (sha256(wanted.executed) if wanted.executed else None)
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


def asset_in(tx: Transaction, kind: str, reference: str) -> tuple[str, str, str]:
    """The id, the hash and the blob of an asset, as the catalog has them."""
    pin = pin_of(tx, kind, reference)
    asset = asset_of(tx, AssetRef.parse(kind, reference))
    return pin.id, pin.digest, str(getattr(asset, "bundle_digest", pin.digest))
