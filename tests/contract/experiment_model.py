"""What experiments promise, written down a second time without a line of the product: the random tests' referee."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

NAMES = {"dataset": "rides", "transform": "scale", "model": "line"}
KINDS = tuple(NAMES)
FORMS = ("x = %{kind} {wanted}", "x = ws.{kind}s.load('{wanted}')", "y = 1\nx = %{kind} {wanted}\nprint(x)")
LEGAL = {
    "Draft": {"Queued"},
    "Queued": {"Running", "Canceled", "Failed"},
    "Running": {
        *("Queued", "Finished", "Finished (Partial run)"),
        *("Failed", "Failed (Partial run)", "Canceled"),
    },
}
"""Where a status may go; the ends go nowhere."""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Cell:
    """A code cell: text, or a reference to an asset in one of the forms that people use."""

    text: str = "z = 0"
    kind: str = ""
    version: int | None = None
    form: int = 0

    @property
    def wanted(self) -> str:
        return NAMES[self.kind] + (f":{self.version}" if self.version else "")

    @property
    def source(self) -> str:
        return FORMS[self.form].format(kind=self.kind, wanted=self.wanted) if self.kind else self.text


def rendered(cells: tuple[Cell, ...]) -> bytes:
    """A notebook of these cells; the first code cell has the tag `here`."""
    told: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"c{number}",
            "metadata": {} if number else {"tags": ["here"]},
            "outputs": [],
            "source": cell.source.splitlines(keepends=True),
        }
        for number, cell in enumerate(cells)
    ]
    about = {"cell_type": "markdown", "id": "about", "metadata": {}, "source": "A note on rides:1"}
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {"cells": [about, *told], "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1).encode()


def sources(notebook: bytes) -> list[str]:
    """What the code cells of a notebook say."""
    cells = json.loads(notebook)["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


@dataclass(frozen=True)
class Version:
    """One version of an asset."""

    kind: str
    version: int
    id: str
    digest: str
    run: str | None = None

    @property
    def reference(self) -> str:
        return f"{NAMES[self.kind]}:{self.version}"


Pins = dict[tuple[str, str], Version]


@dataclass
class Snapshot:
    """A locked line of a history."""

    id: str
    path: str
    cells: tuple[Cell, ...]
    content: bytes
    pins: Pins
    status: str
    known: dict[str, list[Version]]
    """The versions there were when it was taken."""
    number: int = 0
    """Rises with every snapshot that is taken."""
    job: str | None = None
    is_part: bool = False
    attempts: int = 0
    most_attempts: int = 1
    holder: str | None = None
    is_to_stop: bool = False
    executed: bytes | None = None
    inputs: set[str] = field(default_factory=set)

    @property
    def is_final(self) -> bool:
        return self.status not in LEGAL

    @property
    def is_at_work(self) -> bool:
        return self.job is not None and not self.is_final

    def move(self, status: str) -> None:
        assert status in LEGAL.get(self.status, ()), f"the referee itself cheats: {self.status} -> {status}"
        self.status = status


@dataclass
class Experiment:
    id: str
    parent: str | None = None
    snapshots: list[Snapshot] = field(default_factory=list)
    """Oldest first."""


@dataclass
class Place:
    """A workspace as it should be."""

    files: dict[str, bytes] = field(default_factory=dict)
    cells: dict[str, tuple[Cell, ...]] = field(default_factory=dict)
    experiments: dict[str, Experiment] = field(default_factory=dict)
    assets: dict[str, list[Version]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    given: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    """The last version number that was given, also when what had it is gone."""
    passed: set[tuple[str, int]] = field(default_factory=set)
    """Numbers below the last that nothing ever had, because something was brought here under a higher one."""
    gone: list[Snapshot] = field(default_factory=list)

    @property
    def snapshots(self) -> list[Snapshot]:
        return [one for experiment in self.experiments.values() for one in experiment.snapshots]

    @property
    def queued(self) -> list[Snapshot]:
        """The longest waiting first."""
        waiting = (one for one in self.snapshots if one.status == "Queued" and one.holder is None)
        return sorted(waiting, key=lambda one: one.number)

    def looks_moved(self, path: str, content: bytes | None = None) -> bool:
        """Whether a file without a history is what another one was, which is no longer there."""
        return path not in self.experiments and any(
            one.snapshots
            and gone not in self.files
            and one.snapshots[-1].content == (content or self.files[path])
            for gone, one in self.experiments.items()
        )

    def newest(self, kind: str) -> Version | None:
        return max(self.assets[kind], key=lambda one: one.version, default=None)

    def meant(self, cell: Cell) -> Version | None:
        """What a reference stands for now."""
        if cell.version is None:
            return self.newest(cell.kind)
        return next((one for one in self.assets[cell.kind] if one.version == cell.version), None)

    def pins(self, cells: tuple[Cell, ...]) -> Pins:
        found = {(cell.kind, cell.wanted): self.meant(cell) for cell in cells if cell.kind}
        return {wanted: version for wanted, version in found.items() if version}

    def meant_in(self, run: Snapshot, kind: str) -> Version | None:
        """What a name alone stands for in a run: what it made, what was pinned, what there was before it."""
        own = [one for one in self.assets[kind] if one.run == run.id]
        pinned = run.pins.get((kind, NAMES[kind]))
        before = [one for one in self.assets[kind] if one in run.known[kind]]
        candidates = own or ([pinned] if pinned else []) or before
        return max(candidates, key=lambda one: one.version, default=None)

    def saved_as(self, cells: tuple[Cell, ...], pins: Pins, *, keep: bool) -> tuple[Cell, ...]:
        """The cells of a copy: explicit versions move to the newest, or all of them stay and say which."""
        made = []
        for cell in cells:
            pin = pins.get((cell.kind, cell.wanted)) if cell.kind else None
            if pin and keep:
                cell = with_version(cell, pin.version)
            elif pin and cell.version is not None:
                newest = self.newest(cell.kind)
                assert newest is not None, "what is pinned is not deleted"
                cell = with_version(cell, newest.version)
            made.append(cell)
        return tuple(made)

    def users(self, asset: Version) -> list[Snapshot]:
        """The snapshots that would no longer resolve without it."""
        told = f"{asset.kind} {asset.reference}"
        return [
            one
            for one in self.snapshots
            if told in one.inputs or any(pin.id == asset.id for pin in one.pins.values())
        ]

    def adopted(self, asset: Version) -> Version:
        """An asset that is brought here: the one that is here already, or its number while that is free."""
        held = next((one for one in self.assets[asset.kind] if one.id == asset.id), None)
        if held is not None:
            return held
        last = self.given[asset.kind]
        version = asset.version
        if (asset.kind, version) in self.passed:
            self.passed.remove((asset.kind, version))
        else:
            version = version if version > last else last + 1
            self.passed |= {(asset.kind, number) for number in range(last + 1, version)}
            self.given[asset.kind] = version
        brought = Version(asset.kind, version, asset.id, asset.digest)
        self.assets[asset.kind].append(brought)
        return brought


def with_version(cell: Cell, version: int) -> Cell:
    return Cell(cell.text, cell.kind, version, cell.form)
