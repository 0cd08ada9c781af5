# title: Forecast of a month by Holt-Winters
# expect: refused
# why: forecast() counts steps from the end of the series it was fitted to and takes no row; price and promotion play no part
# mentions: forecast|ExponentialSmoothing|Holt|smoothing|steps|series|hw
# needs: statsmodels
# input: s (data/sales.csv)
# label: units
# output: fc

# %%
import pandas as pd
import numpy as np
import matplotlib.pyplot as plt
from statsmodels.tsa.holtwinters import ExponentialSmoothing, SimpleExpSmoothing
from statsmodels.tsa.seasonal import seasonal_decompose

# %%
s = pd.read_csv("data/sales.csv", parse_dates=["date"], index_col="date").asfreq("D")
s["units"].plot(figsize=(12, 4))

# %%
seasonal_decompose(s["units"], period=7).plot()
plt.show()

# %%
train = s["units"][:-28]
test = s["units"][-28:]

ses = SimpleExpSmoothing(train, initialization_method="estimated").fit()
hw = ExponentialSmoothing(train, trend="add", damped_trend=True, seasonal="add", seasonal_periods=7, initialization_method="estimated").fit()
hw.summary()

# %%
fc = hw.forecast(len(test))
mape = lambda a, f: np.mean(np.abs(a - f) / a) * 100
print("SES  MAPE %.1f" % mape(test, ses.forecast(28)))
print("HW   MAPE %.1f" % mape(test, fc))
print("naive     %.1f" % mape(test.values, train[-7:].tolist() * 4))

# %%
ax = train[-60:].plot(figsize=(12, 4), label="train")
test.plot(ax=ax, label="test")
fc.plot(ax=ax, style="--", label="Holt-Winters")
ax.legend()

# %%
fc.round().astype(int).to_csv("forecast.csv", header=["units"])
