# title: Scaler and model live and die inside of a function
# expect: either
# why: run() gives back only predictions; what it fitted is in no name of the notebook
# input: houses (data/houses.csv)
# label: SalePrice
# output: valid_pred

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

FEATURES = ["GrLivArea", "YearBuilt", "FullBath", "GarageArea"]

def run(train, valid, alpha):
    scaler = StandardScaler()
    A = scaler.fit_transform(train[FEATURES])
    model = Ridge(alpha=alpha)
    model.fit(A, np.log(train["SalePrice"]))
    return np.exp(model.predict(scaler.transform(valid[FEATURES])))

# %%
houses = pd.read_csv("data/houses.csv")
train, valid = houses.iloc[:160], houses.iloc[160:]
for alpha in (0.1, 1, 10):
    p = run(train, valid, alpha)
    print(alpha, np.abs(p / valid["SalePrice"] - 1).mean().round(4))

# %%
valid_pred = run(train, valid, alpha=1)
valid.assign(pred=valid_pred.round()).head()

# === answer
held_rows = pd.read_csv("data/houses.csv").iloc[160:]
held_predictions = valid_pred
_learned = pd.read_csv("data/houses.csv").iloc[:160]
_a = _learned[FEATURES].to_numpy(dtype=float)
_m, _s = _a.mean(axis=0), _a.std(axis=0)
_z = (_a - _m) / _s
_t = np.log(_learned["SalePrice"].to_numpy(dtype=float))
_w = np.linalg.solve(_z.T @ _z + 1.0 * np.eye(4), _z.T @ (_t - _t.mean()))


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        z = (np.array([float(r[c]) for c in FEATURES]) - _m) / _s
        out.append(float(np.exp(z @ _w + _t.mean())))
    return out


rows = held_rows.sample(4, random_state=91).assign(GrLivArea=lambda d: d["GrLivArea"] + 33)
