"""CatBoost in its own binary form, without the time and number that it writes into every file.

Its reader believes the indices in a file and can be made to read beside its memory, and the file is nothing that we
can look through; so it is opened only when somebody trusts it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlalm_jupyter.domain.errors import UntrustedContent
from mlalm_jupyter.formats.archive import damaged_payload
from mlalm_jupyter.formats.estimators import FILE as ESTIMATOR
from mlalm_jupyter.formats.estimators import estimator_text, read_estimator
from mlalm_jupyter.formats.library import is_of, library

FILE = "model.cbm"
_CLASSES = ("CatBoost", "CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker")
_CHANGING = ("model_guid", "train_finish_time")


class CatboostFormat:
    """The format of CatBoost's models."""

    name = "catboost"
    is_data_only = False
    is_deterministic = True
    known = ("catboost",)

    def takes(self, model: object) -> bool:
        # a person's own subclass carries code, which this form would lose
        return type(model).__module__.startswith("catboost.") and is_of(model, "catboost.core.CatBoost")

    def framework(self, model: object) -> str:
        return f"catboost {library('catboost').__version__}"

    def dump(self, model: Any) -> dict[str, bytes]:
        made = getattr(library("catboost"), type(model).__name__)()
        made.load_model(blob=_saved(model))
        metadata = made.get_metadata()
        for name in _CHANGING:
            metadata[name] = ""
        return {FILE: _saved(made), ESTIMATOR: estimator_text(type(model).__name__)}

    def libraries(self, payload: Mapping[str, bytes]) -> list[str]:
        return list(self.known)

    def wants(self, payload: Mapping[str, bytes]) -> list[str]:
        return ["CatBoost's reader of binary files, which believes every number in them"]

    def load(self, payload: Mapping[str, bytes], *, trusted: bool) -> object:
        told = read_estimator(payload, FILE, classes=_CLASSES)
        if not trusted:
            raise UntrustedContent("The model's payload", wants=self.wants(payload), digest="")
        catboost = library("catboost")
        made = getattr(catboost, told.name)()
        try:
            made.load_model(blob=payload[FILE])
        except catboost.CatBoostError as error:
            raise damaged_payload(f"CatBoost cannot read it: {str(error).strip()[:200]}.") from error
        return made


def _saved(model: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, FILE)
        model.save_model(str(path), format="cbm")
        return path.read_bytes()
