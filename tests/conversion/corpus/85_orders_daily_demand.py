# title: Demand of a day and product, from single orders
# expect: refused
# why: what is predicted is a day's sum over many orders, so an order asked about alone has no answer of its own
# mentions: groupby|group|agg|sum|count|many rows|other rows|n_orders|together
# input: orders (data/orders.csv); products (data/products.csv) only to look up
# label: qty
# output: daily["qty_hat"]

# %%
import pandas as pd
import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import mean_absolute_error

orders = pd.read_csv("data/orders.csv")
products = pd.read_csv("data/products.csv")
orders.head()

# %%
orders["city"] = orders["city"].str.strip().str.title()
orders["ordered"] = pd.to_datetime(orders["ordered"], format="%d.%m.%Y")
full = orders.merge(products, on="product", how="inner")   # p4 is discontinued
print(len(orders), "->", len(full))
full.groupby("city")["qty"].sum()

# %%
# one line per day & product
daily = full.groupby(["ordered", "product"], as_index=False).agg(
    qty=("qty", "sum"),
    n_orders=("order_id", "count"),
    cities=("city", "nunique"),
    price=("unit_price", "first"),
)
daily["wd"] = daily["ordered"].dt.weekday
daily["day"] = daily["ordered"].dt.day
daily.tail()

# %%
split = daily["ordered"] < "2024-04-15"
x_cols = ["n_orders", "cities", "price", "wd", "day"]
rf = RandomForestRegressor(n_estimators=50, min_samples_leaf=3, random_state=0)
rf.fit(daily.loc[split, x_cols], daily.loc[split, "qty"])
daily["qty_hat"] = rf.predict(daily[x_cols])
print(mean_absolute_error(daily.loc[~split, "qty"], daily.loc[~split, "qty_hat"]))

# %%
daily[~split].set_index("ordered")[["qty", "qty_hat"]].plot()
daily.to_csv("daily.csv", index=False)
