# title: Five models in a dict, the best by F1 is kept, saved and loaded
# expect: converts
# why: only the chosen model answers; it was written with joblib and read again
# input: heart (data/heart.csv, separated by semicolons)
# label: target
# output: final_pred

# %%
import pandas as pd, numpy as np, joblib
import matplotlib.pyplot as plt
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.model_selection import train_test_split
from sklearn.metrics import f1_score, accuracy_score

# %%
heart = pd.read_csv("data/heart.csv", sep=";")
heart['chol'] = heart['chol'].fillna(heart['chol'].mean())
heart = pd.concat([heart.drop('cp', axis=1), pd.get_dummies(heart['cp'], prefix='cp', dtype=int)], axis=1)
X = heart.drop('target', axis=1)
y = heart['target']
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=33)
ss = StandardScaler()
X_train_s = ss.fit_transform(X_train)
X_test_s = ss.transform(X_test)

# %%
models = {
    'LR': LogisticRegression(),
    'DT': DecisionTreeClassifier(max_depth=4, random_state=33),
    'KNN': KNeighborsClassifier(7),
    'NB': GaussianNB(),
    'RF': RandomForestClassifier(n_estimators=25, random_state=33),
}
scores = {}
for name, m in models.items():
    m.fit(X_train_s, y_train)
    p = m.predict(X_test_s)
    scores[name] = f1_score(y_test, p)
    print(f"{name:>4}: acc={accuracy_score(y_test, p):.3f} f1={scores[name]:.3f}")

# %%
plt.bar(list(scores.keys()), list(scores.values()))
plt.title("F1")
plt.show()

# %%
best_name = max(scores, key=scores.get)
best = models[best_name]
print("winner:", best_name)
joblib.dump(best, "best_model.joblib")

# %%
loaded = joblib.load("best_model.joblib")
final_pred = loaded.predict(X_test_s)
final_pred[:10]

# === answer
_raw = pd.read_csv("data/heart.csv", sep=";")
held_rows = _raw.loc[X_test.index]
held_predictions = final_pred
_mean_chol = float(np.nanmean(_raw["chol"]))


def _table(frame):
    table = []
    for _, r in frame.iterrows():
        line = [r["age"], r["sex"], r["trestbps"], _mean_chol if pd.isna(r["chol"]) else r["chol"], r["thalach"], r["oldpeak"]]
        table.append([float(v) for v in line] + [float(r["cp"] == k) for k in ("asymptomatic", "atypical", "non-anginal", "typical")])
    return np.array(table)


_learned = _table(_raw.loc[X_train.index])


def answer(rows):
    z = (_table(rows) - _learned.mean(axis=0)) / _learned.std(axis=0)
    return [int(v) for v in models[max(scores, key=lambda k: scores[k])].predict(z)]


rows = _raw.sample(8, random_state=6).assign(trestbps=lambda d: d["trestbps"] + 3)
rows.iloc[0, rows.columns.get_loc("chol")] = np.nan
rows.iloc[1, rows.columns.get_loc("cp")] = "typical"
rows.iloc[2, rows.columns.get_loc("cp")] = "asymptomatic"
