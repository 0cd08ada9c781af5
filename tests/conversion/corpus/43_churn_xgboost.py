# title: XGBoost on ordinal codes and count encoding
# expect: converts
# why: counts of the training table are a learned map; the booster is fitted once the rounds are known
# needs: xgboost
# input: churn (data/churn.csv)
# label: Churn
# output: proba

# %%
import pandas as pd
import numpy as np
import xgboost as xgb
from sklearn.metrics import roc_auc_score

churn = pd.read_csv("data/churn.csv", na_values=[" "])
churn = churn.set_index("customerID")
target = (churn.pop("Churn") == "Yes").astype(int)

# %%
counts = churn["PaymentMethod"].value_counts()
churn["PaymentMethod"] = churn["PaymentMethod"].map(counts)
churn["Contract"] = churn["Contract"].map({"Month-to-month": 0, "One year": 1, "Two year": 2})
binary = {"Yes": 1, "No": 0, "Female": 1, "Male": 0}
for c in ["gender", "Partner"]:
    churn[c] = churn[c].map(binary)
internet = {v: i for i, v in enumerate(churn["InternetService"].unique())}
churn["InternetService"] = churn["InternetService"].map(internet)
churn["per_month"] = churn["TotalCharges"] / (churn["tenure"] + 1)

# %%
rounds, best = 0, 0
for n in (10, 25, 50):
    m = xgb.XGBClassifier(n_estimators=n, max_depth=3, learning_rate=0.1, random_state=0, n_jobs=1)
    m.fit(churn[:170], target[:170])
    auc = roc_auc_score(target[170:215], m.predict_proba(churn[170:215])[:, 1])
    if auc > best:
        rounds, best = n, auc
    print(n, round(auc, 3))

# %%
bst = xgb.XGBClassifier(n_estimators=rounds, max_depth=3, learning_rate=0.1, random_state=0, n_jobs=1)
bst.fit(churn[:215], target[:215])
proba = bst.predict_proba(churn[215:])[:, 1]
roc_auc_score(target[215:], proba)

# === answer
_raw = pd.read_csv("data/churn.csv", na_values=[" "])
held_rows = _raw.iloc[215:]
held_predictions = proba
_counts = {v: int((_raw["PaymentMethod"] == v).sum()) for v in set(_raw["PaymentMethod"])}
_seen = list(dict.fromkeys(_raw["InternetService"]))


def answer(rows):
    table = []
    for _, r in rows.iterrows():
        table.append(
            [
                int(r["gender"] == "Female"),
                r["SeniorCitizen"],
                int(r["Partner"] == "Yes"),
                r["tenure"],
                _seen.index(r["InternetService"]),
                ["Month-to-month", "One year", "Two year"].index(r["Contract"]),
                _counts[r["PaymentMethod"]],
                r["MonthlyCharges"],
                r["TotalCharges"],
                r["TotalCharges"] / (r["tenure"] + 1),
            ]
        )
    frame = pd.DataFrame(np.array(table, dtype=float), columns=bst.get_booster().feature_names)
    return bst.predict_proba(frame)[:, 1].tolist()


rows = _raw.sample(6, random_state=41).assign(MonthlyCharges=lambda d: d["MonthlyCharges"] + 4.0)
rows.iloc[0, rows.columns.get_loc("TotalCharges")] = np.nan
rows.iloc[1, rows.columns.get_loc("Contract")] = "Two year"
