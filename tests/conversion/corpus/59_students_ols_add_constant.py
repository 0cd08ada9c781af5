# title: Determinants of test scores, ordinary least squares with robust errors
# expect: either
# why: the coefficients are learned, but add_constant adds nothing to a single row, so as written a row alone has no answer
# needs: statsmodels
# input: df (data/students.csv)
# label: score
# output: y_hat

# %% [markdown]
# # Determinants of test scores
#
# Specification:
#
# $$ score_i = \beta_0 + \beta_1 \log(1 + hours_i) + \beta_2 sleep_i + \beta_3 sleep_i^2 + \beta_4 attendance_i + \beta_5 educ_i + \alpha_{s(i)} + \varepsilon_i $$
#
# with school fixed effects and heteroskedasticity-robust (HC1) standard errors.

# %%
import numpy as np
import pandas as pd
import statsmodels.api as sm
from statsmodels.stats.diagnostic import het_breuschpagan
from statsmodels.stats.outliers_influence import variance_inflation_factor

df = pd.read_csv("data/students.csv")
df.describe()

# %%
# listwise deletion, cf. section 2 of the paper
n0 = len(df)
df = df.dropna(subset=["attendance"])
print(f"dropped {n0 - len(df)} of {n0} observations")

# %%
df["log_hours"] = np.log1p(df["hours"])
df["sleep_sq"] = df["sleep"] ** 2
# years of schooling of the parent
df["educ"] = df["parent_edu"].replace({"none": "9", "secondary": "12", "bachelor": "15", "master": "17"}).astype(int)
for s in "BCDEFGH":  # A is the base
    df[f"fe_{s}"] = (df["school"] == s).astype(float)

regressors = ["log_hours", "sleep", "sleep_sq", "attendance", "educ"] + [f"fe_{s}" for s in "BCDEFGH"]
y = df["score"]
X = sm.add_constant(df[regressors])

# %%
# hold out the last schools' wave
n_train = 140
y_in, X_in = y.iloc[:n_train], X.iloc[:n_train]
y_out, X_out = y.iloc[n_train:], X.iloc[n_train:]

ols = sm.OLS(y_in, X_in)
res = ols.fit(cov_type="HC1")
print(res.summary())

# %%
lm, lm_p, f, f_p = het_breuschpagan(res.resid, X_in)
print(f"Breusch-Pagan: LM = {lm:.2f} (p = {lm_p:.3f})")
vif = pd.Series([variance_inflation_factor(X_in.values, i) for i in range(X_in.shape[1])], index=X_in.columns)
vif.round(1)

# %% [markdown]
# As expected the two sleep terms are collinear. We keep them, prediction does not mind.

# %%
y_hat = res.predict(X_out)
rmse = np.sqrt(np.mean((y_out - y_hat) ** 2))
print(f"out-of-sample RMSE {rmse:.2f}, naive {np.std(y_out):.2f}")

# === answer
_raw = pd.read_csv("data/students.csv")
held_rows = _raw.loc[y_out.index]
held_predictions = y_hat.to_numpy()
_beta = res.params.to_dict()


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        years = {"none": 9, "secondary": 12, "bachelor": 15, "master": 17}[r["parent_edu"]]
        value = _beta["const"] + _beta["log_hours"] * np.log(1 + r["hours"])
        value += _beta["sleep"] * r["sleep"] + _beta["sleep_sq"] * r["sleep"] * r["sleep"]
        value += _beta["attendance"] * r["attendance"] + _beta["educ"] * years
        out.append(float(value + (0.0 if r["school"] == "A" else _beta[f"fe_{r['school']}"])))
    return out


rows = _raw.dropna().sample(6, random_state=59).assign(hours=lambda d: (d["hours"] + 0.7).round(1))
rows.iloc[0, rows.columns.get_loc("school")] = "A"
rows.iloc[1, rows.columns.get_loc("parent_edu")] = "master"
