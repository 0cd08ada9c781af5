# title: Cross validation first, then the winner is fitted on everything
# expect: converts
# why: cross_val_score leaves nothing behind; the last fit on all rows is what answers
# input: df (frame of sklearn's load_wine)
# label: target
# output: labels (names of the classes)

# %%
import numpy as np, pandas as pd
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score, StratifiedKFold
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier

bunch = load_wine()
df = pd.DataFrame(bunch["data"], columns=bunch["feature_names"])
df["target"] = bunch["target"]
df.sample(3, random_state=1)

# %%
# only the chemistry people can taste :-)
taste = ["alcohol", "malic_acid", "ash", "color_intensity", "hue", "proline"]
X, y = df[taste], df.target
cv = StratifiedKFold(5, shuffle=True, random_state=0)
for est in (ExtraTreesClassifier(20, random_state=0), LinearDiscriminantAnalysis()):
    s = cross_val_score(est, X, y, cv=cv)
    print("%-30s %.3f +- %.3f" % (type(est).__name__, s.mean(), s.std()))

# %% [markdown]
# LDA it is (simple is beautiful). Fit on **all** the data.

# %%
final_model = LinearDiscriminantAnalysis().fit(X, y)
names = dict(enumerate(bunch["target_names"]))
labels = [names[k] for k in final_model.predict(X)]
pd.Series(labels).value_counts()

# === answer
held_rows = df[taste + [c for c in df.columns if c not in taste]].copy()
held_predictions = labels


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        x = np.array([r[c] for c in ("alcohol", "malic_acid", "ash", "color_intensity", "hue", "proline")])
        out.append(f"class_{int(np.argmax(final_model.coef_ @ x + final_model.intercept_))}")
    return out


rows = held_rows.iloc[[5, 33, 70, 99, 140, 160]].assign(alcohol=lambda d: d["alcohol"] + 0.017)
