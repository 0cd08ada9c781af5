# title: Miles per gallon, scaled by hand with the training mean and std
# expect: converts
# why: mean, std and the median of horsepower are learned statistics; the origin is one-hot by comparison
# input: raw_dataset (data/cars.csv)
# label: mpg
# output: test_predictions

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.neural_network import MLPRegressor

np.set_printoptions(precision=3, suppress=True)

# %%
raw_dataset = pd.read_csv('data/cars.csv', na_values='?')
dataset = raw_dataset.copy()
dataset.tail()

# %%
dataset.isna().sum()

# %%
dataset['horsepower'] = dataset['horsepower'].fillna(dataset['horsepower'].median())
dataset.pop('car name')

# %%
origin = dataset.pop('origin')
dataset['USA'] = (origin == 1)*1.0
dataset['Europe'] = (origin == 2)*1.0
dataset['Japan'] = (origin == 3)*1.0
dataset.tail()

# %%
train_dataset = dataset.sample(frac=0.8, random_state=0)
test_dataset = dataset.drop(train_dataset.index)

# %%
train_stats = train_dataset.describe()
train_stats.pop("mpg")
train_stats = train_stats.transpose()
train_stats

# %%
train_labels = train_dataset.pop('mpg')
test_labels = test_dataset.pop('mpg')

# %%
def norm(x):
  return (x - train_stats['mean']) / train_stats['std']
normed_train_data = norm(train_dataset)
normed_test_data = norm(test_dataset)

# %%
model = MLPRegressor(hidden_layer_sizes=(8,), solver='lbfgs', max_iter=400, random_state=3)
model.fit(normed_train_data, train_labels)

# %%
test_predictions = model.predict(normed_test_data).flatten()

plt.scatter(test_labels, test_predictions)
plt.xlabel('True Values [MPG]')
plt.ylabel('Predictions [MPG]')
_ = plt.plot([-100, 100], [-100, 100])

# %%
error = test_predictions - test_labels
plt.hist(error, bins = 25)
print("MAE", np.abs(error).mean())

# === answer
_raw = pd.read_csv("data/cars.csv", na_values="?")
held_rows = _raw.loc[test_dataset.index]
held_predictions = test_predictions
_median = float(np.nanmedian(_raw["horsepower"]))
_order = ["cylinders", "displacement", "horsepower", "weight", "acceleration", "model year"]


def _features(frame):
    table = []
    for _, r in frame.iterrows():
        line = [_median if pd.isna(r[c]) else float(r[c]) for c in _order]
        table.append(line + [float(r["origin"] == k) for k in (1, 2, 3)])
    return np.array(table)


_learned = _features(_raw.loc[train_dataset.index])


def answer(rows):
    x = (_features(rows) - _learned.mean(axis=0)) / _learned.std(axis=0, ddof=1)
    hidden = np.maximum(x @ model.coefs_[0] + model.intercepts_[0], 0)
    return (hidden @ model.coefs_[1] + model.intercepts_[1])[:, 0].tolist()


rows = _raw.sample(5, random_state=4).assign(weight=lambda d: d["weight"] + 13)
rows.iloc[0, rows.columns.get_loc("horsepower")] = np.nan
rows.iloc[1, rows.columns.get_loc("origin")] = 3
rows.iloc[2, rows.columns.get_loc("origin")] = 2
