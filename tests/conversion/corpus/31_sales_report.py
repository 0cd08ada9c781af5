# title: A weekly report with a pivot table and two plots
# expect: not-predictive
# why: a report; the forecast it shows is only last week's mean by weekday, nothing is trained
# input: sales (data/sales.csv)
# label: none
# output: none

# %%
import pandas as pd
import matplotlib.pyplot as plt
sales = pd.read_csv("data/sales.csv", parse_dates=["date"])
sales["turnover"] = sales["units"] * sales["price"]

# %%
weekly = sales.set_index("date")["turnover"].resample("W").sum()
ax = weekly.plot(figsize=(8, 3), title="Turnover per week")
ax.axhline(weekly.mean(), ls="--")

# %%
pivot = sales.pivot_table(index=sales["date"].dt.day_name(), columns="promo", values="units", aggfunc="mean")
pivot.round(1)

# %%
print(f"Best day: {pivot.mean(axis=1).idxmax()}, total {sales['turnover'].sum():,.0f}")
pivot.to_excel if False else pivot.to_html("report.html")
