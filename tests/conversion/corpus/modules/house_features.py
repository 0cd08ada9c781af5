"""Features of a house, shared by three of our notebooks."""

from __future__ import annotations

import numpy as np
import pandas as pd

QUALITY = {"Fa": 1, "TA": 2, "Gd": 3, "Ex": 4}
CENTRAL = ("OldTown", "Edwards")


def add_features(frame: pd.DataFrame, reference_year: int = 2011) -> pd.DataFrame:
    """The frame with age, quality, a share of garage and whether it is central."""
    out = frame.copy()
    out["age"] = reference_year - out["YearBuilt"]
    out["old"] = (out["age"] > 50).astype(int)
    out["quality"] = out["ExterQual"].map(QUALITY)
    out["garage_share"] = out["GarageArea"] / (out["GarageArea"] + out["GrLivArea"])
    out["central"] = out["Neighborhood"].isin(CENTRAL).astype(int)
    return out


class RareMedian:
    """Fills holes of one column with the median it saw."""

    def __init__(self, column: str) -> None:
        self.column = column

    def fit(self, frame: pd.DataFrame) -> RareMedian:
        self.median = float(np.nanmedian(frame[self.column]))
        return self

    def __call__(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(**{self.column: frame[self.column].fillna(self.median)})
