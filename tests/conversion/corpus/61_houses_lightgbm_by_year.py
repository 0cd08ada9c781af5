# title: House prices with LightGBM, categories and a split by year
# expect: converts
# why: which year a house was sold in only splits; the booster remembers its categories
# needs: lightgbm
# input: df (data/houses.csv)
# label: SalePrice
# output: pred

# %%
import lightgbm as lgb
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import mean_squared_error

SEED = 2020
df = pd.read_csv('data/houses.csv')
print(df.shape)
df.head()

# %%
df['SalePrice'].apply(np.log1p).hist(bins=40)
plt.title('log1p(SalePrice) looks normal')

# %%
# house was how old when sold
df['Age'] = df['YrSold'] - df['YearBuilt']
df['GarageType'] = df['GarageType'].fillna('None')
df['LotFrac'] = df['GrLivArea'] / df['LotArea']     # nan is ok for lgb

cat_features = df.select_dtypes(exclude='number').columns.tolist()
for c in cat_features:
    df[c] = df[c].astype('category')
cat_features

# %% [markdown]
# Time based validation: we always predict the *next* year, so no random K-fold here!

# %%
drop = ['Id', 'SalePrice', 'YrSold']
feats = [c for c in df.columns if c not in drop]

trn, val, tst = df[df.YrSold <= 2008], df[df.YrSold == 2009], df[df.YrSold == 2010]
X_trn, y_trn = trn[feats], np.log1p(trn['SalePrice'])
X_val, y_val = val[feats], np.log1p(val['SalePrice'])
X_tst, y_tst = tst[feats], np.log1p(tst['SalePrice'])
len(trn), len(val), len(tst)

# %%
params = dict(
    objective='regression',
    n_estimators=200,
    learning_rate=0.1,
    num_leaves=7,
    min_child_samples=8,
    colsample_bytree=0.8,
    random_state=SEED,
    n_jobs=1,
    verbose=-1,
)
model = lgb.LGBMRegressor(**params)
model.fit(X_trn, y_trn, eval_set=[(X_val, y_val)], callbacks=[lgb.early_stopping(20, verbose=False)])
print('best iteration', model.best_iteration_)

# %%
pd.Series(model.feature_importances_, feats).sort_values().plot(kind='barh')

# %%
pred = np.expm1(model.predict(X_tst))
print('RMSLE 2010:', np.sqrt(mean_squared_error(y_tst, np.log1p(pred))))

# === answer
_raw = pd.read_csv("data/houses.csv")
held_rows = _raw[_raw["YrSold"] == 2010]
held_predictions = pred
_words = {c: sorted(set(_raw[c].fillna("None"))) for c in ["Neighborhood", "ExterQual", "GarageType"]}


def answer(rows):
    table = []
    for _, r in rows.iterrows():
        one = {c: float(r[c]) for c in ["LotArea", "YearBuilt", "GrLivArea", "FullBath", "GarageArea"]}
        one |= {c: "None" if pd.isna(r[c]) else r[c] for c in _words}
        one |= {"Age": r["YrSold"] - r["YearBuilt"], "LotFrac": r["GrLivArea"] / r["LotArea"]}
        table.append(one)
    frame = pd.DataFrame(table)[model.feature_name_]
    for c, words in _words.items():
        frame[c] = pd.Categorical(frame[c], categories=words)
    return [float(np.exp(v) - 1) for v in model.predict(frame)]


rows = held_rows.sample(6, random_state=61).assign(GrLivArea=lambda d: d["GrLivArea"] + 37)
rows.iloc[0, rows.columns.get_loc("LotArea")] = np.nan
rows.iloc[1, rows.columns.get_loc("GarageType")] = None
rows.iloc[2, rows.columns.get_loc("ExterQual")] = "Ex"
