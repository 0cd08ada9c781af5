"""Values that cells left, read back from the bytes they were kept in."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter.domain.errors import InvalidInput, MissingDependency


def value_from(data: bytes, form: str, *, name: str) -> Any:
    """A value out of the bytes that a run kept of it.

    What is pickled runs code here, so the caller has looked whether this workspace signed it.

    >>> value_from(b"[1, 2]", "json", name="3.numbers")
    [1, 2]
    """
    if form == "json":
        return json.loads(data)
    if form == "npy":
        return np.load(io.BytesIO(data), allow_pickle=False)
    if form == "parquet":
        return pd.read_parquet(io.BytesIO(data))
    if form == "png":
        return data
    if form == "pickle":
        import cloudpickle

        try:
            return cloudpickle.loads(data)
        except ModuleNotFoundError as error:
            raise MissingDependency(
                f"The output {name}",
                library=f"the module '{error.name}'",
                install=f"pip install {error.name}",
            ) from error
    raise InvalidInput(f"The output {name}", expected="a known form", got=f"'{form}'")
