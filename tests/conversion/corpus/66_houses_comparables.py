# title: What a house is worth by its five nearest comparables
# expect: converts
# why: the sold houses are the memory of the model, each listing is compared with them and not with other listings
# input: houses (data/houses.csv)
# label: SalePrice
# output: listings["estimate"]

# %% [markdown]
# # Comparables ("comps")
# For each listing: find the five most similar houses that were **sold before**, take their price per square foot,
# weigh it by similarity. This is what our agents do by hand.

# %%
import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

houses = pd.read_csv("data/houses.csv")
houses["quality"] = houses["ExterQual"].map({"Fa": 0, "TA": 1, "Gd": 2, "Ex": 3})
houses["has_garage"] = np.where(houses["GarageArea"] > 0, 1, 0)
houses[["GrLivArea", "YearBuilt", "FullBath", "quality", "SalePrice"]].corr().round(2)

# %%
sold = houses[houses["YrSold"] < 2010].reset_index(drop=True)
listings = houses[houses["YrSold"] == 2010].copy()
sold["ppsf"] = sold["SalePrice"] / sold["GrLivArea"]
print(len(sold), "sold,", len(listings), "on the market")
sold["ppsf"].hist(bins=25)

# %%
similar_by = ["GrLivArea", "YearBuilt", "FullBath", "quality", "has_garage", "GarageArea"]
weights = np.array([2.0, 1.5, 1.0, 2.0, 0.5, 1.0])     # discussed with Petra, 12 March

scaler = StandardScaler().fit(sold[similar_by])
nn = NearestNeighbors(n_neighbors=5)
nn.fit(scaler.transform(sold[similar_by]) * weights)

# %%
dist, idx = nn.kneighbors(scaler.transform(listings[similar_by]) * weights)
closeness = 1 / (dist + 0.1)
ppsf = sold["ppsf"].to_numpy()[idx]
listings["estimate"] = (ppsf * closeness).sum(axis=1) / closeness.sum(axis=1) * listings["GrLivArea"]
listings["comps"] = [sold["Id"].iloc[i].tolist() for i in idx]
listings[["Id", "GrLivArea", "estimate", "comps"]].head()

# %%
off = (listings["estimate"] / listings["SalePrice"] - 1).abs()
print(f"median error {off.median():.1%}, within 10 %: {(off < 0.1).mean():.0%}")
listings.plot.scatter("SalePrice", "estimate")

# %%
# one example to show in the meeting
example = listings.iloc[0]
sold[sold["Id"].isin(example["comps"])]

# === answer
_raw = pd.read_csv("data/houses.csv")
held_rows = _raw[_raw["YrSold"] == 2010]
held_predictions = listings["estimate"].to_numpy()


def _place(r):
    quality = {"Fa": 0, "TA": 1, "Gd": 2, "Ex": 3}[r["ExterQual"]]
    return [float(v) for v in (r["GrLivArea"], r["YearBuilt"], r["FullBath"], quality, r["GarageArea"] > 0, r["GarageArea"])]


_before = [r for _, r in _raw[_raw["YrSold"] < 2010].iterrows()]
_memory = np.array([_place(r) for r in _before])
_mean, _std = _memory.mean(axis=0), _memory.std(axis=0)
_price = [r["SalePrice"] / r["GrLivArea"] for r in _before]


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        z = (_memory - np.array(_place(r))) / _std * [2.0, 1.5, 1.0, 2.0, 0.5, 1.0]
        far = sorted((float(d), i) for i, d in enumerate(np.sqrt((z**2).sum(axis=1))))[:5]
        share = [1 / (d + 0.1) for d, _ in far]
        out.append(sum(s * _price[i] for s, (_, i) in zip(share, far)) / sum(share) * r["GrLivArea"])
    return out


rows = held_rows.sample(6, random_state=66).assign(GrLivArea=lambda d: d["GrLivArea"] + 29)
rows.iloc[0, rows.columns.get_loc("GarageArea")] = 0.0
rows.iloc[1, rows.columns.get_loc("ExterQual")] = "Ex"
rows.iloc[2, rows.columns.get_loc("YearBuilt")] = 1931
