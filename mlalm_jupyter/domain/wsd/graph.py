"""Nodes and edges of a definition, read into steps in the order they can run; what cannot run is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.wsd.parts import ASSET_URI, CodeCell, HeldAsset, Json, ModelAsset, Step
from mlalm_jupyter.domain.wsd.places import Path, fault, kind_of

SCORE_MODULE = "aml://module/mlalm.score-model.1"
PYTHON_MODULE = "aml://module/mlalm.execute-python.1"
TRANSFORM_MODULE = "aml://module/mlalm.apply-transformation.1"
SELECT_MODULE = "aml://module/mlalm.select-columns.1"
SCRIPT_MODULE = "aml://module/mlalm.scoring-script.1"
NOTEBOOK_MODULE = "aml://module/mlalm.execute-notebook.1"
MODEL_PORT = "Trained model"
SOURCE, ENTRY, COLUMNS = "Source", "Entry", "Columns"


class Module(NamedTuple):
    """A kind of step: its ports for tables, its port for an asset, the port it gives its table at."""

    name: str
    tables: tuple[str, ...]
    gives: str
    asset: str | None = None
    asset_kind: str = ""
    is_asset_optional: bool = False
    needs: tuple[str, ...] = ()
    names_assets: bool = False
    """Whether it has a port for each asset that its code reads, `Asset NAME`."""


MODULES: Mapping[str, Module] = {
    SCORE_MODULE: Module("Score Model", ("Dataset",), "Scored dataset", MODEL_PORT, "model"),
    PYTHON_MODULE: Module(
        "Execute Python", ("Dataset1", "Dataset2", "Dataset3"), "Results dataset", needs=(SOURCE, ENTRY)
    ),
    TRANSFORM_MODULE: Module(
        "Apply Transformation", ("Dataset",), "Transformed dataset", "Transformation", "transform"
    ),
    SELECT_MODULE: Module("Select Columns", ("Dataset",), "Results dataset", needs=(COLUMNS,)),
    SCRIPT_MODULE: Module(
        "Scoring Script", ("Dataset",), "Results dataset", MODEL_PORT, "model", True, needs=(SOURCE,)
    ),
    NOTEBOOK_MODULE: Module(
        "Execute Notebook",
        ("Dataset1", "Dataset2", "Dataset3"),
        "Results dataset",
        needs=(SOURCE,),
        names_assets=True,
    ),
}
_ASSET_PORT = re.compile(r"Asset (?P<name>[^\W\d]\w*)")
_NODES: Path = ("properties", "package", "nodes")
_EDGES: Path = ("properties", "package", "edges")
_ASSETS: Path = ("properties", "assets")


@dataclass(frozen=True)
class Graph:
    """A graph as it runs."""

    steps: tuple[Step, ...]
    sources: Mapping[str, str]
    """The input that comes in at a node."""
    datasets: Mapping[str, HeldAsset]
    """The dataset that a node brings, where no caller's rows take its place."""
    results: Mapping[str, str]
    """The node whose table an output gives."""


def read_graph(properties: Json, inputs: Sequence[str], outputs: Sequence[str]) -> Graph:
    """The graph of a definition in its normal form."""
    return _Reader(properties, inputs, outputs).read()


@dataclass
class _Reader:
    properties: Json
    inputs: Sequence[str]
    outputs: Sequence[str]
    assets: Json = field(init=False)
    nodes: Json = field(init=False)
    edges: list[Json] = field(init=False)

    def __post_init__(self) -> None:
        package = self.properties.get("package")
        if not isinstance(package, dict):
            raise fault(("properties", "package"), expected="an object", got=kind_of(package))
        self.assets = self.properties.get("assets") or {}
        for name in ("nodes", "edges"):
            if package.get(name) is None:
                word = "an object" if name == "nodes" else "a list"
                raise fault(("properties", "package", name), expected=word, got="nothing")
        self.nodes, self.edges = package["nodes"], package["edges"]

    def read(self) -> Graph:
        self._refuse_cloud_modules()
        ends = {str(body.get("outputId")) for body in self.nodes.values() if isinstance(body, dict)}
        for name in self.outputs:
            if name not in ends:
                raise fault(_NODES, expected=f"a node for output '{name}'", got="none")
        self._check_edges()
        sources: dict[str, str] = {}
        datasets: dict[str, HeldAsset] = {}
        results: dict[str, str] = {}
        steps: dict[str, Step] = {}
        for node, body in self.nodes.items():
            kind, target = self._kind(node, body)
            if kind == "inputId":
                sources[node] = self._known(target, self.inputs, (*_NODES, node, kind))
            elif kind == "outputId":
                known = self._known(target, self.outputs, (*_NODES, node, kind))
                if known in results:
                    raise fault(
                        (*_NODES, node, kind), expected="one node for each output", got=f"two for '{known}'"
                    )
                results[known] = self._one(node, None)
            elif self._asset(target, node)["type"] == "Module":
                steps[node] = self._step(node, body, target)
            elif (held := self._held(target)) and isinstance(held, HeldAsset) and held.kind == "dataset":
                datasets[node] = held
        tables = {*steps, *sources, *datasets}
        for place, source in [
            *((step.node, one) for step in steps.values() for one in step.takes),
            *results.items(),
        ]:
            if source not in tables:
                raise fault(
                    (*_NODES, place),
                    expected="a table from an input, a dataset or a step",
                    got=f"node '{source}'",
                )
        ordered = _sorted(steps)
        used = {*results.values(), *(one for step in ordered for one in step.takes)}
        return Graph(ordered, sources, {node: one for node, one in datasets.items() if node in used}, results)

    def _refuse_cloud_modules(self) -> None:
        """All modules that cannot run here, in one sentence."""
        foreign = []
        for asset, body in self.assets.items():
            body = body if isinstance(body, dict) else {}
            uri = str((body.get("locationInfo") or {}).get("uri", ""))
            if uri.lower().startswith("aml://module/") and uri not in MODULES:
                foreign.append((asset, str(body.get("name") or asset)))
        if foreign:
            named = ", ".join(f"'{name}' ({asset})" for asset, name in foreign)
            raise fault(
                (*_ASSETS, foreign[0][0], "locationInfo", "uri"),
                expected=f"modules that run here ({', '.join(one.name for one in MODULES.values())})",
                got=f"{named}, made to run in the cloud only",
                fix="Write what they do as a Python step (`mlalm service deploy FILE.py NAME`), or leave them out.",
            )

    def _check_edges(self) -> None:
        for index, edge in enumerate(self.edges):
            for end in ("sourceNodeId", "targetNodeId"):
                if str(edge.get(end)) not in self.nodes:
                    raise fault(
                        (*_EDGES, index, end), expected="a node of this graph", got=repr(edge.get(end))
                    )
            source, target = self._module(edge["sourceNodeId"]), self._module(edge["targetNodeId"])
            if target:
                ports = (*target.tables, *([target.asset] if target.asset else []))
                port = edge.get("targetPortId")
                is_asset = target.names_assets and _ASSET_PORT.fullmatch(str(port))
                if target.names_assets:
                    ports = (*ports, "Asset NAME")
                if port not in ports and not is_asset:
                    raise fault(
                        (*_EDGES, index, "targetPortId"),
                        expected=f"a port of {target.name} ({', '.join(ports)})",
                        got=repr(edge.get("targetPortId")),
                    )
            if source and edge.get("sourcePortId") not in (None, "", source.gives):
                raise fault(
                    (*_EDGES, index, "sourcePortId"),
                    expected=f"'{source.gives}', which {source.name} gives",
                    got=repr(edge.get("sourcePortId")),
                )

    def _module(self, node: str) -> Module | None:
        body = self.nodes[node] if isinstance(self.nodes[node], dict) else {}
        asset = self.assets.get(str(body.get("assetId") or ""))
        return MODULES.get(self._uri(str(body["assetId"]))) if isinstance(asset, dict) else None

    @staticmethod
    def _kind(node: str, body: Json) -> tuple[str, str]:
        kinds = [kind for kind in ("inputId", "outputId", "assetId") if body.get(kind)]
        if len(kinds) != 1:
            raise fault(
                (*_NODES, node),
                expected="exactly one of inputId, outputId, assetId",
                got=", ".join(kinds) or "none",
            )
        return kinds[0], str(body[kinds[0]])

    @staticmethod
    def _known(name: str, among: Sequence[str], path: Path) -> str:
        if name not in among:
            raise fault(path, expected=f"one of {sorted(among)}", got=repr(name))
        return name

    def _asset(self, asset: str, node: str) -> Json:
        if asset not in self.assets:
            raise fault(
                (*_NODES, node, "assetId"),
                expected=f"one of the assets {sorted(self.assets)}",
                got=repr(asset),
            )
        body: Json = self.assets[asset]
        if body.get("type") not in ("Module", "Resource"):
            raise fault((*_ASSETS, asset, "type"), expected="Module or Resource", got=repr(body.get("type")))
        return body

    def _uri(self, asset: str) -> str:
        location = self.assets[asset].get("locationInfo")
        if not isinstance(location, dict):
            raise fault((*_ASSETS, asset, "locationInfo"), expected="an object", got=kind_of(location))
        return str(location.get("uri", ""))

    def _held(self, asset: str) -> ModelAsset | HeldAsset:
        """What a resource's address names."""
        uri = self._uri(asset)
        found = ASSET_URI.fullmatch(uri)
        if not found or not found["sha"]:
            raise fault(
                (*_ASSETS, asset, "locationInfo", "uri"),
                expected="mlalm://models/NAME/VERSION?sha256=HASH (or transforms, datasets)",
                got=repr(uri),
            )
        name, version = found["name"], int(found["version"])
        if found["kind"] == "models":
            return ModelAsset(asset, name, version, found["sha"])
        return HeldAsset(asset, found["kind"].removesuffix("s"), name, version, found["sha"])

    def _step(self, node: str, body: Json, asset: str) -> Step:
        uri = self._uri(asset)
        if uri not in MODULES:
            raise fault(
                (*_ASSETS, asset, "locationInfo", "uri"),
                expected=f"a module that runs here ({', '.join(MODULES)})",
                got=repr(uri),
            )
        module = MODULES[uri]
        settings = self._settings(node, body, module)
        takes = self._tables(node, module)
        found = self._asset_at(node, module)
        code = None
        if uri in (PYTHON_MODULE, SCRIPT_MODULE, NOTEBOOK_MODULE):
            code = CodeCell(node, settings.pop(SOURCE), settings.pop(ENTRY, "run"))
        return Step(
            node,
            uri,
            takes,
            model=found if isinstance(found, ModelAsset) else None,
            transform=found if isinstance(found, HeldAsset) else None,
            code=code,
            settings=settings,
            assets=self._named_assets(node) if module.names_assets else {},
        )

    def _settings(self, node: str, body: Json, module: Module) -> dict[str, str]:
        """A node's own parameters; those its module cannot do without are there."""
        given: Json = body.get("parameters") or {}
        settings = {name: str(held["value"]) for name, held in given.items() if "value" in held}
        for name in module.needs:
            if not settings.get(name):
                raise fault((*_NODES, node, "parameters", name), expected="text", got="nothing")
        return settings

    def _tables(self, node: str, module: Module) -> tuple[str, ...]:
        """The nodes whose tables come in, one a port, the first ports first."""
        takes = [self._source(node, port) for port in module.tables]
        found = [one for one in takes if one is not None]
        if not found and (self.inputs or len(module.tables) == 1):
            raise self._not_one(node, module.tables[0], 0)
        if None in takes[: len(found)]:
            missing = module.tables[takes.index(None)]
            raise self._not_one(node, missing, 0)
        return tuple(found)

    def _asset_at(self, node: str, module: Module) -> ModelAsset | HeldAsset | None:
        if module.asset is None:
            return None
        source = self._source(node, module.asset)
        if source is None:
            if module.is_asset_optional:
                return None
            raise self._not_one(node, module.asset, 0)
        held = str(self.nodes[source].get("assetId") or "")
        found = (
            self._held(held)
            if held in self.assets and self._asset(held, source)["type"] == "Resource"
            else None
        )
        kind = found.kind if isinstance(found, HeldAsset) else "model" if found else ""
        if kind != module.asset_kind:
            word = "a trained model" if module.asset_kind == "model" else f"a {module.asset_kind}"
            raise fault(
                (*_NODES, node), expected=f"{word} on the port '{module.asset}'", got=f"node '{source}'"
            )
        return found

    def _named_assets(self, node: str) -> dict[str, ModelAsset | HeldAsset]:
        """The models and transforms that a node's code reads, by the names it reads them by."""
        ports = [str(one.get("targetPortId")) for one in self.edges if str(one["targetNodeId"]) == node]
        found = {}
        for port in sorted({one for one in ports if _ASSET_PORT.fullmatch(one)}):
            source = self._one(node, port)
            held = str(self.nodes[source].get("assetId") or "")
            is_resource = held in self.assets and self._asset(held, source)["type"] == "Resource"
            asset = self._held(held) if is_resource else None
            if asset is None or (isinstance(asset, HeldAsset) and asset.kind == "dataset"):
                raise fault(
                    (*_NODES, node),
                    expected=f"a trained model or a transform on the port '{port}'",
                    got=f"node '{source}'",
                )
            found[port.removeprefix("Asset ")] = asset
        return found

    def _one(self, node: str, port: str | None) -> str:
        source = self._source(node, port)
        if source is None:
            raise self._not_one(node, port, 0)
        return source

    def _source(self, node: str, port: str | None) -> str | None:
        """The node whose output arrives at a port; where an input and a dataset meet, the caller's rows win."""
        feeding = [
            str(edge["sourceNodeId"])
            for edge in self.edges
            if str(edge["targetNodeId"]) == node and (edge.get("targetPortId") or None) == port
        ]
        if len(feeding) == 2:
            callers = [one for one in feeding if self.nodes[one].get("inputId")]
            others = [one for one in feeding if one not in callers]
            if len(callers) == 1 and self._is_dataset(others[0]):
                return callers[0]
        if len(feeding) > 1:
            raise self._not_one(node, port, len(feeding))
        return feeding[0] if feeding else None

    def _is_dataset(self, node: str) -> bool:
        asset = str(self.nodes[node].get("assetId") or "")
        return asset in self.assets and bool(re.match(r"mlalm://datasets/", self._uri(asset)))

    @staticmethod
    def _not_one(node: str, port: str | None, count: int) -> InvalidInput:
        place = f"port '{port}' of node '{node}'" if port else f"output node '{node}'"
        return fault((*_NODES, node), expected=f"exactly one edge into {place}", got=str(count))


def _sorted(steps: Mapping[str, Step]) -> tuple[Step, ...]:
    ordered: dict[str, Step] = {}
    waiting = dict(steps)
    while waiting:
        ready = [step for step in waiting.values() if not any(one in waiting for one in step.takes)]
        if not ready:
            raise fault(_EDGES, expected="a graph without a cycle", got=f"one through {sorted(waiting)}")
        for step in ready:
            ordered[step.node] = waiting.pop(step.node)
    return tuple(ordered.values())
