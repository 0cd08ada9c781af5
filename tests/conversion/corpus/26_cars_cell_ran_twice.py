# title: The cell that rescales was run twice before the fit
# expect: either
# why: weight was divided by 1000 twice; only the order of the run tells, the text does not
# ran: 1,2,3,2,4,5
# input: cars (data/cars.csv)
# label: mpg
# output: guess

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
cars = pd.read_csv("data/cars.csv")
cars = cars[cars["horsepower"] != "?"]

# %%
cars["weight"] = cars["weight"] / 1000
cars["heavy"] = (cars["weight"] > 3).astype(int)

# %%
cars[["weight", "mpg"]].corr()

# %%
cars["horsepower"] = cars["horsepower"].astype(float)
cols = ["weight", "heavy", "horsepower", "acceleration", "model year"]
lm = LinearRegression()
lm.fit(cars[cols], cars["mpg"])

# %%
guess = lm.predict(cars[cols])
((guess - cars["mpg"]) ** 2).mean() ** 0.5

# === answer
_raw = pd.read_csv("data/cars.csv")
held_rows = _raw[_raw["horsepower"] != "?"]
held_predictions = guess


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        tons = r["weight"] / 1000 / 1000
        x = [tons, float(tons > 3), float(r["horsepower"]), r["acceleration"], r["model year"]]
        out.append(float(sum(c * v for c, v in zip(lm.coef_, x)) + lm.intercept_))
    return out


rows = held_rows.sample(4, random_state=8).assign(weight=lambda d: d["weight"] + 17)
