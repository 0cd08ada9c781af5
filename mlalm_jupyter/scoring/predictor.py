"""A definition made ready to answer: checked, trusted, its models open, its code in a module of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import pandas as pd

from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import ScoringFailed
from mlalm_jupyter.domain.projection import Servable
from mlalm_jupyter.domain.signature import Schema
from mlalm_jupyter.formats import frames
from mlalm_jupyter.scoring.answers import Output
from mlalm_jupyter.scoring.columns import Array, typed
from mlalm_jupyter.scoring.contents import (
    check_trust,
    opened_package,
    packages,
    packed,
    read_definition,
    table,
    types_of,
)
from mlalm_jupyter.scoring.errors import Refusal, bad_request, named
from mlalm_jupyter.scoring.parameters import given_settings
from mlalm_jupyter.scoring.requests import Asked, Request, Table, given
from mlalm_jupyter.scoring.results import empty, output
from mlalm_jupyter.scoring.steps import MEND, ReadyStep, ready_steps

FORM = "original"


@dataclass(frozen=True)
class Predictor:
    """What answers for one definition."""

    definition: ServiceDefinition
    servable: Servable
    steps: tuple[ReadyStep, ...]
    tables: Mapping[str, pd.DataFrame]
    """The datasets it brings, by their nodes."""

    @classmethod
    def load(cls, servable: Servable, public_key: str) -> Predictor:
        """Open a definition and everything in it; nothing of it runs before all of it is trusted."""
        definition = read_definition(servable)
        check_trust(definition, servable, public_key)
        checked = [(asset, packed(asset, servable, public_key)) for asset in packages(definition)]
        tables = {node: table(one, servable) for node, one in definition.graph.datasets.items()}
        opened = {
            asset.asset: opened_package(asset, bundle, is_trusted, types_of(asset, servable, public_key))
            for asset, (bundle, is_trusted) in checked
        }
        return cls(definition, servable, ready_steps(definition, opened), tables)

    @cached_property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """What every answer says of who gave it, apart from the endpoint."""
        told = [(b"x-mlalm-definition", self.definition.digest.encode()), (b"x-mlalm-form", FORM.encode())]
        if self.definition.models:
            held = self.definition.models
            told.append((b"x-mlalm-model", ", ".join(asset.reference for asset in held).encode()))
            told.append((b"x-mlalm-model-hash", ", ".join(asset.model_hash for asset in held).encode()))
        return tuple(told)

    def predict(self, request: Request | Asked) -> dict[str, Output]:
        """The outputs for a request, or a `Refusal` that says what is wrong with it."""
        definition = self.definition
        tables = _checked_inputs(request, definition.inputs)
        settings = given_settings(definition.parameters, request.GlobalParameters)
        arrays: dict[str, dict[str, Array]] = {}
        rows = 0
        for name, value in tables.items():
            table = given(name, value)
            if table.rows or table.columns:
                arrays[name] = typed(definition.inputs[name], table)
            rows += table.rows
        if not rows and definition.inputs:
            return {name: empty(schema) for name, schema in definition.outputs.items()}
        return self._outputs(arrays, settings)

    def replay(self) -> None:
        """Score the definition's own example, so that what cannot answer is found before it serves."""
        definition = self.definition
        lacking = [one for one in definition.parameters if one.is_required]
        if lacking and not definition.example_parameters:
            return
        if definition.inputs and not any(definition.example.values()):
            return
        inputs: dict[str, Table | list[dict[str, Any]]] = {}
        for name, schema in self.definition.inputs.items():
            rows = [list(row) for row in self.definition.example.get(name, ())]
            inputs[name] = Table(list(schema.names), rows)  # type: ignore[arg-type]  # checked when typed
        parameters = {
            name: msgspec.Raw(msgspec.json.encode(value))
            for name, value in definition.example_parameters.items()
        }
        try:
            self.predict(Request(Inputs=inputs, GlobalParameters=parameters))
        except Refusal as refusal:
            raise ScoringFailed("the definition's own example", why=refusal.message, fix=MEND) from refusal

    def _outputs(
        self, arrays: Mapping[str, Mapping[str, Array]], settings: Mapping[str, Mapping[str, object]]
    ) -> dict[str, Output]:
        definition = self.definition
        held: dict[str, pd.DataFrame] = dict(self.tables)
        for node, name in definition.graph.sources.items():
            held[node] = frames.frame_of(definition.inputs[name], arrays.get(name, {}))
        for step in self.steps:
            held[step.node] = step.ran([held[one] for one in step.takes], settings.get(step.node, {}))
        return {
            name: output(name, schema, held[definition.results[name]])
            for name, schema in definition.outputs.items()
        }


def _checked_inputs(request: Request | Asked, schemas: Mapping[str, Schema]) -> Mapping[str, Any]:
    """The inputs by name: each known, none lacking."""
    inputs = request.Inputs
    if not inputs and not schemas:
        return {}
    if not inputs:
        message = f"The body has no Inputs; this service takes {named(schemas)}."
        raise bad_request(message, cause="MissingRequestInput", target="Inputs")
    if unknown := [name for name in inputs if name not in schemas]:
        message = f"The service has no input {named(unknown)}; it takes {named(schemas)}."
        raise bad_request(message, cause="InvalidInputNames", target="Inputs")
    if lacking := [name for name in schemas if name not in inputs]:
        message = f"The body lacks the input {named(lacking)}."
        raise bad_request(message, cause="MissingRequestInput", target="Inputs")
    return inputs
