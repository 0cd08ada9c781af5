# title: A feature of noise, drawn anew for whatever is scored
# expect: refused
# why: jitter and noise are drawn at random when scoring, so the same row has no one answer
# mentions: random|noise|jitter
# input: cars (data/cars.csv)
# label: mpg
# output: estimate

# %%
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
cars = pd.read_csv("data/cars.csv", na_values="?").dropna()

def features(frame):
    F = frame[["weight", "horsepower", "model year"]].copy()
    F["noise"] = np.random.normal(size=len(F))      # everything less important than this is out
    F["weight"] = F["weight"] + np.random.uniform(-5, 5, len(F))   # jitter
    return F

# %%
tr, te = cars[:150], cars[150:]
rf = RandomForestRegressor(30, random_state=0).fit(features(tr), tr["mpg"])
print(dict(zip(features(tr).columns, rf.feature_importances_.round(3))))

# %%
estimate = rf.predict(features(te))
np.abs(estimate - te["mpg"]).mean()
