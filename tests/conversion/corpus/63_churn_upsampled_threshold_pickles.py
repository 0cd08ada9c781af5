# title: Churn with label encoders, the minority drawn again and the best threshold
# expect: converts
# why: drawing again is of the training alone; encoders and threshold are learned, the pickles are for an app that is elsewhere
# input: df (data/churn.csv)
# label: Churn
# output: y_pred

# %%
import pandas as pd
import numpy as np
import matplotlib.pyplot as plt
%matplotlib inline
import pickle

df = pd.read_csv("data/churn.csv")
df.head()

# %%
df.shape

# %%
df.dtypes

# %%
# https://stackoverflow.com/questions/15891038
df["TotalCharges"] = pd.to_numeric(df["TotalCharges"], errors="coerce")
df["TotalCharges"].isnull().sum()

# %%
df["TotalCharges"] = df["TotalCharges"].fillna(0)
df = df.drop("customerID", axis=1)

# %%
df["Churn"] = df["Churn"].map({"Yes": 1, "No": 0})
df["Churn"].value_counts().plot(kind="bar")

# %%
# encode
from sklearn.preprocessing import LabelEncoder

encoders = {}
for col in df.columns:
    if not pd.api.types.is_numeric_dtype(df[col]):
        le = LabelEncoder()
        df[col] = le.fit_transform(df[col])
        encoders[col] = le
df.head()

# %%
from sklearn.model_selection import train_test_split

X = df.drop("Churn", axis=1)
y = df["Churn"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)

# %%
# Handle imbalance - upsample minority class (only train set!!)
from sklearn.utils import resample

train_df = pd.concat([X_train, y_train], axis=1)
df_majority = train_df[train_df["Churn"] == train_df["Churn"].mode()[0]]
df_minority = train_df[train_df["Churn"] != train_df["Churn"].mode()[0]]

df_minority_upsampled = resample(df_minority, replace=True, n_samples=len(df_majority), random_state=123)
df_upsampled = pd.concat([df_majority, df_minority_upsampled])
print(df_upsampled["Churn"].value_counts())

X_train = df_upsampled.drop("Churn", axis=1)
y_train = df_upsampled["Churn"]

# %%
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, roc_curve

model = RandomForestClassifier(n_estimators=60, max_depth=6, random_state=42)
model.fit(X_train, y_train)
print("Accuracy:", accuracy_score(y_test, model.predict(X_test)))

# %%
probs = model.predict_proba(X_test)[:, 1]
fpr, tpr, thr = roc_curve(y_test, probs)
plt.plot(fpr, tpr)
plt.plot([0, 1], [0, 1], "--")
plt.show()

# %%
# find best threshold
best_t = 0
best_f1 = 0
for t in np.arange(0.1, 0.9, 0.05):
    f1 = f1_score(y_test, (probs >= t).astype(int))
    if f1 > best_f1:
        best_f1 = f1
        best_t = t
print("Best threshold:", best_t, "F1:", best_f1)

# %%
y_pred = (probs >= best_t).astype(int)
print(confusion_matrix(y_test, y_pred))

# %%
# save for flask app
with open("churn_model.pkl", "wb") as f:
    pickle.dump(model, f)
with open("encoders.pkl", "wb") as f:
    pickle.dump(encoders, f)

# === answer
_raw = pd.read_csv("data/churn.csv")
held_rows = _raw.loc[X_test.index]
held_predictions = y_pred
_words = {c: sorted(set(_raw[c])) for c in ["gender", "Partner", "InternetService", "Contract", "PaymentMethod"]}


def answer(rows):
    table = []
    for _, r in rows.iterrows():
        one = {c: float(words.index(r[c])) for c, words in _words.items()}
        one |= {c: float(r[c]) for c in ["SeniorCitizen", "tenure", "MonthlyCharges"]}
        one["TotalCharges"] = float(r["TotalCharges"]) if str(r["TotalCharges"]).strip() else 0.0
        table.append(one)
    frame = pd.DataFrame(table)[list(model.feature_names_in_)]
    return [int(p >= best_t) for p in model.predict_proba(frame)[:, 1]]


rows = _raw.sample(9, random_state=63).assign(MonthlyCharges=lambda d: (d["MonthlyCharges"] + 3.15).round(2))
rows.iloc[0, rows.columns.get_loc("TotalCharges")] = " "
rows.iloc[1, rows.columns.get_loc("Contract")] = "Two year"
rows.iloc[2, rows.columns.get_loc("tenure")] = 0
