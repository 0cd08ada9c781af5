"""Tables of answers go out as they are in the end, whichever way they are written, changed and looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.predictive.parts import Plan
from mlalm_jupyter.notebook.predictive.plan import plan_of
from tests.unit.notebook.predictive_notebooks import FILLED, SETUP, SPLIT, document, original, scored

pytestmark = [pytest.mark.prove_conversion, pytest.mark.usefixtures("people_here")]

TWO = "out = pd.DataFrame({'said': p, 'up': p + 1})\n"
COLUMNS = "out = X_test.copy()\nout['said'] = p\nout['up'] = p + 1\n"
BOTH = "out[['said', 'up']]"


def planned(*cells: str, label: str = "cost", fit: str = "y_train") -> Plan:
    model = "LogisticRegression(max_iter=500)" if label == "y" else "LinearRegression()"
    before = f"X = df[['age', 'pay']]\ny = df['{label}']\n{SPLIT}\nmodel = {model}.fit(X_train, {fit})"
    return plan_of(document(SETUP, FILLED, before, *cells))


def said_and_meant(plan: Plan, meant: str, label: str) -> tuple[Any, Any]:
    """What the slice says of the rows that were held back, without their labels, and what the author ended with."""
    fitted, came, _, names = original(plan)
    rows = came.loc[names["X_test"].index].drop(columns=[label])
    return scored(plan, fitted, rows), eval(meant, dict(names))


def same(one: Any, other: Any) -> bool:
    first, second = np.asarray(one), np.asarray(other)
    if first.shape != second.shape:
        return False
    if first.dtype.kind in "fiub" and second.dtype.kind in "fiub":
        return bool(np.allclose(first.astype(float), second.astype(float)))
    return bool((first.astype(str) == second.astype(str)).all())


CHANGED = {
    "a column rounded": (TWO + "out['said'] = out['said'].round()\nout", BOTH),
    "each row": (TWO + "out = out.apply(lambda r: r * 2, axis=1)\nout", "out"),
    "a column doubled": (TWO + "out['up'] *= 2\nout", BOTH),
    "a column doubled beside features": (COLUMNS + "out['up'] *= 2\nout", BOTH),
    "both in a list": (COLUMNS + "out[['said', 'up']] = out[['said', 'up']].clip(lower=100)\nout", BOTH),
    "in a loop": (COLUMNS + "for c in ['said', 'up']:\n    out[c] = out[c].clip(lower=100)\nout", BOTH),
    "the table rounded": (COLUMNS + "out = out.round(1)\nout", BOTH),
    "the table clipped": (TWO + "out = out.clip(lower=100)\nout", BOTH),
    "clipped at once": ("out = pd.DataFrame({'said': p, 'up': p + 1}).clip(lower=120)\nout", "out"),
    "some cells": (COLUMNS + "out.loc[out['said'] > 110, 'up'] = 999\nout", BOTH),
    "some cells of two": (TWO + "out.loc[out['said'] > 110, 'up'] = 999\nout", BOTH),
    "words for classes": (
        TWO + "out['said'] = out['said'].gt(110).map({True: 'yes', False: 'no'})\nout",
        BOTH,
    ),
    "a third column": (TWO + "out['band'] = np.where(out['up'] > 110, 'high', 'low')\nout", "out"),
    "read as an attribute": (COLUMNS + "out['more'] = out.said + 1\nout", "out[['said', 'up', 'more']]"),
    "several at once": ("out = X_test.copy()\nout['said'], out['up'] = p, p + 1\nout", BOTH),
    "put in": ("out = X_test.copy()\nout['said'] = p\nout.insert(0, 'up', p + 1)\nout", BOTH),
    "a column taken out": (
        "out = X_test.copy()\nout['raw'] = p\nout['said'] = p.round()\ndel out['raw']\nout",
        "out['said']",
    ),
    "a column dropped": (
        "out = X_test.copy()\nout['raw'] = p\nout['said'] = p.round()\nout = out.drop(columns=['raw'])\nout",
        "out['said']",
    ),
    "columns chosen": (COLUMNS + "out['raw'] = p * 2\nout = out[['pay', 'said', 'up']]\nout", BOTH),
    "one column chosen": (
        "out = X_test.copy()\nout['raw'] = p\nout['said'] = p.round()\nout = out[['pay', 'said']]\nout.to_csv('o.csv')",
        "out['said']",
    ),
    "renamed": (COLUMNS + "out = out.rename(columns={'up': 'high'})\nout", "out[['said', 'high']]"),
    "renamed in place": (
        COLUMNS + "out.rename(columns={'up': 'high'}, inplace=True)\nout",
        "out[['said', 'high']]",
    ),
    "only some written": ("out = pd.DataFrame({'said': p, 'up': p + 1}, columns=['up'])\nout", "out"),
    "a dict first": ("d = {'said': p, 'up': p + 1}\nout = pd.DataFrame(d)", "out"),
    "assigned twice": (
        "out = X_test.assign(said=p).assign(up=p + 1, down=p - 1)\nout",
        "out[['said', 'up', 'down']]",
    ),
    "assigned of itself": (
        "out = X_test.assign(said=p, low=p - 1, up=lambda d: d['said'] + 1)\nout",
        "out[['said', 'low', 'up']]",
    ),
    "assigned of its rows": (
        "out = X_test.assign(said=p, each=lambda d: p / d['pay'])\nout",
        "out[['said', 'each']]",
    ),
    "a chain in brackets": (
        "out = (\n    pd.DataFrame({'said': p, 'up': p + 1})\n    .round(1)\n)\nout",
        "out",
    ),
    "a longer chain": ("out = (\n    X_test\n    .copy()\n    .assign(said=p, up=p + 1)\n)\nout", BOTH),
    "handed in, then looked at": (
        TWO
        + "out.to_csv('s.csv')\nchk = pd.DataFrame({'two': p**2, 'log': np.log(p), 'off': y_test - p})\nchk.corr()",
        "out",
    ),
    "then summed up": (TWO + "print(pd.DataFrame({'mean': [p.mean()], 'most': [p.max()]}))", "out"),
    "summed up alone": ("pd.DataFrame({'mean': [p.mean()], 'most': [p.max()]})", "p"),
    "sorted to look at": (TWO + "top = out.nlargest(5, 'up')\ntop", "out"),
    "how far off": (
        "out = X_test.copy()\nout['real'] = y_test\nout['said'] = p\nout['off'] = out['real'] - out['said']",
        "p",
    ),
    "how far off a column": (
        "out = df.loc[X_test.index].copy()\nout['said'] = p\nout['off'] = out['cost'] - out['said']\nout",
        "p",
    ),
    "how far off, written out": (
        "pd.DataFrame({'said': p, 'off': df.loc[X_test.index, 'cost'].values - p})",
        "p",
    ),
    "clipped as a column of its own": ("final = pd.Series(p, index=X_test.index).clip(90)\nfinal", "final"),
    "made more in place": ("p *= 1.1\np += 2\nprint(p)", "p"),
    "a column made more": ("out = X_test.copy()\nout['said'] = p\nout['said'] *= 1.2\nout", "out['said']"),
}


@pytest.mark.filterwarnings("ignore:The inplace keyword")
@pytest.mark.parametrize("name", CHANGED)
def test_what_goes_out_is_what_the_table_holds_in_the_end(name: str) -> None:
    cell, meant = CHANGED[name]
    plan = planned("p = model.predict(X_test)", cell)
    said, wanted = said_and_meant(plan, meant, "cost")
    assert same(said, wanted)


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("out = pd.Series(np.expm1(p), index=X_test.index, name='cost')\nout.to_csv('s.csv')", "out"),
        ("out = pd.DataFrame(np.expm1(p), index=X_test.index, columns=['cost'])\nout.to_csv('s.csv')", "out"),
        ("pd.DataFrame({'id': X_test.index, 'cost': np.expm1(p)}).to_csv('s.csv')", "np.expm1(p)"),
        (
            "sub = X_test.copy()\nsub['cost'] = p\nsub.cost = np.expm1(sub.cost)\nsub.to_csv('s.csv')",
            "sub['cost']",
        ),
        ("sub = X_test.copy()\nsub['cost'] = p\nsub['cost'] = np.expm1(sub.cost)", "sub['cost']"),
    ],
)
def test_amounts_from_their_logarithms_go_out_in_whichever_table_they_are_worked_out(
    cell: str, meant: str
) -> None:
    plan = planned("p = model.predict(X_test)", cell, fit="np.log1p(y_train)")
    said, wanted = said_and_meant(plan, meant, "cost")
    assert same(np.ravel(said), np.ravel(wanted))


@pytest.mark.parametrize(
    ("cell", "behind"),
    [
        ("out = pd.concat([X_test, pd.Series(p * 2, index=X_test.index)], axis=1)", "`out` (cell 5)"),
        (
            "out = X_test.copy()\nout['p'] = p\nout['band'] = out.apply(lambda r: r['p'] > r['pay'], axis=1)",
            "`out['band']`",
        ),
        (
            COLUMNS + "def finished(t):\n    return t * 2\nout = finished(out)\nout.to_csv('s.csv')",
            "`out` (cell 5)",
        ),
        (COLUMNS + "out = out.merge(df[['town']], left_index=True, right_index=True)", "`out` (cell 5)"),
        ("off = abs(y_test - p)\nprint(off.mean())", ""),
        (
            "out = pd.DataFrame({'was': y_test, 'is': p, 'up': p + 1})\nout['is'] = out['is'] * 2",
            "`out['is']` (cell 5)",
        ),
        ("out = pd.DataFrame({'id': X_test.index, 'said': p})\nout.to_csv('s.csv')", ""),
        ("out = pd.DataFrame({'said': p, 'up': p + 1}).sort_values('up')\nout.head()", ""),
    ],
)
def test_what_is_made_of_predictions_and_stays_behind_is_told(cell: str, behind: str) -> None:
    notes = [
        one for one in planned("p = model.predict(X_test)", cell).notes if "behind" in one or " makes " in one
    ]
    assert [behind in one for one in notes] == [True] * bool(behind)


def test_predictions_that_a_function_of_the_notebook_writes_to_a_file_are_told() -> None:
    function = "def hand_in(said, path):\n    said = np.maximum(said, 110)\n    pd.Series(said).to_csv(path)"
    plan = planned(function, "p = model.predict(X_test)\nhand_in(p, 's.csv')")
    (note,) = [one for one in plan.notes if "hand_in" in one]
    assert note == (
        "Cell 5 gives `p` to `hand_in`, which writes to a file and may make something else of it first; the service answers "
        "`p` as it is before. If the other is meant, return it there, give it a name, and mark that: `%web_output NAME`."
    )


def test_names_that_are_given_to_clusters_are_told() -> None:
    clusters = (
        "from sklearn.cluster import KMeans\nkm = KMeans(3, n_init=3, random_state=0).fit(df[['age', 'pay']])"
    )
    named = "df['cluster'] = km.labels_\ndf['segment'] = df['cluster'].map({0: 'a', 1: 'b', 2: 'c'})\ndf.to_csv('o.csv')"
    plan = plan_of(document(SETUP, FILLED, clusters, named))
    assert any(
        "`df['segment']` (cell 4) is made of predictions and stays behind" in one for one in plan.notes
    )


def test_both_columns_that_one_model_predicts_go_out() -> None:
    split = SPLIT.replace("(X, y,", "(X, Y,")
    before = f"X = df[['age', 'pay']]\nY = df[['cost', 'y']]\n{split}"
    fit = "model = LinearRegression().fit(X_train, y_train)\np = model.predict(X_test)"
    out = "out = pd.DataFrame(p, columns=['cost', 'y'])\nout['y'] = (out['y'] > 0.5).astype(int)\nout"
    plan = plan_of(document(SETUP, FILLED, before, fit, out))
    fitted, came, _, names = original(plan)
    rows = came.loc[names["X_test"].index].drop(columns=["cost", "y"])
    assert same(scored(plan, fitted, rows), names["out"][["cost", "y"]])


@pytest.mark.parametrize(
    "columns",
    ["y = df[cols[-1]]", "y = df[config['target']]", "y = df[df.columns[-1]]", "y = df.drop(columns=rest)"],
)
def test_a_label_that_is_found_by_its_place_takes_no_feature_along(columns: str) -> None:
    names = (
        "cols = ['age', 'pay', 'cost']\nconfig = {'target': 'cost'}\nrest = [c for c in df if c != 'cost']"
    )
    worked = "df['age2'] = df['age'] ** 2\nX = df[['age', 'pay', 'age2']]"
    fit = f"{columns}\n{SPLIT}\nmodel = LinearRegression().fit(X_train, y_train)"
    cells = (SETUP, FILLED, names, f"{fit.partition(chr(10))[0]}\n{worked}", fit.partition("\n")[2])
    plan = plan_of(document(*cells, "p = model.predict(X_test)"))
    said, wanted = said_and_meant(plan, "p", "cost")
    assert same(np.ravel(said), np.ravel(wanted))


TRIED = (
    "model = LinearRegression().fit(X_train[['age']], y_train)\np = model.predict(X_test[['age']])\n"
    "print(np.abs(p - y_test).mean())"
)


@pytest.mark.parametrize(
    "before",
    [
        "p = model.predict(X_test)\nout = pd.DataFrame({'said': p, 'up': p + 1})\nout.to_csv('o.csv')",
        "p = model.predict(X_test)\nfirst = p",
    ],
)
def test_a_model_whose_answers_were_used_before_it_was_trained_again_is_not_one_that_was_only_tried(
    before: str,
) -> None:
    with pytest.raises(InvalidInput, match="redefined after training"):
        planned(before, TRIED)


def test_a_table_of_scores_that_is_written_to_a_file_hands_no_model_in() -> None:
    models = (
        "a = LinearRegression().fit(X_train, y_train)\npa = a.predict(X_test)\nma = mean_absolute_error(y_test, pa)\n"
        "rf = RandomForestRegressor(5, random_state=1).fit(X_train, y_train)\npr = rf.predict(X_test)\n"
        "mr = mean_absolute_error(y_test, pr)\nscores = pd.DataFrame({'model': ['a', 'rf'], 'mae': [ma, mr]})\n"
        "scores.to_csv('scores.csv')"
    )
    with pytest.raises(InvalidInput, match="Expected one model whose predictions go out, got 2"):
        plan_of(document(SETUP, FILLED, f"X = df[['age', 'pay']]\ny = df['cost']\n{SPLIT}", models))


def test_a_mean_of_two_models_goes_out_with_both() -> None:
    cells = (
        "rf = RandomForestRegressor(5, random_state=1).fit(X_train, y_train)",
        "out = X_test.copy()\nout['lin'] = model.predict(X_test)\nout['rf'] = rf.predict(out[['age', 'pay']])\n"
        "out['mean'] = (out['lin'] + out['rf']) / 2\nout",
    )
    plan = planned(*cells)
    said, wanted = said_and_meant(plan, "out[['lin', 'rf', 'mean']]", "cost")
    assert same(said, wanted)


def test_a_power_is_found_where_a_comma_ends_its_call() -> None:
    power = "from scipy.stats import boxcox\ndf['pay'], lam = boxcox(\n    df['pay'],\n)"
    before = (
        f"X = df[['age', 'pay']]\ny = df['cost']\n{SPLIT}\nmodel = LinearRegression().fit(X_train, y_train)"
    )
    plan = plan_of(document(SETUP, FILLED, power, before, "p = model.predict(X_test)"))
    said, wanted = said_and_meant(plan, "p", "cost")
    assert same(said, wanted)


CMP = "cmp = pd.DataFrame({'Actual': y_test, 'Predicted': p})\n"


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        (
            CMP
            + "cmp['Difference'] = cmp['Actual'] - cmp['Predicted']\ncmp['Rounded'] = cmp['Predicted'].round()",
            "p",
        ),
        (
            CMP + "cmp['ok'] = cmp.apply(lambda r: r['Predicted'] < r['Actual'], axis=1)\ncmp = cmp.round(1)",
            "p",
        ),
        (
            "cmp = pd.DataFrame({'real': y_test, 'said': p, 'up': p + 1})\ncmp = cmp[['real', 'said']]",
            "cmp[['said']]",
        ),
        (
            "out = X_test.assign(said=p, low=p - 5, hit=lambda d: d['low'] < y_test)\nout",
            "out[['said', 'low']]",
        ),
        ("cmp = pd.DataFrame({'actual': y_test.values, 'said': p})\ncmp['r'] = cmp['said'].round()", "p"),
    ],
)
def test_of_a_table_with_labels_what_can_be_had_without_them_goes_out(cell: str, meant: str) -> None:
    plan = planned("p = model.predict(X_test)", cell)
    said, wanted = said_and_meant(plan, meant, "cost")
    assert same(
        np.asarray(said).reshape(len(said), -1)[:, :1], np.asarray(wanted).reshape(len(said), -1)[:, :1]
    )
    assert not any("y_test" in one.frozen for one in plan.kept)


@pytest.mark.parametrize(
    "export",
    [
        "out.sort_values('up', ascending=False).to_csv('o.csv')",
        "out.head(20).to_csv('o.csv')",
        "some = out[out['up'] > 100]\nsome.to_csv('o.csv')",
        "out.to_csv('all.csv')\nout[out['up'] > 100].to_csv('o.csv')",
        "df.describe().to_csv('o.csv')",
        "pd.DataFrame({'f': X.columns, 'w': model.coef_}).sort_values('w').to_csv('o.csv')",
        "X_test.join(y_test).to_csv('o.csv')",
    ],
)
def test_what_else_is_written_to_files_takes_nothing_from_the_table_of_answers(export: str) -> None:
    plan = planned("p = model.predict(X_test)", COLUMNS + export)
    said, wanted = said_and_meant(plan, BOTH, "cost")
    assert same(said, wanted)


@pytest.mark.parametrize(
    "features",
    [
        "X = pd.DataFrame({'age': df['age'], 'of_town': df['town'].map(df.groupby('town')['cost'].mean())})",
        "X = pd.DataFrame({'age': df['age'], 'rel': df['pay'] / df['cost'].mean()})",
        "X = df.assign(of_town=df['town'].map(df.groupby('town')['cost'].mean()), more=df['pay'] * 2)[['of_town', 'more']]",
        "feats = pd.DataFrame({'age': df['age'], 'mean': df['town'].map(df.groupby('town')['cost'].mean())})\n"
        "X = pd.DataFrame({'total': feats.sum(axis=1), 'age': feats['age']})",
        "X = pd.DataFrame({'age': df['age'], 'n': df['note'].str.count('good')})",
    ],
)
def test_features_that_know_a_number_of_labels_stay(features: str) -> None:
    before = f"{features}\ny = df['cost']\n{SPLIT}\nmodel = LinearRegression().fit(X_train, y_train)"
    plan = plan_of(document(SETUP, FILLED, before, "p = model.predict(X_test)"))
    said, wanted = said_and_meant(plan, "p", "cost")
    assert same(said, wanted)


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("out = pd.DataFrame({'said': p, 'up': p + 5, 'lift': p / y_train.mean()})", "out"),
        ("out = X_test.copy()\nout['said'] = p\nout['lift'] = p / y_train.mean()", "out[['said', 'lift']]"),
        (
            "out = X_test.copy()\nout['said'] = p\nout['lift'] = out['said'] / df['cost'].mean()",
            "out[['said', 'lift']]",
        ),
        ("out = pd.DataFrame({'said': p, 'share': p / out_of['pay'].count()})", "out"),
        (
            "out = X_test.copy()\nout['said'], out['low'], out['high'] = p, p - 5, p + 5",
            "out[['said', 'low', 'high']]",
        ),
        (
            "out = X_test.copy()\nout['cost'] = p\nout['low'] = p - 5\nout[['cost', 'low']].to_csv('o.csv')",
            "out[['cost', 'low']]",
        ),
        (
            "out = X_test.copy()\nout['cost'] = p\nout['low'] = p - 5\nout.loc[out['cost'] < 110, 'cost'] = 110",
            "out[['cost', 'low']]",
        ),
        ("sub = X_test.copy()\nsub['cost'] = p\nsub.loc[sub['age'] > 50, 'cost'] += 7", "sub['cost']"),
        (
            "sub = pd.DataFrame({'id': X_test.index, 'cost': p})\nsub.loc[sub['cost'] < 110, 'cost'] = 110",
            "sub['cost']",
        ),
        (
            "sub = pd.DataFrame({'id': X_test.index, 'cost': p})\nsub['cost'] = sub['cost'].round()",
            "sub['cost']",
        ),
        (
            "out = pd.DataFrame({'said': p})\nout['risk'] = np.where(out['said'] > 100, 'high', 'low')",
            "out[['said', 'risk']]",
        ),
    ],
)
def test_numbers_of_labels_and_names_of_labels_take_no_column_away(cell: str, meant: str) -> None:
    plan = planned("out_of = df\np = model.predict(X_test)", cell)
    said, wanted = said_and_meant(plan, meant, "cost")
    assert same(said, wanted)


def test_what_another_model_learns_of_predictions_is_no_label() -> None:
    tree = "from sklearn.tree import DecisionTreeRegressor\ntree = DecisionTreeRegressor(max_depth=2).fit(X_test, p)"
    plan = planned("p = model.predict(X_test)", COLUMNS, tree)
    said, wanted = said_and_meant(plan, BOTH, "cost")
    assert same(said, wanted)
