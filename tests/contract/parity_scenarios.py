"""For every verb a situation in which it does something, built through the Python API."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cloudpickle
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from mlalm_jupyter.domain.job import Lease
from mlalm_jupyter.domain.run import Cells, Output, Run, RunStatus
from mlalm_jupyter.formats import bundle
from mlalm_jupyter.ports import Execution
from mlalm_jupyter.workspace import Workspace

ROWS = pd.DataFrame({"hour": [1, 2, 3, 4], "wind": [4.5, 0.0, 1.25, 3.0]})
Arguments = dict[str, Any]
EXECUTED = b'{"nbformat": 4, "cells": []}'

TRAINING = """
import pandas as pd
from sklearn.linear_model import LinearRegression
from mlalm_jupyter import Workspace
rows = pd.DataFrame({"hour": [1, 2, 3, 4], "wind": [4.5, 0.0, 1.25, 3.0]})
model = LinearRegression().fit(rows, rows["hour"] * factor)
Workspace.open().models.register(model, "hours", sample=rows)
"""


TIDYING = """
import pandas as pd
rows = pd.read_csv("rows.csv")
rows["windy"] = rows.wind > 1
"""


@dataclass(frozen=True)
class Scenario:
    """Prepares a fresh workspace and gives the arguments."""

    prepare: Callable[[Workspace], Arguments]
    changes: bool = False
    """Whether the verb must leave something behind."""
    is_loose: bool = False
    """Whether only the kind of the answer is compared, because it tells of the moment."""


@cache
def package(factor: int = 1) -> bytes:
    """A real `.ilearner`."""
    return bundle.pack(LinearRegression().fit(ROWS, ROWS["hour"] * factor), sample=ROWS).data


def write(ws: Workspace, name: str, data: bytes | str) -> str:
    path = ws.path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


def table(ws: Workspace) -> str:
    return write(ws, "rides.csv", ROWS.to_csv(index=False))


def dataset(ws: Workspace) -> str:
    return ws.datasets.upload(table(ws), "rides").reference


def model(ws: Workspace, factor: int = 1) -> str:
    return ws.models.register(write(ws, f"hours{factor}.ilearner", package(factor)), "hours").reference


@cache
def scaling() -> bytes:
    """The package of a fitted transform."""
    return bundle.pack(StandardScaler().fit(ROWS), sample=ROWS).data


def transform(ws: Workspace) -> str:
    return ws.transforms.register(write(ws, "scale.ilearner", scaling()), "scale").reference


def no_estate(ws: Workspace) -> Arguments:
    """All surfaces share one home, so each begins without the plans and regions of the one before."""
    for one in ws.regions.list():
        ws.regions.remove(one.name, yes=True)
    for one in ws.plans.list():
        ws.plans.remove(one.name, yes=True)
    return {}


def plan(ws: Workspace) -> str:
    no_estate(ws)
    return ws.plans.add("small", workers=1, concurrency=4, memory=64).name


def region(ws: Workspace) -> str:
    no_estate(ws)
    return ws.regions.add("west", storage=str(ws.path / "west")).name


def service(ws: Workspace) -> str:
    return ws.services.deploy(model(ws), "hours").name


def endpoint(ws: Workspace) -> str:
    service(ws)
    return ws.endpoints.add("hours/ep2").reference


def patched(ws: Workspace) -> str:
    return ws.endpoints.patch(endpoint(ws), model=model(ws, 2)).reference


def behind(ws: Workspace) -> None:
    """An endpoint whose service has been deployed again since."""
    endpoint(ws)
    ws.services.deploy(model(ws, 2), "hours", update=True)


def protected(ws: Workspace) -> str:
    return ws.endpoints.patch(endpoint(ws), prevent_update=True).reference


def notebook(ws: Workspace, *sources: str, name: str = "train.ipynb") -> str:
    cells = [
        {
            "cell_type": "code",
            "id": f"cell{index}",
            "metadata": {"tags": ["parameters"]} if index == 0 else {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for index, source in enumerate(sources)
    ]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": spec}, "cells": cells}
    return write(ws, name, json.dumps(content))


def referring(ws: Workspace) -> str:
    """A notebook that reads the first of two versions of a dataset."""
    dataset(ws)
    ws.datasets.upload(write(ws, "more.csv", "hour,wind\n1,2.5\n"), "rides")
    return notebook(ws, "factor = 1", "rows = %dataset rides:1", name="rides.ipynb")


def tidying(ws: Workspace) -> str:
    """A notebook that trains nothing."""
    write(ws, "rows.csv", "hour,wind\n1,2.5\n")
    return notebook(ws, TIDYING, name="tidying.ipynb")


def exported_experiment(ws: Workspace) -> str:
    return ws.experiments.export(referring(ws), beside(ws, "rides.json")).file


def beside(ws: Workspace, name: str) -> str:
    """A place outside the workspace, for what is another one each time."""
    return str(ws.path.with_name(f"{ws.path.name}-{name}"))


def gallery(ws: Workspace) -> str:
    ws.galleries.publish(referring(ws), beside(ws, "gallery"))
    return beside(ws, "gallery")


def another(ws: Workspace) -> str:
    return str(Workspace.init(ws.path.with_name(f"{ws.path.name}-other")).path)


def begun(ws: Workspace, *sources: str) -> tuple[Run, Lease]:
    """A run that this process holds, without a kernel."""
    path = Path(notebook(ws, *(sources or ("factor = 1",))))
    return ws.recorder.begin(
        path.read_bytes(), path=path.name, parameters={"factor": 1}, origin="papermill", owner="test"
    )


def ended(ws: Workspace, *sources: str) -> Run:
    run, lease = begun(ws, *sources)
    return ws.recorder.end(run, lease, Execution(EXECUTED, RunStatus.FINISHED, Cells(1, 1)))


def moved(ws: Workspace) -> Arguments:
    """A notebook with a history that its owner has put elsewhere."""
    ended(ws)
    (ws.path / "train.ipynb").rename(ws.path / "later.ipynb")
    return {"notebook": "train.ipynb", "to": "later.ipynb"}


def leaving(ws: Workspace) -> Run:
    """A run whose first cell left a value."""
    run, lease = begun(ws)
    left = Output(1, "total", "json", "int 3", ws.blobs.put(b"3"), 1)
    return ws.recorder.end(
        run, lease, Execution(EXECUTED, RunStatus.FINISHED, Cells(1, 1), executed=(1,), outputs=(left,))
    )


def leaving_model(ws: Workspace) -> Run:
    """A run whose first cell left a fitted object and the rows it was fitted on."""
    run, lease = begun(ws)
    frame = io.BytesIO()
    ROWS.to_parquet(frame)
    fitted = cloudpickle.dumps(LinearRegression().fit(ROWS, ROWS["hour"]))
    left = (
        Output(1, "rows", "parquet", "pandas DataFrame", ws.blobs.put(frame.getvalue()), 1),
        Output(1, "fitted", "pickle", "sklearn LinearRegression", ws.blobs.put(fitted), 1),
    )
    return ws.recorder.end(
        run, lease, Execution(EXECUTED, RunStatus.FINISHED, Cells(1, 1), executed=(1,), outputs=left)
    )


def aliased(ws: Workspace) -> str:
    return ws.models.alias(model(ws), "champion").reference


def policy(ws: Workspace) -> str:
    return ws.policies.add("signed", "signed-models").name


def trained(ws: Workspace) -> str:
    """A service whose model comes from a run, so that it can be trained again."""
    run, lease = begun(ws, "factor = 1", TRAINING)
    os.environ["MLALM_RUN"] = run.id
    try:
        fitted = LinearRegression().fit(ROWS, ROWS["hour"])
        reference = ws.models.register(fitted, "hours", sample=ROWS).reference
    finally:
        del os.environ["MLALM_RUN"]
    ws.recorder.end(run, lease, Execution(EXECUTED, RunStatus.FINISHED, Cells(2, 2)))
    ws.services.deploy(reference, "hours")
    return ws.endpoints.add("hours/ep2").reference


def trigger(ws: Workspace) -> str:
    """An experiment that runs at a time that is far from now."""
    return ws.triggers.add(notebook(ws, "factor = 1"), "yearly", cron="30 3 1 1 *").name


def exported(ws: Workspace) -> str:
    service(ws)
    return ws.definitions.export("hours", str(ws.path / "hours.wsd.json")).file


def remodelled(ws: Workspace) -> str:
    """A definition file that names another model than its service."""
    return ws.definitions.set_model(exported(ws), model(ws, 2)).file


def started(ws: Workspace) -> Arguments:
    ws.server.start()
    return {}


def stopped(ws: Workspace) -> Arguments:
    ws.server.stop()
    return {}


def forgotten(ws: Workspace) -> Arguments:
    """Bytes that were put long ago, and that nothing refers to."""
    dataset(ws)
    file = ws.context.blobs.path(ws.blobs.put(b"forgotten"))
    os.utime(file, (1000, 1000))
    return {"grace_h": 2.0}


def _with(
    make: Callable[[Workspace], Any], *ignored: object, **more: Any
) -> Callable[[Workspace], Arguments]:
    """Arguments that say nothing of what was made."""

    def prepare(ws: Workspace) -> Arguments:
        make(ws)
        return dict(more)

    return prepare


SCENARIOS: dict[tuple[str, str], Scenario] = {
    ("workspace", "init"): Scenario(lambda ws: {"path": str(ws.path / "another")}, changes=True),
    ("workspace", "show"): Scenario(_with(model)),
    ("workspace", "doctor"): Scenario(_with(patched)),
    ("workspace", "gc"): Scenario(forgotten, changes=True),
    ("dataset", "upload"): Scenario(
        lambda ws: {
            "file": table(ws),
            "name": "rides",
            "format": "csv",
            "tags": {"year": "2024"},
            "description": "Rides, as they were",
        },
        changes=True,
    ),
    ("dataset", "update"): Scenario(
        lambda ws: {
            "name": dataset(ws).partition(":")[0],
            "file": write(ws, "more.csv", "hour,wind\n9,1.5\n"),
        },
        changes=True,
    ),
    ("dataset", "list"): Scenario(_with(dataset, name="rides")),
    ("dataset", "show"): Scenario(lambda ws: {"dataset": dataset(ws), "rows": 2}),
    ("dataset", "lineage"): Scenario(lambda ws: {"dataset": dataset(ws)}),
    ("dataset", "download"): Scenario(
        lambda ws: {"dataset": dataset(ws), "file": str(ws.path / "copy.csv")}, changes=True
    ),
    ("dataset", "delete"): Scenario(lambda ws: {"dataset": dataset(ws), "yes": True}, changes=True),
    ("transform", "register"): Scenario(
        lambda ws: {
            "transform": write(ws, "scale.ilearner", scaling()),
            "name": "scale",
            "tags": {"year": "2024"},
            "description": "Zero mean, one spread",
        },
        changes=True,
    ),
    ("transform", "list"): Scenario(_with(transform, name="scale")),
    ("transform", "show"): Scenario(lambda ws: {"transform": transform(ws)}),
    ("transform", "lineage"): Scenario(lambda ws: {"transform": transform(ws)}),
    ("transform", "delete"): Scenario(lambda ws: {"transform": transform(ws), "yes": True}, changes=True),
    ("experiment", "list"): Scenario(_with(ended)),
    ("experiment", "show"): Scenario(_with(ended, notebook="train.ipynb")),
    ("experiment", "snapshot"): Scenario(
        lambda ws: {"notebook": notebook(ws, "factor = 1"), "message": "first", "tags": {"kind": "try"}},
        changes=True,
    ),
    ("service", "setup"): Scenario(lambda ws: {"kind": "ports", "notebook": tidying(ws)}, changes=True),
    ("experiment", "save-as"): Scenario(lambda ws: {"source": referring(ws), "name": "again"}, changes=True),
    ("experiment", "update-asset"): Scenario(
        lambda ws: {"notebook": referring(ws), "asset": "rides", "kind": "dataset"}, changes=True
    ),
    # ids are in the text, and so in its hash
    ("experiment", "export"): Scenario(
        lambda ws: {"source": referring(ws), "file": beside(ws, "rides.json")}, changes=True, is_loose=True
    ),
    ("experiment", "import"): Scenario(
        lambda ws: {"file": exported_experiment(ws), "name": "again"}, changes=True
    ),
    ("experiment", "copy"): Scenario(
        lambda ws: {"source": referring(ws), "to": another(ws), "name": "again"}, is_loose=True
    ),
    ("experiment", "open"): Scenario(lambda ws: {"run": ended(ws).id, "source": True}, is_loose=True),
    ("experiment", "graph"): Scenario(lambda ws: {"source": referring(ws)}),
    ("experiment", "diff"): Scenario(
        lambda ws: {"before": notebook(ws, "factor = 1", name="one.ipynb"), "after": referring(ws)}
    ),
    ("gallery", "publish"): Scenario(
        lambda ws: {
            "source": referring(ws),
            "gallery": beside(ws, "gallery"),
            "name": "rides",
            "description": "Rides by hour",
        },
        is_loose=True,
    ),
    ("gallery", "list"): Scenario(lambda ws: {"gallery": gallery(ws)}, is_loose=True),
    ("gallery", "clone"): Scenario(
        lambda ws: {"package": "rides", "gallery": gallery(ws), "name": "again"}, changes=True, is_loose=True
    ),
    ("experiment", "move"): Scenario(moved, changes=True),
    ("experiment", "delete"): Scenario(_with(ended, notebook="train.ipynb", yes=True), changes=True),
    ("experiment", "run"): Scenario(
        lambda ws: {
            "notebook": notebook(ws, "factor = 1\nname = ''", "factor * 2"),
            "parameters": {"factor": 3, "name": "bikes:1"},
        },
        changes=True,
    ),
    ("experiment", "history"): Scenario(_with(ended, notebook="train.ipynb", limit=5)),
    ("run", "show"): Scenario(lambda ws: {"run": ended(ws).id}),
    ("run", "outputs"): Scenario(lambda ws: {"run": leaving(ws).id}),
    ("run", "download-output"): Scenario(
        lambda ws: {"run": leaving(ws).id, "output": "1.total", "file": str(ws.path / "total.json")},
        changes=True,
    ),
    ("run", "compare"): Scenario(lambda ws: {"runs": f"{ended(ws).id},{ended(ws).id}"}),
    ("run", "replay"): Scenario(lambda ws: {"run": ended(ws, "factor = 1", "factor").id}, changes=True),
    ("run", "cancel"): Scenario(lambda ws: {"run": begun(ws)[0].id}, changes=True),
    ("model", "register"): Scenario(
        lambda ws: {
            "model": write(ws, "hours.ilearner", package()),
            "name": "hours",
            "tags": {"year": "2024", "ok": "true"},
            "properties": {"ticket": "7"},
            "metrics": {"rmse": 0.5},
            "description": "Hours, as they are",
        },
        changes=True,
    ),
    ("model", "promote"): Scenario(
        lambda ws: {
            "run": leaving_model(ws).id,
            "output": "1.fitted",
            "name": "hours",
            "sample": "rows",
            "tags": {"year": "2024"},
        },
        changes=True,
    ),
    ("model", "list"): Scenario(_with(model, name="hours", where="version=1, framework=scikit-learn")),
    ("model", "tag"): Scenario(
        lambda ws: {
            "model": model(ws),
            "tags": {"stage": "prod"},
            "properties": {"ticket": "7"},
            "description": "Better",
        },
        changes=True,
    ),
    ("model", "alias"): Scenario(lambda ws: {"model": model(ws), "alias": "champion"}, changes=True),
    ("model", "aliases"): Scenario(_with(aliased, name="hours")),
    ("model", "history"): Scenario(lambda ws: {"model": aliased(ws)}),
    ("model", "lineage"): Scenario(lambda ws: {"model": (service(ws), "hours:1")[1]}),
    ("model", "dependents"): Scenario(lambda ws: {"model": (service(ws), "hours:1")[1]}),
    ("model", "compare"): Scenario(lambda ws: {"models": f"{model(ws)},{model(ws, 2)}"}),
    ("model", "sign"): Scenario(lambda ws: {"model": model(ws)}, changes=True),
    ("model", "verify"): Scenario(lambda ws: {"model": model(ws)}),
    ("policy", "add"): Scenario(
        lambda ws: {
            "name": "newest",
            "rule": "follow",
            "endpoint": endpoint(ws),
            "model": model(ws, 2).partition(":")[0],
        },
        changes=True,
    ),
    ("policy", "list"): Scenario(_with(policy)),
    ("policy", "show"): Scenario(lambda ws: {"policy": policy(ws)}),
    ("policy", "delete"): Scenario(lambda ws: {"policy": policy(ws), "yes": True}, changes=True),
    ("service", "find"): Scenario(lambda ws: {"model": (patched(ws), "hours:2")[1]}),
    ("model", "show"): Scenario(lambda ws: {"model": model(ws)}),
    ("model", "download"): Scenario(
        lambda ws: {"model": model(ws), "file": str(ws.path / "copy.ilearner")}, changes=True
    ),
    ("model", "sample"): Scenario(
        lambda ws: {"model": model(ws), "file": str(ws.path / "rows.csv")}, changes=True
    ),
    ("model", "delete"): Scenario(lambda ws: {"model": model(ws), "yes": True}, changes=True),
    ("trust", "list"): Scenario(_with(service)),
    ("trust", "add"): Scenario(lambda ws: {"digest": "ab" * 32, "kind": "file"}, changes=True),
    ("trust", "remove"): Scenario(
        lambda ws: {"digest": ws.trust.add("ab" * 32).digest, "yes": True}, changes=True
    ),
    ("service", "deploy"): Scenario(
        lambda ws: {
            "what": (service(ws), model(ws, 2))[1],
            "service": "hours",
            "update": True,
            "description": "Hours, as they are",
            "stop_start": True,
        },
        changes=True,
    ),
    ("service", "list"): Scenario(_with(endpoint)),
    ("service", "show"): Scenario(lambda ws: {"service": service(ws)}),
    ("service", "score"): Scenario(lambda ws: {"service": service(ws), "rows": table(ws)}),
    ("service", "consume"): Scenario(lambda ws: {"service": service(ws), "lang": "python"}),
    ("service", "stop"): Scenario(lambda ws: {"service": service(ws)}, changes=True),
    ("service", "start"): Scenario(lambda ws: {"service": ws.services.stop(service(ws)).name}, changes=True),
    ("service", "delete"): Scenario(_with(endpoint, service="hours", yes=True), changes=True),
    ("service", "keys"): Scenario(lambda ws: {"service": service(ws), "only": "secondary"}),
    ("service", "regenerate-key"): Scenario(
        lambda ws: {"service": service(ws), "which": "primary"}, changes=True
    ),
    ("endpoint", "add"): Scenario(
        _with(
            service,
            endpoint="hours/ep",
            count=3,
            description="One of three",
            throttle="High",
            concurrency=20,
            prevent_update=True,
        ),
        changes=True,
    ),
    ("endpoint", "list"): Scenario(_with(endpoint, service="hours")),
    ("endpoint", "show"): Scenario(lambda ws: {"endpoint": endpoint(ws)}),
    ("endpoint", "patch"): Scenario(
        lambda ws: {
            "endpoint": endpoint(ws),
            "model": model(ws, 2),
            "description": "Of autumn",
            "throttle": "low",
        },
        changes=True,
    ),
    ("endpoint", "rollback"): Scenario(lambda ws: {"endpoint": patched(ws), "to": 1}, changes=True),
    ("endpoint", "history"): Scenario(lambda ws: {"endpoint": patched(ws), "as_of": "2999-01-01T00:00:00Z"}),
    ("endpoint", "keys"): Scenario(_with(service, endpoint="hours")),
    ("endpoint", "refresh"): Scenario(
        _with(behind, endpoint="hours/ep2", overwrite_models=True), changes=True
    ),
    ("endpoint", "delete"): Scenario(lambda ws: {"endpoint": endpoint(ws), "yes": True}, changes=True),
    ("endpoint", "regenerate-key"): Scenario(
        lambda ws: {"endpoint": endpoint(ws), "which": "secondary"}, changes=True
    ),
    ("wsd", "show"): Scenario(lambda ws: {"service": service(ws)}),
    ("wsd", "export"): Scenario(
        lambda ws: {"what": service(ws), "file": str(ws.path / "hours.wsd.json")}, changes=True
    ),
    ("wsd", "validate"): Scenario(lambda ws: {"file": exported(ws)}),
    ("wsd", "set-model"): Scenario(
        lambda ws: {"file": exported(ws), "model": model(ws, 2), "asset": "hours"}, changes=True
    ),
    ("wsd", "diff"): Scenario(lambda ws: {"old": exported(ws), "new": model(ws, 2)}),
    ("wsd", "deploy"): Scenario(lambda ws: {"file": exported(ws), "service": "second"}, changes=True),
    ("wsd", "apply"): Scenario(lambda ws: {"file": remodelled(ws), "service": "hours"}, changes=True),
    ("job", "list"): Scenario(_with(ended, limit=5)),
    ("job", "show"): Scenario(lambda ws: {"job": ended(ws).job_id}),
    ("job", "follow"): Scenario(lambda ws: {"job": ended(ws).job_id, "timeout_s": 5.0}),
    ("job", "cancel"): Scenario(lambda ws: {"job": begun(ws)[0].job_id}, changes=True),
    ("retrain", "run"): Scenario(
        lambda ws: {"service": "hours", "parameters": {"factor": 2}, "patch": trained(ws)}, changes=True
    ),
    ("trigger", "add"): Scenario(
        lambda ws: {
            "notebook": notebook(ws, "factor = 1", "factor * 2"),
            "name": "yearly",
            "cron": "30 3 1 1 *",
            "timezone": "Europe/Berlin",
            "parameters": {"factor": 3},
            "missed": "skip",
        },
        changes=True,
    ),
    ("trigger", "list"): Scenario(_with(trigger)),
    ("trigger", "show"): Scenario(lambda ws: {"trigger": trigger(ws)}),
    ("trigger", "pause"): Scenario(lambda ws: {"trigger": trigger(ws)}, changes=True),
    ("trigger", "resume"): Scenario(
        lambda ws: {"trigger": ws.triggers.pause(trigger(ws)).name}, changes=True
    ),
    ("trigger", "delete"): Scenario(lambda ws: {"trigger": trigger(ws), "yes": True}, changes=True),
    ("plan", "add"): Scenario(lambda ws: {**no_estate(ws), "plan": "small", "concurrency": 4}),
    ("plan", "list"): Scenario(lambda ws: (plan(ws), {})[1]),
    ("plan", "show"): Scenario(lambda ws: {"plan": plan(ws)}),
    ("plan", "remove"): Scenario(lambda ws: {"plan": plan(ws), "yes": True}),
    ("region", "add"): Scenario(
        lambda ws: {**no_estate(ws), "region": "west", "storage": str(ws.path / "west")}, changes=True
    ),
    ("region", "list"): Scenario(lambda ws: (region(ws), {})[1]),
    ("region", "show"): Scenario(lambda ws: {"region": region(ws)}),
    ("region", "remove"): Scenario(lambda ws: {"region": region(ws), "yes": True}),
    # one after the other on each surface, since a start takes its time; see the test
    ("server", "stop"): Scenario(started),
    ("server", "start"): Scenario(stopped),
    ("server", "status"): Scenario(started),
    ("server", "logs"): Scenario(
        lambda ws: {**started(ws), "process": "supervisor", "lines": 2}, is_loose=True
    ),
}

REFUSALS: dict[str, tuple[str, str, Callable[[Workspace], Arguments]]] = {
    "DefaultEndpointNotPatchable": (
        "endpoint",
        "patch",
        _with(lambda ws: (service(ws), model(ws, 2)), endpoint="hours/default", model="hours:2"),
    ),
    "UpdatePrevented": ("endpoint", "refresh", lambda ws: {"endpoint": protected(ws)}),
    "NotFound": ("model", "show", _with(model, model="hours:9")),
    "AlreadyExists": (
        "service",
        "deploy",
        _with(lambda ws: (service(ws), model(ws, 2)), what="hours:2", service="hours"),
    ),
    "InUse": ("model", "delete", _with(service, model="hours:1", yes=True)),
    "Unconfirmed": ("model", "delete", _with(model, model="hours:1")),
    "AgainstPolicy": (
        "service",
        "deploy",
        _with(lambda ws: (model(ws), policy(ws)), what="hours:1", service="hours"),
    ),
    "InvalidInput": ("trust", "add", _with(model, digest="xyz")),
    "NothingToRollBack": ("endpoint", "rollback", _with(service, endpoint="hours")),
    "UntrustedContent": ("service", "deploy", lambda ws: {"what": _foreign(ws), "service": "foreign"}),
}


def _foreign(ws: Workspace) -> str:
    """A definition whose code nobody signed here."""
    service(ws)
    ws.services.deploy(_windy, "windy", sample=ROWS)
    path = Path(ws.definitions.export("windy", str(ws.path / "windy.wsd.json")).file)
    path.write_text(path.read_text().replace("> 1", "> 2"))
    return str(path)


def _windy(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(windy=rows["wind"] > 1)
