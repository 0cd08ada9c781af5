"""What a patch may put behind an endpoint: a model that takes and gives what the one before it did."""

from __future__ import annotations

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from mlalm_jupyter.domain.errors import Conflict
from mlalm_jupyter.workspace import Workspace

pytestmark = pytest.mark.prove_skeleton

ROWS = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], "b": [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]})
TWO, THREE = [0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 2]


@pytest.fixture
def served(hosted: Workspace) -> Workspace:
    """`kinds:1` tells two kinds apart, `kinds:2` three, `kinds:3` wants more, `kinds:4` is another of the first."""
    for columns, labels in ((["a"], TWO), (["a"], THREE), (["a", "b"], TWO), (["a"], [0, 0, 1, 1, 1, 1])):
        rows = ROWS[columns]
        hosted.models.register(LogisticRegression().fit(rows, labels), "kinds", sample=rows)
    hosted.services.deploy("kinds:1", "kinds")
    hosted.endpoints.add("kinds/second")
    return hosted


def test_a_model_that_gives_other_columns_is_refused_and_the_endpoint_stands(served: Workspace) -> None:
    before = served.endpoints.show("kinds/second")
    with pytest.raises(Conflict) as refused:
        served.endpoints.patch("kinds/second", model="kinds:2")
    assert str(refused.value) == (
        "Endpoint 'kinds/second' was not patched. Model kinds:2 does not give 'Scored Probabilities', which callers "
        "may read; it serves kinds:1. Deploy the model as a service of its own: `mlalm service deploy kinds:2 NAME`."
    )
    assert served.endpoints.show("kinds/second") == before


def test_a_model_that_asks_for_more_columns_is_refused(served: Workspace) -> None:
    with pytest.raises(Conflict, match=r"kinds:3 asks for 'b', which callers do not send"):
        served.endpoints.patch("kinds/second", model="kinds:3")


def test_a_model_that_takes_and_gives_the_same_is_put_behind_it(served: Workspace) -> None:
    assert served.endpoints.patch("kinds/second", model="kinds:4").model == "kinds:4"
    assert served.services.score("kinds/second", ROWS[["a"]]).model == "kinds:4"
