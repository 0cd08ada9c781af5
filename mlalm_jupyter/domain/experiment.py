"""Experiments: a named line of work, which is its notebook, and the runs it left."""

from __future__ import annotations

from dataclasses import dataclass

from mlalm_jupyter.domain.run import Run

PREDICTIVE = "predictive"
"""The kind of a notebook that was cut out of a training notebook."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """A notebook of the workspace, known by its path; the draft is the file itself."""

    id: str
    path: str
    kind: str
    created_at: str
    run_count: int = 0
    last_run: Run | None = None
    parent: str | None = None
    """The experiment this one was saved from, by path; with `run` the snapshot, when it was one."""
    parent_id: str | None = None
    parent_run_id: str | None = None

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2].removesuffix(".ipynb")

    def to_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "path": self.path,
            "name": self.name,
            "kind": self.kind,
            "created_at": self.created_at,
            "run_count": self.run_count,
            "last_run": self.last_run.to_dict() if self.last_run else None,
            "parent": self.parent,
            "parent_id": self.parent_id,
            "parent_run_id": self.parent_run_id,
        }
