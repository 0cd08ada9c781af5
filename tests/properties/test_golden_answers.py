"""What an added endpoint answers stays what it was, byte for byte, whatever happens to the default one under load."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.workspace import Workspace
from tests.contract.two_steps import shifted, trusted

pytestmark = [pytest.mark.prove_services, pytest.mark.timeout(3600)]
ROWS = pd.DataFrame({"hour": [1.0, 2.0, 3.0, 4.0], "wind": [4.5, 0.0, 1.25, 3.0]})
BODY = json.dumps({"Inputs": {"input1": ROWS.to_dict("records")}}).encode()


def register(ws: Workspace, factor: float) -> str:
    fitted = LinearRegression().fit(ROWS, ROWS["hour"] * factor)
    return ws.models.register(fitted, "line", sample=ROWS).reference


class Caller:
    """A client that keeps its connection, as those do that call much."""

    def __init__(self, ws: Workspace, reference: str) -> None:
        self.address = f"{ws.endpoints.show(reference).address}/execute?api-version=2.0&details=true"
        self.key = ws.endpoints.key_pair(reference).primary
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {self.key}"

    def answer(self) -> requests.Response:
        found = self.session.post(self.address, data=BODY, timeout=60)
        assert found.status_code == 200, found.text
        return found


@dataclass
class Load:
    """Callers that go on until they are told to stop, and what they were answered."""

    ws: Workspace
    references: list[str]
    seen: dict[str, Counter[tuple[str, bytes]]] = field(default_factory=dict)
    """Of each endpoint the answers, by the definition that their headers name."""
    faults: list[str] = field(default_factory=list)

    def __enter__(self) -> Load:
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(one,)) for one in self.references]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join(120)

    def calls(self) -> int:
        return sum(sum(one.values()) for one in self.seen.values())

    def go_on(self) -> None:
        """Wait until each endpoint has been called again."""
        before = {one: sum(self.seen.get(one, Counter()).values()) for one in self.references}
        deadline = time.monotonic() + 60
        while any(sum(self.seen.get(one, Counter()).values()) <= count for one, count in before.items()):
            assert not self.faults, self.faults
            assert time.monotonic() < deadline, "nobody is answered any more"
            time.sleep(0.002)

    def _call(self, reference: str) -> None:
        caller = Caller(self.ws, reference)
        seen = self.seen.setdefault(reference, Counter())
        while not self._done.is_set():
            try:
                answer = caller.answer()
            except (AssertionError, requests.RequestException) as error:
                self.faults.append(f"{reference}: {error}")
                return
            seen[answer.headers["x-mlalm-definition"], answer.content] += 1


def kept(load: Load, reference: str) -> bytes:
    """The one answer that an endpoint ever gave."""
    ((_, content),) = load.seen[reference]
    return content


def test_ep2_never_changes_by_a_byte_while_the_default_is_updated_and_each_new_endpoint_keeps_its_own(
    hosted: Workspace, counts: Callable[[int, int], int], figures: Counter[str]
) -> None:
    updates = counts(10, 50)
    hosted.services.deploy(register(hosted, 1), "line")
    plain = hosted.definitions.show("line").to_dict()
    hosted.endpoints.add("line/ep2")
    golden = {"line/ep2": Caller(hosted, "line/ep2").answer().content}
    assert golden["line/ep2"] == Caller(hosted, "line").answer().content
    with Load(hosted, ["line/ep2", "line/ep2", "line/default"]) as load:
        for number in range(1, updates + 1):
            if number % 2:
                # only the cell before the model changes, and the model is the same (line:1)
                document = trusted(hosted, shifted(plain, float(number)))
                hosted.services.deploy(document, "line", update=True)
            else:
                hosted.services.deploy(register(hosted, number), "line", update=True)
            load.go_on()
            if number % 5 == 0:
                added = f"line/v{number}"
                hosted.endpoints.add(added)
                golden[added] = Caller(hosted, added).answer().content
                assert golden[added] == Caller(hosted, "line").answer().content
    assert load.faults == []
    assert kept(load, "line/ep2") == golden["line/ep2"]
    # every answer of the default one is whole, and of one definition
    by_definition: dict[str, set[bytes]] = {}
    for definition, content in load.seen["line/default"]:
        by_definition.setdefault(definition, set()).add(content)
    assert {len(contents) for contents in by_definition.values()} == {1}
    assert len(by_definition) == updates + 1
    for reference, content in golden.items():
        assert Caller(hosted, reference).answer().content == content, reference
    assert len(set(golden.values())) == len(golden), "each copy is of another moment"
    figures["updates of a default endpoint under load"] += updates
    figures["answers during those updates, none wrong or lost"] += load.calls()


def test_an_old_endpoint_keeps_the_old_preprocessing(hosted: Workspace) -> None:
    hosted.services.deploy(register(hosted, 1), "line")
    plain = hosted.definitions.show("line").to_dict()
    hosted.services.deploy(trusted(hosted, shifted(plain, 5)), "line", update=True)
    hosted.endpoints.add("line/ep2")
    before = Caller(hosted, "line/ep2").answer().content
    hosted.services.deploy(trusted(hosted, shifted(plain, 7)), "line", update=True)
    old, new = hosted.endpoints.show("line/ep2"), hosted.endpoints.show("line")
    assert (old.model_hash, old.definition_hash != new.definition_hash) == (new.model_hash, True)
    assert Caller(hosted, "line/ep2").answer().content == before
    assert Caller(hosted, "line").answer().content != before


def test_a_hundred_endpoints_patched_each_its_own_way_give_a_hundred_answers(
    hosted: Workspace, counts: Callable[[int, int], int], figures: Counter[str]
) -> None:
    count = counts(20, 100)
    hosted.services.deploy(register(hosted, 1), "line")
    made = hosted.endpoints.add("line/ep", count=count)
    assert len({one.id for one in made}) == len({one.address for one in made}) == count
    first = Caller(hosted, "line").answer().content
    assert {Caller(hosted, one.reference).answer().content for one in made} == {first}
    for number, one in enumerate(made, start=2):
        hosted.endpoints.patch(one.reference, model=register(hosted, number))
    answers: dict[str, bytes] = {
        one.reference: Caller(hosted, one.reference).answer().content for one in made
    }
    assert len({*answers.values(), first}) == count + 1
    for number, content in enumerate(answers.values(), start=2):
        assert abs(score_of(content) - number) < 1e-6
    assert Caller(hosted, "line").answer().content == first
    hosted.endpoints.delete("line/ep1", yes=True)
    rest = [one.reference for one in made][1:]
    assert [Caller(hosted, one).answer().content for one in rest] == [answers[one] for one in rest]
    figures["endpoints made at once and patched each its own way"] += count


def score_of(content: bytes) -> float:
    """What is said of the first row, whose hour is 1."""
    value: dict[str, Any] = json.loads(content)["Results"]["output1"]["value"]
    return float(value["Values"][0][-1])


def test_the_definition_that_is_served_is_the_one_that_was_deployed(
    hosted: Workspace, tmp_path: Path
) -> None:
    hosted.services.deploy(register(hosted, 1), "line")
    document = trusted(hosted, shifted(hosted.definitions.show("line").to_dict(), 3))
    file = tmp_path / "line.wsd.json"
    file.write_text(json.dumps(document))
    hosted.services.deploy(str(file), "line", update=True)
    answered = Caller(hosted, "line").answer()
    assert answered.headers["x-mlalm-definition"] == ServiceDefinition.from_dict(document).digest
    assert abs(score_of(answered.content) - 4) < 1e-6
