"""What a service takes and gives, as documents that tools read: Swagger 2.0 as the published service had it, OpenAPI 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from mlalm_jupyter.domain.definition import ServiceDefinition, ServiceParameter
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema

Json = dict[str, Any]
_TYPES: dict[ColumnType, tuple[str, str]] = {
    ColumnType.BOOLEAN: ("boolean", ""),
    ColumnType.INT64: ("integer", "int64"),
    ColumnType.DOUBLE: ("number", "double"),
    ColumnType.STRING: ("string", ""),
    ColumnType.DATETIME: ("string", "date-time"),
}
_BLANKS: dict[str, object] = {"boolean": False, "integer": 1, "number": 1, "string": ""}
_PARAMETERS = {"int": "integer", "float": "number", "double": "number", "boolean": "boolean"}
_ERRORS = {
    400: "the request does not fit the service; the code and the message say what and where",
    401: "no key came along, or one that does not open this endpoint",
    404: "there is no endpoint at this address",
    408: "the request did not arrive in time",
    413: "the body is larger than is taken",
    500: "the service's definition could not be loaded",
    503: "the service is stopped, or has too many calls at once; Retry-After says when to come again",
    504: "the service did not answer in time",
}
_KEY = "Bearer KEY, with the primary or secondary key of this endpoint."


def swagger(definition: ServiceDefinition, address: str) -> Json:
    """The document of the published service, by the names that its clients read."""
    parts = urlsplit(address)
    items: Json = {}
    for name, schema in definition.inputs.items():
        items |= _item(f"{name}Item", name, schema)
    for name, schema in definition.outputs.items():
        items |= _item(f"{name}Item", name, schema)
    request: Json = {
        "type": "object",
        "properties": {
            "Inputs": {
                "type": "object",
                "properties": {name: _list("definitions", f"{name}Item") for name in definition.inputs},
                "required": list(definition.inputs),
            },
            "GlobalParameters": _settings(definition),
        },
        "required": ["Inputs"] if definition.inputs else [],
        "example": {"Inputs": examples(definition), "GlobalParameters": settings_example(definition)},
    }
    if not request["required"]:
        del request["required"]
    if not definition.inputs:
        del request["properties"]["Inputs"]["required"]
    response = {
        "type": "object",
        "properties": {
            "Results": {
                "type": "object",
                "properties": {name: _list("definitions", f"{name}Item") for name in definition.outputs},
            }
        },
    }
    return {
        "swagger": "2.0",
        "info": {
            "title": definition.title or "Service",
            "description": str(definition.to_dict()["properties"].get("description") or ""),
            "version": "2.0",
        },
        "host": parts.netloc,
        "schemes": [parts.scheme],
        "basePath": parts.path,
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": {
            "/swagger.json": {
                "get": {
                    "summary": "Get this document",
                    "operationId": "getSwaggerDocument",
                    "responses": {"200": {"description": "this document", "schema": {"type": "object"}}},
                }
            },
            "/execute?api-version=2.0&format=swagger": {
                "post": {
                    "summary": "Score rows",
                    "operationId": "execute",
                    "parameters": [
                        {
                            "name": "ExecutionRequest",
                            "in": "body",
                            "required": True,
                            "schema": {"$ref": "#/definitions/ExecutionRequest"},
                        }
                    ],
                    "security": [{"apiKeyHeader": []}],
                    "responses": {
                        "200": {
                            "description": "the results",
                            "schema": {"$ref": "#/definitions/ExecutionResults"},
                        },
                        "default": {
                            "description": "what went wrong",
                            "schema": {"$ref": "#/definitions/ErrorResponse"},
                        },
                    },
                }
            },
        },
        "securityDefinitions": {
            "apiKeyHeader": {"type": "apiKey", "name": "Authorization", "in": "header", "description": _KEY}
        },
        "definitions": {
            "ExecutionRequest": request,
            "ExecutionResults": response,
            "ErrorResponse": _error(),
            **items,
        },
    }


def openapi(definition: ServiceDefinition, address: str, *, service: str) -> Json:
    """An OpenAPI 3 document of all the forms an endpoint takes."""
    schemas: Json = {"Error": _error(), "InferenceError": _inference_error()}
    for name, schema in (*definition.inputs.items(), *definition.outputs.items()):
        schemas |= _item(f"{name}Item", name, schema)
    several_in, several_out = len(definition.inputs) != 1, len(definition.outputs) != 1
    rows_in = {name: _list("components/schemas", f"{name}Item") for name in definition.inputs}
    rows_out = {name: _list("components/schemas", f"{name}Item") for name in definition.outputs}
    plain_in: Json = (
        _named_rows(rows_in, required=list(rows_in)) if several_in else next(iter(rows_in.values()))
    )
    plain_out: Json = _named_rows(rows_out) if several_out else next(iter(rows_out.values()))
    if several_in:
        plain_in["properties"]["parameters"] = _settings(definition)
    text = {"schema": {"type": "string"}}
    forms_in: Json = {
        "application/json": {"schema": plain_in, "example": _plain_example(definition, several_in)}
    }
    forms_out: Json = {"application/json": {"schema": plain_out}}
    if not several_in:
        forms_in |= {"text/csv": text, "application/vnd.apache.arrow.stream": text}
    if not several_out:
        forms_out |= {"text/csv": text, "application/vnd.apache.arrow.stream": text}
    published = {
        "type": "object",
        "properties": {
            "Inputs": _named_rows(rows_in, required=list(rows_in)),
            "GlobalParameters": _settings(definition),
        },
        "required": ["Inputs"] if definition.inputs else [],
    }
    results = {"type": "object", "properties": {"Results": {"type": "object"}}}
    example = {"Inputs": examples(definition), "GlobalParameters": settings_example(definition)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": definition.title or service,
            "description": str(definition.to_dict()["properties"].get("description") or ""),
            "version": definition.digest[:12],
        },
        "servers": [{"url": address}],
        "security": [{"key": []}],
        "paths": {
            "/score": {
                "post": {
                    "summary": "Score rows, in and out as plain JSON, CSV or Arrow",
                    "operationId": "score",
                    "requestBody": {"required": True, "content": forms_in},
                    "responses": {
                        "200": {"description": "the rows with their scores", "content": forms_out},
                        **_refusals(),
                    },
                }
            },
            "/execute": {
                "post": {
                    "summary": "Score rows as clients of Azure ML Studio (classic) do",
                    "operationId": "execute",
                    "parameters": [
                        _query("api-version", {"type": "string", "enum": ["2.0"]}),
                        _query("details", {"type": "string", "enum": ["true", "false"]}),
                        _query("format", {"type": "string", "enum": ["swagger"]}),
                    ],
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": published, "example": example}},
                    },
                    "responses": {
                        "200": {
                            "description": "the results",
                            "content": {"application/json": {"schema": results}},
                        },
                        **_refusals(),
                    },
                }
            },
            f"/v2/models/{service}": {
                "get": {
                    "summary": "What the model takes and gives (Open Inference Protocol)",
                    "operationId": "modelMetadata",
                    "security": [],
                    "responses": {"200": _object("its tensors"), **_refusals(_INFERENCE_ERROR, 404)},
                }
            },
            f"/v2/models/{service}/infer": {
                "post": {
                    "summary": "Score tensors (Open Inference Protocol)",
                    "operationId": "infer",
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": _inference_request(definition)}},
                    },
                    "responses": {"200": _object("the tensors it gives"), **_refusals(_INFERENCE_ERROR)},
                }
            },
            "/openapi.json": {
                "get": {
                    "summary": "This document",
                    "operationId": "document",
                    "security": [],
                    "responses": {"200": _object("this document"), **_refusals(_ERROR, 404)},
                }
            },
            "/swagger.json": {
                "get": {
                    "summary": "The same in the form of the published service",
                    "operationId": "swagger",
                    "security": [],
                    "responses": {"200": _object("a Swagger 2.0 document"), **_refusals(_ERROR, 404)},
                }
            },
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": _KEY}},
            "schemas": schemas,
        },
    }


def examples(definition: ServiceDefinition) -> dict[str, list[dict[str, object]]]:
    """Rows for each input: the definition's own where it shows them, else blanks."""
    found = {}
    for name, schema in definition.inputs.items():
        rows = definition.example.get(name, ())[:1] if definition.exposes_example else ()
        row = rows[0] if rows else [_BLANKS[_TYPES[column.type][0]] for column in schema.columns]
        found[name] = [dict(zip(schema.names, row, strict=True))]
    return found


def settings_example(definition: ServiceDefinition) -> dict[str, object]:
    """A value for each parameter."""
    own = definition.example_parameters if definition.exposes_example else {}
    return {
        one.name: own.get(one.name, one.default if one.default is not None else _BLANKS[_kind(one)])
        for one in definition.parameters
    }


def _plain_example(definition: ServiceDefinition, several: bool) -> object:
    told = examples(definition)
    if not several:
        return next(iter(told.values()))
    settings = settings_example(definition)
    return {**told, **({"parameters": settings} if settings else {})}


def _item(key: str, name: str, schema: Schema) -> Json:
    properties = {column.name: _property(column) for column in schema.columns}
    return {key: {"type": "object", "title": name, "properties": properties}}


def _property(column: Column) -> Json:
    kind, form = _TYPES[column.type]
    told: Json = {"type": kind}
    if form:
        told["format"] = form
    if column.nullable:
        told["x-nullable"] = True
    return told


def _list(place: str, item: str) -> Json:
    return {"type": "array", "items": {"$ref": f"#/{place}/{item}"}}


def _named_rows(rows: Json, required: list[str] | None = None) -> Json:
    told: Json = {"type": "object", "properties": dict(rows)}
    if required:
        told["required"] = required
    return told


def _kind(parameter: ServiceParameter) -> str:
    return _PARAMETERS.get(parameter.type.lower(), "string")


def _settings(definition: ServiceDefinition) -> Json:
    properties: Json = {}
    for one in definition.parameters:
        properties[one.name] = {"type": _kind(one)}
        if one.default is not None:
            properties[one.name]["default"] = one.read(one.default)
    told: Json = {"type": "object", "properties": properties}
    if required := [one.name for one in definition.parameters if one.is_required]:
        told["required"] = required
    return told


def _inference_request(definition: ServiceDefinition) -> Json:
    tensor = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "datatype": {"type": "string"},
            "data": {"type": "array"},
        },
        "required": ["name", "shape", "datatype"],
    }
    return {
        "type": "object",
        "properties": {"id": {"type": "string"}, "inputs": {"type": "array", "items": tensor}},
        "required": ["inputs"],
    }


_ERROR, _INFERENCE_ERROR = "#/components/schemas/Error", "#/components/schemas/InferenceError"


def _refusals(schema: str = _ERROR, *only: int) -> Json:
    content = {"application/json": {"schema": {"$ref": schema}}}
    codes: Mapping[int, str] = {code: _ERRORS[code] for code in only} if only else _ERRORS
    told = {str(code): {"description": text, "content": content} for code, text in codes.items()}
    if not only:
        told["406"] = {"description": "the answer has no such form", "content": content}
        told["415"] = {"description": "the body's content type is not taken", "content": content}
    return told


def _object(description: str) -> Json:
    return {"description": description, "content": {"application/json": {"schema": {"type": "object"}}}}


def _query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _error() -> Json:
    detail = {
        "type": "object",
        "properties": {
            "code": {"type": "string"},
            "target": {"type": "string"},
            "message": {"type": "string"},
        },
    }
    error = {
        "type": "object",
        "properties": {
            "code": {"type": "string"},
            "message": {"type": "string"},
            "details": {"type": "array", "items": detail},
        },
        "required": ["code", "message", "details"],
    }
    return {"type": "object", "properties": {"error": error}, "required": ["error"]}


def _inference_error() -> Json:
    return {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
