# title: The forty customers to call
# expect: either
# why: who is called depends on who else is on the list; its author wanted it refused, but how likely a customer goes is an answer
# input: cust (data/churn.csv)
# label: Churn
# output: rest["p"]

# %% [markdown]
# ## Retention campaign Q3
# Budget: **40 calls**. Call those who are most likely to go *and* pay the most.

# %%
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.preprocessing import OneHotEncoder

cust = pd.read_csv("data/churn.csv")
cust["TotalCharges"] = pd.to_numeric(cust["TotalCharges"], errors="coerce").fillna(0.0)
cust.head()

# %%
BUDGET = 40
cat_cols = ["InternetService", "Contract", "PaymentMethod"]
num_cols = ["tenure", "MonthlyCharges", "TotalCharges", "SeniorCitizen"]

base = cust.iloc[:140]
rest = cust.iloc[140:].copy()

ohe = OneHotEncoder(sparse_output=False, handle_unknown="ignore").set_output(transform="pandas").fit(base[cat_cols])


def matrix(d):
    return pd.concat([d[num_cols], ohe.transform(d[cat_cols])], axis=1)


# %%
gb = GradientBoostingClassifier(n_estimators=60, max_depth=2, random_state=1)
gb.fit(matrix(base), base["Churn"] == "Yes")

# %%
rest["p"] = gb.predict_proba(matrix(rest))[:, 1]
rest["at_risk"] = rest["p"] * rest["MonthlyCharges"]
rest["at_risk"].describe()

# %%
to_call = rest.sort_values("at_risk", ascending=False).head(BUDGET)["customerID"]
rest["call"] = rest["customerID"].isin(to_call).map({True: "call", False: "-"})
print(rest["call"].value_counts())
print("hit rate", (rest.loc[rest["call"] == "call", "Churn"] == "Yes").mean())

# %%
# rest[rest["call"] == "call"].to_excel("calls.xlsx")   # no openpyxl on this machine
to_call.to_csv("call_list.csv", index=False)

# === answer
_raw = pd.read_csv("data/churn.csv")
held_rows = _raw.iloc[140:]
held_predictions = rest["p"].to_numpy()


def answer(rows):
    table = []
    for _, r in rows.iterrows():
        try:
            total = float(r["TotalCharges"])
        except ValueError:
            total = 0.0
        numbers = {"tenure": r["tenure"], "MonthlyCharges": r["MonthlyCharges"], "TotalCharges": total, "SeniorCitizen": r["SeniorCitizen"]}
        words = {f"{c}_{r[c]}" for c in ("InternetService", "Contract", "PaymentMethod")}
        table.append([float(numbers.get(c, c in words)) for c in gb.feature_names_in_])
    return gb.predict_proba(pd.DataFrame(table, columns=gb.feature_names_in_))[:, 1].tolist()


rows = _raw.sample(6, random_state=84).assign(MonthlyCharges=lambda d: (d["MonthlyCharges"] + 3).round(2))
rows.iloc[0, rows.columns.get_loc("TotalCharges")] = " "
