# title: Taxi fares with LightGBM's own API, distances to landmarks, log of the fare
# expect: converts
# why: the landmarks and hours are features of one ride, the booster is fitted; who comes after April only splits
# needs: lightgbm
# input: df (data/taxi.csv)
# label: fare_amount
# output: fares

# %%
import gc
import warnings

import lightgbm as lgb
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")

# %%
types = {
    "fare_amount": "float32",
    "pickup_longitude": "float64",
    "pickup_latitude": "float64",
    "dropoff_longitude": "float64",
    "dropoff_latitude": "float64",
    "passenger_count": "uint8",
}
df = pd.read_csv("data/taxi.csv", dtype=types, parse_dates=["pickup_datetime"])
print(df.memory_usage(deep=True).sum() / 1024, "kB")
df.describe()

# %%
# fares must be positive, NYC minimum is 2.50
before = len(df)
df = df[df["fare_amount"].between(2.5, 150)]
print(f"removed {before - len(df)}")

# %%
LANDMARKS = {
    "jfk": (40.6413, -73.7781),
    "lga": (40.7769, -73.8740),
    "times_sq": (40.7580, -73.9855),
}

def dist(lat1, lon1, lat2, lon2):
    # good enough for a city
    return 111.2 * np.sqrt((lat2 - lat1) ** 2 + (np.cos(np.radians(40.75)) * (lon2 - lon1)) ** 2)

def add_features(d):
    d = d.copy()
    d["dist"] = dist(d["pickup_latitude"], d["pickup_longitude"], d["dropoff_latitude"], d["dropoff_longitude"])
    for name, (lat, lon) in LANDMARKS.items():
        d[f"to_{name}"] = np.minimum(
            dist(d["pickup_latitude"], d["pickup_longitude"], lat, lon),
            dist(d["dropoff_latitude"], d["dropoff_longitude"], lat, lon),
        )
    dt = d["pickup_datetime"].dt
    d["hour"] = dt.hour + dt.minute / 60
    d["dow"] = dt.dayofweek
    d["doy"] = dt.dayofyear
    d["rush"] = (dt.hour.isin([7, 8, 16, 17, 18]) & (dt.dayofweek < 5)).astype(int)
    d["night"] = ((dt.hour >= 20) | (dt.hour < 6)).astype(int)
    d["bearing"] = np.degrees(np.arctan2(d["dropoff_latitude"] - d["pickup_latitude"], d["dropoff_longitude"] - d["pickup_longitude"]))
    return d

df = add_features(df)
df.head(3)

# %%
df.plot.scatter("dist", "fare_amount", s=4, alpha=0.5)

# %%
feats = [c for c in df.columns if c not in ("key", "fare_amount", "pickup_datetime")]
cut = pd.Timestamp("2015-05-01")
is_train = df["pickup_datetime"] < cut
dtrain = lgb.Dataset(df.loc[is_train, feats], label=np.log(df.loc[is_train, "fare_amount"]))
dvalid = lgb.Dataset(df.loc[~is_train, feats], label=np.log(df.loc[~is_train, "fare_amount"]), reference=dtrain)

params = {"objective": "regression", "metric": "rmse", "learning_rate": 0.08, "num_leaves": 9, "min_data_in_leaf": 10,
          "feature_fraction": 0.9, "seed": 3, "verbose": -1, "num_threads": 1}
hist = {}
bst = lgb.train(params, dtrain, num_boost_round=150, valid_sets=[dvalid], valid_names=["may"],
                callbacks=[lgb.record_evaluation(hist), lgb.early_stopping(25, verbose=False)])
gc.collect()
bst.best_iteration

# %%
plt.plot(hist["may"]["rmse"])
lgb.plot_importance(bst, max_num_features=8)

# %%
may = df[~is_train]
fares = np.exp(bst.predict(may[feats], num_iteration=bst.best_iteration))
fares = np.clip(fares, 2.5, None).round(2)
print("MAPE", np.mean(np.abs(fares - may["fare_amount"]) / may["fare_amount"]))

# === answer
import math

_raw = pd.read_csv("data/taxi.csv", parse_dates=["pickup_datetime"])
held_rows = _raw.loc[may.index]
held_predictions = fares


def _km(a, b):
    return 111.2 * math.sqrt((b[0] - a[0]) ** 2 + (math.cos(math.radians(40.75)) * (b[1] - a[1])) ** 2)


def answer(rows):
    table = []
    for _, r in rows.iterrows():
        start, end = (r["pickup_latitude"], r["pickup_longitude"]), (r["dropoff_latitude"], r["dropoff_longitude"])
        when = r["pickup_datetime"].to_pydatetime()
        one = {
            "pickup_longitude": start[1], "pickup_latitude": start[0], "dropoff_longitude": end[1], "dropoff_latitude": end[0],
            "passenger_count": r["passenger_count"], "dist": _km(start, end), "hour": when.hour + when.minute / 60,
            "dow": when.weekday(), "doy": when.timetuple().tm_yday, "night": int(when.hour >= 20 or when.hour < 6),
            "rush": int(when.hour in (7, 8, 16, 17, 18) and when.weekday() < 5),
            "bearing": math.degrees(math.atan2(end[0] - start[0], end[1] - start[1])),
        }  # fmt: skip
        for name, place in {"jfk": (40.6413, -73.7781), "lga": (40.7769, -73.8740), "times_sq": (40.7580, -73.9855)}.items():
            one[f"to_{name}"] = min(_km(start, place), _km(end, place))
        table.append([float(one[c]) for c in bst.feature_name()])
    logs = bst.predict(np.array(table), num_iteration=bst.best_iteration)
    return [float(np.round(max(math.exp(v), 2.5), 2)) for v in logs]


rows = _raw[_raw["fare_amount"].between(3, 100)].sample(7, random_state=73)
rows = rows.assign(dropoff_longitude=(rows["dropoff_longitude"] - 0.0087).round(6))
rows.iloc[0, rows.columns.get_loc("pickup_datetime")] = pd.Timestamp("2015-06-08 08:00:00")
rows.iloc[1, rows.columns.get_loc("pickup_datetime")] = pd.Timestamp("2015-05-31 23:45:00")
rows.iloc[2, rows.columns.get_loc("passenger_count")] = 1
