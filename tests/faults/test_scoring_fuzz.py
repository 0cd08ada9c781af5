"""Whatever is sent to an endpoint: no 5xx, no answer that is not JSON, no process lost, and memory stays flat."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import requests
import schemathesis
from hypothesis import given, settings

from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema
from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.local_host import LocalHost
from tests.contract.served import Handmade, call, logistic
from tests.contract.test_plain_wire import ASKED, GIVEN, MIXED
from tests.unit.scoring.test_graphs import joining

pytestmark = [pytest.mark.prove_services, pytest.mark.timeout(4500)]
KEY = {"Authorization": "Bearer primary-key"}
KINDS = (
    "application/json",
    "text/csv",
    "application/vnd.apache.arrow.stream",
    "application/octet-stream",
    "application/json; charset=utf-16",
    "text/xml",
    "",
)
GROWS_MB = 64


class Stage:
    """A server with a model, a function of mixed columns, and a join of two inputs with a parameter."""

    def __init__(self, folder: Path) -> None:
        self.host = LocalHost(Home(folder / "home"))
        self.made = Handmade(folder / "ws")
        census = self.made.go_live(self.host, "census/default", self.made.model(logistic()))
        mixed = self.made.code(MIXED, "mix", inputs=ASKED, outputs=GIVEN, example=((1, "one"),))
        definition = ServiceDefinition.from_dict(joining())
        seal = self.made.sealed("definition", definition.digest)
        self.addresses = {
            "census": census,
            "mixed": self.made.go_live(self.host, "mixed/default", mixed),
            "join": self.made.go_live(
                self.host, "join/default", self.made.servable(definition, (), seal=seal)
            ),
        }

    def processes(self) -> dict[str, tuple[int, int]]:
        return {one.role: (one.pid, one.restarts) for one in self.host.status().processes}

    def memory_mb(self) -> float:
        """What the scorers hold that nobody shares."""
        held = 0.0
        for role, (pid, _) in self.processes().items():
            if role.startswith("scorer"):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                held += sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024
        return held


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("fuzz"))
    yield made
    made.host.stop()


def check(answer: requests.Response) -> None:
    assert answer.status_code < 500, (answer.status_code, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        error = answer.json()["error"]
        assert isinstance(error, str) or error["details"][0]["message"]


@pytest.mark.parametrize("service", ["census", "mixed", "join"])
@pytest.mark.parametrize("document", ["openapi.json", "swagger.json"])
def test_calls_drawn_from_a_service_s_own_document_are_answered_in_json(
    stage: Stage, service: str, document: str, counts: Callable[[int, int], int], figures: Counter[str]
) -> None:
    address = stage.addresses[service]
    told = requests.get(f"{address}/{document}", timeout=30).json()
    api = schemathesis.openapi.from_dict(told)
    before = stage.processes()
    tried = 0
    for found in api.get_all_operations():
        operation = found.ok()

        @settings(max_examples=counts(6, 300), database=None)
        @given(case=operation.as_strategy())
        def one(case: Any) -> None:
            nonlocal tried
            tried += 1
            call = case.as_transport_kwargs(base_url=address, headers=KEY)
            check(requests.request(**call, timeout=60))

        one()
    figures[f"calls drawn from {document}"] += tried
    assert tried > 6
    assert stage.processes() == before


BODIES: tuple[bytes, ...] = (
    b'{"Inputs": {"input1": {"ColumnNames": ["age", "hours"], "Values": [[20, 10], ["30", null]]}}, "GlobalParameters": {}}',
    b'{"Inputs": {"input1": [{"n": 1, "word": "one"}]}}',
    b'[{"age": 1.5, "hours": 2}, {"age": null, "hours": "3"}]',
    b'{"left": [{"key": "y", "a": 5}], "right": [{"key": "y", "b": 2}], "parameters": {"The Factor": 2}}',
    b'{"inputs": [{"name": "age", "shape": [1], "datatype": "FP64", "data": [1]}]}',
    b"n,word\n1,one\n2,\n",
)
PIECES: tuple[bytes, ...] = (
    b"NaN", b"-Infinity", b"1e999", b"-1e-999", b"9" * 400, b"[" * 3000, b'{"a":' * 3000, b"\x00", b"\xff\xfe", b'"\\ud800"',
    b"null", b"true", b'""', b"{}", b"[]", b'"' + b"x" * 70_000 + b'"', b",", b"\n", b'"', b"2024-13-40", b"9223372036854775808",
)  # fmt: skip


def mutated(draw: random.Random) -> bytes:
    body = bytearray(draw.choice(BODIES))
    if draw.random() < 0.1:
        return draw.randbytes(draw.randrange(2000))
    if draw.random() < 0.05:
        table = pa.table({"age": [1.0, 2.0], "hours": [1, 2]})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        body = bytearray(sink.getvalue().to_pybytes())
    for _ in range(draw.randrange(4)):
        at = draw.randrange(len(body) + 1)
        how = draw.randrange(4)
        if how == 0:
            body[at:at] = draw.choice(PIECES)
        elif how == 1:
            del body[at : at + draw.randrange(1, 12)]
        elif how == 2 and at < len(body):
            body[at] = draw.randrange(256)
        else:
            body[at : at + draw.randrange(1, 8)] = draw.choice(PIECES)
    return bytes(body)


def test_random_bodies_lose_no_process_and_leave_memory_flat(
    stage: Stage, counts: Callable[[int, int], int], figures: Counter[str]
) -> None:
    """Some seconds in `make test`, an hour in a prove run."""
    draw = random.Random(7)
    paths = [
        f"{stage.addresses[service]}/{path}"
        for service in stage.addresses
        for path in (
            "execute",
            "execute?api-version=2.0&format=swagger",
            "score",
            f"v2/models/{service}/infer",
        )
    ]
    session = requests.Session()

    def send(count: int) -> None:
        for _ in range(count):
            headers = {**KEY, "Content-Type": draw.choice(KINDS)}
            if draw.random() < 0.1:
                headers["Inference-Header-Content-Length"] = str(draw.randrange(-1, 300))
            if draw.random() < 0.2:
                headers["Accept"] = draw.choice(KINDS)
            answer = session.post(draw.choice(paths), data=mutated(draw), headers=headers, timeout=60)
            check(answer)
            figures[f"fuzzed bodies answered {answer.status_code}"] += 1

    before = stage.processes()
    send(counts(300, 3000))
    held = stage.memory_mb()
    until = time.monotonic() + counts(5, 3600)
    while time.monotonic() < until:
        send(200)
    grown = stage.memory_mb() - held
    figures["scorers' memory grew, MB"] = round(grown)
    assert stage.processes() == before
    assert grown < GROWS_MB
    for name, columns in (("census", None), ("mixed", [["n", "word"], [[1, "one"]]])):
        body = (
            None
            if columns is None
            else {"Inputs": {"input1": {"ColumnNames": columns[0], "Values": columns[1]}}}
        )
        assert call(stage.addresses[name], body).status_code == 200


def test_a_hundred_megabytes_are_refused_and_a_slow_client_holds_nobody_up(stage: Stage) -> None:
    address = f"{stage.addresses['census']}/score"
    answer = requests.post(address, data=b" " * (100 << 20), headers=KEY, timeout=120)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "MemoryQuotaViolation")

    def slowly() -> Iterator[bytes]:
        for _ in range(20):
            yield b" "
            time.sleep(0.1)
        yield json.dumps([{"age": 1, "hours": 2}]).encode()

    assert requests.post(address, data=slowly(), headers=KEY, timeout=60).status_code == 200


def test_types_of_columns_are_those_of_the_schema_whatever_the_form(stage: Stage) -> None:
    schema = Schema((Column("n", ColumnType.INT64, nullable=False), Column("word", ColumnType.STRING)))
    assert schema == ASKED
    address = stage.addresses["mixed"]
    rows = [{"n": "7", "word": 5}]
    assert requests.post(f"{address}/score", json=rows, headers=KEY, timeout=30).json()[0]["n"] == 14
