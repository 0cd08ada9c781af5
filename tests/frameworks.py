"""One small model of each framework, made the same way each time; what needs a library that is not here is skipped."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlalm_jupyter.formats.library import install_line

RNG = np.random.default_rng(7)
ROWS = pd.DataFrame(RNG.normal(size=(120, 3)).round(4), columns=["a", "b", "c"])
FLAGS = (ROWS["a"] + ROWS["b"] > 0).astype(int)
WORDS = FLAGS.map({1: "yes", 0: "no"})
AMOUNTS = (2 * ROWS["a"] - ROWS["c"]).round(4)


def need(*modules: str) -> None:
    """Skip the test where a library is not installed, with the line that installs it."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            pytest.skip(
                f"{module} is not installed: `make prove-models` brings it, or {install_line(module)}"
            )


def skops() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, WORDS)


def search() -> Any:
    from sklearn.model_selection import GridSearchCV
    from sklearn.tree import DecisionTreeRegressor

    return GridSearchCV(DecisionTreeRegressor(random_state=0), {"max_depth": [2, 3]}, cv=2).fit(ROWS, AMOUNTS)


def randomized() -> Any:
    from sklearn.model_selection import RandomizedSearchCV
    from sklearn.tree import DecisionTreeRegressor

    chosen = RandomizedSearchCV(
        DecisionTreeRegressor(random_state=0), {"max_depth": [1, 2, 3]}, n_iter=2, cv=2, random_state=0
    )
    return chosen.fit(ROWS, AMOUNTS)


def halving() -> Any:
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingGridSearchCV
    from sklearn.tree import DecisionTreeRegressor

    chosen = HalvingGridSearchCV(
        DecisionTreeRegressor(random_state=0), {"max_depth": [1, 2, 3]}, cv=2, random_state=0
    )
    return chosen.fit(ROWS, AMOUNTS)


def xgboost() -> Any:
    need("xgboost")
    import xgboost

    return xgboost.XGBClassifier(n_estimators=6, max_depth=3, n_jobs=1).fit(ROWS, FLAGS)


def xgboost_booster() -> Any:
    need("xgboost")
    import xgboost

    return xgboost.train({"booster": "dart", "rate_drop": 0.5, "nthread": 1}, xgboost.DMatrix(ROWS, FLAGS), 4)


def xgboost_search() -> Any:
    need("xgboost")
    import xgboost
    from sklearn.model_selection import GridSearchCV

    return GridSearchCV(xgboost.XGBRegressor(n_estimators=2, n_jobs=1), {"max_depth": [1, 2]}, cv=2).fit(
        ROWS, AMOUNTS
    )


def lightgbm() -> Any:
    need("lightgbm")
    import lightgbm

    return lightgbm.LGBMClassifier(n_estimators=6, n_jobs=1, verbose=-1).fit(ROWS, WORDS)


def lightgbm_booster() -> Any:
    need("lightgbm")
    import lightgbm

    return lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(ROWS, AMOUNTS), 4)


def catboost() -> Any:
    need("catboost")
    import catboost

    made = catboost.CatBoostClassifier(iterations=6, verbose=0, thread_count=1, allow_writing_files=False)
    return made.fit(ROWS, WORDS)


def statsmodels() -> Any:
    need("statsmodels")
    import statsmodels.api as sm

    return sm.OLS(AMOUNTS, ROWS).fit()


def statsmodels_formula() -> Any:
    need("statsmodels")
    import statsmodels.formula.api as smf

    return smf.ols("amount ~ a + np.log(abs(b) + 1)", ROWS.assign(amount=AMOUNTS)).fit()


def torch() -> Any:
    need("torch")
    import torch

    torch.manual_seed(3)
    layers = (torch.nn.Linear(3, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Dropout(0.2))
    return torch.nn.Sequential(*layers, torch.nn.Linear(8, 1)).eval()


def torchscript() -> Any:
    made = torch()
    import torch as library

    return library.jit.script(made)


def torch_export() -> Any:
    made = torch()
    import torch as library

    rows = {0: library.export.Dim("rows")}
    return library.export.export(made, (library.zeros(2, 3),), dynamic_shapes=(rows,))


def torch_of_ones_own() -> Any:
    """A network of a class that only its notebook knows."""
    need("torch")
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(
        "import torch\n"
        "class Net(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        torch.manual_seed(5)\n"
        "        self.inner = torch.nn.Linear(3, 2)\n"
        "    def forward(self, rows):\n"
        "        return self.inner(rows)\n",
        scope,
    )
    return scope["Net"]()


def onnx() -> Any:
    need("onnx", "onnxruntime", "skl2onnx")
    import skl2onnx
    from sklearn.ensemble import RandomForestClassifier

    values = ROWS.to_numpy("float32")
    forest = RandomForestClassifier(4, max_depth=3, random_state=0).fit(values, WORDS)
    return skl2onnx.to_onnx(forest, values[:1], options={"zipmap": False})


def function() -> Any:
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec("def twice(rows):\n    return rows.assign(twice=rows['a'] * 2)\n", scope)
    return scope["twice"]


class Made:
    """How a model is made, and what is promised of it."""

    def __init__(
        self, make: Callable[[], Any], format: str, *, is_data: bool, is_deterministic: bool = True
    ) -> None:
        self.make = make
        self.format = format
        self.is_data = is_data
        self.is_deterministic = is_deterministic


FRAMEWORKS: dict[str, Made] = {
    "scikit-learn": Made(skops, "skops", is_data=True),
    "a search": Made(search, "skops", is_data=True, is_deterministic=False),
    "a randomized search": Made(randomized, "skops", is_data=True, is_deterministic=False),
    "a halving search": Made(halving, "skops", is_data=True, is_deterministic=False),
    "xgboost": Made(xgboost, "xgboost", is_data=True),
    "an xgboost booster": Made(xgboost_booster, "xgboost", is_data=True),
    "a search of xgboost": Made(xgboost_search, "cloudpickle", is_data=False, is_deterministic=False),
    "lightgbm": Made(lightgbm, "lightgbm", is_data=True),
    "a lightgbm booster": Made(lightgbm_booster, "lightgbm", is_data=True),
    "catboost": Made(catboost, "catboost", is_data=False),
    "statsmodels": Made(statsmodels, "statsmodels", is_data=False),
    "a statsmodels formula": Made(statsmodels_formula, "statsmodels", is_data=False),
    "torch": Made(torch, "torch", is_data=True),
    "torchscript": Made(torchscript, "torchscript", is_data=False, is_deterministic=False),
    "torch.export": Made(torch_export, "torch-export", is_data=False),
    "a network of one's own": Made(torch_of_ones_own, "cloudpickle", is_data=False, is_deterministic=False),
    "onnx": Made(onnx, "onnx", is_data=True),
    "a function": Made(function, "cloudpickle", is_data=False, is_deterministic=False),
}
