from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlalm_jupyter.domain.definition import (
    ModelAsset,
    ServiceDefinition,
    canonical_text,
    code_definition,
    scoring_definition,
)
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema

ROWS = Schema(
    (Column("wind", ColumnType.DOUBLE), Column("day", ColumnType.STRING), Column("age", ColumnType.INT64))
)
SCORED = Schema((*ROWS.columns, Column("Scored Labels", ColumnType.DOUBLE)))
FIRST = ModelAsset("asset1", "wine", 1, "a" * 64)
SECOND = ModelAsset("asset1", "wine", 2, "b" * 64)


def scoring(**changes: Any) -> ServiceDefinition:
    given: dict[str, Any] = {
        "title": "wine",
        "model": FIRST,
        "inputs": ROWS,
        "outputs": SCORED,
        "example": [[1.5, "Mon", 3]],
    }
    return scoring_definition(**{**given, **changes})


def code(source: str = "def f(t):\n    return t\n") -> ServiceDefinition:
    return code_definition(title="f", source=source, entry="f", inputs=ROWS, outputs=ROWS)


def broken(change: Any) -> str:
    document = copy.deepcopy(scoring().to_dict())
    change(document["properties"])
    with pytest.raises(InvalidInput) as caught:
        ServiceDefinition.from_dict(document)
    return str(caught.value)


def test_a_definition_read_back_from_its_text_is_the_same_one() -> None:
    definition = scoring()
    assert ServiceDefinition.from_text(definition.text).digest == definition.digest


def test_the_order_of_keys_in_a_file_does_not_change_the_hash() -> None:
    document = scoring().to_dict()
    turned = dict(reversed(document["properties"].items()))
    assert ServiceDefinition.from_dict({"properties": turned}).digest == scoring().digest


def test_the_order_of_columns_is_part_of_a_definition() -> None:
    turned = Schema(tuple(reversed(ROWS.columns)))
    other = scoring(inputs=turned, example=[[3, "Mon", 1.5]])
    assert scoring().inputs["input1"].names == ("wind", "day", "age")
    assert other.inputs["input1"].names == ("age", "day", "wind")
    assert ServiceDefinition.from_text(other.text).inputs["input1"].names == ("age", "day", "wind")
    assert other.digest != scoring().digest


def test_one_changed_character_of_code_is_another_definition() -> None:
    assert code().digest != code("def f(t):\n    return  t\n").digest


def test_another_model_changes_only_its_asset() -> None:
    before, after = scoring(), scoring().with_model(SECOND)
    assert after.models == (SECOND,)
    changed = [
        (one, other)
        for one, other in zip(before.text.splitlines(), after.text.splitlines(), strict=True)
        if one != other
    ]
    assert changed == [(f'          "uri": "{FIRST.uri}"', f'          "uri": "{SECOND.uri}"')]
    assert before.models == (FIRST,)


def test_a_definition_without_model_has_none_to_replace() -> None:
    with pytest.raises(InvalidInput, match="exactly one trained model, got none"):
        code().with_model(SECOND)


def test_unknown_keys_of_a_file_are_kept() -> None:
    document = scoring().to_dict()
    document["properties"]["diagnostics"] = {"level": "None"}
    document["tags"] = {"team": "blue"}
    kept = ServiceDefinition.from_dict(document).to_dict()
    assert kept["properties"]["diagnostics"] == {"level": "None"}
    assert kept["tags"] == {"team": "blue"}


def test_steps_come_in_the_order_they_can_run() -> None:
    document = scoring().to_dict()
    package = document["properties"]["package"]
    document["properties"]["assets"]["python"] = {
        "name": "Execute Python",
        "type": "Module",
        "locationInfo": {"uri": "aml://module/mlalm.execute-python.1"},
    }
    package["nodes"]["aaa"] = {
        "assetId": "python",
        "parameters": {"Source": {"value": "def f(t):\n    return t\n"}, "Entry": {"value": "f"}},
    }
    for edge in package["edges"]:
        if edge["targetNodeId"] == "output1":
            edge["sourceNodeId"], edge["sourcePortId"] = "aaa", "Results dataset"
    package["edges"].append(
        {
            "sourceNodeId": "score1",
            "sourcePortId": "Scored dataset",
            "targetNodeId": "aaa",
            "targetPortId": "Dataset1",
        }
    )
    assert [step.node for step in ServiceDefinition.from_dict(document).steps] == ["score1", "aaa"]


def test_a_cycle_is_refused() -> None:
    def turn(properties: dict[str, Any]) -> None:
        for edge in properties["package"]["edges"]:
            if edge.get("targetPortId") == "Dataset":
                edge["sourceNodeId"], edge["sourcePortId"] = "score1", "Scored dataset"

    assert "Expected a graph without a cycle, got one through ['score1']." in broken(turn)


def test_two_models_for_one_port_are_refused() -> None:
    def double(properties: dict[str, Any]) -> None:
        edges = properties["package"]["edges"]
        edges.append(next(edge for edge in edges if edge.get("targetPortId") == "Trained model"))

    assert "exactly one edge into port 'Trained model' of node 'score1', got 2" in broken(double)


def test_a_module_of_the_cloud_is_refused_by_name() -> None:
    def cloud(properties: dict[str, Any]) -> None:
        properties["assets"]["score"]["locationInfo"]["uri"] = "aml://module/x.y.v1-default-1"

    sentence = broken(cloud)
    assert sentence.startswith("$.properties.assets.score.locationInfo.uri is not valid.")
    assert "got 'Score Model' (score), made to run in the cloud only" in sentence


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda p: p.update(packageType="Code"),
            "$.properties.packageType is not valid. Expected 'Graph', got 'Code'.",
        ),
        (lambda p: p["package"]["nodes"].pop("output1"), "a node for output 'output1', got none"),
        (lambda p: p["package"]["nodes"]["input1"].update(inputId="in9"), "expected one of ['input1']"),
        (
            lambda p: p["package"]["nodes"]["input1"].update(assetId="asset1"),
            "exactly one of inputId, outputId, assetId",
        ),
        (
            lambda p: p["package"].update(edges={}),
            "$.properties.package.edges is not valid. Expected a list, got dict.",
        ),
        (
            lambda p: p["assets"]["asset1"]["locationInfo"].update(uri="file:///etc/passwd"),
            "'file:///etc/passwd'",
        ),
        (
            lambda p: p["assets"]["asset1"]["locationInfo"].update(uri="https://elsewhere/m"),
            "'https://elsewhere/m'",
        ),
        (
            lambda p: p["input"]["properties"]["input1"]["properties"]["age"].update(type="Blob"),
            "input1.properties.age",
        ),
        (lambda p: p["exampleRequest"]["inputs"].update(input1=[[1]]), "a list of rows of 3 cells"),
    ],
)
def test_what_is_wrong_with_a_definition_is_said_with_its_path(change: Any, says: str) -> None:
    assert says.lower() in broken(change).lower()


def test_broken_json_is_said_with_line_and_column() -> None:
    with pytest.raises(InvalidInput, match=r"The definition 'a.json', line 2, column 8,"):
        ServiceDefinition.from_text('{\n  "a": nope}', where="The definition 'a.json'")


def test_deeply_nested_json_is_refused_and_not_a_crash() -> None:
    with pytest.raises(InvalidInput):
        ServiceDefinition.from_text("[" * 100_000)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_canonical_text_is_a_fixed_point(document: object) -> None:
    text = canonical_text(document)
    assert canonical_text(json.loads(text)) == text


@given(JSON)
def test_no_document_at_all_raises_anything_but_our_error(document: object) -> None:
    with pytest.raises(InvalidInput):
        ServiceDefinition.from_dict(document)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("NaN", "a number that JSON has"),
        ("-Infinity", "a number that JSON has"),
        ("1e999", "a number that JSON has"),
        (r'"\ud800"', "text that UTF-8 can hold"),
        (r'{"\ud800": 1}', "names that are text"),
    ],
)
def test_what_json_in_utf_8_cannot_say_is_refused_with_its_path(value: str, expected: str) -> None:
    document = scoring().to_dict()
    document["properties"]["description"] = "HERE"
    text = json.dumps(document).replace('"HERE"', value)
    with pytest.raises(InvalidInput, match=expected) as caught:
        ServiceDefinition.from_text(text)
    assert "line 1, $.properties.description" in caught.value.where


def test_what_json_cannot_say_is_refused_in_a_document_of_python() -> None:
    document = scoring().to_dict()
    document["properties"]["exampleRequest"]["globalParameters"] = {"when": object()}
    with pytest.raises(InvalidInput, match="what JSON can say"):
        ServiceDefinition.from_dict(document)


def test_a_document_nested_without_end_is_refused() -> None:
    document = scoring().to_dict()
    document["properties"]["description"] = "HERE"
    for depth in (100, *range(200, 1100, 20), 100_000):
        text = json.dumps(document).replace('"HERE"', "[" * depth + "]" * depth)
        told = ""
        try:
            ServiceDefinition.from_text(text)
        except InvalidInput as error:
            told = str(error)
        assert "nested" in told or (depth < 1000 and not told)
    assert told
