"""Graphs of several inputs, tables, steps and parameters, as they run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from mlalm_jupyter.domain.definition import HeldAsset, ModelAsset, ServiceDefinition
from mlalm_jupyter.domain.errors import InvalidInput, ScoringFailed
from mlalm_jupyter.domain.projection import ServableDataset, ServableModel
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema
from mlalm_jupyter.domain.wsd.graph import (
    PYTHON_MODULE,
    SCORE_MODULE,
    SCRIPT_MODULE,
    SELECT_MODULE,
    TRANSFORM_MODULE,
)
from mlalm_jupyter.domain.wsd.making import document, edge, model_resource, module
from mlalm_jupyter.formats import bundle as bundles
from mlalm_jupyter.formats.frames import schema_of
from mlalm_jupyter.scoring.errors import Refusal
from mlalm_jupyter.scoring.predictor import Predictor
from mlalm_jupyter.scoring.requests import Request, Table
from tests.contract.served import ROWS, Handmade, logistic

pytestmark = pytest.mark.prove_services
LEFT = Schema((Column("key", ColumnType.STRING), Column("a", ColumnType.DOUBLE)))
RIGHT = Schema((Column("key", ColumnType.STRING), Column("b", ColumnType.DOUBLE)))
SUM = Schema((Column("key", ColumnType.STRING), Column("total", ColumnType.DOUBLE)))
JOIN = (
    "def join(left, right, *, factor=1.0):\n"
    "    both = left.merge(right, on='key')\n"
    "    return both.assign(total=factor * (both['a'] + both['b']))[['key', 'total']]\n"
)


@pytest.fixture
def made(tmp_path: Path) -> Handmade:
    return Handmade(tmp_path / "ws")


def python(source: str, entry: str, **settings: str) -> dict[str, Any]:
    values = {"Source": source, "Entry": entry, **settings}
    return {"assetId": "python", "parameters": {name: {"value": value} for name, value in values.items()}}


def joining() -> dict[str, Any]:
    nodes = {
        "l": {"inputId": "left"},
        "r": {"inputId": "right"},
        "join1": python(JOIN, "join", factor="2"),
        "out": {"outputId": "output1"},
    }
    edges = [
        edge("l", None, "join1", "Dataset1"),
        edge("r", None, "join1", "Dataset2"),
        edge("join1", "Results dataset", "out", None),
    ]
    made = document(
        "join", {"python": module("Execute Python", PYTHON_MODULE)}, nodes, edges,
        {"left": LEFT, "right": RIGHT}, {"output1": SUM}, {"left": [["x", 1.0]], "right": [["x", 2.0]]},
    )  # fmt: skip
    made["properties"]["package"]["graphParameters"] = {
        "The Factor": {"type": "Double", "links": [{"nodeId": "join1", "parameterKey": "factor"}]}
    }
    made["properties"]["parameters"] = {"the factor": {"value": "2"}}
    return made


def loaded(made: Handmade, told: Mapping[str, Any], **held: Any) -> Predictor:
    definition = ServiceDefinition.from_dict(told)
    servable = made.servable(
        definition, held.get("models", ()), seal=made.sealed("definition", definition.digest)
    )
    servable = replace(servable, transforms=held.get("transforms", ()), datasets=held.get("datasets", ()))
    predictor = Predictor.load(servable, made.keys.public_key)
    predictor.replay()
    return predictor


def asked(predictor: Predictor, inputs: Mapping[str, pd.DataFrame], **parameters: object) -> pd.DataFrame:
    tables = {n: Table(list(f.columns), f.to_numpy(dtype=object).tolist()) for n, f in inputs.items()}
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in parameters.items()}
    (answer,) = predictor.predict(Request(Inputs=tables, GlobalParameters=raw)).values()
    return pd.DataFrame(dict(zip(answer.names, answer.columns, strict=True)))


ONE = {
    "left": pd.DataFrame({"key": ["x", "y"], "a": [1.0, 5.0]}),
    "right": pd.DataFrame({"key": ["y"], "b": [2.0]}),
}


def test_two_inputs_meet_in_one_step_with_a_parameter_from_the_caller(made: Handmade) -> None:
    predictor = loaded(made, joining())
    assert asked(predictor, ONE).to_dict("records") == [{"key": "y", "total": "14"}]
    assert asked(predictor, ONE, **{"The Factor": 3}).total.tolist() == ["21"]
    assert asked(predictor, ONE, **{"the factor": "0.5"}).total.tolist() == ["3.5"]


@pytest.mark.parametrize(
    ("given", "cause", "said"),
    [
        ({"Factor": 3}, "UnexpectedParameter", "no parameter 'Factor'; it takes 'The Factor'"),
        ({"The Factor": "much"}, "UserParameterInvalid", "'The Factor': expected a number, got \"much\""),
        ({"The Factor": None}, "UserParameterInvalid", "expected one value of type Double, got null"),
        ({"The Factor": [1]}, "UserParameterInvalid", "expected one value"),
        ({"The Factor": 1, "the factor": 2}, "UserParameterInvalid", "is given twice"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_refused(
    made: Handmade, given: dict[str, object], cause: str, said: str
) -> None:
    with pytest.raises(Refusal) as caught:
        asked(loaded(made, joining()), ONE, **given)
    assert (caught.value.status, caught.value.cause) == (400, cause)
    assert said in caught.value.message


def test_a_parameter_without_default_must_be_given(made: Handmade) -> None:
    told = joining()
    told["properties"]["parameters"] = {}
    with pytest.raises(Refusal) as caught:
        asked(loaded(made, told), ONE)
    assert caught.value.cause == "MissingRequiredGlobalParameters"
    assert asked(loaded(made, told), ONE, **{"The Factor": 1}).total.tolist() == ["7"]


@pytest.mark.parametrize("key", ["Source", "entry"])
def test_callers_cannot_be_given_the_code_to_change(key: str) -> None:
    told = joining()
    told["properties"]["package"]["graphParameters"]["The Factor"]["links"][0]["parameterKey"] = key
    with pytest.raises(InvalidInput, match="a value that callers may give, got the code of node 'join1'"):
        ServiceDefinition.from_dict(told)


def test_a_setting_that_its_function_does_not_take_is_told_before_it_serves(made: Handmade) -> None:
    told = joining()
    told["properties"]["package"]["nodes"]["join1"]["parameters"]["nope"] = {"value": "1"}
    with pytest.raises(ScoringFailed, match="takes no 'nope'"):
        loaded(made, told)


def test_a_dataset_is_a_table_of_its_own_and_the_callers_rows_take_its_place(made: Handmade) -> None:
    data = b"key,b\ny,2\nx,4\n"
    digest = made.blobs.put(data)
    asset = HeldAsset("rates", "dataset", "rates", 1, digest)
    held = (ServableDataset("rates:1", digest, "GenericCSV", str(made.blobs.path(digest))),)
    told = joining()
    properties = told["properties"]
    properties["assets"]["rates"] = {"name": "rates", "type": "Resource", "locationInfo": {"uri": asset.uri}}
    properties["package"]["nodes"]["d"] = {"assetId": "rates"}
    properties["package"]["edges"].append(edge("d", "Results", "join1", "Dataset2"))
    assert asked(loaded(made, told, datasets=held), ONE).to_dict("records") == [{"key": "y", "total": "14"}]
    del properties["input"]["properties"]["right"], properties["exampleRequest"]["inputs"]["right"]
    del properties["package"]["nodes"]["r"]
    properties["package"]["edges"] = [
        one for one in properties["package"]["edges"] if one["sourceNodeId"] != "r"
    ]
    predictor = loaded(made, told, datasets=held)
    assert asked(predictor, {"left": ONE["left"]}).to_dict("records") == [
        {"key": "x", "total": "10"},
        {"key": "y", "total": "14"},
    ]


def test_a_transform_a_model_and_a_selection_follow_each_other(made: Handmade) -> None:
    scaler = StandardScaler().set_output(transform="pandas").fit(ROWS)
    scaled = scaler.transform(ROWS)
    label = (ROWS["age"] > 40).astype(int)
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(scaled, label)
    packs = {"scale": bundles.pack(scaler, sample=ROWS), "census": bundles.pack(model, sample=scaled)}
    held = {
        name: ServableModel(
            f"{name}:1", one.model_hash, made.blobs.put(one.data), "", made.sealed("model", one.model_hash)
        )
        for name, one in packs.items()
    }
    held = {n: replace(one, bundle_path=str(made.blobs.path(one.bundle_digest))) for n, one in held.items()}
    asset = ModelAsset("asset1", "census", 1, packs["census"].model_hash)
    scale = HeldAsset("asset2", "transform", "scale", 1, packs["scale"].model_hash)
    assets = {
        "asset1": model_resource(asset),
        "asset2": {"name": "scale", "type": "Resource", "locationInfo": {"uri": scale.uri}},
        "m1": module("Score Model", SCORE_MODULE),
        "m2": module("Apply Transformation", TRANSFORM_MODULE),
        "m3": module("Select Columns", SELECT_MODULE),
    }
    nodes = {
        "in": {"inputId": "input1"},
        "model": {"assetId": "asset1"},
        "scale": {"assetId": "asset2"},
        "apply": {"assetId": "m2"},
        "score": {"assetId": "m1", "parameters": {"Append score columns to output": "False"}},
        "pick": {"assetId": "m3", "parameters": {"Columns": '["Scored Labels"]'}},
        "out": {"outputId": "output1"},
    }
    edges = [
        edge("in", None, "apply", "Dataset"),
        edge("scale", "Results", "apply", "Transformation"),
        edge("apply", "Transformed dataset", "score", "Dataset"),
        edge("model", "Results", "score", "Trained model"),
        edge("score", "Scored dataset", "pick", "Dataset"),
        edge("pick", "Results dataset", "out", None),
    ]
    labels = Schema((Column("Scored Labels", ColumnType.INT64),))
    told = document("census", assets, nodes, edges, {"input1": schema_of(ROWS)}, {"output1": labels}, {})
    predictor = loaded(made, told, models=(held["census"],), transforms=(held["scale"],))
    answer = asked(predictor, {"input1": ROWS})
    assert answer.to_dict("list") == {"Scored Labels": [str(one) for one in model.predict(scaled)]}
    told["properties"]["package"]["nodes"]["pick"]["parameters"]["Columns"] = "Scored Labels, nope"
    with pytest.raises(ScoringFailed, match="'nope'"):
        asked(loaded(made, told, models=(held["census"],), transforms=(held["scale"],)), {"input1": ROWS})


SCRIPTS = {
    "of the text": "import json\ndef init():\n    global k\n    k = 10\n"
    "def run(raw):\n    return json.dumps([k * row[0] for row in json.loads(raw)['data']])\n",
    "of a frame": "def run(data: 'pd.DataFrame'):\n    return {'result': (10 * data['age']).tolist()}\n",
    "of rows": "import json\ndef run(raw):\n    told = json.loads(raw)\n"
    "    return [{'result': 10 * dict(zip(told['columns'], row))['age']} for row in told['data']]\n",
}


def scripted(source: str) -> dict[str, Any]:
    nodes = {
        "in": {"inputId": "input1"},
        "script": {"assetId": "s", "parameters": {"Source": source}},
        "out": {"outputId": "output1"},
    }
    edges = [edge("in", None, "script", "Dataset"), edge("script", "Results dataset", "out", None)]
    result = Schema((Column("result", ColumnType.DOUBLE),))
    assets = {"s": module("Scoring Script", SCRIPT_MODULE)}
    return document("s", assets, nodes, edges, {"input1": schema_of(ROWS)}, {"output1": result}, {})


@pytest.mark.parametrize("source", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_with_init_and_run_answers(made: Handmade, source: str) -> None:
    answer = asked(loaded(made, scripted(source)), {"input1": ROWS})
    assert answer.result.astype(float).tolist() == (10 * ROWS["age"]).tolist()


def test_a_script_is_given_the_model_behind_it(made: Handmade) -> None:
    model = logistic()
    pack = bundles.pack(model, sample=ROWS)
    digest = made.blobs.put(pack.data)
    held = ServableModel(
        "census:1",
        pack.model_hash,
        digest,
        str(made.blobs.path(digest)),
        made.sealed("model", pack.model_hash),
    )
    told = scripted(
        "def init(model):\n    global kept\n    kept = model\n"
        "def run(data: 'pandas.DataFrame'):\n    return kept.predict(data) * 1.0\n"
    )
    properties = told["properties"]
    properties["assets"]["asset1"] = model_resource(ModelAsset("asset1", "census", 1, pack.model_hash))
    properties["package"]["nodes"]["model1"] = {"assetId": "asset1"}
    properties["package"]["edges"].append(edge("model1", "Results", "script", "Trained model"))
    predictor = loaded(made, told, models=(held,))
    assert dict(predictor.headers)[b"x-mlalm-model"] == b"census:1"
    answer = asked(predictor, {"input1": ROWS})
    assert np.array_equal(answer.result.astype(float), model.predict(ROWS))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def init():\n    raise OSError('no file')\ndef run(d):\n    return []\n", "init() raised OSError: no file (line 2"),
        ("x = 1\n", "defines no function 'run'"),
        ("def run(d):\n    return 'so-so'\n", "Expected JSON or a table, got 'so-so'"),
        ("def run(d):\n    return {'error': 'no luck'}\n", "the error 'no luck'"),
        ("def run(d):\n    return {'result': [1]}\n", ""),
    ],
)  # fmt: skip
def test_what_goes_wrong_in_a_script_is_told(made: Handmade, source: str, said: str) -> None:
    if not said:
        assert len(asked(loaded(made, scripted(source)), {"input1": ROWS})) == 1
        return
    with pytest.raises(ScoringFailed) as caught:
        asked(loaded(made, scripted(source)), {"input1": ROWS})
    assert said in str(caught.value)


def test_a_service_without_inputs_answers_a_body_without_any(made: Handmade) -> None:
    source = "import pandas as pd\ndef now(*, count=2):\n    return pd.DataFrame({'result': [1.0] * count})\n"
    nodes = {"make": python(source, "now", count="2"), "out": {"outputId": "output1"}}
    result = Schema((Column("result", ColumnType.DOUBLE),))
    told = document(
        "now", {"python": module("Execute Python", PYTHON_MODULE)}, nodes,
        [edge("make", "Results dataset", "out", None)], {}, {"output1": result}, {},
    )  # fmt: skip
    told["properties"]["package"]["graphParameters"] = {
        "count": {"type": "Int", "links": [{"nodeId": "make", "parameterKey": "count"}]}
    }
    told["properties"]["parameters"] = {"count": "3"}
    predictor = loaded(made, told)
    assert len(asked(predictor, {})) == 3
    assert len(asked(predictor, {}, count=5)) == 5
