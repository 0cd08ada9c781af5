# title: Exam scores with a school's mean score as a feature
# expect: converts
# why: the means by school were learned from the training rows; an unknown school gets the overall mean
# input: df (data/students.csv)
# label: score
# output: y_pred

# %%
import pandas as pd
import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error

df = pd.read_csv("data/students.csv").set_index("student")

# %%
rng = np.random.RandomState(5)
mask = rng.rand(len(df)) < 0.75
train, test = df[mask].copy(), df[~mask].copy()
len(train), len(test)

# %%
# --- target encoding (smoothed), computed on train only!
global_mean = train["score"].mean()
agg = train.groupby("school")["score"].agg(["mean", "count"])
smooth = 5
school_enc = (agg["count"] * agg["mean"] + smooth * global_mean) / (agg["count"] + smooth)
school_enc.sort_values()

# %%
edu_rank = {"none": 0, "secondary": 1, "bachelor": 2, "master": 3}
att_median = train["attendance"].median()
for part in (train, test):
    part["school_te"] = part["school"].map(school_enc).fillna(global_mean)
    part["edu"] = part["parent_edu"].map(edu_rank)
    part["att_missing"] = part["attendance"].isna().astype(int)
    part["attendance"] = part["attendance"].fillna(att_median)
    part["hours_sq"] = part["hours"] ** 2

# %%
cols = ["school_te", "edu", "hours", "hours_sq", "sleep", "attendance", "att_missing"]
lin = LinearRegression().fit(train[cols], train["score"])
y_pred = lin.predict(test[cols]).clip(0, 100)
print(f"MAE = {mean_absolute_error(test['score'], y_pred):.2f}")

# === answer
_raw = pd.read_csv("data/students.csv")
held_rows = _raw[~mask]
held_predictions = y_pred
_learned = _raw[mask]
_overall = _learned["score"].sum() / len(_learned)
_by_school = {}
for _s in sorted(set(_learned["school"])):
    _scores = _learned.loc[_learned["school"] == _s, "score"].tolist()
    _by_school[_s] = (sum(_scores) + 5 * _overall) / (len(_scores) + 5)
_attendance = float(np.nanmedian(_learned["attendance"]))


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        gone = bool(pd.isna(r["attendance"]))
        x = [
            _by_school.get(r["school"], _overall),
            ["none", "secondary", "bachelor", "master"].index(r["parent_edu"]),
            r["hours"],
            r["hours"] * r["hours"],
            r["sleep"],
            _attendance if gone else r["attendance"],
            int(gone),
        ]
        out.append(min(100.0, max(0.0, float(np.dot(lin.coef_, x) + lin.intercept_))))
    return out


rows = pd.DataFrame(
    {
        "student": ["t1", "t2", "t3", "t4"],
        "school": ["A", "H", "Z", "C"],
        "parent_edu": ["master", "none", "bachelor", "secondary"],
        "hours": [4.5, 0.3, 30.0, 6.6],
        "sleep": [7.2, 5.1, 6.5, 8.0],
        "attendance": [88.0, np.nan, 71.5, np.nan],
    }
)
