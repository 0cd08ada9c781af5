"""Service definitions (WSD): immutable documents, named by the hash of the form kept in git."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from mlalm_jupyter.domain.errors import InvalidInput, nearest
from mlalm_jupyter.domain.json_spans import twice
from mlalm_jupyter.domain.signature import Column, Schema
from mlalm_jupyter.domain.wsd.graph import Graph, read_graph
from mlalm_jupyter.domain.wsd.making import (
    code_document,
    notebook_document,
    scoring_document,
    script_document,
)
from mlalm_jupyter.domain.wsd.parameters import check_settings, read_parameters
from mlalm_jupyter.domain.wsd.parts import (
    CodeCell,
    HeldAsset,
    Json,
    ModelAsset,
    ServiceParameter,
    Step,
    trained_model_name,
)
from mlalm_jupyter.domain.wsd.places import Path, fault, kind_of, line_of, shown
from mlalm_jupyter.domain.wsd.reading import Pin, normal
from mlalm_jupyter.domain.wsd.text import canonical_text, too_deep, written

__all__ = [
    "CodeCell",
    "HeldAsset",
    "ModelAsset",
    "ServiceDefinition",
    "ServiceParameter",
    "Step",
    "canonical_text",
    "code_definition",
    "notebook_definition",
    "scoring_definition",
    "script_definition",
    "trained_model_name",
]
MOST_CONCURRENT = 200


@dataclass(frozen=True)
class ServiceDefinition:
    """A service definition: what comes in, which steps it goes through, what comes out.

    Two definitions are the same exactly when their `digest` is.
    """

    text: str
    title: str
    inputs: Mapping[str, Schema]
    outputs: Mapping[str, Schema]
    graph: Graph
    parameters: tuple[ServiceParameter, ...]
    example: Mapping[str, tuple[tuple[object, ...], ...]]
    example_parameters: Mapping[str, object]
    max_concurrent_calls: int | None = None
    exposes_example: bool = True
    is_read_only: bool = False

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def frame(self) -> str:
        """The hash of all of it but its trained models."""
        document = self.to_dict()
        for held in self.models:
            body = document["properties"]["assets"][held.asset]
            body["name"] = body["locationInfo"]["uri"] = ""
        return hashlib.sha256(canonical_text(document).encode()).hexdigest()

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.graph.steps

    @property
    def results(self) -> Mapping[str, str]:
        return self.graph.results

    @property
    def models(self) -> tuple[ModelAsset, ...]:
        """The trained models, each once."""
        return tuple(dict.fromkeys(one for one in self._held if isinstance(one, ModelAsset)))

    @property
    def transforms(self) -> tuple[HeldAsset, ...]:
        return tuple(dict.fromkeys(one for one in self._held if isinstance(one, HeldAsset)))

    @property
    def _held(self) -> Iterator[ModelAsset | HeldAsset]:
        return (one for step in self.steps for one in step.held)

    @property
    def datasets(self) -> tuple[HeldAsset, ...]:
        return tuple(dict.fromkeys(self.graph.datasets.values()))

    @property
    def code(self) -> tuple[CodeCell, ...]:
        return tuple(step.code for step in self.steps if step.code)

    def to_dict(self) -> Json:
        document: Json = json.loads(self.text)
        return document

    @classmethod
    def from_text(
        cls, text: str, *, where: str = "The definition", pin: Pin | None = None
    ) -> ServiceDefinition:
        """Read and check a definition as a person or another tool wrote it; what is wrong is said with line and path.

        With `pin`, addresses of assets may leave their hash away; it is looked up and written in.
        """
        document = _parsed(text, where)
        try:
            return cls.from_dict(document, pin=pin)
        except InvalidInput as error:
            raise _on_its_line(error, text, where) from error

    @classmethod
    def kept(cls, text: str, *, where: str = "The definition") -> ServiceDefinition:
        """A definition as it was kept: its text stays as it is, and so does its hash."""
        document = _parsed(text, where)
        return cls._read(normal(document), text)

    @classmethod
    def from_dict(cls, document: object, *, pin: Pin | None = None) -> ServiceDefinition:
        """Read and check a definition; what is wrong is said with its path."""
        read = normal(document, pin=pin)
        return cls._read(read, written(read))

    @classmethod
    def _read(cls, document: Json, text: str) -> ServiceDefinition:
        properties: Json = document["properties"]
        if properties.get("packageType") != "Graph":
            raise fault(
                ("properties", "packageType"), expected="'Graph'", got=repr(properties.get("packageType"))
            )
        inputs = _ports(properties, "input")
        outputs = _ports(properties, "output")
        graph = read_graph(properties, list(inputs), list(outputs))
        check_settings(graph.steps)
        parameters = read_parameters(properties, graph.steps)
        example, example_parameters = _example(properties, inputs)
        return cls(
            text=text,
            title=str(properties.get("title") or ""),
            inputs=inputs,
            outputs=outputs,
            graph=graph,
            parameters=parameters,
            example=example,
            example_parameters=example_parameters,
            max_concurrent_calls=_most_calls(properties),
            exposes_example=properties.get("exposeSampleData") is not False,
            is_read_only=bool(properties.get("readOnly")),
        )

    def with_model(self, model: ModelAsset, *, asset: str | None = None) -> ServiceDefinition:
        """This definition with another trained model in it; everything else stays.

        `asset` is the asset's own name or the model's; without it there must be exactly one model to replace.
        """
        held = self.model_asset(asset)
        document = self.to_dict()
        replaced = ModelAsset(held.asset, model.name, model.version, model.model_hash)
        body = document["properties"]["assets"][held.asset]
        body["name"] = trained_model_name(model.name)
        body["locationInfo"]["uri"] = replaced.uri
        return ServiceDefinition.from_dict(document)

    def model_asset(self, asset: str | None) -> ModelAsset:
        """The trained model by the name of its asset, by its own, or as `NAME [trained model]`; or the only one."""
        present = {one.asset: one for one in self.models}
        if asset is None:
            if len(present) != 1:
                raise InvalidInput(
                    "The model to replace",
                    expected="a definition with exactly one trained model",
                    got=", ".join(f"{name} ({one.reference})" for name, one in sorted(present.items()))
                    or "none",
                    fix="Name the one you mean." if present else "",
                )
            return next(iter(present.values()))
        wanted = asset.strip().lower()
        found = [
            one
            for one in present.values()
            if wanted in (one.asset.lower(), one.name.lower(), trained_model_name(one.name).lower())
        ]
        if len(found) != 1:
            near = nearest(asset, [*present, *(one.name for one in present.values())])
            raise InvalidInput(
                f"The asset '{asset}'",
                expected=f"one of {sorted(present)}",
                got="several models of that name" if found else "no trained model of that name",
                fix=f"Did you mean '{near[0]}'?" if near else "",
            )
        return found[0]


def scoring_definition(
    *,
    title: str,
    model: ModelAsset,
    inputs: Schema,
    outputs: Schema,
    example: Sequence[Sequence[object]] = (),
) -> ServiceDefinition:
    """The definition of a service that scores one trained model: rows in, rows with scores out."""
    return ServiceDefinition.from_dict(
        scoring_document(title=title, model=model, inputs=inputs, outputs=outputs, example=example)
    )


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
    return ServiceDefinition.from_dict(
        code_document(
            title=title, source=source, entry=entry, inputs=inputs, outputs=outputs, example=example
        )
    )


def script_definition(
    *,
    title: str,
    source: str,
    inputs: Schema,
    outputs: Schema,
    model: ModelAsset | None = None,
    example: Sequence[Sequence[object]] = (),
) -> ServiceDefinition:
    """The definition of a service of a script with `init()` and `run(data)`."""
    return ServiceDefinition.from_dict(
        script_document(
            title=title, source=source, inputs=inputs, outputs=outputs, model=model, example=example
        )
    )


def notebook_definition(
    *,
    title: str,
    source: str,
    assets: Mapping[str, ModelAsset | HeldAsset],
    inputs: Mapping[str, Schema],
    outputs: Mapping[str, Schema],
    example: Mapping[str, Sequence[Sequence[object]]],
) -> ServiceDefinition:
    """The definition of a service of a notebook's cells: `run` gets the tables in their order and the assets by name."""
    return ServiceDefinition.from_dict(
        notebook_document(
            title=title, source=source, assets=assets, inputs=inputs, outputs=outputs, example=example
        )
    )


def _parsed(text: str, where: str) -> object:
    try:
        document: object = json.loads(text)
        if found := twice(text):
            name, at = found
            line = text.count("\n", 0, at) + 1
            raise InvalidInput(f"{where}, line {line},", expected="each name once", got=f"'{name}' twice")
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"{where}, line {error.lineno}, column {error.colno},", expected="JSON", got=error.msg
        ) from error
    except RecursionError as error:
        raise too_deep(where) from error
    return document


def _on_its_line(error: InvalidInput, text: str, where: str) -> InvalidInput:
    """The same error with the line of a file that it is on."""
    if error.path is None:
        return error
    placed = f"{where}, line {line_of(text, error.path)}, {shown(error.path)},"
    return InvalidInput(placed, expected=error.expected, got=error.got, fix=error.fix)


def _ports(properties: Json, side: str) -> dict[str, Schema]:
    path: Path = ("properties", side, "properties")
    body = properties.get(side)
    if body is None and side == "input":
        return {}
    ports = body.get("properties") if isinstance(body, dict) else None
    if not isinstance(ports, dict):
        raise fault(path if isinstance(body, dict) else path[:2], expected="an object", got=kind_of(ports))
    return {name: _schema(port, (*path, name, "properties")) for name, port in ports.items()}


def _schema(port: Json, path: Path) -> Schema:
    columns = []
    for name, body in (port.get("properties") or {}).items():
        try:
            columns.append(Column.from_schema(name, body, where=shown((*path, name))))
        except InvalidInput as error:
            raise fault((*path, name), expected=error.expected, got=error.got) from error
    return Schema(tuple(columns))


def _example(
    properties: Json, inputs: Mapping[str, Schema]
) -> tuple[dict[str, tuple[tuple[object, ...], ...]], dict[str, object]]:
    path: Path = ("properties", "exampleRequest")
    request = properties.get("exampleRequest") or {}
    example: dict[str, tuple[tuple[object, ...], ...]] = {}
    given = request.get("inputs") or {}
    if not isinstance(given, dict):
        raise fault((*path, "inputs"), expected="an object", got=kind_of(given))
    for name, rows in given.items():
        here = (*path, "inputs", name)
        if name not in inputs:
            raise fault(here, expected=f"one of the inputs {sorted(inputs)}", got=repr(name))
        width = len(inputs[name].columns)
        if not isinstance(rows, list) or any(not isinstance(row, list) or len(row) != width for row in rows):
            raise fault(here, expected=f"a list of rows of {width} cells", got="something else")
        example[name] = tuple(tuple(row) for row in rows)
    parameters = request.get("globalParameters") or {}
    if not isinstance(parameters, dict):
        raise fault((*path, "globalParameters"), expected="an object", got=kind_of(parameters))
    return example, parameters


def _most_calls(properties: Json) -> int | None:
    found = (properties.get("realtimeConfiguration") or {}).get("maxConcurrentCalls")
    if found is not None and not 1 <= found <= MOST_CONCURRENT:
        path = ("properties", "realtimeConfiguration", "maxConcurrentCalls")
        raise fault(path, expected=f"1 to {MOST_CONCURRENT}", got=str(found))
    return found
