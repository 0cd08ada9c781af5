# title: Kaggle style, a loop over both tables, a submission at the end
# expect: converts
# why: test.csv goes through the same loop as train.csv; medians of train.csv are constants
# input: test (data/titanic/test.csv); train (data/titanic/train.csv) only to learn from
# label: Survived
# output: submission["Survived"] (predictions)

# %% [markdown]
# # Titanic — my first submission
# Thanks to all the great kernels, I learned a lot. Please **upvote** :)

# %%
import numpy as np
import pandas as pd
import os
for dirname, _, filenames in os.walk('data/titanic'):
    for filename in filenames:
        print(os.path.join(dirname, filename))

# %%
train = pd.read_csv("data/titanic/train.csv")
test = pd.read_csv("data/titanic/test.csv")
test_ids = test["PassengerId"]
combine = [train, test]

# %%
train.describe(include="all")

# %%
train[["Sex", "Survived"]].groupby("Sex", as_index=False).mean()

# %%
for dataset in combine:
    dataset["Title"] = dataset.Name.str.extract(r" ([A-Za-z]+)\.", expand=False)
    dataset["Title"] = dataset["Title"].replace(["Dr", "Countess"], "Rare")

title_mapping = {"Mr": 1, "Miss": 2, "Mrs": 3, "Master": 4, "Rare": 5}
age_median = train["Age"].median()
freq_port = train.Embarked.dropna().mode()[0]

for dataset in combine:
    dataset["Title"] = dataset["Title"].map(title_mapping).fillna(0).astype(int)
    dataset["Sex"] = dataset["Sex"].map({"female": 1, "male": 0}).astype(int)
    dataset["Age"] = dataset["Age"].fillna(age_median)
    dataset.loc[dataset["Age"] <= 16, "AgeBand"] = 0
    dataset.loc[(dataset["Age"] > 16) & (dataset["Age"] <= 32), "AgeBand"] = 1
    dataset.loc[(dataset["Age"] > 32) & (dataset["Age"] <= 48), "AgeBand"] = 2
    dataset.loc[dataset["Age"] > 48, "AgeBand"] = 3
    dataset["FamilySize"] = dataset["SibSp"] + dataset["Parch"] + 1
    dataset["IsAlone"] = 0
    dataset.loc[dataset["FamilySize"] == 1, "IsAlone"] = 1
    dataset["HasCabin"] = dataset["Cabin"].notnull().astype(int)
    dataset["Embarked"] = dataset["Embarked"].fillna(freq_port)
    dataset["Embarked"] = dataset["Embarked"].map({"S": 0, "C": 1, "Q": 2}).astype(int)

train.head()

# %%
features = ["Pclass", "Sex", "AgeBand", "Fare", "Embarked", "FamilySize", "IsAlone", "HasCabin", "Title"]
X_train = train[features]
Y_train = train["Survived"]
X_test = test[features].copy()
X_train.shape, Y_train.shape, X_test.shape

# %%
from sklearn.linear_model import LogisticRegression
logreg = LogisticRegression(max_iter=2000)
logreg.fit(X_train, Y_train)
predictions = logreg.predict(X_test)
acc = round(logreg.score(X_train, Y_train) * 100, 2)
acc

# %%
submission = pd.DataFrame({"PassengerId": test_ids, "Survived": predictions})
submission.to_csv("submission.csv", index=False)
print(f"Saved {len(submission)} rows!")

# === answer
_learned = pd.read_csv("data/titanic/train.csv")
held_rows = pd.concat([pd.read_csv("data/titanic/test.csv"), _learned.drop(columns="Survived")])
held_predictions = np.concatenate([predictions, logreg.predict(X_train)])
_age, _port = _learned["Age"].median(), _learned["Embarked"].value_counts().idxmax()


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        title = r["Name"].split(", ")[1].split(".")[0]
        age = _age if pd.isna(r["Age"]) else r["Age"]
        family = r["SibSp"] + r["Parch"] + 1
        x = [
            r["Pclass"],
            int(r["Sex"] == "female"),
            0 if age <= 16 else 1 if age <= 32 else 2 if age <= 48 else 3,
            r["Fare"],
            "SCQ".index(_port if pd.isna(r["Embarked"]) else r["Embarked"]),
            family,
            int(family == 1),
            int(not pd.isna(r["Cabin"])),
            {"Mr": 1, "Miss": 2, "Mrs": 3, "Master": 4, "Dr": 5, "Countess": 5}.get(title, 0),
        ]
        out.append(int(float(np.dot(logreg.coef_[0], np.array(x, dtype=float)) + logreg.intercept_[0]) > 0))
    return out


rows = pd.DataFrame(
    {
        "PassengerId": [901, 902, 903, 904, 905],
        "Pclass": [1, 3, 2, 3, 1],
        "Name": ["Moss, Mrs. Ida", "Kern, Mr. Ole", "Vale, Master. Tim", "Zorn, Rev. Max", "Lund, Dr. Uwe"],
        "Sex": ["female", "male", "male", "male", "male"],
        "Age": [38.0, np.nan, 7.0, 49.0, np.nan],
        "SibSp": [1, 0, 2, 0, 0],
        "Parch": [0, 0, 1, 0, 0],
        "Fare": [71.28, 7.9, 26.1, 12.4, 30.5],
        "Cabin": ["C85", None, None, None, "A12"],
        "Embarked": ["C", "S", None, "Q", "S"],
    }
)
