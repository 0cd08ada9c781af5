"""Words that name objects of the kernel, and words that only look as if they did."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from mlalm_jupyter.api.verbs import find
from mlalm_jupyter.domain.errors import InvalidInput, NotFound
from mlalm_jupyter.surfaces.magics.live import explained, fitting, resolved


class Fitted:
    def predict(self, rows: object) -> list[int]:
        return [0]


def comfort(rows: object) -> object:
    return rows


FRAME = pd.DataFrame({"a": [1]})
VARIABLES: dict[str, Any] = {
    "model": Fitted(),
    "comfort": comfort,
    "noon": FRAME,
    "bikes": FRAME,
    "rows": [{"a": 1}],
    "path": "rides.csv",
    "math": math,
    "In": [],
    "_1": FRAME,
}
DEPLOY, SCORE, REGISTER = find("service", "deploy"), find("service", "score"), find("model", "register")


def test_a_function_is_deployed_as_the_object_it_is() -> None:
    assert resolved(DEPLOY, {"what": "comfort", "service": "s"}, VARIABLES)["what"] is comfort


def test_a_frame_does_not_hide_the_model_of_that_name() -> None:
    assert resolved(DEPLOY, {"what": "bikes", "service": "s"}, VARIABLES)["what"] == "bikes"


def test_rows_are_a_frame_a_list_or_a_word() -> None:
    assert resolved(SCORE, {"service": "s", "rows": "noon"}, VARIABLES)["rows"] is FRAME
    assert resolved(SCORE, {"service": "s", "rows": "rows"}, VARIABLES)["rows"] == [{"a": 1}]
    assert resolved(SCORE, {"service": "s", "rows": "path"}, VARIABLES)["rows"] == "path"
    assert resolved(SCORE, {"service": "s", "rows": "bikes:1"}, VARIABLES)["rows"] == "bikes:1"


def test_words_of_other_arguments_stay_words() -> None:
    assert resolved(SCORE, {"service": "noon", "rows": "noon"}, VARIABLES)["service"] == "noon"


def test_a_model_is_a_variable_or_a_package() -> None:
    assert resolved(REGISTER, {"model": "model", "name": "m"}, VARIABLES)["model"] is VARIABLES["model"]
    kept = resolved(REGISTER, {"model": "m.ilearner", "name": "m"}, VARIABLES)
    assert kept["model"] == "m.ilearner"


def test_a_verb_that_takes_a_kept_model_takes_its_name() -> None:
    assert resolved(find("model", "show"), {"model": "hours:1"}, VARIABLES) == {"model": "hours:1"}


def test_a_model_that_is_not_there_names_the_nearest_variables() -> None:
    with pytest.raises(NotFound, match=r"No variable 'modle'\. The nearest names are 'model'\."):
        resolved(REGISTER, {"model": "modle", "name": "m"}, VARIABLES)


@pytest.mark.parametrize(("name", "kind"), [("math", "module"), ("noon", "DataFrame"), ("path", "str")])
def test_a_variable_that_is_no_model_is_refused(name: str, kind: str) -> None:
    with pytest.raises(
        InvalidInput, match=f"Expected a fitted model or a function, got an object of type {kind}"
    ):
        resolved(REGISTER, {"model": name, "name": "m"}, VARIABLES)


def test_a_word_that_is_neither_variable_nor_dataset_names_both_kinds() -> None:
    error = NotFound("dataset", "nonn", known=["noodles"])
    told = explained(error, SCORE, {"service": "s", "rows": "nonn"}, VARIABLES)
    assert str(told).startswith("No variable or dataset 'nonn'. The nearest names are 'noon'")


def test_a_word_that_is_neither_function_nor_model_names_both_kinds() -> None:
    error = NotFound("model", "comfrt", known=["bikes:1"])
    told = explained(error, DEPLOY, {"what": "comfrt", "service": "s"}, VARIABLES)
    assert str(told).startswith("No function or model 'comfrt'. The nearest names are 'comfort'.")
    of_notebooks = NotFound("notebook", "comfrt", known=["comfort_2"])
    told = explained(of_notebooks, DEPLOY, {"what": "comfrt"}, VARIABLES)
    assert str(told).startswith(
        "No variable or notebook 'comfrt'. The nearest names are 'comfort', 'comfort_2'."
    )
    assert explained(of_notebooks, DEPLOY, {"what": "comfrt"}, {}) is of_notebooks


def test_an_error_about_something_else_stays_as_it_is() -> None:
    error = NotFound("service", "s")
    assert explained(error, SCORE, {"service": "s", "rows": "noon"}, VARIABLES) is error
    other = NotFound("dataset", "rides:9")
    assert explained(other, SCORE, {"service": "s", "rows": "rides:9"}, VARIABLES) is other


def test_completion_offers_only_what_fits() -> None:
    rows = next(parameter for parameter in SCORE.parameters if parameter.name == "rows")
    model = next(parameter for parameter in REGISTER.parameters if parameter.name == "model")
    assert fitting(rows, VARIABLES) == ["noon", "bikes", "rows"]
    assert fitting(model, VARIABLES) == ["model", "comfort"]


def test_where_nothing_fits_it_does_not_say_that_there_is_nothing() -> None:
    with pytest.raises(NotFound) as caught:
        resolved(REGISTER, {"model": "nope", "name": "m"}, {"noon": FRAME})
    assert caught.value.why == "None here would do."
    told = explained(
        NotFound("dataset", "nope"), SCORE, {"service": "s", "rows": "nope"}, {"model": Fitted()}
    )
    assert told.why == "None here would do."
