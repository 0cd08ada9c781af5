# title: Pay by experience with scipy's curve_fit
# expect: converts
# why: the three parameters of the curve are learned, there is no estimator; the pay is rounded to hundreds
# input: tbl (data/salary.csv)
# label: Salary
# output: offer

# %% [markdown]
# # What should we offer?
# Comp & Ben asked for a formula they can put in Excel.

# %%
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
from scipy.optimize import curve_fit

tbl = pd.read_csv("data/salary.csv")
tbl

# %%
# every third person is kept aside
aside = np.arange(len(tbl)) % 3 == 2
x = tbl.loc[~aside, "YearsExperience"].to_numpy()
y = tbl.loc[~aside, "Salary"].to_numpy() / 1000

# %%
def pay(years, start, gain, power):
    return start + gain * np.power(years, power)

def straight(years, a, b):
    return a + b * years

popt, pcov = curve_fit(pay, x, y, p0=[30, 8, 1.0], maxfev=20000)
line, _ = curve_fit(straight, x, y)
print("curve   ", popt, "+-", np.sqrt(np.diag(pcov)))
print("straight", line)

# %%
grid = np.linspace(1, 11, 100)
plt.scatter(x, y, c="k")
plt.plot(grid, pay(grid, *popt), label="curve")
plt.plot(grid, straight(grid, *line), "--", label="straight")
plt.ylabel("kCHF"); plt.legend(); plt.grid()

# %%
# nobody below the minimum of the collective agreement
MINIMUM = 40.0
years = tbl.loc[aside, "YearsExperience"].to_numpy()
offer = np.maximum(pay(years, *popt), MINIMUM)
offer = np.round(offer * 1000, -2)
pd.DataFrame({"years": years, "is": tbl.loc[aside, "Salary"], "offer": offer, "diff": offer - tbl.loc[aside, "Salary"]})

# %%
start, gain, power = popt.round(4)
print(f"Excel:  =MAX({MINIMUM:.0f}; {start} + {gain} * A2^{power}) * 1000")

# === answer
import math

_raw = pd.read_csv("data/salary.csv")
held_rows = _raw.iloc[2::3]
held_predictions = offer
_a, _b, _c = (float(v) for v in popt)


def answer(rows):
    kilo = [max(_a + _b * math.exp(_c * math.log(v)), 40.0) for v in rows["YearsExperience"]]
    return [round(k * 10) * 100.0 for k in kilo]


rows = pd.DataFrame({"YearsExperience": [0.25, 1.75, 3.33, 5.05, 8.61, 12.4]})
