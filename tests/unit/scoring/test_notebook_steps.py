"""A definition of a notebook's cells: what was fitted comes by name, tables come by port."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from mlalm_jupyter.domain.definition import HeldAsset, ModelAsset, ServiceDefinition, notebook_definition
from mlalm_jupyter.domain.errors import InvalidInput, ScoringFailed
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema
from mlalm_jupyter.scoring.steps import ready_steps

pytestmark = pytest.mark.prove_conversion

SOURCE = """
def run(table, *, center, factor):
    return table.assign(score=(table["a"] - center) * factor)[["score"]]
"""
MODEL = ModelAsset("model_factor", "factor", 3, "ab" * 32)
CENTER = HeldAsset("transform_center", "transform", "center", 2, "cd" * 32)
NUMBER = Schema((Column("a", ColumnType.DOUBLE),))


def made(source: str = SOURCE) -> ServiceDefinition:
    return notebook_definition(
        title="wine",
        source=source,
        assets={"factor": MODEL, "center": CENTER},
        inputs={"input1": NUMBER},
        outputs={"output1": Schema((Column("score", ColumnType.DOUBLE),))},
        example={"input1": [[1.0]]},
    )


def changed(change: Any) -> dict[str, Any]:
    document = made().to_dict()
    change(document["properties"])
    return document


def test_its_cells_are_text_and_its_assets_are_named_with_their_hashes() -> None:
    definition = made()
    assert definition.models == (MODEL,)
    assert definition.transforms == (CENTER,)
    assert [one.source for one in definition.code] == [SOURCE]
    (step,) = definition.steps
    assert step.assets == {"factor": MODEL, "center": CENTER}


def test_it_scores_with_what_was_fitted() -> None:
    (step,) = ready_steps(made(), {"model_factor": 10.0, "transform_center": 2.0})
    scored = step.ran([pd.DataFrame({"a": [2.0, 3.0]})], {})
    assert scored["score"].tolist() == [0.0, 10.0]


def test_another_model_can_be_put_in_by_its_name() -> None:
    moved = made().with_model(ModelAsset("x", "other", 1, "ef" * 32), asset="factor")
    assert [one.reference for one in moved.models] == ["other:1"]
    assert moved.transforms == (CENTER,)


def test_what_is_read_and_written_again_is_the_same_to_the_byte() -> None:
    definition = made()
    assert ServiceDefinition.from_text(definition.text).text == definition.text


@pytest.mark.parametrize(
    ("port", "said"), [("Asset 2x", "a port of Execute Notebook"), ("Trained model", "Asset NAME")]
)
def test_a_port_that_no_code_can_read_is_refused(port: str, said: str) -> None:
    def change(properties: Any) -> None:
        (edge,) = [one for one in properties["package"]["edges"] if one.get("targetPortId") == "Asset center"]
        edge["targetPortId"] = port

    with pytest.raises(InvalidInput, match=said):
        ServiceDefinition.from_dict(changed(change))


def test_two_assets_of_one_name_are_refused() -> None:
    def change(properties: Any) -> None:
        (edge,) = [one for one in properties["package"]["edges"] if one.get("targetPortId") == "Asset center"]
        edge["targetPortId"] = "Asset factor"

    with pytest.raises(InvalidInput, match="exactly one edge into port 'Asset factor'"):
        ServiceDefinition.from_dict(changed(change))


def test_a_table_on_a_port_for_an_asset_is_refused() -> None:
    def change(properties: Any) -> None:
        (edge,) = [one for one in properties["package"]["edges"] if one.get("targetPortId") == "Asset center"]
        edge["sourceNodeId"] = "input1"

    with pytest.raises(InvalidInput, match="a trained model or a transform on the port 'Asset center'"):
        ServiceDefinition.from_dict(changed(change))


def test_code_without_what_is_called_is_told_before_it_serves() -> None:
    with pytest.raises(ScoringFailed, match="defines no function 'run'"):
        ready_steps(made("def runs(table): return table\n"), {"model_factor": 1.0, "transform_center": 1.0})


def test_code_that_takes_something_else_says_so() -> None:
    opened = {"model_factor": 1.0, "transform_center": 1.0}
    (step,) = ready_steps(made("def run(table, *, factor): return table\n"), opened)
    with pytest.raises(ScoringFailed, match="unexpected keyword argument 'center'"):
        step.ran([pd.DataFrame({"a": [2.0]})], {})


def test_the_document_holds_no_host_and_no_path() -> None:
    assert "http" not in json.dumps(made().to_dict())
