# title: The well-known course's SVR with iloc and a scaled label
# expect: converts
# why: X is one column by position, both X and y are scaled, and the prediction is scaled back
# input: dataset (data/positions.csv)
# label: Salary
# output: y_pred

# %% [markdown]
# # Support Vector Regression (SVR)
# ## Importing the libraries

# %%
import numpy as np
import matplotlib.pyplot as plt
import pandas as pd

# %% [markdown]
# ## Importing the dataset

# %%
dataset = pd.read_csv('data/positions.csv')
X = dataset.iloc[:, 1:-1].values
y = dataset.iloc[:, -1].values

# %%
print(X)

# %%
y = y.reshape(len(y),1)

# %% [markdown]
# ## Feature Scaling

# %%
from sklearn.preprocessing import StandardScaler
sc_X = StandardScaler()
sc_y = StandardScaler()
X = sc_X.fit_transform(X)
y = sc_y.fit_transform(y)

# %%
from sklearn.svm import SVR
regressor = SVR(kernel = 'rbf')
regressor.fit(X, y.ravel())

# %% [markdown]
# ## Predicting results

# %%
sc_y.inverse_transform(regressor.predict(sc_X.transform([[6.5]])).reshape(-1,1))

# %%
y_pred = sc_y.inverse_transform(regressor.predict(X).reshape(-1,1))
y_pred = y_pred.ravel()
print(np.concatenate((y_pred.reshape(-1,1), sc_y.inverse_transform(y)), 1))

# %%
plt.scatter(sc_X.inverse_transform(X), sc_y.inverse_transform(y), color = 'red')
plt.plot(sc_X.inverse_transform(X), y_pred, color = 'blue')
plt.title('Truth or Bluff (SVR)')
plt.show()

# === answer
held_rows = dataset
held_predictions = y_pred

_levels = dataset["Level"].to_numpy(dtype=float)
_pay = dataset["Salary"].to_numpy(dtype=float)


def answer(rows):
    out = []
    for level in rows["Level"]:
        x = (float(level) - _levels.mean()) / _levels.std()
        gamma = 1.0  # 'scale': one column of variance one
        kernel = np.exp(-gamma * (regressor.support_vectors_[:, 0] - x) ** 2)
        scaled = float(regressor.dual_coef_[0] @ kernel + regressor.intercept_[0])
        out.append(scaled * _pay.std() + _pay.mean())
    return out


rows = pd.DataFrame({"Position": ["between", "Partner", "beyond"], "Level": [6.5, 2.25, 11.0]})
