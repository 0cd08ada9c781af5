# title: Bank notes by a small neural network, the whole table scaled with its label in it
# expect: either
# why: the scaler was fitted on a table with the label, which a request does not bring; each column by itself has its learned range
# input: df (data/bank.csv)
# label: class
# output: predictions

# %% [markdown]
# # Neural Networks - Lab 3
# Student: *fill in name*

# %%
import pandas as pd
import numpy as np
import matplotlib.pyplot as plt
from sklearn.preprocessing import MinMaxScaler
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.metrics import accuracy_score, confusion_matrix

# %%
df = pd.read_csv('data/bank.csv')
df.head()

# %%
df.describe()

# %%
# neural nets need inputs between 0 and 1
scaler = MinMaxScaler()
df = pd.DataFrame(scaler.fit_transform(df), columns=df.columns)
df.head()

# %%
pd.plotting.scatter_matrix(df, c=df['class'], figsize=(8, 8));

# %%
X = df.drop('class', axis=1)
y = df['class'].astype(int)
print(X.shape, y.shape)

X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=42)

# %%
# Q2: try different sizes of the hidden layer
for h in [2, 4, 8]:
    m = MLPClassifier(hidden_layer_sizes=(h,), solver='lbfgs', max_iter=1000, random_state=1)
    m.fit(X_train, y_train)
    print(h, 'train', m.score(X_train, y_train), 'test', m.score(X_test, y_test))

# %%
# Q3: two layers
mlp = MLPClassifier(hidden_layer_sizes=(6, 4), activation='relu', solver='adam', learning_rate_init=0.02,
                    max_iter=600, random_state=1)
mlp.fit(X_train, y_train)

# %%
plt.plot(mlp.loss_curve_)
plt.xlabel('iterations')
plt.ylabel('loss')
plt.show()

# %%
predictions = mlp.predict(X_test)
print(accuracy_score(y_test, predictions))
print(confusion_matrix(y_test, predictions))

# %%
[w.shape for w in mlp.coefs_]

# %% [markdown]
# **Q4: why is the test accuracy lower than the training accuracy?**
#
# Because of overfitting

# === answer
_raw = pd.read_csv("data/bank.csv")
held_rows = _raw.loc[X_test.index]
held_predictions = predictions
_inputs = ["variance", "skewness", "curtosis", "entropy"]
_low = np.array([min(_raw[c]) for c in _inputs])
_high = np.array([max(_raw[c]) for c in _inputs])


def answer(rows):
    out = []
    for x in rows[_inputs].to_numpy(dtype=float):
        z = (x - _low) / (_high - _low)
        for w, b in zip(mlp.coefs_[:-1], mlp.intercepts_[:-1]):
            z = np.maximum(z @ w + b, 0.0)
        out.append(int((z @ mlp.coefs_[-1] + mlp.intercepts_[-1])[0] > 0))
    return out


rows = pd.DataFrame(
    [
        [3.2, 5.9, -1.7, 0.4],
        [-2.4, -4.6, 4.1, -0.8],
        [0.4, 0.3, 0.9, -1.3],
        [-0.6, 3.5, -2.2, 1.1],
        [9.9, 14.2, -8.8, 3.0],
        [1.1, -6.3, 6.6, -2.9],
    ],
    columns=_inputs,
)
