"""What is not converted, and the sentence that says why."""

from __future__ import annotations

import pytest

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.predictive.plan import is_predictive, plan_of
from tests.unit.notebook.predictive_notebooks import SETUP, Cell, document

pytestmark = pytest.mark.prove_conversion

READ = "df = pd.read_csv('people.csv')"
XY = "X = df[['age', 'pay']]\ny = df['y']"
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y)"
FIT = "model = LogisticRegression()\nmodel.fit(X_train, y_train)"
PREDICT = "y_pred = model.predict(X_test)"
FOREST = "rf = RandomForestClassifier().fit(X_train, y_train)"

REFUSED: dict[str, tuple[list[Cell], tuple[str, ...]]] = {
    "two models that both predict": (
        [READ, XY, SPLIT, FIT, PREDICT, FOREST, "rf_pred = rf.predict(X_test)"],
        ("one model", "`model`", "`rf`", "%select_model rf"),
    ),
    "models in a dict that a loop trains": (
        [
            READ,
            XY,
            SPLIT,
            "models = {'a': LogisticRegression(), 'b': RandomForestClassifier()}",
            "for name, m in models.items():\n    m.fit(X_train, y_train)\n"
            "    print(name, accuracy_score(y_test, m.predict(X_test)))",
        ],
        ("Cell 6", "loop", "model = models['best']"),
    ),
    "a model that is something else afterwards": (
        [
            READ,
            XY,
            SPLIT,
            FIT,
            PREDICT,
            "model = RandomForestClassifier()\nmodel.fit(X_train, y_train)\nmodel.predict(X_test)",
        ],
        ("Cell 7", "`model`, redefined after training", "`--model model`"),
    ),
    "a model that is trained again after the output": (
        [READ, XY, SPLIT, FIT, PREDICT, "model.fit(X, y)"],
        ("Cell 7", "redefined after training", "cell 6"),
    ),
    "a model under a name that is not there": (
        [READ, XY, SPLIT, FIT, PREDICT, "%select_model forest"],
        ("`forest`", "one of `model`"),
    ),
    "a curve that gives numbers": (
        [READ, "coef = np.polyfit(df.age, df.pay, 1)", "said = coef[0] * df.age + coef[1]"],
        ("Cell 3", "`numpy.polyfit`, which gives numbers", "%web_output VAR"),
    ),
    "the place of a row among all": (
        [READ, "df['trend'] = np.arange(len(df))", XY.replace("'pay'", "'trend'"), SPLIT, FIT, PREDICT],
        ("Cell 3", "np.arange(len(df))"),
    ),
    "a value of the machine": (
        [READ, "import os\ndf['pay'] = df.pay * float(os.environ.get('RATE', 1))", XY, SPLIT, FIT, PREDICT],
        ("Cell 3", "`os.environ`, which is another on the machine that serves", "Write the value"),
    ),
    "a magic that scoring needs": (
        [READ, "rate = %env RATE\ndf['pay'] = df.pay * float(rate)", XY, SPLIT, FIT, PREDICT],
        ("Cell 3", "could not be taken apart", "`skip`"),
    ),
    "two tables joined": (
        [
            READ,
            "more = pd.read_csv('more.csv')\ndf = df.merge(more, on='id')",
            XY,
            SPLIT,
            FIT,
            PREDICT,
        ],
        ("one table", "`df` (cell 2)", "`more` (cell 3)", "%web_input df"),
    ),
    "two tables below each other": (
        [READ, "df = pd.concat([df, pd.read_csv('more.csv')])", XY, SPLIT, FIT, PREDICT],
        ("Cell 3", "put below each other"),
    ),
    "values that are sorted apart from their rows": (
        [
            READ,
            "df['z'] = df['age'].sort_values().values",
            "X = df[['z']]\ny = df['y']",
            SPLIT,
            FIT,
            PREDICT,
        ],
        ("Cell 3", "beside others", "%web_input VAR"),
    ),
    "the row before, by hand": (
        [
            READ,
            "later = df[1:].reset_index(drop=True)\nlater['before'] = df['age'][:-1].values",
            "X = later[['before']]\ny = later['y']",
            SPLIT,
            FIT,
            PREDICT,
        ],
        ("Cell 3", "df['age'][:-1].values", "beside others"),
    ),
    "the row before, by way of a variable": (
        [
            READ,
            "before = df['age'].to_numpy()[:-1]\nlater = df[1:].copy()\nlater['before'] = before",
            "X = later[['before']]\ny = later['y']",
            SPLIT,
            FIT,
            PREDICT,
        ],
        ("Cell 3", "later['before'] = before", "beside others"),
    ),
    "rows and those before them side by side": (
        [
            READ,
            "A = df[['age', 'pay']].to_numpy()\nX = np.c_[A[1:], A[:-1]]\ny = df['y'][1:]",
            SPLIT,
            FIT,
            PREDICT,
        ],
        ("Cell 3", "np.c_[A[1:], A[:-1]]", "beside others"),
    ),
    **{
        f"turned round, {name}": (
            [
                READ,
                made,
                "X = df[['a', 'pay']]\ny = df['y']",
                SPLIT,
                FIT,
                PREDICT,
            ],
            ("Cell 3", "beside others"),
        )
        for name, made in {
            "two at once": "df['a'], df['b'] = df.age.values[::-1], df.pay",
            "for two names": "df['a'] = last = df.age.values[::-1]",
            "by a method": "df.insert(0, 'a', df.age.values[::-1])",
            "under a condition": "if len(df) > 3:\n    df['a'] = df.age.values[::-1]",
            "one by one": "last = df.age.values[::-1]\ndf['a'] = [one for one in last]",
            "by a function": "last = df.age.values[::-1]\ndf['a'] = np.abs(last)",
        }.items()
    },
    "rows that other rows name": (
        [
            READ,
            "A = df[['age', 'pay']].to_numpy()\nX = A[df['boss'].to_numpy()]",
            "model = LogisticRegression().fit(X, df['y'])\npred = model.predict(X)\ndf['pred'] = pred",
        ],
        ("Cell 4", "df['pred'] = pred", "beside others"),
    ),
    "two tables that were worked on before they were put below each other": (
        [
            READ,
            "more = pd.read_csv('more.csv')\ndf['pay'] = np.log(df['pay'])\nmore['pay'] = np.log(more['pay'])",
            "df = pd.concat([df, more])",
            XY,
            SPLIT,
            FIT,
            PREDICT,
        ],
        ("Cell 4", "put below each other"),
    ),
    "tables put together in a direction that is not written out": (
        [
            READ,
            "more = pd.read_csv('more.csv')\ndf = pd.concat([df, more], axis=AX)",
            XY,
            SPLIT,
            FIT,
            PREDICT,
        ],
        ("Cell 3", "put below each other"),
    ),
    "a curve that is written out beside a model": (
        [
            READ,
            XY,
            SPLIT,
            FIT,
            "base = model.predict(X_test)",
            "p = np.polyfit(df.age, df.pay, 2)\nsaid = np.polyval(p, df.age)",
            "pd.DataFrame({'pay': said}).to_csv('said.csv')",
        ],
        ("2", "`model`", "`p`", "--model"),
    ),
    "one row of many": (
        [
            READ,
            "towns = df.groupby('town').agg({'age': 'mean', 'cost': 'sum'})",
            "model = LinearRegression().fit(towns[['age']], towns['cost'])\np = model.predict(towns[['age']])",
        ],
        ("cell 3 makes one row of many others", "df.groupby('town')", "%web_input VAR"),
    ),
    "what was made of two tables below each other": (
        [
            READ,
            "more = pd.read_csv('more.csv')",
            "df = LabelEncoder().fit_transform(pd.concat([df, more]))",
            XY,
            SPLIT,
            FIT,
            PREDICT,
        ],
        ("Cell 4", "put below each other"),
    ),
    "a row from its neighbours": (
        [
            READ,
            "df['before'] = df['pay'].shift(1)",
            "X = df[['age', 'before']]\ny = df['y']",
            SPLIT,
            FIT,
            PREDICT,
        ],
        ("Cell 3", "df['pay'].shift(1)", "other rows"),
    ),
    "a z-score": (
        [READ, "from scipy.stats import zscore\ndf['pay'] = zscore(df['pay'])", XY, SPLIT, FIT, PREDICT],
        ("Cell 3", "zscore(df['pay'])", "variables before (a mean and a deviation"),
    ),
    "a file that a function reads": (
        [
            READ,
            "def more(t):\n    return t.merge(pd.read_csv('more.csv'), on='town')",
            XY,
            SPLIT,
            FIT,
            "p = model.predict(more(X_test))",
        ],
        ("Cell 7", "`p = model.predict(more(X_test))`, which would read `more.csv` at each call"),
    ),
    "a rank": (
        [READ, "df['pay'] = df['pay'].rank()", XY, SPLIT, FIT, PREDICT],
        ("Cell 3", "rank"),
    ),
    "a mean inside a function": (
        [
            READ,
            "def tidy(t):\n    t['age'] = t['age'].fillna(t['age'].mean())\n    return t",
            "df = tidy(df)",
            XY,
            SPLIT,
            FIT,
            PREDICT,
        ],
        ("Cell 4", "t['age'].mean()", "inside the function `tidy`"),
    ),
    "a scaler inside a function that gives rows back": (
        [
            READ,
            "def scale(t):\n    return StandardScaler().fit_transform(t)",
            "X = scale(df[['age', 'pay']])\ny = df['y']",
            SPLIT,
            FIT,
            PREDICT,
        ],
        ("Cell 4", "fit_transform"),
    ),
    "exec on the way": (
        [READ, "exec(\"df['age'] = df['age'] * 2\")", XY, SPLIT, FIT, PREDICT],
        ("Cell 3", "exec runs text as code", "%web_input"),
    ),
    "names from a star import": (
        ["from toolbox import *", READ, "df = tidy(df)", XY, SPLIT, FIT, PREDICT],
        ("Cell 2", "import *"),
    ),
    "a notebook that runs another": (
        ["%run prepare.py", XY, SPLIT, FIT, PREDICT],
        ("Cell 2", "%run runs code that is not here"),
    ),
    "a file read while scoring": (
        [
            READ,
            "def rate(pay):\n    return pay * float(open('rate.txt').read())",
            "df['pay'] = df['pay'].apply(rate)",
            XY,
            SPLIT,
            FIT,
            PREDICT,
        ],
        ("Cell 4", "reads no files"),
    ),
    "an output that is a plot": (
        [
            READ,
            XY,
            SPLIT,
            FIT,
            PREDICT,
            "import matplotlib.pyplot as plt\nfig = plt.figure()",
            "%web_output fig",
        ],
        ("Cell 7", "a plot", "`pred = model.predict(X)`", "`%web_output pred`"),
    ),
    "an output that no model is reached from": (
        [READ, XY, SPLIT, FIT, PREDICT, "%web_output X_test"],
        ("`X_test`", "no model is reached"),
    ),
    "an output that is not there": (
        [READ, XY, SPLIT, FIT, PREDICT, "%web_output nothing"],
        ("Cell 7", "`nothing`"),
    ),
    "an output with the label beside the prediction": (
        [
            READ,
            XY,
            SPLIT,
            FIT,
            PREDICT,
            "result = pd.DataFrame({'was': y_test, 'is': y_pred})",
            "%web_output result",
        ],
        ("label",),
    ),
    "clusters that know no new rows": (
        [
            READ,
            "from sklearn.cluster import DBSCAN\nX = df[['age', 'pay']]\ndf['group'] = DBSCAN().fit_predict(X)",
        ],
        ("Cell 3", "only knows the rows it was trained on"),
    ),
    "no model": (
        [READ, "df['a'] = df['age'] * 2\nprint(df.groupby('town').mean())"],
        ("a trained model", "none"),
    ),
    "a network": (
        [
            READ,
            XY,
            SPLIT,
            "from tensorflow.keras import Sequential\nnet = Sequential()\nnet.fit(X_train, y_train)\np = net.predict(X_test)",
        ],
        ("Cell 5", "tensorflow"),
    ),
    "a name that comes later": (
        [READ, "df['pay'] = df['pay'] * RATE", XY, SPLIT, FIT, PREDICT, "RATE = 3"],
        ("Cell 3", "`RATE`", "comes later"),
    ),
    "a feature that is drawn at random": (
        [
            READ,
            "df['noise'] = np.random.normal(size=len(df))\nX = df[['age', 'noise']]\ny = df['y']",
            SPLIT,
            FIT,
            PREDICT,
        ],
        ("Cell 3", "draws at random"),
    ),
    "training inside a class": (
        [
            READ,
            "class Both:\n    def learn(self, X, y):\n        self.m = LogisticRegression().fit(X, y)\n        return self",
            "both = Both().learn(df[['age']], df['y'])\nprint(both)",
        ],
        ("Cell 4", "cannot be followed", "role:train"),
    ),
    "training and scoring in one function": (
        [
            READ,
            "def main():\n    m = LogisticRegression().fit(df[['pay']], df['y'])\n    return m.predict(df[['pay']])",
            "res = main()",
        ],
        ("Cell 4", "inside the function `main`"),
    ),
    "validation alone": (
        [
            READ,
            XY,
            "from sklearn.model_selection import cross_val_predict\np = cross_val_predict(LogisticRegression(), X, y)",
        ],
        ("Cell 4", "cross_val_predict"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_certain_is_refused_with_its_reason(name: str) -> None:
    cells, words = REFUSED[name]
    with pytest.raises(InvalidInput) as refusal:
        plan_of(document(SETUP, *cells))
    for word in words:
        assert word in str(refusal.value)


def test_cells_count_in_the_order_in_which_they_ran() -> None:
    cells = [SETUP, READ, "df['pay'] = df['pay'] * RATE", XY, SPLIT, FIT, PREDICT, "RATE = 3"]
    plan = plan_of(document(*cells), ran=[1, 2, 8, 3, 4, 5, 6, 7])
    assert "RATE = 3" in [one.frozen for one in plan.kept]


def test_a_cell_that_ran_twice_and_changed_its_own_rows_is_refused() -> None:
    cells = [SETUP, READ, "df['pay'] = df['pay'] / 100", XY, SPLIT, FIT, PREDICT]
    with pytest.raises(InvalidInput, match=r"Cell 3 .*ran more than once"):
        plan_of(document(*cells), ran=[1, 2, 3, 3, 4, 5, 6, 7])
    assert plan_of(document(*cells), ran=[1, 2, 3, 4, 5, 6, 7, 7]).kept


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        ("from sklearn.linear_model import LinearRegression\nprint(LinearRegression)", False),
        ("import pandas as pd\ndf = pd.read_csv('a.csv')\ndf.to_csv('b.csv')", False),
        ("from sklearn.preprocessing import StandardScaler\nX = StandardScaler().fit_transform(rows)", False),
        ("from sklearn.svm import SVC\nm = SVC()\nm.fit(X, y)", True),
        ("from sklearn.svm import SVC\nm = SVC().fit(X, y)\nm.predict(X)", True),
        ("from sklearn.cluster import KMeans\nlabels = KMeans(3).fit_predict(X)", True),
    ],
)
def test_a_notebook_is_predictive_when_it_trains_a_model(text: str, is_it: bool) -> None:
    assert is_predictive(document(text)) is is_it


def test_an_input_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"Cell 2 .*`table`"):
        plan_of(document(SETUP, "%web_input table", READ, XY, SPLIT, FIT, PREDICT))


def test_ports_have_the_names_that_their_marks_give_them() -> None:
    cells = [SETUP, READ, "%web_input df people", XY, SPLIT, FIT, PREDICT, "%web_output y_pred answer"]
    plan = plan_of(document(*cells))
    assert [(one.name, one.variable, one.place.cell) for one in plan.inputs] == [("people", "df", 3)]
    assert [(one.name, one.variable, one.place.cell) for one in plan.outputs] == [("answer", "y_pred", 8)]


def test_rows_left_out_for_training_are_told_and_none_is_left_out_of_an_answer() -> None:
    plan = plan_of(document(SETUP, READ, "df = df[df['age'] < 90].dropna()", XY, SPLIT, FIT, PREDICT))
    assert any("df[df['age'] < 90].dropna()" in note and "answers every row" in note for note in plan.notes)
    assert "dropna" not in "\n".join(one.frozen for one in plan.kept)
    assert ("df", "df") in [pair for split in plan.splits for pair in split.pairs]
    assert "df = df[df['age'] < 90].dropna()" in [one.frozen for one in plan.program]


def test_a_module_beside_the_notebook_is_told() -> None:
    cells = ["import toolbox", READ, "df = toolbox.tidy(df)", XY, SPLIT, FIT, PREDICT]
    plan = plan_of(document(SETUP, *cells))
    assert any("toolbox" in note for note in plan.notes)
    assert "import toolbox" in [one.frozen for one in plan.kept]


def test_a_rule_over_predictions_that_is_not_served_is_told() -> None:
    rule = "final = np.where(X_test.age < 30, 0, y_pred)\nright = np.where(y_test == y_pred, 1, 0)"
    plan = plan_of(document(SETUP, READ, XY, SPLIT, FIT, PREDICT, rule))
    (told,) = [one for one in plan.notes if "%web_output" in one]
    assert told == (
        "Cell 7 makes 'final' of 'y_pred' and other columns; the service answers 'y_pred'. If the other is meant, say "
        "`%web_output final` after it."
    )
