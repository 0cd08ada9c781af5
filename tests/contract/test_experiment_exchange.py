"""New experiments from old ones: saved as, exported and imported, copied to another workspace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from mlalm_jupyter.api.context import LiveCell
from mlalm_jupyter.domain.errors import (
    AlreadyExists,
    Conflict,
    Corrupt,
    InvalidInput,
    MissingAssets,
    NotFound,
    SnapshotLocked,
)
from mlalm_jupyter.domain.run import RunStatus
from mlalm_jupyter.workspace import Workspace

pytestmark = pytest.mark.prove_experiments

ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
USES = "rows = %dataset rides:1\nmore = %dataset rides\nscale = %transform scale:1\nmodel = %model line:1\n# rides:1"


@pytest.fixture
def ws(home: Path, tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.init(tmp_path / "here") as made:
        yield made


@pytest.fixture
def other(home: Path, tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.init(tmp_path / "there") as made:
        yield made


def publish(ws: Workspace, times: int) -> None:
    """So many versions of an asset of each kind."""
    for number in range(times):
        path = ws.path / "rides.csv"
        path.write_text("a\n" + f"{number}\n" * (number + 1))
        ws.datasets.upload(str(path), "rides")
        ws.transforms.register(StandardScaler().fit(ROWS * (number + 1)), "scale", sample=ROWS)
        ws.models.register(LinearRegression().fit(ROWS, ROWS["a"] * number), "line", sample=ROWS)


def write(ws: Workspace, name: str, *texts: str) -> str:
    cells = [
        {"cell_type": "code", "id": f"c{number}", "metadata": {}, "source": text, "outputs": []}
        for number, text in enumerate(texts)
    ]
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (ws.path / name).write_text(json.dumps(content, indent=1))
    return name


def text(ws: Workspace, name: str) -> str:
    cells = json.loads((ws.path / name).read_text())["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells)


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*.ipynb")
    }


def test_save_as_moves_every_kind_of_asset_to_its_newest_version(ws: Workspace) -> None:
    publish(ws, 1)
    kept = ws.experiments.snapshot(write(ws, "train.ipynb", USES))
    publish(ws, 2)
    before = tree(ws.path)
    saved = ws.experiments.save_as(f"run:{kept.id[:14]}", "forest")
    assert {(one.old, one.new) for one in saved.swaps} == {
        ("rides:1", "rides:3"),
        ("scale:1", "scale:3"),
        ("line:1", "line:3"),
    }
    assert text(ws, "forest.ipynb").splitlines() == [
        "rows = %dataset rides:3",
        "more = %dataset rides",
        "scale = %transform scale:3",
        "model = %model line:3",
        "# rides:1",
    ]
    assert (saved.experiment.parent, saved.experiment.parent_run_id) == ("train.ipynb", kept.id)
    history = ws.experiments.history("forest.ipynb")
    assert [one.is_editable for one in history] == [True]
    assert {name: tree(ws.path)[name] for name in before} == before
    assert ws.runs.show(kept.id) == kept


def test_save_as_may_keep_versions(ws: Workspace) -> None:
    publish(ws, 1)
    kept = ws.experiments.snapshot(write(ws, "train.ipynb", USES))
    publish(ws, 1)
    saved = ws.experiments.save_as(f"run:{kept.id}", "same", keep_versions=True)
    assert saved.swaps == ()
    assert "more = %dataset rides:1\n" in text(ws, "same.ipynb")


def test_save_as_refuses_a_name_that_is_taken_or_outside(ws: Workspace, tmp_path: Path) -> None:
    write(ws, "train.ipynb", "1")
    with pytest.raises(AlreadyExists):
        ws.experiments.save_as("train.ipynb", "train")
    for name in ("../up", str(tmp_path / "far"), ".mlalm/x", ".ipynb"):
        with pytest.raises(InvalidInput, match="a name or path inside the workspace"):
            ws.experiments.save_as("train.ipynb", name)
    with pytest.raises(NotFound):
        ws.experiments.save_as("nowhere.ipynb", "new")
    assert set(tree(ws.path)) == {"train.ipynb"}


def test_update_asset_swaps_that_reference_alone_and_keeps_what_was(ws: Workspace) -> None:
    publish(ws, 3)
    name = write(ws, "train.ipynb", USES)
    before = ws.experiments.export(name, str(ws.path / "before.json"))
    ws.experiments.update_asset(name, "scale")
    after = ws.experiments.export(name, str(ws.path / "after.json"))
    lines = [Path(one.file).read_text().splitlines() for one in (before, after)]
    changed = [(one, two) for one, two in zip(*lines, strict=True) if one != two]
    assert all("scale" in two or "version" in two or "id" in two or "digest" in two for _, two in changed)
    assert "%transform scale:3" in text(ws, name)
    (_, kept) = ws.experiments.history(name)
    assert (kept.status, kept.snapshot.message) == (RunStatus.DRAFT, "before transform scale:3")
    again = ws.experiments.update_asset(name, "scale")
    assert again.note == "Nothing changed: it refers to transform scale:3 already."
    with pytest.raises(InvalidInput, match="Expected one that it refers to"):
        ws.experiments.update_asset(name, "nothing")


def test_no_verb_writes_to_a_snapshot_or_takes_one_for_a_notebook(ws: Workspace) -> None:
    publish(ws, 2)
    kept = ws.experiments.snapshot(write(ws, "train.ipynb", USES))
    locked = f"run:{kept.id[:12]}"
    for attempt in (
        lambda: ws.experiments.update_asset(locked, "rides"),
        lambda: ws.experiments.snapshot(locked),
        lambda: ws.experiments.run(locked),
    ):
        with pytest.raises(SnapshotLocked, match="experiment save-as run:ID NAME"):
            attempt()
    assert ws.runs.show(kept.id) == kept


def test_export_import_export_is_the_same_text(ws: Workspace, other: Workspace) -> None:
    name = write(ws, "train.ipynb", "a = 1", "%time a\n")
    first = Path(ws.experiments.export(name, str(ws.path / "one.json")).file)
    made = other.experiments.import_(str(first))
    assert made.experiment.path == name
    second = Path(other.experiments.export(name, str(other.path / "two.json")).file)
    assert second.read_bytes() == first.read_bytes()


def test_import_beside_itself_is_another_experiment_and_over_itself_the_same(ws: Workspace) -> None:
    name = write(ws, "train.ipynb", "a = 1")
    file = ws.experiments.export(name, str(ws.path / "one.json")).file
    beside = ws.experiments.import_(file, "other")
    assert beside.experiment.id != ws.experiments.show(name).id
    write(ws, name, "a = 2")
    with pytest.raises(AlreadyExists):
        ws.experiments.import_(file)
    over = ws.experiments.import_(file, overwrite=True)
    assert over.experiment.id == ws.experiments.show(name).id
    assert text(ws, name) == "a = 1"
    kept = ws.experiments.history(name)[1]
    assert b"a = 2" in ws.blobs.get(kept.snapshot.digest)
    with pytest.raises(InvalidInput, match="either a new name or --overwrite"):
        ws.experiments.import_(file, "third", overwrite=True)


def test_overwriting_what_is_not_here_is_refused(ws: Workspace, other: Workspace) -> None:
    file = ws.experiments.export(write(ws, "train.ipynb", "a = 1"), str(ws.path / "one.json")).file
    with pytest.raises(NotFound, match="What it was exported from is not here"):
        other.experiments.import_(file, overwrite=True)


def test_import_is_refused_until_every_asset_is_there_under_its_id(ws: Workspace, other: Workspace) -> None:
    publish(ws, 1)
    name = write(ws, "train.ipynb", USES)
    file = ws.experiments.export(name, str(ws.path / "one.json")).file
    publish(other, 1)  # the same names, other ids
    with pytest.raises(MissingAssets) as caught:
        other.experiments.import_(file)
    assert len(caught.value.missing) == 4
    dataset = ws.datasets.show("rides").dataset
    assert f"dataset rides:1 (id {dataset.id}), while rides:1 here is another one" in str(caught.value)
    assert tree(other.path) == {}
    assert other.experiments.list() == ()
    with Workspace.init(other.path.with_name("empty")) as empty:
        with pytest.raises(MissingAssets, match="which is not here"):
            empty.experiments.import_(file)
        ws.experiments.copy(name, str(empty.path), name="brought")
        assert empty.experiments.import_(file).experiment.path == name


def test_a_text_that_is_none_is_refused(ws: Workspace) -> None:
    (ws.path / "bad.json").write_text('{"format": "mlalm-experiment/99"}')
    with pytest.raises(InvalidInput):
        ws.experiments.import_(str(ws.path / "bad.json"))
    (ws.path / "bytes.json").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match="text in UTF-8"):
        ws.experiments.import_(str(ws.path / "bytes.json"))


def test_an_exported_experiment_holds_no_bytes_of_its_assets(ws: Workspace) -> None:
    (ws.path / "big.csv").write_text("a\n" + "123456789\n" * 500_000)
    ws.datasets.upload(str(ws.path / "big.csv"), "big")
    written = ws.experiments.export(write(ws, "train.ipynb", "%dataset big"), str(ws.path / "one.json"))
    assert written.size_bytes < 5000


def test_a_copy_brings_its_assets_along_and_refers_to_what_is_there(ws: Workspace, other: Workspace) -> None:
    publish(ws, 1)
    name = write(ws, "train.ipynb", USES)
    publish(other, 1)
    copied = ws.experiments.copy(name, str(other.path))
    assert {(one.kind, one.old, one.new) for one in copied.swaps} == {
        ("dataset", "rides:1", "rides:2"),
        ("transform", "scale:1", "scale:2"),
        ("model", "line:1", "line:2"),
    }
    assert "rows = %dataset rides:2\n" in text(other, name)
    assert other.datasets.show("rides:2").dataset.id == ws.datasets.show("rides:1").dataset.id
    pd.testing.assert_frame_equal(other.datasets.load("rides:2"), ws.datasets.load("rides:1"))
    again = ws.experiments.copy(name, str(other.path), name="twice")
    assert len(other.datasets.list(name="rides")) == 2
    assert {one.new for one in again.swaps} == {"rides:2", "scale:2", "line:2"}
    assert other.workspaces.doctor().is_healthy


def test_a_copy_keeps_the_order_of_versions_whatever_order_they_are_used_in(
    ws: Workspace, other: Workspace
) -> None:
    publish(ws, 2)
    name = write(ws, "train.ipynb", "%dataset rides", "%dataset rides:1")
    assert ws.experiments.copy(name, str(other.path)).swaps == ()
    assert other.datasets.show("rides").dataset.id == ws.datasets.show("rides:2").dataset.id
    assert text(other, name) == text(ws, name)


def test_an_older_version_that_comes_later_takes_its_own_number(ws: Workspace, other: Workspace) -> None:
    publish(ws, 2)
    ws.experiments.copy(write(ws, "new.ipynb", "%dataset rides"), str(other.path))
    copied = ws.experiments.copy(write(ws, "old.ipynb", "%dataset rides:1"), str(other.path))
    assert copied.swaps == ()
    assert [one.version for one in other.datasets.list(name="rides")] == [1, 2]
    assert other.datasets.show("rides").dataset.id == ws.datasets.show("rides:2").dataset.id


def test_a_number_that_was_given_and_deleted_is_not_claimed(ws: Workspace, other: Workspace) -> None:
    publish(ws, 1)
    publish(other, 2)
    other.datasets.delete("rides:1", yes=True)
    copied = ws.experiments.copy(write(ws, "old.ipynb", "%dataset rides:1"), str(other.path))
    assert [one.new for one in copied.swaps] == ["rides:3"]


def test_a_name_alone_means_the_packed_version_where_another_is_the_newest(
    ws: Workspace, other: Workspace
) -> None:
    publish(ws, 1)
    name = write(ws, "train.ipynb", "%dataset rides")
    ws.experiments.copy(name, str(other.path), name="first")
    (other.path / "own.csv").write_text("a\n7\n")
    other.datasets.upload(str(other.path / "own.csv"), "rides")
    copied = ws.experiments.copy(name, str(other.path))
    assert text(other, name) == "%dataset rides:1"
    assert "dataset rides now says rides:1" in copied.note


def test_save_as_keeps_the_kind_of_the_experiment(ws: Workspace) -> None:
    name = write(ws, "score.ipynb", "1")
    run = ws.experiments.snapshot(name)
    with ws.catalog.write() as tx:
        origin = tx.experiments.at_path(name)
        assert origin is not None
    with ws.catalog.write() as tx:
        tx.experiments.add(replace(origin, id="0" * 32, path="other.ipynb", kind="predictive"))
    write(ws, "other.ipynb", "1")
    assert ws.experiments.save_as("other.ipynb", "third").experiment.kind == "predictive"
    assert ws.experiments.save_as(f"run:{run.id}", "fourth").experiment.kind == "training"


def test_a_refused_import_names_the_file_and_the_way_out(workspace: Workspace) -> None:
    notebook = '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}'
    (workspace.path / "train.ipynb").write_text(notebook)
    (workspace.path / "broken.json").write_text('{"a":')
    workspace.experiments.snapshot("train.ipynb")
    workspace.experiments.export("train.ipynb", str(workspace.path / "train.json"))
    with pytest.raises(
        InvalidInput, match=r"The file '.*broken\.json', line 1, is not valid\. .*Export it again"
    ):
        workspace.experiments.import_(str(workspace.path / "broken.json"))
    with pytest.raises(InvalidInput, match=r"got a notebook\. Copy a notebook into the workspace"):
        workspace.experiments.import_(str(workspace.path / "train.ipynb"))
    with pytest.raises(AlreadyExists, match=r"say --overwrite; train\.ipynb is kept as a snapshot first"):
        workspace.experiments.import_(str(workspace.path / "train.json"))


def test_what_a_notebook_names_and_nobody_has_is_said_by_whoever_carries_it(
    ws: Workspace, other: Workspace, tmp_path: Path
) -> None:
    publish(ws, 1)
    write(ws, "train.ipynb", "a = %dataset rides:1\nb = %dataset cenus\nc = %model line:7")
    told = "It refers to dataset cenus, model line:7, which the workspace does not have."
    assert ws.experiments.export("train", str(tmp_path / "train.json")).note == told
    assert ws.experiments.copy("train", str(other.path)).note == told
    assert ws.galleries.publish("train", str(tmp_path / "gallery")).note == told
    write(ws, "whole.ipynb", "a = %dataset rides:1")
    assert ws.experiments.export("whole", str(tmp_path / "whole.json")).note == ""


def test_what_was_killed_between_file_and_catalog_is_made_whole_by_repeating(
    ws: Workspace, other: Workspace, tmp_path: Path
) -> None:
    publish(ws, 1)
    write(ws, "train.ipynb", USES)
    exported = str(tmp_path / "train.json")
    ws.experiments.export("train", exported)
    # a kill there leaves the very file, and nothing on record
    (ws.path / "forest.ipynb").write_bytes((ws.path / "train.ipynb").read_bytes())
    assert ws.experiments.save_as("train", "forest").experiment.parent == "train.ipynb"
    ws.experiments.copy("train", str(other.path), name="first")
    again = (other.path / "first.ipynb").read_bytes()
    (other.path / "second.ipynb").write_bytes(again)
    assert other.experiments.import_(exported, "second").experiment.path == "second.ipynb"


def test_a_file_of_somebody_else_is_in_the_way_and_nothing_is_adopted(
    ws: Workspace, other: Workspace, tmp_path: Path
) -> None:
    publish(ws, 1)
    write(ws, "train.ipynb", USES)
    exported = str(tmp_path / "train.json")
    ws.experiments.export("train", exported)
    (other.path / "train.ipynb").write_text("mine")
    (ws.path / "taken.ipynb").mkdir()
    with pytest.raises(AlreadyExists, match=r"Experiment 'train\.ipynb' was not made"):
        ws.experiments.copy("train", str(other.path))
    assert (other.path / "train.ipynb").read_text() == "mine"
    assert (other.datasets.list(), other.transforms.list(), other.models.list()) == ((), (), ())
    assert other.experiments.list() == ()
    with pytest.raises(AlreadyExists, match=r"Experiment 'taken\.ipynb' was not made"):
        ws.experiments.import_(exported, "taken")
    with pytest.raises(AlreadyExists):
        ws.experiments.save_as("train", "taken")
    assert "taken.ipynb" not in [one.path for one in ws.experiments.list()]


def test_a_copy_is_made_from_any_folder_of_a_notebook_without_history(
    ws: Workspace, other: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = write(ws, "train.ipynb", "1")
    monkeypatch.chdir(ws.path)
    whole = str(ws.path / name)
    assert ws.experiments.copy(whole, str(other.path)).experiment.path == name
    saved = ws.experiments.save_as(whole, "beside")
    assert saved.experiment.parent == name
    (ws.path / "deep").mkdir()
    (ws.path / name).rename(ws.path / "deep" / name)
    monkeypatch.chdir(ws.path / "deep")
    assert ws.experiments.copy(name, str(other.path)).experiment.path == "deep/train.ipynb"


def test_an_alias_means_the_packed_version_where_it_is_none_or_another(
    ws: Workspace, other: Workspace, tmp_path: Path
) -> None:
    publish(ws, 2)
    ws.models.alias("line:1", "champion")
    name = write(ws, "score.ipynb", "model = %model line@champion")
    copied = ws.experiments.copy(name, str(other.path))
    assert text(other, name) == "model = %model line:1"
    assert "model line@champion now says line:1" in copied.note
    other.models.load("line:1")
    other.models.alias("line:1", "champion")
    assert ws.experiments.copy(name, str(other.path), name="same").note == ""
    assert text(other, "same.ipynb") == "model = %model line@champion"
    publish(other, 1)
    other.models.alias("line:2", "champion")
    ws.experiments.copy(name, str(other.path), name="moved")
    assert text(other, "moved.ipynb") == "model = %model line:1"
    ws.galleries.publish(name, str(tmp_path / "gallery"))
    with Workspace.init(tmp_path / "third") as third:
        assert (
            "line@champion now says line:1" in third.galleries.clone("score", str(tmp_path / "gallery")).note
        )
        assert text(third, name) == "model = %model line:1"


def test_an_import_misses_an_alias_that_is_not_there(ws: Workspace, other: Workspace) -> None:
    publish(ws, 1)
    ws.models.alias("line:1", "champion")
    name = write(ws, "score.ipynb", "model = %model line@champion")
    file = ws.experiments.export(name, str(ws.path / "one.json")).file
    ws.experiments.copy(name, str(other.path), name="brought")
    with pytest.raises(MissingAssets, match="model line@champion, an alias that is not here"):
        other.experiments.import_(file)
    other.models.alias("line:1", "champion")
    assert other.experiments.import_(file).experiment.path == name


def test_what_is_copied_in_while_a_run_is_at_work_is_new_to_it(
    ws: Workspace, other: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(ws, 1)
    name = write(ws, "train.ipynb", "%dataset rides:1")
    here = other.path / write(other, "here.ipynb", "1")
    run, lease = other.recorder.begin(
        here.read_bytes(), path="here.ipynb", parameters={}, origin="papermill", owner="t"
    )
    other.recorder.running(run, lease)
    ws.experiments.copy(name, str(other.path))
    assert other.datasets.load("rides") is not None
    monkeypatch.setenv("MLALM_RUN", run.id)
    with Workspace.open(other.path) as inside, pytest.raises(NotFound):
        inside.datasets.load("rides")


@pytest.mark.parametrize("by", ["copy", "gallery"])
def test_what_is_known_of_an_asset_comes_along(
    ws: Workspace, other: Workspace, tmp_path: Path, by: str
) -> None:
    (ws.path / "rides.csv").write_text("hour,fare\n1,2.5\n2,3.5\n")
    ws.datasets.upload(str(ws.path / "rides.csv"), "rides", tags={"from": "city"}, description="Rides")
    ws.transforms.register(StandardScaler().fit(ROWS), "scale", sample=ROWS, description="Scaled")
    ws.models.register(
        LinearRegression(fit_intercept=False).fit(ROWS, ROWS["a"]),
        "line",
        sample=ROWS,
        tags={"stage": "tried"},
        properties={"team": "rides"},
        metrics={"auc": 0.5},
        description="A line",
    )
    name = write(ws, "train.ipynb", "%dataset rides\n%transform scale\n%model line")
    if by == "copy":
        ws.experiments.copy(name, str(other.path))
        told = "here/train"
    else:
        told = str(tmp_path / "gallery")
        ws.galleries.publish(name, told)
        assert "executable" not in (tmp_path / "gallery" / "train" / "about.json").read_text()
        other.galleries.clone("train", told)
        told = f"{told}#train"
    before, after = ws.datasets.show("rides"), other.datasets.show("rides")
    assert after.profile == before.profile
    assert replace(after.dataset, created_at="") == replace(before.dataset, created_at="")
    model, copy = ws.models.show("line"), other.models.show("line")
    for known in (
        "id",
        "tags",
        "properties",
        "metrics",
        "parameters",
        "description",
        "signature",
        "model_hash",
    ):
        assert getattr(copy, known) == getattr(model, known), known
    assert copy.metrics == {"auc": 0.5}
    for one in (copy, other.transforms.show("scale")):
        assert (one.lineage.origin, one.lineage.source["file"]) == ("external", told)
        says = one.lineage.source["says"]
        assert isinstance(says, dict)
        assert says["origin"] == "notebook"
        assert "environment" in says
    assert other.transforms.show("scale").description == "Scaled"


def test_a_dataset_of_a_package_is_known_by_its_bytes_and_not_by_what_is_told(
    ws: Workspace, other: Workspace, tmp_path: Path
) -> None:
    publish(ws, 2)
    ws.galleries.publish(write(ws, "train.ipynb", "%dataset rides"), str(tmp_path / "gallery"))
    file = tmp_path / "gallery" / "train" / "about.json"
    about = json.loads(file.read_text())
    about["assets"][0]["facts"].update(row_count=1000, schema={"lie": {"type": "string"}})
    file.write_text(json.dumps(about))
    other.galleries.clone("train", str(tmp_path / "gallery"))
    dataset = other.datasets.show("rides").dataset
    assert (dataset.row_count, [one.name for one in dataset.schema.columns]) == (2, ["a"])
    about["assets"][0]["facts"]["format"] = "Parquet"
    file.write_text(json.dumps(about))
    with Workspace.init(tmp_path / "third") as third:
        with pytest.raises((Corrupt, InvalidInput)):
            third.galleries.clone("train", str(tmp_path / "gallery"))
        assert third.datasets.list() == ()


def test_what_an_export_makes_known_is_in_the_journal(ws: Workspace) -> None:
    name = write(ws, "train.ipynb", "1")
    ws.experiments.export(name, str(ws.path / "one.json"))
    experiment = ws.experiments.show(name)
    with ws.catalog.read() as tx:
        events = tx.events.find(subject_id=experiment.id)
    assert [(one.noun, one.action, one.data) for one in events] == [
        ("experiment", "begin", {"for": "export"})
    ]
    ws.experiments.export(name, str(ws.path / "two.json"))
    with ws.catalog.read() as tx:
        assert tx.events.find(subject_id=experiment.id) == events


def test_a_text_of_another_kind_is_not_written_over_an_experiment(ws: Workspace) -> None:
    name = write(ws, "train.ipynb", "a = 1")
    file = ws.path / "one.json"
    ws.experiments.export(name, str(file))
    file.write_text(file.read_text().replace('"kind": "training"', '"kind": "predictive"'))
    with pytest.raises(Conflict, match="of a predictive experiment, and that is a training one"):
        ws.experiments.import_(str(file), overwrite=True)
    assert [one.is_editable for one in ws.experiments.history(name)] == [True]
    assert ws.experiments.import_(str(file), "scored").experiment.kind == "predictive"


def test_a_run_that_was_deleted_is_told_so_in_the_lineage_of_its_model(ws: Workspace) -> None:
    name = write(ws, "train.ipynb", "1")
    run = ws.experiments.snapshot(name)
    ws.context.live = LiveCell(run.id, 1)
    ws.models.register(LinearRegression().fit(ROWS, ROWS["a"]), "line", sample=ROWS)
    ws.experiments.delete(name, yes=True)
    (thing,) = (one for one in ws.models.lineage("line").things if one.kind == "run")
    assert thing.told == "train.ipynb, deleted with its experiment"
