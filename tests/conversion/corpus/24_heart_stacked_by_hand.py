# title: A stacked ensemble written by hand with folds
# expect: converts
# why: the base models are fitted again on all training rows, the meta model on their out-of-fold probabilities
# input: df (data/heart.csv, separated by semicolons)
# label: target
# output: meta_pred

# %%
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

df = pd.read_csv("data/heart.csv", sep=";").dropna()
df["cp"] = df["cp"].astype("category").cat.codes
train, test = train_test_split(df, test_size=0.3, random_state=4)
feats = [c for c in df.columns if c != "target"]

# %%
base = [
    RandomForestClassifier(n_estimators=20, max_depth=4, random_state=4),
    GaussianNB(),
    KNeighborsClassifier(9),
]
oof = np.zeros((len(train), len(base)))
kf = KFold(n_splits=4, shuffle=True, random_state=4)
for j, b in enumerate(base):
    for tr, va in kf.split(train):
        m = clone(b)
        m.fit(train[feats].iloc[tr], train["target"].iloc[tr])
        oof[va, j] = m.predict_proba(train[feats].iloc[va])[:, 1]
pd.DataFrame(oof).corr()

# %%
meta = LogisticRegression()
meta.fit(oof, train["target"])
fitted = [clone(b).fit(train[feats], train["target"]) for b in base]

# %%
level1 = np.column_stack([m.predict_proba(test[feats])[:, 1] for m in fitted])
meta_pred = meta.predict(level1)
print("stack", (meta_pred == test["target"]).mean())
for b, col in zip(base, level1.T):
    print(type(b).__name__, ((col > 0.5) == test["target"]).mean())

# === answer
_raw = pd.read_csv("data/heart.csv", sep=";")
held_rows = _raw.loc[test.index]
held_predictions = meta_pred


def answer(rows):
    order = ["asymptomatic", "atypical", "non-anginal", "typical"]
    x = rows[["age", "sex", "trestbps", "chol", "thalach", "oldpeak"]].astype(float)
    x.insert(2, "cp", [order.index(v) for v in rows["cp"]])
    p = [m.predict_proba(x)[:, list(m.classes_).index(1)] for m in fitted]
    z = sum(meta.coef_[0][j] * p[j] for j in range(3)) + meta.intercept_[0]
    return (z > 0).astype(int).tolist()


rows = _raw.dropna().sample(7, random_state=18).assign(thalach=lambda d: d["thalach"] - 2)
rows.iloc[0, rows.columns.get_loc("cp")] = "asymptomatic"
rows.iloc[1, rows.columns.get_loc("cp")] = "typical"
