# title: House prices by a lasso, Box-Cox on the price, logs of the skewed columns
# expect: converts
# why: lambda, the skewed columns, the medians by neighbourhood and the columns of the dummies are learned from the training half
# input: houses (data/houses.csv)
# label: SalePrice
# output: prices

# %% [markdown]
# # Modelling sale prices
# Linear model wanted by the tax office (must be explainable), so the work goes into the transformations.

# %%
import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import inv_boxcox
from sklearn.linear_model import LassoCV
from sklearn.preprocessing import RobustScaler
import matplotlib.pyplot as plt

# %%
houses = pd.read_csv("data/houses.csv").set_index("Id")
houses.info()

# %%
fig, axes = plt.subplots(1, 2, figsize=(10, 3))
houses["SalePrice"].hist(bins=30, ax=axes[0])
stats.probplot(houses["SalePrice"], plot=axes[1])
print("skewness", houses["SalePrice"].skew(), "kurtosis", houses["SalePrice"].kurt())

# %%
# last year of sales is the test set
train = houses[houses["YrSold"] < 2010].copy()
test = houses[houses["YrSold"] == 2010].copy()
len(train), len(test)

# %%
train["price_bc"], lmbda = stats.boxcox(train["SalePrice"])
print("lambda =", lmbda)
stats.probplot(train["price_bc"], plot=plt);

# %% [markdown]
# ## Missing values

# %%
lot_by_hood = train.groupby("Neighborhood")["LotArea"].median().to_dict()
for part in (train, test):
    part["LotMissing"] = part["LotArea"].isna().astype(int)
    part["LotArea"] = part["LotArea"].fillna(part["Neighborhood"].map(lot_by_hood))
    part["GarageType"] = part["GarageType"].fillna("None")
    part["Age"] = part["YrSold"] - part["YearBuilt"]
    part["ExterQual"] = part["ExterQual"].map(dict(Fa=1, TA=2, Gd=3, Ex=4))
train.isna().sum().sum(), test.isna().sum().sum()

# %%
y_train = train.pop("price_bc")
predictors = [c for c in train.columns if c not in ("SalePrice", "YrSold", "YearBuilt")]
X_train = pd.get_dummies(train[predictors], dtype=float)
X_test = pd.get_dummies(test[predictors], dtype=float).reindex(columns=X_train.columns, fill_value=0)
X_train.columns.tolist()

# %%
numeric = ["LotArea", "GrLivArea", "GarageArea", "Age", "FullBath"]
skewness = X_train[numeric].skew().sort_values(ascending=False)
print(skewness)
skewed = skewness[skewness.abs() > 0.25].index
X_train[skewed] = np.log1p(X_train[skewed])
X_test[skewed] = np.log1p(X_test[skewed])

# %%
rs = RobustScaler()
Z_train = rs.fit_transform(X_train)
lasso = LassoCV(cv=5, random_state=0)
lasso.fit(Z_train, y_train)
print("alpha", lasso.alpha_)
coefs = pd.Series(lasso.coef_, index=X_train.columns)
print("kept", (coefs != 0).sum(), "dropped", (coefs == 0).sum())
coefs[coefs != 0].sort_values().plot(kind="barh")

# %%
prices = inv_boxcox(lasso.predict(rs.transform(X_test)), lmbda)
ape = np.abs(prices - test["SalePrice"]) / test["SalePrice"]
print("MAPE {:.1%}, COD {:.1f}".format(ape.mean(), 100 * np.mean(np.abs(prices / test["SalePrice"] / np.median(prices / test["SalePrice"]) - 1))))

# %%
plt.figure()
plt.scatter(test["SalePrice"], prices)
plt.axline((100000, 100000), slope=1, color="grey")
plt.xlabel("sold for"); plt.ylabel("model")

# === answer
import math
import statistics

_raw = pd.read_csv("data/houses.csv")
held_rows = _raw[_raw["YrSold"] == 2010]
held_predictions = prices
_seen = _raw[_raw["YrSold"] < 2010]
_lot = {h: statistics.median(_seen.loc[_seen["Neighborhood"] == h, "LotArea"].dropna()) for h in set(_seen["Neighborhood"])}
_names = list(X_train.columns)
_logs = set(skewed)


def _line(r):
    one = {
        "LotArea": _lot[r["Neighborhood"]] if pd.isna(r["LotArea"]) else r["LotArea"],
        "LotMissing": float(pd.isna(r["LotArea"])),
        "ExterQual": ["Fa", "TA", "Gd", "Ex"].index(r["ExterQual"]) + 1,
        "GrLivArea": r["GrLivArea"],
        "FullBath": r["FullBath"],
        "GarageArea": r["GarageArea"],
        "Age": r["YrSold"] - r["YearBuilt"],
    }
    garage = "None" if pd.isna(r["GarageType"]) else r["GarageType"]
    words = {f"Neighborhood_{r['Neighborhood']}", f"GarageType_{garage}"}
    return [math.log1p(one[c]) if c in _logs else float(one.get(c, c in words)) for c in _names]


_table = np.array([_line(r) for _, r in _seen.iterrows()])
_middle = np.median(_table, axis=0)
_spread = np.percentile(_table, 75, axis=0) - np.percentile(_table, 25, axis=0)
_spread[_spread == 0] = 1.0


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        z = float(lasso.intercept_ + lasso.coef_ @ ((np.array(_line(r)) - _middle) / _spread))
        out.append((1 + lmbda * z) ** (1 / lmbda))
    return out


rows = _raw.sample(8, random_state=95).assign(GrLivArea=lambda d: d["GrLivArea"] + 33)
rows.iloc[0, rows.columns.get_loc("LotArea")] = np.nan
rows.iloc[1, rows.columns.get_loc("GarageType")] = None
rows.iloc[2, rows.columns.get_loc("ExterQual")] = "Ex"
rows.iloc[3, rows.columns.get_loc("GarageType")] = "Detchd"
rows.iloc[4, rows.columns.get_loc("YrSold")] = 2010
