# title: fit_transform on the test set as well
# expect: either
# why: the rows to score went through a scaler fitted to themselves; only its last state could answer for single rows
# input: bank (data/bank.csv)
# label: class
# output: y_pred

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

bank = pd.read_csv("data/bank.csv")
X = bank.iloc[:, :4].values
y = bank.iloc[:, 4].values
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=2)

# %%
scaler = StandardScaler()
X_train = scaler.fit_transform(X_train)
X_test = scaler.fit_transform(X_test)

# %%
logreg = LogisticRegression()
logreg.fit(X_train, y_train)
y_pred = logreg.predict(X_test)
print(logreg.score(X_test, y_test))

# === answer
import numpy as np

_raw = pd.read_csv("data/bank.csv")
_train_ids, _test_ids = train_test_split(np.arange(len(_raw)), test_size=0.3, random_state=2)
held_rows = _raw.iloc[_test_ids]
held_predictions = y_pred
_last = _raw.iloc[_test_ids, :4].to_numpy()


def answer(rows):
    out = []
    for x in rows[["variance", "skewness", "curtosis", "entropy"]].to_numpy(dtype=float):
        z = (x - _last.mean(axis=0)) / _last.std(axis=0)
        out.append(int(float(logreg.coef_[0] @ z + logreg.intercept_[0]) > 0))
    return out


rows = pd.DataFrame(
    [[3.0, 6.4, -1.2, 0.1], [-2.1, -4.2, 5.0, -0.5], [0.3, 0.4, 0.8, -1.1], [-0.3, 3.1, -2.0, 1.4]],
    columns=["variance", "skewness", "curtosis", "entropy"],
)
