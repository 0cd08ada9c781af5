# title: One prep() for both tables, which takes the medians of whatever it gets
# expect: either
# why: the test table was filled with its own medians; kept as numbers they answer as the notebook did, taken of a request they would not
# input: test (data/titanic/test.csv); train (data/titanic/train.csv) only to learn from
# label: Survived
# output: sub["Survived"]

# %%
import pandas as pd
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

train = pd.read_csv("data/titanic/train.csv")
test = pd.read_csv("data/titanic/test.csv")

# %%
def prep(d):
    d = d.copy()
    d["Age"] = d["Age"].fillna(d["Age"].median())
    d["Fare"] = d["Fare"].fillna(d["Fare"].mean())
    d["Embarked"] = d["Embarked"].fillna(d["Embarked"].mode()[0])
    d["male"] = (d["Sex"] == "male").astype(int)
    d["child"] = (d["Age"] < 15).astype(int)
    d["family"] = d["SibSp"] + d["Parch"]
    d["cherbourg"] = (d["Embarked"] == "C").astype(int)
    return d[["Pclass", "male", "Age", "child", "family", "Fare", "cherbourg"]]

X = prep(train)
y = train["Survived"]
X.isna().sum().sum()

# %%
svc = make_pipeline(StandardScaler(), SVC(C=2.0, gamma=0.1))
svc.fit(X, y)
svc.score(X, y)

# %%
sub = pd.DataFrame({"PassengerId": test["PassengerId"], "Survived": svc.predict(prep(test))})
sub.to_csv("submission.csv", index=False)
sub["Survived"].mean()

# === answer
import math
import statistics

_seen = pd.read_csv("data/titanic/train.csv")
held_rows = pd.read_csv("data/titanic/test.csv")
held_predictions = sub["Survived"].to_numpy()


def _person(r, age, port):
    age = age if pd.isna(r["Age"]) else r["Age"]
    port = port if pd.isna(r["Embarked"]) else r["Embarked"]
    line = [r["Pclass"], r["Sex"] == "male", age, age < 15, r["SibSp"] + r["Parch"], r["Fare"], port == "C"]
    return np.array(line, dtype=float)


def _usual(frame):
    return statistics.median(frame["Age"].dropna()), statistics.mode(frame["Embarked"].dropna())


_known = np.array([_person(r, *_usual(_seen)) for _, r in _seen.iterrows()])
_mean, _std = _known.mean(axis=0), _known.std(axis=0)
_of_test = _usual(held_rows)
_svm = svc[-1]


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        z = (_person(r, *_of_test) - _mean) / _std
        far = ((_svm.support_vectors_ - z) ** 2).sum(axis=1)
        value = sum(a * math.exp(-0.1 * f) for a, f in zip(_svm.dual_coef_[0], far)) + _svm.intercept_[0]
        out.append(int(value > 0))
    return out


rows = held_rows.sample(8, random_state=86).assign(Fare=lambda d: d["Fare"] + 3.25)
rows.iloc[0, rows.columns.get_loc("Age")] = np.nan
rows.iloc[1, rows.columns.get_loc("Age")] = np.nan
rows.iloc[2, rows.columns.get_loc("Embarked")] = None
rows.iloc[3, rows.columns.get_loc("Sex")] = "female"
