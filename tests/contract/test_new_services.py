"""New services: in a region, with a plan, without endpoints; they outlive the workspace they were deployed from."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import (
    AlreadyExists,
    Conflict,
    Corrupt,
    InUse,
    InvalidInput,
    NoEndpoints,
    NotFound,
    TermsAreFixed,
    Unavailable,
    Unconfirmed,
    UntrustedContent,
)
from mlalm_jupyter.domain.wsd.changes import differences_between
from mlalm_jupyter.plugins import service_host
from mlalm_jupyter.surfaces.verbs_http import dispatch
from mlalm_jupyter.workspace import Workspace

pytestmark = [pytest.mark.prove_services, pytest.mark.timeout(300)]
ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
NEW = {"kind": "new", "plan": "small", "region": "west"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with two plans and two regions."""
    folder = tmp_path_factory.mktemp("estate")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLALM_HOME", str(folder / "home"))
        for name in ("MLALM_WORKSPACE", "MLALM_RUN", "MLALM_JOB"):
            patch.delenv(name, raising=False)
        with Workspace.init(folder / "maker") as maker:
            maker.plans.add("small", workers=1, concurrency=4, memory=1)
            for region in ("west", "east"):
                maker.regions.add(region, storage=str(folder / region))
            yield folder
            maker.server.stop()


@pytest.fixture
def ws(place: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with three models; what it leaves in the regions is taken away."""
    with Workspace.init(tmp_path / "ws") as made:
        for factor in (1.0, 2.0, 3.0):
            made.models.register(fitted(factor), "line", sample=ROWS)
        yield made
    with Workspace.open(place / "maker") as maker:
        for one in maker.services.list():
            maker.services.delete(one.name, yes=True)


def fitted(factor: float) -> LinearRegression:
    return LinearRegression().fit(ROWS, ROWS["a"] * factor)


def says(ws: Workspace, service: str) -> list[float]:
    return [round(float(str(row[-1])), 6) for row in ws.services.score(service, ROWS).rows]


def called(address: str | None, key: str) -> requests.Response:
    body = {"Inputs": {"input1": {"ColumnNames": ["a"], "Values": [[2]]}}, "GlobalParameters": {}}
    return requests.post(
        f"{address}/execute?api-version=2.0",
        json=body,
        headers={"Authorization": f"Bearer {key}"},
        timeout=30,
    )


def stores(place: Path) -> list[str]:
    return sorted(f"{one.parent.parent.name}/{one.name}" for one in place.glob("*/services/*"))


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"kind": "new"}, InvalidInput, "The plan of the New service 'wine'"),
        ({"kind": "new", "plan": "small"}, InvalidInput, "The region of the New service 'wine'.* storage"),
        ({"kind": "new", "region": "west"}, InvalidInput, "The plan of the New service 'wine'"),
        ({**NEW, "plan": "smal"}, NotFound, "No plan 'smal'. The nearest names are 'small'"),
        ({**NEW, "region": "wset"}, NotFound, "No region 'wset'. The nearest names are 'west'"),
        ({"kind": "classic", "plan": "small"}, InvalidInput, "only for a New service"),
        ({"kind": "newer"}, InvalidInput, "Expected classic or new"),
        ({**NEW, "update": True}, NotFound, "No service 'wine'"),
    ],
)
def test_what_a_new_service_lacks_is_refused_by_its_name(
    ws: Workspace, place: Path, given: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        ws.services.deploy("line:1", "wine", **given)
    assert stores(place) == []
    assert ws.services.list() == ()


def test_it_answers_at_an_address_of_its_region_and_is_no_endpoint(ws: Workspace) -> None:
    made = ws.services.deploy("line:2", "wine", **NEW)
    assert (made.kind, made.terms and made.terms.region) == ("new", "west")
    told = made.to_dict()
    assert (told["endpoints"], told["plan"], told["model"]) == ([], "small", "line:2")
    address = str(told["address"])
    assert address.startswith(str(ws.regions.show("west").base_url))
    assert "/subscriptions/" in address
    answer = called(address, str(ws.services.keys("wine", only="primary")))
    ((_, scored),) = answer.json()["Results"]["output1"]["value"]["Values"]
    assert round(float(scored), 6) == 4
    assert answer.headers["x-mlalm-endpoint"] == "wine"
    assert says(ws, "wine") == [2, 4, 6]
    assert requests.get(f"{address}/swagger.json", timeout=10).json()["basePath"]


def test_it_has_an_id_that_is_read_by_its_labels(ws: Workspace, tmp_path: Path) -> None:
    made = ws.services.deploy("line:2", "Pre.2016.8.17.0.3.51.237", **NEW)
    subscription = str(made.default.address).partition("/subscriptions/")[2].partition("/")[0]
    dashed = str(uuid.UUID(subscription))
    id = f"/subscriptions/{dashed}/resourceGroups/west/providers/Microsoft.MachineLearning/webServices/{made.name}"
    assert made.to_dict()["resource_id"] == id
    page = (
        f"https://portal.example/#@somebody/resource{id.replace('resourceGroups', 'RESOURCEGROUPS')}/overview"
    )
    turned = f"/resourceGroups/west/subscriptions/{subscription}/webservices/{made.name}"
    for one in (id, page, turned):
        assert ws.services.show(one).name == made.name
        assert ws.services.stop(one).state == "stopped"
        assert ws.services.start(one).state == "running"
    file = ws.definitions.export(id, str(tmp_path / "it.wsd.json")).file
    assert ServiceDefinition.from_text(Path(file).read_text()).models[0].reference == "line:2"


def test_an_id_that_names_nothing_is_refused(ws: Workspace) -> None:
    id = str(ws.services.deploy("line:1", "wine", **NEW).resource_id)
    refusals: list[tuple[str, str, type[Exception], str]] = [
        ("resourceGroups/west", "resourceGroups/east", NotFound, "The nearest|There are"),
        ("/webServices/wine", "/webServices", InvalidInput, "one 'webServices' and a value after it"),
        ("resourceGroups/west", "resourceGroups/west/resourceGroups/east", InvalidInput, "got 2"),
        ("subscriptions/", "subscriptions/x", InvalidInput, "32 hex digits"),
    ]
    for part, other, error, said in refusals:
        with pytest.raises(error, match=said):
            ws.services.show(id.replace(part, other))


def test_what_is_done_with_endpoints_is_refused_with_the_way_to_do_it(ws: Workspace) -> None:
    ws.services.deploy("line:1", "wine", **NEW)
    for verb, arguments, way in (
        ("add", {"endpoint": "wine/ep2"}, "wsd apply FILE wine"),
        ("patch", {"endpoint": "wine/ep2", "model": "line:2"}, "service deploy MODEL wine --update"),
        ("patch", {"endpoint": "wine", "throttle": "Low"}, "service deploy MODEL wine --update"),
        ("refresh", {"endpoint": "wine/ep2"}, "service deploy WHAT wine --update"),
        ("delete", {"endpoint": "wine/ep2", "yes": True}, "service delete wine"),
        ("show", {"endpoint": "wine"}, "service show wine"),
        ("keys", {"endpoint": "wine"}, "service keys wine"),
    ):
        status, body = dispatch("endpoint", verb, arguments, workspace=ws.path)
        assert (status, body["error"]["code"]) == (409, "NoEndpoints"), body
        assert way in body["error"]["fix"]
    assert ws.endpoints.list() == ()
    with pytest.raises(NoEndpoints):
        ws.services.score("wine/ep2", ROWS)
    (move,) = ws.endpoints.history("wine")
    assert (move.endpoint, move.action) == ("wine", "deploy")


def test_every_update_is_what_the_next_call_reads(ws: Workspace) -> None:
    made = ws.services.deploy("line:1", "wine", **NEW)
    key, address = str(ws.services.keys("wine", only="primary")), made.default.address
    for turn in range(9):
        version = turn % 3 + 1
        shown = ws.services.deploy(f"line:{version}", "wine", update=True)
        assert called(address, key).headers["x-mlalm-model"] == f"line:{version}"
        assert (shown.id, shown.default.address) == (made.id, address)
    back = ws.endpoints.rollback("wine")
    assert back.model == "line:2"
    assert says(ws, "wine") == [2, 4, 6]


def test_its_place_and_plan_stay_and_the_same_again_changes_nothing(ws: Workspace, place: Path) -> None:
    ws.services.deploy("line:1", "wine", **NEW)
    for other in ({"region": "east"}, {"plan": "large"}):
        with pytest.raises(TermsAreFixed, match="as long as it lives"):
            ws.services.deploy("line:2", "wine", update=True, **other)  # type: ignore[arg-type]
    with pytest.raises(AlreadyExists, match="--update"):
        ws.services.deploy("line:2", "wine", **NEW)
    with pytest.raises(AlreadyExists, match="a name is one service in all regions"):
        ws.services.deploy("line:2", "wine", **{**NEW, "region": "east"})
    assert ws.services.deploy("line:1", "wine", **NEW).note == (
        "Nothing changed: it serves exactly this already."
    )
    assert says(ws, "wine") == [1, 2, 3]
    assert stores(place) == ["west/wine"]


def test_a_name_is_one_service_whatever_its_kind(ws: Workspace, place: Path) -> None:
    ws.services.deploy("line:1", "wine", **NEW)
    for given in ({"kind": "classic"}, {**NEW, "region": "east"}):
        with pytest.raises(Conflict):
            ws.services.deploy("line:2", "wine", **given)  # type: ignore[arg-type]
    ws.services.deploy("line:1", "old")
    with pytest.raises(AlreadyExists, match="It is a Classic one"):
        ws.services.deploy("line:1", "old", **NEW)
    assert stores(place) == ["west/wine"]
    with pytest.raises(NotFound, match="The nearest names are 'wine'"):
        ws.services.show("wien")


@pytest.mark.full
def test_a_definition_goes_to_another_region_and_both_answer_alike(ws: Workspace, tmp_path: Path) -> None:
    ws.services.deploy("line:2", "wine", **NEW)
    file = str(tmp_path / "wine.wsd.json")
    ws.definitions.export("wine", file)
    text = Path(file).read_text()
    key = str(ws.services.keys("wine", only="primary"))
    assert key not in text
    assert "west" not in text
    # the route from the model gives the same definition
    assert differences_between(ws.services.described("line:2"), ws.definitions.show("wine")) == []
    before = ws.services.show("wine")
    far = ws.definitions.deploy(file, "far", kind="new", plan="small", region="east")
    assert far.terms
    assert far.terms.region == "east"
    assert says(ws, "far") == says(ws, "wine") == [2, 4, 6]
    assert ws.services.show("wine") == before
    assert far.default.definition_hash == before.default.definition_hash
    Path(file).write_text(text.replace("models/line/2", "models/line/9"))
    with pytest.raises(NotFound, match="line:9"):
        ws.definitions.deploy(file, "third", kind="new", plan="small", region="east")
    assert says(ws, "far") == [2, 4, 6]


def test_applying_a_file_moves_it_and_moves_it_back(ws: Workspace, tmp_path: Path) -> None:
    ws.services.deploy("line:1", "wine", **NEW)
    file = tmp_path / "wine.wsd.json"
    ws.definitions.export("wine", str(file))
    first = file.read_bytes()
    ws.definitions.set_model(str(file), "line:3")
    assert ws.definitions.apply(str(file)).default.model == "line:3"
    assert says(ws, "wine") == [3, 6, 9]
    file.write_bytes(first)
    ws.definitions.apply(str(file))
    assert says(ws, "wine") == [1, 2, 3]
    assert [one.action for one in ws.endpoints.history("wine")] == ["deploy", "update", "update"]


def test_it_outlives_its_workspace_and_a_classic_one_says_why_it_stopped(
    ws: Workspace, place: Path, tmp_path: Path
) -> None:
    ws.services.deploy("line:2", "wine", **NEW)
    ws.services.deploy("line:2", "old")
    key, address = str(ws.services.keys("wine", only="primary")), ws.services.show("wine").default.address
    old_key, old = ws.endpoints.key_pair("old").primary, ws.endpoints.show("old").address
    ws.close()
    while (tmp_path / "ws").exists():  # the server may write there while it goes
        shutil.rmtree(tmp_path / "ws", ignore_errors=True)
    assert called(address, key).headers["x-mlalm-model"] == "line:2"
    deadline = time.monotonic() + 30
    while (gone := called(old, old_key)).status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert gone.status_code == 503
    assert f"The folder of this service's workspace, '{tmp_path / 'ws'}', is gone." in gone.text
    assert called(address, key).headers["x-mlalm-model"] == "line:2"
    with Workspace.init(tmp_path / "next") as other:
        assert str(other.services.keys("wine", only="primary")) == key
        # another model of the same name and version, in a store that has one already
        other.models.register(fitted(7.0), "line", sample=ROWS)
        told = other.services.deploy("line:1", "wine", update=True)
        assert told.default.model == "line:1"
        other.models.register(fitted(8.0), "line", sample=ROWS)
        told = other.services.deploy("line:2", "wine", update=True)
        assert told.note == "line:2 is kept there as line:3, for that name is another's there."
        assert says(other, "wine") == [8, 16, 24]
        assert other.endpoints.rollback("wine").model == "line:1"
        assert says(other, "wine") == [7, 14, 21]
    with Workspace.open(place / "maker") as maker:
        assert maker.services.delete("wine", yes=True).name == "wine"


@pytest.mark.full
def test_ending_one_region_leaves_the_other_answering(ws: Workspace) -> None:
    ws.services.deploy("line:1", "wine", **NEW)
    ws.services.deploy("line:2", "far", kind="new", plan="small", region="east")
    key, address = str(ws.services.keys("wine", only="primary")), ws.services.show("wine").default.address
    west = ws.server.status(region="west")
    assert west.pid
    assert "worker" not in [one.role for one in west.processes]
    os.kill(west.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while ws.regions.show("west").is_running and time.monotonic() < deadline:
        time.sleep(0.02)
    assert says(ws, "far") == [2, 4, 6]
    with pytest.raises(Unavailable):
        ws.services.score("wine", ROWS)
    started = ws.server.start()
    assert {one.name: one.is_running for one in started.regions} == {"west": True, "east": True}
    assert called(address, key).headers["x-mlalm-model"] == "line:1"


def test_a_plan_is_what_its_services_may_take(ws: Workspace, place: Path) -> None:
    weights = LinearRegression().fit(ROWS, ROWS["a"])
    weights.coef_ = pd.Series(range(200_000), dtype="float64").to_numpy()[:1]
    weights.ballast_ = pd.Series(range(200_000), dtype="float64").to_numpy()
    ws.models.register(weights, "heavy", sample=ROWS)
    with pytest.raises(
        InvalidInput, match=r"models and data of 1 MB in all, got 1\.\d MB, 1\.\d MB of it heavy:1"
    ):
        ws.services.deploy("heavy:1", "wine", **NEW)
    assert stores(place) == []
    ws.plans.add("large", workers=4, concurrency=1, memory=64)
    ws.services.deploy("heavy:1", "wine", kind="new", plan="large", region="west")
    assert ws.regions.show("west").workers >= 4
    assert ws.plans.show("large").services == ("west/wine",)
    with pytest.raises(InUse, match="service west/wine"):
        ws.plans.remove("large", yes=True)
    ws.services.deploy(slow, "slow", sample=ROWS, kind="new", plan="large", region="west")
    key, address = str(ws.services.keys("slow", only="primary")), ws.services.show("slow").default.address
    with ThreadPoolExecutor(6) as many:
        statuses = sorted(one.status_code for one in many.map(lambda _: called(address, key), range(6)))
    assert statuses[0] == 200
    assert statuses[-1] == 503
    for name in ("wine", "slow"):
        ws.services.delete(name, yes=True)
    assert ws.plans.remove("large", yes=True).name == "large"


def slow(rows: pd.DataFrame) -> pd.DataFrame:
    import time as clock

    clock.sleep(0.5)
    return rows.assign(b=rows["a"])


def test_code_is_trusted_there_because_it_was_here(ws: Workspace, place: Path, tmp_path: Path) -> None:
    ws.services.deploy(slow, "slow", sample=ROWS, **NEW)
    file = tmp_path / "slow.wsd.json"
    ws.definitions.export("slow", str(file))
    file.write_text(file.read_text().replace("clock.sleep(0.5)", "clock.sleep(0.4)"))
    with pytest.raises(UntrustedContent):
        ws.definitions.deploy(str(file), "quick", kind="new", plan="small", region="east")
    with pytest.raises(UntrustedContent):
        ws.definitions.apply(str(file), "slow")
    assert stores(place) == ["west/slow"]


def test_a_store_that_was_never_finished_is_no_service(ws: Workspace, place: Path) -> None:
    host = service_host()()
    half = host.estate.store(host.estate.region("west"), "wine")
    Workspace.init(half).close()
    assert ws.services.list() == ()
    with pytest.raises(NotFound):
        ws.services.show("wine")
    ws.services.deploy("line:1", "wine", **NEW)
    assert says(ws, "wine") == [1, 2, 3]


def test_a_damaged_store_hides_no_other_service(ws: Workspace, place: Path) -> None:
    ws.services.deploy("line:1", "wine", **NEW)
    damaged = place / "east" / "services" / "broken" / ".mlalm"
    damaged.mkdir(parents=True)
    (damaged / "catalog.sqlite").write_bytes(b"no database at all" * 300)
    try:
        listed = ws.services.list()
        assert [one.name for one in listed] == ["wine"]
        assert "Service 'broken' in region east cannot be read" in listed.note
        assert ws.plans.show("small").services == ("west/wine",)
        with pytest.raises(Corrupt):
            ws.services.show("broken")
        assert says(ws, "wine") == [1, 2, 3]
        assert any("'broken'" in one.what for one in ws.workspaces.doctor().findings)
        ws.services.delete("broken", yes=True)
        assert not damaged.parent.exists()
    finally:
        shutil.rmtree(damaged.parent, ignore_errors=True)


def test_retraining_says_how_a_new_service_gets_another_model(ws: Workspace) -> None:
    ws.services.deploy("line:1", "wine", **NEW)
    with pytest.raises(NoEndpoints, match="service deploy MODEL wine --update"):
        ws.retraining.run("wine")
    status, body = dispatch("service", "deploy", {"service": "wine", "update": True}, workspace=ws.path)
    assert (status, body["error"]["code"]) == (400, "InvalidInput")
    assert "what" in str(body["error"])
    assert says(ws, "wine") == [1, 2, 3]


SCRIPT = """
import pandas as pd

def init(model):
    global behind
    behind = model

def run(rows: pd.DataFrame):
    return {"line": behind.predict(rows[["a"]])}
"""


@pytest.mark.full
def test_code_goes_by_file_to_another_region_and_gets_another_model(ws: Workspace, tmp_path: Path) -> None:
    (ws.path / "score.py").write_text(SCRIPT)
    ws.services.deploy(str(ws.path / "score.py"), "wine", sample=ROWS, model="line:1", **NEW)
    file = str(tmp_path / "wine.wsd.json")
    ws.definitions.export("wine", file)
    ws.definitions.deploy(file, "far", plan="small", region="east")
    assert says(ws, "far") == [1, 2, 3]
    ws.definitions.set_model(file, "line:3")
    ws.definitions.apply(file, "wine")
    assert says(ws, "wine") == [3, 6, 9]
    ws.definitions.deploy(file, "other")  # a classic one of the same file
    assert says(ws, "other") == [3, 6, 9]


@pytest.mark.full
def test_a_name_that_is_classic_elsewhere_hides_nothing(ws: Workspace, tmp_path: Path) -> None:
    with Workspace.init(tmp_path / "other") as other:
        other.models.register(fitted(5.0), "line", sample=ROWS)
        other.services.deploy("line:1", "wine")
        ws.services.deploy("line:2", "wine", **NEW)
        assert says(other, "wine") == [5, 10, 15]
        assert says(ws, "wine") == [2, 4, 6]
        kinds = {one.kind: one.default.address for one in other.services.list()}
        assert kinds["classic"] == other.services.show("wine").default.address
        assert kinds["new"] == ws.services.show("wine").default.address
        assert [one.model for one in other.services.find(model="line")] == ["line:1", "line:2"]


def test_rows_are_the_workspaces_and_not_the_regions(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ROWS.to_csv(ws.path / "rows.csv", index=False)
    ws.datasets.upload(str(ws.path / "rows.csv"), "rows")
    ws.services.deploy("line:2", "wine", **NEW)
    monkeypatch.chdir(ws.path)
    for rows in ("rows:1", "rows.csv", ROWS):
        assert [round(float(str(row[-1]))) for row in ws.services.score("wine", rows).rows] == [2, 4, 6]


def test_a_refused_deployment_leaves_the_store_as_it_was(ws: Workspace, place: Path) -> None:
    ws.services.deploy("line:1", "wine", **NEW)
    with pytest.raises(AlreadyExists):
        ws.services.deploy("line:2", "wine", **NEW)
    before = [one.noun for one in _events(ws)]
    assert (
        ws.services.deploy("line:1", "wine", **NEW).note == "Nothing changed: it serves exactly this already."
    )
    assert [one.noun for one in _events(ws)] == before
    with Workspace.open(place / "west" / "services" / "wine") as store:
        assert [one.reference for one in store.models.list()] == ["line:1"]


def _events(ws: Workspace) -> list[Any]:
    with ws.catalog.read() as tx:
        return list(tx.events.find())


def test_two_who_make_one_name_make_one_service(ws: Workspace, place: Path) -> None:
    def deploy(region: str) -> str:
        with Workspace.open(ws.path) as mine:
            try:
                return mine.services.deploy("line:1", "wine", kind="new", plan="small", region=region).id
            except AlreadyExists:
                return ""

    with ThreadPoolExecutor(4) as many:
        made = [one for one in many.map(deploy, ["west", "east", "west", "east"]) if one]
    assert len(made) == 1
    assert ws.services.show("wine").id == made[0]
    assert says(ws, "wine") == [1, 2, 3]
    assert len(stores(place)) == 1


KILLED = """
import os, signal, sys
from mlalm_jupyter.api import {module}
from mlalm_jupyter.workspace import Workspace

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

{module}.{name} = die
with Workspace.open(sys.argv[1]) as ws:
    {act}
"""


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("new_services", "check_memory"),
        ("new_services", "carried"),
        ("deploying", "prepared"),
        ("deploying", "published"),
    ],
)
def test_whoever_is_killed_while_making_one_leaves_a_free_name_or_a_service(
    ws: Workspace, module: str, name: str
) -> None:
    act = 'ws.services.deploy("line:1", "wine", kind="new", plan="small", region="west")'
    program = KILLED.format(module=module, name=name, act=act)
    done = subprocess.run([sys.executable, "-c", program, str(ws.path)], timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    if name == "published":  # it was there by then
        ws.services.stop("wine")
        assert ws.services.start("wine").state == "running"
        assert says(ws, "wine") == [1, 2, 3]
    else:
        assert ws.services.list() == ()
    ws.services.deploy("line:2", "wine", **NEW, update=name == "published")
    assert says(ws, "wine") == [2, 4, 6]


@pytest.mark.parametrize(
    ("where", "name"),
    [("shutil", "rmtree"), ("mlalm_jupyter.serving.local_host.LocalHost", "forget")],
)
def test_whoever_is_killed_while_deleting_one_leaves_nothing_that_answers(
    ws: Workspace, place: Path, where: str, name: str
) -> None:
    made = ws.services.deploy("line:1", "wine", **NEW)
    key = str(ws.services.keys("wine", only="primary"))
    program = f"""
import os, signal, sys
import mlalm_jupyter.serving.local_host, shutil
from mlalm_jupyter.workspace import Workspace

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

{where}.{name} = die
with Workspace.open(sys.argv[1]) as ws:
    ws.services.delete("wine", yes=True)
"""
    done = subprocess.run([sys.executable, "-c", program, str(ws.path)], timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    assert ws.services.list() == ()
    deadline = time.monotonic() + 30
    in_a_row = 0
    while in_a_row < 10 and time.monotonic() < deadline:  # each scorer sees it for itself
        status = called(made.default.address, key).status_code
        in_a_row = in_a_row + 1 if status in (404, 503) else 0
        time.sleep(0.02)
    assert in_a_row == 10
    again = ws.services.deploy("line:2", "wine", **NEW)
    assert called(made.default.address, key).status_code == 404
    assert says(ws, "wine") == [2, 4, 6]
    ws.services.delete("wine", yes=True)
    assert called(again.default.address, key).status_code == 404
    assert stores(place) == []


@pytest.mark.parametrize("name", ["carried", "check_changeable"])
def test_whoever_is_killed_while_updating_one_leaves_what_it_served(ws: Workspace, name: str) -> None:
    ws.services.deploy("line:1", "wine", **NEW)
    act = 'ws.services.deploy("line:2", "wine", update=True)'
    program = KILLED.format(module="new_services", name=name, act=act)
    done = subprocess.run([sys.executable, "-c", program, str(ws.path)], timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    assert says(ws, "wine") == [1, 2, 3]
    ws.services.deploy("line:3", "wine", update=True)
    assert says(ws, "wine") == [3, 6, 9]


@pytest.mark.parametrize(
    "name",
    [
        "write_json",
        *(
            pytest.param(one, marks=pytest.mark.full)
            for one in ("_folders", "Home.make", "MachineEstate._add")
        ),
    ],
)
def test_whoever_is_killed_while_adding_a_region_may_repeat_it(
    ws: Workspace, tmp_path: Path, name: str
) -> None:
    program = f"""
import os, signal, sys
from mlalm_jupyter.serving import estate
from mlalm_jupyter.workspace import Workspace

calls = []

def die(*_, **__):
    calls.append(1)
    if len(calls) > {1 if name == "_folders" else 0}:
        os.kill(os.getpid(), signal.SIGKILL)
    return []

estate.{name} = die
with Workspace.open(sys.argv[1]) as ws:
    ws.regions.add("north", storage=sys.argv[2])
"""
    storage = str(tmp_path / "north")
    if name == "Home.make":  # which is also the first thing that the lock needs
        program = program.replace("len(calls) > 0", "len(calls) > 1")
    done = subprocess.run([sys.executable, "-c", program, str(ws.path), storage], timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    if "north" not in [one.name for one in ws.regions.list()]:
        ws.regions.add("north", storage=storage)
    try:
        ws.services.deploy("line:2", "wine", kind="new", plan="small", region="north")
        assert says(ws, "wine") == [2, 4, 6]
        ws.services.delete("wine", yes=True)
    finally:
        ws.regions.remove("north", yes=True)


def test_a_definition_may_allow_fewer_calls_than_its_plan(ws: Workspace, tmp_path: Path) -> None:
    ws.services.deploy(slow, "slow", sample=ROWS, **NEW)
    file = ws.definitions.export("slow", str(tmp_path / "slow.wsd.json")).file
    document = json.loads(Path(file).read_text())
    document["properties"]["realtimeConfiguration"] = {"maxConcurrentCalls": 1}
    ws.trust.add(ServiceDefinition.from_dict(document).digest)
    Path(file).write_text(json.dumps(document))
    ws.definitions.apply(file, "slow")
    key, address = str(ws.services.keys("slow", only="primary")), ws.services.show("slow").default.address
    with ThreadPoolExecutor(4) as many:
        statuses = sorted(one.status_code for one in many.map(lambda _: called(address, key), range(4)))
    assert (statuses[0], statuses[-1]) == (200, 503)


@pytest.mark.full
def test_a_region_whose_storage_is_gone_is_not_made_anew(ws: Workspace, place: Path) -> None:
    ws.services.deploy("line:1", "wine", **NEW)
    ws.server.stop(region="west")
    (place / "west").rename(place / "away")
    try:
        assert "is not there" in str(ws.regions.show("west").note)
        assert "What lives in region west cannot be seen" in ws.services.list().note
        with pytest.raises(Unconfirmed, match="which nobody can see just now"):
            ws.regions.remove("west")
        for act in (
            lambda: ws.server.start(region="west"),
            lambda: ws.services.deploy("line:1", "next", **NEW),  # type: ignore[arg-type]
        ):
            with pytest.raises(Unavailable, match="is not there"):
                act()
        assert not (place / "west").exists()
        assert ws.services.list() == ()
        (finding,) = [one for one in ws.workspaces.doctor().findings if one.where.startswith("region")]
        assert "is not there" in finding.what
        assert {one.name for one in ws.server.status().regions} == {"west", "east"}
    finally:
        (place / "away").rename(place / "west")
    ws.server.start(region="west")
    assert says(ws, "wine") == [1, 2, 3]


@pytest.mark.parametrize("how", ["moved", pytest.param("copied", marks=pytest.mark.full)])
def test_a_region_is_carried_to_another_place(ws: Workspace, place: Path, how: str) -> None:
    made = ws.services.deploy("line:3", "wine", **NEW)
    key = str(ws.services.keys("wine", only="primary"))
    ws.regions.remove("west", yes=True)
    try:
        if how == "moved":
            (place / "west").rename(place / "west2")
        else:
            shutil.copytree(place / "west", place / "west2")
        ws.regions.add("west", storage=str(place / "west2"))
        ws.server.start(region="west")
        assert ws.services.show("wine").id == made.id
        assert called(made.default.address, key).headers["x-mlalm-model"] == "line:3"
        ws.services.deploy("line:1", "wine", update=True)
        assert says(ws, "wine") == [1, 2, 3]
        ws.services.delete("wine", yes=True)
    finally:
        ws.regions.remove("west", yes=True)
        shutil.rmtree(place / "west", ignore_errors=True)
        (place / "west2").rename(place / "west")
        ws.regions.add("west", storage=str(place / "west"))


def test_a_storage_has_one_home_and_says_which(ws: Workspace, place: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLALM_HOME", str(tmp_path / "home2"))
        with Workspace.init(tmp_path / "ws2") as other:
            with pytest.raises(Conflict, match="belongs to the server at home in"):
                other.regions.add("west", storage=str(place / "west"))
            assert other.regions.list() == ()
    facts = place / "west" / "server" / "region.json"
    before = facts.read_bytes()
    ws.regions.remove("west", yes=True)
    try:
        facts.write_text("{")
        with pytest.raises(Corrupt, match="which region this is"):
            ws.regions.add("north", storage=str(place / "west"))
        facts.unlink()
        Workspace.init(place / "west" / "services" / "odd").close()
        with pytest.raises(Conflict, match="nothing says of which region"):
            ws.regions.add("north", storage=str(place / "west"))
    finally:
        shutil.rmtree(place / "west" / "services" / "odd", ignore_errors=True)
        facts.write_bytes(before)
        ws.regions.add("west", storage=str(place / "west"))


@pytest.mark.full
def test_what_a_region_has_is_applied_back_when_its_workspace_is_gone(ws: Workspace, tmp_path: Path) -> None:
    ws.services.deploy("line:2", "wine", **NEW)
    ws.services.deploy("line:3", "wine", update=True)
    file = str(tmp_path / "wine.wsd.json")
    with Workspace.init(tmp_path / "next") as other:
        other.definitions.export("wine", file)
        assert (
            other.definitions.apply(file, "wine").note == "Nothing changed: it serves exactly this already."
        )
        Path(file).write_text(ws.services.described("line:2").text)
        assert other.definitions.apply(file, "wine").default.model == "line:2"
        assert says(other, "wine") == [2, 4, 6]
        for factor in (8.0, 9.0):
            other.models.register(fitted(factor), "line", sample=ROWS)
        told = other.services.deploy("line:2", "wine", update=True)
        assert told.default.model == "line:4"
        assert told.note == "line:2 is kept there as line:4, for that name is another's there."
        Path(file).unlink()
        other.definitions.export("wine", file)
        assert other.definitions.apply(file, "wine").default.model == "line:4"
        with pytest.raises(
            NotFound, match=r"What the definition means by it is line:2 here.*set-model FILE line:2"
        ):
            other.definitions.validate(file)


@pytest.mark.full
def test_a_service_whose_region_does_not_run_says_so(ws: Workspace) -> None:
    ws.services.deploy("line:2", "wine", **NEW)
    assert ws.services.show("wine").note is None
    ws.server.stop()
    ws.services.start("wine")
    assert ws.server.stop().note == "Stopped: region west."
    assert "mlalm server start --region west" in str(ws.services.show("wine").note)
    with pytest.raises(Unavailable, match="mlalm service start wine"):
        ws.services.score("wine", ROWS)
    assert ws.services.start("wine").note is None
    assert says(ws, "wine") == [2, 4, 6]


def test_a_storage_that_holds_other_things_is_refused(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("Dear")
    with pytest.raises(Conflict, match="holds other things already"):
        ws.regions.add("full", storage=str(tmp_path / "full"))
    assert [one.name for one in tmp_path.joinpath("full").iterdir()] == ["letter.txt"]


def test_a_storage_inside_a_workspace_is_told(ws: Workspace) -> None:
    made = ws.regions.add("inner", storage=str(ws.path / "inner"))
    assert made.note == f"It lies in workspace '{ws.path}', and goes where that folder goes."
    ws.regions.remove("inner", yes=True)
    (ws.path / "file").write_text("")
    with pytest.raises(InvalidInput, match="Expected a folder, got a file"):
        ws.regions.add("inner", storage=str(ws.path / "file"))
    assert [one.name for one in ws.regions.list()] == ["east", "west"]


def test_a_damaged_file_of_a_region_stops_nothing_else(ws: Workspace, place: Path) -> None:
    file = place / "home" / "regions" / "zz.json"
    file.write_text("{")
    try:
        assert "is damaged" in str(ws.regions.show("zz").note)
        ws.services.deploy("line:1", "wine", **NEW)
        assert says(ws, "wine") == [1, 2, 3]
        assert ws.server.status().regions[-1].name == "zz"
    finally:
        file.unlink()


@pytest.mark.full
def test_a_new_service_is_stopped_while_its_region_does_not_run(ws: Workspace) -> None:
    made = ws.services.deploy("line:1", "wine", **NEW)
    key = str(ws.services.keys("wine", only="primary"))
    ws.server.stop(region="west")
    assert ws.services.stop("wine").state == "stopped"
    ws.server.start(region="west")
    assert called(made.default.address, key).status_code == 503
    ws.server.stop(region="west")
    assert ws.services.start("wine").state == "running"
    assert called(made.default.address, key).status_code == 200


@pytest.mark.full
def test_who_depends_on_a_model_and_who_trusts_it_is_told_of_regions_too(ws: Workspace) -> None:
    ws.services.deploy("line:2", "wine", **NEW)
    told = [one.to_dict() for one in ws.models.dependents("line:2")]
    assert told == [
        {"kind": "service", "name": "wine", "why": "serves a copy of it in region west", "is_binding": False}
    ]
    ws.services.deploy(slow, "slow", sample=ROWS, **NEW)
    digest = ws.services.show("slow").default.definition_hash
    assert (
        "New services keep the trust they were deployed with: slow" in ws.trust.remove(digest, yes=True).note
    )
    with pytest.raises(NoEndpoints, match="policy"):
        ws.policies.add("p", "follow", endpoint="wine", model="line")
    with pytest.raises(NoEndpoints, match="service show wine"):
        ws.endpoints.list(service="wine")


def test_deleting_takes_the_store_and_frees_the_name(ws: Workspace, place: Path) -> None:
    made = ws.services.deploy("line:1", "wine", **NEW)
    key = str(ws.services.keys("wine", only="primary"))
    with pytest.raises(Unconfirmed, match="its store"):
        ws.services.delete("wine")
    ws.services.delete("wine", yes=True)
    assert called(made.default.address, key).status_code == 404
    assert stores(place) == []
    again = ws.services.deploy("line:2", "wine", **NEW)
    assert again.id != made.id
    assert called(again.default.address, key).status_code == 401


def test_a_stopped_one_keeps_its_keys(ws: Workspace) -> None:
    made = ws.services.deploy("line:1", "wine", **NEW)
    key = str(ws.services.keys("wine", only="primary"))
    assert ws.services.stop("wine").state == "stopped"
    assert called(made.default.address, key).status_code == 503
    ws.services.start("wine")
    ws.services.regenerate_key("wine", "secondary")
    assert called(made.default.address, key).status_code == 200


@pytest.mark.full
def test_a_region_that_was_forgotten_comes_back_with_its_services(ws: Workspace, place: Path) -> None:
    made = ws.services.deploy("line:3", "wine", **NEW)
    key = str(ws.services.keys("wine", only="primary"))
    with pytest.raises(Unconfirmed, match="the address of service wine"):
        ws.regions.remove("west")
    ws.regions.remove("west", yes=True)
    with pytest.raises(NotFound):
        ws.services.show("wine")
    with pytest.raises(Conflict, match="That storage is region 'west'"):
        ws.regions.add("north", storage=str(place / "west"))
    with pytest.raises(Conflict, match="has that storage, or one around it"):
        ws.regions.add("north", storage=str(place / "east" / "inner"))
    ws.regions.add("west", storage=str(place / "west"))
    ws.server.start(region="west")
    assert ws.services.show("wine") == made
    assert called(made.default.address, key).headers["x-mlalm-model"] == "line:3"
    assert [one.reference for one in ws.services.find(model="line:3")] == ["wine"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"workers": 0}, "The number of workers of plan 'p'"),
        ({"concurrency": 201}, "The number of concurrent calls of plan 'p'"),
        ({"memory": -1}, "The memory in MB of plan 'p'"),
    ],
)
def test_a_plan_has_numbers_that_can_be_kept(ws: Workspace, given: dict[str, int], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        ws.plans.add("p", **given)
    with pytest.raises(InvalidInput, match="The name of the plan"):
        ws.plans.add("../p")
    with pytest.raises(InvalidInput, match="The storage of region 'north'"):
        ws.regions.add("north")
    assert [one.name for one in ws.plans.list()] == ["small"]
