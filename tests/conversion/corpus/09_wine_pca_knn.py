# title: Wine as arrays, scaled, two components, neighbours
# expect: converts
# why: scaler, PCA and neighbours are three fitted objects applied one after another to arrays
# input: wine_df (frame of sklearn's load_wine)
# label: target
# output: y_pred

# %%
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.model_selection import train_test_split
from sklearn.metrics import accuracy_score
import matplotlib.pyplot as plt
import numpy as np

# %%
wine_df = load_wine(as_frame=True).frame
X = wine_df.to_numpy()[:, :-1]
y = wine_df.to_numpy()[:, -1].astype(int)
X.shape

# %%
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=40, random_state=7, stratify=y)

sc = StandardScaler()
X_train = sc.fit_transform(X_train)
X_test = sc.transform(X_test)

# %% [markdown]
# How many components? two are enough to plot

# %%
pca = PCA(n_components=2)
X_train = pca.fit_transform(X_train)
X_test = pca.transform(X_test)
explained_variance = pca.explained_variance_ratio_
print(explained_variance, explained_variance.sum())

# %%
plt.figure(figsize=(5, 4))
for k, colour in zip(range(3), "rgb"):
    plt.scatter(X_train[y_train == k, 0], X_train[y_train == k, 1], c=colour, label=k)
plt.legend(); plt.show()

# %%
knn = KNeighborsClassifier(n_neighbors=5)
knn.fit(X_train, y_train)
y_pred = knn.predict(X_test)
accuracy_score(y_test, y_pred)

# === answer
import pandas as pd

_all = load_wine(as_frame=True).frame
_train_ids, _test_ids = train_test_split(np.arange(len(_all)), test_size=40, random_state=7, stratify=_all["target"])
held_rows = _all.iloc[_test_ids]
held_predictions = y_pred
_columns = [c for c in _all.columns if c != "target"]
_learned = _all.iloc[_train_ids][_columns].to_numpy()


def answer(rows):
    out = []
    for x in rows[_columns].to_numpy(dtype=float):
        z = pca.components_ @ ((x - _learned.mean(axis=0)) / _learned.std(axis=0))
        nearest = np.argsort(((X_train - z) ** 2).sum(axis=1), kind="stable")[:5]
        out.append(int(np.bincount(y_train[nearest], minlength=3).argmax()))
    return out


rows = (_all.iloc[[3, 40, 77, 101, 130, 170]] * 1.021).assign(target=0)
