# title: A first look at iris, plots and work in the same cells
# expect: converts
# why: one logistic regression on four raw columns; the rest of each cell only looks
# input: df (frame of sklearn's load_iris with the columns renamed)
# label: species
# output: y_pred

# %% [markdown]
# # My first ML notebook 🌸
# following the tutorial, let's go!!

# %%
%matplotlib inline
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix

# %%
iris = load_iris()
df = pd.DataFrame(iris.data, columns=["sepal_length", "sepal_width", "petal_length", "petal_width"])
df["species"] = iris.target
df.head()

# %%
df.info()
print(df.describe())
df["species"].value_counts()

# %%
plt.scatter(df["petal_length"], df["petal_width"], c=df["species"])
plt.xlabel("petal length")
plt.ylabel("petal width")
plt.show()
X = df.drop("species", axis=1)
y = df["species"]
X.head()

# %%
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=42)
print(X_train.shape, X_test.shape)

# %% [markdown]
# ## Train the model

# %%
model = LogisticRegression(max_iter=200)
model.fit(X_train, y_train)
y_pred = model.predict(X_test)
print("Accuracy:", accuracy_score(y_test, y_pred))
print(confusion_matrix(y_test, y_pred))

# === answer
held_rows = df.loc[X_test.index]
held_predictions = y_pred


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        x = np.array([r["sepal_length"], r["sepal_width"], r["petal_length"], r["petal_width"]], dtype=float)
        out.append(int(model.classes_[np.argmax(model.coef_ @ x + model.intercept_)]))
    return out


rows = pd.DataFrame(
    [[5.15, 3.3, 1.45, 0.25], [6.05, 2.75, 4.35, 1.35], [6.85, 3.05, 5.75, 2.15], [5.95, 2.65, 4.95, 1.75]],
    columns=["sepal_length", "sepal_width", "petal_length", "petal_width"],
)
