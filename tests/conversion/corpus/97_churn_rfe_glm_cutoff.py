# title: Telecom churn case study: RFE, a statsmodels GLM, VIF and a cutoff from a plot
# expect: converts
# why: scaler, columns kept and coefficients are learned on the training rows; the constant is added to a single row as well
# needs: statsmodels
# input: telecom (data/churn.csv)
# label: Churn
# output: y_pred_final["final_predicted"]

# %% [markdown]
# ## Telecom Churn Case Study
# Group assignment, batch 12. With the columns about the customer, predict if he/she will switch to another provider.

# %% [markdown]
# ### Step 1: Importing and inspecting

# %%
# Suppressing Warnings
import warnings
warnings.filterwarnings('ignore')

# %%
import pandas as pd, numpy as np
import matplotlib.pyplot as plt

telecom = pd.read_csv("data/churn.csv")
telecom.head()

# %%
telecom.shape

# %%
telecom.info()

# %% [markdown]
# ### Step 2: Data Preparation

# %%
# The varaible was imported as a string we need to convert it to float
telecom['TotalCharges'] = pd.to_numeric(telecom['TotalCharges'], errors='coerce')
print(telecom.isnull().sum())

# %%
# few rows only, removing them
telecom = telecom[~np.isnan(telecom['TotalCharges'])]

# %%
# List of variables to map
varlist = ['Partner', 'Churn']

# Defining the map function
def binary_map(x):
    return x.map({'Yes': 1, "No": 0})

telecom[varlist] = telecom[varlist].apply(binary_map)

# %%
# Creating a dummy variable for some of the categorical variables and dropping the first one.
dummy1 = pd.get_dummies(telecom[['Contract', 'PaymentMethod', 'gender']], drop_first=True, dtype=int)
telecom = pd.concat([telecom, dummy1], axis=1)

# for internet service drop the level "No" by name
ml = pd.get_dummies(telecom['InternetService'], prefix='InternetService', dtype=int)
ml1 = ml.drop(['InternetService_No'], axis=1)
telecom = pd.concat([telecom, ml1], axis=1)

telecom = telecom.drop(['Contract', 'PaymentMethod', 'gender', 'InternetService'], axis=1)
telecom.head()

# %%
# Checking outliers at 25%,50%,75%,90%,95% and 99%
num_telecom = telecom[['tenure', 'MonthlyCharges', 'SeniorCitizen', 'TotalCharges']]
num_telecom.describe(percentiles=[.25, .5, .75, .90, .95, .99])

# %% [markdown]
# ### Step 3: Test-Train Split and Feature Scaling

# %%
from sklearn.model_selection import train_test_split
X = telecom.drop(['Churn', 'customerID'], axis=1)
y = telecom['Churn'].astype(int)
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=0.7, test_size=0.3, random_state=100)

# %%
from sklearn.preprocessing import StandardScaler
scaler = StandardScaler()
X_train[['tenure', 'MonthlyCharges', 'TotalCharges']] = scaler.fit_transform(X_train[['tenure', 'MonthlyCharges', 'TotalCharges']])
X_train.head()

# %%
### Checking the Churn Rate
churn = (sum(telecom['Churn'])/len(telecom['Churn'].index))*100
churn

# %%
plt.figure(figsize=(8, 7))
plt.imshow(X_train.corr(), cmap='coolwarm')
plt.xticks(range(X_train.shape[1]), X_train.columns, rotation=90)
plt.colorbar()
plt.show()

# %% [markdown]
# ### Step 4: Feature Selection Using RFE

# %%
from sklearn.linear_model import LogisticRegression
from sklearn.feature_selection import RFE
logreg = LogisticRegression()
rfe = RFE(logreg, n_features_to_select=8)             # running RFE with 8 variables as output
rfe = rfe.fit(X_train, y_train)
list(zip(X_train.columns, rfe.support_, rfe.ranking_))

# %%
col = X_train.columns[rfe.support_]
X_train.columns[~rfe.support_]

# %%
import statsmodels.api as sm
X_train_sm = sm.add_constant(X_train[col])
logm2 = sm.GLM(y_train, X_train_sm, family=sm.families.Binomial())
res = logm2.fit()
res.summary()

# %%
# Check for the VIF values of the feature variables.
from statsmodels.stats.outliers_influence import variance_inflation_factor

def vif_table(cols):
    vif = pd.DataFrame()
    vif['Features'] = cols
    vif['VIF'] = [variance_inflation_factor(X_train[cols].astype(float).values, i) for i in range(len(cols))]
    vif['VIF'] = round(vif['VIF'], 2)
    return vif.sort_values(by="VIF", ascending=False)

vif_table(col)

# %%
# drop while one is above 5
while vif_table(col)['VIF'].iloc[0] > 5:
    worst = vif_table(col)['Features'].iloc[0]
    print('dropping', worst)
    col = col.drop(worst)
vif_table(col)

# %%
X_train_sm = sm.add_constant(X_train[col])
logm3 = sm.GLM(y_train, X_train_sm, family=sm.families.Binomial())
res = logm3.fit()
print(res.summary())

# %%
y_train_pred = res.predict(X_train_sm).values.reshape(-1)
y_train_pred_final = pd.DataFrame({'Churn': y_train.values, 'Churn_Prob': y_train_pred})
y_train_pred_final['CustID'] = y_train.index
y_train_pred_final['predicted'] = y_train_pred_final.Churn_Prob.map(lambda x: 1 if x > 0.5 else 0)
y_train_pred_final.head()

# %%
from sklearn import metrics
confusion = metrics.confusion_matrix(y_train_pred_final.Churn, y_train_pred_final.predicted)
print(confusion)
print(metrics.accuracy_score(y_train_pred_final.Churn, y_train_pred_final.predicted))

# %% [markdown]
# ### Step 5: Finding Optimal Cutoff Point

# %%
# Let's create columns with different probability cutoffs
numbers = [float(x)/10 for x in range(10)]
for i in numbers:
    y_train_pred_final[i] = y_train_pred_final.Churn_Prob.map(lambda x: 1 if x > i else 0)

cutoff_df = pd.DataFrame(columns=['prob', 'accuracy', 'sensi', 'speci'])
for i in numbers:
    cm1 = metrics.confusion_matrix(y_train_pred_final.Churn, y_train_pred_final[i])
    total1 = sum(sum(cm1))
    accuracy = (cm1[0, 0]+cm1[1, 1])/total1
    speci = cm1[0, 0]/(cm1[0, 0]+cm1[0, 1])
    sensi = cm1[1, 1]/(cm1[1, 0]+cm1[1, 1])
    cutoff_df.loc[i] = [i, accuracy, sensi, speci]
print(cutoff_df)

# %%
cutoff_df.plot.line(x='prob', y=['accuracy', 'sensi', 'speci'])
plt.show()

# %% [markdown]
# From the curve above, **0.42** is the optimum point to take it as a cutoff probability.

# %%
y_train_pred_final['final_predicted'] = y_train_pred_final.Churn_Prob.map(lambda x: 1 if x > 0.42 else 0)
metrics.confusion_matrix(y_train_pred_final.Churn, y_train_pred_final.final_predicted)

# %% [markdown]
# ### Step 6: Making predictions on the test set

# %%
X_test[['tenure', 'MonthlyCharges', 'TotalCharges']] = scaler.transform(X_test[['tenure', 'MonthlyCharges', 'TotalCharges']])
X_test = X_test[col]
X_test_sm = sm.add_constant(X_test, has_constant='add')
y_test_pred = res.predict(X_test_sm)

# %%
# Converting y_pred to a dataframe which is an array
y_pred_1 = pd.DataFrame(y_test_pred)
y_test_df = pd.DataFrame(y_test)
y_test_df['CustID'] = y_test_df.index
y_pred_1.reset_index(drop=True, inplace=True)
y_test_df.reset_index(drop=True, inplace=True)
y_pred_final = pd.concat([y_test_df, y_pred_1], axis=1)
y_pred_final = y_pred_final.rename(columns={0: 'Churn_Prob'})
y_pred_final['final_predicted'] = y_pred_final.Churn_Prob.map(lambda x: 1 if x > 0.42 else 0)
y_pred_final.head()

# %%
metrics.accuracy_score(y_pred_final.Churn, y_pred_final.final_predicted)

# === answer
import math

_raw = pd.read_csv("data/churn.csv")
held_rows = _raw.loc[y_test.index]
held_predictions = y_pred_final["final_predicted"].to_numpy()
_seen = _raw.loc[y_train.index, ["tenure", "MonthlyCharges", "TotalCharges"]].astype(float)
_mean, _std = _seen.mean(), _seen.std(ddof=0)
_b = res.params.to_dict()


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        words = {f"{c}_{r[c]}" for c in ("Contract", "PaymentMethod", "gender", "InternetService")}
        z = _b["const"]
        for name, weight in _b.items():
            if name in _mean.index:
                z += weight * (float(r[name]) - _mean[name]) / _std[name]
            elif name == "SeniorCitizen":
                z += weight * r[name]
            elif name == "Partner":
                z += weight * (r[name] == "Yes")
            elif name in words:
                z += weight
        out.append(int(1 / (1 + math.exp(-z)) > 0.42))
    return out


rows = _raw[_raw["TotalCharges"] != " "].sample(9, random_state=97).assign(MonthlyCharges=lambda d: (d["MonthlyCharges"] + 2.15).round(2))
rows.iloc[0, rows.columns.get_loc("Contract")] = "Two year"
rows.iloc[1, rows.columns.get_loc("Contract")] = "Month-to-month"
rows.iloc[2, rows.columns.get_loc("InternetService")] = "No"
rows.iloc[3, rows.columns.get_loc("tenure")] = 2
rows.iloc[4, rows.columns.get_loc("PaymentMethod")] = "Electronic check"
