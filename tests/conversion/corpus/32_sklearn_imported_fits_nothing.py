# title: Imports half of scikit-learn, scores somebody else's guesses
# expect: not-predictive
# why: no fit anywhere: sklearn only gives data and metrics, the guesses are a rule
# input: df (frame of sklearn's load_breast_cancer)
# label: target
# output: none

# %%
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.metrics import roc_auc_score, accuracy_score, confusion_matrix

df = load_breast_cancer(as_frame=True).frame

# %%
# before we train anything: how good is a ruler?
for col in ["mean radius", "mean texture", "mean area", "mean smoothness"]:
    auc = roc_auc_score(df["target"], -df[col])
    print(f"{col:20s} {auc:.3f}")

# %%
rule = (df["mean radius"] < 15).astype(int)
print(accuracy_score(df["target"], rule))
confusion_matrix(df["target"], rule)

# %% [markdown]
# TODO: train the models next week
