"""What is known of a value from the text alone: whether it holds a service's rows, or what training made of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CONST, FITTED, SOURCE, GROUPED, ROWS = "const", "fitted", "source", "grouped", "rows"
"""Same for every caller; made from training rows; a container of tables; rows in groups; one item for each row."""

CHOSEN = "chosen"
"""The maker of what a row chose among fitted things, as in `models[row["region"]]`."""
_WEIGHT = {CONST: 0, FITTED: 1, SOURCE: 2, GROUPED: 3, ROWS: 4}


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the notebook."""

    kind: str = CONST
    is_raw: bool = False
    """Its expression still trains, or looks over rows; a name for what it gave has to stand in its place."""
    maker: str = ""
    """The full name of the call it comes out of."""
    parts: tuple[str, ...] = ()
    """Names of the objects it was made of, such as the steps of a pipeline."""
    elements: tuple[Value, ...] = ()
    """Of a tuple that is taken apart."""
    is_scored: bool = False
    """It comes out of a model."""
    is_unfitted: bool = False
    """An estimator before its training."""
    model: str = ""
    """The variable of the model that it is, or that it comes out of."""
    text: str = ""
    """What stands for it inside a loop."""
    trained_on: str = ""
    """The rows that a model was trained on, as typed."""
    items: tuple[str, ...] = ()
    """The strings of a list that is written out."""
    is_frame: bool = False


NOTHING = Value()


def joined(values: Iterable[Value]) -> Value:
    """What comes out of putting values together row by row."""
    kept = list(values)
    kind = max((one.kind for one in kept), key=_WEIGHT.__getitem__, default=CONST)
    return Value(
        kind,
        is_raw=kind == FITTED and any(one.is_raw for one in kept),
        is_scored=any(one.is_scored for one in kept),
        model=next((one.model for one in kept if one.is_scored), ""),
    )
