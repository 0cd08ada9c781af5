"""What models are fitted to predict."""

from __future__ import annotations

import pytest

from mlalm_jupyter.notebook.predictive.fitting import label_expressions, may_fit_labels, targets_of
from mlalm_jupyter.notebook.predictive.parts import Place, Plan, Statement

pytestmark = pytest.mark.prove_conversion


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("model.fit(X, y)", ["y"]),
        ("m = make().fit(X=X, y=df['sold'])", ["df['sold']"]),
        ("m.fit(X[:9], y[:9])", ["y[:9]", "y"]),
        ("m.fit(X, y.values.ravel())", ["y.values.ravel()"]),
        ("cross_val_score(m, X, y)", ["y"]),
        ("a, b, c, d = train_test_split(X, y, test_size=0.2)", ["y"]),
        ("a, b, c, d, e, f = train_test_split(X, Z, y)", []),
        ("r = sm.OLS(y, X).fit()", ["y"]),
        ("r = smf.ols('price ~ size + town', data=df).fit()", ["df['price']"]),
        ("d = xgb.DMatrix(X, label=y)", ["y"]),
        ("m.fit(X, made(y))", []),
        ("m.fit(X)", []),
        ("def train(X, y):\n    return m.fit(X, y)", []),
    ],
)
def test_labels_are_told_by_the_calls_that_fit(text: str, found: list[str]) -> None:
    plan = Plan((), (), (Statement(Place(1, 0), text, text),), (), ())
    assert [expression for _, expression in label_expressions(plan)] == found


def test_a_fit_in_a_function_is_known_to_have_a_label_that_nobody_sees() -> None:
    text = "def train(X, y):\n    return m.fit(X, y)"
    assert may_fit_labels(Plan((), (), (Statement(Place(1, 0), text, text),), (), ()))
    assert not may_fit_labels(Plan((), (), (Statement(Place(1, 0), "m.fit(X)", "m.fit(X)"),), (), ()))


def test_targets_are_the_names_that_an_assignment_sets() -> None:
    assert targets_of("a, b = train_test_split(X)") == ["a", "b"]
    assert targets_of("train = df.sample(9)") == ["train"]
    assert targets_of("df.head()") == []
