"""Definitions made here: of a trained model, a function, a script, or the cells of a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlalm_jupyter.domain.signature import Schema
from mlalm_jupyter.domain.wsd.graph import (
    ENTRY,
    MODEL_PORT,
    MODULES,
    NOTEBOOK_MODULE,
    PYTHON_MODULE,
    SCORE_MODULE,
    SCRIPT_MODULE,
    SOURCE,
)
from mlalm_jupyter.domain.wsd.parts import HeldAsset, Json, ModelAsset, trained_model_name

Rows = Sequence[Sequence[object]]


def scoring_document(
    *, title: str, model: ModelAsset, inputs: Schema, outputs: Schema, example: Rows = ()
) -> Json:
    """A service that scores one trained model: rows in, rows with scores out."""
    nodes = {
        "input1": {"inputId": "input1"},
        "model1": {"assetId": model.asset},
        "score1": {"assetId": "score", "parameters": {}},
        "output1": {"outputId": "output1"},
    }
    edges = [
        edge("model1", "Results", "score1", MODEL_PORT),
        edge("input1", None, "score1", "Dataset"),
        edge("score1", MODULES[SCORE_MODULE].gives, "output1", None),
    ]
    assets = {model.asset: model_resource(model), "score": module("Score Model", SCORE_MODULE)}
    return document(
        title, assets, nodes, edges, {"input1": inputs}, {"output1": outputs}, {"input1": example}
    )


def code_document(
    *, title: str, source: str, entry: str, inputs: Schema, outputs: Schema, example: Rows = ()
) -> Json:
    """A service that puts rows through a function; it needs no model."""
    parameters = {SOURCE: {"value": source}, ENTRY: {"value": entry}}
    nodes = {
        "input1": {"inputId": "input1"},
        "code1": {"assetId": "python", "parameters": parameters},
        "output1": {"outputId": "output1"},
    }
    edges = [
        edge("input1", None, "code1", "Dataset1"),
        edge("code1", MODULES[PYTHON_MODULE].gives, "output1", None),
    ]
    assets = {"python": module("Execute Python", PYTHON_MODULE)}
    return document(
        title, assets, nodes, edges, {"input1": inputs}, {"output1": outputs}, {"input1": example}
    )


def script_document(
    *,
    title: str,
    source: str,
    inputs: Schema,
    outputs: Schema,
    model: ModelAsset | None = None,
    example: Rows = (),
) -> Json:
    """A service of a script with `init()` and `run(data)`, with or without a trained model behind it."""
    nodes: Json = {
        "input1": {"inputId": "input1"},
        "script1": {"assetId": "script", "parameters": {SOURCE: {"value": source}}},
        "output1": {"outputId": "output1"},
    }
    edges = [
        edge("input1", None, "script1", "Dataset"),
        edge("script1", MODULES[SCRIPT_MODULE].gives, "output1", None),
    ]
    assets = {"script": module("Scoring Script", SCRIPT_MODULE)}
    if model:
        nodes["model1"] = {"assetId": model.asset}
        edges.append(edge("model1", "Results", "script1", MODEL_PORT))
        assets[model.asset] = model_resource(model)
    return document(
        title, assets, nodes, edges, {"input1": inputs}, {"output1": outputs}, {"input1": example}
    )


def notebook_document(
    *,
    title: str,
    source: str,
    assets: Mapping[str, ModelAsset | HeldAsset],
    inputs: Mapping[str, Schema],
    outputs: Mapping[str, Schema],
    example: Mapping[str, Rows],
) -> Json:
    """A service of a notebook's cells, with all that was fitted before on ports of their names."""
    nodes: Json = {"notebook1": {"assetId": "notebook", "parameters": {SOURCE: {"value": source}}}}
    resources: Json = {"notebook": module("Execute Notebook", NOTEBOOK_MODULE)}
    edges = []
    for number, name in enumerate(inputs, start=1):
        nodes[name] = {"inputId": name}
        edges.append(edge(name, None, "notebook1", f"Dataset{number}"))
    for name, asset in assets.items():
        nodes[f"asset_{name}"] = {"assetId": asset.asset}
        resources[asset.asset] = resource(asset)
        edges.append(edge(f"asset_{name}", "Results", "notebook1", f"Asset {name}"))
    for name in outputs:
        nodes[name] = {"outputId": name}
        edges.append(edge("notebook1", MODULES[NOTEBOOK_MODULE].gives, name, None))
    return document(title, resources, nodes, edges, inputs, outputs, example)


def module(name: str, uri: str) -> Json:
    """A step's kind as an asset of a definition."""
    return {"name": name, "type": "Module", "locationInfo": {"uri": uri}}


def model_resource(model: ModelAsset) -> Json:
    """A trained model as an asset of a definition."""
    return resource(model)


def resource(asset: ModelAsset | HeldAsset) -> Json:
    """A model or a transform as an asset of a definition."""
    return {
        "name": trained_model_name(asset.name) if isinstance(asset, ModelAsset) else asset.name,
        "type": "Resource",
        "locationInfo": {"uri": asset.uri},
        "outputPorts": {"Results": {"type": "Dataset"}},
    }


def edge(source: str, source_port: str | None, target: str, target_port: str | None) -> Json:
    """One edge; inputs have no port that it leaves by, outputs none that it arrives at."""
    made = {"sourceNodeId": source, "targetNodeId": target}
    if source_port:
        made["sourcePortId"] = source_port
    if target_port:
        made["targetPortId"] = target_port
    return made


def document(
    title: str,
    assets: Json,
    nodes: Json,
    edges: Sequence[Json],
    inputs: Mapping[str, Schema],
    outputs: Mapping[str, Schema],
    example: Mapping[str, Rows],
) -> Json:
    """A whole document out of its parts."""

    def ports(schemas: Mapping[str, Schema]) -> Json:
        tables = {name: {"type": "object", "properties": one.to_dict()} for name, one in schemas.items()}
        return {"title": "", "description": "", "type": "object", "properties": tables}

    return {
        "properties": {
            "title": title,
            "description": "",
            "packageType": "Graph",
            "assets": assets,
            "parameters": {},
            "input": ports(inputs),
            "output": ports(outputs),
            "exampleRequest": {
                "inputs": {name: [list(row) for row in rows] for name, rows in example.items()},
                "globalParameters": {},
            },
            "package": {"nodes": nodes, "edges": list(edges), "graphParameters": {}},
        }
    }
