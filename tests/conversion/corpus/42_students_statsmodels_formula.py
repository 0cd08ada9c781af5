# title: An econometrician's formula
# expect: converts
# why: the results object knows its formula and answers for a frame of raw columns
# needs: statsmodels
# input: df (data/students.csv)
# label: score
# output: fitted_new

# %%
import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf

df = pd.read_csv("data/students.csv")
df.describe().T

# %%
df["attendance"] = df["attendance"].fillna(df["attendance"].mean())
est = df.iloc[:150]
new = df.iloc[150:]

# %%
results = smf.ols("score ~ hours + I(hours**2) + sleep + np.log(attendance) + C(parent_edu)", data=est).fit()
print(results.summary())

# %%
fitted_new = results.predict(new)
np.corrcoef(fitted_new, new["score"])

# === answer
_raw = pd.read_csv("data/students.csv")
held_rows = _raw.iloc[150:]
held_predictions = fitted_new.to_numpy()
_mean = float(np.nanmean(_raw["attendance"]))
_b = results.params.to_dict()


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        attendance = _mean if pd.isna(r["attendance"]) else r["attendance"]
        value = _b["Intercept"] + _b["hours"] * r["hours"] + _b["I(hours ** 2)"] * r["hours"] ** 2
        value += _b["sleep"] * r["sleep"] + _b["np.log(attendance)"] * np.log(attendance)
        value += _b.get(f"C(parent_edu)[T.{r['parent_edu']}]", 0.0)
        out.append(float(value))
    return out


rows = pd.DataFrame(
    {
        "student": ["n1", "n2", "n3", "n4"],
        "school": ["B", "B", "A", "G"],
        "parent_edu": ["bachelor", "none", "master", "secondary"],
        "hours": [3.3, 9.1, 0.7, 12.4],
        "sleep": [6.6, 7.7, 8.1, 5.5],
        "attendance": [91.2, np.nan, 64.4, 77.0],
    }
)
