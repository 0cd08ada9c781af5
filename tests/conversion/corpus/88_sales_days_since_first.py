# title: Trend by days since the first day of the table
# expect: either
# why: the first day is a number that the table gave once; of a request's own rows it would be another, and every row alone day nought
# input: df (data/sales.csv)
# label: units
# output: yhat

# %%
import pandas as pd
import numpy as np
import matplotlib.pyplot as plt
from sklearn.linear_model import BayesianRidge

df = pd.read_csv("data/sales.csv")
df["date"] = pd.to_datetime(df["date"])
df.info()

# %%
df["t"] = (df["date"] - df["date"].min()).dt.days
df["sin7"] = np.sin(2 * np.pi * df["date"].dt.dayofweek / 7)
df["cos7"] = np.cos(2 * np.pi * df["date"].dt.dayofweek / 7)
df["month_start"] = df["date"].dt.is_month_start.astype(int)
df["price_vs_mean"] = df["price"] - df["price"].mean()
df.head(10)

# %%
cols = ["t", "sin7", "cos7", "promo", "price_vs_mean", "month_start"]
past, future = df[df["date"] < "2023-06-15"], df[df["date"] >= "2023-06-15"]
br = BayesianRidge()
br.fit(past[cols], past["units"])
dict(zip(cols, br.coef_.round(2)))

# %%
yhat, ystd = br.predict(future[cols], return_std=True)
plt.figure(figsize=(10, 3))
plt.plot(df["date"], df["units"], color="0.6")
plt.plot(future["date"], yhat)
plt.fill_between(future["date"], yhat - 2 * ystd, yhat + 2 * ystd, alpha=0.2)

# %%
yhat = np.round(yhat, 1)
print("MAE", np.abs(yhat - future["units"]).mean())

# === answer
import math
from datetime import date

_raw = pd.read_csv("data/sales.csv")
held_rows = _raw[_raw["date"] >= "2023-06-15"]
held_predictions = yhat
_first = min(date.fromisoformat(d) for d in _raw["date"])
_price = float(_raw["price"].sum() / len(_raw))
_w = [float(v) for v in br.coef_]


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        day = date.fromisoformat(r["date"])
        angle = 2 * math.pi * day.weekday() / 7
        line = [(day - _first).days, math.sin(angle), math.cos(angle), r["promo"], r["price"] - _price, int(day.day == 1)]
        out.append(float(np.round(sum(a * b for a, b in zip(_w, line)) + float(br.intercept_), 1)))
    return out


rows = pd.DataFrame(
    {
        "date": ["2023-08-01", "2023-07-30", "2023-09-17", "2024-02-29", "2023-10-01"],
        "promo": [0, 1, 0, 1, 0],
        "price": [9.45, 10.15, 11.9, 9.95, 10.7],
    }
)
