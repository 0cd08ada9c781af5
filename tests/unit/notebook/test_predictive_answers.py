"""What goes out is what the notebook ends with: predictions as they are in the end, and tables of several of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlalm_jupyter.notebook.predictive.plan import plan_of
from tests.unit.notebook.predictive_notebooks import FILLED, SETUP, SPLIT, document, original, scored

pytestmark = [pytest.mark.prove_conversion, pytest.mark.usefixtures("people_here")]

XY = "X = df[['age', 'pay']]\ny = df['{label}']"
FIT = "model = {model}.fit(X_train, y_train)"


def answered(*cells: str, label: str = "y") -> tuple[Any, Any]:
    """What the notebook says of the rows it held back, and what the slice says of them without their labels."""
    model = "LogisticRegression(max_iter=500)" if label == "y" else "LinearRegression()"
    before = (SETUP, FILLED, XY.format(label=label), SPLIT, FIT.format(model=model))
    plan = plan_of(document(*before, *cells))
    fitted, came, out, names = original(plan)
    rows = came.loc[names["X_test"].index].drop(columns=[label])
    return out, scored(plan, fitted, rows)


@pytest.mark.parametrize(
    "changed",
    [
        "p = np.clip(p, y_train.min(), 140)",
        "p = p * X_test['pay'] / 1000",
        "p = np.where(X_test['age'] > 60, p * 2, p)",
        "p = p.round(1)\np = np.maximum(p, y_train.mean())",
    ],
)
def test_predictions_that_become_others_under_their_name_go_out_as_they_are_in_the_end(changed: str) -> None:
    out, said = answered("p = model.predict(X_test)", changed, "abs(p - y_test).mean()", label="cost")
    assert list(out) == pytest.approx(list(said))
    plain, _ = answered("p = model.predict(X_test)", label="cost")
    assert list(plain) != pytest.approx(list(out))


def test_of_a_matrix_of_probabilities_the_column_that_is_left_goes_out() -> None:
    out, said = answered("p = model.predict_proba(X_test)", "p = p[:, 1]", "p = p.round(3)")
    assert np.asarray(said).ndim == 1
    assert list(out) == list(said)


def test_predictions_that_become_others_in_a_table_go_out_as_they_are_there() -> None:
    out, said = answered(
        "p = model.predict(X_test)\nout = pd.DataFrame()\nout['id'] = X_test.index\nout['y'] = p",
        "out['y'] = out['y'].replace({0: 'no', 1: 'yes'})",
    )
    assert set(out) == {"no", "yes"}
    assert list(out) == list(said)


def test_predictions_that_become_their_errors_under_their_name_go_out_as_they_were() -> None:
    before = (SETUP, FILLED, XY.format(label="cost"), SPLIT, FIT.format(model="LinearRegression()"))
    plan = plan_of(document(*before, "p = model.predict(X_test)", "p = np.abs(p - y_test)"))
    assert [(one.variable, one.place.cell) for one in plan.outputs] == [("p", 6)]


@pytest.mark.parametrize("changed", ["p = p[X_test['age'] > 30]", "p.sort()", "p = p[:5]", "p = p[::-1]"])
def test_predictions_that_become_something_else_that_is_not_of_their_rows_are_told(changed: str) -> None:
    before = (SETUP, FILLED, XY.format(label="cost"), SPLIT, FIT.format(model="LinearRegression()"))
    plan = plan_of(document(*before, "p = model.predict(X_test)", changed))
    assert [(one.variable, one.place.cell) for one in plan.outputs] == [("p", 6)]
    (told,) = [one for one in plan.notes if "something else" in one]
    assert told.startswith("Cell 7 makes 'p' something else; the service answers what it was before.")
    assert "`%web_output p`" in told


TABLES = {
    "a band": (
        "p = model.predict(X_test)\nlow = p - 10\npd.DataFrame({'low': low, 'said': p})",
        ["low", "said"],
    ),
    "beside others": (
        "p = model.predict(X_test)\nt = pd.DataFrame({'pay': X_test['pay'], 'true': y_test, 'said': p, 'up': p + 1})\nt.head()",
        ["said", "up"],
    ),
    "into columns": (
        "out = X_test.copy()\nout['true'] = y_test\nout['said'] = model.predict(X_test)\nout['off'] = out['said'] - y_test\n"
        "out['rounded'] = out['said'].round()\nout",
        ["said", "rounded"],
    ),
    "in words": ("p = model.predict(X_test)\npd.DataFrame(dict(said=p, up=p + 1))", ["said", "up"]),
    "assigned": (
        "p = model.predict(X_test)\nout = X_test.assign(true=y_test, said=p, up=p + 1)\nout",
        ["said", "up"],
    ),
    "by place": (
        "p = model.predict(X_test)\nout = X_test.copy()\nout.loc[:, 'said'] = p\nout.loc[:, 'up'] = p + 1\nout",
        ["said", "up"],
    ),
    "displayed": (
        "p = model.predict(X_test)\nprint(pd.DataFrame({'said': p, 'up': p + 1}).head())",
        ["said", "up"],
    ),
    "rounded": (
        "p = model.predict(X_test)\npd.DataFrame({'said': p, 'up': p + 1}).round(1).head()",
        ["said", "up"],
    ),
    "under a name for a column": (
        "p = model.predict(X_test)\nname = 'said'\npd.DataFrame({name: p, 'up': p + 1})",
        ["said", "up"],
    ),
    "with what comes in": (
        "p = model.predict(X_test)\nout = pd.DataFrame()\nout['said'] = p\nout['each'] = p / X_test['age'].values\nout",
        ["said", "each"],
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_several_columns_that_are_made_of_predictions_goes_out_with_all_of_them(name: str) -> None:
    text, columns = TABLES[name]
    out, said = answered(text, label="cost")
    assert list(said.columns) == columns
    pd.testing.assert_frame_equal(out.reset_index(drop=True), said.reset_index(drop=True), check_names=False)


@pytest.mark.parametrize(
    ("used", "others"),
    [
        ("np.column_stack([p, q])[:5]", ["`p`"]),
        ("both = list(zip(p, q))", ["`p`"]),
        ("both = pd.concat([pd.Series(p), pd.Series(q)], axis=1)", ["`p`"]),
        ("print(accuracy_score(y_test, p))", []),
        ("pd.DataFrame({'class': p, 'sure': q})", []),
    ],
)
def test_what_the_model_says_besides_what_goes_out_is_told_where_it_is_used(
    used: str, others: list[str]
) -> None:
    asked = "p = model.predict(X_test)\nq = model.predict_proba(X_test)[:, 1]\nprint(q)"
    before = (
        SETUP,
        FILLED,
        XY.format(label="y"),
        SPLIT,
        FIT.format(model="LogisticRegression(max_iter=500)"),
    )
    told = [one for one in plan_of(document(*before, asked, used)).notes if "says more" in one]
    assert len(told) == len(others)
    for note, other in zip(told, others, strict=True):
        assert note.startswith(f"The model says more: {other} (cell 6) does not go out.")
        assert "`%web_output VAR`" in note


@pytest.mark.parametrize(
    ("used", "told"),
    [
        ("far = km.transform(X_test).min(axis=1)\nprint(far[:3])", ["`far` (cell 5)"]),
        (
            "X_test['far'] = km.transform(X_test).min(axis=1)\nX_test[['kind', 'far']]",
            ["`X_test['far']` (cell 5)"],
        ),
        ("inertia = km.inertia_\nprint(inertia)", []),
    ],
)
def test_what_else_a_clustering_says_of_rows_is_told(used: str, told: list[str]) -> None:
    clusters = "from sklearn.cluster import KMeans\nkm = KMeans(3, n_init=3, random_state=1).fit(X_train)"
    rows = "X_train, X_test = df.loc[:50, ['age', 'pay']], df.loc[50:, ['age', 'pay']].copy()"
    cells = (SETUP, FILLED, rows, clusters, f"X_test['kind'] = km.predict(X_test)\n{used}")
    if "X_test['far']" not in used:
        cells = (*cells[:-1], f"kind = km.predict(X_test)\n{used}\nprint(kind)")
    notes = [one for one in plan_of(document(*cells)).notes if one.startswith("The model says more")]
    assert len(notes) == len(told)
    assert all(told[place] in note for place, note in enumerate(notes))


@pytest.mark.parametrize(
    ("words", "told"), [("", "like none of them"), (", drop_first=True", "like the first one")]
)
def test_it_is_told_how_a_value_without_a_column_is_answered(words: str, told: str) -> None:
    dummies = f"X = pd.get_dummies(df[['age', 'pay', 'town']], columns=['town']{words})\ny = df['cost']"
    fit = FIT.format(model="LinearRegression()")
    plan = plan_of(document(SETUP, FILLED, dummies, SPLIT, fit, "p = model.predict(X_test)"))
    (note,) = [one for one in plan.notes if "get_dummies" in one]
    assert note.startswith("Cell 3 makes a column of each value")
    assert f"answered {told}" in note
    fitted, came, _, _ = original(plan)
    rows = came.drop(columns=["cost"]).head(4)
    answers = [
        list(scored(plan, fitted, rows.assign(town=value)))
        for value in ("nowhere", min(came["town"].dropna()))
    ]
    assert (answers[0] == pytest.approx(answers[1])) == bool(words)


def test_a_class_under_the_label_s_name_and_how_sure_it_is_go_out_together() -> None:
    out, said = answered(
        "pred = model.predict(X_test)\nscore = model.predict_proba(X_test)[:, 1]",
        "out = df.loc[X_test.index, ['town']].copy()\nout['y'] = pred\nout['score'] = score\nout",
    )
    assert list(said.columns) == ["y", "score"]
    pd.testing.assert_frame_equal(out.reset_index(drop=True), said.reset_index(drop=True))


@pytest.mark.parametrize(
    "table",
    [
        "pd.DataFrame({'true': y_test, 'said': p, 'off': p - y_test})",
        "pd.DataFrame({'other': first.predict(X_test), 'said': p})",
        "pd.DataFrame({'said': p, 'place': pd.Series(p).rank()})",
    ],
    ids=["one of them", "of two models", "of all rows"],
)
def test_where_one_column_is_made_of_what_the_model_says_it_is_the_answer(table: str) -> None:
    before = (SETUP, FILLED, XY.format(label="cost"), SPLIT, FIT.format(model="LinearRegression()"))
    other = "first = RandomForestRegressor(3, random_state=0).fit(X_train, y_train)"
    plan = plan_of(document(*before, other, "p = model.predict(X_test)", f"t = {table}"), model="model")
    assert [(one.variable, one.place.cell) for one in plan.outputs] == [("p", 7)]


def test_a_count_of_rows_that_a_number_is_divided_by_is_learned() -> None:
    out, said = answered(
        "off = y_train - model.predict(X_train)\nsigma = np.sqrt(np.sum(off ** 2) / (len(off) - 2 - 1))",
        "p = model.predict(X_test)\npd.DataFrame({'low': p - 2 * sigma, 'high': p + 2 * sigma})",
        label="cost",
    )
    pd.testing.assert_frame_equal(out.reset_index(drop=True), said.reset_index(drop=True))
