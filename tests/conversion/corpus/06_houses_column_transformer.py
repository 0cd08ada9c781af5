# title: A tidy person's column transformer, the price in logarithms
# expect: converts
# why: everything fitted is in one pipeline; log1p before the fit is undone by expm1 after predict
# input: houses (data/houses.csv)
# label: SalePrice
# output: predicted_price

# %% [markdown]
# # House prices: a reproducible baseline
# All preprocessing lives in a `Pipeline`, to prevent leakage.

# %%
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

DATA_DIR = Path("data")
SEED = 2024
TARGET = "SalePrice"

# %%
houses = pd.read_csv(DATA_DIR / "houses.csv")
houses.sample(5, random_state=SEED)

# %%
numeric = ["LotArea", "YearBuilt", "GrLivArea", "FullBath", "GarageArea"]
nominal = ["Neighborhood", "GarageType"]
ordinal = ["ExterQual"]

preprocess = ColumnTransformer(
    transformers=[
        ("num", Pipeline([("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler())]), numeric),
        (
            "nom",
            Pipeline(
                [
                    ("impute", SimpleImputer(strategy="constant", fill_value="missing")),
                    ("onehot", OneHotEncoder(handle_unknown="ignore")),
                ]
            ),
            nominal,
        ),
        ("ord", OrdinalEncoder(categories=[["Fa", "TA", "Gd", "Ex"]]), ordinal),
    ],
    remainder="drop",
)

# %%
X = houses.drop(columns=[TARGET, "Id"])
y = np.log1p(houses[TARGET])
X_train, X_valid, y_train, y_valid = train_test_split(X, y, test_size=0.25, random_state=SEED)

# %%
pipeline = Pipeline([("preprocess", preprocess), ("model", Ridge(alpha=1.0))])
pipeline.fit(X_train, y_train)
rmse = np.sqrt(mean_squared_error(y_valid, pipeline.predict(X_valid)))
print(f"RMSE (log): {rmse:.4f}")

# %%
predicted_price = np.expm1(pipeline.predict(X_valid))
pd.DataFrame({"actual": np.expm1(y_valid), "predicted": predicted_price}).head()

# === answer
_raw = pd.read_csv("data/houses.csv")
held_rows = _raw.loc[X_valid.index]
held_predictions = predicted_price
_learned = _raw.loc[X_train.index]
_medians = {c: _learned[c].median() for c in numeric}
_filled = {c: _learned[c].fillna(_medians[c]) for c in numeric}
_coef = pipeline[-1].coef_


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        x = []
        for c in numeric:
            value = _medians[c] if pd.isna(r[c]) else r[c]
            x.append((value - _filled[c].mean()) / _filled[c].std(ddof=0))
        x += [float(r["Neighborhood"] == v) for v in ["CollgCr", "Edwards", "NAmes", "OldTown", "Somerst"]]
        kind = "missing" if pd.isna(r["GarageType"]) else r["GarageType"]
        x += [float(kind == v) for v in ["Attchd", "Detchd", "missing"]]
        x.append(["Fa", "TA", "Gd", "Ex"].index(r["ExterQual"]))
        out.append(float(np.expm1(np.dot(_coef, x) + pipeline[-1].intercept_)))
    return out


rows = _raw.sample(6, random_state=9).assign(GrLivArea=lambda d: d["GrLivArea"] + 37)
rows.iloc[0, rows.columns.get_loc("LotArea")] = np.nan
rows.iloc[1, rows.columns.get_loc("GarageType")] = None
rows.iloc[2, rows.columns.get_loc("Neighborhood")] = "Timber"
rows.iloc[3, rows.columns.get_loc("ExterQual")] = "Fa"
