# title: Taxi fares with a distance function and parts of the date
# expect: converts
# why: functions of one row; the filter on fare_amount is about the label and is no part of scoring
# input: taxi (data/taxi.csv)
# label: fare_amount
# output: pred

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split

taxi = pd.read_csv("data/taxi.csv")
taxi.dtypes

# %%
# negative fares??
print((taxi.fare_amount <= 0).sum(), "bad fares")
taxi = taxi[(taxi.fare_amount > 0) & (taxi.fare_amount < 200)]

# %%
def haversine(lat1, lon1, lat2, lon2, r=6371):
    lat1, lon1, lat2, lon2 = map(np.radians, [lat1, lon1, lat2, lon2])
    a = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * r * np.arcsin(np.sqrt(a))

def part_of_day(h):
    if h < 6:
        return 0
    elif h < 10:
        return 1
    elif h < 16:
        return 2
    elif h < 20:
        return 3
    return 4

# %%
taxi = taxi.copy()
taxi["pickup_datetime"] = pd.to_datetime(taxi["pickup_datetime"])
taxi["hour"] = taxi["pickup_datetime"].dt.hour
taxi["weekday"] = taxi["pickup_datetime"].dt.dayofweek
taxi["month"] = taxi["pickup_datetime"].dt.month
taxi["weekend"] = taxi["weekday"].isin([5, 6]).astype(int)
taxi["part"] = taxi["hour"].apply(part_of_day)
taxi["hour_sin"] = np.sin(2 * np.pi * taxi["hour"] / 24)
taxi["km"] = haversine(taxi.pickup_latitude, taxi.pickup_longitude, taxi.dropoff_latitude, taxi.dropoff_longitude)
taxi["km"].hist(bins=30)

# %%
features = ["km", "hour", "weekday", "month", "weekend", "part", "hour_sin", "passenger_count"]
X_train, X_test, y_train, y_test = train_test_split(taxi[features], taxi["fare_amount"], test_size=0.2, random_state=11)
ridge = Ridge(alpha=1.0)
ridge.fit(X_train, y_train)
pred = ridge.predict(X_test)
print("MAE %.2f $" % np.mean(np.abs(pred - y_test)))

# === answer
import math
from datetime import datetime

_raw = pd.read_csv("data/taxi.csv")
held_rows = _raw.loc[X_test.index]
held_predictions = pred


def answer(rows):
    table = []
    for _, r in rows.iterrows():
        when = datetime.strptime(r["pickup_datetime"], "%Y-%m-%d %H:%M:%S")
        p, q = math.radians(r["pickup_latitude"]), math.radians(r["dropoff_latitude"])
        dlon = math.radians(r["dropoff_longitude"]) - math.radians(r["pickup_longitude"])
        a = math.sin((q - p) / 2) ** 2 + math.cos(p) * math.cos(q) * math.sin(dlon / 2) ** 2
        h = when.hour
        table.append(
            [
                2 * 6371 * math.asin(math.sqrt(a)), h, when.weekday(), when.month, int(when.weekday() >= 5),
                sum(h >= edge for edge in (6, 10, 16, 20)), math.sin(2 * math.pi * h / 24), r["passenger_count"],
            ]
        )  # fmt: skip
    return [sum(c * v for c, v in zip(ridge.coef_, line)) + ridge.intercept_ for line in table]


rows = _raw[_raw.fare_amount.between(1, 100)].sample(6, random_state=1)
rows = rows.assign(dropoff_latitude=rows["dropoff_latitude"] + 0.0123)
rows.iloc[0, rows.columns.get_loc("pickup_datetime")] = "2015-08-02 23:59:59"
rows.iloc[1, rows.columns.get_loc("pickup_datetime")] = "2016-02-29 06:00:00"
