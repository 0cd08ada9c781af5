"""Where a version came from and what came of it: things, and how one led to another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mlalm_jupyter.domain.metrics import row
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.signature import Schema


@dataclass(frozen=True, slots=True)
class Thing:
    """A dataset, transform, file, run, cell, model or endpoint."""

    id: str
    kind: str
    name: str
    told: str = ""
    """A few words more."""
    at: str | None = None
    by: str | None = None

    def to_dict(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in ("id", "kind", "name", "told", "at", "by")}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing led to another."""

    source: str
    target: str
    how: str

    def to_dict(self) -> dict[str, object]:
        return {"source": self.source, "target": self.target, "how": self.how}


@dataclass(frozen=True, slots=True)
class LineageGraph:
    """All that led to something, and all that came of it."""

    subject: str
    """The id of the thing that was asked for."""
    things: tuple[Thing, ...]
    steps: tuple[Step, ...]
    note: str = ""

    def thing(self, key: str) -> Thing:
        return next(one for one in self.things if one.id == key)

    def before(self, key: str) -> list[Thing]:
        """What led to a thing directly."""
        return [self.thing(step.source) for step in self.steps if step.target == key]

    def to_dict(self) -> dict[str, object]:
        return {
            "subject": self.subject,
            "things": [one.to_dict() for one in self.things],
            "steps": [one.to_dict() for one in self.steps],
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Dependent:
    """Who depends on a version; whoever is binding keeps it from being deleted."""

    kind: str
    name: str
    why: str
    is_binding: bool = True

    @property
    def told(self) -> str:
        return f"{self.kind} {self.name}"

    def to_dict(self) -> dict[str, object]:
        return {"kind": self.kind, "name": self.name, "why": self.why, "is_binding": self.is_binding}


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Versions side by side."""

    models: tuple[TrainedModel, ...]

    @property
    def metrics(self) -> dict[str, tuple[object, ...]]:
        return _table([one.metrics for one in self.models])

    @property
    def parameters(self) -> dict[str, tuple[object, ...]]:
        return _table([one.parameters for one in self.models])

    @property
    def tags(self) -> dict[str, tuple[object, ...]]:
        return _table([one.tags for one in self.models])

    @property
    def schema(self) -> dict[str, tuple[object, ...]]:
        """Each column that any of them takes or gives, and its type in every version."""
        return _table(
            [
                {
                    **dict(_columns("takes", one.signature.inputs)),
                    **dict(_columns("gives", one.signature.outputs)),
                }
                for one in self.models
            ]
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(one.size_bytes for one in self.models)

    def to_dict(self) -> dict[str, object]:
        tables = {
            "metrics": self.metrics,
            "parameters": self.parameters,
            "tags": self.tags,
            "schema": self.schema,
        }
        return {
            "models": [one.to_dict() for one in self.models],
            **{word: {name: row(cells) for name, cells in table.items()} for word, table in tables.items()},
        }


def differs(cells: Sequence[object]) -> bool:
    """Whether a row of a comparison tells versions apart.

    >>> differs((1, 1)), differs((1, None))
    (False, True)
    """
    # nan is not even equal to itself
    return any(cell != cells[0] and str(cell) != str(cells[0]) for cell in cells[1:])


def _table(columns: Sequence[Mapping[str, object]]) -> dict[str, tuple[object, ...]]:
    names = dict.fromkeys(name for column in columns for name in column)
    return {name: tuple(column.get(name) for column in columns) for name in names}


def _columns(word: str, schema: Schema) -> Iterator[tuple[str, str]]:
    for column in schema.columns:
        yield f"{word} {column.name}", f"{column.type.value}{'' if column.nullable else ', never missing'}"
