# title: Fuel consumption, log on log, rare makes lumped together, smearing when going back
# expect: converts
# why: which makes are frequent and the smearing factor are learned in training and used for single cars
# input: auto (data/cars.csv)
# label: mpg
# output: mpg_hat

# %%
import pandas as pd
import numpy as np
from scipy import stats
import matplotlib.pyplot as plt
from sklearn.linear_model import LinearRegression

auto = pd.read_csv("data/cars.csv", na_values=["?"])
auto.columns = [c.replace(" ", "_") for c in auto.columns]
auto.head()

# %%
auto.dtypes

# %%
# the make is the first word
auto["make"] = auto["car_name"].str.split(" ", n=1).str[0]
auto["make"].value_counts()

# %%
auto["wagon"] = auto["car_name"].str.contains("wagon").astype(int)

rng = np.random.default_rng(1)
mask = rng.random(len(auto)) < 0.75
tr, te = auto[mask].copy(), auto[~mask].copy()

top = tr["make"].value_counts().nlargest(4).index
hp_per_cyl = tr.groupby("cylinders")["horsepower"].median()
print(list(top))
hp_per_cyl

# %%
def features(d):
    d = d.copy()
    d["horsepower"] = d["horsepower"].fillna(d["cylinders"].map(hp_per_cyl))
    X = np.log(d[["displacement", "horsepower", "weight", "acceleration"]])
    X["year"] = d["model_year"] - 76
    X["wagon"] = d["wagon"]
    make = d["make"].where(d["make"].isin(top), "other")
    for m in top[1:]:
        X["is_" + m] = (make == m).astype(float)
    X["is_other"] = (make == "other").astype(float)
    for o in [2, 3]:
        X[f"origin{o}"] = (d["origin"] == o).astype(float)
    return X

# %%
lm = LinearRegression()
lm.fit(features(tr), np.log(tr["mpg"]))
resid = np.log(tr["mpg"]) - lm.predict(features(tr))
smear = np.exp(resid).mean()     # Duan 1983
print("R2", lm.score(features(tr), np.log(tr["mpg"])), "smearing", smear)
print(stats.shapiro(resid))

# %%
stats.probplot(resid, plot=plt)
plt.show()

# %%
pd.Series(lm.coef_, features(tr).columns).round(3)

# %%
mpg_hat = smear * np.exp(lm.predict(features(te)))
rmse = np.sqrt(np.mean((mpg_hat - te["mpg"]) ** 2))
print(f"RMSE {rmse:.2f} mpg")
# in litres for the boss
print(f"mean {235.215 / mpg_hat.mean():.1f} l/100km")

# === answer
import math
import statistics

_raw = pd.read_csv("data/cars.csv", na_values=["?"])
held_rows = _raw.loc[te.index]
held_predictions = mpg_hat
_seen = _raw.loc[tr.index]
_makes = [m for m in sorted(set(n.split(" ")[0] for n in _raw["car name"])) if m in list(top)]
_power = {k: statistics.median(_seen.loc[_seen["cylinders"] == k, "horsepower"].dropna()) for k in (4, 6, 8)}
_w = dict(zip(lm.feature_names_in_, lm.coef_.tolist()))


def _log(r):
    power = _power[r["cylinders"]] if pd.isna(r["horsepower"]) else r["horsepower"]
    value = lm.intercept_ + _w["displacement"] * math.log(r["displacement"]) + _w["horsepower"] * math.log(power)
    value += _w["weight"] * math.log(r["weight"]) + _w["acceleration"] * math.log(r["acceleration"])
    value += _w["year"] * (r["model year"] - 76) + _w["wagon"] * ("wagon" in r["car name"])
    make = r["car name"].split(" ")[0]
    value += _w.get(f"is_{make}", 0.0) if make in _makes else _w["is_other"]
    return float(value + _w.get(f"origin{r['origin']}", 0.0))


_smear = statistics.fmean(r["mpg"] / math.exp(_log(r)) for _, r in _seen.iterrows())


def answer(rows):
    return [_smear * math.exp(_log(r)) for _, r in rows.iterrows()]


rows = _raw.sample(7, random_state=76).assign(weight=lambda d: d["weight"] + 21)
rows.iloc[0, rows.columns.get_loc("horsepower")] = np.nan
rows.iloc[1, rows.columns.get_loc("car name")] = "saab 99"
rows.iloc[2, rows.columns.get_loc("origin")] = 1
rows.iloc[3, rows.columns.get_loc("origin")] = 3
rows.iloc[4, rows.columns.get_loc("car name")] = "datsun wagon"
