# title: The table is shuffled and cleared of duplicates before anything else
# expect: converts
# why: the shuffle is for the split only; predictions belong to the rows in the order they came
# input: df (data/heart.csv, separated by semicolons)
# label: target
# output: y_pred

# %%
import pandas as pd
from sklearn.svm import LinearSVC
from sklearn.preprocessing import RobustScaler
df = pd.read_csv('data/heart.csv', sep=';')
df = df.drop_duplicates()
df = df.sample(frac=1, random_state=101).reset_index()   # shuffle!
df = df.rename(columns={'index': 'row'})
df.head()

# %%
df['chol'] = df['chol'].fillna(240)
df['old'] = df['age'].apply(lambda a: 1 if a >= 60 else 0)
df['pressure'] = pd.cut(df['trestbps'], bins=[0, 120, 140, 1000], labels=[0, 1, 2]).astype(int)
df['asym'] = df['cp'].eq('asymptomatic').astype(int)
feature_names = ['old', 'sex', 'asym', 'pressure', 'chol', 'thalach', 'oldpeak']

# %%
cut = int(0.7 * len(df))
X_train, X_test = df.loc[:cut - 1, feature_names], df.loc[cut:, feature_names]
y_train, y_test = df.loc[:cut - 1, 'target'], df.loc[cut:, 'target']
rs = RobustScaler().fit(X_train)
svc = LinearSVC(C=0.5, random_state=0)
svc.fit(rs.transform(X_train), y_train)

# %%
y_pred = svc.predict(rs.transform(X_test))
(y_pred == y_test).mean()

# === answer
import numpy as np

_raw = pd.read_csv("data/heart.csv", sep=";")
held_rows = _raw.loc[[*df.loc[cut:, "row"], *df.loc[: cut - 1, "row"]]]
held_predictions = np.concatenate([y_pred, svc.predict(rs.transform(X_train))])


def _line(r):
    pressure = 0 if r["trestbps"] <= 120 else 1 if r["trestbps"] <= 140 else 2
    chol = 240.0 if pd.isna(r["chol"]) else r["chol"]
    return [float(r["age"] >= 60), r["sex"], float(r["cp"] == "asymptomatic"), pressure, chol, r["thalach"], r["oldpeak"]]


_learned = np.array([_line(r) for _, r in _raw.loc[df.loc[: cut - 1, "row"]].iterrows()], dtype=float)
_q1, _q2, _q3 = np.percentile(_learned, [25, 50, 75], axis=0)
_spread = np.where(_q3 - _q1 == 0, 1, _q3 - _q1)


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        z = (np.array(_line(r), dtype=float) - _q2) / _spread
        out.append(int(float(svc.coef_[0] @ z + svc.intercept_[0]) > 0))
    return out


rows = _raw.iloc[::30].assign(thalach=lambda d: d["thalach"] + 4)
rows.iloc[0, rows.columns.get_loc("chol")] = np.nan
rows.iloc[1, rows.columns.get_loc("trestbps")] = 120
rows.iloc[2, rows.columns.get_loc("age")] = 60
