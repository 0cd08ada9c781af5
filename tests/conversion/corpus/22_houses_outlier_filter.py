# title: A chain of methods, a lookup table, outliers filtered out
# expect: converts
# why: the lookup table is an asset; the filter has bounds learned in training (rows asked with lie inside them)
# input: raw (data/houses.csv); lookup is data/neighborhoods.csv
# label: SalePrice
# output: scored["predicted"]

# %%
import pandas as pd
import numpy as np
from sklearn.linear_model import LinearRegression

raw = pd.read_csv("data/houses.csv")
lookup = pd.read_csv("data/neighborhoods.csv")

# %%
def iqr_bounds(s, k=1.5):
    q1, q3 = s.quantile([0.25, 0.75])
    return q1 - k * (q3 - q1), q3 + k * (q3 - q1)

low, high = iqr_bounds(raw["GrLivArea"])
price_low, price_high = iqr_bounds(raw["SalePrice"])
low, high

# %%
tidy = (
    raw
    .query("SalePrice < @price_high and SalePrice > @price_low")
    .loc[lambda d: d["GrLivArea"].between(low, high)]
    .merge(lookup, on="Neighborhood", how="left")
    .assign(
        age=lambda d: d["YrSold"] - d["YearBuilt"],
        has_garage=lambda d: d["GarageArea"].gt(0).astype(int),
        lot=lambda d: np.log(d["LotArea"].fillna(raw["LotArea"].median())),
        area_per_bath=lambda d: d["GrLivArea"].div(d["FullBath"]),
    )
    .reset_index(drop=True)
)
tidy.shape, raw.shape

# %%
y = tidy["SalePrice"] / 1000
X = tidy[["GrLivArea", "age", "has_garage", "lot", "area_per_bath", "schools", "km_center"]]
ols = LinearRegression().fit(X, y)
scored = tidy.assign(predicted=(ols.predict(X) * 1000).round(-2))
(
    scored[["Id", "SalePrice", "predicted"]]
    .assign(off=lambda d: (d["predicted"] / d["SalePrice"] - 1).abs())
    .sort_values("off")
    .tail()
)

# === answer
_raw = pd.read_csv("data/houses.csv")
held_rows = _raw[_raw["Id"].isin(scored["Id"])]
held_predictions = scored["predicted"].tolist()
_median = float(np.nanmedian(_raw["LotArea"]))
_place = {n: (s, k) for n, s, k in pd.read_csv("data/neighborhoods.csv").itertuples(index=False)}


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        lot = np.log(_median if pd.isna(r["LotArea"]) else r["LotArea"])
        x = [r["GrLivArea"], r["YrSold"] - r["YearBuilt"], float(r["GarageArea"] > 0), lot, r["GrLivArea"] / r["FullBath"]]
        x += list(_place[r["Neighborhood"]])
        out.append(float(np.round((np.dot(ols.coef_, x) + ols.intercept_) * 1000, -2)))
    return out


rows = _raw[_raw["GrLivArea"].between(900, 2200)].sample(5, random_state=3)
rows = rows.assign(GrLivArea=rows["GrLivArea"] + 21, SalePrice=120000)
rows.iloc[0, rows.columns.get_loc("LotArea")] = np.nan
rows.iloc[1, rows.columns.get_loc("Neighborhood")] = "Somerst"
