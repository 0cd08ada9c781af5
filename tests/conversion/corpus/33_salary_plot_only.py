# title: A regression whose only result is a plot
# expect: refused
# why: no variable holds a prediction: predict is called only inside of plot
# mentions: plot|plt|variable|name|kept
# input: dataset (data/salary.csv)
# label: Salary
# output: none

# %%
import pandas as pd
import matplotlib.pyplot as plt
from sklearn.linear_model import LinearRegression

# %%
dataset = pd.read_csv('data/salary.csv')
X = dataset.iloc[:, :-1].values
y = dataset.iloc[:, 1].values

# %%
regressor = LinearRegression()
regressor.fit(X, y)

# %%
plt.scatter(X, y, color='red')
plt.plot(X, regressor.predict(X), color='blue')
plt.title('Salary vs Experience')
plt.xlabel('Years of Experience')
plt.ylabel('Salary')
plt.show()
