"""More notebooks with their slices run beside them: marks, tags, clusters, arrays, pairs of files, other libraries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlalm_jupyter.notebook.predictive.plan import plan_of
from tests.unit.notebook.predictive_notebooks import (
    SETUP,
    Cell,
    check,
    document,
    original,
    people,
    scored,
    write_people,
)

pytestmark = pytest.mark.prove_conversion

READ = "df = pd.read_csv('people.csv')"
FILL = "df['age'] = df['age'].fillna(df['age'].median())"
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=1)"
FIT = "model = LogisticRegression(max_iter=500)\nmodel.fit(X_train, y_train)"
PREDICT = "y_pred = model.predict(X_test)"
NUM = "X = df[['age', 'pay']]\ny = df['y']"

NOTEBOOKS: dict[str, tuple[list[Cell], str | None, str | None, str | None]] = {
    "kaggle pair": (
        [
            ("train = pd.read_csv('train.csv')\ntest = pd.read_csv('test.csv')"),
            (
                "for d in [train, test]:\n"
                "    d['age'] = d['age'].fillna(train['age'].mean())\n"
                "    d['sex'] = d['sex'].map({'f':0,'m':1})"
            ),
            ("f=['age','sex','pay']\nmodel = LogisticRegression().fit(train[f], train['y'])"),
            (
                "pred = model.predict(test[f])\n"
                "sub = pd.DataFrame({'id': test.index, 'y': pred})\n"
                "sub.to_csv('s.csv')"
            ),
        ],
        "test.index",
        None,
        None,
    ),
    "kaggle pair below each other": (
        [
            ("train = pd.read_csv('train.csv')\ntest = pd.read_csv('test.csv')"),
            "both = pd.concat([train.drop(columns='y'), test], ignore_index=True)",
            (
                "from scipy.stats import skew\n"
                "crooked = train[['pay', 'age']].apply(lambda column: skew(column.dropna()))\n"
                "chosen = crooked[crooked > -9].index\n"
                "both[chosen] = np.log1p(both[chosen])\n"
                "both = pd.get_dummies(both.drop(columns=['note', 'cost']))\n"
                "both = both.fillna(both.mean())"
            ),
            "X_train, X_test = both[:len(train)], both[train.shape[0]:]",
            "model = LogisticRegression().fit(X_train, train['y'])\npred = model.predict(X_test)",
        ],
        "test.index",
        None,
        None,
    ),
    "train and test below each other again": (
        [READ, FILL, NUM, SPLIT, FIT, "both = pd.concat([X_train, X_test])\np = model.predict(both)"],
        "both.index",
        "y",
        None,
    ),
    "data that is a part of what was loaded": (
        [
            "from sklearn.datasets import load_iris\niris = load_iris()\nprint(iris.DESCR)",
            "X_train, X_test, y_train, y_test = train_test_split(iris.data / 2, iris['target'], random_state=1)",
            FIT,
            PREDICT,
        ],
        None,
        None,
        None,
    ),
    "data that is a part of what was loaded, and handed to the model": (
        [
            "from sklearn.datasets import load_iris\niris = load_iris(as_frame=True)",
            "scaler = StandardScaler().fit(iris['data'])",
            "model = LogisticRegression().fit(scaler.transform(iris['data']), iris.target)",
            "y_pred = model.predict(scaler.transform(iris['data']))",
        ],
        None,
        None,
        None,
    ),
    "a class that trains and asks": (
        [
            READ,
            FILL,
            (
                "class Payer:\n    def __init__(self):\n        self.inner = LogisticRegression()\n"
                "    def learn(self, X, y):\n        self.inner.fit(X, y)\n        return self\n"
                "    def odds(self, X):\n        return self.inner.predict_proba(X)[:, 1]"
            ),
            NUM,
            SPLIT,
            "payer = Payer().learn(X_train, y_train)\nodds = payer.odds(X_test)",
        ],
        "X_test.index",
        "y",
        None,
    ),
    "a class that trains when it is made": (
        [
            READ,
            FILL,
            (
                "class Payer:\n    def __init__(self, X, y):\n        self.inner = LogisticRegression().fit(X, y)\n"
                "    def odds(self, X):\n        return self.inner.predict_proba(X)[:, 1]"
            ),
            NUM,
            SPLIT,
            "payer = Payer(X_train, y_train)\nodds = payer.odds(X_test)",
        ],
        "X_test.index",
        "y",
        None,
    ),
    "a model that each row chooses": (
        [
            READ,
            FILL,
            "train, test = df[:60].copy(), df[60:].copy()\nmodels = {}",
            (
                "for town, part in train.groupby('town'):\n"
                "    models[town] = LogisticRegression().fit(part[['age', 'pay']], part['y'])\n"
                "    print(town, models[town].score(part[['age', 'pay']], part['y']))"
            ),
            (
                "def odds(row):\n"
                "    asked = row[['age', 'pay']].to_frame().T.astype(float)\n"
                "    return models[row['town']].predict_proba(asked)[0, 1]"
            ),
            (
                "test['odds'] = test.apply(odds, axis=1)\n"
                "test['band'] = pd.cut(test['odds'], [0, 0.5, 1], labels=['low', 'high'])"
            ),
        ],
        "test.index",
        "y",
        None,
    ),
    "some of a predicted column are other ones later": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            FIT,
            "out = X_test.copy()\nodds = model.predict_proba(X_test)[:, 1]",
            "out['said'] = [('no', 'yes')[one] for one in model.predict(X_test)]",
            "out.loc[abs(odds - 0.5) < 0.2, 'said'] = 'unsure'\nout['said'].value_counts()",
        ],
        "X_test.index",
        "y",
        None,
    ),
    "a mean with its deviation": (
        [
            READ,
            FILL,
            "from sklearn.linear_model import BayesianRidge\nX = df[['age', 'pay']]\ny = df['cost']",
            SPLIT,
            "model = BayesianRidge().fit(X_train, y_train)",
            "mean, deviation = model.predict(X_test, return_std=True)\nmean = np.round(mean, 1)",
        ],
        "X_test.index",
        "cost",
        None,
    ),
    "bands whose edges were learned": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            FIT,
            "edge = np.quantile(model.predict_proba(X_train)[:, 1], 0.6)",
            "out = X_test.copy()\nout['odds'] = model.predict_proba(X_test)[:, 1]",
            "out['band'] = pd.cut(out['odds'], [0, edge, 1], labels=['low', 'high']).astype(str)",
        ],
        "X_test.index",
        "y",
        None,
    ),
    "two tables that are one from there on": (
        [
            (
                "red = pd.read_csv('train.csv')\nwhite = pd.read_csv('train.csv')\n"
                "red['kind'] = 0\nwhite['kind'] = 1"
            ),
            "df = pd.concat([red, white]).reset_index(drop=True)",
            FILL,
            "X = df[['age', 'pay', 'kind']]\ny = df['y']",
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "a table to look up in, inside a function": (
        [
            READ,
            FILL,
            "towns = pd.read_csv('towns.csv')\ntowns.head()",
            (
                "def with_size(df, table):\n"
                "    return df.merge(table.rename(columns={'size': 'people'}), on='town', how='left')\n"
                "df = df.pipe(with_size, table=towns)"
            ),
            "X = df[['age', 'people']]\ny = df['y']",
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "a curve": (
        [
            READ,
            FILL,
            "train, test = df[:60], df[60:]\ncurve = np.polyfit(train.age, train.cost, 2)",
            "said = np.polyval(curve, test.age)\nprint(np.abs(said - test.cost).mean())",
        ],
        "test.index",
        "cost",
        None,
    ),
    "a curve that is called": (
        [
            READ,
            FILL,
            "train, test = df[:60], df[60:]\ncurve = np.poly1d(np.polyfit(train.age, train.cost, 2))",
            "said = curve(test.age)",
        ],
        "test.index",
        "cost",
        None,
    ),
    "a curve beside a model": (
        [
            READ,
            FILL,
            "trend = np.polyval(np.polyfit(df.age, df.cost, 1), df.age)",
            NUM,
            SPLIT,
            FIT,
            PREDICT,
            "line = np.polyfit(df.age, df.cost, 1)\ntrend = np.polyval(line, df.age)",
        ],
        "X_test.index",
        "y",
        None,
    ),
    "kaggle own median": (
        [
            ("train = pd.read_csv('train.csv')\ntest = pd.read_csv('test.csv')"),
            (
                "for d in [train, test]:\n"
                "    d['age'].fillna(0)\n"
                "    d['age'] = d['age'].fillna(d['age'].median())"
            ),
            "model = LogisticRegression().fit(train[['age','pay']], train['y'])",
            "pred = model.predict(test[['age','pay']])",
        ],
        "test.index",
        None,
        None,
    ),
    "one of two by magic": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            FIT,
            PREDICT,
            (
                "rf = RandomForestClassifier(random_state=0).fit(X_train,y_train)\n"
                "rf_pred = rf.predict(X_test)"
            ),
            "%select_model model",
        ],
        "X_test.index",
        "y",
        None,
    ),
    "one of two by argument": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            FIT,
            PREDICT,
            (
                "rf = RandomForestClassifier(random_state=0).fit(X_train,y_train)\n"
                "rf_pred = rf.predict(X_test)"
            ),
        ],
        "X_test.index",
        "y",
        "rf",
    ),
    "the last of two that had one name": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            FIT,
            PREDICT,
            (
                "X = df[['pay']]\nX_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)\n"
                "model = LogisticRegression(C=0.5)\nmodel.fit(X_train, y_train)\ny_pred = model.predict(X_test)"
            ),
        ],
        "X_test.index",
        "y",
        "model",
    ),
    "the last of two that had one name, which is measured only": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            FIT,
            PREDICT,
            "model = RandomForestClassifier(random_state=0).fit(X_train, y_train)\nmodel.score(X_test, y_test)",
        ],
        "X_test.index",
        "y",
        "model",
    ),
    "marks with join": (
        [
            READ,
            FILL,
            "%web_input df people",
            ("towns = pd.read_csv('towns.csv')\nd = df.merge(towns, on='town')"),
            ("X = d[['age','size']]\ny = d['y']"),
            SPLIT,
            FIT,
            PREDICT,
            "%web_output y_pred answer",
        ],
        None,
        "y",
        None,
    ),
    "kmeans": (
        [
            READ,
            FILL,
            (
                "from sklearn.cluster import KMeans\n"
                "X = df[['age','pay']]\n"
                "km = KMeans(3, n_init=2, random_state=0)\n"
                "df['group'] = km.fit_predict(X)"
            ),
        ],
        "df.index",
        None,
        None,
    ),
    "kmeans labels": (
        [
            READ,
            FILL,
            (
                "from sklearn.cluster import KMeans\n"
                "X = df[['age','pay']]\n"
                "sc = StandardScaler()\n"
                "Xs = sc.fit_transform(X)\n"
                "km = KMeans(3, n_init=2, random_state=0).fit(Xs)\n"
                "df['group'] = km.labels_"
            ),
        ],
        "df.index",
        None,
        None,
    ),
    "custom transformer": (
        [
            READ,
            (
                "from sklearn.base import BaseEstimator, TransformerMixin\n"
                "from sklearn.pipeline import make_pipeline\n"
                "class Fill(BaseEstimator, TransformerMixin):\n"
                "    def fit(self, X, y=None):\n"
                "        self.m_ = X.mean()\n"
                "        return self\n"
                "    def transform(self, X):\n"
                "        return X.fillna(self.m_)"
            ),
            NUM,
            SPLIT,
            ("pipe = make_pipeline(Fill(), LogisticRegression())\npipe.fit(X_train, y_train)"),
            "p = pipe.predict(X_test)",
        ],
        "X_test.index",
        "y",
        None,
    ),
    "function transformer": (
        [
            READ,
            FILL,
            (
                "from sklearn.preprocessing import FunctionTransformer\n"
                "from sklearn.pipeline import Pipeline\n"
                "K = 2\n"
                "def half(x):\n"
                "    return x / K\n"
                "pipe = Pipeline([('h', FunctionTransformer(half)), ('m', LogisticRegression())])"
            ),
            NUM,
            SPLIT,
            "pipe.fit(X_train, y_train)",
            "p = pipe.predict(X_test)",
        ],
        "X_test.index",
        "y",
        None,
    ),
    "iris xy": (
        [
            ("from sklearn.datasets import load_iris\nX, y = load_iris(return_X_y=True)"),
            SPLIT,
            (
                "sc = StandardScaler().fit(X_train)\n"
                "model = LogisticRegression(max_iter=999).fit(sc.transform(X_train), y_train)\n"
                "print(model.score(sc.transform(X_test), y_test))"
            ),
        ],
        None,
        None,
        None,
    ),
    "iris bunch": (
        [
            (
                "from sklearn.datasets import load_iris\n"
                "iris = load_iris()\n"
                "df = pd.DataFrame(iris.data, columns=iris.feature_names)\n"
                "df['target'] = iris.target\n"
                "df['name'] = df['target'].apply(lambda i: iris.target_names[i])"
            ),
            ("X = df.drop(['target','name'], axis=1)\ny = df.target"),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "target",
        None,
    ),
    "statsmodels": (
        [
            "import statsmodels.api as sm",
            READ,
            FILL,
            (
                "X = sm.add_constant(df[['age','pay']])\n"
                "y = df['cost']\n"
                "res = sm.OLS(y, X).fit()\n"
                "print(res.summary())\n"
                "pred = res.predict(X)"
            ),
        ],
        "df.index",
        "cost",
        None,
    ),
    "formula": (
        [
            "import statsmodels.formula.api as smf",
            READ,
            FILL,
            "res = smf.ols('cost ~ age + pay + C(town)', data=df).fit()",
            "fit = res.predict(df)",
        ],
        "df.index",
        "cost",
        None,
    ),
    "xgb train": (
        [
            "import xgboost as xgb",
            READ,
            FILL,
            NUM,
            SPLIT,
            (
                "dtrain = xgb.DMatrix(X_train, label=y_train)\n"
                "dtest = xgb.DMatrix(X_test, label=y_test)\n"
                "bst = xgb.train({'max_depth':2}, dtrain, num_boost_round=5)\n"
                "preds = bst.predict(dtest)\n"
                "best = (preds > 0.5).astype(int)"
            ),
        ],
        "X_test.index",
        "y",
        None,
    ),
    "lgb": (
        [
            "import lightgbm as lgb",
            READ,
            FILL,
            NUM,
            SPLIT,
            (
                "m = lgb.LGBMClassifier(n_estimators=5, verbose=-1)\n"
                "m.fit(X_train, y_train)\n"
                "p = m.predict(X_test)"
            ),
        ],
        "X_test.index",
        "y",
        None,
    ),
    "del label": (
        [
            READ,
            FILL,
            ("y = df['y']\ndel df['y']\ndel df['cost'], df['note'], df['town'], df['sex']\nX = df"),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "web-output tag": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            FIT,
            ("out = model.predict_proba(X_test)[:, 1].round(3)", "web-output"),
            "z = model.predict(X_test)",
        ],
        "X_test.index",
        "y",
        None,
    ),
    "role train tag": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            (
                (
                    "import random\n"
                    "model = LogisticRegression()\n"
                    "for i in range(2):\n"
                    "    exec('model.fit(X_train, y_train)')"
                ),
                "role:train",
            ),
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "skip tag": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            FIT,
            PREDICT,
            (("rf = RandomForestClassifier().fit(X_train,y_train)\nq = rf.predict(X_test)"), "skip"),
        ],
        "X_test.index",
        "y",
        None,
    ),
    "numpy slices": (
        [
            READ,
            FILL,
            ("data = df[['age','pay','y']].values\nX = data[:, :-1]\ny = data[:, -1]"),
            SPLIT,
            FIT,
            PREDICT,
        ],
        None,
        "y",
        None,
    ),
    "numpy slices2": (
        [
            READ,
            FILL,
            (
                "data = df[['age','pay','y']].to_numpy()\n"
                "X, y = data[:, 0:2], data[:, 2]\n"
                "n = int(len(X)*.7)\n"
                "X_train, X_test = X[:n], X[n:]\n"
                "y_train, y_test = y[:n], y[n:]"
            ),
            FIT,
            PREDICT,
        ],
        "range(56,80)",
        "y",
        None,
    ),
    "sample split": (
        [
            READ,
            FILL,
            ("train = df.sample(frac=0.7, random_state=1)\ntest = df.drop(train.index)"),
            (
                "c=['age','pay']\n"
                "model = LogisticRegression().fit(train[c], train.y)\n"
                "y_pred = model.predict(test[c])"
            ),
        ],
        "test.index",
        "y",
        None,
    ),
    "minmax by hand": (
        [
            READ,
            FILL,
            ("c=['age','pay']\ndf[c] = (df[c] - df[c].min()) / (df[c].max() - df[c].min())"),
            NUM,
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "loop iqr clip": (
        [
            READ,
            FILL,
            (
                "for c in ['age','pay']:\n"
                "    q1 = df[c].quantile(.25)\n"
                "    q3 = df[c].quantile(.75)\n"
                "    iqr = q3 - q1\n"
                "    df[c] = df[c].clip(q1-1.5*iqr, q3+1.5*iqr)"
            ),
            NUM,
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "loop outliers": (
        [
            READ,
            FILL,
            (
                "for c in ['age','pay']:\n"
                "    q1 = df[c].quantile(.25)\n"
                "    q3 = df[c].quantile(.75)\n"
                "    df = df[(df[c] >= q1-1.5*(q3-q1)) & (df[c] <= q3+1.5*(q3-q1))]"
            ),
            NUM,
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "one hot frame": (
        [
            READ,
            FILL,
            (
                "enc = OneHotEncoder(sparse_output=False, handle_unknown='ignore')\n"
                "E = pd.DataFrame(enc.fit_transform(df[['town','sex']]), columns=enc.get_feature_names_out(), "
                "index=df.index)\n"
                "X = pd.concat([df[['age']], E], axis=1)\n"
                "y = df.y"
            ),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "print head": ([READ, FILL, NUM, SPLIT, FIT, "print(model.predict(X_test)[:5])"], None, "y", None),
    "ordinal dict from unique": (
        [
            READ,
            FILL,
            (
                "codes = {t: i for i, t in enumerate(sorted(df['town'].unique()))}\n"
                "df['town'] = df['town'].map(codes)\n"
                "X=df[['age','town']]\n"
                "y=df['y']"
            ),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "time magic": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            ("%%time\nmodel = LogisticRegression()\nmodel.fit(X_train, y_train)"),
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "try import": (
        [
            ("try:\n    import missing_thing as m\nexcept ImportError:\n    m = None"),
            READ,
            FILL,
            NUM,
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "new rows at the end": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            FIT,
            PREDICT,
            (
                "new = pd.DataFrame({'age':[30],'pay':[2000.0]})\n"
                "print(model.predict(new))\n"
                "model.predict([[3,4]])"
            ),
        ],
        "X_test.index",
        "y",
        None,
    ),
    "dates": (
        [
            READ,
            FILL,
            (
                "df['day'] = pd.to_datetime('2020-01-01') + pd.to_timedelta(df['pay'].round(), unit='D')\n"
                "df['m'] = df['day'].dt.month\n"
                "df['bin'] = np.where(df['age'] > df['age'].mean(), 1, 0)\n"
                "X=df[['m','bin']]\n"
                "y=df['y']"
            ),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "calibrate threshold": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            FIT,
            (
                "from sklearn.metrics import roc_curve\n"
                "pr = model.predict_proba(X_test)[:,1]\n"
                "fpr,tpr,th = roc_curve(y_test, pr)\n"
                "best = th[np.argmax(tpr-fpr)]\n"
                "final = (pr >= best).astype(int)"
            ),
        ],
        "X_test.index",
        "y",
        None,
    ),
    "literal data": (
        [
            "df = pd.DataFrame({'a':[1,2,3,4,5,6.],'b':[1,0,2,1,0,3],'y':[0,1,0,1,0,1]})",
            ("X=df[['a','b']]\ny=df['y']\nmodel=LogisticRegression().fit(X,y)\np=model.predict(X)"),
        ],
        "df.index",
        "y",
        None,
    ),
    "groupby merge": (
        [
            READ,
            FILL,
            (
                "g = df.groupby('town', as_index=False)['pay'].mean().rename(columns={'pay':'tp'})\n"
                "df = df.merge(g, on='town', how='left')\n"
                "X=df[['age','tp']]\n"
                "y=df['y']"
            ),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "fit only": (
        [
            READ,
            FILL,
            NUM,
            ("model = LogisticRegression()\nmodel.fit(X, y)\nimport joblib\njoblib.dump(model, 'm.joblib')"),
        ],
        None,
        "y",
        None,
    ),
    "select best by name": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            (
                "models = {'lr': LogisticRegression(), 'rf': RandomForestClassifier(random_state=0)}\n"
                "scores={}\n"
                "for n, m in models.items():\n"
                "    m.fit(X_train, y_train)\n"
                "    scores[n] = m.score(X_test, y_test)"
            ),
            ("best = models[max(scores, key=scores.get)]\npred = best.predict(X_test)"),
        ],
        "X_test.index",
        "y",
        None,
    ),
    "y one hot alias": (
        [
            READ,
            FILL,
            (
                "features = df.columns.drop(['y','town','sex','note','cost'])\n"
                "X = df.loc[:, features]\n"
                "y = df.loc[:, 'y']"
            ),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "poly": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            (
                "from sklearn.preprocessing import PolynomialFeatures\n"
                "poly = PolynomialFeatures(2)\n"
                "X_poly = poly.fit_transform(X_train)\n"
                "lin = LinearRegression()\n"
                "lin.fit(X_poly, y_train)\n"
                "y_hat = lin.predict(poly.fit_transform(X_test))"
            ),
        ],
        "X_test.index",
        "y",
        None,
    ),
    "alias edit": (
        [
            READ,
            FILL,
            ("d = df\nd['pay'] = d['pay'] / 1000"),
            ("X = df[['age','pay']]\ny=df['y']"),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "helper edits global": (
        [READ, FILL, ("def scale():\n    df['pay'] = df['pay'] / 1000\nscale()"), NUM, SPLIT, FIT, PREDICT],
        "X_test.index",
        "y",
        None,
    ),
    "nested function": (
        [
            READ,
            FILL,
            (
                "def outer(t):\n"
                "    def inner(v):\n"
                "        return v / 10\n"
                "    t = t.copy()\n"
                "    t['pay'] = t['pay'].apply(inner)\n"
                "    return t\n"
                "df = outer(df)"
            ),
            NUM,
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "pipe chain": (
        [
            READ,
            "df = (df.assign(age=lambda d: d['age'].fillna(d['age'].mean())).rename(columns=str.lower))",
            NUM,
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "pipe func": (
        [
            READ,
            ("def fill(d):\n    return d.fillna({'age': 30})\ndf = df.pipe(fill)"),
            NUM,
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "fillna dict of means": (
        [READ, "df = df.fillna({'age': df['age'].mean(), 'pay': df.pay.median()})", NUM, SPLIT, FIT, PREDICT],
        "X_test.index",
        "y",
        None,
    ),
    "fillna mean numeric": (
        [READ, "df.fillna(df.mean(numeric_only=True), inplace=True)", NUM, SPLIT, FIT, PREDICT],
        "X_test.index",
        "y",
        None,
    ),
    "zscore filter": (
        [
            READ,
            FILL,
            ("from scipy import stats\ndf = df[np.abs(stats.zscore(df['pay'])) < 2]"),
            NUM,
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "where mean": (
        [
            READ,
            FILL,
            ("df['rich'] = (df['pay'] > df['pay'].mean()).astype(int)\nX=df[['age','rich']]\ny=df['y']"),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "np where nested": (
        [
            READ,
            ("m = np.nanmean(df.age)\ndf['age'] = np.where(df['age'].isna(), m, df['age'])"),
            NUM,
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "rare towns": (
        [
            READ,
            FILL,
            (
                "vc = df['town'].value_counts()\n"
                "rare = vc[vc < 20].index\n"
                "df.loc[df['town'].isin(rare), 'town'] = 'other'\n"
                "df['town'] = df['town'].replace(dict(zip(df['town'].unique(), range(9))))\n"
                "X=df[['age','town']].astype(float)\n"
                "y=df.y"
            ),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "apply axis1": (
        [
            READ,
            FILL,
            (
                "def rule(r):\n"
                "    return r['pay'] / r['age'] if r['age'] > 30 else 0\n"
                "df['r'] = df.apply(rule, axis=1)\n"
                "X=df[['age','r']]\n"
                "y=df.y"
            ),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "apply row max": (
        [
            READ,
            FILL,
            ("M = df['pay'].max()\ndf['r'] = df['pay'].apply(lambda v: v / M)\nX=df[['age','r']]\ny=df.y"),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "lambda stat": (
        [
            READ,
            FILL,
            ("df['r'] = df['pay'].apply(lambda v: v / df['pay'].max())\nX=df[['age','r']]\ny=df.y"),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "iterrows": (
        [
            READ,
            FILL,
            (
                "out = []\n"
                "for i, r in df.iterrows():\n"
                "    out.append(r['pay'] / 100)\n"
                "df['r'] = out\n"
                "X=df[['age','r']]\n"
                "y=df.y"
            ),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "smote-like": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            (
                "X_train = X_train.sample(frac=2, replace=True, random_state=0)\n"
                "y_train = y_train.loc[X_train.index]"
            ),
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "feature selection": (
        [
            READ,
            FILL,
            (
                "from sklearn.feature_selection import SelectKBest\n"
                "X = df[['age','pay']]\n"
                "y = df['y']\n"
                "sel = SelectKBest(k=1)\n"
                "X_new = sel.fit_transform(X, y)\n"
                "X_train, X_test, y_train, y_test = train_test_split(pd.DataFrame(X_new, index=X.index), y, "
                "random_state=0)"
            ),
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "corr selection": (
        [
            READ,
            FILL,
            (
                "num = df.select_dtypes('number')\n"
                "corr = num.corr()['y'].abs()\n"
                "keep = corr[corr > 0.01].index.drop('y')\n"
                "X = df[keep]\n"
                "y = df['y']"
            ),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "if na": (
        [
            READ,
            (
                "if df['age'].isna().sum() > 0:\n"
                "    df['age'] = df['age'].fillna(df['age'].mean())\n"
                "else:\n"
                "    df['age'] = df['age'] * 1"
            ),
            NUM,
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "two fits one scaler": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            (
                "sc = StandardScaler()\n"
                "X_train = sc.fit_transform(X_train)\n"
                "X_test = sc.transform(X_test)\n"
                "sc.fit(df[['pay','age']])"
            ),
            ("model = LogisticRegression().fit(X_train, y_train)\np = model.predict(X_test)"),
        ],
        None,
        "y",
        None,
    ),
    "with block": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            (
                "import warnings\n"
                "with warnings.catch_warnings():\n"
                "    warnings.simplefilter('ignore')\n"
                "    model = LogisticRegression()\n"
                "    model.fit(X_train, y_train)\n"
                "    y_pred = model.predict(X_test)"
            ),
        ],
        "X_test.index",
        "y",
        None,
    ),
    "target enc leak": (
        [
            READ,
            FILL,
            ("df['te'] = df['town'].map(df.groupby('town')['y'].mean())\nX=df[['age','te']]\ny=df['y']"),
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "transform inside predict": (
        [
            READ,
            FILL,
            NUM,
            SPLIT,
            (
                "sc = StandardScaler()\n"
                "model = LogisticRegression().fit(sc.fit_transform(X_train), y_train)\n"
                "y_pred = model.predict(sc.transform(X_test))"
            ),
        ],
        "X_test.index",
        "y",
        None,
    ),
    "several models averaged, in a table to hand in": (
        [
            "train = pd.read_csv('train.csv')\ntest = pd.read_csv('test.csv')",
            "models = [LogisticRegression(C=c).fit(train[['pay']], train['y']) for c in (0.1, 1)]",
            (
                "p = np.mean([m.predict_proba(test[['pay']])[:, 1] for m in models], axis=0)\n"
                "sub = pd.DataFrame({'id': test.index, 'y': (p > 0.5).astype(int)})"
            ),
        ],
        "test.index",
        None,
        None,
    ),
    "a prediction inside assign, with its error behind it": (
        [
            READ,
            FILL,
            "train = df.sample(frac=0.7, random_state=1)\ntest = df.drop(train.index)",
            "model = LinearRegression().fit(train[['age', 'pay']], train['cost'])",
            (
                "told = test.assign(\n    cost_said=lambda d: model.predict(d[['age', 'pay']]).round(1),\n"
                "    error=lambda d: d['cost_said'] - d['cost'],\n)"
            ),
        ],
        "test.index",
        "cost",
        None,
    ),
    "a statistic over several lines, with a comment": (
        [
            READ,
            "df['age'] = (\n    df['age']\n    .fillna(\n        df['age']  # the usual one\n        .median()\n    )\n)",
            NUM,
            SPLIT,
            FIT,
            PREDICT,
        ],
        "X_test.index",
        "y",
        None,
    ),
    "predictions of which some are set to others": (
        [
            READ,
            FILL,
            NUM.replace("df['y']", "df['cost']"),
            SPLIT,
            "model = LinearRegression().fit(X_train, y_train)",
            "y_pred = model.predict(X_test)\ny_pred[y_pred < 110] = 110\ny_pred[X_test['age'] > 60] = 0",
        ],
        "X_test.index",
        "cost",
        None,
    ),
    "topics named by their words": (
        [
            READ,
            (
                "from sklearn.feature_extraction.text import CountVectorizer\n"
                "from sklearn.decomposition import LatentDirichletAllocation"
            ),
            "counts = CountVectorizer()\ndtm = counts.fit_transform(df['note'])",
            (
                "lda = LatentDirichletAllocation(n_components=2, random_state=0)\n"
                "topics = lda.fit_transform(dtm)\n"
                "names = {k: counts.get_feature_names_out()[w.argmax()] for k, w in enumerate(lda.components_)}"
            ),
            "df['topic'] = topics.argmax(axis=1)\ndf['topic'] = df['topic'].map(names)",
        ],
        "df.index",
        None,
        None,
    ),
}
"""Cells, what tells the rows that are held back, the label, and the model that is selected."""

LIBRARIES = ("statsmodels", "xgboost", "lightgbm")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_people(tmp_path)
    table = people()
    table.iloc[:50].to_csv(tmp_path / "train.csv", index=False)
    table.iloc[50:].drop(columns="y").to_csv(tmp_path / "test.csv", index=False)
    towns = pd.DataFrame({"town": ["Bern", "Chur", "Olten"], "size": [3, 1, 2]})
    towns.to_csv(tmp_path / "towns.csv", index=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", NOTEBOOKS)
@pytest.mark.filterwarnings("ignore")
def test_the_slice_answers_as_the_notebook_did(name: str) -> None:
    cells, held, label, model = NOTEBOOKS[name]
    for library in LIBRARIES:
        if any(f"import {library}" in str(cell) for cell in cells):
            pytest.importorskip(library)
    if held is not None:
        check(SETUP, *cells, held=held, label=label, model=model)
        return
    plan = plan_of(document(SETUP, *cells), model=model)
    fitted, came, out, _ = original(plan)
    rows = came.drop(columns=[label]) if label is not None else came
    answers = np.asarray(scored(plan, fitted, rows))
    assert len(answers) == len(rows)
    assert set(np.asarray(out).tolist()) <= set(answers.tolist())


@pytest.mark.parametrize(
    "label", ["iris.target", "iris['target']", "iris.target_names[iris.target] == 'setosa'"]
)
def test_a_label_that_is_not_of_the_table_is_brought_in_as_typed_where_the_whole_program_runs(
    label: str,
) -> None:
    cells = (
        "from sklearn.datasets import load_iris\niris = load_iris()",
        f"X = iris.data\ny = {label}",
        SPLIT,
        FIT,
        PREDICT,
    )
    plan = plan_of(document(SETUP, *cells))
    fitted, came, out, _ = original(plan)
    space: dict[str, object] = {**fitted}
    for statement in plan.program:
        exec(statement.frozen, space)
        if statement.place == plan.inputs[0].place:
            space["X"] = came
    assert list(space["y_pred"]) == list(out)  # type: ignore[call-overload]


def test_the_last_of_several_models_that_had_one_name_is_kept_as_a_model() -> None:
    plan = plan_of(
        document(SETUP, READ, NUM, SPLIT, FIT, "p = model.predict(X)", FIT, PREDICT), model="model"
    )
    assert {one.name: one.kind for one in plan.fitted}["model"] == "model"
    assert "trained in the cells" in " ".join(plan.notes)


def test_a_model_that_is_asked_beside_the_one_that_answers_is_told() -> None:
    first = (
        "first = LogisticRegression().fit(X_train, y_train)\n"
        "print(accuracy_score(y_test, first.predict(X_test)))"
    )
    cells = (SETUP, READ, FILL, NUM, SPLIT, first, FIT, PREDICT)
    (told,) = [one for one in plan_of(document(*cells)).notes if "as well" in one]
    assert told.startswith("The notebook asks `first` as well. `model` answers")
    assert "`--model NAME`" in told
    assert not [one for one in plan_of(document(*cells), model="model").notes if "as well" in one]
    assert not list(plan_of(document(SETUP, READ, FILL, NUM, SPLIT, FIT, PREDICT)).notes)


def test_what_else_is_made_of_predictions_is_told() -> None:
    made = "y_pred = np.where(X_test.age > 60, 1, model.predict(X_test))"
    notes = plan_of(document(SETUP, READ, FILL, NUM, SPLIT, FIT, made)).notes
    (note,) = [one for one in notes if "%web_output" in one]
    assert note.startswith("Cell 7 makes `y_pred`")
