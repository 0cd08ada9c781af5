# title: Polynomial features written out by hand, ridge on them
# expect: converts
# why: squares and products are of the same row only
# input: df (frame of sklearn's load_diabetes)
# label: target
# output: y_hat

# %%
import numpy as np
import pandas as pd
from sklearn import datasets, linear_model
from itertools import combinations

df = datasets.load_diabetes(as_frame=True).frame
df = df.drop(["s5", "s6"], axis=1)

# %%
base = ["age", "bmi", "bp", "s1", "s3"]
F = df[base].copy()
for a in base:
    F[a + "^2"] = df[a] ** 2
for a, b in combinations(base, 2):
    F[f"{a}*{b}"] = df[a] * df[b]
F["male"] = (df["sex"] > 0).astype(int)
F["bmi_high"] = np.where(df["bmi"] > 0.05, 1, 0)
F.shape

# %%
split = 330
Xtr, Xte = F[:split], F[split:]
ytr, yte = df["target"][:split], df["target"][split:]

reg = linear_model.Ridge(alpha=0.01)
reg.fit(Xtr, ytr)
y_hat = reg.predict(Xte)
r2 = 1 - ((yte - y_hat) ** 2).sum() / ((yte - yte.mean()) ** 2).sum()
print("R2 on the last rows = %.3f" % r2)

# %%
# is it better than the mean?
baseline = ((yte - ytr.mean()) ** 2).mean() ** 0.5
ours = ((yte - y_hat) ** 2).mean() ** 0.5
baseline, ours

# === answer
held_rows = datasets.load_diabetes(as_frame=True).frame.iloc[330:]
held_predictions = y_hat


def answer(rows):
    out = []
    names = ["age", "bmi", "bp", "s1", "s3"]
    for _, r in rows.iterrows():
        v = [float(r[n]) for n in names]
        x = v + [u * u for u in v] + [v[i] * v[j] for i in range(5) for j in range(i + 1, 5)]
        x += [1.0 if r["sex"] > 0 else 0.0, 1.0 if r["bmi"] > 0.05 else 0.0]
        out.append(float(np.dot(reg.coef_, x) + reg.intercept_))
    return out


rows = (held_rows.iloc[[2, 30, 61, 90]] * 1.1).round(5)
