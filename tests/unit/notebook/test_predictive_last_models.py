"""Which of several models answers where nobody has said it, and labels that filters and lists stand around."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.predictive.labels import labels_of
from mlalm_jupyter.notebook.predictive.plan import plan_of
from mlalm_jupyter.notebook.predictive.program import program_of
from tests.unit.notebook.predictive_notebooks import SETUP, check, document, people, write_people

pytestmark = pytest.mark.prove_conversion

READ = "df = pd.read_csv('people.csv')"
FILL = "df['age'] = df['age'].fillna(df['age'].median())"
XY = "X = df[['age', 'pay']]\ny = df['y']"
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=1)"
KNN = "from sklearn.neighbors import KNeighborsClassifier"
FIRST = (
    "knn = KNeighborsClassifier(n_neighbors=1)\nknn.fit(X_train, y_train)\npred = knn.predict(X_test)\n"
    "print(accuracy_score(y_test, pred))"
)
ERRORS = """\
errors = []
for k in range(1, 6):
    knn = KNeighborsClassifier(n_neighbors=k)
    knn.fit(X_train, y_train)
    errors.append((knn.predict(X_test) != y_test).mean())"""
LAST = FIRST.replace("=1)", "=5)")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_people(tmp_path)
    table = people()
    table.iloc[:50].to_csv(tmp_path / "train.csv", index=False)
    table.iloc[50:].drop(columns="y").to_csv(tmp_path / "test.csv", index=False)
    monkeypatch.chdir(tmp_path)


def test_the_last_of_one_kind_that_was_tried_with_other_settings_answers_and_that_is_told() -> None:
    plan = check(SETUP, READ, FILL, XY, SPLIT, KNN, FIRST, ERRORS, LAST, held="X_test.index", label="y")
    assert "`knn` is trained in the cells 7, 8, 9: the last of them answers." in plan.notes


@pytest.mark.parametrize(
    "other",
    [
        LAST.replace("KNeighborsClassifier(n_neighbors=5)", "LogisticRegression()"),
        LAST.replace("pred = ", "other = ").replace("pred))", "other))"),
        LAST.replace("pred = ", "").replace("print(accuracy_score(y_test, pred))", ""),
    ],
    ids=["another kind", "another name for what it says", "no name for it"],
)
def test_another_model_under_the_name_is_not_taken_for_the_same_one_tried_again(other: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        plan_of(document(SETUP, READ, FILL, XY, SPLIT, KNN, FIRST, other))
    assert "redefined after training" in str(caught.value)
    assert "`--model knn`" in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("make_pipeline(StandardScaler(), {})", "make_pipeline(StandardScaler(), {})"),
        ("Pipeline([('s', StandardScaler()), ('m', {})])", "Pipeline([('s', StandardScaler()), ('m', {})])"),
        ("GridSearchCV({}, {{}})", "GridSearchCV({}, {{}})"),
    ],
)
def test_what_is_around_different_models_is_not_one_of_one_kind(one: str, other: str) -> None:
    cells = [
        f"m = {text.format(model)}\nm.fit(X_train, y_train)\np = m.predict(X_test)"
        for text, model in ((one, "LogisticRegression()"), (other, "RandomForestClassifier()"))
    ]
    around = "from sklearn.pipeline import Pipeline, make_pipeline"
    with pytest.raises(InvalidInput, match="redefined after training"):
        plan_of(document(SETUP, around, READ, FILL, XY, SPLIT, *cells))


def handed_in(*, written: str) -> tuple[str, ...]:
    return (
        SETUP,
        "home = pd.read_csv('train.csv')\nf = ['age', 'pay']\nX = home[f].fillna(0)\ny = home.y",
        SPLIT,
        "tree = RandomForestClassifier(5, random_state=0).fit(X_train, y_train)\n"
        "said = tree.predict(X_test)\nprint(accuracy_score(y_test, said))",
        "full = LogisticRegression(max_iter=500).fit(X, y)\ntest = pd.read_csv('test.csv')",
        "answers = full.predict(test[f].fillna(0))",
        f"out = pd.DataFrame({{'id': test.index, 'y': answers}})\n{written}",
    )


def test_of_models_that_were_measured_and_one_whose_answers_are_handed_in_that_one_answers() -> None:
    plan = check(*handed_in(written="out.to_csv('out.csv')"), held="test.index")
    (told,) = [one for one in plan.notes if "as well" in one]
    assert told.startswith("The notebook asks `tree` as well. `full` answers")


def test_answers_that_are_looked_at_only_decide_nothing() -> None:
    with pytest.raises(InvalidInput) as caught:
        plan_of(document(*handed_in(written="out.head()")))
    assert "got 2: `tree`, `full`" in str(caught.value)


def test_answers_may_stand_in_an_empty_table_beside_ids_that_are_looked_up_by_their_labels() -> None:
    cells = (
        READ + "\noriginal = df.copy()",
        FILL,
        XY,
        SPLIT,
        "model = LogisticRegression(max_iter=500).fit(X_train, y_train)\np = model.predict(X_test)",
        "out = pd.DataFrame()\nout['town'] = original.loc[X_test.index, 'town']\nout['y'] = p",
    )
    check(SETUP, *cells, held="X_test.index", label="y")


@pytest.mark.parametrize("power", ["boxcox", "yeojohnson"])
def test_a_power_that_was_found_for_the_label_is_learned(power: str) -> None:
    back = "np.exp(np.log1p(said * power) / power)" if power == "boxcox" else "said * 1.0"
    cells = (
        f"from scipy.stats import {power}",
        READ,
        FILL,
        "train = df[df['pay'] < 3200].copy()\ntest = df[df['pay'] >= 3200].copy()",
        f"train['cost_p'], power = {power}(train['cost'])\ny = train.pop('cost_p')",
        "for part in (train, test):\n    part['old'] = part['age'] / 10",
        "f = ['age', 'old', 'pay']\nmodel = LinearRegression().fit(train[f], y)",
        f"said = model.predict(test[f])\nprices = {back}",
    )
    check(SETUP, *cells, held="test.index", label="cost")


def test_a_power_that_was_found_for_a_feature_is_the_same_for_others() -> None:
    cells = (
        "from scipy import stats",
        READ,
        FILL,
        "df['age_p'], power = stats.boxcox(df['age'])",
        "X = df[['age_p', 'pay']]\ny = df['y']",
        SPLIT,
        "model = LogisticRegression(max_iter=500).fit(X_train, y_train)\np = model.predict(X_test)",
    )
    check(SETUP, *cells, held="X_test.index", label="y")


def test_a_label_among_columns_that_are_changed_together_is_left_out_of_them() -> None:
    cells = (
        READ,
        FILL,
        "df['y'] = df['y'].map({1: 'yes', 0: 'no'})\ndf['good'] = df['note'].str[:4].map({'good': 'yes'}).fillna('no')",
        "both = ['good', 'y']\ndf[both] = df[both].apply(lambda one: one.map({'yes': 1, 'no': 0}))",
        "X = df[['age', 'good']]\ny = df['y']",
        SPLIT,
        "model = LogisticRegression(max_iter=500).fit(X_train, y_train)\np = model.predict(X_test)",
    )
    check(SETUP, *cells, held="X_test.index", label="y")


FILTERED = "df = df[df['seen'] != '?']\ndf['seen'] = df['seen'].astype(int)"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (f"{FILTERED}\nX = df.iloc[:, 1:].values\ny = df.iloc[:, 0].values", set()),
        ("y = df['price']\ny = y[df['seen'] > 3]", {"price"}),
        ("y = df.price\ny = y.loc[df.seen > 3]", {"price"}),
        ("y = df.loc[df.seen > 3, 'price']", {"price"}),
        ("y = df[df['seen'] > 3]['price']", {"price"}),
        ("y = df[df.seen > 3].price", {"price"}),
        ("y = df.query('seen > 3').price", {"price"}),
        ("y = df['price'].drop(df[df['seen'] == '?'].index)", {"price"}),
        ("df = pd.concat([df, pd.get_dummies(df['seen'])], axis=1)\ny = df.iloc[:, 0]", set()),
        ("df = df[['seen', 'price']]\ny = df.iloc[:, -1]", {"price"}),
        ("only = df[['price']]\ny = only.iloc[:, 0]", {"price"}),
    ],
)
def test_a_column_that_decides_over_rows_is_no_label(text: str, labels: set[str]) -> None:
    cells = (SETUP, READ, f"{text}\nX = df[['seen']]", "model = LinearRegression().fit(X, y)")
    assert labels_of(program_of(document(*cells))) == labels


def test_a_statement_about_the_column_of_a_filter_stays() -> None:
    cells = (
        "df = pd.read_csv('people.csv')[['cost', 'age', 'pay']]\ndf = df[df['pay'] > 0]\ndf['pay'] = df['pay'] * 2",
        "X = df.iloc[:, 1:].fillna(0).values\ny = df.iloc[:, 0].values",
        SPLIT,
        "model = LinearRegression().fit(X_train, y_train)\np = model.predict(X_test)",
    )
    plan = plan_of(document(SETUP, *cells))
    assert "df['pay'] = df['pay'] * 2" in [one.frozen for one in plan.kept]
