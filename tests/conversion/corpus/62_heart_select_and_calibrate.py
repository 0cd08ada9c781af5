# title: Heart disease: the best five features, then a calibrated forest
# expect: converts
# why: which features are chosen is learned; the last cell scores with the calibrated model, the plain one is only compared
# input: heart (data/heart.csv)
# label: target
# output: risk
# model: calibrated

# %% [markdown]
# ## Assignment 3: feature selection and calibration
# *Name:* ______  *Student number:* ______
#
# **Task 1.** Load the data and describe it.

# %%
import pandas as pd
import numpy as np
import matplotlib.pyplot as plt

heart = pd.read_csv("data/heart.csv", sep=";")
heart.info()
heart.describe()

# %%
print(heart["target"].value_counts(normalize=True))
print(heart.isna().sum())

# %% [markdown]
# There are missing values in `chol`. We will fill them with the mean **of the training data** (lecture 4).
#
# **Task 2.** Split and preprocess.

# %%
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

heart_d = pd.get_dummies(heart, columns=["cp"], prefix="cp", dtype=int)
X = heart_d.drop("target", axis=1)
y = heart_d["target"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)

chol_mean = X_train["chol"].mean()
X_train = X_train.fillna({"chol": chol_mean})
X_test = X_test.fillna({"chol": chol_mean})

scaler = StandardScaler().set_output(transform="pandas")
X_train_s = scaler.fit_transform(X_train)
X_test_s = scaler.transform(X_test)
X_train_s.head()

# %% [markdown]
# **Task 3.** Choose the five best features with the ANOVA F-test. Do they agree with the importances of a random forest?

# %%
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.ensemble import RandomForestClassifier

selector = SelectKBest(f_classif, k=5)
selector.fit(X_train_s, y_train)
best = X_train_s.columns[selector.get_support()].tolist()
print("F-test:", best)

rf = RandomForestClassifier(n_estimators=50, random_state=0).fit(X_train_s, y_train)
top = pd.Series(rf.feature_importances_, index=X_train_s.columns).nlargest(5)
print("Forest:", top.index.tolist())
print("In both:", set(best) & set(top.index))

# %%
X_train_b = X_train_s[best]
X_test_b = X_test_s[best]

# %% [markdown]
# **Task 4.** Train a forest with these features and calibrate it. Draw the reliability diagram.

# %%
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.metrics import brier_score_loss

plain = RandomForestClassifier(n_estimators=30, min_samples_leaf=3, random_state=0)
plain.fit(X_train_b, y_train)
risk_plain = plain.predict_proba(X_test_b)[:, 1]

calibrated = CalibratedClassifierCV(RandomForestClassifier(n_estimators=30, min_samples_leaf=3, random_state=0), method="sigmoid", cv=4)
calibrated.fit(X_train_b, y_train)
risk = calibrated.predict_proba(X_test_b)[:, 1]

# %%
for name, r in [("plain", risk_plain), ("calibrated", risk)]:
    true, predicted = calibration_curve(y_test, r, n_bins=5)
    plt.plot(predicted, true, marker="o", label=f"{name} (Brier {brier_score_loss(y_test, r):.3f})")
plt.plot([0, 1], [0, 1], "k--")
plt.xlabel("predicted risk")
plt.ylabel("observed")
plt.legend()
plt.show()

# %% [markdown]
# **Answer:** The calibrated curve lies closer to the diagonal (?), but the test set is small.

# === answer
_raw = pd.read_csv("data/heart.csv", sep=";")
held_rows = _raw.loc[X_test.index]
held_predictions = risk
_seen = _raw.loc[X_train.index]
_chol = sum(_seen["chol"].dropna()) / _seen["chol"].count()


def _value(r, c):
    if c.startswith("cp_"):
        return float(r["cp"] == c[3:])
    return _chol if c == "chol" and pd.isna(r[c]) else float(r[c])


_by_hand = {c: [_value(r, c) for _, r in _seen.iterrows()] for c in best}
_mean = {c: float(np.mean(v)) for c, v in _by_hand.items()}
_std = {c: float(np.std(v)) for c, v in _by_hand.items()}


def answer(rows):
    table = [[(_value(r, c) - _mean[c]) / _std[c] for c in best] for _, r in rows.iterrows()]
    return calibrated.predict_proba(pd.DataFrame(table, columns=best))[:, 1].tolist()


rows = _raw.sample(7, random_state=62)
rows = rows.assign(age=rows["age"] + 2, oldpeak=(rows["oldpeak"] + 0.35).round(2), thalach=rows["thalach"] - 4)
rows.iloc[0, rows.columns.get_loc("chol")] = np.nan
rows.iloc[1, rows.columns.get_loc("cp")] = "typical"
