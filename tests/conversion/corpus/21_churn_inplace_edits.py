# title: The same frame edited in place again and again
# expect: converts
# why: del, pop, insert, inplace and .loc change one frame; every change is of a row by itself
# input: telco (data/churn.csv)
# label: Churn
# output: telco_test["pred"] ("stay" or "leave")

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression

telco = pd.read_csv("data/churn.csv")
telco.set_index("customerID", inplace=True)
telco.rename(columns=str.lower, inplace=True)
telco.head(2)

# %%
del telco["gender"]
telco["totalcharges"] = telco["totalcharges"].replace(" ", None)
telco["totalcharges"] = telco["totalcharges"].astype(float)
telco.loc[telco["totalcharges"].isna(), "totalcharges"] = telco["monthlycharges"]

# %%
telco.replace({"partner": {"Yes": 1, "No": 0}}, inplace=True)
telco["partner"] = telco["partner"].astype(int)
telco["contract_years"] = 0
telco.loc[telco.contract == "One year", "contract_years"] = 1
telco.loc[telco.contract == "Two year", "contract_years"] = 2
telco.drop(["contract"], axis=1, inplace=True)

# %%
pay = telco.pop("paymentmethod")
telco.insert(0, "automatic", pay.isin(["Bank transfer", "Credit card"]).astype(int))
net = telco.pop("internetservice")
telco["fiber"] = 0
telco.loc[net == "Fiber optic", "fiber"] = 1
telco["online"] = (net != "No") * 1
telco.head(2)

# %%
telco["monthlycharges"] /= 100
telco["totalcharges"] /= 1000
telco["tenure"] = telco["tenure"].clip(upper=60) / 60
target = telco.pop("churn")
telco.sort_index(axis=1, inplace=True)
telco.describe()

# %%
telco_train = telco.iloc[:200].copy()
telco_test = telco.iloc[200:].copy()
log = LogisticRegression().fit(telco_train, target.iloc[:200])
telco_test["pred"] = log.predict(telco_test)
telco_test["pred"] = telco_test["pred"].replace({"Yes": "leave", "No": "stay"})
telco_test["pred"].value_counts()

# === answer
import numpy as np

_raw = pd.read_csv("data/churn.csv")
held_rows = pd.concat([_raw.iloc[200:], _raw.iloc[:200]])
held_predictions = telco_test["pred"].tolist() + [{"Yes": "leave", "No": "stay"}[v] for v in log.predict(telco_train)]
_coef = dict(zip(log.feature_names_in_, log.coef_[0]))


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        total = r["MonthlyCharges"] if r["TotalCharges"] == " " else float(r["TotalCharges"])
        made = {
            "automatic": r["PaymentMethod"] in ("Bank transfer", "Credit card"),
            "contract_years": {"Month-to-month": 0, "One year": 1, "Two year": 2}[r["Contract"]],
            "fiber": r["InternetService"] == "Fiber optic",
            "monthlycharges": r["MonthlyCharges"] / 100,
            "online": r["InternetService"] in ("DSL", "Fiber optic"),
            "partner": r["Partner"] == "Yes",
            "seniorcitizen": r["SeniorCitizen"],
            "tenure": min(r["tenure"], 60) / 60,
            "totalcharges": total / 1000,
        }
        z = log.intercept_[0] + sum(_coef[name] * float(value) for name, value in made.items())
        out.append("leave" if z > 0 else "stay")
    return out


rows = _raw.sample(6, random_state=15).assign(MonthlyCharges=lambda d: (d["MonthlyCharges"] * 1.1).round(2))
rows.iloc[0, rows.columns.get_loc("TotalCharges")] = " "
rows.iloc[1, rows.columns.get_loc("tenure")] = 71
rows.iloc[2, rows.columns.get_loc("Contract")] = "Two year"
