"""A workspace beside the referee's picture of it: operations asked of any surface, and the two compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import requests
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.api.verb import Verb
from mlalm_jupyter.api.verbs import find
from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.server import Key
from mlalm_jupyter.domain.service import Endpoint as RealEndpoint
from mlalm_jupyter.workspace import Workspace
from tests.contract.four_surfaces import ANSWER_S, Refused
from tests.contract.two_steps import shifted
from tests.properties.service_model import Definition, Endpoint, Place

GRAPHS, MODELS = 3, 4
ROWS = pd.DataFrame({"hour": [1.0, 2.0, 3.0, 4.0], "wind": [4.5, 0.0, 1.25, 3.0]})
CALL = {"Inputs": {"input1": [{"hour": 1.0, "wind": 0.0}]}}


class OverOurs:
    """`POST /mlalm/api/noun/verb` of our own server, with the workspace's management token."""

    name = "http"

    def __init__(self, ws: Workspace) -> None:
        self.url = f"{ws.context.host.base_url()}/mlalm/api"
        self.headers = {"Authorization": f"Bearer {ws.context.keyring.management_token()}"}

    def ask(self, verb: Verb, arguments: Mapping[str, Any], workspace: Path) -> Any:
        answer = requests.post(
            f"{self.url}/{verb.noun}/{verb.name}",
            params={"workspace": str(workspace)},
            json=dict(arguments),
            headers=self.headers,
            timeout=ANSWER_S,
        )
        body = answer.json()
        if answer.status_code == 200:
            return body["result"]
        raise Refused(body["error"])


def says(definition: Definition) -> float:
    """What a definition answers to the hour 1."""
    graph, model = definition
    return float(model * (1 + 10 * graph))


class Side:
    """A workspace with models and definitions to deploy, and services that the referee knows all about."""

    def __init__(self, folder: Path, surfaces: list[Any]) -> None:
        self.ws = Workspace.init(folder)
        self.path = folder
        for factor in range(1, MODELS + 1):
            fitted = LinearRegression().fit(ROWS, ROWS["hour"] * factor)
            self.ws.models.register(fitted, "line", sample=ROWS)
        self.ws.services.deploy("line:1", "seed")
        self.surfaces = [*surfaces, OverOurs(self.ws)]
        self.digests: dict[Definition, str] = {}
        self.keys: dict[int, str] = {}
        self._write_definitions()
        self.ws.services.delete("seed", yes=True)
        with self.ws.catalog.read() as tx:
            self.begun = tx.events.last_seq()

    def ask(self, surface: int, noun: str, verb: str, arguments: Mapping[str, Any]) -> tuple[str, Any]:
        """The code of a refusal, or nothing, and the answer."""
        try:
            asked = self.surfaces[surface % len(self.surfaces)]
            return "", asked.ask(find(noun, verb), arguments, self.path)
        except Refused as refused:
            return refused.fault["code"], refused.fault

    def what(self, definition: Definition) -> str:
        """How that definition is named when it is deployed."""
        graph, model = definition
        return str(self.path / f"g{graph}m{model}.wsd.json") if graph else f"line:{model}"

    def check(self, place: Place, *, newest: int | None = 60) -> None:
        """The catalog holds exactly what the referee says, and has noted just that (the newest at least)."""
        with self.ws.catalog.read() as tx:
            services = {one.name: one for one in tx.services.find()}
            noted = tx.events.find(limit=newest or 10**9)
            moves = {one.id: tx.endpoints.moves(one.id) for one in tx.endpoints.find()}
            keys = {one.id: tx.endpoints.keys(one.id) for one in tx.endpoints.find()}
        assert set(services) == set(place.services)
        for name, wanted in place.services.items():
            found = services[name]
            assert (found.is_running, found.description) == (wanted.is_running, wanted.description)
            assert {one.name for one in found.endpoints} == set(wanted.endpoints)
            for one in found.endpoints:
                held = wanted.endpoints[one.name]
                self._check_endpoint(one, held)
                told = [(move.action, move.definition_hash) for move in moves[one.id]]
                assert told == [(action, self.digests[to]) for action, to in held.moves], one.reference
                assert [move.revision for move in moves[one.id]] == list(range(1, len(told) + 1))
                for key in keys[one.id]:
                    self._check_key(held.keys[key.slot], key.digest)
        log = [
            (one.noun, one.action, one.subject)
            for one in noted
            if one.seq > self.begun and one.noun in ("service", "endpoint")
        ]
        assert log == (place.log if newest is None else place.log[len(place.log) - len(log) :])

    def check_answers(self, place: Place) -> int:
        """Every endpoint answers its own keys with what it should serve, or says that it is stopped."""
        called = 0
        for service in place.services.values():
            for held in service.endpoints.values():
                reference = f"{service.name}/{held.name}"
                address = self.ws.endpoints.show(reference).address
                pair = self.ws.endpoints.key_pair(reference)
                for key in (pair.primary, pair.secondary):
                    called += 1
                    answered = self.call(address, key)
                    if not service.is_running:
                        assert answered.status_code == 503
                        continue
                    assert answered.status_code == 200, answered.text
                    value = answered.json()["Results"]["output1"]["value"]["Values"][0][-1]
                    assert abs(float(value) - says(held.definition)) < 1e-6, reference
        return called

    def call(self, address: str | None, key: Key) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return requests.post(f"{address}/execute", data=json.dumps(CALL), headers=headers, timeout=60)

    def _check_endpoint(self, found: RealEndpoint, held: Endpoint) -> None:
        assert found.definition_hash == self.digests[held.definition], found.reference
        assert found.revision == len(held.moves)
        assert found.model == f"line:{held.definition[1]}"
        settings, wanted = found.settings, held.settings
        assert (
            settings.description,
            settings.throttle_level,
            settings.max_concurrent_calls,
            settings.prevent_update,
        ) == (wanted.description, wanted.level, wanted.calls, wanted.is_protected), found.reference

    def _check_key(self, number: int, digest: str) -> None:
        if number not in self.keys:
            assert digest not in self.keys.values(), "no key is ever given twice"
            self.keys[number] = digest
        assert self.keys[number] == digest

    def _write_definitions(self) -> None:
        """A file for each graph with each model, all of whose code may run here."""
        plain = self.ws.definitions.show("seed").to_dict()
        for model in range(1, MODELS + 1):
            if model > 1:
                self.ws.services.deploy(f"line:{model}", "seed", update=True)
                plain = self.ws.definitions.show("seed").to_dict()
            self.digests[0, model] = ServiceDefinition.from_dict(plain).digest
            for graph in range(1, GRAPHS):
                document = ServiceDefinition.from_dict(shifted(plain, 10.0 * graph))
                self.digests[graph, model] = document.digest
                self.ws.trust.add(document.digest, kind="definition")
                Path(self.what((graph, model))).write_text(document.text)
