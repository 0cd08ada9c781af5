# title: Titanic with two transformers of one's own in a pipeline
# expect: converts
# why: the transformers learn frequent titles and median ages in fit, which are attributes of the fitted pipeline
# input: df (data/titanic.csv)
# label: Survived
# output: survived

# %%
import pandas as pd
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split, cross_val_score
from sklearn.pipeline import make_pipeline

# %%
df = pd.read_csv("data/titanic.csv")
df.sample(5, random_state=0)

# %%
df.isnull().mean().sort_values(ascending=False).head()

# %% [markdown]
# ## My transformers
# (after chapter 2 of the book with the lizard)

# %%
class TitleAdder(BaseEstimator, TransformerMixin):
    def __init__(self, min_count=5):
        self.min_count = min_count

    def _titles(self, X):
        return X["Name"].str.split(",").str[1].str.split(".").str[0].str.strip()

    def fit(self, X, y=None):
        counts = self._titles(X).value_counts()
        self.common_ = list(counts[counts >= self.min_count].index)
        return self

    def transform(self, X):
        X = X.copy()
        t = self._titles(X)
        X["Title"] = t.where(t.isin(self.common_), "Rare")
        return X


class GroupMedianImputer(BaseEstimator, TransformerMixin):
    """fill `column` with the median of the group, unknown group -> overall median"""

    def __init__(self, column, by):
        self.column = column
        self.by = by

    def fit(self, X, y=None):
        self.medians_ = X.groupby(self.by)[self.column].median().to_dict()
        self.overall_ = X[self.column].median()
        return self

    def transform(self, X):
        X = X.copy()
        guess = X[self.by].map(self.medians_).fillna(self.overall_)
        X[self.column] = X[self.column].fillna(guess)
        return X


class Numbers(BaseEstimator, TransformerMixin):
    def fit(self, X, y=None):
        self.titles_ = sorted(X["Title"].unique())
        return self

    def transform(self, X):
        out = X[["Pclass", "Age", "SibSp", "Parch"]].copy()
        out["logfare"] = np.log(X["Fare"] + 1)
        out["female"] = X["Sex"].eq("female") * 1
        out["deck"] = X["Cabin"].str[0].map({"A": 1, "B": 2, "C": 3, "D": 4, "E": 5}).fillna(0)
        out["S"] = X["Embarked"].eq("S") * 1
        for t in self.titles_:
            out["title_" + t] = X["Title"].eq(t) * 1
        return out

# %%
# try them
step1 = TitleAdder().fit_transform(df)
print(step1["Title"].value_counts())
step2 = GroupMedianImputer("Age", "Title").fit_transform(step1)
step2["Age"].isna().sum()

# %%
train_set, test_set = train_test_split(df, test_size=0.2, random_state=42, stratify=df["Survived"])

pipe = make_pipeline(
    TitleAdder(min_count=6),
    GroupMedianImputer("Age", "Title"),
    Numbers(),
    RandomForestClassifier(n_estimators=40, max_depth=5, random_state=42),
)
print(cross_val_score(pipe, train_set, train_set["Survived"], cv=3))
pipe.fit(train_set, train_set["Survived"])

# %%
survived = pipe.predict(test_set)
print("test accuracy:", (survived == test_set["Survived"]).mean())

# %%
imp = pipe[-1].feature_importances_
for n, i in sorted(zip(pipe[-1].feature_names_in_, imp), key=lambda x: -x[1])[:5]:
    print(f"{n:15s}{i:.3f}")

# === answer
import statistics
from collections import Counter

_raw = pd.read_csv("data/titanic.csv")
held_rows = _raw.loc[test_set.index]
held_predictions = survived


def _said(name):
    return name.split(",")[1].split(".")[0].strip()


_seen = _raw.loc[train_set.index]
_often = {t for t, n in Counter(map(_said, _seen["Name"])).items() if n >= 6}
_ages = {}
for _, _r in _seen.dropna(subset=["Age"]).iterrows():
    _ages.setdefault(_said(_r["Name"]) if _said(_r["Name"]) in _often else "Rare", []).append(_r["Age"])
_age = {t: statistics.median(v) for t, v in _ages.items()}
_any_age = statistics.median(_seen["Age"].dropna())
_forest = pipe[-1]
_titles = [n[6:] for n in _forest.feature_names_in_ if n.startswith("title_")]


def answer(rows):
    table = []
    for _, r in rows.iterrows():
        title = _said(r["Name"]) if _said(r["Name"]) in _often else "Rare"
        age = _age.get(title, _any_age) if pd.isna(r["Age"]) else r["Age"]
        deck = 0 if pd.isna(r["Cabin"]) else " ABCDE".find(r["Cabin"][0])
        line = [r["Pclass"], age, r["SibSp"], r["Parch"], np.log(r["Fare"] + 1), r["Sex"] == "female", max(deck, 0), r["Embarked"] == "S"]
        table.append([float(v) for v in line] + [float(title == t) for t in _titles])
    return _forest.predict(pd.DataFrame(table, columns=_forest.feature_names_in_)).tolist()


rows = pd.DataFrame(
    {
        "PassengerId": range(951, 958),
        "Pclass": [1, 3, 2, 3, 1, 2, 3],
        "Name": [
            "Moss, Mrs. Ida", "Kern, Mr. Ole", "Vale, Master. Tim", "Zorn, Rev. Max", "Lund, Dr. Uwe", "Abt, Miss. Lea", "Ito, Mr. Ken",
        ],
        "Sex": ["female", "male", "male", "male", "male", "female", "male"],
        "Age": [38.0, np.nan, np.nan, 49.0, np.nan, np.nan, 22.0],
        "SibSp": [1, 0, 2, 0, 0, 1, 4],
        "Parch": [0, 0, 1, 0, 0, 2, 1],
        "Fare": [71.28, 7.9, 26.1, 12.4, 30.5, 19.0, 8.05],
        "Cabin": ["C85", None, None, "F2", "A12", None, None],
        "Embarked": ["C", "S", None, "Q", "S", "C", "S"],
    }
)  # fmt: skip
