# title: Kaggle's house prices with train and test in one table
# expect: converts
# why: means and modes of train and test together are constants; the test rows go through the same steps
# input: test (data/house_prices/test.csv); train (data/house_prices/train.csv) only to learn from
# label: SalePrice
# output: sub["SalePrice"]

# %% [markdown]
# # Regularized linear models (inspired by apapiu)
# The data: train.csv, test.csv

# %%
import pandas as pd
import numpy as np
import matplotlib.pyplot as plt
from scipy.stats import skew
from sklearn.linear_model import LassoCV

!ls data/house_prices

# %%
train = pd.read_csv("data/house_prices/train.csv")
test = pd.read_csv("data/house_prices/test.csv")
all_data = pd.concat((train.loc[:, "Neighborhood":"YrSold"], test.loc[:, "Neighborhood":"YrSold"]))
all_data.shape

# %%
prices = pd.DataFrame({"price": train["SalePrice"], "log(price + 1)": np.log1p(train["SalePrice"])})
prices.hist()

# %%
train["SalePrice"] = np.log1p(train["SalePrice"])

# log transform skewed numeric features:
numeric_feats = all_data.select_dtypes(include="number").columns
skewed_feats = train[numeric_feats].apply(lambda x: skew(x.dropna()))
skewed_feats = skewed_feats[skewed_feats > 0.2].index
all_data[skewed_feats] = np.log1p(all_data[skewed_feats])
print(list(skewed_feats))

# %%
all_data = pd.get_dummies(all_data)
all_data = all_data.fillna(all_data.mean())
all_data.tail(3)

# %%
X_train = all_data[:train.shape[0]]
X_test = all_data[train.shape[0]:]
y = train.SalePrice

# %%
model_lasso = LassoCV(alphas=[1, 0.1, 0.001, 0.0005], cv=4, max_iter=20000).fit(X_train, y)
coef = pd.Series(model_lasso.coef_, index=X_train.columns)
print("Lasso picked " + str(sum(coef != 0)) + " variables and eliminated the other " + str(sum(coef == 0)) + " variables")

# %%
preds = np.expm1(model_lasso.predict(X_test))
sub = pd.DataFrame({"Id": test.Id, "SalePrice": preds})
sub.to_csv("lasso.csv", index=False)

# === answer
held_rows = pd.read_csv("data/house_prices/test.csv")
held_predictions = sub["SalePrice"].to_numpy()
_both = pd.concat([pd.read_csv("data/house_prices/train.csv"), held_rows])
_skewed = list(skewed_feats)
_weights = dict(zip(model_lasso.feature_names_in_, model_lasso.coef_))


def _number(value, column):
    return np.log1p(value) if column in _skewed else float(value)


_means = {c: float(np.mean([_number(v, c) for v in _both[c].dropna()])) for c in ["LotArea", "YearBuilt", "GrLivArea", "FullBath", "GarageArea", "YrSold"]}


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        value = model_lasso.intercept_
        for c, mean in _means.items():
            value += _weights[c] * (mean if pd.isna(r[c]) else _number(r[c], c))
        for c in ["Neighborhood", "ExterQual", "GarageType"]:
            if not pd.isna(r[c]):
                value += _weights[f"{c}_{r[c]}"]
        out.append(float(np.expm1(value)))
    return out


rows = held_rows.sample(6, random_state=50).assign(GrLivArea=lambda d: d["GrLivArea"] + 41)
rows.iloc[0, rows.columns.get_loc("LotArea")] = np.nan
rows.iloc[1, rows.columns.get_loc("GarageType")] = None
rows.iloc[2, rows.columns.get_loc("Neighborhood")] = "Somerst"
