# title: Does the promotion work? Tests and a bootstrap
# expect: not-predictive
# why: means are compared and p-values worked out, nothing is learned that could answer about another day
# input: sales (data/sales.csv)
# label: none
# output: none

# %% [markdown]
# # Promotion days: effect on units sold
# Request of marketing (Lena), to be presented on Thursday.
#
# **H0:** the number of units does not differ between days with and without a promotion.

# %%
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
from scipy import stats

sales = pd.read_csv("data/sales.csv", parse_dates=["date"])
sales["weekday"] = sales["date"].dt.day_name()
sales.groupby("promo")["units"].agg(["count", "mean", "std"]).round(2)

# %%
with_promo = sales.loc[sales["promo"] == 1, "units"]
without = sales.loc[sales["promo"] == 0, "units"]

plt.boxplot([without, with_promo])
plt.xticks([1, 2], ["none", "promotion"])
plt.ylabel("units")

# %%
t, p = stats.ttest_ind(with_promo, without, equal_var=False)
u, p_u = stats.mannwhitneyu(with_promo, without)
print(f"Welch t = {t:.2f}, p = {p:.2g}")
print(f"Mann-Whitney U = {u:.0f}, p = {p_u:.2g}")

# %% [markdown]
# ## Was the promotion spread evenly over the week?

# %%
table = pd.crosstab(sales["weekday"], sales["promo"])
chi2, p_chi, dof, expected = stats.chi2_contingency(table)
print(table)
print(f"chi2({dof}) = {chi2:.2f}, p = {p_chi:.2f}")

# %%
# bootstrap of the difference of means
rng = np.random.default_rng(1)
diffs = np.array([
    rng.choice(with_promo, len(with_promo)).mean() - rng.choice(without, len(without)).mean()
    for _ in range(2000)
])
low, high = np.quantile(diffs, [0.025, 0.975])
plt.figure()
plt.hist(diffs, bins=40)
plt.axvline(low, color="k", ls="--")
plt.axvline(high, color="k", ls="--")
print(f"{with_promo.mean() - without.mean():.1f} units more per day, 95 % interval {low:.1f} to {high:.1f}")

# %%
results = pd.DataFrame({
    "test": ["Welch", "Mann-Whitney", "chi2 weekday"],
    "statistic": [t, u, chi2],
    "p": [p, p_u, p_chi],
})
results["significant"] = results["p"] < 0.05
results
