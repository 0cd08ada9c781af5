"""Other values for columns, so that it shows which of them the answers depend on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlalm_jupyter.adapters.usage import looked_at, mixed


@pytest.mark.parametrize(
    ("usual", "rare"), [(0, 1), (0.0, 2.5), ("no", "yes"), (np.nan, 3.0), (None, "yes"), (False, True)]
)
def test_a_column_that_is_seldom_other_than_usual_is_other_in_the_rows_that_are_looked_at(
    usual: object, rare: object
) -> None:
    looked = looked_at(1800)
    places = [place for place in range(1800) if place not in looked][:1]
    values = pd.Series([usual] * 1800, dtype=pd.Series([usual, rare]).dtype)
    values.iloc[places] = rare
    frame = pd.DataFrame({"flag": values})
    assert not frame["flag"].iloc[looked].equals(mixed(frame)["flag"].iloc[looked])


def test_a_column_that_never_changes_has_other_numbers_and_the_same_texts() -> None:
    frame = pd.DataFrame({"one": [1] * 5, "text": ["a"] * 5})
    assert list(mixed(frame)["one"]) == [2] * 5
    assert list(mixed(frame)["text"]) == ["a"] * 5
