"""Model files and folders of other tools: known by how they begin, opened when trusted, kept in our best form."""

from __future__ import annotations

import errno
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import yaml

from mlalm_jupyter.domain.errors import (
    AlreadyExists,
    Corrupt,
    InvalidInput,
    MissingDependency,
    Unavailable,
    UntrustedContent,
)
from mlalm_jupyter.formats import bundle, foreign, frames, mlflow_folder
from mlalm_jupyter.formats.inspection import inspected
from tests.frameworks import FLAGS, FRAMEWORKS, ROWS, WORDS, need

pytestmark = [pytest.mark.prove_models, pytest.mark.filterwarnings("ignore::Warning")]


def taken_in(
    looked: foreign.Foreign, *, trusted: bool = False, sample: pd.DataFrame | None = None
) -> bundle.Bundle:
    rows = looked.sample if sample is None else sample
    return bundle.pack(looked.load(trusted=trusted), sample=rows, lineage=looked.lineage)


def taken(path: Path, *, trusted: bool = False) -> bundle.Bundle:
    return taken_in(foreign.looked_at(path), trusted=trusted, sample=ROWS.head())


def check_same(made: bundle.Bundle, model: Any) -> None:
    again = made.load(trusted=True)
    pd.testing.assert_frame_equal(frames.score(again, ROWS), frames.score(model, ROWS), check_exact=True)


@pytest.mark.parametrize("how", ["pickle", "joblib", "joblib, packed"])
def test_a_pickled_estimator_opens_when_trusted_and_becomes_data(how: str, tmp_path: Path) -> None:
    model, path = FRAMEWORKS["scikit-learn"].make(), tmp_path / "model.bin"
    if how == "pickle":
        path.write_bytes(pickle.dumps(model))
    else:
        joblib.dump(model, path, compress=3 if "packed" in how else 0)
    with pytest.raises(UntrustedContent) as caught:
        taken(path)
    assert caught.value.digest == foreign.looked_at(path).digest
    made = taken(path, trusted=True)
    assert (made.format, made.wants()) == ("skops", [])
    assert made.lineage["kind"] == "external"
    check_same(made, model)


def native(name: str, model: Any, folder: Path) -> Path:
    if name == "skops":
        import skops.io as sio

        sio.dump(model, folder / "m.skops")
        return folder / "m.skops"
    if name == "onnx":
        (folder / "m.onnx").write_bytes(model.SerializeToString())
        return folder / "m.onnx"
    if name == "torchscript":
        model.save(str(folder / "m.pt"))
        return folder / "m.pt"
    if name == "torch.save":
        import torch

        torch.save(model, folder / "m.pth")
        return folder / "m.pth"
    path = folder / {"xgboost": "m.ubj", "lightgbm": "m.txt", "catboost": "m.cbm"}[name]
    model.save_model(str(path))
    return path


@pytest.mark.parametrize(
    ("name", "made_as", "becomes", "is_data"),
    [
        ("skops", "scikit-learn", "skops", True),
        ("xgboost", "an xgboost booster", "xgboost", True),
        ("lightgbm", "a lightgbm booster", "lightgbm", True),
        ("catboost", "catboost", "catboost", False),
        ("onnx", "onnx", "onnx", True),
        ("torchscript", "torchscript", "torchscript", False),
        ("torch.save", "torch", "torch", False),
    ],
)
def test_a_native_file_is_known_by_how_it_begins(
    name: str, made_as: str, becomes: str, is_data: bool, tmp_path: Path
) -> None:
    model = FRAMEWORKS[made_as].make()
    path = native(name, model, tmp_path)
    path = path.rename(tmp_path / "renamed by hand")
    look = inspected(path)
    assert (look.kind, look.wants == ()) == (name, is_data)
    made = taken(path, trusted=not is_data)
    assert made.format == becomes
    if name != "catboost":  # a bare CatBoost file says nothing of the class around it
        check_same(made, model)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"name,age\n1,2\n", "none of those"),
        (b"", "none of those"),
        (b"\x93NUMPY\x01\x00", "an array of numpy"),
        (b"PK\x03\x04 and no more", "no readable zip"),
    ],
)
def test_what_is_no_model_is_refused_by_what_it_is(data: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises((InvalidInput, Corrupt), match=says):
        foreign.looked_at(tmp_path / "file")


def test_weights_without_their_network_are_refused_with_what_to_do(tmp_path: Path) -> None:
    need("torch")
    import torch

    torch.save(FRAMEWORKS["torch"].make().state_dict(), tmp_path / "weights.pt")
    with pytest.raises(InvalidInput, match="load_state_dict"):
        taken(tmp_path / "weights.pt", trusted=True)


def test_a_pickle_of_a_library_that_is_missing_names_it(tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(b"\x80\x05cno_such_library.inner\nModel\n)\x81.")
    with pytest.raises(MissingDependency, match="`pip install no_such_library`"):
        taken(tmp_path / "m.pkl", trusted=True)


def test_a_file_that_changed_after_it_was_trusted_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "m.pkl"
    path.write_bytes(pickle.dumps(FRAMEWORKS["scikit-learn"].make()))
    looked = foreign.looked_at(path)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(Corrupt, match="changed after it was looked at"):
        looked.load(trusted=True)


# MLflow folders


@pytest.mark.parametrize(
    "name",
    ["scikit-learn", "xgboost", "lightgbm", "a lightgbm booster", "catboost", "onnx", "a search of xgboost"],
)
def test_what_is_written_for_mlflow_reads_back_as_the_same_model(name: str, tmp_path: Path) -> None:
    model = FRAMEWORKS[name].make()
    package = bundle.pack(model, sample=ROWS.head())
    folder = mlflow_folder.write_folder(package, tmp_path / "model", trusted=True)
    told = yaml.safe_load((folder / "MLmodel").read_text())
    assert "python_function" in told["flavors"]
    assert [one["name"] for one in json.loads(told["signature"]["inputs"])] == ["a", "b", "c"]
    looked = foreign.looked_at(folder)
    again = taken_in(looked, trusted=bool(looked.wants))
    assert again.lineage["tool"].startswith("mlflow ")
    check_same(again, model)


def onnx_with_one_column_each() -> Any:
    need("skl2onnx", "onnxruntime")
    import skl2onnx
    from sklearn.linear_model import LinearRegression

    values = ROWS.to_numpy("float32")
    return skl2onnx.to_onnx(LinearRegression().fit(values, ROWS["a"]), values[:1])


def mlflow_python() -> Path:
    """MLflow's own environment, which the benchmarks use as well; it is too large for ours."""
    peers = os.environ.get("BENCH_PEERS") or Path(__file__).resolve().parents[2] / ".cache" / "peers"
    python = Path(peers, "mlflow", "bin", "python")
    if not python.exists():
        pytest.skip("MLflow is not installed beside us: `make prove-models` brings it")
    return python


ASK = """
import sys, warnings
sys.path += sys.argv[4:]  # libraries of the models, behind its own
warnings.simplefilter("ignore")
import mlflow, numpy as np, pandas as pd
rows = pd.DataFrame(np.load(sys.argv[2]), columns=["a", "b", "c"])
answers = mlflow.pyfunc.load_model(sys.argv[1]).predict(rows)
answers = answers.iloc[:, 0] if hasattr(answers, "iloc") else answers
np.save(sys.argv[3], np.asarray(answers).ravel().astype(str))
"""


@pytest.mark.parametrize("name", ["scikit-learn", "xgboost", "a lightgbm booster", "catboost", "onnx"])
def test_mlflow_itself_reads_what_we_write(name: str, tmp_path: Path) -> None:
    python = mlflow_python()
    # MLflow makes one frame of all outputs, so one of them with several columns is none that it can show
    model = onnx_with_one_column_each() if name == "onnx" else FRAMEWORKS[name].make()
    package = bundle.pack(model, sample=ROWS.head())
    folder = mlflow_folder.write_folder(package, tmp_path / "model", trusted=True)
    np.save(tmp_path / "rows.npy", ROWS.to_numpy())
    places = [str(folder), str(tmp_path / "rows.npy"), str(tmp_path / "answers.npy")]
    asked = [
        str(python),
        "-c",
        ASK,
        *places,
        *(one for one in sys.path if one.endswith((".cache/formats", "-packages"))),
    ]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    expected = frames.score(package.load(trusted=True), ROWS)["Scored Labels"].to_numpy().astype(str)
    assert np.load(tmp_path / "answers.npy").tolist() == expected.tolist()


def hand_made(folder: Path, flavors: dict[str, Any], **more: Any) -> Path:
    folder.mkdir()
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors, "mlflow_version": "2.9.2", **more}))
    return folder


def test_a_folder_as_mlflow_wrote_it_for_years_is_read_when_trusted(tmp_path: Path) -> None:
    """A pickled estimator, an input example beside it, and no sample given."""
    model = FRAMEWORKS["scikit-learn"].make()
    flavors = {"sklearn": {"code": None, "pickled_model": "model.pkl", "serialization_format": "cloudpickle"}}
    info = {"artifact_path": "input_example.json", "pandas_orient": "split", "type": "dataframe"}
    folder = hand_made(tmp_path / "model", flavors, saved_input_example_info=info, run_id="ab" * 16)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    example = {"columns": ["a", "b", "c"], "data": ROWS.head(3).to_numpy().tolist()}
    (folder / "input_example.json").write_text(json.dumps(example))
    looked = foreign.looked_at(folder)
    with pytest.raises(UntrustedContent, match="arbitrary Python"):
        looked.load(trusted=False)
    made = taken_in(looked, trusted=True)
    assert made.lineage["mlflow_run"] == "ab" * 16
    assert len(made.sample_rows) == 3
    check_same(made, model)


def test_a_folder_without_example_asks_for_a_sample(tmp_path: Path) -> None:
    folder = hand_made(tmp_path / "model", {"sklearn": {"pickled_model": "model.pkl"}})
    (folder / "model.pkl").write_bytes(pickle.dumps(FRAMEWORKS["scikit-learn"].make()))
    with pytest.raises(InvalidInput, match="--sample"):
        taken_in(foreign.looked_at(folder), trusted=True)


@pytest.mark.parametrize(
    ("flavors", "says"),
    [
        ({}, "one of the flavors"),
        ({"python_function": {"loader_module": "my.module"}}, "register the object"),
        ({"sklearn": {"pickled_model": "gone.pkl"}}, "not in the folder"),
        ({"sklearn": {"pickled_model": None}}, "does not say which file"),
        (
            {"sklearn": {"pickled_model": "m.pkl", "code": "code"}},
            "without code of its own|comes without code",
        ),
    ],
)
def test_a_folder_that_we_cannot_open_says_why(flavors: dict[str, Any], says: str, tmp_path: Path) -> None:
    folder = hand_made(tmp_path / "model", flavors)
    (folder / "m.pkl").write_bytes(pickle.dumps(1))
    with pytest.raises((InvalidInput, Corrupt), match=says):
        foreign.looked_at(folder)


def test_a_function_has_no_form_in_an_mlflow_folder(tmp_path: Path) -> None:
    package = bundle.pack(FRAMEWORKS["a function"].make(), sample=ROWS)
    with pytest.raises(InvalidInput, match="kept as cloudpickle"):
        mlflow_folder.write_folder(package, tmp_path / "model", trusted=True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_not_written_over(tmp_path: Path) -> None:
    package = bundle.pack(FRAMEWORKS["scikit-learn"].make(), sample=ROWS)
    (tmp_path / "model").mkdir()
    with pytest.raises(AlreadyExists):
        mlflow_folder.write_folder(package, tmp_path / "model", trusted=True)


def test_a_disk_that_fills_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = bundle.pack(FRAMEWORKS["scikit-learn"].make(), sample=ROWS)

    def full(self: Path, *_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)  # the payload is written before the descriptions
    with pytest.raises(Unavailable, match="No space left on device"):
        mlflow_folder.write_folder(package, tmp_path / "model", trusted=True)
    assert list(tmp_path.iterdir()) == []


def test_labels_travel_as_they_are(tmp_path: Path) -> None:
    need("xgboost")
    assert set(FLAGS) == {0, 1}
    model = FRAMEWORKS["lightgbm"].make()
    made = bundle.pack(model, sample=ROWS)
    scored = frames.score(made.load(trusted=False), ROWS)
    assert set(scored["Scored Labels"]) <= set(WORDS)
