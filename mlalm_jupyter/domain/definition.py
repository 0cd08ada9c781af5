"""Service definitions (WSD): immutable documents, named by the hash of the form kept in git."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.signature import Schema

SCORE_MODULE = "aml://module/mlalm.score-model.1"
PYTHON_MODULE = "aml://module/mlalm.execute-python.1"
_PORTS_IN: dict[str, tuple[str, ...]] = {
    SCORE_MODULE: ("Trained model", "Dataset"),
    PYTHON_MODULE: ("Dataset1",),
}
_PORTS_OUT = {SCORE_MODULE: "Scored dataset", PYTHON_MODULE: "Results dataset"}
_MODEL_PORT = "Trained model"
_MODEL_URI = re.compile(
    r"mlalm://models/(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)/(?P<version>[1-9][0-9]*)\?sha256=(?P<sha>[0-9a-f]{64})"
)
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ModelAsset:
    """A trained model as a definition names it: which version, and the hash of what it must be."""

    asset: str
    name: str
    version: int
    model_hash: str

    @property
    def reference(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def uri(self) -> str:
        """The address kept in git; it holds no host.

        >>> ModelAsset("asset1", "churn", 3, "ab" * 32).uri[:30]
        'mlalm://models/churn/3?sha256='
        """
        return f"mlalm://models/{self.name}/{self.version}?sha256={self.model_hash}"


@dataclass(frozen=True, slots=True)
class CodeCell:
    """Code in a definition: text, and the function in it that a table goes through."""

    node: str
    source: str
    entry: str


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the graph that does something, and the node whose table it takes."""

    node: str
    takes: str
    model: ModelAsset | None = None
    code: CodeCell | None = None


@dataclass(frozen=True)
class ServiceDefinition:
    """A service definition: what comes in, which steps it goes through, what comes out.

    Two definitions are the same exactly when their `digest` is.
    """

    text: str
    title: str
    inputs: Mapping[str, Schema]
    outputs: Mapping[str, Schema]
    steps: tuple[Step, ...]
    results: Mapping[str, str]
    example: Mapping[str, tuple[tuple[object, ...], ...]]

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def models(self) -> tuple[ModelAsset, ...]:
        return tuple(step.model for step in self.steps if step.model)

    @property
    def code(self) -> tuple[CodeCell, ...]:
        return tuple(step.code for step in self.steps if step.code)

    def to_dict(self) -> Json:
        document: Json = json.loads(self.text)
        return document

    @classmethod
    def from_text(cls, text: str, *, where: str = "The definition") -> ServiceDefinition:
        try:
            document = json.loads(text)
        except json.JSONDecodeError as error:
            raise InvalidInput(
                f"{where}, line {error.lineno}, column {error.colno},", expected="JSON", got=error.msg
            ) from error
        except RecursionError as error:
            raise _too_deep(where) from error
        return cls.from_dict(document)

    @classmethod
    def from_dict(cls, document: object) -> ServiceDefinition:
        """Read and check a definition; what is wrong is said with its path."""
        properties = _object(_object(document, "$").get("properties"), "$.properties")
        if properties.get("packageType") != "Graph":
            raise InvalidInput(
                "$.properties.packageType", expected="'Graph'", got=repr(properties.get("packageType"))
            )
        inputs = _ports(properties, "input")
        outputs = _ports(properties, "output")
        steps, results = _Graph(properties, inputs, outputs).read()
        try:
            text = canonical_text(document)
            text.encode()
        except RecursionError as error:
            raise _too_deep("$") from error
        except (ValueError, TypeError) as error:
            raise _unwritable(document) or InvalidInput("$", expected="JSON", got=str(error)) from error
        return cls(
            text=text,
            title=str(properties.get("title", "")),
            inputs=inputs,
            outputs=outputs,
            steps=steps,
            results=results,
            example=_example(properties, inputs),
        )

    def with_model(self, model: ModelAsset, *, asset: str | None = None) -> ServiceDefinition:
        """This definition with another trained model in it; everything else stays.

        Without `asset` there must be exactly one model to replace.
        """
        present = {held.asset: held for held in self.models}
        if asset is None:
            if len(present) != 1:
                held = ", ".join(sorted(present)) or "none"
                raise InvalidInput(
                    "The model to replace", expected="a definition with exactly one trained model", got=held
                )
            asset = next(iter(present))
        if asset not in present:
            raise InvalidInput(
                f"The asset '{asset}'",
                expected=f"one of {sorted(present)}",
                got="no trained model of that name",
            )
        document = self.to_dict()
        replaced = ModelAsset(asset, model.name, model.version, model.model_hash)
        held_asset = document["properties"]["assets"][asset]
        held_asset["name"] = trained_model_name(model.name)
        held_asset["locationInfo"]["uri"] = replaced.uri
        return ServiceDefinition.from_dict(document)


def trained_model_name(name: str) -> str:
    """What a trained model is called inside a definition.

    >>> trained_model_name("churn")
    'churn [trained model]'
    """
    return f"{name} [trained model]"


def canonical_text(document: object) -> str:
    """The form that is hashed and kept in git: sorted keys, two spaces, a newline at the end.

    The columns of a port keep their order, because it means something.
    """
    return json.dumps(_ordered(document, ()), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _too_deep(where: str) -> InvalidInput:
    return InvalidInput(where, expected="JSON nested at most a few hundred deep", got="deeper nesting")


def _unwritable(document: object, where: str = "$") -> InvalidInput | None:
    """Which value of a document JSON in UTF-8 cannot say."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            if not isinstance(key, str) or not _is_text(key):
                return InvalidInput(where, expected="names that are text", got=f"{key!r}"[:60])
            if found := _unwritable(value, f"{where}.{key}"):
                return found
    elif isinstance(document, (list, tuple)):
        for index, value in enumerate(document):
            if found := _unwritable(value, f"{where}[{index}]"):
                return found
    elif isinstance(document, float) and not math.isfinite(document):
        return InvalidInput(where, expected="a number that JSON has, or null", got=repr(document))
    elif isinstance(document, str):
        if not _is_text(document):
            return InvalidInput(where, expected="text that UTF-8 can hold", got=f"{document!r}"[:60])
    elif document is not None and not isinstance(document, (bool, int, float)):
        return InvalidInput(where, expected="what JSON can say", got=f"a {type(document).__name__}")
    return None


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _ordered(value: object, path: tuple[str, ...]) -> object:
    if isinstance(value, Mapping):
        keys: Iterable[Any] = value if _holds_columns(path) else sorted(value)
        return {key: _ordered(value[key], (*path, key)) for key in keys}
    if isinstance(value, (list, tuple)):
        return [_ordered(item, (*path, "[]")) for item in value]
    return value


def _holds_columns(path: tuple[str, ...]) -> bool:
    """Whether `path` is properties.input.properties.PORT.properties, or the same of output."""
    return len(path) == 5 and path[0] == path[2] == path[4] == "properties" and path[1] in ("input", "output")


def scoring_definition(
    *,
    title: str,
    model: ModelAsset,
    inputs: Schema,
    outputs: Schema,
    example: Sequence[Sequence[object]] = (),
) -> ServiceDefinition:
    """The definition of a service that scores one trained model: rows in, rows with scores out."""
    nodes = {
        "input1": {"inputId": "input1"},
        "model1": {"assetId": model.asset},
        "score1": {"assetId": "score", "parameters": {}},
        "output1": {"outputId": "output1"},
    }
    edges = [
        _edge("model1", "Results", "score1", _MODEL_PORT),
        _edge("input1", None, "score1", "Dataset"),
        _edge("score1", _PORTS_OUT[SCORE_MODULE], "output1", None),
    ]
    assets = {
        model.asset: {
            "name": trained_model_name(model.name),
            "type": "Resource",
            "locationInfo": {"uri": model.uri},
            "outputPorts": {"Results": {"type": "Dataset"}},
        },
        "score": {"name": "Score Model", "type": "Module", "locationInfo": {"uri": SCORE_MODULE}},
    }
    return _built(title, assets, nodes, edges, inputs, outputs, example)


def code_definition(
    *,
    title: str,
    source: str,
    entry: str,
    inputs: Schema,
    outputs: Schema,
    example: Sequence[Sequence[object]] = (),
) -> ServiceDefinition:
    """The definition of a service that puts rows through a function; it needs no model."""
    parameters = {"Source": {"value": source}, "Entry": {"value": entry}}
    nodes = {
        "input1": {"inputId": "input1"},
        "code1": {"assetId": "python", "parameters": parameters},
        "output1": {"outputId": "output1"},
    }
    edges = [
        _edge("input1", None, "code1", "Dataset1"),
        _edge("code1", _PORTS_OUT[PYTHON_MODULE], "output1", None),
    ]
    assets = {"python": {"name": "Execute Python", "type": "Module", "locationInfo": {"uri": PYTHON_MODULE}}}
    return _built(title, assets, nodes, edges, inputs, outputs, example)


def _edge(source: str, source_port: str | None, target: str, target_port: str | None) -> Json:
    edge = {"sourceNodeId": source, "targetNodeId": target}
    if source_port:
        edge["sourcePortId"] = source_port
    if target_port:
        edge["targetPortId"] = target_port
    return edge


def _built(
    title: str,
    assets: Json,
    nodes: Json,
    edges: list[Json],
    inputs: Schema,
    outputs: Schema,
    example: Sequence[Sequence[object]],
) -> ServiceDefinition:
    def port(name: str, schema: Schema) -> Json:
        return {
            "title": "",
            "description": "",
            "type": "object",
            "properties": {name: {"type": "object", "properties": schema.to_dict()}},
        }

    return ServiceDefinition.from_dict(
        {
            "properties": {
                "title": title,
                "description": "",
                "packageType": "Graph",
                "assets": assets,
                "parameters": {},
                "input": port("input1", inputs),
                "output": port("output1", outputs),
                "exampleRequest": {
                    "inputs": {"input1": [list(row) for row in example]},
                    "globalParameters": {},
                },
                "package": {"nodes": nodes, "edges": edges, "graphParameters": {}},
            }
        }
    )


def _object(value: object, where: str) -> Json:
    if not isinstance(value, dict):
        raise InvalidInput(where, expected="an object", got=type(value).__name__)
    return value


def _ports(properties: Json, side: str) -> dict[str, Schema]:
    where = f"$.properties.{side}.properties"
    ports = _object(_object(properties.get(side), f"$.properties.{side}").get("properties"), where)
    read = {}
    for name, port in ports.items():
        columns = _object(
            _object(port, f"{where}.{name}").get("properties", {}), f"{where}.{name}.properties"
        )
        read[name] = Schema.from_dict(columns, where=f"{where}.{name}.properties")
    return read


def _example(properties: Json, inputs: Mapping[str, Schema]) -> dict[str, tuple[tuple[object, ...], ...]]:
    where = "$.properties.exampleRequest.inputs"
    request = properties.get("exampleRequest") or {}
    given = _object(_object(request, "$.properties.exampleRequest").get("inputs") or {}, where)
    example: dict[str, tuple[tuple[object, ...], ...]] = {}
    for name, rows in given.items():
        if name not in inputs:
            raise InvalidInput(
                f"{where}.{name}", expected=f"one of the inputs {sorted(inputs)}", got=repr(name)
            )
        width = len(inputs[name].columns)
        if not isinstance(rows, list) or any(not isinstance(row, list) or len(row) != width for row in rows):
            raise InvalidInput(
                f"{where}.{name}", expected=f"a list of rows of {width} cells", got="something else"
            )
        example[name] = tuple(tuple(row) for row in rows)
    return example


class _Graph:
    """Reads nodes and edges into steps in the order they can run, refusing what cannot."""

    def __init__(self, properties: Json, inputs: Mapping[str, Schema], outputs: Mapping[str, Schema]) -> None:
        package = _object(properties.get("package"), "$.properties.package")
        self.assets = _object(properties.get("assets") or {}, "$.properties.assets")
        self.nodes = _object(package.get("nodes"), "$.properties.package.nodes")
        self.edges = self._edges(package.get("edges"))
        self.inputs = inputs
        self.outputs = outputs

    def read(self) -> tuple[tuple[Step, ...], dict[str, str]]:
        steps: dict[str, Step] = {}
        results: dict[str, str] = {}
        for node, body in self.nodes.items():
            where = f"$.properties.package.nodes.{node}"
            kind, target = self._kind(_object(body, where), where)
            if kind == "inputId" and target not in self.inputs:
                raise InvalidInput(
                    f"{where}.inputId", expected=f"one of {sorted(self.inputs)}", got=repr(target)
                )
            if kind == "outputId":
                if target not in self.outputs:
                    raise InvalidInput(
                        f"{where}.outputId", expected=f"one of {sorted(self.outputs)}", got=repr(target)
                    )
                results[target] = self._source(node, None, where)
            if kind == "assetId" and self._asset(target, where)["type"] == "Module":
                steps[node] = self._step(node, body, target, where)
        for name in self.outputs:
            if name not in results:
                raise InvalidInput(
                    "$.properties.package.nodes", expected=f"a node for output '{name}'", got="none"
                )
        self._refuse_dangling(steps, results)
        return self._sorted(steps), results

    @staticmethod
    def _edges(value: object) -> list[Json]:
        if not isinstance(value, list):
            raise InvalidInput("$.properties.package.edges", expected="a list", got=type(value).__name__)
        return [_object(edge, f"$.properties.package.edges[{index}]") for index, edge in enumerate(value)]

    @staticmethod
    def _kind(body: Json, where: str) -> tuple[str, str]:
        kinds = [kind for kind in ("inputId", "outputId", "assetId") if body.get(kind)]
        if len(kinds) != 1:
            raise InvalidInput(
                where, expected="exactly one of inputId, outputId, assetId", got=", ".join(kinds) or "none"
            )
        return kinds[0], str(body[kinds[0]])

    def _asset(self, asset: str, where: str) -> Json:
        if asset not in self.assets:
            raise InvalidInput(
                f"{where}.assetId", expected=f"one of the assets {sorted(self.assets)}", got=repr(asset)
            )
        body = _object(self.assets[asset], f"$.properties.assets.{asset}")
        if body.get("type") not in ("Module", "Resource"):
            raise InvalidInput(
                f"$.properties.assets.{asset}.type", expected="Module or Resource", got=repr(body.get("type"))
            )
        return body

    def _uri(self, asset: str) -> str:
        location = _object(
            self.assets[asset].get("locationInfo"), f"$.properties.assets.{asset}.locationInfo"
        )
        return str(location.get("uri", ""))

    def _step(self, node: str, body: Json, asset: str, where: str) -> Step:
        module = self._uri(asset)
        if module not in _PORTS_IN:
            raise InvalidInput(
                f"$.properties.assets.{asset}.locationInfo.uri",
                expected=f"a module that runs here ({', '.join(_PORTS_IN)})",
                got=repr(module),
            )
        if module == PYTHON_MODULE:
            takes = self._source(node, "Dataset1", where)
            parameters = _object(body.get("parameters") or {}, f"{where}.parameters")
            source, entry = (
                _parameter(parameters, key, f"{where}.parameters") for key in ("Source", "Entry")
            )
            return Step(node, takes, code=CodeCell(node, source, entry))
        takes = self._source(node, "Dataset", where)
        return Step(node, takes, model=self._model(self._source(node, _MODEL_PORT, where), where))

    def _model(self, node: str, where: str) -> ModelAsset:
        body = _object(self.nodes[node], f"$.properties.package.nodes.{node}")
        asset = str(body.get("assetId", ""))
        if asset not in self.assets or self._asset(asset, where)["type"] != "Resource":
            raise InvalidInput(
                where, expected="a trained model on the port 'Trained model'", got=f"node '{node}'"
            )
        uri = self._uri(asset)
        found = _MODEL_URI.fullmatch(uri)
        if not found:
            raise InvalidInput(
                f"$.properties.assets.{asset}.locationInfo.uri",
                expected="mlalm://models/NAME/VERSION?sha256=HASH",
                got=repr(uri),
            )
        return ModelAsset(asset, found["name"], int(found["version"]), found["sha"])

    def _source(self, node: str, port: str | None, where: str) -> str:
        """The one node whose output arrives at `port` of `node`."""
        feeding = [
            str(edge.get("sourceNodeId"))
            for edge in self.edges
            if edge.get("targetNodeId") == node and (edge.get("targetPortId") or None) == port
        ]
        if len(feeding) != 1:
            place = f"port '{port}' of node '{node}'" if port else f"output node '{node}'"
            raise InvalidInput(where, expected=f"exactly one edge into {place}", got=f"{len(feeding)}")
        if feeding[0] not in self.nodes:
            raise InvalidInput(
                where, expected="edges between nodes of this graph", got=f"an edge from '{feeding[0]}'"
            )
        return feeding[0]

    def _refuse_dangling(self, steps: Mapping[str, Step], results: Mapping[str, str]) -> None:
        for index, edge in enumerate(self.edges):
            for end in ("sourceNodeId", "targetNodeId"):
                if str(edge.get(end)) not in self.nodes:
                    raise InvalidInput(
                        f"$.properties.package.edges[{index}].{end}",
                        expected="a node of this graph",
                        got=repr(edge.get(end)),
                    )
        tables = {*steps, *(node for node, body in self.nodes.items() if body.get("inputId"))}
        for place, source in [*((s.node, s.takes) for s in steps.values()), *results.items()]:
            if source not in tables:
                raise InvalidInput(
                    f"$.properties.package.nodes.{place}",
                    expected="a table from an input or a step",
                    got=f"node '{source}'",
                )

    @staticmethod
    def _sorted(steps: Mapping[str, Step]) -> tuple[Step, ...]:
        ordered: dict[str, Step] = {}
        waiting = dict(steps)
        while waiting:
            ready = [step for step in waiting.values() if step.takes not in waiting]
            if not ready:
                raise InvalidInput(
                    "$.properties.package.edges",
                    expected="a graph without a cycle",
                    got=f"one through {sorted(waiting)}",
                )
            for step in ready:
                ordered[step.node] = waiting.pop(step.node)
        return tuple(ordered.values())


def _parameter(parameters: Json, key: str, where: str) -> str:
    value = parameters.get(key)
    if isinstance(value, dict):
        value = value.get("value")
    if not isinstance(value, str) or not value:
        raise InvalidInput(
            f"{where}.{key}", expected="text", got="nothing" if not value else type(value).__name__
        )
    return value
