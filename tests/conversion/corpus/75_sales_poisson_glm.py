# title: Units sold as a Poisson regression with weekdays
# expect: converts
# why: the coefficients of the formula are learned; weekday and promotion are told of a day by itself
# needs: statsmodels
# input: shop (data/sales.csv)
# label: units
# output: expected

# %% [markdown]
# # Price elasticity, store 14
# Quick look for the Monday meeting. Counts -> Poisson, log link, so the coefficient of log(price) *is* the elasticity.

# %%
import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
import matplotlib.pyplot as plt

# %%
shop = pd.read_csv("data/sales.csv")
shop["date"] = pd.to_datetime(shop["date"])
shop = shop.set_index("date").sort_index()
shop["units"].plot(figsize=(10, 3))

# %%
shop["weekday"] = shop.index.day_name().str[:3]
shop["weekend"] = shop["weekday"].isin(["Sat", "Sun"])
shop["log_price"] = np.log(shop["price"])
shop.groupby("weekday")["units"].agg(["mean", "std", "count"]).loc[["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]]

# %%
fit_on = shop.loc[:"2023-05-31"]
after = shop.loc["2023-06-01":]
len(fit_on), len(after)

# %%
f = "units ~ C(weekday, Treatment('Mon')) + promo * log_price"
poisson = smf.glm(f, data=fit_on, family=sm.families.Poisson()).fit()
print(poisson.summary())

# %%
# overdispersed?
print("Pearson chi2 / df:", poisson.pearson_chi2 / poisson.df_resid)
elasticity = poisson.params["log_price"]
lo, hi = poisson.conf_int().loc["log_price"]
print(f"elasticity {elasticity:.2f} [{lo:.2f}, {hi:.2f}]")

# %%
expected = poisson.predict(after)
plt.figure(figsize=(10, 3))
plt.plot(after.index, after["units"], label="sold")
plt.plot(after.index, expected, label="expected")
plt.legend()
np.abs(after["units"] - expected).mean()

# === answer
import math
from datetime import date

_raw = pd.read_csv("data/sales.csv")
held_rows = _raw[_raw["date"] >= "2023-06-01"]
held_predictions = expected.to_numpy()
_b = poisson.params.to_dict()


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        day = "Mon Tue Wed Thu Fri Sat Sun".split()[date.fromisoformat(r["date"]).weekday()]
        eta = _b["Intercept"] + _b["promo"] * r["promo"] + _b["log_price"] * math.log(r["price"])
        eta += _b["promo:log_price"] * r["promo"] * math.log(r["price"])
        eta += 0.0 if day == "Mon" else _b[f"C(weekday, Treatment('Mon'))[T.{day}]"]
        out.append(math.exp(eta))
    return out


rows = pd.DataFrame(
    {
        "date": ["2023-08-01", "2023-08-06", "2023-12-25", "2024-02-29", "2022-11-05"],
        "promo": [0, 1, 0, 1, 0],
        "price": [9.49, 10.2, 11.99, 9.9, 10.75],
    }
)
