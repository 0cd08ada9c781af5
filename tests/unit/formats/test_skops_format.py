"""scikit-learn models as data: which ones stay so, the same bytes each time, and what is refused by name."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import Birch, BisectingKMeans
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    IsolationForest,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, f_classif, mutual_info_classif
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.random_projection import SparseRandomProjection
from sklearn.svm import SVC

from mlalm_jupyter.domain.errors import NotSerialisable, UntrustedContent
from mlalm_jupyter.formats import bundle, frames
from mlalm_jupyter.formats.allowed import is_allowed
from mlalm_jupyter.formats.skops_format import FILE, SkopsFormat

RNG = np.random.default_rng(0)
ROWS = pd.DataFrame(RNG.uniform(0.1, 1, (80, 3)), columns=["a", "b", "c"])
KIND = np.where(ROWS["a"] + ROWS["b"] > 1.1, "much", "little")
TEXTS = pd.DataFrame({"said": ["a good day", "a bad night", "good night", "bad day"] * 5})
MOOD = [1, 0, 1, 0] * 5
NUMBER = ROWS["a"] * 3

COMMON: dict[str, Callable[[], Any]] = {
    "neighbours": lambda: KNeighborsClassifier().fit(ROWS, KIND),
    "neighbours in balls": lambda: KNeighborsClassifier(algorithm="ball_tree").fit(ROWS, KIND),
    "network": lambda: MLPClassifier((4,), max_iter=2000, tol=0.01, random_state=0).fit(ROWS, KIND),
    "selection": lambda: make_pipeline(SelectKBest(f_classif, k=2), GaussianNB()).fit(ROWS, KIND),
    "information": lambda: make_pipeline(SelectKBest(mutual_info_classif, k=2), GaussianNB()).fit(ROWS, KIND),
    "process": lambda: GaussianProcessRegressor(random_state=0).fit(ROWS, NUMBER),
    "calibrated": lambda: CalibratedClassifierCV(GaussianNB()).fit(ROWS, KIND),
    "machine": lambda: SVC().fit(ROWS, KIND),
    "descent": lambda: SGDClassifier(random_state=0).fit(ROWS, KIND),
    "votes": lambda: VotingClassifier([("n", GaussianNB()), ("l", LogisticRegression())]).fit(ROWS, KIND),
    "stack": lambda: StackingClassifier([("n", GaussianNB())], cv=2).fit(ROWS, KIND),
    "outliers": lambda: IsolationForest(n_estimators=4, max_features=2, random_state=0).fit(ROWS),
    "bisecting": lambda: BisectingKMeans(3, random_state=0).fit(ROWS),
    "sparse": lambda: make_pipeline(SparseRandomProjection(2, random_state=0), GaussianNB()).fit(ROWS, KIND),
    "logarithm": lambda: make_pipeline(FunctionTransformer(np.log1p), StandardScaler()).fit(ROWS),
    "categories": lambda: HistGradientBoostingClassifier(max_iter=3).fit(categorised(ROWS), KIND),
    **{
        f"search by {score}": lambda score=score: GridSearchCV(  # type: ignore[misc]
            LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, scoring=score
        ).fit(ROWS, KIND)
        for score in ("accuracy", "roc_auc", "neg_log_loss")
    },
}


def categorised(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(c=pd.Categorical(np.where(rows["c"] > 0.5, "high", "low")))


@pytest.mark.parametrize("name", COMMON)
def test_the_usual_models_stay_data_and_answer_the_same(name: str) -> None:
    model = COMMON[name]()
    rows = categorised(ROWS) if name == "categories" else ROWS
    made = bundle.pack(model, sample=rows)
    assert (made.format, made.wants()) == ("skops", [])
    again = made.load(trusted=False)
    pd.testing.assert_frame_equal(frames.score(again, rows), frames.score(model, rows), check_exact=True)


def test_a_model_of_texts_stays_data_and_takes_one_column() -> None:
    model = make_pipeline(TfidfVectorizer(stop_words=["a", "the"]), LogisticRegression())
    model.fit(TEXTS["said"], MOOD)
    made = bundle.pack(model, sample=TEXTS)
    assert made.format == "skops"
    assert list(frames.score(made.load(trusted=False), TEXTS)["Scored Labels"]) == MOOD


TRAIN = """
import hashlib, json
import numpy as np, pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.random_projection import SparseRandomProjection
from mlalm_jupyter.formats import bundle

class Own:
    def __init__(self, by): self.by = by
    def predict(self, rows): return rows["a"] * self.by

rng = np.random.default_rng(0)
rows = pd.DataFrame({"a": rng.uniform(size=200), "s": rng.choice(["xx", "yy"], 200)})
number, kind = rows[["a"]], np.where(rows["a"] > 0.5, "p", "q")
words = make_column_transformer((OneHotEncoder(sparse_output=False), ["s"]), remainder="passthrough")
text = make_pipeline(TfidfVectorizer(vocabulary={"xx", "yy", "word", "more", "words"}), LogisticRegression())
search = GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2)  # itself it keeps how long it took
model = {
    "boosting": (make_pipeline(words, HistGradientBoostingRegressor(max_iter=5, random_state=0)).fit(rows, rows["a"]), rows),
    "forest": (RandomForestClassifier(5, random_state=0).fit(number, kind), number),
    "found": (search.fit(number, kind).best_estimator_, number),
    "neighbours": (KNeighborsClassifier().fit(number, kind), number),
    "sparse": (SparseRandomProjection(1, random_state=0).fit(number), number),
    "text": (text.fit(rows["s"] + " word", kind), rows[["s"]] + " word"),
    "own": (Own(3), rows),
    "function": (lambda table: table.assign(b=table["a"] * 2), rows),
}
print(json.dumps({
    name: hashlib.sha256(bundle.pack(one, sample=sample).data).hexdigest()
    for name, (one, sample) in model.items()
}))
"""


def hashes(seed: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", TRAIN],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_training_again_in_another_process_gives_the_same_bytes() -> None:
    one, other = hashes("1"), hashes("2")
    assert [name for name in one if one[name] != other[name]] == []
    assert len(one) == 8


def test_a_lambda_is_wanted_by_name_and_kept_as_a_pickle() -> None:
    model = make_pipeline(FunctionTransformer(lambda rows: rows), LogisticRegression()).fit(ROWS, KIND)
    (wanted,) = SkopsFormat().wants(SkopsFormat().dump(model))
    assert wanted.endswith(".<lambda>")
    assert bundle.pack(model, sample=ROWS).format == "cloudpickle"


def test_an_attribute_that_no_file_holds_is_named_with_its_way() -> None:
    model = make_pipeline(FunctionTransformer(kw_args={"a": [open(os.devnull)]}), LogisticRegression())  # noqa: SIM115
    with model[0].kw_args["a"][0], pytest.raises(NotSerialisable) as caught:
        SkopsFormat().dump(model)
    assert caught.value.attribute == "steps[0][1].kw_args['a'][0]"


def test_what_goes_in_circles_is_said_so_and_kept_as_a_pickle() -> None:
    model = Birch(n_clusters=2).fit(ROWS)
    with pytest.raises(NotSerialisable, match=r"`root_.*refers to itself"):
        SkopsFormat().dump(model)
    assert bundle.pack(model, sample=ROWS).format == "cloudpickle"


class Own(LogisticRegression):
    """A person's own estimator."""


def test_an_estimator_of_ones_own_is_wanted_by_name_and_kept_as_a_pickle() -> None:
    model = Own().fit(ROWS, KIND)
    payload = SkopsFormat().dump(model)
    (wanted,) = SkopsFormat().wants(payload)
    assert wanted.endswith("test_skops_format.Own")
    with pytest.raises(UntrustedContent, match="Own"):
        SkopsFormat().load(payload, trusted=False)
    assert type(SkopsFormat().load(payload, trusted=True)) is Own
    assert bundle.pack(model, sample=ROWS).format == "cloudpickle"


@pytest.mark.parametrize(
    ("loader", "module", "name"),
    [
        ("FunctionNode", "os", "system"),
        ("FunctionNode", "numpy", "load"),
        ("FunctionNode", "numpy", "fromfile"),
        ("FunctionNode", "numpy", "apply_along_axis"),
        ("FunctionNode", "joblib", "load"),
        ("FunctionNode", "sklearn.datasets._openml", "fetch_openml"),
        ("FunctionNode", "sklearn.utils", "all_estimators"),
        ("FunctionNode", "builtins", "eval"),
        ("TypeNode", "builtins", "eval"),
        ("TypeNode", "builtins", "map"),
        ("ObjectNode", "subprocess", "Popen"),
        ("ObjectNode", "sklearn.utils._testing", "TempMemmap"),
        ("ObjectNode", "sklearn.base.BaseEstimator", "__subclasses__"),
        ("ObjectNode", "joblib.memory", "Memory"),
        ("ConstructorFromReduceNode", "pathlib", "PosixPath"),
        ("OperatorFuncNode", "operator", "methodcaller"),
        ("MethodNode", "sklearn.pipeline", "Pipeline"),
        ("QuantileForestNode", "quantile_forest", "QuantileForest"),
        ("CachedNode", "builtins", "list"),
        ("ListNode", "sklearn.tree._tree", "Tree"),
        ("NeverHeardOfNode", "builtins", "list"),
    ],
)
def test_what_could_do_more_than_hold_numbers_is_on_no_list(loader: str, module: str, name: str) -> None:
    assert not is_allowed(loader, module, name)


def test_asking_what_a_file_wants_imports_nothing_it_names() -> None:
    """`antigravity` opens a browser when it is imported."""
    raw = io.BytesIO(SkopsFormat().dump(LogisticRegression().fit(ROWS, KIND))[FILE])
    out = io.BytesIO()
    with zipfile.ZipFile(raw) as given, zipfile.ZipFile(out, "w") as made:
        for name in given.namelist():
            made.writestr(name, given.read(name).replace(b"sklearn.linear_model._logistic", b"antigravity"))
    with pytest.raises(UntrustedContent, match=r"antigravity\.LogisticRegression"):
        SkopsFormat().load({FILE: out.getvalue()}, trusted=False)
    assert "antigravity" not in sys.modules
