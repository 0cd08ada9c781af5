# title: Pupils by their rank among the others
# expect: refused
# why: a rank depends on all rows that come together
# mentions: rank
# input: s (data/students.csv)
# label: score
# output: s["passes"]

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression

s = pd.read_csv("data/students.csv").drop(columns="student")
s["hours_rank"] = s["hours"].rank(pct=True)
s["rank_in_school"] = s.groupby("school")["hours"].rank(ascending=False)
s["sleep"] = s["sleep"].round()

# %%
y = s["score"] >= 55
clf = LogisticRegression(max_iter=1000).fit(s[["hours_rank", "rank_in_school", "sleep"]], y)
s["passes"] = clf.predict(s[["hours_rank", "rank_in_school", "sleep"]])
(s["passes"] == y).mean()
