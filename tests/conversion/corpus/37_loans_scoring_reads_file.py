# title: The scoring cell reads its threshold from a file
# expect: refused
# why: what threshold.txt says on the day is part of the answer
# mentions: threshold.txt|threshold|open
# input: df (data/loans.csv)
# label: Loan_Status
# output: decision

# %%
import pandas as pd
import numpy as np
from sklearn.linear_model import LogisticRegression

df = pd.read_csv("data/loans.csv").dropna()
X = pd.DataFrame({
    "income": np.log(df["ApplicantIncome"] + df["CoapplicantIncome"]),
    "amount": df["LoanAmount"] / 100,
    "history": df["Credit_History"],
    "urban": (df["Property_Area"] == "Urban").astype(int),
})
y = df["Loan_Status"].eq("Y").astype(int)

# %%
lr = LogisticRegression().fit(X.iloc[:150], y.iloc[:150])
lr.coef_

# %%
# the risk department edits this file every Monday
with open("data/threshold.txt") as f:
    threshold = float(f.read())
decision = np.where(lr.predict_proba(X.iloc[150:])[:, 1] >= threshold, "grant", "deny")
pd.Series(decision).value_counts()
