"""Model files and folders of other tools, registered, patched in and handed on through the API."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest
import yaml
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.errors import AgainstPolicy, InvalidInput, NotFound, UntrustedContent
from mlalm_jupyter.surfaces.display import text_of
from mlalm_jupyter.workspace import Workspace
from tests.frameworks import FRAMEWORKS
from tests.frameworks import ROWS as FRAMED

pytestmark = [
    pytest.mark.prove_models,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::Warning"),
]
ROWS = pd.DataFrame({"hour": [1, 2, 3, 4], "wind": [4.5, 0.0, 1.25, 3.0]})


@pytest.fixture
def ws(hosted: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Workspace:
    monkeypatch.chdir(tmp_path)
    return hosted


def fitted(factor: float = 1) -> LinearRegression:
    return LinearRegression().fit(ROWS, ROWS["hour"] * factor)


def mlflow_folder(place: Path, **more: Any) -> Path:
    """A folder as MLflow wrote them for years, with a pickle in it."""
    place.mkdir(parents=True)
    flavors: Mapping[str, object] = {
        "python_function": {"loader_module": "mlflow.sklearn"},
        "sklearn": {"pickled_model": "model.pkl", "serialization_format": "cloudpickle", "code": None},
    }
    told = {"flavors": flavors, "mlflow_version": "2.9.2", "run_id": "ab" * 16, **more}
    (place / "MLmodel").write_text(yaml.safe_dump(told))
    (place / "model.pkl").write_bytes(pickle.dumps(fitted()))
    return place


def test_a_pickle_is_registered_only_when_its_bytes_are_trusted(ws: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "best.pkl"
    file.write_bytes(pickle.dumps(fitted()))
    with pytest.raises(
        UntrustedContent,
        match=r"The file 'best.pkl' was refused. It would run 'arbitrary Python \(a pickle\)'.*LinearRegression",
    ) as caught:
        ws.models.register(str(file), "hours", sample=ROWS)
    assert f"`mlalm trust add {caught.value.digest} --kind file`" in str(caught.value)
    assert ws.models.list() == ()
    assert ws.trust.add(caught.value.digest, kind="file").kind == "file"
    made = ws.models.register(file, "hours", sample=ROWS)
    assert (made.lineage.origin, made.lineage.run_id, made.format) == ("external", None, "skops")
    assert made.lineage.source["file"] == "best.pkl"
    assert made.lineage.source["file_sha256"] == caught.value.digest
    assert made.parameters["fit_intercept"] is True
    assert ws.models.verify("hours:1").is_well, "who trusted the file has vouched for what was made of it"
    assert "best.pkl (pickle)" in text_of(made)
    assert "best.pkl" in text_of(ws.models.lineage("hours:1"))
    ws.services.deploy("hours:1", "hours")
    assert [row[-1] for row in ws.services.score("hours", ROWS).rows] == list(fitted().predict(ROWS))
    file.write_bytes(pickle.dumps(fitted(2)))
    with pytest.raises(UntrustedContent):
        ws.models.register(file, "hours", sample=ROWS)


def test_trust_in_a_file_is_taken_back_and_is_no_trust_in_a_definition(ws: Workspace, tmp_path: Path) -> None:
    joblib.dump(fitted(), tmp_path / "best.joblib")
    with pytest.raises(UntrustedContent) as caught:
        ws.models.register("best.joblib", "hours", sample=ROWS)
    ws.trust.add(caught.value.digest)
    with pytest.raises(UntrustedContent):
        ws.models.register("best.joblib", "hours", sample=ROWS)
    ws.trust.add(caught.value.digest, kind="file")
    ws.models.register("best.joblib", "hours", sample=ROWS)
    ws.trust.remove(caught.value.digest, yes=True)
    with pytest.raises(UntrustedContent):
        ws.models.register("best.joblib", "hours", sample=ROWS)
    with pytest.raises(InvalidInput, match="The kind 'pickle'"):
        ws.trust.add(caught.value.digest, kind="pickle")


@pytest.mark.parametrize(
    ("name", "save"), [("an xgboost booster", "m.ubj"), ("a lightgbm booster", "m.txt"), ("onnx", "m.onnx")]
)
def test_a_native_file_that_is_data_is_registered_unsigned_and_serves(
    name: str, save: str, ws: Workspace, tmp_path: Path
) -> None:
    model = FRAMEWORKS[name].make()
    if name == "onnx":
        (tmp_path / save).write_bytes(model.SerializeToString())
    else:
        model.save_model(str(tmp_path / save))
    made = ws.models.register(save, "native", sample=FRAMED.head())
    assert made.is_data_only
    assert not ws.models.verify("native:1").is_well, "nobody here has signed it"
    ws.services.deploy("native:1", "native")
    assert ws.services.score("native", FRAMED.head()).model == "native:1"
    with pytest.raises(InvalidInput, match="--sample"):
        ws.models.register(save, "native")


def test_an_mlflow_folder_is_registered_with_what_it_says_of_itself(ws: Workspace, tmp_path: Path) -> None:
    folder = mlflow_folder(tmp_path / "runs" / "model")
    with pytest.raises(UntrustedContent, match="The folder 'model' was refused") as caught:
        ws.models.register(str(folder), "hours", sample=ROWS)
    ws.trust.add(caught.value.digest, kind="file")
    made = ws.models.register(str(folder), "hours", sample=ROWS)
    assert (made.lineage.source["tool"], made.lineage.source["mlflow_run"]) == ("mlflow 2.9.2", "ab" * 16)
    assert "model (mlflow 2.9.2)" in text_of(made)


def test_a_folder_that_holds_no_model_is_refused_by_what_it_lacks(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match=r"an MLflow model, with a file 'MLmodel'"):
        ws.models.register(str(tmp_path / "empty"), "hours", sample=ROWS)
    with pytest.raises(NotFound, match=r"No file 'nothing.pkl'"):
        ws.models.register("nothing.pkl", "hours", sample=ROWS)
    (tmp_path / "notes.txt").write_text("no model")
    with pytest.raises(InvalidInput, match="none of those"):
        ws.models.register("notes.txt", "hours", sample=ROWS)


def test_a_package_is_known_whatever_its_file_is_called(ws: Workspace, tmp_path: Path) -> None:
    ws.models.register(fitted(), "hours", sample=ROWS)
    ws.models.register(fitted(2), "hours", sample=ROWS)
    ws.models.download("hours:1", str(tmp_path / "hours.ilearner"))
    for name in ("best", "2024 (prod).model", "hours-v1.zip"):
        shutil.copy(tmp_path / "hours.ilearner", tmp_path / name)
        assert "hours:1" in ws.models.verify(name).known
        assert ws.models.load(name).coef_[0] == pytest.approx(1)  # type: ignore[attr-defined]
        assert ws.models.register(name, "again").lineage.source["file"] == name
    ws.services.deploy("best", "served")
    assert ws.services.show("served").default.model == "again:3", "the newest version that has its content"
    ws.endpoints.add("served/ep2")
    ws.endpoints.patch("served/ep2", model="hours:2")
    assert ws.endpoints.patch("served/ep2", model="./hours-v1.zip").model == "again:3"
    shutil.copy(tmp_path / "hours.ilearner", tmp_path / "hours")
    assert ws.models.verify("hours").what == "hours:2", "a name of the registry comes first"


def test_a_package_says_where_it_came_from_and_is_believed_in_nothing(ws: Workspace, tmp_path: Path) -> None:
    ws.models.register(lambda rows: rows[["hour"]] * 2, "coded", sample=ROWS)
    ws.models.download("coded", "coded.ilearner")
    with Workspace.init(tmp_path / "elsewhere") as other:
        with pytest.raises(UntrustedContent) as caught:
            other.models.load("coded.ilearner")
        assert "--kind model" in str(caught.value)
        made = other.models.register("coded.ilearner", "theirs")
        assert made.lineage.origin == "external"
        assert made.lineage.source["says"]["origin"] == "notebook"  # type: ignore[index]
        assert "executable" not in json.dumps(made.lineage.source)
        assert not made.is_data_only
        with pytest.raises(UntrustedContent):
            other.models.load("theirs:1")
        other.trust.add(made.model_hash)
        assert list(other.models.load("theirs:1")(ROWS)["hour"]) == [2, 4, 6, 8]  # type: ignore[operator]


def test_a_trusted_package_that_is_not_registered_is_read_where_it_lies(
    ws: Workspace, tmp_path: Path
) -> None:
    ws.models.register(lambda rows: rows[["hour"]] * 2, "coded", sample=ROWS)
    ws.models.download("coded", "coded.ilearner")
    with Workspace.init(tmp_path / "elsewhere") as other:
        other.trust.add(ws.models.show("coded").model_hash, kind="model")
        assert callable(other.models.load("coded.ilearner"))


def test_what_came_from_elsewhere_serves_under_the_policy_once_it_is_signed(
    ws: Workspace, tmp_path: Path
) -> None:
    import skops.io

    skops.io.dump(fitted(), tmp_path / "m.skops")
    ws.models.register("m.skops", "hours", sample=ROWS)
    ws.policies.add("signed", "signed-models")
    with pytest.raises(AgainstPolicy):
        ws.services.deploy("hours:1", "hours")
    ws.models.sign("hours:1")
    assert ws.services.deploy("hours:1", "hours").default.model == "hours:1"
