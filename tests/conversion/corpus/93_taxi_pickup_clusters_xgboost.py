# title: Taxi fares with clusters of pickups, cyclic hours and early stopping
# expect: converts
# why: the clusters and the booster are learned, the rest is told of one ride; impossible fares are thrown away only to learn
# needs: xgboost
# input: df (data/taxi.csv)
# label: fare_amount
# output: pred

# %% [markdown]
# # NYC taxi fare - baseline
# * haversine + bearing
# * kmeans on pickup coordinates (like in the 1st place kernel of trip duration)
# * xgb, no tuning yet

# %%
import gc
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
from sklearn.cluster import KMeans
from sklearn.metrics import mean_squared_error
from xgboost import XGBRegressor

SEED = 2018

# %%
%%time
df = pd.read_csv('data/taxi.csv', parse_dates=['pickup_datetime'])
df.describe().T

# %%
# negative fares, and 240 $ within the city
print('before', len(df))
df = df[(df.fare_amount > 0) & (df.fare_amount < 100)].reset_index(drop=True)
print('after ', len(df))

# %%
plt.scatter(df.pickup_longitude, df.pickup_latitude, s=2, c='k')
plt.scatter(df.dropoff_longitude, df.dropoff_latitude, s=2, c='r', alpha=.5)
plt.axis('equal');

# %%
def haversine_array(lat1, lng1, lat2, lng2):
    lat1, lng1, lat2, lng2 = map(np.radians, (lat1, lng1, lat2, lng2))
    AVG_EARTH_RADIUS = 6371  # in km
    lat = lat2 - lat1
    lng = lng2 - lng1
    d = np.sin(lat * 0.5) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin(lng * 0.5) ** 2
    h = 2 * AVG_EARTH_RADIUS * np.arcsin(np.sqrt(d))
    return h

def bearing_array(lat1, lng1, lat2, lng2):
    lng_delta_rad = np.radians(lng2 - lng1)
    lat1, lng1, lat2, lng2 = map(np.radians, (lat1, lng1, lat2, lng2))
    y = np.sin(lng_delta_rad) * np.cos(lat2)
    x = np.cos(lat1) * np.sin(lat2) - np.sin(lat1) * np.cos(lat2) * np.cos(lng_delta_rad)
    return np.degrees(np.arctan2(y, x))

# %%
df.loc[:, 'distance_haversine'] = haversine_array(df['pickup_latitude'].values, df['pickup_longitude'].values, df['dropoff_latitude'].values, df['dropoff_longitude'].values)
df.loc[:, 'direction'] = bearing_array(df['pickup_latitude'].values, df['pickup_longitude'].values, df['dropoff_latitude'].values, df['dropoff_longitude'].values)
df.loc[:, 'center_latitude'] = (df['pickup_latitude'].values + df['dropoff_latitude'].values) / 2

hour = df['pickup_datetime'].dt.hour
df['hour_sin'] = np.sin(2 * np.pi * hour / 24)
df['hour_cos'] = np.cos(2 * np.pi * hour / 24)
df['rush'] = (hour.between(7, 8) | hour.between(16, 18)).astype(int)
df['dow'] = df['pickup_datetime'].dt.weekday
df['weekend'] = (df['dow'] >= 5).astype(int)

# %%
plt.plot(df.groupby(hour).fare_amount.mean(), 'o-')
plt.xlabel('hour'); plt.ylabel('mean fare');

# %%
perm = np.random.RandomState(SEED).permutation(len(df))
n_val, n_test = 45, 60
test_i, val_i, tr_i = perm[:n_test], perm[n_test:n_test + n_val], perm[n_test + n_val:]

km = KMeans(n_clusters=6, n_init=5, random_state=SEED)
km.fit(df.loc[tr_i, ['pickup_latitude', 'pickup_longitude']].values)
df['pickup_cluster'] = km.predict(df[['pickup_latitude', 'pickup_longitude']].values)
df['pickup_cluster'].value_counts()

# %%
do_not_use_for_training = ['key', 'fare_amount', 'pickup_datetime']
feature_names = [f for f in df.columns if f not in do_not_use_for_training]
print('We have %i features.' % len(feature_names))
feature_names

# %%
model = XGBRegressor(n_estimators=600, learning_rate=0.05, max_depth=4, subsample=0.8, colsample_bytree=0.9,
                     min_child_weight=5, early_stopping_rounds=25, eval_metric='rmse', random_state=SEED, n_jobs=1)
model.fit(df.loc[tr_i, feature_names], df.loc[tr_i, 'fare_amount'],
          eval_set=[(df.loc[val_i, feature_names], df.loc[val_i, 'fare_amount'])], verbose=False)
print('best iteration', model.best_iteration, 'val rmse', model.best_score)

# %%
pd.Series(model.feature_importances_, feature_names).sort_values().plot.barh()
gc.collect()

# %%
pred = model.predict(df.loc[test_i, feature_names])
pred = np.maximum(pred, 2.5)     # the meter starts at 2.50
print('test rmse', np.sqrt(mean_squared_error(df.loc[test_i, 'fare_amount'], pred)))

# === answer
import math
from datetime import datetime

_raw = pd.read_csv("data/taxi.csv")
held_rows = _raw[(_raw["fare_amount"] > 0) & (_raw["fare_amount"] < 100)].iloc[test_i].reset_index(drop=True)
held_predictions = pred
_centers = km.cluster_centers_.tolist()


def answer(rows):
    table = []
    for _, r in rows.iterrows():
        when = datetime.fromisoformat(r["pickup_datetime"])
        lat, lon, lat2, lon2 = (r[f"{end}_{c}"] for end in ("pickup", "dropoff") for c in ("latitude", "longitude"))
        a, b, a2, b2 = (math.radians(v) for v in (lat, lon, lat2, lon2))
        d = math.sin((a2 - a) / 2) ** 2 + math.cos(a) * math.cos(a2) * math.sin((b2 - b) / 2) ** 2
        turn = math.radians(lon2 - lon)
        east = math.sin(turn) * math.cos(a2)
        north = math.cos(a) * math.sin(a2) - math.sin(a) * math.cos(a2) * math.cos(turn)
        one = {
            "pickup_longitude": lon,
            "pickup_latitude": lat,
            "dropoff_longitude": lon2,
            "dropoff_latitude": lat2,
            "passenger_count": r["passenger_count"],
            "distance_haversine": 2 * 6371 * math.asin(math.sqrt(d)),
            "direction": math.degrees(math.atan2(east, north)),
            "center_latitude": (lat + lat2) / 2,
            "hour_sin": math.sin(2 * math.pi * when.hour / 24),
            "hour_cos": math.cos(2 * math.pi * when.hour / 24),
            "rush": int(when.hour in (7, 8, 16, 17, 18)),
            "dow": when.weekday(),
            "weekend": int(when.weekday() > 4),
            "pickup_cluster": min(range(6), key=lambda k: (lat - _centers[k][0]) ** 2 + (lon - _centers[k][1]) ** 2),
        }
        table.append([float(one[f]) for f in feature_names])
    told = model.get_booster().inplace_predict(np.array(table), iteration_range=(0, model.best_iteration + 1))
    return [max(float(v), 2.5) for v in told]


rows = _raw.sample(8, random_state=93).assign(
    key=[f"q{i}" for i in range(8)],
    pickup_latitude=lambda d: (d["pickup_latitude"] + 0.0041).round(6),
    passenger_count=lambda d: d["passenger_count"] % 6 + 1,
)
rows.iloc[0, rows.columns.get_loc("pickup_datetime")] = "2015-06-13 17:45:10"
rows.iloc[1, rows.columns.get_loc("pickup_datetime")] = "2015-07-06 08:59:59"
rows.iloc[2, rows.columns.get_loc("pickup_datetime")] = "2015-07-07 00:00:00"
