"""What a training notebook is cut into: the statements that score, what was fitted before, and where rows come and go."""

from __future__ import annotations

from dataclasses import dataclass

MODEL, TRANSFORM, VALUE = "model", "transform", "value"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A statement at the top of a cell: the cell counted as a person does, from 1, the statement from 0."""

    cell: int
    index: int

    def __str__(self) -> str:
        return f"cell {self.cell}"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was typed, and as it stands where nothing is fitted any more; empty where nothing stays of it."""

    place: Place
    typed: str
    frozen: str


@dataclass(frozen=True, slots=True)
class Fitted:
    """Something that the training data made, and that the kept statements read by its name.

    `expression` gives it when it is evaluated right after its statement, or right before it.
    """

    name: str
    kind: str
    """"model" has `predict`, "transform" has `transform`, "value" is anything else, such as a mean."""
    place: Place
    expression: str
    is_before: bool = False


@dataclass(frozen=True, slots=True)
class Port:
    """Where rows come in or go out: a variable, right after a statement."""

    name: str
    variable: str
    place: Place


@dataclass(frozen=True, slots=True)
class Split:
    """A split of rows; the slice has its targets stand for its sources."""

    place: Place
    call: str
    """The call as typed, such as `train_test_split(X, y, test_size=0.2)`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a training notebook becomes a predictive one; whether it is right only running it can show."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    program: tuple[Statement, ...]
    """All statements that ran, in their order."""
    kept: tuple[Statement, ...]
    """Those that score, in their order; their frozen form has each split as the identity, and no statement of a port."""
    fitted: tuple[Fitted, ...]
    splits: tuple[Split, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should know of it."""
