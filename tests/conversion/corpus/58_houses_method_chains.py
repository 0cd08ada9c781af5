# title: House prices in method chains, with a lookup table and a transformed target
# expect: converts
# why: every step of the chain but the query is about one row; the districts are a table looked up, the imputer is fitted
# input: houses (data/houses.csv); districts (data/neighborhoods.csv) only to look up
# label: SalePrice
# output: result["predicted"]

# %% [markdown]
# # Valuation model
# Owner: analytics. Tidy data in, one row per sold house.

# %%
import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_percentage_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

pd.set_option("display.max_columns", 30)

# %%
houses = pd.read_csv("data/houses.csv")
districts = pd.read_csv("data/neighborhoods.csv")
houses.describe().T

# %%
QUALITY = {"Fa": 1, "TA": 2, "Gd": 3, "Ex": 4}


def clean_names(df):
    return df.rename(columns=lambda c: c.lower())


def add_district(df, lookup):
    return df.merge(lookup.rename(columns={"Neighborhood": "neighborhood"}), on="neighborhood", how="left")


prepared = (
    houses
    .pipe(clean_names)
    .query("grlivarea < 3200")
    .pipe(add_district, lookup=districts)
    .assign(
        quality=lambda d: d["exterqual"].map(QUALITY),
        era=lambda d: pd.cut(
            d["yearbuilt"], bins=[1899, 1945, 1970, 1990, 2015], labels=["pre-war", "post-war", "seventies", "modern"]
        ),
        garage=lambda d: d["garagetype"].notna().astype(int),
        area_per_bath=lambda d: d["grlivarea"] / d["fullbath"],
    )
    .drop(columns=["id", "exterqual", "garagetype", "yearbuilt"])
)
prepared.head()

# %%
(
    prepared
    .groupby("era", observed=True)
    .agg(n=("saleprice", "size"), median_price=("saleprice", "median"))
    .assign(share=lambda d: d["n"] / d["n"].sum())
)

# %%
train = prepared.sample(frac=0.8, random_state=2024)
test = prepared.drop(train.index)

numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
words = OneHotEncoder(handle_unknown="ignore")
columns = make_column_transformer(
    (numbers, make_column_selector(dtype_include=np.number)),
    (words, make_column_selector(dtype_exclude=np.number)),
)
model = TransformedTargetRegressor(regressor=make_pipeline(columns, Ridge(alpha=2.0)), func=np.log, inverse_func=np.exp)
model.fit(train.drop(columns="saleprice"), train["saleprice"])

# %%
result = test.assign(
    predicted=lambda d: model.predict(d.drop(columns="saleprice")).round(-2),
    error=lambda d: d["predicted"] / d["saleprice"] - 1,
)
print(f"MAPE {mean_absolute_percentage_error(result['saleprice'], result['predicted']):.1%}")
result.sort_values("error", key=np.abs, ascending=False).head()

# %%
result.plot.scatter("saleprice", "predicted")

# === answer
_raw = pd.read_csv("data/houses.csv")
_kept = _raw[_raw["GrLivArea"] < 3200].reset_index(drop=True)
held_rows = _kept.loc[test.index]
held_predictions = result["predicted"].to_numpy()
_district = {r["Neighborhood"]: (r["schools"], r["km_center"]) for _, r in pd.read_csv("data/neighborhoods.csv").iterrows()}


def _features(r):
    era = "pre-war post-war seventies modern".split()[sum(r["YearBuilt"] > last for last in (1945, 1970, 1990))]
    schools, km = _district[r["Neighborhood"]]
    return {
        "neighborhood": r["Neighborhood"], "lotarea": float(r["LotArea"]), "grlivarea": float(r["GrLivArea"]),
        "fullbath": float(r["FullBath"]), "garagearea": float(r["GarageArea"]), "yrsold": float(r["YrSold"]),
        "schools": float(schools), "km_center": km, "quality": {"Fa": 1.0, "TA": 2.0, "Gd": 3.0, "Ex": 4.0}[r["ExterQual"]],
        "era": era, "garage": 0.0 if pd.isna(r["GarageType"]) else 1.0, "area_per_bath": r["GrLivArea"] / r["FullBath"],
    }  # fmt: skip


_learned_from = pd.DataFrame([_features(r) for _, r in _kept.loc[train.index].iterrows()])
_numbers = [c for c in _learned_from if c not in ("neighborhood", "era")]
_median = {c: float(np.nanmedian(_learned_from[c])) for c in _numbers}
_filled = _learned_from[_numbers].fillna(_median)
_mean, _std = _filled.mean().to_dict(), _filled.std(ddof=0).to_dict()
_names = [n.split("__")[1] for n in model.regressor_[0].get_feature_names_out()]
_weights = dict(zip(_names, model.regressor_[1].coef_))


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        one = _features(r)
        value = model.regressor_[1].intercept_ + _weights[f"neighborhood_{one['neighborhood']}"] + _weights[f"era_{one['era']}"]
        for c in _numbers:
            value += _weights[c] * ((_median[c] if pd.isna(one[c]) else one[c]) - _mean[c]) / _std[c]
        out.append(float(np.round(np.exp(value), -2)))
    return out


rows = _kept[_kept["GrLivArea"] < 2800].sample(7, random_state=58).assign(GrLivArea=lambda d: d["GrLivArea"] + 63)
rows.iloc[0, rows.columns.get_loc("LotArea")] = np.nan
rows.iloc[1, rows.columns.get_loc("GarageType")] = None
rows.iloc[2, rows.columns.get_loc("YearBuilt")] = 1945
rows.iloc[3, rows.columns.get_loc("Neighborhood")] = "OldTown"
