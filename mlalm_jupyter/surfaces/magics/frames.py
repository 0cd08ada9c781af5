"""Answers as frames that say where they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlalm_jupyter.domain.server import Scored

if TYPE_CHECKING:
    import pandas as pd


def scored_frame(scored: Scored) -> pd.DataFrame:
    """Scored rows as a frame; its `attrs` say who answered."""
    import pandas as pd

    frame = pd.DataFrame([list(row) for row in scored.rows], columns=list(scored.names))
    for index, kind in enumerate(scored.types):
        # by position, because an answer may have a name twice
        if kind == "Double":
            frame.isetitem(index, frame.iloc[:, index].astype(float).array)
        elif kind == "DateTime":
            frame.isetitem(index, pd.to_datetime(frame.iloc[:, index]).array)
    frame.attrs.update(
        {
            "mlalm.endpoint": scored.endpoint,
            "mlalm.definition": scored.definition_hash,
            "mlalm.model": scored.model,
            "mlalm.model_hash": scored.model_hash,
            "mlalm.form": scored.form,
            "mlalm.request": scored.request_id,
        }
    )
    return frame
