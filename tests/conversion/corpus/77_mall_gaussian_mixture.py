# title: Segments by a Gaussian mixture, with letters and an "unsure"
# expect: converts
# why: scaler and mixture are fitted, the letters are the order of the learned means, and 0.75 is a constant
# input: mall (data/mall.csv)
# label: none
# output: mall["segment"] (a letter or "unsure")

# %%
import pandas as pd
import numpy as np
import matplotlib.pyplot as plt
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

# %%
mall = pd.read_csv("data/mall.csv", index_col="CustomerID")
mall.columns = ["gender", "age", "income", "spending"]
mall.describe()

# %%
pd.plotting.scatter_matrix(mall[["age", "income", "spending"]], figsize=(6, 6))

# %%
# gender does not matter here
mall.groupby("gender")[["income", "spending"]].mean()

# %%
use = ["income", "spending"]
sc = StandardScaler()
Z = sc.fit_transform(mall[use])

fits = []
for k in range(2, 9):
    g = GaussianMixture(n_components=k, covariance_type="full", n_init=3, random_state=5)
    g.fit(Z)
    fits.append(g)
    print(k, "BIC", round(g.bic(Z), 1), "AIC", round(g.aic(Z), 1))

# %%
gm = min(fits, key=lambda m: m.bic(Z))
gm.n_components

# %%
# A = spends most
order = np.argsort(-gm.means_[:, use.index("spending")])
letter = {comp: "ABCDEFGH"[i] for i, comp in enumerate(order)}
print(letter)
pd.DataFrame(sc.inverse_transform(gm.means_), columns=use).assign(letter=pd.Series(letter)).sort_values("letter").round(1)

# %%
resp = gm.predict_proba(sc.transform(mall[use]))
mall["segment"] = [letter[c] for c in resp.argmax(axis=1)]
mall["sure"] = resp.max(axis=1).round(3)
mall.loc[resp.max(axis=1) < 0.75, "segment"] = "unsure"
mall["segment"].value_counts()

# %%
for s in sorted(mall["segment"].unique()):
    g = mall[mall["segment"] == s]
    plt.scatter(g["income"], g["spending"], label=s, marker="x" if s == "unsure" else "o")
plt.legend(title="segment")
plt.show()
mall.to_csv("segments.csv")

# === answer
held_rows = pd.read_csv("data/mall.csv")
held_predictions = mall["segment"].tolist()
_xy = held_rows[["Annual Income (k$)", "Spending Score (1-100)"]].to_numpy(dtype=float)
_mean, _std = _xy.mean(axis=0), _xy.std(axis=0)
_by_spending = sorted(range(len(gm.means_)), key=lambda c: -gm.means_[c][1])


def answer(rows):
    out = []
    for income, spending in zip(rows["Annual Income (k$)"], rows["Spending Score (1-100)"]):
        z = (np.array([income, spending], dtype=float) - _mean) / _std
        densities = []
        for weight, mean, cov in zip(gm.weights_, gm.means_, gm.covariances_):
            d = z - mean
            densities.append(weight * np.exp(-0.5 * d @ np.linalg.inv(cov) @ d) / np.sqrt(np.linalg.det(cov)))
        share = np.array(densities) / sum(densities)
        best = int(share.argmax())
        out.append("ABCDEFGH"[_by_spending.index(best)] if share[best] >= 0.75 else "unsure")
    return out


rows = pd.DataFrame(
    {
        "CustomerID": [601, 602, 603, 604, 605, 606, 607, 608],
        "Gender": ["Male", "Female", "Female", "Male", "Male", "Female", "Male", "Female"],
        "Age": [33, 45, 21, 60, 19, 38, 52, 29],
        "Annual Income (k$)": [24, 54, 91, 85, 23, 60, 40, 41],
        "Spending Score (1-100)": [79, 52, 16, 83, 17, 69, 34, 66],
    }
)
