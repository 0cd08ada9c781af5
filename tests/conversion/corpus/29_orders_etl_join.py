# title: Orders joined with products and written as a table
# expect: not-predictive
# why: only files in and a file out
# input: orders (data/orders.csv)
# label: none
# output: none

# %% [markdown]
# Monthly job: orders + products -> revenue table. Run on the 1st, send to Petra.

# %%
import pandas as pd

orders = pd.read_csv("data/orders.csv")
products = pd.read_csv("data/products.csv")

# %%
orders["city"] = orders["city"].str.strip().str.title()
orders["ordered"] = pd.to_datetime(orders["ordered"], format="%d.%m.%Y")
joined = orders.merge(products, on="product", how="left", validate="many_to_one")
print(joined["unit_price"].isna().sum(), "orders without a price")
joined["revenue"] = joined["qty"] * joined["unit_price"]

# %%
monthly = joined.groupby([joined["ordered"].dt.to_period("M"), "city"])["revenue"].sum().unstack()
monthly.to_csv("monthly.csv")
monthly
