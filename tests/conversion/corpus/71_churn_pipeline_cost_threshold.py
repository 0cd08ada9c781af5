# title: Churn with a grid-searched pipeline around a cleaning function and a threshold by cost
# expect: converts
# why: the function cleans each row by itself, the rest is fitted in the pipeline; the cheapest threshold was found on the training rows
# input: df (data/churn.csv)
# label: Churn
# output: y_pred ("Yes" or "No")

# %% [markdown]
# # Churn: who should get a call from retention?
# A call costs us 10, a customer who leaves costs 75 (numbers from Petra, March).

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

RANDOM_STATE = 71
COST_CALL, COST_LOST = 10, 75

# %%
df = pd.read_csv("data/churn.csv")
df.info()

# %%
df["Churn"].value_counts(normalize=True).plot.bar(rot=0)
plt.show()

# %%
pd.crosstab(df["Contract"], df["Churn"], normalize="index").round(2)

# %%
# TotalCharges is text?!  -> some are " "
df[pd.to_numeric(df["TotalCharges"], errors="coerce").isna()]

# %%
def tidy(X):
    X = X.copy()
    X["TotalCharges"] = pd.to_numeric(X["TotalCharges"], errors="coerce")
    X["avg_charge"] = X["TotalCharges"] / X["tenure"].replace(0, np.nan)
    X["is_new"] = (X["tenure"] < 6).astype(int)
    X["auto_pay"] = X["PaymentMethod"].isin(["Bank transfer", "Credit card"]).astype(int)
    return X


numeric = ["tenure", "MonthlyCharges", "TotalCharges", "avg_charge"]
flags = ["SeniorCitizen", "is_new", "auto_pay"]
categorical = ["gender", "Partner", "InternetService", "Contract"]

pre = ColumnTransformer(
    [
        ("num", Pipeline([("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler())]), numeric),
        ("flag", "passthrough", flags),
        ("cat", OneHotEncoder(handle_unknown="ignore", drop="if_binary"), categorical),
    ]
)
pipe = Pipeline(
    [
        ("tidy", FunctionTransformer(tidy)),
        ("pre", pre),
        ("clf", LogisticRegression(max_iter=1000, class_weight="balanced")),
    ]
)
pipe

# %%
X = df.drop(columns=["customerID", "Churn"])
y = (df["Churn"] == "Yes").astype(int)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=RANDOM_STATE)

grid = GridSearchCV(
    pipe,
    {"clf__C": [0.03, 0.1, 0.3, 1, 3]},
    scoring="roc_auc",
    cv=StratifiedKFold(4, shuffle=True, random_state=RANDOM_STATE),
)
grid.fit(X_train, y_train)
print(grid.best_params_, round(grid.best_score_, 3))

# %%
pd.DataFrame(grid.cv_results_)[["param_clf__C", "mean_test_score", "std_test_score"]]

# %% [markdown]
# ### Threshold
# Not 0.5! Look for the cheapest on the training data.

# %%
def cost(y_true, call):
    tn, fp, fn, tp = confusion_matrix(y_true, call).ravel()
    return COST_CALL * (fp + tp) + COST_LOST * fn


p_train = grid.predict_proba(X_train)[:, 1]
candidates = np.arange(0.05, 0.96, 0.05)
costs = [cost(y_train, p_train > t) for t in candidates]
best_t = candidates[np.argmin(costs)]
plt.plot(candidates, costs, ".-")
plt.axvline(best_t, color="r", ls=":")
plt.title(f"cheapest at {best_t:.2f}")

# %%
p_test = grid.predict_proba(X_test)[:, 1]
y_pred = np.where(p_test > best_t, "Yes", "No")
print("AUC", roc_auc_score(y_test, p_test))
print("cost model ", cost(y_test, p_test > best_t))
print("cost nobody", cost(y_test, np.zeros(len(y_test), dtype=int)), "everybody", cost(y_test, np.ones(len(y_test), dtype=int)))

# === answer
import math

_raw = pd.read_csv("data/churn.csv")
held_rows = _raw.loc[X_test.index]
held_predictions = y_pred
_numbers = ["tenure", "MonthlyCharges", "TotalCharges", "avg_charge"]


def _number(r):
    total = float(r["TotalCharges"]) if str(r["TotalCharges"]).strip() else math.nan
    average = total / r["tenure"] if r["tenure"] else math.nan
    return [float(r["tenure"]), float(r["MonthlyCharges"]), total, average]


_table = np.array([_number(r) for _, r in _raw.loc[X_train.index].iterrows()])
_median = np.nanmedian(_table, axis=0)
_filled = np.where(np.isnan(_table), _median, _table)
_mean, _std = _filled.mean(axis=0), _filled.std(axis=0)
_best = grid.best_estimator_
_names = [n.split("__", 1)[1] for n in _best["pre"].get_feature_names_out()]
_w = dict(zip(_names, _best["clf"].coef_[0].tolist()))
_cut = float(best_t)


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        z = float(_best["clf"].intercept_[0])
        for name, value, median, mean, std in zip(_numbers, _number(r), _median, _mean, _std):
            z += _w[name] * ((median if math.isnan(value) else value) - mean) / std
        z += _w["SeniorCitizen"] * r["SeniorCitizen"] + _w["is_new"] * (r["tenure"] < 6)
        z += _w["auto_pay"] * (r["PaymentMethod"] in ("Bank transfer", "Credit card"))
        for c in ("gender", "Partner", "InternetService", "Contract"):
            z += _w.get(f"{c}_{r[c]}", 0.0)
        out.append("Yes" if 1 / (1 + math.exp(-z)) > _cut else "No")
    return out


rows = _raw.sample(9, random_state=171).assign(MonthlyCharges=lambda d: (d["MonthlyCharges"] + 1.35).round(2))
rows.iloc[0, rows.columns.get_loc("TotalCharges")] = " "
rows.iloc[0, rows.columns.get_loc("tenure")] = 0
rows.iloc[1, rows.columns.get_loc("Contract")] = "Two year"
rows.iloc[2, rows.columns.get_loc("tenure")] = 5
rows.iloc[3, rows.columns.get_loc("PaymentMethod")] = "Crypto"
