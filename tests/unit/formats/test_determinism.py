"""What is said of coming out the same: true wherever it is promised, and a reason wherever it is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    BaggingRegressor,
    GradientBoostingClassifier,
    RandomForestRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge, SGDRegressor
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from mlalm_jupyter.formats import bundle
from tests.frameworks import AMOUNTS, FLAGS, FRAMEWORKS, ROWS, WORDS

pytestmark = [pytest.mark.prove_models, pytest.mark.filterwarnings("ignore::Warning")]
ROOT = Path(__file__).resolve().parents[3]
NOTES = ROWS.assign(note=WORDS.map({"yes": "good red wine", "no": "a sour white one"}))


def search() -> Any:
    return GridSearchCV(Ridge(solver="svd"), {"alpha": [0.1, 1.0]}, cv=2)


PROMISED: dict[str, Callable[[], Any]] = {
    "a line after a scaler": lambda: make_pipeline(StandardScaler(), Ridge(solver="svd")).fit(ROWS, AMOUNTS),
    "a forest with a seed": lambda: RandomForestRegressor(5, random_state=0).fit(ROWS, AMOUNTS),
    "boosted trees with a seed": lambda: GradientBoostingClassifier(n_estimators=3, random_state=0).fit(
        ROWS, FLAGS
    ),
    "a support vector machine": lambda: SVC().fit(ROWS, WORDS),
    "components": lambda: make_pipeline(PCA(2, svd_solver="full"), LogisticRegression()).fit(ROWS, WORDS),
    "a stack": lambda: StackingRegressor([("r", Ridge(solver="svd"))], Ridge(solver="svd")).fit(
        ROWS, AMOUNTS
    ),
    "words with a set of words to leave out": lambda: make_pipeline(
        make_column_transformer((CountVectorizer(stop_words=["a", "one", "red"]), "note")), SVC()
    ).fit(NOTES, WORDS),
    "words": lambda: make_pipeline(
        make_column_transformer((TfidfVectorizer(stop_words="english"), "note")), LogisticRegression()
    ).fit(NOTES, WORDS),
}
KEEPS_TIMES: dict[str, Callable[[], Any]] = {
    "voters": lambda: VotingRegressor([("g", search())]).fit(ROWS, AMOUNTS),
    "another target": lambda: TransformedTargetRegressor(search()).fit(ROWS, AMOUNTS),
    "a pipeline": lambda: make_pipeline(StandardScaler(), search()).fit(ROWS, AMOUNTS),
    "bags": lambda: BaggingRegressor(search(), 2, random_state=0).fit(ROWS, AMOUNTS),
    "several targets": lambda: MultiOutputRegressor(search()).fit(ROWS, ROWS[["a", "b"]] * 2),
}
UNSEEDED: dict[str, Callable[[], Any]] = {
    "GradientBoostingClassifier": lambda: GradientBoostingClassifier(n_estimators=2).fit(ROWS, FLAGS),
    "RandomForestRegressor": lambda: RandomForestRegressor(5).fit(ROWS, AMOUNTS),
    "MLPRegressor": lambda: make_pipeline(MLPRegressor(hidden_layer_sizes=(3,), max_iter=2)).fit(
        ROWS, AMOUNTS
    ),
    "SGDRegressor": lambda: VotingRegressor([("s", SGDRegressor())]).fit(ROWS, AMOUNTS),
}


def packed(make: Callable[[], Any]) -> bundle.Bundle:
    return bundle.pack(make(), sample=NOTES if "note" in _names(make()) else ROWS)


def _names(model: Any) -> list[str]:
    return [str(name) for name in getattr(model, "feature_names_in_", ())]


@pytest.mark.parametrize("name", PROMISED)
def test_what_is_promised_comes_out_the_same(name: str) -> None:
    one, other = packed(PROMISED[name]), packed(PROMISED[name])
    assert (one.is_deterministic, one.varies) == (True, ())
    assert one.model_hash == other.model_hash


@pytest.mark.parametrize("name", KEEPS_TIMES)
def test_a_search_anywhere_in_a_model_keeps_times_and_is_named(name: str) -> None:
    one, other = packed(KEEPS_TIMES[name]), packed(KEEPS_TIMES[name])
    assert one.model_hash != other.model_hash
    assert not one.is_deterministic
    assert "GridSearchCV keeps how long its fitting took" in one.varies


def test_a_random_generator_that_travels_along_is_named() -> None:
    def stack() -> Any:
        splits = KFold(2, shuffle=True)  # which is given a generator by the stack
        return StackingRegressor([("r", Ridge(solver="svd"))], Ridge(solver="svd"), cv=splits).fit(
            ROWS, AMOUNTS
        )

    one, other = packed(stack), packed(stack)
    assert one.model_hash != other.model_hash
    assert "KFold draws from a random generator" in one.varies[0]


@pytest.mark.parametrize("name", UNSEEDED)
def test_random_numbers_without_a_seed_are_named(name: str) -> None:
    made = packed(UNSEEDED[name])
    assert not made.is_deterministic
    assert f"{name} draws random numbers without a seed (random_state is None)" in made.varies


@pytest.mark.parametrize("name", [name for name, one in FRAMEWORKS.items() if not one.is_deterministic])
def test_whatever_is_not_promised_says_why(name: str) -> None:
    made = bundle.read(bundle.pack(FRAMEWORKS[name].make(), sample=ROWS).data)
    assert not made.is_deterministic
    assert made.varies


def test_a_pickle_promises_nothing_because_it_may_hold_sets() -> None:
    told = [elsewhere(seed, "SETS") for seed in ("1", "2")]
    assert told[0]["holder"][0] != told[1]["holder"][0], "this is the reason"
    assert told[0]["holder"][1] is False


def test_what_is_promised_comes_out_the_same_in_another_process() -> None:
    told = [elsewhere(seed, "PROMISED") for seed in ("1", "2")]
    assert told[0] == told[1]
    assert {name: said for name, (_, said) in told[0].items()} == dict.fromkeys(PROMISED, True)


class Holder:
    def __init__(self) -> None:
        self.words = {f"word {number}" for number in range(20)}

    def predict(self, rows: Any) -> Any:
        return rows["a"] * len(self.words)


SETS: dict[str, Callable[[], Any]] = {"holder": Holder}
ASK = """
import json, sys, warnings
warnings.simplefilter("ignore")
from tests.unit.formats import test_determinism as here
made = {name: here.packed(make) for name, make in getattr(here, sys.argv[1]).items()}
print(json.dumps({name: (one.model_hash, one.is_deterministic) for name, one in made.items()}))
"""


def elsewhere(seed: str, which: str) -> dict[str, tuple[str, bool]]:
    """Hashes and promises of a process with another seed for its hashes."""
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, "-c", ASK, which]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False, env=env)
    assert done.returncode == 0, done.stderr
    told: dict[str, tuple[str, bool]] = json.loads(done.stdout.splitlines()[-1])
    return told
