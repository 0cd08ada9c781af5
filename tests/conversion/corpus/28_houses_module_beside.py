# title: Features that come from a module beside the notebook
# expect: converts
# why: the module is part of the assets; the fitted filler is an object of a class from it
# input: df (data/houses.csv)
# label: SalePrice
# output: estimate

# %%
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

from modules.house_features import RareMedian, add_features

# %%
df = pd.read_csv("data/houses.csv", index_col="Id")
valid = df.sample(40, random_state=77)
train = df.drop(valid.index)

# %%
fill = RareMedian("LotArea").fit(train)
cols = ["LotArea", "GrLivArea", "FullBath", "age", "old", "quality", "garage_share", "central"]

def design(frame):
    return add_features(fill(frame))[cols]

# %%
gbm = HistGradientBoostingRegressor(max_iter=40, min_samples_leaf=8, random_state=0)
gbm.fit(design(train), train["SalePrice"])

# %%
estimate = gbm.predict(design(valid))
(estimate - valid["SalePrice"]).abs().mean()

# === answer
import numpy as np

_raw = pd.read_csv("data/houses.csv")
held_rows = _raw.set_index("Id").loc[valid.index].reset_index()
held_predictions = estimate
_median = float(np.nanmedian(_raw.loc[_raw["Id"].isin(train.index), "LotArea"]))


def answer(rows):
    table = []
    for _, r in rows.iterrows():
        age = 2011 - r["YearBuilt"]
        table.append(
            [
                _median if pd.isna(r["LotArea"]) else r["LotArea"],
                r["GrLivArea"],
                r["FullBath"],
                age,
                int(age > 50),
                ["Fa", "TA", "Gd", "Ex"].index(r["ExterQual"]) + 1,
                r["GarageArea"] / (r["GarageArea"] + r["GrLivArea"]),
                int(r["Neighborhood"] in ("OldTown", "Edwards")),
            ]
        )
    return gbm.predict(pd.DataFrame(table, columns=cols)).tolist()


rows = _raw.sample(6, random_state=21).assign(GrLivArea=lambda d: d["GrLivArea"] - 15)
rows.iloc[0, rows.columns.get_loc("LotArea")] = np.nan
rows.iloc[1, rows.columns.get_loc("YearBuilt")] = 1909
