"""What setting up a service came to: the notebook that was written, and what was shown of it."""

from __future__ import annotations

from dataclasses import dataclass

from mlalm_jupyter.domain.experiment import Experiment


@dataclass(frozen=True, slots=True)
class FittedAsset:
    """Something fitted as the notebook has it: a version of an asset, or a value that stands in its text."""

    name: str
    """What the notebook calls it."""
    kind: str
    reference: str
    """The version, or the value as text."""

    def to_dict(self) -> dict[str, object]:
        return {"name": self.name, "kind": self.kind, "reference": self.reference}


@dataclass(frozen=True, slots=True)
class SourceCell:
    """A cell of the training notebook, and what became of it."""

    number: int
    title: str
    role: str | None = None
    by_hand: tuple[str, ...] = ()
    """The tags by which a person said what it is for."""
    stays: str = "none"
    """How much of it the predictive notebook has: all, part or none."""
    fitted: tuple[str, ...] = ()
    """What it fitted that the predictive notebook loads, as the notebook calls it."""

    def to_dict(self) -> dict[str, object]:
        return {
            "number": self.number,
            "title": self.title,
            "role": self.role,
            "by_hand": list(self.by_hand),
            "stays": self.stays,
            "fitted": list(self.fitted),
        }


@dataclass(frozen=True, slots=True)
class Proven:
    """How much was compared before the notebook was written."""

    rows: int = 0
    """Rows of the training notebook that it answers alike."""
    perturbed_rows: int = 0
    """Rows that never were in the notebook, answered alike by both."""
    single_rows: int = 0
    """Rows that it answers alone as among others."""

    def to_dict(self) -> dict[str, object]:
        return {"rows": self.rows, "perturbed_rows": self.perturbed_rows, "single_rows": self.single_rows}


@dataclass(frozen=True, slots=True)
class SetUp:
    """A notebook that is ready to be run and deployed."""

    experiment: Experiment
    source: str
    """The notebook it was made of; itself where marks were all that it needed."""
    run_id: str | None = None
    is_new: bool = True
    inputs: tuple[str, ...] = ()
    """The columns that come in."""
    outputs: tuple[str, ...] = ()
    assets: tuple[FittedAsset, ...] = ()
    kept: tuple[int, ...] = ()
    """The cells of the source that something is left of."""
    left_out: tuple[int, ...] = ()
    cells: tuple[SourceCell, ...] = ()
    """All cells of the source; none where it stays one notebook."""
    not_needed: tuple[str, ...] = ()
    """Columns that change no answer."""
    proven: Proven | None = None
    by_hand: tuple[str, ...] = ()
    """Cells that a person wrote or changed, by their first lines; they are as they were."""
    held_back: tuple[str, ...] = ()
    """Of those the ones where something else would stand now."""
    warnings: tuple[str, ...] = ()
    note: str = ""

    def to_dict(self) -> dict[str, object]:
        return {
            "experiment": self.experiment.to_dict(),
            "source": self.source,
            "run_id": self.run_id,
            "is_new": self.is_new,
            "inputs": list(self.inputs),
            "outputs": list(self.outputs),
            "assets": [one.to_dict() for one in self.assets],
            "kept": list(self.kept),
            "left_out": list(self.left_out),
            "cells": [one.to_dict() for one in self.cells],
            "not_needed": list(self.not_needed),
            "proven": self.proven.to_dict() if self.proven else None,
            "by_hand": list(self.by_hand),
            "held_back": list(self.held_back),
            "warnings": list(self.warnings),
            "note": self.note,
        }
