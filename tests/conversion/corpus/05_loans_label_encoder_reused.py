# title: One LabelEncoder for all columns, one after another
# expect: converts
# why: each column was encoded by its own sorted values although only the last fit is left in the variable
# input: data (data/loans.csv)
# label: Loan_Status
# output: pred (0 = N, 1 = Y)

# %%
import pandas as pd
import numpy as np
from sklearn.preprocessing import LabelEncoder
from sklearn.tree import DecisionTreeClassifier
from sklearn.model_selection import train_test_split
from sklearn import metrics

# %%
data = pd.read_csv('data/loans.csv')
data = data.drop(['Loan_ID'], axis=1)
print(data.shape)
data.isna().sum()

# %%
for c in ['Gender','Married','Dependents','Self_Employed','Credit_History']:
    data[c] = data[c].fillna(data[c].mode()[0])
data['LoanAmount'] = data['LoanAmount'].fillna(data['LoanAmount'].mean())
data.isna().sum().sum()

# %%
cols = ['Gender','Married','Dependents','Education','Self_Employed','Property_Area','Loan_Status']
le = LabelEncoder()
for c in cols:
    data[c] = le.fit_transform(data[c])
data.head()

# %%
X = data.drop('Loan_Status', axis=1)
Y = data['Loan_Status']
X_train, X_test, y_train, y_test = train_test_split(X, Y, test_size=0.2, random_state=10)
clf = DecisionTreeClassifier(criterion='entropy', max_depth=4, random_state=10)
clf = clf.fit(X_train, y_train)
pred = clf.predict(X_test)
print("acc = ", metrics.accuracy_score(y_test, pred))

# === answer
_raw = pd.read_csv("data/loans.csv")
held_rows = _raw.loc[X_test.index]
held_predictions = pred
_most = {c: _raw[c].value_counts().idxmax() for c in ["Gender", "Married", "Dependents", "Self_Employed", "Credit_History"]}
_mean_amount = _raw["LoanAmount"].dropna().sum() / _raw["LoanAmount"].notna().sum()
_codes = {
    "Gender": ["Female", "Male"],
    "Married": ["No", "Yes"],
    "Dependents": ["0", "1", "2", "3+"],
    "Education": ["Graduate", "Not Graduate"],
    "Self_Employed": ["No", "Yes"],
    "Property_Area": ["Rural", "Semiurban", "Urban"],
}


def answer(rows):
    table = []
    for _, r in rows.iterrows():
        line = []
        for c in X.columns:
            value = r[c]
            if pd.isna(value):
                value = _mean_amount if c == "LoanAmount" else _most[c]
            line.append(_codes[c].index(value) if c in _codes else float(value))
        table.append(line)
    return [int(v) for v in clf.predict(pd.DataFrame(table, columns=X.columns))]


rows = _raw.sample(7, random_state=2).assign(ApplicantIncome=lambda d: d["ApplicantIncome"] + 11)
rows.iloc[0, rows.columns.get_loc("LoanAmount")] = np.nan
rows.iloc[1, rows.columns.get_loc("Credit_History")] = np.nan
rows.iloc[2, rows.columns.get_loc("Credit_History")] = 0.0
rows.iloc[3, rows.columns.get_loc("Gender")] = None
