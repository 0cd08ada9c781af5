"""Tables come back from a file as they were, or it is said why they cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlalm_jupyter.adapters import exact_frames


@pytest.mark.parametrize(
    "values",
    [
        [True, False, np.nan],
        [True, None],
        [1, 2, None],
        ["a", None, np.nan],
        [1, "a", 2.5, np.nan],
        ["1", "NaN", "null"],
    ],
    ids=str,
)
def test_a_column_of_any_plain_objects_comes_back_cell_by_cell(values: list[Any], tmp_path: Path) -> None:
    labels = [f"row {number}" for number in range(len(values))]
    frame = pd.DataFrame({"x": pd.Series(values, index=labels, dtype=object)})
    types = exact_frames.written(frame, tmp_path / "table.parquet")
    again = exact_frames.read(tmp_path / "table.parquet", types)
    pd.testing.assert_frame_equal(again, frame)
    assert [type(one) for one in again["x"]] == [type(one) for one in values]


def test_a_table_that_cannot_come_back_says_why(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two of its columns are named 'a'"):
        exact_frames.written(pd.DataFrame([[1, 2]], columns=["a", "a"]), tmp_path / "table.parquet")
    with pytest.raises(ValueError, match=r"Conversion failed|did not recognize"):
        exact_frames.written(pd.DataFrame({"a": [object()]}), tmp_path / "table.parquet")
