# title: Segments by DBSCAN, which cannot place new points
# expect: refused
# why: DBSCAN has only fit_predict: a new row has no cluster without fitting all again
# mentions: DBSCAN|fit_predict|clusters
# input: df (data/mall.csv)
# label: none
# output: df["cluster"]

# %%
import pandas as pd
from sklearn.cluster import DBSCAN
from sklearn.preprocessing import StandardScaler

df = pd.read_csv("data/mall.csv")
X = StandardScaler().fit_transform(df[["Annual Income (k$)", "Spending Score (1-100)"]])

# %%
clusters = DBSCAN(eps=0.35, min_samples=4).fit_predict(X)
df["cluster"] = clusters
print("clusters:", len(set(clusters)) - (1 if -1 in clusters else 0), "noise:", (clusters == -1).sum())

# %%
df.groupby("cluster")[["Age", "Annual Income (k$)", "Spending Score (1-100)"]].mean()
