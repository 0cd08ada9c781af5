# title: The model's name is used for something else after the predictions
# expect: refused
# why: model holds a number at the end, the fitted classifier that made the predictions is gone
# mentions: model
# input: df (data/heart.csv, separated by semicolons)
# label: target
# output: pred

# %%
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier
df = pd.read_csv("data/heart.csv", sep=";")
df = pd.get_dummies(df.dropna(), columns=["cp"])
X, y = df.drop(columns="target"), df["target"]

# %%
model = GradientBoostingClassifier(n_estimators=30, random_state=1)
model.fit(X[:170], y[:170])

# %%
pred = model.predict(X[170:])

# %%
model = model.score(X[170:], y[170:])
print("model is", "good" if model > 0.7 else "bad", model)
