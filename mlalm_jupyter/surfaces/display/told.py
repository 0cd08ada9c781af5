"""What displays of several nouns say alike: columns, pairs, where something came from, what it is equal to."""

from __future__ import annotations

from collections.abc import Mapping

from mlalm_jupyter.domain.model import Lineage, TrainedModel
from mlalm_jupyter.domain.signature import Schema
from mlalm_jupyter.surfaces.display.parts import Note, joined


def count(schema: Schema) -> str:
    """How many columns there are."""
    return f"{len(schema.columns)} column{'s' * (len(schema.columns) != 1)}"


def columns(schema: Schema) -> str:
    """Names and types of columns."""
    return joined([f"{column.name} {column.type}" for column in schema.columns], limit=16)


def pairs(said: Mapping[str, object], *, limit: int = 6) -> str:
    """Names and values.

    >>> pairs({"year": 2024})
    'year=2024'
    """
    return joined([f"{key}={value}" for key, value in said.items()], limit=limit)


def origin(lineage: Lineage) -> str:
    """Where something came from, in a few words."""
    if name := lineage.source.get("file") or lineage.source.get("folder"):
        kind = lineage.source.get("tool") or lineage.source.get("kind")
        says = lineage.source.get("says")
        maker = says.get("experiment") if isinstance(says, dict) else None
        more = kind or (f"by {maker}" if maker else "")
        return f"{name} ({more})" if more else str(name)
    if lineage.experiment:
        return lineage.experiment
    return {"external": "a file", "notebook": "a notebook, outside a run"}.get(lineage.origin, lineage.origin)


def equal(version: int | None, name: str) -> list[Note]:
    """Which version has the same bytes."""
    return [Note(f"Its bytes are equal to those of {name}:{version}.")] if version is not None else []


def same_again(model: TrainedModel) -> str | None:
    """Whether the same training gives the same hash again."""
    if model.is_deterministic is None:
        return None
    if model.is_deterministic:
        return "training on the same data gives this hash again"
    return f"not promised: {'; '.join(model.varies) or 'its form differs each time'}"
