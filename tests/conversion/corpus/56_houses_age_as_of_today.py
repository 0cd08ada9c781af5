# title: The age of a house as of today
# expect: either
# why: the year of the clock is in the features; within one year reading it again and keeping it are the same
# input: df (data/houses.csv)
# label: SalePrice
# output: df["pred"]

# %%
from datetime import datetime
import pandas as pd
from sklearn.neighbors import KNeighborsRegressor

df = pd.read_csv("data/houses.csv")
df["age_today"] = datetime.now().year - df["YearBuilt"]
df["decade"] = (df["YearBuilt"] // 10) * 10
df["is_new"] = df.age_today.lt(25) * 1

# %%
knn = KNeighborsRegressor(n_neighbors=4, weights="distance")
cols = ["age_today", "decade", "is_new", "FullBath", "GrLivArea"]
knn.fit(df.loc[df.index % 5 != 0, cols], df.loc[df.index % 5 != 0, "SalePrice"])
df["pred"] = knn.predict(df[cols])
df.loc[df.index % 5 == 0, ["SalePrice", "pred"]].corr()

# === answer
import numpy as np

held_rows = pd.read_csv("data/houses.csv").iloc[::5]
held_predictions = df["pred"].iloc[::5].to_numpy()
_year = datetime.now().year


def _line(r):
    age = _year - r["YearBuilt"]
    return [age, r["YearBuilt"] - r["YearBuilt"] % 10, int(age < 25), r["FullBath"], r["GrLivArea"]]


_known = pd.read_csv("data/houses.csv")
_known = _known[_known.index % 5 != 0]
_points = np.array([_line(r) for _, r in _known.iterrows()], dtype=float)
_prices = _known["SalePrice"].to_numpy(dtype=float)


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        far = np.sqrt(((_points - np.array(_line(r), dtype=float)) ** 2).sum(axis=1))
        near = np.argsort(far, kind="stable")[:4]
        if far[near[0]] == 0:
            near = near[far[near] == 0]
            out.append(float(_prices[near].mean()))
        else:
            out.append(float((_prices[near] / far[near]).sum() / (1 / far[near]).sum()))
    return out


rows = held_rows.sample(4, random_state=95).assign(GrLivArea=lambda d: d["GrLivArea"] + 27)
