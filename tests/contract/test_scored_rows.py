"""Rows in whatever they come: the endpoint's schema says what each cell is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.workspace import Workspace

pytestmark = pytest.mark.timeout(120)

SAMPLE = pd.DataFrame({"code": ["00123", "00456"], "n": [1, 2], "x": [0.5, 1.5]})


def echo(rows: pd.DataFrame) -> pd.DataFrame:
    return rows


@pytest.fixture
def served(hosted: Workspace) -> Workspace:
    hosted.services.deploy(echo, "echo", sample=SAMPLE)
    return hosted


def test_text_of_a_file_stays_text_where_the_schema_says_so(served: Workspace, tmp_path: Path) -> None:
    for name, text in (
        ("rows.csv", "code,n,x\n00123,7,NA\nNA,8,1e3\n,9,\n"),
        ("rows.tsv", "code\tn\tx\n00123\t7\tNA\nNA\t8\t1e3\n\t9\t\n"),
    ):
        (tmp_path / name).write_text(text)
        served.datasets.upload(str(tmp_path / name), "kept")
        for given in (str(tmp_path / name), "kept"):
            scored = served.services.score("echo", given)
            assert scored.rows == (("00123", 7, None), ("NA", 8, 1000.0), (None, 9, None))


def test_a_cell_that_the_schema_does_not_take_is_named(served: Workspace, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("code,n,x\na,1.5,2\n")
    with pytest.raises(InvalidInput, match="Column 'n' of row 0"):
        served.services.score("echo", str(tmp_path / "rows.csv"))


@pytest.mark.parametrize(
    "given",
    [
        {"code": ["a", "b"], "n": [2**53 + 1, 2], "x": [0.5, None]},
        {"code": ("a", "b"), "n": np.array([2**53 + 1, 2]), "x": pd.Series([0.5, None])},
        [{"code": "a", "n": 2**53 + 1, "x": 0.5}, {"code": "b", "n": 2, "x": None}],
    ],
)
def test_lists_and_objects_are_taken_as_they_are(served: Workspace, given: Any) -> None:
    assert served.services.score("echo", given).rows == (("a", 2**53 + 1, 0.5), ("b", 2, None))


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"code": ["a", "b"], "n": [1], "x": [1, 2]}, "as many cells in each column"),
        ({"code": ["a"], "n": 1, "x": [2]}, "Column 'n' of the rows"),
        ([{"code": "a", "n": 1, "x": 2}, {"code": "b", "n": 1}], "Row 1 of the rows"),
        ([["a", 1, 2]], "Row 0 of the rows"),
        (5, "The rows"),
    ],
)
def test_ragged_rows_are_refused_with_their_place(served: Workspace, given: Any, what: str) -> None:
    with pytest.raises(InvalidInput, match=what):
        served.services.score("echo", given)


def test_a_json_file_that_is_not_utf_8_is_refused_with_its_line(served: Workspace, tmp_path: Path) -> None:
    rows = '[{"code": "Zürich",\n "n": 1, "x": 2}]'
    (tmp_path / "rows.json").write_bytes(rows.encode("latin-1"))
    with pytest.raises(InvalidInput, match=r"Line 1 of .*0xfc"):
        served.services.score("echo", str(tmp_path / "rows.json"))
    (tmp_path / "rows.json").write_bytes(rows.encode("utf-8-sig"))
    assert served.services.score("echo", str(tmp_path / "rows.json")).rows == (("Zürich", 1, 2.0),)


def test_a_ragged_sample_is_refused(hosted: Workspace) -> None:
    with pytest.raises(InvalidInput, match="The sample"):
        hosted.services.deploy(echo, "echo", sample={"a": [1, 2], "b": [1]})
    with pytest.raises(InvalidInput, match="The sample"):
        hosted.models.register(LinearRegression().fit([[1]], [1]), "line", sample={"a": [1, 2], "b": [1]})


def test_ports_may_have_any_names(served: Workspace) -> None:
    text = json.dumps(served.definitions.show("echo").to_dict())
    renamed = text.replace('"input1"', '"passengers"').replace('"output1"', '"answers"')
    definition = ServiceDefinition.from_dict(json.loads(renamed))
    served.trust.add(definition.digest)
    served.services.deploy(definition, "renamed")
    given = SAMPLE.head(1)
    assert served.services.score("renamed", given).rows == served.services.score("echo", given).rows
    assert '["Results"]["answers"]["value"]' in served.services.consume("renamed", lang="python").text


def test_whole_numbers_come_back_with_every_digit_though_one_is_missing(hosted: Workspace) -> None:
    sample = pd.DataFrame({"id": pd.array([2**53 + 1, None], dtype="Int64")})
    hosted.services.deploy(echo, "ids", sample=sample)
    scored = hosted.services.score("ids", sample)
    assert scored.rows == ((2**53 + 1,), (None,))
    hosted.models.register(
        LinearRegression().fit([[1], [2]], [1, 2]), "line", sample=pd.DataFrame({"a": [1, 2]})
    )
    hosted.services.deploy("line:1", "line")
    assert hosted.services.score("line", {"a": [1, 2**62 + 1]}).rows[1][0] == 2**62 + 1
