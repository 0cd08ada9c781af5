# title: Loan approval by an engineer: dataclasses, logging and a joblib bundle
# expect: converts
# why: what is loaded for scoring is what was fitted and dumped a cell before; medians and modes are learned
# input: raw (data/loans.csv)
# label: Loan_Status
# output: decisions
# model: bundle

# %% [markdown]
# # Loan approval model
#
# | step | function |
# |---|---|
# | features | `FeatureBuilder` |
# | train | `train_model` |
# | save / load | `save_bundle` / `load_bundle` |
# | inference | `predict` |

# %%
from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import classification_report, roc_auc_score
from sklearn.model_selection import train_test_split

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
log = logging.getLogger("loans")

# %%
@dataclass(frozen=True)
class Config:
    data: Path = Path("data/loans.csv")
    artifacts: Path = Path("artifacts")
    target: str = "Loan_Status"
    test_size: float = 0.25
    seed: int = 13
    threshold: float = 0.6


cfg = Config()
cfg

# %%
@dataclass
class FeatureBuilder:
    """Raw application rows to a numeric feature matrix."""

    medians: dict[str, float] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)

    NUMERIC = ("ApplicantIncome", "CoapplicantIncome", "LoanAmount", "Loan_Amount_Term", "Credit_History")
    FLAGS = (("Gender", "Male"), ("Married", "Yes"), ("Education", "Graduate"), ("Self_Employed", "Yes"))

    def learn(self, frame: pd.DataFrame) -> FeatureBuilder:
        self.medians = {c: float(frame[c].median()) for c in self.NUMERIC}
        self.modes = {c: str(frame[c].mode()[0]) for c in ("Gender", "Dependents")}
        return self

    def build(self, frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.fillna({**self.medians, **self.modes})
        out = pd.DataFrame(index=frame.index)
        out["log_income"] = np.log(frame["ApplicantIncome"] + frame["CoapplicantIncome"])
        out["amount"] = frame["LoanAmount"]
        out["instalment"] = frame["LoanAmount"] * 1000 / frame["Loan_Amount_Term"]
        out["burden"] = out["instalment"] / (frame["ApplicantIncome"] + frame["CoapplicantIncome"])
        out["history"] = frame["Credit_History"]
        out["dependents"] = frame["Dependents"].str.rstrip("+").astype(int)
        for column, yes in self.FLAGS:
            out[column.lower()] = (frame[column] == yes).astype(int)
        for area in ("Semiurban", "Urban"):
            out[f"area_{area.lower()}"] = (frame["Property_Area"] == area).astype(int)
        return out

# %%
def load_data(config: Config) -> pd.DataFrame:
    frame = pd.read_csv(config.data)
    log.info("read %d rows from %s", len(frame), config.data)
    return frame


def train_model(features: pd.DataFrame, target: pd.Series, config: Config) -> GradientBoostingClassifier:
    model = GradientBoostingClassifier(n_estimators=40, max_depth=2, learning_rate=0.1, random_state=config.seed)
    model.fit(features, target)
    log.info("train accuracy %.3f", model.score(features, target))
    return model


def save_bundle(model: GradientBoostingClassifier, builder: FeatureBuilder, config: Config) -> Path:
    config.artifacts.mkdir(exist_ok=True)
    path = config.artifacts / "loan_model.joblib"
    joblib.dump({"model": model, "features": asdict(builder), "threshold": config.threshold}, path)
    return path


def load_bundle(path: Path) -> dict:
    bundle = joblib.load(path)
    bundle["features"] = FeatureBuilder(**bundle["features"])
    return bundle


def predict(bundle: dict, frame: pd.DataFrame) -> np.ndarray:
    features = bundle["features"].build(frame)
    proba = bundle["model"].predict_proba(features)[:, 1]
    return np.where(proba >= bundle["threshold"], "Y", "N")

# %%
raw = load_data(cfg)
raw.head()

# %%
train, test = train_test_split(raw, test_size=cfg.test_size, random_state=cfg.seed, stratify=raw[cfg.target])
builder = FeatureBuilder().learn(train)
model = train_model(builder.build(train), train[cfg.target].eq("Y").astype(int), cfg)
path = save_bundle(model, builder, cfg)

# %% [markdown]
# ## Check what was saved

# %%
bundle = load_bundle(path)
decisions = predict(bundle, test)
print(classification_report(test[cfg.target], decisions))
print("AUC", roc_auc_score(test[cfg.target].eq("Y"), model.predict_proba(builder.build(test))[:, 1]))

# === answer
import statistics

_raw = pd.read_csv("data/loans.csv")
held_rows = _raw.loc[test.index]
held_predictions = decisions
_seen = _raw.loc[train.index]
_fill = {c: statistics.median(_seen[c].dropna()) for c in ["LoanAmount", "Loan_Amount_Term", "Credit_History"]}
_fill |= {c: statistics.mode(_seen[c].dropna()) for c in ["Gender", "Dependents"]}


def answer(rows):
    out = []
    for _, row in rows.iterrows():
        r = {c: (_fill[c] if c in _fill and pd.isna(v) else v) for c, v in row.items()}
        income, instalment = r["ApplicantIncome"] + r["CoapplicantIncome"], r["LoanAmount"] * 1000 / r["Loan_Amount_Term"]
        line = [
            np.log(income), r["LoanAmount"], instalment, instalment / income, r["Credit_History"], int(r["Dependents"][0]),
            int(r["Gender"] == "Male"), int(r["Married"] == "Yes"), int(r["Education"] == "Graduate"),
            int(r["Self_Employed"] == "Yes"), int(r["Property_Area"] == "Semiurban"), int(r["Property_Area"] == "Urban"),
        ]  # fmt: skip
        p = model.predict_proba(pd.DataFrame([line], columns=model.feature_names_in_))[0, 1]
        out.append("Y" if p >= 0.6 else "N")
    return out


rows = _raw.sample(8, random_state=60).assign(ApplicantIncome=lambda d: d["ApplicantIncome"] + 111)
rows.iloc[0, rows.columns.get_loc("LoanAmount")] = np.nan
rows.iloc[1, rows.columns.get_loc("Credit_History")] = np.nan
rows.iloc[2, rows.columns.get_loc("Dependents")] = "3+"
rows.iloc[3, rows.columns.get_loc("Gender")] = None
