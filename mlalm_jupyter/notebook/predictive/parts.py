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
    """In `Plan.program` every assignment of something fitted is gone or names it (`model = model_2`), what bears on no
    output is empty, rows are selected as typed, and tables are brought in as typed (the port's rows come after that).
    In `Plan.kept` every selection of rows is the identity."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Something that the training data made, and that the kept statements read by its name.

    `expression` gives it when it is evaluated right after its statement, or right before it. What it gives has to be
    copied there and then: a model that is trained again later is the same object with other insides.
    """

    name: str
    kind: str
    """"model" has `predict`, "transform" has `transform`, "value" is anything else, such as a mean."""
    place: Place
    expression: str
    is_before: bool = False


@dataclass(frozen=True, slots=True)
class Port:
    """Where rows come in or go out: a variable, right after a statement.

    Rows that a caller sends are counted from 0: a table's index is that, whatever it was in training.
    """

    name: str
    variable: str
    place: Place
    expression: str = ""
    """What gives the value right after the statement as typed, where the notebook has no variable for it: the frozen
    statement of an output port then sets `variable`, which the notebook as typed does not."""


@dataclass(frozen=True, slots=True)
class Split:
    """A selection of rows, by a split or a filter; the slice has its targets stand for its sources.

    Rows in the input port and rows in an output are not one to one where a selection lies between: `pairs`, followed
    from the one to the other, tell whose index (or rows) to look at.
    """

    place: Place
    call: str
    """What selects, as typed, such as `train_test_split(X, y, test_size=0.2)` or `df.dropna()`."""
    pairs: tuple[tuple[str, str], ...] = ()
    """Variables with rows taken by this statement, each with the variable whose rows they are."""


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
