# title: Exam scores by three models, none of which is chosen
# expect: refused
# why: three fitted models each predict the pupils kept back, nothing says which of them answers
# mentions: several|more than one|three|models|ambiguous|choose|which of|one model
# input: pupils (data/students.csv)
# label: score
# output: compare (a column for each of the models)

# %% [markdown]
# ## Exam scores - first results
# for discussion in Thursday's jour fixe

# %%
import pandas as pd
import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.ensemble import RandomForestRegressor
from sklearn.svm import SVR
from sklearn.preprocessing import StandardScaler
from sklearn.pipeline import make_pipeline
from sklearn.metrics import mean_absolute_error, r2_score
import matplotlib.pyplot as plt

# %%
pupils = pd.read_csv("data/students.csv", index_col="student")
pupils["attendance"] = pupils["attendance"].fillna(pupils["attendance"].mean())
pupils.head()

# %%
pupils[["hours", "sleep", "attendance", "score"]].corr()["score"]

# %%
edu = {"none": 0, "secondary": 1, "bachelor": 2, "master": 3}
X = pupils[["hours", "sleep", "attendance"]].copy()
X["edu"] = pupils["parent_edu"].map(edu)
for s in sorted(pupils["school"].unique()):
    X["school_" + s] = (pupils["school"] == s).astype(int)
y = pupils["score"]

X_train, X_val = X.iloc[:150], X.iloc[150:]
y_train, y_val = y.iloc[:150], y.iloc[150:]

# %% [markdown]
# ### 1. Linear regression

# %%
lin_reg = LinearRegression()
lin_reg.fit(X_train, y_train)
pred_lin = lin_reg.predict(X_val)
print("MAE", mean_absolute_error(y_val, pred_lin), "R2", r2_score(y_val, pred_lin))

# %% [markdown]
# ### 2. Random forest

# %%
forest = RandomForestRegressor(n_estimators=80, random_state=42)
forest.fit(X_train, y_train)
pred_forest = forest.predict(X_val)
print("MAE", mean_absolute_error(y_val, pred_forest), "R2", r2_score(y_val, pred_forest))

# %% [markdown]
# ### 3. SVM

# %%
svm = make_pipeline(StandardScaler(), SVR(C=20))
svm.fit(X_train, y_train)
pred_svm = svm.predict(X_val)
print("MAE", mean_absolute_error(y_val, pred_svm), "R2", r2_score(y_val, pred_svm))

# %% [markdown]
# ### Comparison

# %%
compare = pd.DataFrame({"true": y_val, "linear": pred_lin, "forest": pred_forest, "svm": pred_svm})
compare.head(10)

# %%
summary = pd.DataFrame(
    {m: {"MAE": mean_absolute_error(compare["true"], compare[m]), "R2": r2_score(compare["true"], compare[m])} for m in ["linear", "forest", "svm"]}
).T
summary.round(3)

# %%
fig, ax = plt.subplots(1, 3, figsize=(12, 4), sharey=True)
for a, m in zip(ax, ["linear", "forest", "svm"]):
    a.plot(compare["true"], compare[m], ".")
    a.set_title(m)

# %% [markdown]
# All are ok. Linear is easier to explain, the forest is what we said in the proposal, and the SVM has not been tuned yet.
# **To be decided with Karin.**
