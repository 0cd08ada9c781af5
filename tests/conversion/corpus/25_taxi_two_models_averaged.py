# title: The prediction is the weighted mean of two models
# expect: either
# why: two fitted models in one output can be kept both, or be too much
# input: df (data/taxi.csv)
# label: fare_amount
# output: blend

# %%
import pandas as pd
import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.ensemble import RandomForestRegressor

df = pd.read_csv("data/taxi.csv", parse_dates=["pickup_datetime"])
df = df.query("fare_amount > 0 and fare_amount < 100").reset_index(drop=True)

# %%
df["abs_lat"] = (df.dropoff_latitude - df.pickup_latitude).abs()
df["abs_lon"] = (df.dropoff_longitude - df.pickup_longitude).abs()
df["manhattan"] = df.abs_lat + df.abs_lon
df["hour"] = df.pickup_datetime.dt.hour
use = ["abs_lat", "abs_lon", "manhattan", "hour", "passenger_count"]
n = int(len(df) * 0.8)
tr, te = df[:n], df[n:]

# %%
m1 = LinearRegression().fit(tr[use], tr.fare_amount)
m2 = RandomForestRegressor(40, min_samples_leaf=3, random_state=0).fit(tr[use], tr.fare_amount)

# %%
p1 = m1.predict(te[use])
p2 = m2.predict(te[use])
blend = 0.4 * p1 + 0.6 * p2
for nm, p in [("lin", p1), ("rf", p2), ("blend", blend)]:
    print(nm, np.sqrt(((p - te.fare_amount) ** 2).mean()).round(3))

# === answer
_raw = pd.read_csv("data/taxi.csv", parse_dates=["pickup_datetime"])
_good = _raw[(_raw["fare_amount"] > 0) & (_raw["fare_amount"] < 100)]
held_rows = _good.iloc[n:]
held_predictions = blend


def answer(rows):
    table = []
    for _, r in rows.iterrows():
        lat, lon = abs(r["dropoff_latitude"] - r["pickup_latitude"]), abs(r["dropoff_longitude"] - r["pickup_longitude"])
        table.append([lat, lon, lat + lon, r["pickup_datetime"].hour, r["passenger_count"]])
    x = np.array(table, dtype=float)
    forest = np.mean([tree.predict(x) for tree in m2.estimators_], axis=0)
    return (0.4 * (x @ m1.coef_ + m1.intercept_) + 0.6 * forest).tolist()


rows = _good.sample(5, random_state=2).assign(passenger_count=2, pickup_longitude=lambda d: d["pickup_longitude"] + 0.004)
