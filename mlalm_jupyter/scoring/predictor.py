"""A definition made ready to answer: checked, trusted, its models open, its code in a module of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter.domain.definition import CodeCell, ModelAsset, ServiceDefinition
from mlalm_jupyter.domain.errors import Corrupt, MlalmError, NotFound, ScoringFailed
from mlalm_jupyter.domain.projection import Servable
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema
from mlalm_jupyter.domain.trust import TYPE, check_code, check_payload
from mlalm_jupyter.formats import bundle as bundles
from mlalm_jupyter.formats import frames
from mlalm_jupyter.formats.code import CodeModule, said
from mlalm_jupyter.scoring.answers import Output
from mlalm_jupyter.scoring.columns import Array, cells, type_name, typed
from mlalm_jupyter.scoring.errors import Refusal, bad_request
from mlalm_jupyter.scoring.requests import Request, Table, given
from mlalm_jupyter.scoring.seals import is_sealed

FORM = "original"
_MEND = "Mend it, then deploy it again."
_LOOK = "Look at the rows it was given; if they are right, mend the step and deploy again."


@dataclass(frozen=True, slots=True)
class _Step:
    node: str
    takes: str
    label: str
    run: Callable[[pd.DataFrame], pd.DataFrame]
    module: CodeModule | None = None
    """Where its code lives, for as long as this step does."""


@dataclass(frozen=True)
class Predictor:
    """What answers for one definition."""

    definition: ServiceDefinition
    servable: Servable
    steps: tuple[_Step, ...]

    @classmethod
    def load(cls, servable: Servable, public_key: str) -> Predictor:
        """Open a definition and everything in it; nothing of it runs before all of it is trusted."""
        definition = read_definition(servable)
        check_trust(definition, servable, public_key)
        checked = [(asset, _bundle(asset, servable, public_key)) for asset in definition.models]
        opened = {
            asset.asset: _opened(asset, bundle, is_trusted, _types_of(asset, servable, public_key))
            for asset, (bundle, is_trusted) in checked
        }
        steps = []
        for step in definition.steps:
            if step.model:
                label = f"step '{step.node}' (model {step.model.reference})"
                steps.append(_Step(step.node, step.takes, label, _scoring(opened[step.model.asset])))
            elif step.code:
                function, module = _function(step.code, definition.digest)
                label = f"step '{step.node}' ({step.code.entry})"
                steps.append(_Step(step.node, step.takes, label, _scoring(function), module))
        return cls(definition, servable, tuple(steps))

    @cached_property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """What every answer says of who gave it, apart from the endpoint."""
        told = [(b"x-mlalm-definition", self.definition.digest.encode()), (b"x-mlalm-form", FORM.encode())]
        if self.definition.models:
            held = self.definition.models
            told.append((b"x-mlalm-model", ", ".join(asset.reference for asset in held).encode()))
            told.append((b"x-mlalm-model-hash", ", ".join(asset.model_hash for asset in held).encode()))
        return tuple(told)

    @cached_property
    def _input_nodes(self) -> dict[str, str]:
        nodes = self.definition.to_dict()["properties"]["package"]["nodes"]
        return {node: body["inputId"] for node, body in nodes.items() if body.get("inputId")}

    def predict(self, request: Request) -> dict[str, Output]:
        """The outputs for a request, or a `Refusal` that says what is wrong with it."""
        tables = _checked_inputs(request, self.definition.inputs)
        arrays: dict[str, dict[str, Array]] = {}
        rows = 0
        for name, value in tables.items():
            table = given(name, value)
            if table.rows or table.columns:
                arrays[name] = typed(self.definition.inputs[name], table)
            rows += table.rows
        if not rows:
            return {name: _empty(schema) for name, schema in self.definition.outputs.items()}
        return self._outputs(arrays)

    def replay(self) -> None:
        """Score the definition's own example, so that what cannot answer is found before it serves."""
        if not any(self.definition.example.values()):
            return
        inputs: dict[str, Table | list[dict[str, Any]]] = {}
        for name, schema in self.definition.inputs.items():
            rows = [list(row) for row in self.definition.example.get(name, ())]
            inputs[name] = Table(list(schema.names), rows)  # type: ignore[arg-type]  # checked when typed
        try:
            self.predict(Request(Inputs=inputs))
        except Refusal as refusal:
            raise ScoringFailed("the definition's own example", why=refusal.message, fix=_MEND) from refusal

    def _outputs(self, arrays: Mapping[str, Mapping[str, Array]]) -> dict[str, Output]:
        held: dict[str, pd.DataFrame] = {
            node: frames.frame_of(self.definition.inputs[name], arrays.get(name, {}))
            for node, name in self._input_nodes.items()
        }
        for step in self.steps:
            held[step.node] = _ran(step, held[step.takes])
        return {
            name: _output(name, schema, held[self.definition.results[name]])
            for name, schema in self.definition.outputs.items()
        }


def read_definition(servable: Servable) -> ServiceDefinition:
    """The definition a servable names, its bytes checked against their hash."""
    what = f"Definition {servable.digest[:12]}"
    data = _bytes(servable.path, servable.digest, what)
    try:
        definition = ServiceDefinition.from_text(data.decode(), where=what)
    except UnicodeDecodeError as error:
        raise Corrupt(what, why="It is not text.") from error
    if definition.digest != servable.digest:
        raise Corrupt(what, why="It is not written in the form that is hashed.")
    return definition


def check_trust(definition: ServiceDefinition, servable: Servable, public_key: str) -> None:
    """Refuse code and payloads that could run something and that the workspace's key did not sign."""
    sealed = is_sealed("definition", definition.digest, seal=servable.seal, public_key=public_key)
    check_code(definition, is_sealed=sealed)


def check_servable(servable: Servable, public_key: str) -> None:
    """Everything `Predictor.load` checks before it opens or runs anything."""
    definition = read_definition(servable)
    check_trust(definition, servable, public_key)
    for asset in definition.models:
        _bundle(asset, servable, public_key)


def _types_of(asset: ModelAsset, servable: Servable, public_key: str) -> frozenset[str]:
    """The classes in a model's file that the workspace's key signed by name."""
    found = [one for one in servable.models if one.model_hash == asset.model_hash]
    return frozenset(
        name
        for one in found
        for name, seal in one.types
        if is_sealed(TYPE, name, seal=seal, public_key=public_key)
    )


def _opened(asset: ModelAsset, bundle: bundles.Bundle, is_trusted: bool, types: frozenset[str]) -> object:
    try:
        return bundle.load(trusted=is_trusted, digest=bundle.model_hash, allows=types.__contains__)
    except (MlalmError, MemoryError):
        raise
    except Exception as error:  # a payload may raise anything while it is opened
        why = f"Opening it raised {type(error).__name__}: {error}."
        raise Corrupt(f"Model {asset.reference}", why=why) from error


def _bundle(asset: ModelAsset, servable: Servable, public_key: str) -> tuple[bundles.Bundle, bool]:
    """The file of a model, checked against digest and hash, and whether it is signed or is only data."""
    what = f"Model {asset.reference}"
    found = next((one for one in servable.models if one.model_hash == asset.model_hash), None)
    if found is None:
        raise Corrupt(what, why="The server was given no file for the hash its definition names.")
    bundle = bundles.read(_bytes(found.bundle_path, found.bundle_digest, what))
    if bundle.model_hash != asset.model_hash:
        raise Corrupt(what, why="Its file holds another model than its definition names.")
    is_trusted = is_sealed("model", bundle.model_hash, seal=found.seal, public_key=public_key)
    check_payload(
        asset.reference,
        format=bundle.format,
        model_hash=bundle.model_hash,
        is_data_only=bundle.is_data_only,
        is_sealed=is_trusted,
    )
    return bundle, is_trusted


def _bytes(path: str, digest: str, what: str) -> bytes:
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise NotFound("blob", digest, fix="Run `mlalm workspace doctor` to see what misses it.") from error
    except OSError as error:
        raise Corrupt(what, why=f"Its file cannot be read: {error.strerror}.") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise Corrupt(what, why="Its bytes no longer give the hash it is named by.")
    return data


def _function(cell: CodeCell, digest: str) -> tuple[Callable[..., Any], CodeModule]:
    """The entry function of a code step, and the module it lives in."""
    file = f"<{cell.node} of {digest[:12]}>"
    where = f"step '{cell.node}'"
    try:
        module = CodeModule(cell.source, name=f"mlalm_definition_{digest[:16]}_{cell.node}", file=file)
    except (Exception, SystemExit) as error:  # a stranger's code may raise anything
        raise ScoringFailed(where, why=f"{said(error, file)}.", fix=_MEND) from error
    function = module[cell.entry]
    if not callable(function):
        raise ScoringFailed(where, why=f"Its code defines no function '{cell.entry}'.", fix=_MEND)
    return function, module


def _scoring(model: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frames.score(model, frame)


def _ran(step: _Step, frame: pd.DataFrame) -> pd.DataFrame:
    try:
        return step.run(frame)
    except MemoryError:
        raise
    except MlalmError as error:  # what a step gives or lacks is never the caller's fault
        raise ScoringFailed(step.label, why=str(error), fix=_LOOK) from error
    except (Exception, SystemExit) as error:  # a stranger's code may raise anything
        file = step.module.file if step.module else None
        raise ScoringFailed(step.label, why=f"{said(error, file)}.", fix=_LOOK) from error


def _checked_inputs(request: Request, schemas: Mapping[str, Schema]) -> Mapping[str, Any]:
    """The inputs by name: each known, none lacking; and no parameter nobody declared."""
    inputs = request.Inputs
    if not inputs:
        message = f"The body has no Inputs; this service takes {_named(schemas)}."
        raise bad_request(message, cause="MissingRequestInput", target="Inputs")
    if unknown := [name for name in inputs if name not in schemas]:
        message = f"The service has no input {_named(unknown)}; it takes {_named(schemas)}."
        raise bad_request(message, cause="InvalidInputNames", target="Inputs")
    if lacking := [name for name in schemas if name not in inputs]:
        message = f"The body lacks the input {_named(lacking)}."
        raise bad_request(message, cause="MissingRequestInput", target="Inputs")
    if request.GlobalParameters:
        message = f"The service has no parameter {_named(request.GlobalParameters)}."
        raise Refusal(400, "BadUserArgument", "UnexpectedParameter", message, target="GlobalParameters")
    return inputs


def _named(names: Any) -> str:
    shown = [name if len(name) <= 60 else f"{name[:57]}..." for name in list(names)[:10]]
    return ", ".join(f"'{name}'" for name in shown)


def _empty(schema: Schema) -> Output:
    types_ = tuple(str(column.type) for column in schema.columns)
    return Output(schema.names, types_, tuple([] for _ in schema.columns))


def _output(name: str, schema: Schema, frame: pd.DataFrame) -> Output:
    columns = schema.columns or frames.schema_of(frame).columns
    arrays = [_result(name, column, frame) for column in columns]
    return Output(
        names=tuple(column.name for column in columns),
        types=tuple(type_name(column, array.dtype) for column, array in zip(columns, arrays, strict=True)),
        columns=tuple(cells(array) for array in arrays),
    )


def _objects(series: pd.Series[Any]) -> Array:
    """A column of anything as objects, missing values as None."""
    values: Array
    if isinstance(series.dtype, np.dtype):
        values = np.array(series.astype(object), dtype=object)
        values[series.isna().to_numpy()] = None
        return values
    # in one step, for what the extension types do it with costs more than a small model
    values = series.array.to_numpy(dtype=object, na_value=None)
    return values


def _result(output: str, column: Column, frame: pd.DataFrame) -> Array:
    """One column of a result frame as a plain array, missing values as None or NaN."""
    found: Any = frame.get(column.name)
    if not isinstance(found, pd.Series):
        why = (
            "has no column '{}', which the definition promises" if found is None else "has column '{}' twice"
        )
        raise ScoringFailed(f"output '{output}'", why=f"The result {why.format(column.name)}.", fix=_MEND)
    series: pd.Series[Any] = found
    dtype = series.dtype
    values: Array
    if isinstance(dtype, np.dtype) and dtype.kind in "iufbM":
        values = series.to_numpy()
        return values
    if isinstance(dtype, pd.DatetimeTZDtype):
        values = series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        return values
    values = _objects(series)
    if column.type is ColumnType.BOOLEAN and all(isinstance(value, bool) for value in values):
        return values.astype(bool)
    return values
