"""Scored rows as a frame: types as they were said, and who answered."""

from __future__ import annotations

import pandas as pd

from mlalm_jupyter.domain.server import Scored
from mlalm_jupyter.surfaces.magics.frames import scored_frame

SCORED = Scored(
    ("hour", "when", "Scored Labels", "Scored Labels"),
    ("Int64", "DateTime", "Double", "String"),
    ((1, "2026-01-01T10:00:00", 3, "a"), (2, None, None, None)),
    "bikes/default",
    "9f" * 32,
    "bikes:2",
    "41" * 32,
    "original",
    "6a134408",
)


def test_columns_have_the_types_that_the_endpoint_says() -> None:
    frame = scored_frame(SCORED)
    kinds = [dtype.kind for dtype in frame.dtypes]
    assert kinds[:3] == ["i", "M", "f"]
    assert frame.iloc[0].tolist()[:3] == [1, pd.Timestamp("2026-01-01T10:00:00"), 3.0]
    assert frame.iloc[1, 1:].isna().all()


def test_a_name_may_come_twice() -> None:
    assert list(scored_frame(SCORED).columns) == list(SCORED.names)


def test_a_frame_says_who_answered() -> None:
    assert scored_frame(SCORED).attrs == {
        "mlalm.endpoint": "bikes/default",
        "mlalm.definition": "9f" * 32,
        "mlalm.model": "bikes:2",
        "mlalm.model_hash": "41" * 32,
        "mlalm.form": "original",
        "mlalm.request": "6a134408",
    }


def test_no_rows_are_a_frame_as_well() -> None:
    empty = Scored(("a",), ("Double",), (), "b/default", "9f" * 32, None, None, "code", "1")
    assert scored_frame(empty).shape == (0, 1)
