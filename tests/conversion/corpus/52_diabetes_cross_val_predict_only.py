# title: Every prediction is one of a fold's model
# expect: refused
# why: cross_val_predict throws its ten models away, and reg itself was never fitted
# mentions: cross_val_predict|oof|not fitted|never fitted
# input: d (frame of sklearn's load_diabetes)
# label: target
# output: oof

# %%
from sklearn.datasets import load_diabetes
from sklearn.linear_model import ElasticNet
from sklearn.model_selection import cross_val_predict
d = load_diabetes(as_frame=True).frame
reg = ElasticNet(alpha=0.01)

# %%
oof = cross_val_predict(reg, d.drop(columns="target"), d["target"], cv=10)
err = (oof - d["target"]).abs()
print(err.mean(), err.max())
