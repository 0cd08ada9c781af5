"""Results on their way out."""

from __future__ import annotations

import json

import numpy as np

from mlalm_jupyter.scoring.answers import Output, encode

OUTPUT = Output(
    ("age", "Scored Labels"),
    ("Int32", "Double"),
    (np.array([20, 30], dtype=np.int32), np.array([0.25, np.nan])),
)
ROWS = [["20", "0.25"], ["30", None]]


def told(**options: bool) -> object:
    return json.loads(encode({"output1": OUTPUT}, **options))["Results"]["output1"]


def test_a_table_has_values_alone_unless_details_are_asked_for() -> None:
    assert told() == {"type": "table", "value": {"Values": ROWS}}
    assert told(details=True) == {
        "type": "table",
        "value": {
            "ColumnNames": ["age", "Scored Labels"],
            "ColumnTypes": ["Int32", "Double"],
            "Values": ROWS,
        },
    }


def test_objects_have_no_wrapper_and_details_change_nothing() -> None:
    objects = [{"age": "20", "Scored Labels": "0.25"}, {"age": "30", "Scored Labels": None}]
    assert told(as_objects=True) == told(as_objects=True, details=True) == objects


def test_no_rows_are_an_empty_list() -> None:
    empty = Output(("a",), ("String",), (np.array([], dtype=object),))
    assert json.loads(encode({"o": empty}))["Results"]["o"]["value"]["Values"] == []
    assert json.loads(encode({"o": empty}, as_objects=True))["Results"]["o"] == []
