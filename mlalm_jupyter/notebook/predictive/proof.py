"""What running a plan has shown: what it keeps of the training run, and whether its answers are those of the notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mlalm_jupyter.domain.signature import Schema
from mlalm_jupyter.notebook.predictive.code import TABLE, Shape

if TYPE_CHECKING:
    import pandas as pd

LITERAL, PACKAGE, HELD = "literal", "package", "held"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a plan is not proven, in a sentence, with the cells and columns it is about."""

    sentence: str
    cells: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class KeptFrame:
    """A table in a parquet file, with the types that such a file would not give back."""

    file: Path
    types: Mapping[str, str] = field(default_factory=dict)
    """By the place of the column."""
    kind: str = TABLE
    """What the notebook had: a table, an array, or one column."""
    has_index: bool = True
    """Whether its rows have labels of their own."""


@dataclass(frozen=True, slots=True)
class KeptThing:
    """A fitted thing: as text, as a package of its own, or held in a package that says nothing of it."""

    name: str
    kind: str
    form: str
    """"literal" is Python text, "package" an .ilearner of the thing, "held" one of a `Held` with it as its `value`."""
    text: str = ""
    file: Path | None = None
    told: str = ""
    """Its type."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that a split gave to one of its targets, by their positions among `count` rows."""

    positions: tuple[int, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Trace:
    """What the original notebook did when it ran once more; the files are the caller's to take away."""

    notebook: bytes
    table: KeptFrame | None
    answers: KeptFrame | None
    things: tuple[KeptThing, ...]
    rows: tuple[Rows, ...] = ()
    labels: tuple[str, ...] = ()
    """Columns of the table that a model was fitted to predict."""
    faults: tuple[Reason, ...] = ()
    """What could not be kept, and why."""
    has_seen_labels: bool = True
    """Whether what a model was fitted to predict came into sight, be it a column or not."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How much was compared."""

    rows: int = 0
    """Answers of the notebook that the slice gives as well."""
    perturbed_rows: int = 0
    """The same for rows that were never in the notebook."""
    single_rows: int = 0


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether the slice of a plan answers as the notebook does; code and schemas are there only if so."""

    is_proven: bool
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[str, ...] = ()
    code: str = ""
    """The module with `run(TABLE, *, FITTED...)` as it was proven."""
    shape: Shape = field(default_factory=Shape)
    inputs: Schema = field(default_factory=Schema)
    outputs: Schema = field(default_factory=Schema)
    sample: pd.DataFrame | None = None
    """Some rows of the real table, with the needed columns only."""
    sample_answers: pd.DataFrame | None = None
    not_needed: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    figures: Figures = field(default_factory=Figures)
