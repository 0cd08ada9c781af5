"""Samples that do not fit their model, and models that cannot be kept: said in one sentence, with what to do."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlalm_jupyter.domain.errors import InvalidInput, NotSerialisable
from mlalm_jupyter.formats import bundle, frames
from tests.frameworks import FLAGS, FRAMEWORKS, ROWS, WORDS, need

pytestmark = [pytest.mark.prove_models, pytest.mark.filterwarnings("ignore::Warning")]
BY_NAME = ["scikit-learn", "xgboost", "an xgboost booster", "lightgbm", "a lightgbm booster", "catboost"]
BY_PLACE = ["torch", "onnx", "statsmodels"]


@pytest.mark.parametrize("name", [*BY_NAME, *BY_PLACE])
def test_text_where_the_model_takes_numbers_is_refused(name: str) -> None:
    model = FRAMEWORKS[name].make()
    wrong = ROWS.head().assign(a=["x", "y", "z", "x", "y"])
    with pytest.raises(InvalidInput, match=r"sample|rows|Rows") as caught:
        bundle.pack(model, sample=wrong)
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_sample_with_a_renamed_column_is_drift_and_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        bundle.pack(FRAMEWORKS[name].make(), sample=ROWS.head().rename(columns={"b": "beta"}))


@pytest.mark.parametrize("name", [*BY_NAME, *BY_PLACE])
def test_a_sample_that_lacks_a_column_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        bundle.pack(FRAMEWORKS[name].make(), sample=ROWS.head()[["a", "b"]])


@pytest.mark.parametrize("name", ["scikit-learn", "lightgbm", "a lightgbm booster"])
def test_columns_in_another_order_are_put_right(name: str) -> None:
    model = FRAMEWORKS[name].make()
    turned = frames.score(model, ROWS[["c", "a", "b"]])
    assert turned["Scored Labels"].tolist() == frames.score(model, ROWS)["Scored Labels"].tolist()


def test_a_booster_fitted_on_an_array_takes_any_names() -> None:
    need("lightgbm")
    import lightgbm

    data = lightgbm.Dataset(ROWS.to_numpy(), FLAGS)
    made = bundle.pack(lightgbm.train({"verbose": -1}, data, 2), sample=ROWS)
    assert made.format == "lightgbm"


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost"])
def test_an_estimator_that_is_not_fitted_is_refused(name: str) -> None:
    need(name)
    model = FRAMEWORKS[name].make()
    with pytest.raises(InvalidInput):
        bundle.pack(type(model)(), sample=ROWS)


def test_a_setting_that_is_code_takes_the_form_that_carries_code() -> None:
    """A loss of one's own is no plain setting, so the native file would lose it."""
    need("lightgbm")
    import lightgbm

    scope: dict[str, Any] = {"__name__": "__main__", "np": np}
    exec("def loss(y, p):\n    return p - y, np.ones_like(y, dtype=float)\n", scope)
    model = lightgbm.LGBMRegressor(n_estimators=2, verbose=-1, objective=scope["loss"]).fit(ROWS, ROWS["a"])
    made = bundle.pack(model, sample=ROWS)
    assert (made.format, made.is_data_only) == ("cloudpickle", False)


def test_a_network_with_a_hook_takes_the_form_that_carries_code() -> None:
    need("torch")
    model = FRAMEWORKS["torch"].make()
    model[0].register_forward_hook(lambda module, given, answer: answer * 2)
    made = bundle.pack(model, sample=ROWS)
    assert made.format == "cloudpickle"
    pd.testing.assert_frame_equal(
        frames.score(made.load(trusted=True), ROWS), frames.score(model, ROWS), check_exact=True
    )


def test_a_lock_inside_a_network_is_named() -> None:
    need("torch")
    model = FRAMEWORKS["torch"].make()
    model[2].lock = threading.Lock()
    model[2].register_forward_hook(print)
    with pytest.raises(NotSerialisable) as caught:
        bundle.pack(model, sample=ROWS)
    assert "lock" in caught.value.attribute


@pytest.mark.parametrize("labels", [FLAGS == 1, FLAGS.astype("int8"), FLAGS * 2.0, WORDS.astype(object)])
def test_labels_of_any_type_come_back_as_they_were(labels: Any) -> None:
    need("lightgbm")
    import lightgbm

    model = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(ROWS, labels)
    made = bundle.pack(model, sample=ROWS)
    again: Any = made.load(trusted=False)
    assert made.format == "lightgbm"
    assert again.classes_.dtype == model.classes_.dtype
    assert again.predict(ROWS).tolist() == model.predict(ROWS).tolist()


def test_what_a_network_carries_besides_is_not_lost() -> None:
    need("torch")
    model = FRAMEWORKS["torch"].make()
    model.labels = ["no", "yes"]
    made = bundle.pack(model, sample=ROWS)
    again: Any = made.load(trusted=True)
    assert (made.format, again.labels) == ("cloudpickle", ["no", "yes"])


def test_what_differs_each_time_is_named_in_the_package() -> None:
    made = bundle.pack(FRAMEWORKS["a search"].make(), sample=ROWS)
    assert made.manifest["is_deterministic"] is False
    assert bundle.pack(FRAMEWORKS["scikit-learn"].make(), sample=ROWS).is_deterministic
