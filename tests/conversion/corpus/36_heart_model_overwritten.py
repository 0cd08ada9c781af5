# title: The classifier's name is used for something else after the predictions
# expect: refused
# why: gbc holds a number at the end, the fitted classifier that made the predictions is gone
# mentions: gbc
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
gbc = GradientBoostingClassifier(n_estimators=30, random_state=1)
gbc.fit(X[:170], y[:170])

# %%
pred = gbc.predict(X[170:])

# %%
gbc = gbc.score(X[170:], y[170:])
print("gbc is", "good" if gbc > 0.7 else "bad", gbc)
