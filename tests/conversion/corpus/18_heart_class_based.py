# title: Everything in classes, one of them a transformer
# expect: converts
# why: the state of the two objects is what was fitted; predict goes through both
# input: data (data/heart.csv, separated by semicolons)
# label: target
# output: risk (probability of disease, rounded to four digits)

# %%
"""Heart disease risk, object oriented."""
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression

# %%
class HeartFeatures(BaseEstimator, TransformerMixin):
    """Impute cholesterol by sex, bin age, one-hot the chest pain."""

    def __init__(self, age_edges=(40, 50, 60)):
        self.age_edges = age_edges

    def fit(self, X, y=None):
        self.chol_by_sex_ = X.groupby("sex")["chol"].median().to_dict()
        self.pains_ = sorted(X["cp"].unique())
        return self

    def transform(self, X):
        out = pd.DataFrame(index=X.index)
        out["sex"] = X["sex"]
        out["chol"] = X["chol"].fillna(X["sex"].map(self.chol_by_sex_)) / 100
        out["age_bin"] = np.digitize(X["age"], self.age_edges)
        out["reserve"] = (220 - X["age"] - X["thalach"]) / 10
        out["oldpeak"] = X["oldpeak"]
        for pain in self.pains_:
            out["cp_" + pain] = (X["cp"] == pain).astype(float)
        return out


@dataclass
class RiskModel:
    features: HeartFeatures = field(default_factory=HeartFeatures)
    estimator: LogisticRegression = field(default_factory=lambda: LogisticRegression(max_iter=500))

    def train(self, X, y):
        self.estimator.fit(self.features.fit_transform(X), y)
        return self

    def risk(self, X):
        return self.estimator.predict_proba(self.features.transform(X))[:, 1].round(4)

# %%
data = pd.read_csv("data/heart.csv", sep=";")
train_rows, test_rows = data.iloc[:180], data.iloc[180:]

# %%
rm = RiskModel().train(train_rows.drop(columns="target"), train_rows["target"])
risk = rm.risk(test_rows.drop(columns="target"))
print(pd.Series(risk).describe())

# === answer
import math

_raw = pd.read_csv("data/heart.csv", sep=";")
held_rows = _raw.iloc[180:]
held_predictions = risk
_learned = _raw.iloc[:180]
_chol = {s: float(np.nanmedian(_learned.loc[_learned["sex"] == s, "chol"])) for s in (0, 1)}
_coef = dict(zip(rm.estimator.feature_names_in_, rm.estimator.coef_[0]))


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        chol = _chol[r["sex"]] if pd.isna(r["chol"]) else r["chol"]
        z = rm.estimator.intercept_[0] + _coef["sex"] * r["sex"] + _coef["chol"] * chol / 100
        z += _coef["age_bin"] * sum(r["age"] >= edge for edge in (40, 50, 60))
        z += _coef["reserve"] * (220 - r["age"] - r["thalach"]) / 10
        z += _coef["oldpeak"] * r["oldpeak"] + _coef["cp_" + r["cp"]]
        out.append(round(1 / (1 + math.exp(-z)), 4))
    return out


rows = pd.DataFrame(
    [[40, 1, "typical", 120, 211.5, 171, 0.3], [61, 0, "asymptomatic", 144, np.nan, 133, 2.7], [39, 1, "atypical", 110, np.nan, 188, 0.0]],
    columns=["age", "sex", "cp", "trestbps", "chol", "thalach", "oldpeak"],
)
