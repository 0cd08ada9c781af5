# title: Miles per gallon by backward elimination, arrays and column numbers
# expect: converts
# why: which columns stay was typed after reading summaries; the last regression is fitted on these and needs one row at a time
# needs: statsmodels
# input: dataset (data/cars.csv)
# label: mpg
# output: y_pred

# %% [markdown]
# # Multiple Linear Regression

# %% [markdown]
# ## Importing the libraries

# %%
import numpy as np
import matplotlib.pyplot as plt
import pandas as pd

# %% [markdown]
# ## Importing the dataset

# %%
dataset = pd.read_csv('data/cars.csv')
dataset = dataset[dataset['horsepower'] != '?']
dataset['horsepower'] = dataset['horsepower'].astype(int)
X = dataset.iloc[:, 1:-1].values
y = dataset.iloc[:, 0].values

# %%
print(X[:5])

# %% [markdown]
# ## Encoding categorical data
# origin: 1 = USA, 2 = Europe, 3 = Japan

# %%
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder
ct = ColumnTransformer(transformers=[('encoder', OneHotEncoder(), [6])], remainder='passthrough')
X = np.array(ct.fit_transform(X))

# %%
print(X[:5])

# %%
# Avoiding the Dummy Variable Trap
X = X[:, 1:]

# %% [markdown]
# ## Splitting the dataset into the Training set and Test set

# %%
from sklearn.model_selection import train_test_split
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size = 0.2, random_state = 0)

# %% [markdown]
# ## Training the Multiple Linear Regression model on the Training set

# %%
from sklearn.linear_model import LinearRegression
regressor = LinearRegression()
regressor.fit(X_train, y_train)

# %%
y_pred = regressor.predict(X_test)
np.set_printoptions(precision=2)
print(np.concatenate((y_pred.reshape(len(y_pred),1), y_test.reshape(len(y_test),1)),1))

# %% [markdown]
# ## Building the optimal model using Backward Elimination (SL = 0.05)

# %%
import statsmodels.api as sm
X_be = np.append(arr = np.ones((len(X_train), 1)).astype(int), values = X_train, axis = 1)
X_opt = X_be[:, [0, 1, 2, 3, 4, 5, 6, 7, 8]]
regressor_OLS = sm.OLS(endog = y_train, exog = X_opt).fit()
regressor_OLS.summary()

# %%
X_opt = X_be[:, [0, 1, 2, 3, 4, 5, 6, 8]]
regressor_OLS = sm.OLS(endog = y_train, exog = X_opt).fit()
regressor_OLS.summary()

# %%
X_opt = X_be[:, [0, 2, 3, 4, 5, 6, 8]]
regressor_OLS = sm.OLS(endog = y_train, exog = X_opt).fit()
regressor_OLS.summary()

# %%
X_opt = X_be[:, [0, 2, 4, 5, 6, 8]]
regressor_OLS = sm.OLS(endog = y_train, exog = X_opt).fit()
regressor_OLS.summary()

# %%
X_opt = X_be[:, [0, 2, 5, 6, 8]]
regressor_OLS = sm.OLS(endog = y_train, exog = X_opt).fit()
regressor_OLS.summary()

# %% [markdown]
# ## Again, with the columns that are left (without the ones, sklearn has its own intercept)

# %%
keep = [1, 4, 5, 7]
regressor = LinearRegression()
regressor.fit(X_train[:, keep], y_train)
y_pred = regressor.predict(X_test[:, keep])

# %%
from sklearn.metrics import r2_score
r2_score(y_test, y_pred)

# %%
plt.scatter(y_test, y_pred, color = 'red')
plt.plot(y_test, y_test, color = 'blue')
plt.title('MPG')
plt.xlabel('real')
plt.ylabel('predicted')
plt.show()

# === answer
_raw = pd.read_csv("data/cars.csv")
_kept = _raw[_raw["horsepower"] != "?"]
_train_ids, _test_ids = train_test_split(np.arange(len(_kept)), test_size=0.2, random_state=0)
held_rows = _kept.iloc[_test_ids]
held_predictions = y_pred


def _line(r):
    return [1.0, float(r["origin"] == 3), float(r["horsepower"]), float(r["weight"]), float(r["model year"])]


_table = np.array([_line(r) for _, r in _kept.iloc[_train_ids].iterrows()])
_b = np.linalg.lstsq(_table, _kept.iloc[_train_ids]["mpg"].to_numpy(), rcond=None)[0]


def answer(rows):
    return [float(np.array(_line(r)) @ _b) for _, r in rows.iterrows()]


rows = _kept.sample(7, random_state=92).assign(weight=lambda d: d["weight"] + 17)
rows.iloc[0, rows.columns.get_loc("origin")] = 3
rows.iloc[1, rows.columns.get_loc("origin")] = 2
rows.iloc[2, rows.columns.get_loc("origin")] = 1
rows.iloc[3, rows.columns.get_loc("car name")] = "peugeot 504"
