# title: A model of its own for each kind of contract
# expect: converts
# why: which of three fitted models answers is decided by a column of the row
# input: churn (data/churn.csv)
# label: Churn
# output: test["p"]

# %%
import pandas as pd
import numpy as np
from sklearn.linear_model import LogisticRegression

churn = pd.read_csv("data/churn.csv")
churn["y"] = (churn["Churn"] == "Yes").astype(int)
churn["fiber"] = churn["InternetService"].str.startswith("Fiber").astype(int)
churn["echeck"] = churn["PaymentMethod"].str.contains("Electronic").astype(int)
churn["log_tenure"] = np.log1p(churn["tenure"])
num = ["log_tenure", "fiber", "echeck", "SeniorCitizen"]

train, test = churn[:190], churn[190:].copy()

# %%
models = {}
for contract, part in train.groupby("Contract"):
    models[contract] = LogisticRegression(C=2.0).fit(part[num], part["y"])
    print(contract, len(part), models[contract].score(part[num], part["y"]))

# %%
def score_row(row):
    model = models[row["Contract"]]
    return model.predict_proba(row[num].to_frame().T.astype(float))[0, 1]

test["p"] = test.apply(score_row, axis=1)
test["bucket"] = pd.cut(test["p"], [0, 0.3, 0.7, 1], labels=["low", "mid", "high"])
test.groupby("bucket", observed=True)["y"].agg(["mean", "size"])

# === answer
_raw = pd.read_csv("data/churn.csv")
held_rows = _raw.iloc[190:]
held_predictions = test["p"].to_numpy()


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        m = models[r["Contract"]]
        x = [np.log(1 + r["tenure"]), r["InternetService"][:5] == "Fiber", "Electronic" in r["PaymentMethod"], r["SeniorCitizen"]]
        z = float(np.dot(m.coef_[0], np.array(x, dtype=float)) + m.intercept_[0])
        out.append(1 / (1 + np.exp(-z)))
    return out


rows = _raw.sample(6, random_state=51).assign(tenure=lambda d: d["tenure"] + 1)
rows.iloc[0, rows.columns.get_loc("Contract")] = "Month-to-month"
rows.iloc[1, rows.columns.get_loc("Contract")] = "One year"
rows.iloc[2, rows.columns.get_loc("Contract")] = "Two year"
