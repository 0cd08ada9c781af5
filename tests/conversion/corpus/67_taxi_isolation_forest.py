# title: Strange taxi rides by an isolation forest
# expect: converts
# why: the forest is fitted on the rides until April, the fare is a feature and nothing is a label
# input: rides (data/taxi.csv)
# label: none
# output: recent["flag"]

# %% [markdown]
# # Ride audit
# Flag rides that look wrong so that someone calls the driver. No labels, so: isolation forest.

# %%
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, RobustScaler

rides = pd.read_csv("data/taxi.csv", parse_dates=["pickup_datetime"])
rides.head()

# %%
rides["fare_amount"].describe(percentiles=[.01, .05, .95, .99])

# %%
CITY = (40.75, -73.98)


def ride_features(df):
    """km as the crow flies, price per km, distance of the pickup from the centre, night or not."""
    dx = (df["dropoff_longitude"] - df["pickup_longitude"]) * 111 * np.cos(np.radians(df["pickup_latitude"]))
    dy = (df["dropoff_latitude"] - df["pickup_latitude"]) * 111
    km = np.sqrt(dx ** 2 + dy ** 2)
    return pd.DataFrame({
        "km": km,
        "fare": df["fare_amount"],
        "per_km": (df["fare_amount"] - 2.5) / km.clip(lower=0.2),
        "from_centre": np.hypot(df["pickup_latitude"] - CITY[0], df["pickup_longitude"] - CITY[1]) * 111,
        "night": df["pickup_datetime"].dt.hour.isin([0, 1, 2, 3, 4, 5]).astype(int),
    })


ride_features(rides).describe().round(2)

# %%
history = rides[rides["pickup_datetime"] < "2015-05-01"]
recent = rides[rides["pickup_datetime"] >= "2015-05-01"].copy()

detector = Pipeline([
    ("features", FunctionTransformer(ride_features)),
    ("scale", RobustScaler()),
    ("forest", IsolationForest(n_estimators=80, contamination=0.06, random_state=99)),
])
detector.fit(history)

# %%
recent["score"] = -detector.decision_function(recent)
recent["flag"] = np.where(detector.predict(recent) == -1, "check", "ok")
recent["flag"].value_counts()

# %%
recent.sort_values("score", ascending=False).head(5)

# %%
f = ride_features(recent)
colors = recent["flag"].map({"check": "crimson", "ok": "lightgrey"})
plt.scatter(f["km"], f["fare"], c=colors)
plt.xlabel("km"); plt.ylabel("fare")

# === answer
import math

_raw = pd.read_csv("data/taxi.csv", parse_dates=["pickup_datetime"])
held_rows = _raw[_raw["pickup_datetime"] >= "2015-05-01"]
held_predictions = recent["flag"].tolist()


def _line(r):
    dy = (r["dropoff_latitude"] - r["pickup_latitude"]) * 111
    dx = (r["dropoff_longitude"] - r["pickup_longitude"]) * 111 * math.cos(math.radians(r["pickup_latitude"]))
    km = math.sqrt(dx * dx + dy * dy)
    away = math.sqrt((r["pickup_latitude"] - 40.75) ** 2 + (r["pickup_longitude"] + 73.98) ** 2) * 111
    night = float(r["pickup_datetime"].hour < 6)
    return [km, r["fare_amount"], (r["fare_amount"] - 2.5) / max(km, 0.2), away, night]


_known = np.array([_line(r) for _, r in _raw[_raw["pickup_datetime"] < "2015-05-01"].iterrows()])
_middle = np.median(_known, axis=0)
_spread = np.quantile(_known, 0.75, axis=0) - np.quantile(_known, 0.25, axis=0)
_spread[_spread == 0] = 1.0


def answer(rows):
    table = (np.array([_line(r) for _, r in rows.iterrows()]) - _middle) / _spread
    forest = detector.named_steps["forest"]
    return ["check" if s < forest.offset_ else "ok" for s in forest.score_samples(table)]


rows = held_rows.sample(7, random_state=67).assign(dropoff_latitude=lambda d: (d["dropoff_latitude"] + 0.0071).round(6))
rows.iloc[0, rows.columns.get_loc("fare_amount")] = 180.0
rows.iloc[1, rows.columns.get_loc("pickup_datetime")] = pd.Timestamp("2015-06-06 03:14:15")
rows.iloc[2, rows.columns.get_loc("pickup_latitude")] = 41.4
