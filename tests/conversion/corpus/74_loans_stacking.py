# title: Loan approval by a stacking classifier over ordinal codes
# expect: converts
# why: all that was fitted is in the encoder, the modes and one stacking classifier; its parts answer together
# input: loan (data/loans.csv)
# label: Loan_Status
# output: answer_labels ("N" or "Y")

# %% [markdown]
# # Loan Prediction Practice Problem
# Going for a better rank with **stacking** this time

# %%
import numpy as np, pandas as pd
import matplotlib.pyplot as plt
from sklearn.ensemble import RandomForestClassifier, StackingClassifier, ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import OrdinalEncoder, LabelEncoder, StandardScaler
from sklearn.pipeline import make_pipeline
from sklearn.model_selection import train_test_split

loan = pd.read_csv('data/loans.csv')
loan.head()

# %%
loan.isnull().sum()

# %%
loan['LoanAmount'].hist(bins=20)
plt.figure()
np.log(loan['LoanAmount']).hist(bins=20)   # better

# %%
train, test = train_test_split(loan, test_size=0.2, random_state=7)
train, test = train.copy(), test.copy()
print(train.shape, test.shape)

# %%
cats = ['Gender', 'Married', 'Dependents', 'Education', 'Self_Employed', 'Property_Area']
modes = train[cats + ['Credit_History', 'Loan_Amount_Term']].mode().iloc[0]
lam = train['LoanAmount'].mean()
modes

# %%
for d in (train, test):
    for c in modes.index:
        d[c] = d[c].fillna(modes[c])
    d['LoanAmount'] = d['LoanAmount'].fillna(lam)
    d['TotalIncome'] = d['ApplicantIncome'] + d['CoapplicantIncome']
    d['LogIncome'] = np.log(d['TotalIncome'])
    d['LogAmount'] = np.log(d['LoanAmount'])
    d['EMI'] = d['LoanAmount'] / d['Loan_Amount_Term']
    d['Balance'] = d['TotalIncome'] - d['EMI'] * 1000
    d['HasCo'] = np.where(d['CoapplicantIncome'] > 0, 1, 0)

# %%
enc = OrdinalEncoder(handle_unknown='use_encoded_value', unknown_value=-1)
train[cats] = enc.fit_transform(train[cats])
test[cats] = enc.transform(test[cats])
le = LabelEncoder()
y = le.fit_transform(train['Loan_Status'])
cols = cats + ['Credit_History', 'Loan_Amount_Term', 'LogIncome', 'LogAmount', 'EMI', 'Balance', 'HasCo']
train[cols].head()

# %%
base = [
    ('rf', RandomForestClassifier(n_estimators=30, max_depth=4, random_state=7)),
    ('et', ExtraTreesClassifier(n_estimators=30, max_depth=4, random_state=7)),
    ('nb', make_pipeline(StandardScaler(), GaussianNB())),
]
stack = StackingClassifier(base, final_estimator=LogisticRegression(), cv=4, passthrough=False)
stack.fit(train[cols], y)
print('train', stack.score(train[cols], y))

# %%
codes = stack.predict(test[cols])
answer_labels = le.inverse_transform(codes)
print('test', (answer_labels == test['Loan_Status']).mean())
pd.Series(answer_labels).value_counts()

# %%
# weights of the models
dict(zip([n for n, _ in base], stack.final_estimator_.coef_[0].round(2)))

# === answer
_raw = pd.read_csv("data/loans.csv")
held_rows = _raw.loc[test.index]
held_predictions = answer_labels
_seen = _raw.loc[train.index]
_words = ["Gender", "Married", "Dependents", "Education", "Self_Employed", "Property_Area"]
_fill = {c: _seen[c].value_counts().idxmax() for c in [*_words, "Credit_History", "Loan_Amount_Term"]}
_fill["LoanAmount"] = float(sum(_seen["LoanAmount"].dropna()) / _seen["LoanAmount"].count())
_code = {c: {w: i for i, w in enumerate(sorted(set(_seen[c].dropna())))} for c in _words}


def answer(rows):
    out = []
    for _, row in rows.iterrows():
        r = {c: (_fill[c] if c in _fill and pd.isna(v) else v) for c, v in row.items()}
        income, emi = r["ApplicantIncome"] + r["CoapplicantIncome"], r["LoanAmount"] / r["Loan_Amount_Term"]
        line = [float(_code[c].get(r[c], -1)) for c in _words]
        line += [r["Credit_History"], r["Loan_Amount_Term"], np.log(income), np.log(r["LoanAmount"]), emi]
        line += [income - 1000 * emi, float(r["CoapplicantIncome"] > 0)]
        x = pd.DataFrame([line], columns=stack.feature_names_in_)
        ps = [e.predict_proba(x)[0, 1] for e in stack.estimators_]
        final = stack.final_estimator_
        out.append("Y" if float(np.dot(final.coef_[0], ps) + final.intercept_[0]) > 0 else "N")
    return out


rows = _raw.sample(9, random_state=74).assign(ApplicantIncome=lambda d: d["ApplicantIncome"] + 207)
for _at, (_c, _v) in enumerate(
    [("LoanAmount", np.nan), ("Credit_History", np.nan), ("Gender", None), ("Dependents", None), ("Property_Area", "Abroad"), ("Credit_History", 0.0)]
):
    rows.iloc[_at, rows.columns.get_loc(_c)] = _v
