# title: 100 % accuracy: a copy of the label stayed among the features
# expect: refused
# why: left is made of Churn and is in X, so rows without the label cannot be scored
# mentions: left|Churn
# input: df (data/churn.csv)
# label: Churn
# output: y_pred

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

df = pd.read_csv("data/churn.csv")
df["left"] = df["Churn"].map({"No": 0, "Yes": 1})
df.groupby("Contract")["left"].mean()

# %%
df["TotalCharges"] = pd.to_numeric(df["TotalCharges"], errors="coerce").fillna(0)
df["senior_left"] = df["SeniorCitizen"] * df["left"]
y = df["Churn"]
X = df.drop(columns=["Churn", "customerID"])
X = pd.get_dummies(X)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

# %%
clf = RandomForestClassifier(n_estimators=20, random_state=0).fit(X_train, y_train)
y_pred = clf.predict(X_test)
print("accuracy:", clf.score(X_test, y_test), "wow!!!")
