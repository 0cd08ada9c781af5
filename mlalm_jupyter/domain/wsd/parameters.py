"""What callers of a service may set: read from a definition, and given by a request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from mlalm_jupyter.domain.wsd.graph import COLUMNS, ENTRY, MODULES, SELECT_MODULE, SOURCE
from mlalm_jupyter.domain.wsd.parts import Json, ServiceParameter, Step
from mlalm_jupyter.domain.wsd.places import Path, fault

TYPES = (
    "String", "Int", "Float", "Enumerated", "Script", "Mode", "Credential", "Boolean", "Double", "ColumnPicker",
    "ParameterRange", "DataGatewayName",
)  # fmt: skip
_HERE: Path = ("properties", "package", "graphParameters")


def read_parameters(properties: Json, steps: Sequence[Step]) -> tuple[ServiceParameter, ...]:
    """The parameters of a definition, each with the nodes it goes to."""
    given: Json = properties["package"].get("graphParameters") or {}
    values = {name.lower(): body.get("value") for name, body in (properties.get("parameters") or {}).items()}
    nodes = {step.node: step for step in steps}
    found = []
    for name, body in given.items():
        path = (*_HERE, name)
        kind = str(body.get("type") or "String")
        known = {one.lower(): one for one in TYPES}
        if kind.lower() not in known:
            raise fault((*path, "type"), expected=f"one of {', '.join(TYPES)}", got=repr(kind))
        links = tuple(
            _link(link, nodes, (*path, "links", index)) for index, link in enumerate(body.get("links") or ())
        )
        default = values.pop(name.lower(), None)
        parameter = ServiceParameter(name, known[kind.lower()], default, links)
        if default is not None:
            try:
                parameter.read(default)
            except ValueError as error:
                raise fault(
                    ("properties", "parameters", name), expected=str(error), got=repr(default)
                ) from error
        found.append(parameter)
    return tuple(found)


def _link(link: Json, nodes: Mapping[str, Step], path: Path) -> tuple[str, str]:
    node, key = str(link.get("nodeId")), str(link.get("parameterKey"))
    if node not in nodes:
        raise fault((*path, "nodeId"), expected=f"one of the steps {sorted(nodes)}", got=repr(node))
    if key.lower() in (SOURCE.lower(), ENTRY.lower()) and nodes[node].code:
        raise fault(
            (*path, "parameterKey"),
            expected="a value that callers may give",
            got=f"the code of node '{node}'",
        )
    return node, key


def columns_of(step: Step) -> list[str]:
    """The columns that a Select Columns step keeps, in its order."""
    return selected(step.settings[COLUMNS])


def selected(text: str) -> list[str]:
    """Column names out of a setting: a JSON list, or names with commas between.

    >>> selected('["a", "b,c"]'), selected("a, b")
    (['a', 'b,c'], ['a', 'b'])
    """
    if text.lstrip().startswith("["):
        read = json.loads(text)
        if not all(isinstance(one, str) for one in read):
            raise ValueError("a list of column names")
        return list(read)
    return [one.strip() for one in text.split(",") if one.strip()]


def check_settings(steps: Sequence[Step]) -> None:
    """Refuse settings that their step could not read."""
    for step in steps:
        if step.module != SELECT_MODULE:
            continue
        path = ("properties", "package", "nodes", step.node, "parameters", COLUMNS)
        try:
            names = columns_of(step)
        except ValueError as error:
            raise fault(path, expected="a JSON list of column names", got=step.settings[COLUMNS]) from error
        if not names:
            raise fault(path, expected=f"columns for {MODULES[step.module].name}", got="none")
