# title: Telephone churn with get_dummies on the whole table
# expect: converts
# why: the columns that get_dummies made in training are fixed, and a blank in TotalCharges becomes 0
# input: df (data/churn.csv)
# label: Churn
# output: preds (1 = leaves)

# %%
import pandas as pd
import numpy as np
import matplotlib.pyplot as plt
import warnings
warnings.filterwarnings('ignore')

# %%
df = pd.read_csv("data/churn.csv")
df.head(3)

# %%
df.drop("customerID", axis=1, inplace=True)
df["TotalCharges"] = pd.to_numeric(df["TotalCharges"], errors="coerce")
print("missing:", df.isnull().sum().sum())
df["TotalCharges"] = df["TotalCharges"].fillna(0)

# %%
df["Churn"] = df["Churn"].map({"Yes": 1, "No": 0})
df["Churn"].value_counts(normalize=True).plot(kind="bar")
plt.title("churn rate")

# %%
df = pd.get_dummies(df, drop_first=True)
df.columns

# %%
from sklearn.model_selection import train_test_split
X = df.drop(columns=["Churn"])
y = df["Churn"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=1, stratify=y)

# %%
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import classification_report
rf = RandomForestClassifier(n_estimators=30, max_depth=6, random_state=1)
rf.fit(X_train, y_train)
preds = rf.predict(X_test)
print(classification_report(y_test, preds))

# %%
imp = pd.Series(rf.feature_importances_, index=X.columns).sort_values()
imp.plot(kind="barh")
plt.show()

# === answer
_raw = pd.read_csv("data/churn.csv")
held_rows = _raw.loc[X_test.index]
held_predictions = preds


def answer(rows):
    table = []
    for _, r in rows.iterrows():
        text = str(r["TotalCharges"]).strip()
        made = {
            "SeniorCitizen": r["SeniorCitizen"],
            "tenure": r["tenure"],
            "MonthlyCharges": r["MonthlyCharges"],
            "TotalCharges": float(text) if text else 0.0,
            "gender_Male": r["gender"] == "Male",
            "Partner_Yes": r["Partner"] == "Yes",
            "InternetService_Fiber optic": r["InternetService"] == "Fiber optic",
            "InternetService_No": r["InternetService"] == "No",
            "Contract_One year": r["Contract"] == "One year",
            "Contract_Two year": r["Contract"] == "Two year",
            "PaymentMethod_Credit card": r["PaymentMethod"] == "Credit card",
            "PaymentMethod_Electronic check": r["PaymentMethod"] == "Electronic check",
            "PaymentMethod_Mailed check": r["PaymentMethod"] == "Mailed check",
        }
        table.append([float(made[c]) for c in rf.feature_names_in_])
    votes = np.mean([tree.predict_proba(np.array(table)) for tree in rf.estimators_], axis=0)
    return rf.classes_[votes.argmax(axis=1)].tolist()


rows = _raw.sample(6, random_state=5).assign(MonthlyCharges=lambda d: (d["MonthlyCharges"] + 3.17).round(2))
rows.iloc[0, rows.columns.get_loc("TotalCharges")] = " "
rows.iloc[0, rows.columns.get_loc("tenure")] = 0
rows.iloc[1, rows.columns.get_loc("Contract")] = "Two year"
rows.iloc[2, rows.columns.get_loc("Contract")] = "Month-to-month"
