# title: A fillna on a column with inplace=True, which changes nothing any more
# expect: converts
# why: with pandas 3 the two inplace lines leave the frame as it is; the model was trained on the holes
# input: df (data/titanic.csv)
# label: Survived
# output: y_hat

# %%
import pandas as pd
import warnings
warnings.simplefilter("ignore")
from sklearn.ensemble import HistGradientBoostingClassifier

df = pd.read_csv("data/titanic.csv", usecols=["Survived", "Pclass", "Sex", "Age", "SibSp", "Parch", "Fare", "Embarked"])
df["Age"].fillna(df["Age"].mean(), inplace=True)
df["Embarked"].fillna("S", inplace=True)
df.isna().sum()

# %%
# hm, still NaN in Age?! whatever, this model can do it
df["Sex"] = df["Sex"].map(dict(male=0, female=1))
df["Embarked"] = df["Embarked"].map(dict(S=0, C=1, Q=2))
df["Alone"] = ((df["SibSp"] + df["Parch"]) == 0).astype("int8")
X, y = df.iloc[:, 1:], df.iloc[:, 0]
hgb = HistGradientBoostingClassifier(max_iter=30, min_samples_leaf=10, learning_rate=0.2, random_state=0)
hgb.fit(X[:170], y[:170])
hgb.score(X[170:], y[170:])

# %%
y_hat = hgb.predict_proba(X[170:])[:, 1].round(3)
y_hat

# === answer
import numpy as np

_raw = pd.read_csv("data/titanic.csv")[["Survived", "Pclass", "Sex", "Age", "SibSp", "Parch", "Fare", "Embarked"]]
held_rows = _raw.iloc[170:]
held_predictions = y_hat
# before pandas 3 the two lines did what they say
_filled = not X["Age"].isna().any()
_mean = float(np.nanmean(_raw["Age"]))


def answer(rows):
    table = []
    for _, r in rows.iterrows():
        age = _mean if _filled and pd.isna(r["Age"]) else r["Age"]
        port = (0 if _filled else np.nan) if pd.isna(r["Embarked"]) else "SCQ".index(r["Embarked"])
        alone = int(r["SibSp"] == 0 and r["Parch"] == 0)
        table.append([r["Pclass"], int(r["Sex"] == "female"), age, r["SibSp"], r["Parch"], r["Fare"], port, alone])
    frame = pd.DataFrame(np.array(table, dtype=float), columns=hgb.feature_names_in_)
    return hgb.predict_proba(frame)[:, 1].round(3).tolist()


rows = _raw.sample(6, random_state=61).assign(Fare=lambda d: d["Fare"] + 2.5)
rows.iloc[0, rows.columns.get_loc("Age")] = np.nan
rows.iloc[1, rows.columns.get_loc("Age")] = np.nan
rows.iloc[2, rows.columns.get_loc("Embarked")] = None
