# title: Fuel consumption by polynomials, carried over from an R script
# expect: converts
# why: the coefficients of np.polyfit and the centre and scale of the weight are learned, and there is no estimator object
# input: cars (data/cars.csv)
# label: mpg
# output: pred["fit"]

# %% [markdown]
# # mpg ~ poly(weight, k)
# Port of `mpg_poly.R`. The R lines are kept as comments so that one can compare.

# %%
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt

# cars <- read.csv("cars.csv"); names(cars) <- make.names(names(cars))
cars = pd.read_csv("data/cars.csv")
cars.columns = [c.replace(" ", "_") for c in cars.columns]
# summary(cars)
print(cars.describe(include="all"))

# %%
# plot(mpg ~ weight, data = cars)
plt.scatter(cars.weight, cars.mpg, s=8)
plt.xlabel("weight"); plt.ylabel("mpg")

# %%
# cars$w <- scale(cars$weight)
w_mean, w_sd = cars.weight.mean(), cars.weight.std()
cars["w"] = (cars.weight - w_mean) / w_sd

# set.seed(42); train <- sample(nrow(cars), 0.7 * nrow(cars))
np.random.seed(42)
perm = np.random.permutation(len(cars))
n_train = int(0.7 * len(cars))
train, test = cars.iloc[perm[:n_train]], cars.iloc[perm[n_train:]]
len(train), len(test)

# %%
# k-fold CV over the degree, as cv.glm does it
def cv_rmse(x, y, degree, folds=5):
    fold = np.arange(len(x)) % folds
    err = []
    for i in range(folds):
        coef = np.polyfit(x[fold != i], y[fold != i], degree)
        err.append(np.mean((y[fold == i] - np.polyval(coef, x[fold == i])) ** 2))
    return np.sqrt(np.mean(err))

best_degree, best_rmse = None, np.inf
for degree in range(1, 6):
    if (rmse := cv_rmse(train.w.values, train.mpg.values, degree)) < best_rmse:
        best_degree, best_rmse = degree, rmse
    print(degree, round(rmse, 3))
print("chosen:", best_degree)

# %%
# fit <- lm(mpg ~ poly(w, k, raw = TRUE), data = cars[train, ])
coef = np.polyfit(train.w, train.mpg, best_degree)
resid = train.mpg - np.polyval(coef, train.w)
sigma = np.sqrt(np.sum(resid ** 2) / (len(train) - best_degree - 1))
r2 = 1 - np.sum(resid ** 2) / np.sum((train.mpg - train.mpg.mean()) ** 2)
print(f"Residual standard error: {sigma:.3f}, R-squared: {r2:.3f}")

# %%
# pred <- predict(fit, newdata = cars[-train, ], interval = "prediction")   (roughly)
fit = np.polyval(coef, test.w)
pred = pd.DataFrame({"fit": fit, "lwr": fit - 1.96 * sigma, "upr": fit + 1.96 * sigma}, index=test.index)
pred.head()

# %%
inside = ((test.mpg >= pred.lwr) & (test.mpg <= pred.upr)).mean()
print("coverage", inside)
grid = np.linspace(cars.w.min(), cars.w.max(), 100)
plt.scatter(test.w, test.mpg, s=8)
plt.plot(grid, np.polyval(coef, grid), "r")
plt.fill_between(grid, np.polyval(coef, grid) - 1.96 * sigma, np.polyval(coef, grid) + 1.96 * sigma, alpha=.2)

# === answer
_raw = pd.read_csv("data/cars.csv")
held_rows = _raw.loc[test.index]
held_predictions = pred["fit"].to_numpy()
_weight = _raw["weight"].to_list()
_mean = sum(_weight) / len(_weight)
_sd = (sum((v - _mean) ** 2 for v in _weight) / (len(_weight) - 1)) ** 0.5


def answer(rows):
    out = []
    for weight in rows["weight"]:
        w = (weight - _mean) / _sd
        out.append(float(sum(c * w**p for p, c in zip(range(best_degree, -1, -1), coef))))
    return out


rows = _raw.sample(6, random_state=64).assign(weight=lambda d: d["weight"] + 77)
rows.iloc[0, rows.columns.get_loc("horsepower")] = "?"
rows.iloc[1, rows.columns.get_loc("weight")] = 5001
