# title: Heart disease by nearest neighbours, k read off an error plot
# expect: converts
# why: mean, dummies and scaler come from the whole table once; the last of many neighbours is the one the author typed
# input: df (data/heart.csv, separated by semicolons)
# label: target
# output: pred

# %% [markdown]
# # K Nearest Neighbors Project
# Section 14, **my solution** (other data than in the video, the link was dead)

# %%
import pandas as pd
import numpy as np
import matplotlib.pyplot as plt
%matplotlib inline

# %%
df = pd.read_csv('data/heart.csv', sep=';')
df.head()

# %%
df.info()

# %%
df.describe()

# %%
df['chol'].hist(bins=30)

# %%
df.isnull().sum()

# %%
# fill in the missing ones with the average
df['chol'] = df['chol'].fillna(df['chol'].mean())

# %%
cp = pd.get_dummies(df['cp'],drop_first=True)
cp.head()

# %%
df.drop('cp',axis=1,inplace=True)
df = pd.concat([df,cp],axis=1)
df.head()

# %% [markdown]
# ## Standardize the variables

# %%
from sklearn.preprocessing import StandardScaler
scaler = StandardScaler()
scaler.fit(df.drop('target',axis=1))

# %%
scaled_features = scaler.transform(df.drop('target',axis=1))
df_feat = pd.DataFrame(scaled_features,columns=df.drop('target',axis=1).columns)
df_feat.head()

# %% [markdown]
# ## Train test split

# %%
from sklearn.model_selection import train_test_split
X_train, X_test, y_train, y_test = train_test_split(df_feat,df['target'],test_size=0.30,random_state=101)

# %% [markdown]
# ## Using KNN

# %%
from sklearn.neighbors import KNeighborsClassifier
knn = KNeighborsClassifier(n_neighbors=1)
knn.fit(X_train,y_train)
pred = knn.predict(X_test)

# %%
from sklearn.metrics import classification_report,confusion_matrix
print(confusion_matrix(y_test,pred))
print(classification_report(y_test,pred))

# %% [markdown]
# ## Choosing a K Value

# %%
error_rate = []

# Will take some time
for i in range(1,40):
    
    knn = KNeighborsClassifier(n_neighbors=i)
    knn.fit(X_train,y_train)
    pred_i = knn.predict(X_test)
    error_rate.append(np.mean(pred_i != y_test))

# %%
plt.figure(figsize=(10,6))
plt.plot(range(1,40),error_rate,color='blue', linestyle='dashed', marker='o',
         markerfacecolor='red', markersize=10)
plt.title('Error Rate vs. K Value')
plt.xlabel('K')
plt.ylabel('Error Rate')

# %%
# NOW WITH K=17
knn = KNeighborsClassifier(n_neighbors=17)

knn.fit(X_train,y_train)
pred = knn.predict(X_test)

print('WITH K=17')
print('\n')
print(confusion_matrix(y_test,pred))
print('\n')
print(classification_report(y_test,pred))

# %% [markdown]
# # Great Job!

# === answer
_raw = pd.read_csv("data/heart.csv", sep=";")
held_rows = _raw.loc[X_test.index]
held_predictions = pred
_chol = float(np.nanmean(_raw["chol"]))


def _line(r):
    chol = _chol if pd.isna(r["chol"]) else r["chol"]
    numbers = [r["age"], r["sex"], r["trestbps"], chol, r["thalach"], r["oldpeak"]]
    return [float(v) for v in numbers] + [float(r["cp"] == p) for p in ("atypical", "non-anginal", "typical")]


_table = np.array([_line(r) for _, r in _raw.iterrows()])
_mean, _std = _table.mean(axis=0), _table.std(axis=0)
_known = (_table[X_train.index] - _mean) / _std
_sick = _raw.loc[X_train.index, "target"].to_numpy()


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        distance = np.sqrt(((_known - (np.array(_line(r)) - _mean) / _std) ** 2).sum(axis=1))
        out.append(int(_sick[np.argsort(distance)[:17]].sum() > 8))
    return out


rows = _raw.sample(9, random_state=189).assign(thalach=lambda d: d["thalach"] - 3, oldpeak=lambda d: (d["oldpeak"] + 0.27).round(2))
rows.iloc[0, rows.columns.get_loc("chol")] = np.nan
rows.iloc[1, rows.columns.get_loc("cp")] = "asymptomatic"
rows.iloc[2, rows.columns.get_loc("cp")] = "typical"
rows.iloc[3, rows.columns.get_loc("cp")] = "non-anginal"
