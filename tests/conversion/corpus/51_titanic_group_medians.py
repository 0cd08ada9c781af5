# title: Ages filled with the median of class and sex by transform
# expect: either
# why: the medians of the groups were learned from all rows; computed again on a request's rows they would be others
# input: df (data/titanic.csv)
# label: Survived
# output: p

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data/titanic.csv")
df["Age"] = df["Age"].fillna(df.groupby(["Pclass", "Sex"])["Age"].transform("median"))
df["FarePerHead"] = df["Fare"] / (df["SibSp"] + df["Parch"] + 1)
df["ClassMeanFare"] = df.groupby("Pclass")["Fare"].transform("mean")
df["Dear"] = (df["Fare"] > df["ClassMeanFare"]).astype(int)
df["Female"] = (df["Sex"] == "female").astype(int)

# %%
f = ["Age", "FarePerHead", "Dear", "Female", "Pclass"]
lr = LogisticRegression(max_iter=2000).fit(df[f], df["Survived"])
p = lr.predict_proba(df[f])[:, 1]
((p > .5) == df["Survived"]).mean()

# === answer
import math
import numpy as np

_raw = pd.read_csv("data/titanic.csv")
held_rows = _raw
held_predictions = p
_age = {
    (k, s): float(np.nanmedian(_raw.loc[(_raw["Pclass"] == k) & (_raw["Sex"] == s), "Age"]))
    for k in (1, 2, 3)
    for s in ("male", "female")
}
_fare = {k: float(_raw.loc[_raw["Pclass"] == k, "Fare"].mean()) for k in (1, 2, 3)}


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        age = _age[r["Pclass"], r["Sex"]] if pd.isna(r["Age"]) else r["Age"]
        x = [age, r["Fare"] / (1 + r["SibSp"] + r["Parch"]), r["Fare"] > _fare[r["Pclass"]], r["Sex"] == "female", r["Pclass"]]
        z = float(np.dot(lr.coef_[0], np.array(x, dtype=float)) + lr.intercept_[0])
        out.append(1 / (1 + math.exp(-z)))
    return out


rows = _raw.sample(5, random_state=71).assign(Fare=lambda d: d["Fare"] + 6.5)
rows.iloc[0, rows.columns.get_loc("Age")] = np.nan
rows.iloc[1, rows.columns.get_loc("Age")] = np.nan
