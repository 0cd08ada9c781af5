"""Definitions whose rows go through code before they come to the model, as people's graphs do."""

from __future__ import annotations

import copy
from typing import Any

from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.workspace import Workspace

PYTHON = {
    "name": "Execute Python",
    "type": "Module",
    "locationInfo": {"uri": "aml://module/mlalm.execute-python.1"},
}


def shifted(document: dict[str, Any], shift: float) -> dict[str, Any]:
    """A definition of one model with a cell before it that adds to the hours."""
    changed = copy.deepcopy(document)
    properties = changed["properties"]
    source = f"def prepare(rows):\n    return rows.assign(hour=rows['hour'] + {shift})\n"
    properties["assets"]["python"] = PYTHON
    package = properties["package"]
    package["nodes"]["code1"] = {
        "assetId": "python",
        "parameters": {"Source": {"value": source}, "Entry": {"value": "prepare"}},
    }
    edges = [edge for edge in package["edges"] if edge["sourceNodeId"] not in ("input1", "code1")]
    package["edges"] = [
        *edges,
        {"sourceNodeId": "input1", "targetNodeId": "code1", "targetPortId": "Dataset1"},
        {
            "sourceNodeId": "code1",
            "sourcePortId": "Results dataset",
            "targetNodeId": "score1",
            "targetPortId": "Dataset",
        },
    ]
    return changed


def trusted(ws: Workspace, document: dict[str, Any]) -> dict[str, Any]:
    """The same document, once its code may run here."""
    ws.trust.add(ServiceDefinition.from_dict(document).digest, kind="definition")
    return document
