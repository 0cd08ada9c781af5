# title: Forecast with yesterday's units and the mean of a week
# expect: refused
# why: shift and rolling look at other rows, which a request does not bring
# mentions: shift|rolling
# input: df (data/sales.csv)
# label: units
# output: forecast

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.read_csv("data/sales.csv", parse_dates=["date"]).sort_values("date")
df["dow"] = df["date"].dt.dayofweek
df["lag_1"] = df["units"].shift(1)
df["lag_7"] = df["units"].shift(7)
df["mean_7"] = df["units"].shift(1).rolling(7).mean()
df["price_diff"] = df["price"].diff()
df = df.dropna()

# %%
feats = ["dow", "promo", "price", "lag_1", "lag_7", "mean_7", "price_diff"]
train, test = df[:-28], df[-28:]
lm = LinearRegression().fit(train[feats], train["units"])

# %%
forecast = lm.predict(test[feats])
print("MAPE", (abs(forecast - test["units"]) / test["units"]).mean())
