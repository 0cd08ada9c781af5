# title: Cells run again and out of order, which changes nothing
# expect: converts
# why: the cells that were run more than once only look, or compute the same again
# ran: 1,2,3,2,5,4,6,5
# input: flowers (frame of sklearn's load_iris)
# label: target
# output: kind (names of the species)

# %%
from sklearn.datasets import load_iris
from sklearn.neighbors import NearestCentroid
import pandas as pd
flowers = load_iris(as_frame=True).frame
names = load_iris().target_names

# %%
flowers.groupby("target").mean().round(2)

# %%
train = flowers.sample(100, random_state=14)
rest = flowers.drop(train.index)
cols = ["petal length (cm)", "petal width (cm)", "sepal length (cm)"]

# %%
print(dict(zip(names, (rest.target.value_counts().sort_index()))))

# %%
nc = NearestCentroid()
nc.fit(train[cols], train["target"])
nc.centroids_

# %%
kind = names[nc.predict(rest[cols])]
kind[:5]

# === answer
import numpy as np

held_rows = load_iris(as_frame=True).frame.loc[rest.index]
held_predictions = kind
_learned = load_iris(as_frame=True).frame.loc[train.index]
_centres = [_learned.loc[_learned["target"] == k, cols].to_numpy().mean(axis=0) for k in range(3)]


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        x = np.array([r["petal length (cm)"], r["petal width (cm)"], r["sepal length (cm)"]])
        far = [float(((x - c) ** 2).sum()) for c in _centres]
        out.append(["setosa", "versicolor", "virginica"][far.index(min(far))])
    return out


rows = (held_rows.iloc[[1, 17, 22, 30, 44]] * 1.03).assign(target=0)
