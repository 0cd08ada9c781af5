"""Programs that other people wrote score our services; what goes over the wire is theirs, unchanged.

Shims, each for what a newer Python or pandas took away and none for what is sent:

- azmlclient: `autoclass.autodict`, which on Python 3.11 cannot change the bases of its configuration classes;
  `pandas.Series.iteritems`, with which it looks through the columns of an answer.
- azureml: `inspect.getargs`, whose result had a field `keywords` on Python 2, for `varkw`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlalm_jupyter.formats import frames
from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.local_host import LocalHost
from tests.contract.served import ROWS, Handmade, logistic

pytestmark = [pytest.mark.prove_services, pytest.mark.timeout(240)]

AZUREML = """
import inspect, json, sys, types
from azureml import services
getargs = inspect.getargs
inspect.getargs = lambda code: types.SimpleNamespace(**getargs(code)._asdict(), keywords=getargs(code).varkw)
address, key, rows = json.load(sys.stdin)
url = address + "/execute?api-version=2.0&details=true"
@services.service(url, key)
@services.types(age=float, hours=float)
def census(age, hours):
    pass
told = {"one": census(*rows[0]), "all": census.map(*zip(*rows))}
@services.service(url, "wrong" + key)
@services.types(age=float, hours=float)
def locked(age, hours):
    pass
try:
    locked(*rows[0])
except RuntimeError as error:
    told["refused"] = str(error)
print(json.dumps(told))
"""
AZMLCLIENT = """
import json, sys
import autoclass
autoclass.autodict = lambda cls: cls
import pandas as pd
pd.Series.iteritems = pd.Series.items
import azmlclient
address, key, rows = json.load(sys.stdin)
frame = pd.DataFrame(rows, columns=["age", "hours"])
told = {}
for swagger in (False, True):
    out = azmlclient.execute_rr(key, address, {"input1": frame}, {}, ["output1"], use_swagger_format=swagger)
    told["swagger" if swagger else "table"] = out["output1"].to_dict("list")
try:
    azmlclient.execute_rr("wrong", address, {"input1": frame}, {})
except Exception as error:
    told["refused"] = type(error).__name__ + " " + str(error)
print(json.dumps(told))
"""
TRITON = """
import json, sys
import numpy as np
import tritonclient.http as triton
address, key, rows = json.load(sys.stdin)
rows = np.array(rows)
client = triton.InferenceServerClient(address.removeprefix("http://"))
told = {"live": client.is_server_live(), "ready": client.is_model_ready("census")}
told["metadata"] = client.get_model_metadata("census")
for binary in (True, False):
    columns = []
    for index, name in enumerate(["age", "hours"]):
        one = triton.InferInput(name, [len(rows), 1], "FP64")
        one.set_data_from_numpy(np.ascontiguousarray(rows[:, index:index + 1]), binary_data=binary)
        columns.append(one)
    wanted = [triton.InferRequestedOutput(n, binary_data=binary) for n in ("Scored Labels", "Scored Probabilities")]
    # it writes into the headers it is given, so each call has its own
    answer = client.infer("census", columns, outputs=wanted, headers={"Authorization": "Bearer " + key})
    told["binary" if binary else "json"] = {
        name: answer.as_numpy(name).ravel().tolist() for name in ("Scored Labels", "Scored Probabilities")
    }
try:
    client.infer("census", columns, headers={"Authorization": "Bearer wrong"})
except triton.InferenceServerException as error:
    told["refused"] = str(error)
print(json.dumps(told))
"""


class Stage:
    """A server with a scikit-learn model behind an endpoint."""

    def __init__(self, folder: Path) -> None:
        self.host = LocalHost(Home(folder / "home"))
        self.made = Handmade(folder / "ws")
        self.model = logistic()
        self.address = self.made.go_live(self.host, "census/default", self.made.model(self.model))

    def told_by(self, program: str) -> dict[str, Any]:
        """What a program of somebody else's got out of the service."""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program],
            input=json.dumps([self.address, "primary-key", ROWS.to_numpy().tolist()]),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return found


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("clients"))
    yield made
    made.host.stop()


def test_the_client_of_2016_calls_one_by_one_and_all_at_once(stage: Stage) -> None:
    expected = frames.score(stage.model, ROWS).to_dict("records")
    told = stage.told_by(AZUREML)
    assert told["one"] == expected[0]
    assert told["all"] == expected
    assert told["refused"] == "That key does not open this endpoint."


def test_azmlclient_reads_both_published_forms(stage: Stage) -> None:
    expected = frames.score(stage.model, ROWS).to_dict("list")
    told = stage.told_by(AZMLCLIENT)
    for form in ("table", "swagger"):
        assert {name: list(map(float, values)) for name, values in told[form].items()} == expected
    assert "ScoreRequestUnauthorized" in told["refused"]


def test_triton_s_client_sends_and_gets_tensors_in_both_ways(stage: Stage) -> None:
    told = stage.told_by(TRITON)
    assert (told["live"], told["ready"]) == (True, True)
    assert [one["name"] for one in told["metadata"]["inputs"]] == ["age", "hours"]
    for way in ("binary", "json"):
        assert told[way]["Scored Labels"] == stage.model.predict(ROWS).tolist()
        assert np.array_equal(told[way]["Scored Probabilities"], stage.model.predict_proba(ROWS)[:, 1])
    assert "That key does not open this endpoint" in told["refused"]
