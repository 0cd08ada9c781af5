"""The registry through the Python API: words, aliases, promotion, signatures, policies, plain files."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pickle
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from mlalm_jupyter.domain.errors import (
    AgainstPolicy,
    AlreadyExists,
    Conflict,
    DefaultEndpointNotPatchable,
    InUse,
    InvalidInput,
    NotFound,
    StaleRevision,
    Unavailable,
    Unconfirmed,
    UntrustedContent,
)
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.outcome import ModelSample, Written
from mlalm_jupyter.domain.run import Cells, RunStatus
from mlalm_jupyter.formats.archive import json_text, unzipped, zipped
from mlalm_jupyter.notebook.findings import METRIC
from mlalm_jupyter.ports import Execution
from mlalm_jupyter.surfaces.display import html_of, text_of
from mlalm_jupyter.workspace import Workspace
from tests.contract.parity_scenarios import (
    EXECUTED,
    ROWS,
    begun,
    dataset,
    ended,
    leaving,
    leaving_model,
    notebook,
    package,
    write,
)

pytestmark = [pytest.mark.prove_models, pytest.mark.timeout(300)]


@pytest.fixture
def ws(hosted: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Workspace:
    monkeypatch.chdir(tmp_path)
    return hosted


def line(ws: Workspace, factor: float = 1, name: str = "line", **more: Any) -> TrainedModel:
    return ws.models.register(LinearRegression().fit(ROWS, ROWS["hour"] * factor), name, sample=ROWS, **more)


def foreign(ws: Workspace, name: str = "hours", factor: int = 7) -> TrainedModel:
    """A model whose file came from elsewhere, so that nobody here has signed it."""
    return ws.models.register(write(ws, "from-elsewhere.ilearner", package(factor)), name)


# words


def test_tags_and_description_change_with_a_trace_and_the_version_stays(ws: Workspace) -> None:
    made = line(ws, tags={"stage": "tried"}, description="First")
    said = ws.models.tag("line:1", tags={"stage": "prod", "who": "ann"}, description="Better")
    assert (said.tags, said.description) == ({"stage": "prod", "who": "ann"}, "Better")
    assert (said.model_hash, said.bundle_digest, said.created_at) == (
        made.model_hash,
        made.bundle_digest,
        made.created_at,
    )
    assert ws.models.tag("line:1", remove="who").tags == {"stage": "prod"}
    told = [one.sentence() for one in ws.models.history("line:1")]
    assert len(told) == 3
    assert "said more of model line:1 (description 'First' to 'Better', tag stage tried to prod" in told[1]
    assert "tag who ann to none" in told[2]
    assert (
        ws.models.tag("line:1", tags={"stage": "prod"}).note
        == "Nothing changed: it says exactly that already."
    )
    assert len(ws.models.history("line:1")) == 3
    with pytest.raises(NotFound, match="No tag 'whom'"):
        ws.models.tag("line:1", remove="whom")


def test_properties_are_said_once(ws: Workspace) -> None:
    line(ws, properties={"ticket": "7"})
    assert ws.models.tag("line:1", properties={"reviewer": "bob"}).properties == {
        "ticket": "7",
        "reviewer": "bob",
    }
    with pytest.raises(InvalidInput, match=r"properties are said once.*Use a tag for what changes"):
        ws.models.tag("line:1", properties={"ticket": "8"})


def test_what_an_object_was_set_up_with_is_kept_and_searched(ws: Workspace) -> None:
    ws.models.register(
        RandomForestRegressor(n_estimators=3, max_depth=2, random_state=1).fit(ROWS, ROWS["hour"]),
        "forest",
        sample=ROWS,
        metrics={"rmse": 1},
    )
    line(ws)
    found = ws.models.list(where="max_depth=2, rmse<=1")
    assert [one.reference for one in found] == ["forest:1"]
    assert found[0].parameters["n_estimators"] == 3
    with pytest.raises(InvalidInput, match=r"metric 'rmse'.*finite number"):
        line(ws, metrics={"rmse": float("nan")})


def test_a_list_is_cut_into_pages_and_says_so(ws: Workspace) -> None:
    for factor in range(1, 4):
        line(ws, factor)
    line(ws, name="other")
    first = ws.models.list(name="line", limit=2)
    assert ([one.version for one in first], first.note) == ([3, 2], "There are more: --page 2.")
    assert "There are more: --page 2." in text_of(first)
    second = ws.models.list(name="line", limit=2, page=2)
    assert ([one.version for one in second], second.note) == ([1], "")
    assert [one.reference for one in ws.models.list(limit=1)] == ["line:3"]
    assert [one.reference for one in ws.models.list(limit=1, page=2)] == ["other:1"]
    assert [one.reference for one in ws.models.list(sort="name")] == ["line:3", "other:1"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"where": "nix=1"},
            r"a tag, property, metric or parameter that some model has \(.*rmse.*\), got 'nix'",
        ),
        ({"where": "metric.copy_X=1"}, r"the name of a metric that some model has \(rmse\), got 'copy_X'"),
        ({"where": "rmsee>=1"}, "The nearest is 'rmse'"),
        ({"where": "created>=2026-13-01"}, "a year, month, day or time .*got '2026-13-01'"),
        ({"where": "created>=foo"}, "a year, month, day or time"),
        ({"where": "created>=2026-11-31"}, "a year, month, day or time"),
        ({"where": "created<2026-11-01T25:00"}, "a year, month, day or time"),
        (
            {"sort": "nix"},
            r"created, name, size, or the name of a metric that some model has \(rmse\), got 'nix'",
        ),
        ({"name": "nope"}, "No model 'nope'"),
    ],
)
def test_names_and_times_that_can_find_nothing_are_refused(
    ws: Workspace, asked: dict[str, str], said: str
) -> None:
    line(ws, metrics={"rmse": 1})
    with pytest.raises((InvalidInput, NotFound), match=said):
        ws.models.list(**asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "when", ["2020", "2020-01", "2020-01-31", "2020-01-31T09", "2020-01-31 09:30", "2020-01-31T09:30:59.5Z"]
)
def test_a_time_may_be_said_as_exactly_as_one_likes(ws: Workspace, when: str) -> None:
    line(ws)
    assert [one.reference for one in ws.models.list(where=f"created>'{when}'")] == ["line:1"]
    assert ws.models.list(where=f"created<='{when}'") == ()


def test_an_order_shows_the_newest_of_each_as_without_it(ws: Workspace) -> None:
    for name, number in (("line", 3), ("other", 2)):
        for rmse in range(number):
            line(ws, rmse + 1, name, metrics={"rmse": rmse})
    assert [one.reference for one in ws.models.list(sort="name")] == ["line:3", "other:2"]
    assert [one.reference for one in ws.models.list(sort="rmse")] == ["other:2", "line:3"]
    assert [one.reference for one in ws.models.list(sort="-rmse", limit=1, page=2)] == ["other:2"]
    assert [one.reference for one in ws.models.list(sort="rmse", name="line")] == [
        "line:1",
        "line:2",
        "line:3",
    ]
    assert len(ws.models.list(sort="rmse", where="rmse>=0")) == 5


def test_a_disk_that_fills_half_way_registers_nothing(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    line(ws)
    file = write(ws, "large.ilearner", package(2))
    real, room = os.write, [3000]

    def full(handle: int, data: Any) -> int:
        if len(data) > 1000:  # a model's own bytes
            if room[0] == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data, room[0] = data[: room[0]], max(0, room[0] - len(data))
        return real(handle, data)

    before = {path for path in (ws.path / ".mlalm").rglob("*") if path.is_file()}
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        for model in (file, LinearRegression().fit(ROWS, ROWS["hour"] * 3)):
            room[0] = 3000
            with pytest.raises(Unavailable, match="The disk is full"):
                ws.models.register(model, "line", sample=ROWS)
    assert {path for path in (ws.path / ".mlalm").rglob("*") if path.is_file()} - before == set()
    assert [one.version for one in ws.models.list(name="line")] == [1]
    assert line(ws, 2).version == 2


def test_whether_it_comes_out_the_same_is_told_where_it_is_shown(ws: Workspace) -> None:
    same = line(ws)
    assert (same.is_deterministic, same.varies) == (True, ())
    assert "training on the same data gives this hash again" in text_of(ws.models.show("line"))
    forest = RandomForestRegressor(2).fit(ROWS, ROWS["hour"])
    drawn = ws.models.register(forest, "forest", sample=ROWS)
    assert drawn.is_deterministic is False
    assert "not promised: RandomForestRegressor draws random numbers" in text_of(ws.models.show("forest"))
    assert ws.models.show("forest") == drawn


def test_equal_bytes_make_the_next_version_unless_only_changes_are_wanted(ws: Workspace) -> None:
    line(ws)
    again = line(ws)
    assert (again.version, again.equal_to) == (2, 1)
    same = line(ws, if_changed=True)
    assert (same.reference, same.note) == ("line:2", "Nothing changed: line:2 has the same bytes.")
    assert line(ws, 9, if_changed=True).version == 3
    assert line(ws, if_changed=True).version == 2, "whichever version it equals is given"


# aliases


def test_an_alias_can_be_used_wherever_a_model_is_named(ws: Workspace) -> None:
    line(ws)
    line(ws, 2)
    assert ws.models.alias("line:1", "champion").note is None
    ws.services.deploy("line@champion", "line")
    ws.endpoints.add("line/ep2")
    moved = ws.models.alias("line:2", "champion")
    assert (moved.revision, moved.before) == (2, 1)
    assert ws.models.show("line@champion").reference == "line:2"
    assert ws.services.score("line", ROWS).model == "line:1", "what serves does not move by an alias"
    assert ws.endpoints.patch("line/ep2", model="line@champion").model == "line:2"
    assert ws.models.download("line@champion", "champion.ilearner").what == "model line:2"
    assert ws.models.load("line@champion").predict(ROWS)[1] == pytest.approx(4)  # type: ignore[attr-defined]
    assert [one.reference for one in ws.services.find(model="line@champion")] == ["line/ep2"]
    assert [one.data["to"] for one in ws.models.history("line@champion")] == ["line:1", "line:2"]
    assert ws.models.alias("line:2", "champion").note == "Nothing changed: it stands for line:2 already."


def test_moving_an_alias_can_be_conditional(ws: Workspace) -> None:
    for factor in (1, 2, 3):
        line(ws, factor)
    ws.models.alias("line:1", "champion")
    ws.models.alias("line:2", "champion", expected=1)
    with pytest.raises(StaleRevision, match=r"It is at revision \d, and revision 50 was expected"):
        ws.models.alias("line:2", "champion", expected=50)
    with pytest.raises(StaleRevision, match="It is not there yet, and revision 5 was expected"):
        ws.models.alias("line:2", "nobody", expected=5)
    with pytest.raises(StaleRevision, match=r"Alias 'line@champion' was not changed. Someone else"):
        ws.models.alias("line:3", "champion", expected=1)
    assert ws.models.show("line@champion").version == 2


def test_a_version_with_an_alias_is_not_deleted_and_a_removed_alias_keeps_its_history(ws: Workspace) -> None:
    line(ws)
    ws.models.alias("line:1", "champion")
    with pytest.raises(InUse, match="alias line@champion"):
        ws.models.delete("line:1", yes=True)
    assert (
        ws.models.alias("line", "champion", remove=True, yes=True).note == "It stands for nothing any more."
    )
    with pytest.raises(NotFound, match="No alias 'line@champion'"):
        ws.models.show("line@champion")
    assert [one.action for one in ws.models.history("line@champion")] == ["move", "remove"]
    ws.models.delete("line:1", yes=True)


def test_a_snapshot_pins_what_an_alias_stood_for(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    line(ws)
    line(ws, 2)
    ws.models.alias("line:1", "champion")
    run, lease = begun(ws, "factor = 1", "old = %model line@champion")
    assert [pin.reference for pin in run.snapshot.assets] == ["line:1"]
    ws.models.alias("line:2", "champion")
    monkeypatch.setenv("MLALM_RUN", run.id)
    assert ws.models.load("line@champion").coef_[0] == pytest.approx(1)  # type: ignore[attr-defined]
    ws.models.alias("line:1", "champion")
    ws.models.alias("line:2", "champion")
    assert ws.models.load("line@champion").coef_[0] == pytest.approx(2), "the run has moved it itself"  # type: ignore[attr-defined]
    monkeypatch.delenv("MLALM_RUN")
    ws.recorder.end(run, lease, Execution(EXECUTED, RunStatus.FINISHED, Cells(2, 2)))


# where it came from, and what came of it

MEASURED = [
    {
        "output_type": "display_data",
        "metadata": {},
        "data": {METRIC: {"name": name, "value": value}, "text/plain": ""},
    }
    for name, value in (("auc", 0.9), ("loss", 0.25))
]


def lined_up(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> TrainedModel:
    """Data, a run with a cell that is at work, a model, and an endpoint that serves it."""
    rides = dataset(ws)
    run, lease = begun(ws, "factor = 1", "train()")
    ws.recorder.running(run, lease)
    ws.recorder.progress(run, lease, Cells(1, 2, 2))
    monkeypatch.setenv("MLALM_RUN", run.id)
    frame = ws.datasets.load(rides)
    model = ws.models.register(LinearRegression().fit(frame, frame["hour"]), "line", sample=frame)
    monkeypatch.delenv("MLALM_RUN")
    ws.recorder.end(run, lease, Execution(EXECUTED, RunStatus.FINISHED, Cells(2, 2)))
    ws.services.deploy("line:1", "line")
    return model


def test_lineage_leads_from_the_data_to_the_endpoint(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    model = lined_up(ws, monkeypatch)
    assert (model.lineage.cell, model.lineage.experiment) == (2, "train.ipynb")
    assert model.lineage.environment["python"]
    ws.models.register(ws.models.load("line:1"), "line", sample=ROWS)  # made of the first
    graph = ws.models.lineage("line:1")
    said = {(graph.thing(step.source).kind, step.how, graph.thing(step.target).kind) for step in graph.steps}
    assert {
        ("dataset", "was read", "run"),
        ("run", "ran", "cell"),
        ("cell", "made", "model"),
        ("model", "answers at", "endpoint"),
        ("model", "was loaded", "model"),
    } <= said
    told = text_of(graph)
    assert "* model line:1 (scikit-learn" in told
    assert "made <- cell 2" in told
    assert re.search(r"dataset +rides:1 +4 rows", told)
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="mlalm-graph" role="img"' in html_of(graph)
    assert [
        one.reference for one in ws.models.list(where="dataset=rides:1, run=" + str(model.lineage.run_id))
    ] == ["line:1"]


def test_lineage_leads_on_from_the_data(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    lined_up(ws, monkeypatch)
    graph = ws.datasets.lineage("rides:1")
    assert graph.thing(graph.subject).name == "rides:1"
    assert [one.kind for one in graph.things] == ["dataset", "model", "run", "cell", "endpoint"]
    assert "* dataset rides:1 (4 rows)" in text_of(graph)
    dataset(ws)
    assert [one.name for one in ws.datasets.lineage("rides:2").things] == ["rides:2"], (
        "nothing came of it yet"
    )


def test_lineage_leads_through_transforms_both_ways(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset(ws)
    line(ws, name="apart")
    ws.transforms.register(StandardScaler().fit(ROWS), "apart", sample=ROWS)
    run, lease = begun(ws, "factor = 1", "fit()")
    ws.recorder.running(run, lease)
    monkeypatch.setenv("MLALM_RUN", run.id)
    frame = ws.datasets.load("rides:1")
    ws.transforms.register(StandardScaler().fit(frame), "scale", sample=frame)
    monkeypatch.delenv("MLALM_RUN")
    ws.recorder.end(run, lease, Execution(EXECUTED, RunStatus.FINISHED, Cells(2, 2)))
    later, lease = begun(ws, "factor = 1", "train()")
    ws.recorder.running(later, lease)
    monkeypatch.setenv("MLALM_RUN", later.id)
    scaler: Any = ws.transforms.load("scale:1")
    scaled = pd.DataFrame(scaler.transform(ROWS), columns=ROWS.columns)
    ws.models.register(LinearRegression().fit(scaled, ROWS["hour"]), "line", sample=scaled)
    monkeypatch.delenv("MLALM_RUN")
    ws.recorder.end(later, lease, Execution(EXECUTED, RunStatus.FINISHED, Cells(2, 2)))
    ws.services.deploy("line:1", "line")

    way = {
        ("dataset", "run"),
        ("run", "transform"),
        ("transform", "run"),
        ("run", "model"),
        ("model", "endpoint"),
    }
    for graph in (
        ws.datasets.lineage("rides:1"),
        ws.transforms.lineage("scale:1"),
        ws.models.lineage("line:1"),
    ):
        kinds = [one.kind for one in graph.things]
        assert sorted(set(kinds)) == ["dataset", "endpoint", "model", "run", "transform"]
        assert (kinds.count("run"), kinds.count("model")) == (2, 1)
        assert way <= {(graph.thing(step.source).kind, graph.thing(step.target).kind) for step in graph.steps}
        assert re.search(r"transform +scale:1 +scikit-learn", text_of(graph))
        assert ">scale:1<" in html_of(graph).partition("</svg>")[0], "in the picture as well"
        assert "apart" not in text_of(graph), "it came of nothing of this"


def test_a_model_from_elsewhere_says_so(ws: Workspace) -> None:
    model = foreign(ws)
    assert (model.lineage.origin, model.lineage.run_id, model.lineage.environment) == ("external", None, {})
    assert "from-elsewhere.ilearner (from elsewhere)" in text_of(ws.models.lineage("hours:1"))
    assert [one.reference for one in ws.models.list(where="origin=external")] == ["hours:1"]


def test_what_a_run_measured_is_said_of_its_models(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    run, lease = begun(ws)
    monkeypatch.setenv("MLALM_RUN", run.id)
    line(ws, metrics={"auc": 0.5})
    monkeypatch.delenv("MLALM_RUN")
    cell = {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "source": "measure()",
        "execution_count": 1,
        "outputs": MEASURED,
    }
    executed = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()
    ws.recorder.end(run, lease, Execution(executed, RunStatus.FINISHED, Cells(1, 1), executed=(1,)))
    assert ws.models.show("line:1").metrics == {"auc": 0.5, "loss": 0.25}, "what was said by hand stays"
    assert [one.reference for one in ws.models.list(where="loss<0.3")] == ["line:1"]


def test_versions_are_compared_by_what_is_measured_set_and_taken(ws: Workspace) -> None:
    line(ws, metrics={"rmse": 0.5})
    wide = ROWS.assign(rain=[0.0, 1.0, 0.0, 1.0])
    forest = RandomForestRegressor(n_estimators=3, random_state=1).fit(wide, wide["hour"])
    ws.models.register(forest, "line", sample=wide, metrics={"rmse": 0.25})
    found = ws.models.compare("line:1,line:2")
    assert found.metrics == {"rmse": (0.5, 0.25)}
    assert found.parameters["n_estimators"] == (None, 3)
    assert found.schema["takes rain"] == (None, "Double")
    told = text_of(found)
    assert "≠  metric rmse" in told
    assert "line:1" in told
    with pytest.raises(InvalidInput, match="two versions or more"):
        ws.models.compare("line:1,line:1")


def test_dependents_are_named_and_keep_a_version(ws: Workspace) -> None:
    line(ws)
    line(ws, 2)
    ws.services.deploy("line:1", "line")
    ws.endpoints.add("line/ep2")
    ws.endpoints.patch("line/ep2", model="line:2")
    ws.definitions.export("line", str(ws.path / "services" / "line.wsd.json"))
    ws.models.alias("line:1", "champion")
    found = {(one.told, one.is_binding) for one in ws.models.dependents("line:1")}
    assert found == {
        ("endpoint line/default", True),
        ("WSD services/line.wsd.json", True),
        ("alias line@champion", True),
        ("endpoint line/ep2", False),
    }
    with pytest.raises(
        InUse, match=r"'endpoint line/default', 'WSD services/line.wsd.json', 'alias line@champion'"
    ):
        ws.models.delete("line:1", yes=True)
    ws.models.alias("line", "champion", remove=True, yes=True)
    ws.services.deploy("line:2", "line", update=True)
    with pytest.raises(InUse, match=r"in use by 'WSD services/line.wsd.json'"):
        ws.models.delete("line:1", yes=True)
    (ws.path / "services" / "line.wsd.json").unlink()
    with pytest.raises(Unconfirmed, match="what endpoint line/default could be rolled back to"):
        ws.models.delete("line:1")
    ws.models.delete("line:1", yes=True)
    assert text_of(ws.models.dependents("line:2")).count("endpoint") == 2


def test_what_was_made_with_a_version_does_not_keep_it_for_ever(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    lined_up(ws, monkeypatch)
    ws.models.register(ws.models.load("line:1"), "child", sample=ROWS)
    ws.services.deploy("child:1", "line", update=True)
    told = {one.told: one.is_binding for one in ws.models.dependents("line:1")}
    assert told["model child:1"] is False
    with pytest.raises(Unconfirmed, match="what model child:1 says it was made with"):
        ws.models.delete("line:1")
    ws.models.delete("line:1", yes=True)
    assert ws.models.show("child:1").lineage.datasets[-1] == "model line:1"
    graph = ws.models.lineage("child:1")
    assert ("line:1", "gone") in {(one.name, one.told) for one in graph.things}
    assert ws.models.load("child:1") is not None
    assert ws.workspaces.doctor().findings == ()


def test_a_refusal_to_delete_names_a_way_for_each_user(ws: Workspace) -> None:
    line(ws)
    ws.models.alias("line:1", "champion")
    with pytest.raises(InUse, match=r"`mlalm model alias NAME WORD --remove`") as caught:
        ws.models.delete("line:1", yes=True)
    assert "endpoint" not in caught.value.fix


def test_an_equal_version_that_nothing_names_can_go(ws: Workspace) -> None:
    line(ws)
    line(ws)
    ws.services.deploy("line:2", "line")
    ws.models.delete("line:1", yes=True)
    assert ws.services.score("line", ROWS).model == "line:2"


def test_services_are_found_by_what_they_serve_now(ws: Workspace) -> None:
    line(ws)
    line(ws, 2)
    line(ws, name="other")
    ws.services.deploy("line:1", "a")
    ws.services.deploy("other:1", "b")
    ws.endpoints.add("a/ep2")

    def found(model: str) -> list[str]:
        return [one.reference for one in ws.services.find(model=model)]

    assert found("line:1") == ["a/default", "a/ep2"]
    ws.endpoints.patch("a/ep2", model="line:2")
    assert (found("line:1"), found("line:2")) == (["a/default"], ["a/ep2"])
    assert found("line") == ["a/default", "a/ep2"]
    ws.endpoints.rollback("a/ep2")
    assert (found("line:1"), found("line:2")) == (["a/default", "a/ep2"], [])
    with pytest.raises(NotFound):
        found("nobody")


# promotion


def test_an_output_of_a_run_becomes_a_model(ws: Workspace) -> None:
    run = leaving_model(ws)
    made = ws.models.promote(run.id[:8], "fitted", "hours", sample="rows", tags={"year": "2024"})
    assert (made.reference, made.lineage.output, made.lineage.cell) == ("hours:1", "1.fitted", 1)
    assert (made.lineage.run_id, made.lineage.experiment) == (run.id, "train.ipynb")
    ws.services.deploy("hours:1", "hours")
    assert ws.services.score("hours", ROWS).model == "hours:1"
    assert ws.runs.show(run.id).models == ("hours:1",)
    assert "fitted" in text_of(ws.models.lineage("hours:1"))
    with pytest.raises(AlreadyExists, match=r"Model 'hours' was not made.*--update"):
        ws.models.promote(run.id, "fitted", "hours", sample="rows")
    assert ws.models.promote(run.id, "1.fitted", "hours", sample="rows", update=True).version == 2


def test_what_is_no_model_is_not_promoted(ws: Workspace) -> None:
    with pytest.raises(InvalidInput, match=r"The output 1.total is not valid. Expected a model.*got int 3"):
        ws.models.promote(leaving(ws).id, "total", "hours")
    run = leaving_model(ws)
    with pytest.raises(InvalidInput, match=r"The output 1.rows"):
        ws.models.promote(run.id, "rows", "hours")
    with pytest.raises(NotFound, match="No output 'nothing'"):
        ws.models.promote(run.id, "nothing", "hours")
    assert ws.models.list() == ()


# signatures and policies


def test_a_signature_is_checked_here_and_elsewhere(ws: Workspace, tmp_path: Path) -> None:
    foreign(ws)
    assert not ws.models.verify("hours:1").is_well
    assert "this workspace has not signed it" in text_of(ws.models.verify("hours:1"))
    with pytest.raises(Conflict, match=r"Model hours:1 was not sealed.*`mlalm model sign hours:1`"):
        ws.models.download("hours:1", "sealed.ilearner", form="sealed")
    signed = ws.models.sign("hours:1")
    assert signed.public_key in text_of(signed)
    found = ws.models.verify("hours:1")
    assert found.is_well
    assert "signed as hours:1" in text_of(found)
    assert ws.models.sign("hours:1").note == "Nothing changed: this workspace's key has signed it already."
    for form in ("package", "sealed"):
        written = ws.models.download("hours:1", f"{form}.ilearner", form=form)
        assert hashlib.sha256(Path(written.file).read_bytes()).hexdigest() == written.digest
    assert "made with this workspace's key" in text_of(ws.models.verify("sealed.ilearner"))
    with pytest.raises(InvalidInput, match=r"The form 'wheel'.*one of package, sealed, mlflow"):
        ws.models.download("hours:1", "hours.whl", form="wheel")
    with Workspace.init(tmp_path / "elsewhere") as other:
        assert other.models.verify("sealed.ilearner", key=signed.public_key).is_well
        nobody = other.models.verify("sealed.ilearner")
        assert not nobody.is_well, "whose key that is nobody there knows"
        assert signed.public_key in text_of(nobody)
        assert "it carries none" in text_of(other.models.verify("package.ilearner", key=signed.public_key))
        assert not other.models.verify("sealed.ilearner", key=other.context.keyring.public_key).is_well
        made = other.models.register("sealed.ilearner", "theirs")
        assert made.model_hash == ws.models.show("hours:1").model_hash
        assert other.models.verify("theirs:1", key=signed.public_key).is_well, "the seal stays in the package"
        assert not other.models.verify("theirs:1").is_well, "a seal of others gives no permission here"
        forged = replaced_seal(Path("sealed.ilearner").read_bytes(), signature="AAAA")
        Path("forged.ilearner").write_bytes(forged)
        assert "is not over these bytes" in text_of(other.models.verify("forged.ilearner"))
        assert not other.models.verify("forged.ilearner", key=signed.public_key).is_well


def replaced_seal(data: bytes, **changes: str) -> bytes:
    members = dict(unzipped(data))
    return zipped({**members, "seal.json": json_text(json.loads(members["seal.json"]) | changes)})


def test_a_model_is_handed_on_as_an_mlflow_folder_and_comes_back(ws: Workspace, tmp_path: Path) -> None:
    line(ws, 2)
    written = ws.models.download("line:1", str(tmp_path / "flow"), form="mlflow")
    assert written.size_bytes > 0
    assert (Path(written.file) / "MLmodel").is_file()
    back = ws.models.register(written.file, "back")
    assert back.model_hash == ws.models.show("line:1").model_hash
    assert str(back.lineage.source["tool"]).startswith("mlflow ")
    with pytest.raises(AlreadyExists):
        ws.models.download("line:1", written.file, form="mlflow")


def test_a_file_of_another_tool_is_looked_at_and_not_opened(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "best.pkl").write_bytes(pickle.dumps(LinearRegression().fit(ROWS, ROWS["hour"])))
    found = ws.models.verify("./best.pkl")
    assert not found.is_well
    assert "LinearRegression" in found.opening
    ws.trust.add(found.model_hash, kind="file")
    assert ws.models.verify("best.pkl").is_well
    whole = (tmp_path / "best.pkl").read_bytes()
    for kept in (-1, -40, len(whole) // 2):
        (tmp_path / "cut.pkl").write_bytes(whole[:kept])
        ws.trust.add(hashlib.sha256(whole[:kept]).hexdigest(), kind="file")
        cut = ws.models.verify("cut.pkl")
        assert not cut.is_well, "whoever trusts it cannot make it whole"
        assert "it does not end" in text_of(cut) or "it is cut" in text_of(cut)
    (tmp_path / "notes.txt").write_text("no model")
    assert not ws.models.verify("notes.txt").is_well


def test_altered_bytes_are_told_and_not_signed(ws: Workspace) -> None:
    model = line(ws)
    blob = ws.blobs.path(model.bundle_digest)
    os.chmod(blob, 0o600)
    blob.write_bytes(blob.read_bytes()[:-200] + b"x" * 200)
    found = ws.models.verify("line:1")
    assert not found.is_well
    assert text_of(found)
    blob.unlink()
    assert "its bytes are gone" in text_of(ws.models.verify("line:1"))


def test_only_signed_models_serve_where_a_policy_says_so(ws: Workspace) -> None:
    line(ws)
    foreign(ws)
    ws.services.deploy("line:1", "line")
    ws.endpoints.add("line/ep2")
    ws.policies.add("signed", "signed-models")
    with pytest.raises(
        AgainstPolicy,
        match=r"Model hours:1 was refused. There is the policy 'signed': it lets only models serve that this "
        r"workspace's key signed.*`mlalm model sign hours:1`",
    ):
        ws.services.deploy("hours:1", "hours")
    with pytest.raises(AgainstPolicy):
        ws.endpoints.patch("line/ep2", model="hours:1")
    assert [one.name for one in ws.services.list()] == ["line"]
    ws.models.sign("hours:1")
    assert ws.endpoints.patch("line/ep2", model="hours:1").model == "hours:1"
    assert ws.services.score("line/ep2", ROWS).model == "hours:1"
    digest = ws.models.show("hours:1").model_hash
    with pytest.raises(
        AgainstPolicy,
        match=rf"trust in {digest[:12]} was refused.*and line/ep2 answers with this one. Move what",
    ):
        ws.trust.remove(digest, yes=True)
    ws.endpoints.patch("line/ep2", model="line:1")
    ws.trust.remove(digest, yes=True)
    ws.policies.delete("signed", yes=True)
    assert ws.endpoints.patch("line/ep2", model="hours:1").model == "hours:1", (
        "data only, so it may serve again"
    )


def test_a_policy_is_not_added_over_what_breaks_it(ws: Workspace) -> None:
    foreign(ws)
    ws.services.deploy("hours:1", "hours")
    with pytest.raises(Conflict, match=r"'signed' was not added. hours/default serves hours:1, which"):
        ws.policies.add("signed", "signed-models")
    assert ws.policies.list() == ()
    ws.models.sign("hours:1")
    assert ws.policies.add("signed", "signed-models").told.startswith("only models")
    with pytest.raises(AlreadyExists, match="Policy 'signed'"):
        ws.policies.add("signed", "signed-models")
    with pytest.raises(InvalidInput, match=r"The rule 'trust-me'.*signed-models, follow"):
        ws.policies.add("other", "trust-me")
    with pytest.raises(InvalidInput, match="an endpoint and a model"):
        ws.policies.add("other", "follow", model="hours")


def served(ws: Workspace) -> None:
    line(ws)
    ws.services.deploy("line:1", "line")
    for name in ("ep2", "ep3"):
        ws.endpoints.add(f"line/{name}")


def test_nothing_moves_by_itself_without_a_policy(ws: Workspace) -> None:
    served(ws)
    ws.models.alias("line:1", "champion")
    line(ws, 2)
    ws.models.alias("line:2", "champion")
    assert {one.model for one in ws.endpoints.list()} == {"line:1"}
    assert ws.services.score("line/ep2", ROWS).model == "line:1"


def test_an_endpoint_follows_an_alias_or_the_newest_version_where_a_policy_says_so(ws: Workspace) -> None:
    served(ws)
    ws.models.alias("line:1", "champion")
    ws.policies.add("champ", "follow", endpoint="line/ep2", model="line@champion")
    ws.policies.add("new", "follow", endpoint="line/ep3", model="line")
    second = line(ws, 2)
    assert second.note == "Policy new moved line/ep3 to line:2."
    assert {one.reference: one.model for one in ws.endpoints.list()} == {
        "line/default": "line:1",
        "line/ep2": "line:1",
        "line/ep3": "line:2",
    }
    assert ws.models.alias("line:2", "champion").note == "Policy champ moved line/ep2 to line:2."
    assert ws.services.score("line/ep2", ROWS).model == "line:2"
    ws.endpoints.rollback("line/ep2")
    assert ws.following.catch_up() == [], "a person who went back is not overruled"
    assert ws.services.score("line/ep2", ROWS).model == "line:1"
    with pytest.raises(InUse, match="policy champ"):
        ws.models.alias("line", "champion", remove=True, yes=True)
    shown = ws.policies.show("champ")
    assert (shown.applied, shown.note) == ("line:2", "Policy champ moved line/ep2 to line:2.")
    with ws.catalog.read() as tx:
        followed = [one.sentence() for one in tx.events.find(noun="policy") if one.action == "follow"]
    assert "followed policy champ (endpoint line/ep2, to line:2, from line:1)" in followed[-1]
    ws.policies.delete("new", yes=True)
    line(ws, 3)
    assert ws.endpoints.show("line/ep3").model == "line:2"
    with pytest.raises(DefaultEndpointNotPatchable):
        ws.policies.add("d", "follow", endpoint="line/default", model="line")
    with pytest.raises(Conflict, match=r"A second policy for line/ep2 was not added. By the policy 'champ'"):
        ws.policies.add("again", "follow", endpoint="line/ep2", model="line")


def test_a_move_that_fails_does_not_take_the_registration_along(ws: Workspace) -> None:
    served(ws)
    ws.policies.add("new", "follow", endpoint="line/ep2", model="line")
    wide = ROWS.assign(rain=[0.0, 1.0, 0.0, 1.0])
    made = ws.models.register(LinearRegression().fit(wide, wide["hour"]), "line", sample=wide)
    assert made.version == 2
    assert str(made.note).startswith("Policy new did not move line/ep2 to line:2: ")
    assert ws.services.score("line/ep2", ROWS).model == "line:1"
    assert "did not move" in text_of(ws.policies.list())


def test_the_newest_version_that_goes_takes_no_endpoint_back(ws: Workspace) -> None:
    served(ws)
    ws.policies.add("new", "follow", endpoint="line/ep2", model="line")
    line(ws, 2)
    ws.endpoints.rollback("line/ep2")
    ws.models.delete("line:2", yes=True)
    assert ws.following.catch_up() == []
    line(ws, 3)
    assert ws.endpoints.show("line/ep2").model == "line:3"


# plain files


def test_a_file_that_was_renamed_and_moved_is_registered_patched_in_and_read(
    ws: Workspace, tmp_path: Path
) -> None:
    served(ws)
    line(ws, 2, name="kept")
    ws.models.download("kept:1", str(tmp_path / "kept.ilearner"))
    place = tmp_path / "repository" / "models"
    place.mkdir(parents=True)
    file = str(shutil.move(tmp_path / "kept.ilearner", place / "2024-11 best (prod).ilearner"))
    assert ws.models.load(file).predict(ROWS)[1] == pytest.approx(4)  # type: ignore[attr-defined]
    assert ws.endpoints.patch("line/ep2", model=file).model == "kept:1"
    assert ws.models.verify(file).known == ("kept:1",)
    again = ws.models.register(file, "line")
    assert (again.version, again.lineage.origin, again.equal_to) == (2, "external", None)
    assert ws.endpoints.patch("line/ep3", model="line:2").model == "line:2"
    direct = ws.models.load(file).predict(ROWS)  # type: ignore[attr-defined]
    scored = [row[-1] for row in ws.services.score("line/ep3", ROWS).rows]
    assert scored == list(direct), "bit for bit"
    with Workspace.init(tmp_path / "elsewhere") as other:
        with pytest.raises(
            NotFound, match=r"No version here has the content of that file. Register it first"
        ):
            other.services.deploy(file, "line")
        other.models.register(file, "mine")
        assert other.models.load("mine:1").predict(ROWS).tolist() == direct.tolist()  # type: ignore[attr-defined]


def test_a_file_with_code_is_read_only_where_it_is_trusted(ws: Workspace, tmp_path: Path) -> None:
    ws.models.register(lambda rows: rows.assign(twice=rows["hour"] * 2), "coded", sample=ROWS)
    file = str(tmp_path / "coded.ilearner")
    ws.models.download("coded:1", file)
    assert callable(ws.models.load(file)), "what was made here is known by its content, wherever it lies"
    with Workspace.init(tmp_path / "elsewhere") as other, pytest.raises(UntrustedContent):
        other.models.load(file)


def test_the_sample_comes_back_as_it_was(ws: Workspace) -> None:
    line(ws)
    pd.testing.assert_frame_equal(ws.models.load_sample("line:1"), ROWS)
    shown = ws.models.sample("line")
    assert isinstance(shown, ModelSample)
    assert (shown.model, shown.inputs.names) == ("line:1", tuple(ROWS.columns))
    model: Any = ws.models.load("line:1")
    assert [row[-1] for row in shown.outputs.rows] == model.predict(ROWS).tolist()


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_a_written_sample_is_a_sample_again(ws: Workspace, tmp_path: Path, ending: str) -> None:
    first, file = line(ws), str(tmp_path / f"rows.{ending}")
    assert isinstance(written := ws.models.sample("line:1", file), Written)
    assert Path(written.file).stat().st_size == written.size_bytes
    again = ws.models.register(ws.models.load("line:1"), "line", sample=file)
    assert again.model_hash == first.model_hash
    with pytest.raises(AlreadyExists):
        ws.models.sample("line:1", file)
    with pytest.raises(InvalidInput, match=r"ends in \.csv, \.tsv or \.parquet"):
        ws.models.sample("line:1", str(tmp_path / "rows.xlsx"))


def test_bad_requests_say_what_is_wrong(ws: Workspace) -> None:
    line(ws)
    for call, sentence in (
        (lambda: ws.models.list(limit=0), "The number of models"),
        (lambda: ws.models.list(page=0), "The page"),
        (lambda: ws.models.list(where="auc>much"), "a number after >"),
        (lambda: ws.models.alias("line:1", "Champion"), "The alias 'Champion'"),
        (lambda: ws.models.alias("line:1", "v/1"), "beginning with a letter"),
        (lambda: ws.models.show("line@champion"), "No alias 'line@champion'"),
        (lambda: ws.models.delete("line", yes=True), "so that one version goes"),
        (lambda: ws.policies.show("x"), "No policy 'x'"),
    ):
        with pytest.raises(Exception, match=sentence):
            call()
    assert ended(ws)
    assert notebook(ws, "factor = 1")
