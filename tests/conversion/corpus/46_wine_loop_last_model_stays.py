# title: A loop over models in which the last one stays
# expect: converts
# why: after the loop clf and pred are those of the last pass; the better accuracy of another pass plays no part
# input: wine (frame of sklearn's load_wine)
# label: target
# output: pred

# %%
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.naive_bayes import GaussianNB
from sklearn.linear_model import RidgeClassifier
from sklearn.tree import DecisionTreeClassifier

wine = datasets.load_wine(as_frame=True).frame
a, b = train_test_split(wine, test_size=0.35, random_state=9)

# %%
results = []
for sc in [MinMaxScaler(), StandardScaler()]:
    for clf in [GaussianNB(), DecisionTreeClassifier(random_state=9), RidgeClassifier(alpha=2.0)]:
        Z = sc.fit_transform(a.drop(columns="target"))
        clf.fit(Z, a.target)
        pred = clf.predict(sc.transform(b.drop(columns="target")))
        acc = (pred == b.target).mean()
        results.append((type(sc).__name__, type(clf).__name__, acc))

# %%
for r in sorted(results, key=lambda r: -r[2]):
    print("%s + %s: %.3f" % r)

# %%
print("using", type(clf).__name__)
pred[:20]

# === answer
import numpy as np

_columns = [c for c in wine.columns if c != "target"]
held_rows = wine.loc[b.index]
held_predictions = pred
_learned = wine.loc[a.index, _columns].to_numpy()


def answer(rows):
    out = []
    for x in rows[_columns].to_numpy(dtype=float):
        z = (x - _learned.mean(axis=0)) / _learned.std(axis=0)
        out.append(int(np.argmax(clf.coef_ @ z + clf.intercept_)))
    return out


rows = (wine.iloc[[3, 25, 58, 59, 83, 110, 131, 155]] * 0.981).assign(target=1)
