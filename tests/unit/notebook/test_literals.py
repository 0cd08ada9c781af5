"""Plain constants as text that gives them again."""

from __future__ import annotations

import collections
import enum
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlalm_jupyter.notebook.literals import literal_text

pytestmark = pytest.mark.prove_experiments

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
KEYS = st.integers() | st.text() | st.booleans()
NESTED = st.recursive(
    PLAIN | st.frozensets(KEYS) | st.sets(KEYS),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner),
    max_leaves=12,
)


@given(NESTED)
def test_any_plain_constant_comes_back_as_it_was(value: Any) -> None:
    text = literal_text(value)
    assert text is not None
    again = eval(text)
    assert (type(again), again) == (type(value), value)


class Colour(enum.IntEnum):
    """Equal to a number, and more than one."""

    RED = 1


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    "value",
    [
        Colour.RED,
        collections.Counter("a"),
        collections.OrderedDict(a=1),
        [object()],
        {"a": pd.DataFrame()},
        np.array([1]),
        np.float32(0.1),
        LOOP,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_more_than_a_constant_is_not_written(value: Any) -> None:
    assert literal_text(value) is None


def test_numbers_of_numpy_become_plain_ones() -> None:
    assert [literal_text(value) for value in (np.float64(0.1), np.int64(3), np.bool_(True))] == [
        "0.1",
        "3",
        "True",
    ]
    assert literal_text(float("nan")) == "float('nan')"
