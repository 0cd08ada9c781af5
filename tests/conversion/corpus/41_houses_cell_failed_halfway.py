# title: A cell that changed the frame and then failed
# expect: either
# why: the first two lines of the failing cell did happen and the model was trained after them
# fails: 2
# input: h (data/houses.csv)
# label: SalePrice
# output: p

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
h = pd.read_csv("data/houses.csv")

# %%
h["GrLivArea"] = h["GrLivArea"] * 0.0929
h["GarageArea"] = h["GarageArea"] * 0.0929
h["PoolArea"] = h["PoolArea"] * 0.0929
h["FullBath"] = h["FullBath"] * 100

# %%
h["big"] = (h["GrLivArea"] > 140).astype(int)
h["room_for_cars"] = h["GarageArea"] / 15
features = ["GrLivArea", "big", "room_for_cars", "YearBuilt", "FullBath"]
reg = LinearRegression().fit(h[features], h["SalePrice"])
reg.score(h[features], h["SalePrice"])

# %%
p = reg.predict(h[features])

# === answer
held_rows = pd.read_csv("data/houses.csv")
held_predictions = p


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        metres, garage = r["GrLivArea"] * 0.0929, r["GarageArea"] * 0.0929
        x = [metres, float(metres > 140), garage / 15, r["YearBuilt"], r["FullBath"]]
        out.append(float(sum(c * v for c, v in zip(reg.coef_, x)) + reg.intercept_))
    return out


rows = held_rows.sample(5, random_state=31).assign(GrLivArea=lambda d: d["GrLivArea"] + 29)
