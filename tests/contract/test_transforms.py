"""Transforms and models as objects: kept as packages, loaded by name, opened only when they may be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from mlalm_jupyter.domain.errors import Corrupt, InUse, InvalidInput, NotFound, Unconfirmed, UntrustedContent
from mlalm_jupyter.formats import bundle
from mlalm_jupyter.surfaces.display import html_of, text_of
from mlalm_jupyter.workspace import Workspace
from tests.contract.parity_scenarios import begun, scaling, write

pytestmark = pytest.mark.prove_experiments

ROWS = pd.DataFrame({"hour": [1.0, 2.0, 3.0, 4.0], "wind": [4.5, 0.0, 1.25, 3.0]})


def doubled(rows: pd.DataFrame) -> pd.DataFrame:
    return rows * 2


class Doubling:
    """A transform of a person's own, which only a format that carries code brings back."""

    def transform(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows * 2


def test_a_fitted_step_comes_back_as_it_was(workspace: Workspace) -> None:
    scaler = StandardScaler().fit(ROWS)
    kept = workspace.transforms.register(scaler, "scale", sample=ROWS, tags={"a": "b"}, description="Scaled")
    assert (kept.reference, kept.is_data_only, kept.signature.inputs.names) == (
        "scale:1",
        True,
        ("hour", "wind"),
    )
    loaded = workspace.transforms.load("scale")
    assert isinstance(loaded, StandardScaler)
    assert (loaded.transform(ROWS) == scaler.transform(ROWS)).all()
    again = workspace.transforms.register(scaler, "scale", sample=ROWS)
    assert (again.version, again.equal_to) == (2, 1)
    same = workspace.transforms.register(scaler, "scale", sample=ROWS, if_changed=True)
    assert same == replace(again, note="Nothing changed: scale:2 has the same bytes.")
    assert str(same.note) in text_of(same)
    assert [one.version for one in workspace.transforms.list(name="scale")] == [1, 2]
    assert "Scaled" in text_of(workspace.transforms.show("scale:1"))
    assert "scale:2" in text_of(workspace.transforms.list())
    assert "scale:2" in html_of(workspace.transforms.list())


def test_a_step_that_clusters_or_is_a_pipeline_is_kept_too(workspace: Workspace) -> None:
    for name, made in (
        ("clusters", KMeans(2, n_init=1, random_state=0).fit(ROWS)),
        ("pipe", make_pipeline(StandardScaler(), StandardScaler()).fit(ROWS)),
        ("own", Doubling()),
        ("function", FunctionTransformer(doubled)),
    ):
        workspace.transforms.register(made, name, sample=ROWS)
        loaded = workspace.transforms.load(name)
        assert hasattr(loaded, "transform")
        pd.testing.assert_frame_equal(
            pd.DataFrame(loaded.transform(ROWS)), pd.DataFrame(made.transform(ROWS)), check_names=False
        )


@pytest.mark.parametrize(
    "thing", [LinearRegression().fit(ROWS, ROWS["hour"]), doubled, 3, ROWS["hour"].tolist()]
)
def test_what_cannot_transform_is_refused(workspace: Workspace, thing: object) -> None:
    with pytest.raises(InvalidInput, match="has `transform`"):
        workspace.transforms.register(thing, "x", sample=ROWS)
    assert workspace.transforms.list() == ()


def test_a_step_that_is_not_fitted_or_has_no_sample_is_refused(workspace: Workspace) -> None:
    with pytest.raises(InvalidInput, match="fitted"):
        workspace.transforms.register(StandardScaler(), "x", sample=ROWS)
    with pytest.raises(InvalidInput, match="sample"):
        workspace.transforms.register(StandardScaler().fit(ROWS), "x")


def test_a_package_from_elsewhere_runs_nothing_until_it_is_trusted(
    workspace: Workspace, tmp_path: Path
) -> None:
    made = bundle.pack(Doubling(), sample=ROWS)
    path = tmp_path / "own.ilearner"
    path.write_bytes(made.data)
    kept = workspace.transforms.register(str(path), "own")
    assert (kept.lineage.origin, kept.is_data_only) == ("external", False)
    with pytest.raises(UntrustedContent) as caught:
        workspace.transforms.load("own")
    assert "Transform own:1" in caught.value.what
    assert f"mlalm trust add {kept.transform_hash}" in caught.value.fix
    assert workspace.trust.add(kept.transform_hash).kind == "model"
    assert hasattr(workspace.transforms.load("own"), "transform")
    workspace.trust.remove(kept.transform_hash, yes=True)
    with pytest.raises(UntrustedContent):
        workspace.transforms.load("own")


def test_a_package_is_registered_by_its_path_and_keeps_where_it_came_from(
    workspace: Workspace, tmp_path: Path
) -> None:
    workspace.transforms.register(StandardScaler().fit(ROWS), "scale", sample=ROWS)
    made = workspace.blobs.get(workspace.transforms.show("scale").bundle_digest)
    assert bundle.read(made).lineage["origin"] == "notebook", "its own package says where it was made"
    (tmp_path / "scale.ilearner").write_bytes(made)
    kept = workspace.transforms.register(tmp_path / "scale.ilearner", "other")
    assert kept.lineage.source["file"] == "scale.ilearner"
    assert kept.lineage.source["says"] == bundle.read(made).lineage
    assert workspace.transforms.show("other:1") == kept
    assert "scale.ilearner" in text_of(kept)
    (tmp_path / "cut.ilearner").write_bytes(made[:-10])
    with pytest.raises(Corrupt):
        workspace.transforms.register(tmp_path / "cut.ilearner", "other")
    assert [one.version for one in workspace.transforms.list(name="other")] == [1]


def test_a_package_from_elsewhere_that_is_data_only_is_opened(workspace: Workspace) -> None:
    workspace.transforms.register(write(workspace, "scale.ilearner", scaling()), "scale")
    assert isinstance(workspace.transforms.load("scale:1"), StandardScaler)


def test_models_are_loaded_by_the_same_rules(workspace: Workspace, tmp_path: Path) -> None:
    fitted = LinearRegression().fit(ROWS, ROWS["hour"])
    workspace.models.register(fitted, "hours", sample=ROWS)
    loaded = workspace.models.load("hours:1")
    assert isinstance(loaded, LinearRegression)
    assert (loaded.predict(ROWS) == fitted.predict(ROWS)).all()
    path = tmp_path / "own.ilearner"
    path.write_bytes(bundle.pack(doubled, sample=ROWS).data)
    workspace.models.register(str(path), "own")
    with pytest.raises(UntrustedContent, match=r"Model own:1"):
        workspace.models.load("own")
    with pytest.raises(NotFound):
        workspace.models.load("hours:9")


def test_a_run_keeps_what_it_loaded_and_its_pins_hold(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = workspace
    ws.transforms.register(StandardScaler().fit(ROWS), "scale", sample=ROWS)
    ws.models.register(LinearRegression().fit(ROWS, ROWS["hour"]), "hours", sample=ROWS)
    run, _ = begun(ws, "factor = 1", "scale = %transform scale\nhours = %model hours")
    assert [pin.told for pin in run.snapshot.assets] == ["transform scale:1", "model hours:1"]
    ws.transforms.register(StandardScaler(with_mean=False).fit(ROWS), "scale", sample=ROWS)
    ws.models.register(LinearRegression().fit(ROWS, ROWS["wind"]), "hours", sample=ROWS)
    monkeypatch.setenv("MLALM_RUN", run.id)
    scale, hours = ws.transforms.load("scale"), ws.models.load("hours")
    assert isinstance(scale, StandardScaler)
    assert scale.with_mean
    made = ws.models.register(hours, "again", sample=ROWS)
    monkeypatch.delenv("MLALM_RUN")
    assert ws.runs.show(run.id).inputs == ("transform scale:1", "model hours:1")
    assert made.lineage.datasets == ("transform scale:1", "model hours:1")
    with pytest.raises(InUse, match="model again:1"):
        ws.transforms.delete("scale:1", yes=True)
    with pytest.raises(Unconfirmed, match="scale:2"):
        ws.transforms.delete("scale:2")
    assert ws.transforms.delete("scale:2", yes=True).name == "scale:2"
    with pytest.raises(InvalidInput, match="NAME:VERSION"):
        ws.transforms.delete("scale", yes=True)
    assert [one.reference for one in ws.transforms.list()] == ["scale:1"]
    assert ws.context.used == ["transform scale:1", "model hours:1"]
