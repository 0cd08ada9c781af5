# title: Trend and weekdays of a shop, with the row number as time
# expect: refused
# why: the trend is the position of a row in the table, so a row that is asked about alone would be the first day again
# mentions: time_dummy|arange
# input: sales (data/sales.csv)
# label: units
# output: y_pred

# %% [markdown]
# # Lesson: trend + seasonality with linear regression
# *Time series exercises, day 2.*

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error

plt.rc("figure", autolayout=True, figsize=(11, 4))

sales = pd.read_csv("data/sales.csv", parse_dates=["date"])
sales.head()

# %%
sales.plot(x="date", y="units")

# %% [markdown]
# ## The time dummy
# Counts off time steps from the beginning to the end of the series.

# %%
sales["time_dummy"] = np.arange(len(sales.index))
sales["weekday"] = sales["date"].dt.dayofweek
X = pd.concat([sales[["time_dummy", "promo", "price"]], pd.get_dummies(sales["weekday"], prefix="wd", drop_first=True, dtype=int)], axis=1)
y = sales["units"]
X.head(8)

# %%
# never shuffle a time series
X_train, X_test = X[:160], X[160:]
y_train, y_test = y[:160], y[160:]

model = LinearRegression()
model.fit(X_train, y_train)
y_fit = model.predict(X_train)
y_pred = model.predict(X_test)
print("MAE train", mean_absolute_error(y_train, y_fit))
print("MAE test ", mean_absolute_error(y_test, y_pred))

# %%
ax = sales.plot(x="date", y="units", color="0.7")
ax.plot(sales["date"][:160], y_fit, label="fit")
ax.plot(sales["date"][160:], y_pred, label="forecast")
ax.legend();
