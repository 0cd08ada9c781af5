# title: A cell that fails in the middle and harms nothing
# expect: converts
# why: the failing cell asks for a column that is gone, only to look at it
# fails: 3
# input: titanic (data/titanic.csv)
# label: Survived
# output: out["prob"]

# %%
import pandas as pd
import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.ensemble import RandomForestClassifier
titanic = pd.read_csv("data/titanic.csv")
titanic = titanic.drop(["Cabin", "Name", "PassengerId"], axis=1)

# %%
imp = SimpleImputer(strategy="mean")
titanic[["Age", "Fare"]] = imp.fit_transform(titanic[["Age", "Fare"]])
titanic["Embarked"] = titanic["Embarked"].fillna("S")

# %%
print(titanic["Cabin"].str[0].value_counts())
titanic["Cabin"].isna().mean()

# %%
X = pd.DataFrame()
X["male"] = [1 if s == "male" else 0 for s in titanic["Sex"]]
X["age"] = titanic["Age"]
X["fare"] = np.log1p(titanic["Fare"])
X["family"] = titanic["SibSp"] + titanic["Parch"]
X["pclass"] = titanic["Pclass"]
for port in ["S", "C", "Q"]:
    X["from_" + port] = (titanic["Embarked"] == port).astype(int)
y = titanic["Survived"].values

# %%
rf = RandomForestClassifier(25, max_depth=5, random_state=2)
rf.fit(X[:180], y[:180])
out = pd.DataFrame({"prob": rf.predict_proba(X[180:])[:, 1], "y": y[180:]})
out.groupby(out["prob"] > 0.5)["y"].mean()

# === answer
_raw = pd.read_csv("data/titanic.csv")
held_rows = _raw.iloc[180:]
held_predictions = out["prob"]
_age, _fare = float(np.nanmean(_raw["Age"])), float(np.nanmean(_raw["Fare"]))


def answer(rows):
    table = []
    for _, r in rows.iterrows():
        port = "S" if pd.isna(r["Embarked"]) else r["Embarked"]
        table.append(
            [
                int(r["Sex"] == "male"),
                _age if pd.isna(r["Age"]) else r["Age"],
                np.log1p(_fare if pd.isna(r["Fare"]) else r["Fare"]),
                r["SibSp"] + r["Parch"],
                r["Pclass"],
                int(port == "S"),
                int(port == "C"),
                int(port == "Q"),
            ]
        )
    return np.mean([tree.predict_proba(np.array(table, dtype=float))[:, 1] for tree in rf.estimators_], axis=0).tolist()


rows = _raw.sample(6, random_state=30).assign(Fare=lambda d: d["Fare"] + 1.25)
rows.iloc[0, rows.columns.get_loc("Age")] = np.nan
rows.iloc[1, rows.columns.get_loc("Embarked")] = None
rows.iloc[2, rows.columns.get_loc("Fare")] = np.nan
