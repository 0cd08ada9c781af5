"""Models of each framework: kept in the best form there is, answering the same after, with the same hash each time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from mlalm_jupyter.domain.errors import MissingDependency, UntrustedContent
from mlalm_jupyter.formats import bundle, frames
from mlalm_jupyter.formats.library import install_line, install_lines, library
from tests.frameworks import FRAMEWORKS, ROWS, need

# libraries of the day warn about their own internals
pytestmark = [pytest.mark.prove_models, pytest.mark.filterwarnings("ignore::Warning")]
ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_model_is_kept_in_its_form_and_answers_the_same_to_the_last_bit(name: str) -> None:
    expected = FRAMEWORKS[name]
    model = expected.make()
    made = bundle.read(bundle.pack(model, sample=ROWS.head(20)).data)
    assert (made.format, made.is_deterministic) == (expected.format, expected.is_deterministic)
    assert (made.is_data_only and not made.wants()) == expected.is_data
    again = made.load(trusted=not expected.is_data)
    pd.testing.assert_frame_equal(frames.score(again, ROWS), frames.score(model, ROWS), check_exact=True)


@pytest.mark.parametrize("name", [name for name, one in FRAMEWORKS.items() if not one.is_data])
def test_what_is_more_than_data_opens_only_when_trusted_and_says_what_it_wants(name: str) -> None:
    made = bundle.pack(FRAMEWORKS[name].make(), sample=ROWS)
    with pytest.raises(UntrustedContent) as caught:
        made.load(trusted=False)
    assert caught.value.wants
    assert caught.value.digest == made.model_hash


@pytest.mark.parametrize("name", [name for name, one in FRAMEWORKS.items() if one.format != "cloudpickle"])
def test_what_was_opened_can_be_kept_again(name: str) -> None:
    made = bundle.pack(FRAMEWORKS[name].make(), sample=ROWS)
    again = bundle.pack(made.load(trusted=True), sample=ROWS)
    assert again.format == made.format
    assert again.signature == made.signature


HASH = """
import json, sys, warnings
warnings.simplefilter("ignore")
from mlalm_jupyter.formats import bundle
from tests.frameworks import FRAMEWORKS, ROWS
found = {}
for name in json.loads(sys.argv[1]):
    try:
        found[name] = bundle.pack(FRAMEWORKS[name].make(), sample=ROWS).model_hash
    except BaseException as error:
        if type(error).__name__ != "Skipped":
            raise
print(json.dumps(found))
"""


def test_training_again_elsewhere_gives_the_same_hash_for_every_form_that_says_so() -> None:
    """Two processes with other seeds for their hashes; what may differ is named in the package."""
    # a pickle promises nothing, yet one of a plain object comes out the same
    plain = ["a function", "a network of one's own"]
    names = json.dumps([name for name, one in FRAMEWORKS.items() if one.is_deterministic or name in plain])
    told = []
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
        done = subprocess.run(
            [sys.executable, "-c", HASH, names],
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
            env=env,
        )
        assert done.returncode == 0, done.stderr
        told.append(json.loads(done.stdout.splitlines()[-1]))
    assert told[0] == told[1]
    assert "scikit-learn" in told[0]


def test_a_package_asks_for_exactly_what_its_model_needs() -> None:
    made = bundle.pack(FRAMEWORKS["scikit-learn"].make(), sample=ROWS)
    assert [one.partition("==")[0] for one in made.requirements] == [
        "numpy",
        "pandas",
        "scikit-learn",
        "scipy",
        "skops",
    ]
    need("lightgbm")
    made = bundle.pack(FRAMEWORKS["lightgbm"].make(), sample=ROWS)
    assert "lightgbm" in made.manifest["libraries"]


def test_the_fitted_rows_of_statsmodels_do_not_travel_with_its_results() -> None:
    need("statsmodels")
    model = FRAMEWORKS["statsmodels"].make()
    payload = bundle.pack(model, sample=ROWS.head()).payload["results.pkl"]
    assert ROWS["a"].to_numpy().tobytes() not in payload
    assert model.model.data.endog is not None, "the person's own object keeps its rows"


def test_weights_in_several_types_come_back_as_they_were() -> None:
    need("torch")
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).double().eval()
    made = bundle.pack(model, sample=ROWS)
    again = made.load(trusted=False)
    assert made.format == "torch"
    assert {name: one.dtype for name, one in again.state_dict().items()} == {  # type: ignore[attr-defined]
        name: one.dtype for name, one in model.state_dict().items()
    }


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("xgboost", "pip install 'mlalm-jupyter[xgboost]'"),
        ("onnxruntime", "pip install 'mlalm-jupyter[onnx]'"),
        ("something_else", "pip install something_else"),
        ("sklearn", "pip install scikit-learn"),
        ("PIL", "pip install pillow"),
    ],
)
def test_a_missing_library_is_named_with_the_line_that_brings_it(
    module: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependency) as caught:
        library(module)
    assert caught.value.fix == f"Run `{line}`."


@pytest.mark.parametrize(
    ("module", "asked", "line"),
    [
        ("sklearn", ["numpy==2.4.0", "scikit-learn==1.9.1"], "pip install scikit-learn==1.9.1"),
        ("PIL", ["Pillow==11.0.0"], "pip install Pillow==11.0.0"),
        ("fancy", ["numpy==2.4.0", "the-fancy-one==2.0"], "pip install the-fancy-one==2.0"),
        ("fancy", ["numpy==2.4.0"], "pip install fancy"),
        ("xgboost", ["xgboost==3.0.0"], "pip install 'mlalm-jupyter[xgboost]'"),
    ],
)
def test_the_line_names_what_the_package_asks_for(module: str, asked: list[str], line: str) -> None:
    missing = MissingDependency("The model", library=f"the module '{module}'", install=install_line(module))
    assert install_lines(missing, asked).fix == f"Run `{line}`."


def test_a_module_that_is_not_here_is_told_by_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    model = FRAMEWORKS["a search"].make()
    made = bundle.pack(lambda rows: model.predict(rows), sample=ROWS)
    assert made.format == "cloudpickle"
    for name in [name for name in sys.modules if name.partition(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Without("sklearn"), *sys.meta_path])
    with pytest.raises(MissingDependency) as caught:
        made.load(trusted=True)
    assert re.fullmatch(r"Run `pip install scikit-learn==[0-9.]+`\.", caught.value.fix)


class Without:
    """Finds nothing of a library, as where it is not installed."""

    def __init__(self, root: str) -> None:
        self._root = root

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == self._root:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost", "onnx", "torch", "statsmodels"])
def test_a_package_opened_where_its_library_is_missing_says_so(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = bundle.pack(FRAMEWORKS[name].make(), sample=ROWS)
    monkeypatch.setitem(sys.modules, "onnxruntime" if name == "onnx" else name, None)
    with pytest.raises(MissingDependency, match=rf"mlalm-jupyter\[{name}\]"):
        made.load(trusted=True)
