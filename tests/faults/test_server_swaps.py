"""Definitions change under load: nobody is lost, nobody gets a mixture, and what may not serve never does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import Corrupt, MlalmError, ScoringFailed, UntrustedContent
from mlalm_jupyter.domain.projection import Servable
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema
from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.local_host import LocalHost
from tests.contract.served import Fixed, Handmade, body, call, logistic

pytestmark = pytest.mark.prove_skeleton

TOTAL = Schema((Column("total", ColumnType.DOUBLE),))
ADD = "def add(rows):\n    return rows.assign(total=rows['age'] + rows['hours'])[['total']]\n"


class Stage:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = LocalHost(Home(folder / "home"))
        self.made = Handmade(folder / "ws")

    def prepare(self, servable: Servable) -> None:
        self.host.prepare(self.made.id, servable, self.made.keys.public_key)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("swaps"))
    made.host.start()
    yield made
    made.host.stop()


class Load:
    """Clients that call an address without pause, each on a connection of its own."""

    def __init__(self, address: str, *, clients: int) -> None:
        self.address = address
        self.answers: list[tuple[int, str, str, str]] = []
        self.failures: list[BaseException] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=60)

    def _call(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while not self._stop.is_set():
                try:
                    answer = session.post(
                        f"{self.address}/execute?details=true",
                        json=body(),
                        headers={"Authorization": "Bearer primary-key"},
                        timeout=60,
                    )
                except requests.RequestException as error:
                    self.failures.append(error)
                    continue
                if answer.status_code != 200:
                    self.failures.append(AssertionError(answer.text))
                    continue
                value = answer.json()["Results"]["output1"]["value"]
                labels = {row[value["ColumnNames"].index("Scored Labels")] for row in value["Values"]}
                assert len(labels) == 1
                headers = answer.headers
                told = headers["x-mlalm-model"], headers["x-mlalm-revision"]
                self.answers.append((len(self.answers), labels.pop(), *told))


def test_a_swap_under_load_loses_nothing_and_mixes_nothing(
    stage: Stage, counts: Callable[[int, int], int]
) -> None:
    made, host = stage.made, stage.host
    address = made.go_live(host, "busy/default", made.model(Fixed(1)))
    swaps = counts(6, 60)
    with Load(address, clients=8) as load:
        for version in range(2, swaps + 2):
            made.go_live(host, "busy/default", made.model(Fixed(version), version=version))
            for _ in range(4):
                # after the publisher was told, every scorer gives the new one only
                answer = call(address)
                assert answer.headers["x-mlalm-model"] == f"census:{version}"
                row = answer.json()["Results"]["output1"]["value"]["Values"][0]
                assert row[-1] == str(version)
    assert load.failures == []
    assert len(load.answers) > swaps
    for _, label, model, revision in load.answers:
        assert model == f"census:{label}", "the answer and its header are of one definition"
        assert revision == label
    assert {label for _, label, _, _ in load.answers} >= {"1", str(swaps + 1)}


def test_many_publishers_at_once_leave_the_last_state(stage: Stage) -> None:
    made, host = stage.made, stage.host
    servable = made.model(Fixed(7), name="seven")
    failures: list[Exception] = []

    def publish(number: int) -> None:
        try:
            made.go_live(host, f"many/ep{number}", servable)
        except (MlalmError, OSError) as error:
            failures.append(error)

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert failures == []
    for number in range(8):
        assert call(made.address(host, made.endpoints[f"many/ep{number}"])).status_code == 200


# what may not serve


def stands(stage: Stage, address: str, before: dict[str, str]) -> None:
    for _ in range(4):
        answer = call(address)
        assert answer.status_code == 200
        told = {name: value for name, value in answer.headers.items() if name.startswith("x-mlalm")}
        assert told == before


def serving(stage: Stage, name: str) -> tuple[str, dict[str, str]]:
    address = stage.made.go_live(stage.host, f"{name}/default", stage.made.model(logistic()))
    headers = call(address).headers
    return address, {name: value for name, value in headers.items() if name.startswith("x-mlalm")}


def altered(path: str, at: int) -> None:
    file = Path(path)
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.chmod(0o644)
    file.write_bytes(bytes(data))


def test_unsigned_code_is_refused_by_every_scorer_and_never_runs(stage: Stage) -> None:
    address, before = serving(stage, "guarded")
    mark = stage.folder / "canary"
    source = f"open({str(mark)!r}, 'w').close()\n{ADD}"
    servable = stage.made.code(source, "add", outputs=TOTAL, is_sealed=False)
    with pytest.raises(UntrustedContent) as caught:
        stage.prepare(servable)
    assert caught.value.digest == servable.digest
    assert not mark.exists()
    stands(stage, address, before)
    stage.prepare(stage.made.code(source, "add", outputs=TOTAL))
    assert mark.exists(), "the canary sings once the code is signed"


def test_code_altered_by_one_character_after_signing_is_refused(stage: Stage) -> None:
    mark = stage.folder / "second-canary"
    signed = stage.made.code(ADD, "add", outputs=TOTAL)
    text = Path(signed.path).read_text()
    changed = ServiceDefinition.from_text(
        text.replace("def add(rows):", f"open({str(mark)!r}, 'w').close()\\ndef add(rows):")
    )
    digest = stage.made.blobs.put(changed.text.encode())
    forged = Servable(digest, str(stage.made.blobs.path(digest)), signed.seal)
    with pytest.raises(UntrustedContent):
        stage.prepare(forged)
    altered(signed.path, text.index("rows['age']"))
    with pytest.raises(Corrupt):
        stage.prepare(signed)
    assert not mark.exists()


def test_a_damaged_bundle_is_refused_and_the_endpoint_stands(stage: Stage) -> None:
    address, before = serving(stage, "steady")
    worse = stage.made.model(Fixed(5), name="steady", version=2)
    altered(worse.models[0].bundle_path, 500)
    with pytest.raises(Corrupt, match="steady:2"):
        stage.prepare(worse)
    stands(stage, address, before)


def test_publishing_what_does_not_load_says_so_and_the_endpoint_stands(stage: Stage) -> None:
    address, before = serving(stage, "firm")
    served = stage.made.endpoints["firm/default"]
    for _ in range(8):
        assert call(address).status_code == 200  # both scorers have it loaded
    worse = stage.made.model(Fixed(6), name="firm", version=2)
    altered(worse.models[0].bundle_path, 500)
    stage.made.put("firm/default", worse)
    with pytest.raises(Corrupt, match="firm:2"):
        stage.host.publish(stage.made.id, stage.made.projection)
    stands(stage, address, before)
    health = requests.get(f"{stage.host.base_url()}/mlalm/health", timeout=30).json()
    assert health["status"] == "degraded"
    assert [fault["code"] for fault in health["faults"]] == ["Corrupt"]
    assert "firm/default could not take definition" in stage.host.logs(process="scorer-0")
    stage.made.endpoints["firm/default"] = served
    stage.host.publish(stage.made.id, stage.made.projection)
    assert requests.get(f"{stage.host.base_url()}/mlalm/health", timeout=30).json()["status"] == "ok"


def test_a_definition_whose_example_fails_is_refused(stage: Stage) -> None:
    source = "def add(rows):\n    raise ValueError('not today')\n"
    with pytest.raises(ScoringFailed, match="not today"):
        stage.prepare(stage.made.code(source, "add", outputs=TOTAL))


def test_a_definition_that_ends_the_scorer_is_refused_and_the_server_goes_on(stage: Stage) -> None:
    address, before = serving(stage, "tough")
    source = "import os\ndef add(rows):\n    os.kill(os.getpid(), 9)\n"
    with pytest.raises(MlalmError, match="ended while it worked on it"):
        stage.prepare(stage.made.code(source, "add", outputs=TOTAL))
    stage.prepare(stage.made.model(Fixed(9), name="after"))
    stands(stage, address, before)
