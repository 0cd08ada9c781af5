# title: Logistic regression from scratch, in numpy
# expect: converts
# why: the weights, mean and deviation are arrays that a loop learned; there is no estimator
# input: data (data/bank.csv)
# label: class
# output: y_test_hat (0 or 1)

# %% [markdown]
# # Logistic regression from scratch
# No sklearn allowed (homework 3).

# %%
import numpy as np
import pandas as pd

data = pd.read_csv("data/bank.csv")
A = data.values
np.random.seed(3)
perm = np.random.permutation(len(A))
A = A[perm]
X, y = A[:, 0:4], A[:, 4]
X_train, y_train = X[:110], y[:110]
X_test, y_test = X[110:], y[110:]

# %%
mu = X_train.mean(0)
sigma = X_train.std(0)
X_train = (X_train - mu) / sigma
X_test = (X_test - mu) / sigma

def add_bias(M):
    return np.hstack([np.ones((M.shape[0], 1)), M])

def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))

# %%
w = np.zeros(5)
lr = 0.5
losses = []
Xb = add_bias(X_train)
for epoch in range(300):
    p = sigmoid(Xb @ w)
    grad = Xb.T @ (p - y_train) / len(y_train) + 0.01 * w
    w -= lr * grad
    losses.append(-np.mean(y_train * np.log(p + 1e-9) + (1 - y_train) * np.log(1 - p + 1e-9)))
print("final loss", losses[-1], "weights", w)

# %%
import matplotlib.pyplot as plt
plt.plot(losses)
plt.xlabel("epoch")

# %%
y_test_hat = (sigmoid(add_bias(X_test) @ w) > 0.5).astype(int)
print("test accuracy:", (y_test_hat == y_test).mean())

# === answer
_raw = pd.read_csv("data/bank.csv")
held_rows = _raw.iloc[perm[110:]]
held_predictions = y_test_hat
_learned = _raw.iloc[perm[:110], :4].to_numpy()


def answer(rows):
    out = []
    for values in rows[["variance", "skewness", "curtosis", "entropy"]].to_numpy(dtype=float):
        z = (values - _learned.mean(axis=0)) / _learned.std(axis=0)
        out.append(int(w[0] + sum(a * b for a, b in zip(w[1:], z)) > 0))
    return out


rows = pd.DataFrame(
    [[3.1, 6.2, -1.4, 0.3], [-2.2, -4.0, 5.1, -0.7], [0.2, 1.1, 0.9, -1.0], [-0.4, 3.9, -2.2, 1.5]],
    columns=["variance", "skewness", "curtosis", "entropy"],
)
