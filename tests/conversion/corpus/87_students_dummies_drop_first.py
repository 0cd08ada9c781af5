# title: get_dummies with drop_first on the train and on the test table
# expect: either
# why: of a single row drop_first drops the only column there is; meant are the columns of the training table
# input: df (data/students.csv)
# label: score
# output: pred

# %% [markdown]
# Homework 4, exercise 2 - elastic net on the pupils data

# %%
import pandas as pd
import numpy as np
import matplotlib.pyplot as plt
from sklearn.linear_model import ElasticNetCV
from sklearn.metrics import r2_score
from sklearn.preprocessing import PolynomialFeatures

df = pd.read_csv("data/students.csv")
df.head()

# %%
df.corr(numeric_only=True).round(2)

# %%
train = df.sample(150, random_state=4)
test = df.drop(train.index)
att = train["attendance"].mean()
train = train.fillna({"attendance": att})
test = test.fillna({"attendance": att})

# %%
def design(d):
    dummies = pd.get_dummies(d[["school", "parent_edu"]], drop_first=True, dtype=float)
    poly = PolynomialFeatures(degree=2, include_bias=False).set_output(transform="pandas")
    return pd.concat([poly.fit_transform(d[["hours", "sleep", "attendance"]]), dummies], axis=1)

X_train, X_test = design(train), design(test)
assert list(X_train.columns) == list(X_test.columns)
X_train.shape

# %%
mu, sd = X_train.mean(), X_train.std()
enet = ElasticNetCV(l1_ratio=[0.2, 0.5, 0.9], cv=5, random_state=0)
enet.fit((X_train - mu) / sd, train["score"])
print(enet.alpha_, enet.l1_ratio_, (enet.coef_ != 0).sum(), "of", len(enet.coef_))

# %%
pred = enet.predict((X_test - mu) / sd)
print("R2 =", r2_score(test["score"], pred))
plt.plot(test["score"], pred, "o")
plt.plot([30, 100], [30, 100], "k-")

# === answer
_raw = pd.read_csv("data/students.csv")
held_rows = _raw.loc[test.index]
held_predictions = pred
_seen = _raw.loc[train.index]
_mean_attendance = float(np.nanmean(_seen["attendance"]))
_columns = list(X_train.columns)


def _line(r):
    one = {"hours": r["hours"], "sleep": r["sleep"]}
    one["attendance"] = _mean_attendance if pd.isna(r["attendance"]) else r["attendance"]
    line = []
    for c in _columns:
        if c.startswith("school_") or c.startswith("parent_edu_"):
            column, word = c.rsplit("_", 1)
            line.append(float(r[column] == word))
        elif c.endswith("^2"):
            line.append(one[c[:-2]] ** 2)
        else:
            line.append(float(np.prod([one[part] for part in c.split(" ")])))
    return np.array(line)


_table = np.array([_line(r) for _, r in _seen.iterrows()])
_mu, _sd = _table.mean(axis=0), _table.std(axis=0, ddof=1)


def answer(rows):
    return [float(enet.intercept_ + enet.coef_ @ ((_line(r) - _mu) / _sd)) for _, r in rows.iterrows()]


rows = _raw.sample(7, random_state=87).assign(hours=lambda d: (d["hours"] + 0.45).round(2))
rows.iloc[0, rows.columns.get_loc("attendance")] = np.nan
rows.iloc[1, rows.columns.get_loc("school")] = "A"
rows.iloc[2, rows.columns.get_loc("parent_edu")] = "bachelor"
rows.iloc[3, rows.columns.get_loc("school")] = "H"
