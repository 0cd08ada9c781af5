"""A package opened elsewhere: by another process, in an environment that has what the manifest asks for and no more."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import venv
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mlalm_jupyter.formats import bundle, frames
from tests.frameworks import FRAMEWORKS, ROWS

pytestmark = [
    pytest.mark.prove_models,
    pytest.mark.filterwarnings("ignore::Warning"),
    pytest.mark.timeout(900),
]
ROOT = Path(__file__).resolve().parents[2]
EIGHT = ("scikit-learn", "xgboost", "lightgbm", "catboost", "statsmodels", "torch", "onnx", "a function")
FORMS_OF_TORCH = ("torchscript", "torch.export")
OTHERS = (
    "a search",
    "an xgboost booster",
    "a lightgbm booster",
    "a statsmodels formula",
    "a network of one's own",
)
READER = ("pluggy",)
"""What our own reading needs beside the manifest."""

OPEN = """
import importlib.util, json, sys, warnings
warnings.simplefilter("ignore")
place, package, rows, absent, *inserted = sys.argv[1:]
sys.path[:0] = inserted
assert not any(importlib.util.find_spec(name) for name in json.loads(absent)), "it is there"
import numpy as np
import pandas as pd
from pathlib import Path
from mlalm_jupyter.formats import bundle, frames
opened = bundle.read(Path(package))
model = opened.load(trusted=True)
frames.score(model, pd.DataFrame(np.load(rows), columns=["a", "b", "c"])).to_pickle(place)
print(sorted({one.split(".")[0] for one in sys.modules}))
"""


def closure(requirements: tuple[str, ...]) -> list[importlib.metadata.Distribution]:
    """The distributions that are asked for, and what those ask for in turn."""
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = [Requirement(one) for one in requirements]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in found or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        found[name] = importlib.metadata.distribution(name)
        waiting += [Requirement(one) for one in found[name].requires or ()]
    return list(found.values())


def linked(folder: Path, requirements: tuple[str, ...]) -> Path:
    """A folder of those distributions and nothing else, out of the ones that are installed here."""
    folder.mkdir()
    for one in closure((*requirements, *READER)):
        for top in {
            file.parts[0] for file in one.files or () if file.parts[0] not in ("..", "__pycache__", "bin")
        }:
            source = Path(str(one.locate_file(top)))
            if source.exists() and not (folder / top).exists():
                (folder / top).symlink_to(source)
    (folder / "mlalm_jupyter").symlink_to(ROOT / "mlalm_jupyter")
    return folder


TRAIN = """
import sys, warnings
warnings.simplefilter("ignore")
from mlalm_jupyter import Workspace
from tests.frameworks import FRAMEWORKS, ROWS
with Workspace.init(sys.argv[1]) as ws:
    made = ws.models.register(FRAMEWORKS[sys.argv[2]].make(), "model", sample=ROWS.head())
    ws.models.download(made.reference, sys.argv[3])
"""


def made(name: str, tmp_path: Path) -> bundle.Bundle:
    """A model that a process of its own trained, registered and downloaded."""
    place = tmp_path / "model.ilearner"
    env = {
        **{key: value for key, value in os.environ.items() if not key.startswith("MLALM_")},
        "MLALM_HOME": str(tmp_path / "home"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-c", TRAIN, str(tmp_path / "ws"), name, str(place)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=env)
    if "Skipped: " in done.stderr:  # said by what makes the model there
        told = done.stderr.rpartition("Skipped: ")[2].strip()
        if name in EIGHT and os.environ.get("MLALM_FULL") == "1":
            pytest.fail(f"one of the eight frameworks that this is promised for is not here: {told}")
        pytest.skip(told)
    assert done.returncode == 0, done.stderr[-3000:]
    np.save(tmp_path / "rows.npy", ROWS.to_numpy())
    return bundle.read(place)


def check_same(name: str, package: bundle.Bundle, there: Path) -> None:
    here, answers = frames.score(package.load(trusted=True), ROWS), pd.read_pickle(there)
    assert list(answers) == list(here)
    for column in here:
        # text is kept in other forms where there is no pyarrow; numbers are held to their last bit
        kind = object if here[column].dtype.kind not in "biuf" else here[column].dtype
        one, other = (frame[column].to_numpy(kind) for frame in (here, answers))
        assert one.tolist() == other.tolist()
        assert kind is object or one.tobytes() == other.tobytes()


def opened(python: str, inserted: list[Path], tmp_path: Path, *, absent: list[str]) -> list[str]:
    arguments = [tmp_path / "answers.pkl", tmp_path / "model.ilearner", tmp_path / "rows.npy"]
    command = [python, "-I", "-c", OPEN, *map(str, arguments), json.dumps(absent), *map(str, inserted)]
    command[1:2] = ["-I", "-S"] if inserted else ["-I"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    return list(eval(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "name",
    [
        one if one in ("a function", "onnx") else pytest.param(one, marks=pytest.mark.full)
        for one in [*EIGHT, *FORMS_OF_TORCH, *OTHERS]
    ],
)
def test_a_package_opens_with_what_its_manifest_asks_for_and_answers_the_same(
    name: str, tmp_path: Path, figures: Counter[str]
) -> None:
    package = made(name, tmp_path)
    folder = linked(tmp_path / "site", package.requirements)
    absent = {"onnx": ["sklearn", "skl2onnx", "onnx"], "xgboost": ["skops"], "a function": ["sklearn"]}.get(
        name, []
    )
    loaded = opened(sys.executable, [folder], tmp_path, absent=[*absent, "IPython", "sqlalchemy"])
    assert "papermill" not in loaded
    check_same(name, package, tmp_path / "answers.pkl")
    figures["packages opened in an environment of what they ask for"] += 1
    figures["  frameworks of the eight among them"] += name in EIGHT


def test_the_eight_are_eight_forms_of_other_makers() -> None:
    assert len({FRAMEWORKS[name].format for name in EIGHT}) == 8


@pytest.mark.full
@pytest.mark.parametrize("name", [*EIGHT, *FORMS_OF_TORCH])
def test_a_package_opens_in_a_virtual_environment_installed_from_its_manifest(
    name: str, tmp_path: Path, figures: Counter[str]
) -> None:
    package = made(name, tmp_path)
    venv.create(tmp_path / "venv", symlinks=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    # without a pip of its own, and with nothing compiled that is not imported: a sixth of the time
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    install = [*pip, "install", "--quiet", "--no-compile", *package.requirements, *READER]
    done = subprocess.run(install, capture_output=True, text=True, timeout=600, check=False, env=env)
    if done.returncode and "Could not find a version" not in done.stderr and "Connection" in done.stderr:
        pytest.skip("no package index is reached from here")
    assert done.returncode == 0, done.stderr[-2000:]
    site = next((tmp_path / "venv" / "lib").glob("python*")) / "site-packages"
    (site / "mlalm_jupyter").symlink_to(ROOT / "mlalm_jupyter")
    opened(python, [], tmp_path, absent=["IPython", "sqlalchemy"])
    check_same(name, package, tmp_path / "answers.pkl")
    figures["packages opened in an installed environment"] += 1
