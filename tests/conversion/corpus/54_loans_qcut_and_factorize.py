# title: Quartiles by qcut and codes by factorize
# expect: either
# why: the edges and the codes were learned from the whole table, though no fitted object holds them
# input: ln (data/loans.csv)
# label: Loan_Status
# output: ok

# %%
import pandas as pd
from sklearn.tree import DecisionTreeClassifier
ln = pd.read_csv("data/loans.csv")
ln["hist"] = ln["Credit_History"].fillna(-1)
ln["income_q"] = pd.qcut(ln["ApplicantIncome"], 4, labels=False)
ln["area"], area_names = pd.factorize(ln["Property_Area"])
ln["edu"] = ln["Education"].factorize()[0]
ln["y"] = ln["Loan_Status"].map({"Y": True, "N": False})

# %%
cols = ["hist", "income_q", "area", "edu"]
t = DecisionTreeClassifier(random_state=6).fit(ln.loc[:199, cols], ln.loc[:199, "y"])
ok = t.predict(ln.loc[200:, cols])
print(area_names, (ok == ln.loc[200:, "y"]).mean())

# === answer
import numpy as np

_raw = pd.read_csv("data/loans.csv")
held_rows = _raw.loc[[*range(200, len(_raw)), *range(200)]]
held_predictions = np.concatenate([ok, t.predict(ln.loc[:199, cols])])
_edges = np.percentile(_raw["ApplicantIncome"], [25, 50, 75])
_areas, _schools = list(dict.fromkeys(_raw["Property_Area"])), list(dict.fromkeys(_raw["Education"]))


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        x = [
            -1.0 if pd.isna(r["Credit_History"]) else r["Credit_History"],
            sum(r["ApplicantIncome"] > edge for edge in _edges),
            _areas.index(r["Property_Area"]),
            _schools.index(r["Education"]),
        ]
        tree, node = t.tree_, 0
        while tree.children_left[node] != -1:
            small = np.float32(x[tree.feature[node]]) <= tree.threshold[node]
            node = tree.children_left[node] if small else tree.children_right[node]
        out.append(bool(t.classes_[tree.value[node][0].argmax()]))
    return out


rows = _raw.sample(8, random_state=81).assign(ApplicantIncome=lambda d: (d["ApplicantIncome"] * 1.01).round().astype(int))
rows["ApplicantIncome"] = rows["ApplicantIncome"].clip(_raw["ApplicantIncome"].min(), _raw["ApplicantIncome"].max())
rows.iloc[0, rows.columns.get_loc("Credit_History")] = np.nan
rows.iloc[1, rows.columns.get_loc("Credit_History")] = 0.0
