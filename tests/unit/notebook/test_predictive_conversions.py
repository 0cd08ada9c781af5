"""Notebooks in the ways people write them: what the slice answers is what the notebook did."""

from __future__ import annotations

import pytest

from tests.unit.notebook.predictive_notebooks import SETUP, SPLIT, Cell, check

pytestmark = [pytest.mark.prove_conversion, pytest.mark.usefixtures("people_here")]

READ = "df = pd.read_csv('people.csv')"
FILL = "df['age'] = df['age'].fillna(df['age'].median())"
FIT = "model = LogisticRegression(max_iter=500)\nmodel.fit(X_train, y_train)"
PREDICT = "y_pred = model.predict(X_test)\nprint(accuracy_score(y_test, y_pred))"
NUMBERS = "X = df[['age', 'pay']]\ny = df['y']"

NOTEBOOKS: dict[str, list[Cell]] = {
    "a mean and a drop": [
        READ,
        "df.head()\ndf.describe()",
        FILL,
        "df['sex'] = df['sex'].map({'f': 0, 'm': 1})",
        "X = df.drop(['y', 'town', 'note', 'cost'], axis=1)\ny = df.y",
        SPLIT,
        FIT,
        PREDICT,
    ],
    "a scaler by hand": [
        READ,
        FILL,
        NUMBERS,
        SPLIT,
        "mu = X_train.mean()\nsigma = X_train.std()\nX_train = (X_train - mu) / sigma\nX_test = (X_test - mu) / sigma",
        FIT,
        PREDICT,
    ],
    "a scaler": [
        READ,
        FILL,
        NUMBERS,
        SPLIT,
        "sc = StandardScaler()\nX_train_s = sc.fit_transform(X_train)\nX_test_s = sc.transform(X_test)",
        "clf = LogisticRegression().fit(X_train_s, y_train)",
        "pred = clf.predict(X_test_s)",
    ],
    "a scaler without a name": [
        READ,
        FILL,
        NUMBERS,
        "X = StandardScaler().fit_transform(X)",
        SPLIT.replace("(X, y", "(pd.DataFrame(X), y"),
        FIT,
        PREDICT,
    ],
    "a pipeline with a column transformer": [
        READ,
        "from sklearn.compose import ColumnTransformer\nfrom sklearn.pipeline import Pipeline\n"
        "from sklearn.impute import SimpleImputer",
        "num = ['age', 'pay']\ncat = ['town', 'sex']",
        "pre = ColumnTransformer([('n', Pipeline([('i', SimpleImputer()), ('s', StandardScaler())]), num),\n"
        "    ('c', OneHotEncoder(handle_unknown='ignore'), cat)])",
        "clf = Pipeline([('pre', pre), ('m', RandomForestClassifier(n_estimators=9, random_state=0))])",
        "X = df[num + cat]\ny = df['y']",
        SPLIT,
        "clf.fit(X_train, y_train)",
        "print(clf.score(X_test, y_test))",
        "predictions = clf.predict(X_test)",
    ],
    "dummies": [
        READ,
        FILL,
        "df = pd.get_dummies(df.drop(columns='note'), columns=['town', 'sex'], drop_first=True)",
        "y = df['y']\nX = df.drop(columns=['y', 'cost'])",
        SPLIT,
        FIT,
        PREDICT,
    ],
    "dummies beside the table": [
        READ,
        FILL,
        "df = pd.concat([df, pd.get_dummies(df['town'], prefix='town')], axis=1)\ndf = df.drop('town', axis=1)",
        "X = df.drop(columns=['y', 'sex', 'note', 'cost'])\ny = df['y']",
        SPLIT,
        FIT,
        PREDICT,
    ],
    "a loop of label encoders": [
        READ,
        FILL,
        "le = LabelEncoder()\nfor col in ['town', 'sex', 'note']:\n    df[col] = le.fit_transform(df[col])",
        "X = df.drop(['y', 'cost'], axis=1)\ny = df['y']",
        SPLIT,
        FIT,
        PREDICT,
    ],
    "label encoders kept in a dict, and used on other rows": [
        READ,
        FILL,
        "X = df[['age', 'town', 'sex']].copy()\ny = df['y']",
        SPLIT,
        "encoders = {}\nfor col in ['town', 'sex']:\n    enc = LabelEncoder()\n"
        "    X_train[col] = enc.fit_transform(X_train[col])\n    encoders[col] = enc",
        "for col in ['town', 'sex']:\n    X_test[col] = encoders[col].transform(X_test[col])",
        FIT,
        PREDICT,
    ],
    "columns by their type in a loop": [
        READ,
        "for c in df.columns:\n    if df[c].dtype == 'float64':\n        df[c] = df[c].fillna(df[c].median())\n"
        "    elif c in ('town', 'sex', 'note'):\n        df[c] = LabelEncoder().fit_transform(df[c])",
        "X = df.drop(['y', 'cost'], axis=1)\ny = df['y']",
        SPLIT,
        FIT,
        PREDICT,
    ],
    "encoders by apply": [
        READ,
        FILL,
        "cats = ['town', 'sex']\ndf[cats] = df[cats].apply(LabelEncoder().fit_transform)",
        "X = df[['age', 'pay'] + cats]\ny = df['y']",
        SPLIT,
        FIT,
        PREDICT,
    ],
    "a grid search": [
        READ,
        FILL,
        NUMBERS,
        SPLIT,
        "grid = GridSearchCV(RandomForestClassifier(n_estimators=5, random_state=0), {'max_depth': [1, 3]}, cv=2)\n"
        "grid.fit(X_train, y_train)\nbest = grid.best_estimator_",
        "y_pred = best.predict(X_test)",
    ],
    "a prediction that is only measured": [
        READ,
        FILL,
        NUMBERS,
        SPLIT,
        FIT,
        "print(accuracy_score(y_test, model.predict(X_test)))",
    ],
    "a score only": [READ, FILL, NUMBERS, SPLIT, FIT, "model.score(X_test, y_test)"],
    "a label that is encoded and decoded": [
        READ,
        FILL,
        "le = LabelEncoder()\ndf['sex'] = le.fit_transform(df['sex'])\nX = df[['age', 'pay', 'y']]\ny = df['sex']",
        SPLIT,
        FIT,
        "codes = model.predict(X_test)\nnames = le.inverse_transform(codes)",
    ],
    "a logarithm of the label": [
        READ,
        FILL,
        "X = df[['age', 'pay']]\ny = np.log1p(df['cost'])",
        SPLIT,
        "model = LinearRegression()\nmodel.fit(X_train, y_train)",
        "pred = np.expm1(model.predict(X_test))",
    ],
    "a decision by a threshold": [
        READ,
        FILL,
        NUMBERS,
        SPLIT,
        FIT,
        "proba = model.predict_proba(X_test)[:, 1]\ndecision = (proba > 0.4).astype(int)",
    ],
    "functions that prepare and that train": [
        READ,
        "RATE = 12\ndef tidy(t):\n    t = t.copy()\n    t['year'] = t['pay'] * RATE\n    return t\n"
        "def train(a, b):\n    m = LogisticRegression()\n    m.fit(a, b)\n    return m",
        FILL,
        "df = tidy(df)\nX = df[['age', 'year']]\ny = df['y']",
        SPLIT,
        "model = train(X_train, y_train)",
        PREDICT,
    ],
    "means of groups": [
        READ,
        "df['age'] = df['age'].fillna(df.groupby('town')['age'].transform('mean'))",
        "m = df.groupby('town')['pay'].mean()\ndf['town_pay'] = df['town'].map(m)",
        "X = df[['age', 'pay', 'town_pay']]\ny = df['y']",
        SPLIT,
        FIT,
        PREDICT,
    ],
    "how often a value comes": [
        READ,
        FILL,
        "df['often'] = df['town'].map(df['town'].value_counts()) / len(df)",
        "X = df[['age', 'often']]\ny = df['y']",
        SPLIT,
        FIT,
        PREDICT,
    ],
    "rows left out": [
        READ,
        "df = df.dropna()\ndf = df[df['pay'] < df['pay'].quantile(0.95)]\ndf = df.drop_duplicates()",
        NUMBERS,
        SPLIT,
        FIT,
        PREDICT,
    ],
    "a label that is popped": [
        READ,
        FILL,
        "df = df.drop(columns=['town', 'sex', 'note', 'cost'])\ny = df.pop('y')\nX = df",
        SPLIT,
        FIT,
        PREDICT,
    ],
    "columns by their place": [
        READ,
        FILL,
        "df = df[['age', 'pay', 'y']]\nX = df.iloc[:, :-1]\ny = df.iloc[:, -1]",
        SPLIT,
        FIT,
        PREDICT,
    ],
    "columns that get other names": [
        READ,
        "df.columns = [c.upper() for c in df.columns]\ndf['AGE'] = df['AGE'].fillna(30)",
        "X = df[['AGE', 'PAY']]\ny = df['Y']",
        SPLIT,
        FIT,
        PREDICT,
    ],
    "codes of a category and learned bins": [
        READ,
        FILL,
        "df['town'] = df['town'].astype('category').cat.codes\n"
        "df['pay_bin'] = pd.qcut(df['pay'], 4, labels=False)\ndf['age_bin'] = pd.cut(df['age'], 5, labels=False)",
        "X = df[['town', 'pay_bin', 'age_bin']]\ny = df['y']",
        SPLIT,
        FIT,
        "y_pred = model.predict(X_test)",
    ],
    "words": [
        READ,
        "from sklearn.feature_extraction.text import TfidfVectorizer",
        "df['note'] = df['note'].str.lower()\nvec = TfidfVectorizer()\nX = df['note']\ny = df['y']",
        SPLIT,
        "model = LogisticRegression()\nmodel.fit(vec.fit_transform(X_train), y_train)",
        "y_pred = model.predict(vec.transform(X_test))",
    ],
    "the same model twice over, and a list of features": [
        READ,
        FILL,
        "TARGET = 'y'\nfeatures = [c for c in df.columns if c not in (TARGET, 'town', 'sex', 'note', 'cost')]\n"
        "X, y = df[features], df[TARGET]",
        SPLIT,
        FIT,
        "train_pred = model.predict(X_train)\nprint(accuracy_score(y_train, train_pred))",
        PREDICT,
    ],
    "a split by a random mask": [
        READ,
        FILL,
        "mask = np.random.RandomState(0).rand(len(df)) < 0.7\ntrain = df[mask]\ntest = df[~mask]",
        "cols = ['age', 'pay']\nmodel = LogisticRegression()\nmodel.fit(train[cols], train['y'])",
        "X_test = test[cols]\npred = model.predict(X_test)",
    ],
    "a column of predictions": [
        READ,
        FILL,
        NUMBERS,
        SPLIT,
        FIT,
        "result = X_test.copy()\nresult['pred'] = model.predict(X_test)\nresult.head()",
    ],
    "comparison first, one at the end": [
        READ,
        FILL,
        NUMBERS,
        SPLIT,
        "for m in [LogisticRegression(), RandomForestClassifier(n_estimators=5)]:\n"
        "    print(cross_val_score(m, X_train, y_train, cv=2).mean())",
        FIT,
        PREDICT,
    ],
    "a stack by hand": [
        READ,
        FILL,
        NUMBERS,
        SPLIT,
        "a = LogisticRegression().fit(X_train, y_train)\n"
        "b = RandomForestClassifier(n_estimators=5, random_state=0).fit(X_train, y_train)",
        "S_train = np.column_stack([a.predict_proba(X_train)[:, 1], b.predict_proba(X_train)[:, 1]])\n"
        "S_test = np.column_stack([a.predict_proba(X_test)[:, 1], b.predict_proba(X_test)[:, 1]])",
        "meta = LogisticRegression().fit(S_train, y_train)\nfinal = meta.predict(S_test)",
    ],
    "timed training and a vocabulary": [
        READ,
        FILL,
        "vocab = {}\nfor text in df['note']:\n    for word in text.split():\n        vocab[word] = vocab.get(word, 0) + 1\n"
        "common = sorted(vocab, key=vocab.get)[-3:]",
        "for w in common:\n    df['has_' + w] = df['note'].apply(lambda t: int(w in t))",
        "X = df[['age'] + ['has_' + w for w in common]]\ny = df['y']",
        SPLIT,
        "model = LogisticRegression()\n%time model.fit(X_train, y_train)".replace("%time ", ""),
        PREDICT,
    ],
}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_slice_answers_as_the_notebook_did(name: str) -> None:
    cells = NOTEBOOKS[name]
    text = "\n".join(cell if isinstance(cell, str) else cell[0] for cell in cells)
    label = "cost" if "df['cost']" in text else "sex" if "y = df['sex']" in text else "y"
    plan = check(SETUP, *cells, held="X_test.index", label=label)
    assert not any(
        word in one.frozen for one in plan.kept for word in (".fit(", "fit_transform(", "read_csv")
    )
