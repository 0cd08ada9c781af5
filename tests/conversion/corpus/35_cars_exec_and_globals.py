# title: Names that are made with exec and globals()
# expect: refused
# why: what the cells read and write is hidden in strings
# mentions: exec|globals
# input: auto (data/cars.csv)
# label: mpg
# output: out

# %%
import pandas as pd
from sklearn.linear_model import Ridge
auto = pd.read_csv("data/cars.csv")
auto["horsepower"] = pd.to_numeric(auto["horsepower"], errors="coerce")
num = ["displacement", "horsepower", "weight", "acceleration"]

# %%
for c in num:
    exec(f"{c}_mean = auto['{c}'].mean()")
    exec(f"auto['{c}'] = auto['{c}'].fillna({c}_mean)")
    globals()[c + "_sd"] = auto[c].std()

# %%
for c in num:
    auto[c] = (auto[c] - globals()[f"{c}_mean"]) / eval(c + "_sd")

# %%
for a in (1, 10):
    globals()[f"ridge_{a}"] = Ridge(alpha=a).fit(auto[num], auto["mpg"])
out = eval("ridge_10").predict(auto[num])
out[:5]
