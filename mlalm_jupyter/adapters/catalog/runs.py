"""Runs in the catalog, each with its snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Connection, bindparam, delete, func, insert, select, update

from mlalm_jupyter.adapters.catalog.conditions import met, names_query, order
from mlalm_jupyter.adapters.catalog.lookup import at_most, beginning_with, only_row
from mlalm_jupyter.adapters.catalog.records import an_object, record
from mlalm_jupyter.adapters.catalog.schema import jobs, outputs, runs
from mlalm_jupyter.domain.asset import Pin
from mlalm_jupyter.domain.errors import IllegalStatusChange, NotFound
from mlalm_jupyter.domain.metrics import read, written
from mlalm_jupyter.domain.run import (
    Cells,
    Condition,
    Figure,
    Findings,
    Output,
    Run,
    RunStatus,
    Snapshot,
    Sorting,
)

_FIX = "See the runs of a notebook with `mlalm experiment history NOTEBOOK`."
_BY_PREFIX = beginning_with(runs)
_NEWEST_FIRST = select(runs).order_by(runs.c.created_at.desc(), runs.c.id.desc())
_EXECUTED_IN = "executed_in"
_THIS = runs.c.id == bindparam("run_id")
_STATUS = select(runs.c.status).where(_THIS)
_MOVE = update(runs).where(_THIS, runs.c.status == bindparam("expected"))
_OUTPUTS = (
    select(
        outputs.c.cell,
        outputs.c.name,
        outputs.c.format,
        outputs.c.told,
        outputs.c.digest,
        outputs.c.size_bytes,
        outputs.c.note,
        outputs.c.signature,
    )
    .where(outputs.c.run_id == bindparam("run_id"))
    .order_by(outputs.c.position)
)
_CHANGE = update(runs).where(_THIS)


class SqlRuns:
    """Fills `ports.RunStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, run: Run) -> None:
        self._connection.execute(
            insert(runs),
            {
                "id": run.id,
                "experiment_id": run.experiment_id,
                "path": run.path,
                "snapshot_digest": run.snapshot.digest,
                "parameters": dict(run.snapshot.parameters),
                "git": dict(run.snapshot.git),
                "origin": run.origin,
                "created_at": run.created_at,
                "created_by": run.created_by,
                "inputs": list(run.inputs),
                "models": list(run.models),
                "job_id": run.job_id,
                "tags": dict(run.tags),
                "assets": [pin.to_dict() for pin in run.snapshot.assets],
                "files": dict(run.snapshot.files),
                "until": run.snapshot.until,
                "message": run.snapshot.message,
                **_moving(run),
            },
        )

    def get(self, prefix: str) -> Run:
        return run_from(only_row(self._connection, _BY_PREFIX, runs, kind="run", prefix=prefix, fix=_FIX))

    def move(self, run: Run, *, expected: RunStatus) -> None:
        moved = self._connection.execute(
            _MOVE.values(_moving(run)), {"run_id": run.id, "expected": expected.value}
        )
        if not moved.rowcount:
            current = self._connection.execute(_STATUS, {"run_id": run.id}).scalar()
            if current is None:
                raise NotFound("run", run.id[:12], fix=_FIX)
            raise IllegalStatusChange("run", run.id[:12], current=current, wanted=run.status)

    def progress(self, run_id: str, cells: Cells) -> None:
        self._change(run_id, _cells(cells))

    def add_input(self, run_id: str, reference: str) -> None:
        self._add_reference(run_id, runs.c.inputs, reference)

    def add_model(self, run_id: str, reference: str) -> None:
        self._add_reference(run_id, runs.c.models, reference)

    def find(
        self,
        *,
        experiment_id: str | None = None,
        status: RunStatus | None = None,
        where: Sequence[Condition] = (),
        since: str | None = None,
        sort: Sorting | None = None,
        limit: int | None = None,
    ) -> list[Run]:
        statement = _NEWEST_FIRST if sort is None else select(runs).order_by(*order(sort))
        if since is not None:
            statement = statement.where(runs.c.created_at >= since)
        for condition in where:
            statement = statement.where(met(condition))
        if experiment_id is not None:
            statement = statement.where(runs.c.experiment_id == experiment_id)
        if status is not None:
            statement = statement.where(runs.c.status == status.value)
        rows = self._connection.execute(statement.limit(at_most(limit)))
        return [run_from(row) for row in rows]

    def count_of(self, experiment_id: str) -> int:
        counted = select(func.count()).select_from(runs).where(runs.c.experiment_id == experiment_id)
        return int(self._connection.execute(counted).scalar_one())

    def names_of(self, experiment_id: str) -> list[str]:
        return list(self._connection.scalars(names_query(), {"experiment": experiment_id}))

    def add_outputs(self, run_id: str, kept: Sequence[Output]) -> None:
        if kept:
            rows = [
                {
                    "run_id": run_id,
                    "position": position,
                    "cell": one.cell,
                    "name": one.name,
                    "format": one.format,
                    "told": one.told,
                    "digest": one.digest,
                    "size_bytes": one.size_bytes,
                    "note": one.note,
                    "signature": one.signature,
                }
                for position, one in enumerate(kept)
            ]
            self._connection.execute(insert(outputs), rows)

    def outputs(self, run_id: str) -> list[Output]:
        rows = self._connection.execute(_OUTPUTS, {"run_id": run_id})
        return [Output(*row) for row in rows]

    def has_output(self, digest: str) -> bool:
        found = select(outputs.c.run_id).where(outputs.c.digest == digest).limit(1)
        return self._connection.execute(found).first() is not None

    def output_digests(self) -> list[tuple[str, str]]:
        kept = select(outputs.c.run_id, outputs.c.digest).where(outputs.c.digest.is_not(None))
        return [(run_id, digest) for run_id, digest in self._connection.execute(kept)]

    def delete_of(self, experiment_id: str) -> int:
        held = {"experiment": experiment_id}
        of_it = runs.c.experiment_id == bindparam("experiment")
        ids = list(
            self._connection.scalars(select(runs.c.job_id).where(of_it, runs.c.job_id.is_not(None)), held)
        )
        mine = select(runs.c.id).where(of_it)
        self._connection.execute(delete(outputs).where(outputs.c.run_id.in_(mine)), held)
        gone = self._connection.execute(delete(runs).where(of_it), held).rowcount
        for begin in range(0, len(ids), _AT_ONCE):
            self._connection.execute(delete(jobs).where(jobs.c.id.in_(ids[begin : begin + _AT_ONCE])))
        return gone

    def _add_reference(self, run_id: str, column: Column[Any], reference: str) -> None:
        held = self._connection.execute(
            select(column).where(_THIS).with_for_update(), {"run_id": run_id}
        ).scalar()
        if held is None:
            raise NotFound("run", run_id[:12], fix=_FIX)
        if reference not in held:
            self._change(run_id, {column.name: [*held, reference]})

    def _change(self, run_id: str, values: dict[str, Any]) -> None:
        if not self._connection.execute(_CHANGE.values(values), {"run_id": run_id}).rowcount:
            raise NotFound("run", run_id[:12], fix=_FIX)


_AT_ONCE = 500


def _moving(run: Run) -> dict[str, Any]:
    """What changes in a run when it moves; its inputs and models are added one by one instead."""
    return {
        "status": run.status.value,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "cause": run.cause,
        "failed_cell": run.failed_cell,
        "environment": _environment(run),
        "executed_digest": run.executed_digest,
        "cells_executed": list(run.findings.executed),
        "note": run.findings.note,
        "metrics": written(run.findings.metrics),
        "figures": [figure.to_dict() for figure in run.findings.figures],
        **_cells(run.cells),
    }


def _environment(run: Run) -> dict[str, Any]:
    """The environment of the snapshot; in the same column that of the execution, which is rarely another."""
    held = dict(run.snapshot.environment)
    return {**held, _EXECUTED_IN: dict(run.executed_in)} if run.executed_in else held


def _cells(cells: Cells) -> dict[str, Any]:
    return {"cells_done": cells.done, "cells_total": cells.total, "cell_current": cells.current}


@record("run")
def run_from(row: Sequence[Any]) -> Run:
    """The run in a row of all columns of `runs`."""
    (
        key, experiment_id, path, status, snapshot_digest, parameters, environment, git, origin, created_at,
        created_by, started_at, ended_at, cause, failed_cell, cells_done, cells_total, cell_current,
        executed_digest, inputs, models, job_id, tags, assets, files, until, message, executed, note, metrics,
        figures,
    ) = row  # fmt: skip
    return Run(
        id=key,
        experiment_id=experiment_id,
        path=path,
        status=RunStatus(status),
        snapshot=Snapshot(
            digest=snapshot_digest,
            parameters=an_object(parameters),
            environment={name: fact for name, fact in an_object(environment).items() if name != _EXECUTED_IN},
            git=an_object(git),
            assets=tuple(map(Pin.from_dict, assets)),
            files=an_object(files),
            until=until,
            message=message,
        ),
        origin=origin,
        created_at=created_at,
        created_by=created_by,
        started_at=started_at,
        ended_at=ended_at,
        cause=cause,
        failed_cell=failed_cell,
        cells=Cells(cells_done, cells_total, cell_current),
        executed_digest=executed_digest,
        inputs=tuple(inputs),
        models=tuple(models),
        job_id=job_id,
        tags=an_object(tags),
        executed_in=an_object(environment.get(_EXECUTED_IN, {})),
        findings=Findings(
            tuple(executed), note, read(an_object(metrics)), tuple(Figure(**one) for one in figures)
        ),
    )
