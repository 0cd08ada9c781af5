# title: Price per square foot by a forest, with a table of neighbourhoods made by groupby and merged
# expect: converts
# why: the table of the neighbourhoods was made of the training rows and is looked up; price per foot times the area is the answer
# input: sold (data/houses.csv)
# label: SalePrice
# output: check["estimate"]

# %% [markdown]
# #### Automated valuation - v3 (per sq ft, after talking to Jon)
# - v1: price directly -> big houses way off
# - v2: log price -> ok
# - v3: price per foot, then multiply

# %%
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor

sold = pd.read_csv("data/houses.csv")
sold = sold.drop_duplicates()
sold.shape

# %%
sold["ppsf"] = sold["SalePrice"] / sold["GrLivArea"]
sold["ppsf"].describe(percentiles=[0.01, 0.1, 0.5, 0.9, 0.99])

# %%
sold.boxplot("ppsf", by="Neighborhood")

# %%
msk = sold["Id"] % 4 != 0        # every fourth house to check
train = sold[msk]
check = sold[~msk]

# %%
hoods = (
    train.groupby("Neighborhood")
    .agg(hood_ppsf=("ppsf", "median"), hood_area=("GrLivArea", "mean"), hood_n=("Id", "count"))
    .reset_index()
)
hoods["hood_share"] = hoods["hood_n"] / len(train)
hoods

# %%
def build(df):
    out = df.merge(hoods, on="Neighborhood", how="left")
    out["hood_ppsf"] = out["hood_ppsf"].fillna(train["ppsf"].median())
    out["rel_area"] = out["GrLivArea"] / out["hood_area"].fillna(train["GrLivArea"].mean())
    out["hood_share"] = out["hood_share"].fillna(0)
    out["qual"] = out["ExterQual"].map({"Po": 0, "Fa": 1, "TA": 2, "Gd": 3, "Ex": 4})
    out["age"] = (out["YrSold"] - out["YearBuilt"]).clip(lower=0)
    out["garage_ratio"] = out["GarageArea"] / out["GrLivArea"]
    out["detached"] = (out["GarageType"] == "Detchd").astype(int)
    out["lot"] = out["LotArea"].fillna(-1)
    return out[["hood_ppsf", "rel_area", "hood_share", "qual", "age", "garage_ratio", "detached", "lot", "FullBath"]]


Xtr = build(train)
Xtr.head()

# %%
rf = RandomForestRegressor(n_estimators=60, min_samples_leaf=2, max_features=0.5, oob_score=True, random_state=0)
rf.fit(Xtr, train["ppsf"])
print("oob r2:", rf.oob_score_)

# %%
check = check.assign(estimate=rf.predict(build(check)) * check["GrLivArea"])
check["off"] = (check["estimate"] - check["SalePrice"]) / check["SalePrice"]
print("median abs. off: {:.1%}".format(check["off"].abs().median()))
print("within 10%: {:.0%}".format((check["off"].abs() < 0.1).mean()))
check[["Id", "Neighborhood", "SalePrice", "estimate", "off"]].sort_values("off")

# %%
# TODO ask Jon about Somerst

# === answer
import statistics

_raw = pd.read_csv("data/houses.csv")
held_rows = _raw[_raw["Id"] % 4 == 0]
held_predictions = check["estimate"].to_numpy()
_seen = _raw[_raw["Id"] % 4 != 0]
_hood = {}
for _, _r in _seen.iterrows():
    _hood.setdefault(_r["Neighborhood"], []).append((_r["SalePrice"] / _r["GrLivArea"], _r["GrLivArea"]))
_all = [one for many in _hood.values() for one in many]


def answer(rows):
    table = []
    for _, r in rows.iterrows():
        known = _hood.get(r["Neighborhood"])
        here = known or _all
        area = r["GrLivArea"]
        table.append(
            [
                statistics.median(p for p, _ in here), area / statistics.fmean(a for _, a in here),
                len(known) / len(_all) if known else 0.0, {"Fa": 1, "TA": 2, "Gd": 3, "Ex": 4}[r["ExterQual"]],
                max(r["YrSold"] - r["YearBuilt"], 0), r["GarageArea"] / area, int(r["GarageType"] == "Detchd"),
                -1.0 if pd.isna(r["LotArea"]) else r["LotArea"], r["FullBath"],
            ]
        )  # fmt: skip
    per_foot = rf.predict(pd.DataFrame(table, columns=rf.feature_names_in_))
    return [float(p * a) for p, a in zip(per_foot, rows["GrLivArea"])]


rows = _raw.sample(7, random_state=78).assign(GrLivArea=lambda d: d["GrLivArea"] + 52)
rows.iloc[0, rows.columns.get_loc("LotArea")] = np.nan
rows.iloc[1, rows.columns.get_loc("GarageType")] = None
rows.iloc[2, rows.columns.get_loc("YearBuilt")] = 2010
rows.iloc[3, rows.columns.get_loc("Neighborhood")] = "Veenker"
