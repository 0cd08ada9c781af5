# title: A grid search over a pipeline with an SVM
# expect: converts
# why: the best estimator of the search answers; names of the classes come from the toy set
# input: cancer.frame (frame of sklearn's load_breast_cancer)
# label: target
# output: diagnosis ("malignant" or "benign")

# %%
import pandas as pd, numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.svm import SVC
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.model_selection import GridSearchCV, train_test_split

cancer = load_breast_cancer(as_frame=True)
frame = cancer.frame
keep = [c for c in frame.columns if c.startswith("mean ")]
X = frame[keep]
y = frame["target"]

# %%
Xtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)
pipe = make_pipeline(StandardScaler(), SVC())
grid = {"svc__C": [0.1, 1, 10], "svc__gamma": [0.01, 0.1], "svc__kernel": ["rbf"]}
search = GridSearchCV(pipe, grid, cv=3, scoring="f1")
search.fit(Xtr, ytr)

# %%
print(search.best_params_)
print("Best CV score: {:.3f}".format(search.best_score_))
pd.DataFrame(search.cv_results_)[["params", "mean_test_score", "rank_test_score"]]

# %%
yhat = search.predict(Xte)
diagnosis = cancer.target_names[yhat]
pd.crosstab(diagnosis, cancer.target_names[yte])

# === answer
held_rows = frame.loc[Xte.index]
held_predictions = diagnosis
_learned = frame.loc[Xtr.index, keep].to_numpy()
_svm = search.best_estimator_[-1]


def answer(rows):
    out = []
    for x in rows[keep].to_numpy(dtype=float):
        z = (x - _learned.mean(axis=0)) / _learned.std(axis=0)
        kernel = np.exp(-search.best_params_["svc__gamma"] * ((_svm.support_vectors_ - z) ** 2).sum(axis=1))
        out.append("benign" if float(_svm.dual_coef_[0] @ kernel + _svm.intercept_[0]) > 0 else "malignant")
    return out


rows = frame.sample(8, random_state=3) * 1.013
