"""Experiments in the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from mlalm_jupyter.adapters.catalog.records import record
from mlalm_jupyter.adapters.catalog.runs import run_from
from mlalm_jupyter.adapters.catalog.schema import experiments, runs, triggers
from mlalm_jupyter.domain.errors import AlreadyExists
from mlalm_jupyter.domain.experiment import Experiment

_other = runs.alias("other")
_COUNT = (
    select(func.count()).select_from(_other).where(_other.c.experiment_id == experiments.c.id)
).scalar_subquery()
_LAST = (
    select(_other.c.id)
    .where(_other.c.experiment_id == experiments.c.id)
    .order_by(_other.c.created_at.desc(), _other.c.id.desc())
    .limit(1)
).scalar_subquery()
# one query whatever there is: the count and the last run both come from the index on runs
_WITH_RUNS = (
    select(experiments, _COUNT.label("run_count"), *(column.label(f"run_{column.name}") for column in runs.c))
    .select_from(experiments.outerjoin(runs, runs.c.id == _LAST))
    .order_by(experiments.c.path)
)
_AT_PATH = _WITH_RUNS.where(experiments.c.path == bindparam("path"))
_ID_AT = select(experiments.c.id).where(experiments.c.path == bindparam("path"))
_OWN = len(experiments.c)


class SqlExperiments:
    """Fills `ports.ExperimentStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, experiment: Experiment) -> None:
        if self.id_at(experiment.path) is not None:
            # somebody else was faster
            raise AlreadyExists("experiment", experiment.path, fix="Choose another name.")
        self._connection.execute(
            insert(experiments),
            {
                "id": experiment.id,
                "path": experiment.path,
                "kind": experiment.kind,
                "created_at": experiment.created_at,
                "parent": experiment.parent,
                "parent_id": experiment.parent_id,
                "parent_run_id": experiment.parent_run_id,
            },
        )

    def at_path(self, path: str) -> Experiment | None:
        row = self._connection.execute(_AT_PATH, {"path": path}).one_or_none()
        return None if row is None else _experiment(row)

    def id_at(self, path: str) -> str | None:
        return self._connection.execute(_ID_AT, {"path": path}).scalar_one_or_none()

    def find(self) -> list[Experiment]:
        return [_experiment(row) for row in self._connection.execute(_WITH_RUNS)]

    def move(self, experiment_id: str, *, old: str, new: str) -> None:
        self._connection.execute(
            update(experiments).where(experiments.c.id == experiment_id).values(path=new)
        )
        self._connection.execute(update(runs).where(runs.c.experiment_id == experiment_id).values(path=new))
        self._connection.execute(update(triggers).where(triggers.c.path == old).values(path=new))

    def delete(self, experiment_id: str) -> None:
        self._connection.execute(delete(experiments).where(experiments.c.id == experiment_id))


@record("experiment")
def _experiment(row: Sequence[Any]) -> Experiment:
    key, path, kind, created_at, parent, parent_id, parent_run_id = row[:_OWN]
    run_count, last_run = row[_OWN], row[_OWN + 1 :]
    return Experiment(
        id=key,
        path=path,
        kind=kind,
        created_at=created_at,
        run_count=run_count,
        last_run=run_from(last_run) if run_count else None,
        parent=parent,
        parent_id=parent_id,
        parent_run_id=parent_run_id,
    )
