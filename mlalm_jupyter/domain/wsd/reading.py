"""Definitions as people, git and old tools wrote them, brought into one form.

Names of the published schema are matched in whatever case, `"true"` is read as true, parameters may be plain text.
What the schema does not know is kept. What says where a service runs, and every secret, is no part of a definition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from mlalm_jupyter.domain.wsd.parts import ASSET_URI, Json, asset_uri
from mlalm_jupyter.domain.wsd.places import Path, fault, kind_of

Pin = Callable[[str, str, int], str]
"""The hash of an asset of a kind, a name and a version."""


class _Leaf(Enum):
    ANY = 1
    FLAG = 2
    WHOLE = 3
    SETTING = 4


@dataclass(frozen=True)
class _Fields:
    """An object of known names, and of others that are kept as they are."""

    names: Mapping[str, Any]
    folded: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "folded", {name.lower(): name for name in self.names})


@dataclass(frozen=True)
class _Each:
    """An object whose names are the author's own."""

    of: Any


@dataclass(frozen=True)
class _Items:
    of: Any


def _plain(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, _Leaf.ANY)


_COLUMN = _Fields(
    {**_plain("type", "format", "enum"), "x-ms-isnullable": _Leaf.FLAG, "x-ms-isordered": _Leaf.FLAG}
)
_TABLE = _Fields({**_plain("title", "description", "type", "format"), "properties": _Each(_COLUMN)})
_PORTS = _Fields({**_plain("title", "description", "type"), "properties": _Each(_TABLE)})
_ASSET = _Fields(
    {
        **_plain("name", "id", "type", "metadata", "parameters"),
        "locationInfo": _Fields(_plain("uri", "credentials")),
        "inputPorts": _Each(_Fields(_plain("type"))),
        "outputPorts": _Each(_Fields(_plain("type"))),
    }
)
_NODE = _Fields({**_plain("assetId", "inputId", "outputId"), "parameters": _Each(_Leaf.SETTING)})
_EDGE = _Fields(_plain("sourceNodeId", "sourcePortId", "targetNodeId", "targetPortId"))
_GRAPH_PARAMETER = _Fields(
    {**_plain("description", "type"), "links": _Items(_Fields(_plain("nodeId", "parameterKey")))}
)
_PROPERTIES = _Fields(
    {
        **_plain("title", "description", "createdOn", "modifiedOn", "provisioningState", "swaggerLocation"),
        **_plain("packageType", "payloadsLocation"),
        "readOnly": _Leaf.FLAG,
        "exposeSampleData": _Leaf.FLAG,
        "payloadsInBlobStorage": _Leaf.FLAG,
        "keys": _Fields(_plain("primary", "secondary")),
        "storageAccount": _Fields(_plain("name", "key")),
        "commitmentPlan": _Fields(_plain("id")),
        "machineLearningWorkspace": _Fields(_plain("id")),
        "realtimeConfiguration": _Fields({"maxConcurrentCalls": _Leaf.WHOLE}),
        "diagnostics": _Fields(_plain("level", "expiry")),
        "input": _PORTS,
        "output": _PORTS,
        "exampleRequest": _Fields(_plain("inputs", "globalParameters")),
        "assets": _Each(_ASSET),
        "parameters": _Each(_Leaf.SETTING),
        "package": _Fields(
            {"nodes": _Each(_NODE), "edges": _Items(_EDGE), "graphParameters": _Each(_GRAPH_PARAMETER)}
        ),
    }
)
_RESOURCE = _Fields({**_plain("id", "name", "location", "type", "tags"), "properties": _PROPERTIES})

_WHERE_IT_RUNS = ("id", "name", "location", "type")
_NOT_ITS_OWN = (
    "keys", "storageAccount", "commitmentPlan", "machineLearningWorkspace", "createdOn", "modifiedOn",
    "provisioningState", "swaggerLocation", "payloadsInBlobStorage", "payloadsLocation",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Placement:
    """What a document says of where its service runs, beside the definition itself."""

    name: str | None = None
    region: str | None = None
    plan: str | None = None
    storage: str | None = None
    storage_key: str | None = field(default=None, repr=False)
    primary: str | None = field(default=None, repr=False)
    secondary: str | None = field(default=None, repr=False)


def folded(document: object) -> Json:
    """A document with the names and values of the published schema in their one form, complete."""
    read: Json = _read(_object(document, ()), _RESOURCE, ())
    return read


def normal(document: object, *, pin: Pin | None = None) -> Json:
    """The definition in a document: in one form, without secrets and without where it runs.

    With `pin`, addresses of assets may leave their hash away; it is written in.
    """
    top = folded(document)
    properties = _object(top.get("properties"), ("properties",))
    if properties.get("payloadsInBlobStorage"):
        raise fault(
            ("properties", "payloadsInBlobStorage"),
            expected="a definition that is whole",
            got="one whose parts lie in a store of the cloud",
            fix="Export it again with its payloads in the file.",
        )
    for name in _WHERE_IT_RUNS:
        top.pop(name, None)
    for name in _NOT_ITS_OWN:
        properties.pop(name, None)
    for asset, body in (properties.get("assets") or {}).items():
        location = body.get("locationInfo")
        if isinstance(location, dict):
            location.pop("credentials", None)
            if pin is not None:
                _pin(location, pin, ("properties", "assets", asset, "locationInfo", "uri"))
    return top


def placement(document: object) -> Placement:
    """Where a document wants its service to run."""
    top = folded(document)
    properties = _object(top.get("properties"), ("properties",))

    def said(*names: str) -> str | None:
        held: Any = properties
        for name in names:
            held = (held or {}).get(name)
        return str(held) if held else None

    return Placement(
        name=str(top["name"]) if top.get("name") else None,
        region=str(top["location"]) if top.get("location") else None,
        plan=said("commitmentPlan", "id"),
        storage=said("storageAccount", "name"),
        storage_key=said("storageAccount", "key"),
        primary=said("keys", "primary"),
        secondary=said("keys", "secondary"),
    )


def _pin(location: Json, pin: Pin, path: Path) -> None:
    found = ASSET_URI.fullmatch(str(location.get("uri", "")))
    if found and not found["sha"]:
        kind, name, version = found["kind"].removesuffix("s"), found["name"], int(found["version"])
        location["uri"] = asset_uri(kind, name, version, pin(kind, name, version))


def _object(value: object, path: Path) -> Json:
    if not isinstance(value, dict):
        raise fault(path, expected="an object", got=kind_of(value))
    return value


def _read(value: Any, form: Any, path: Path) -> Any:
    if form is _Leaf.ANY:
        return value
    if isinstance(form, _Fields):
        return _fields(_object(value, path), form, path)
    if isinstance(form, _Each):
        return {name: _read(held, form.of, (*path, name)) for name, held in _object(value, path).items()}
    if isinstance(form, _Items):
        if not isinstance(value, list):
            raise fault(path, expected="a list", got=kind_of(value))
        return [_read(held, form.of, (*path, index)) for index, held in enumerate(value)]
    return _LEAVES[form](value, path)


def _fields(value: Json, form: _Fields, path: Path) -> Json:
    read: Json = {}
    for name, held in value.items():
        known = form.folded.get(name.lower(), name) if isinstance(name, str) else name
        if known in read:
            raise fault((*path, name), expected="each name once, in whatever case", got=f"'{known}' twice")
        if held is None and known in form.names:
            continue  # what is null is left out
        read[known] = _read(held, form.names.get(known, _Leaf.ANY), (*path, name))
    return read


def _flag(value: Any, path: Path) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise fault(path, expected="true or false", got=repr(value)[:60])


def _whole(value: Any, path: Path) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        return int(value)
    raise fault(path, expected="a whole number", got=repr(value)[:60])


def _setting(value: Any, path: Path) -> Json:
    """A parameter's value; in the older form it is plain text, and null is none."""
    if value is None:
        return {}
    if isinstance(value, dict):
        read = _fields(value, _SETTING, path)
        held = read.get("value")
        if held is not None and not isinstance(held, str):
            read["value"] = _said(held, (*path, "value"))
        return read
    return {"value": _said(value, path)}


def _said(value: Any, path: Path) -> str:
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise fault(path, expected="text or a number", got=kind_of(value))


_SETTING = _Fields(_plain("value", "certificateThumbprint"))
_LEAVES: dict[Any, Callable[[Any, Path], Any]] = {
    _Leaf.FLAG: _flag, _Leaf.WHOLE: _whole, _Leaf.SETTING: _setting,
}  # fmt: skip
