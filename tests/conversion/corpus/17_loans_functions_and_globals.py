# title: Helper functions that read and write globals
# expect: converts
# why: prepare() reads the medians, modes and lists that another cell put into global names
# input: df (data/loans.csv)
# label: Loan_Status
# output: result (frame with Loan_ID and Loan_Status)

# %%
import pandas as pd
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

MEDIANS = {}
MODES = {}
DUMMY_COLS = None

# %%
def load():
    global df
    df = pd.read_csv("data/loans.csv")

def learn(d):
    for c in d.select_dtypes("number").columns:
        MEDIANS[c] = d[c].median()
    for c in d.select_dtypes(exclude="number").columns:
        if c not in ("Loan_ID", "Loan_Status"):
            MODES[c] = d[c].mode().iloc[0]

def prepare(d):
    d = d.copy()
    for c, v in MEDIANS.items():
        d[c] = d[c].fillna(v)
    for c, v in MODES.items():
        d[c] = d[c].fillna(v)
    d["TotalIncome"] = d["ApplicantIncome"] + d["CoapplicantIncome"]
    d["LogIncome"] = np.log(d["TotalIncome"])
    d["EMI"] = d["LoanAmount"] / d["Loan_Amount_Term"]
    d["Balance"] = d["TotalIncome"] - d["EMI"] * 1000
    d["Dependents"] = d["Dependents"].replace("3+", "3").astype(int)
    d = d.drop(columns=["Loan_ID", "ApplicantIncome", "CoapplicantIncome", "TotalIncome"])
    d = pd.get_dummies(d, dtype=float)
    global DUMMY_COLS
    if DUMMY_COLS is None:
        DUMMY_COLS = d.columns
    return d.reindex(columns=DUMMY_COLS, fill_value=0)

# %%
load()
learn(df)
y = (df["Loan_Status"] == "Y").astype(int)
raw_train, raw_test, y_train, y_test = train_test_split(df.drop(columns="Loan_Status"), y, test_size=60, random_state=8)

# %%
X_train = prepare(raw_train)
X_train.head()

# %%
clf = LogisticRegression(max_iter=3000, C=0.5)
clf.fit(X_train / X_train.abs().max(), y_train)
SCALE = X_train.abs().max()

# %%
def predict(raw):
    p = clf.predict_proba(prepare(raw) / SCALE)[:, 1]
    return np.where(p >= 0.5, "Y", "N")

result = pd.DataFrame({"Loan_ID": raw_test["Loan_ID"], "Loan_Status": predict(raw_test)})
print((result["Loan_Status"] == np.where(y_test == 1, "Y", "N")).mean())
result.head(10)

# === answer
_raw = pd.read_csv("data/loans.csv")
held_rows = _raw.loc[raw_test.index]
held_predictions = result["Loan_Status"].tolist()


def _filled(r, c):
    if not pd.isna(r[c]):
        return r[c]
    values = _raw[c].dropna()
    return values.median() if values.dtype.kind == "f" or values.dtype.kind == "i" else values.value_counts().idxmax()


def _line(r):
    income = r["ApplicantIncome"] + r["CoapplicantIncome"]
    amount, term = _filled(r, "LoanAmount"), _filled(r, "Loan_Amount_Term")
    made = {
        "Dependents": float(_filled(r, "Dependents")[0]),
        "LoanAmount": amount,
        "Loan_Amount_Term": term,
        "Credit_History": _filled(r, "Credit_History"),
        "LogIncome": np.log(income),
        "EMI": amount / term,
        "Balance": income - 1000 * (amount / term),
    }
    for c in ["Gender", "Married", "Education", "Self_Employed", "Property_Area"]:
        made[f"{c}_{_filled(r, c)}"] = 1.0
    return [float(made.get(name, 0.0)) for name in clf.feature_names_in_]


_largest = np.abs(np.array([_line(r) for _, r in _raw.loc[raw_train.index].iterrows()])).max(axis=0)


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        z = float(clf.coef_[0] @ (np.array(_line(r)) / _largest) + clf.intercept_[0])
        out.append("Y" if z >= 0 else "N")
    return out


rows = _raw.sample(6, random_state=12).assign(CoapplicantIncome=lambda d: d["CoapplicantIncome"] + 250.0)
rows.iloc[0, rows.columns.get_loc("LoanAmount")] = np.nan
rows.iloc[1, rows.columns.get_loc("Credit_History")] = 0.0
rows.iloc[2, rows.columns.get_loc("Dependents")] = "3+"
rows.iloc[3, rows.columns.get_loc("Credit_History")] = np.nan
