"""Runs a training notebook and its slice, and tells whether both answer alike."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import nbformat

from mlalm_jupyter.adapters import exact_frames
from mlalm_jupyter.adapters.papermill_runner import PapermillRunner
from mlalm_jupyter.adapters.proving import Proving
from mlalm_jupyter.adapters.tracing import ENVIRONMENT, PRELUDE
from mlalm_jupyter.adapters.tracked_notebook import (
    faults_told,
    frame_told,
    labels_told,
    lines_of,
    rows_told,
    thing_told,
    things_told,
    wanted,
)
from mlalm_jupyter.adapters.trial import Trial, TrialFailed, steps_of
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.run import Cells, RunStatus
from mlalm_jupyter.notebook.document import read_notebook, source
from mlalm_jupyter.notebook.predictive.code import code_text, scoring_part
from mlalm_jupyter.notebook.predictive.parts import Plan
from mlalm_jupyter.notebook.predictive.proof import KeptFrame, Proof, Reason, Trace


class NotebookConversion:
    """Fills `ports.NotebookConverter`."""

    def trace(
        self,
        notebook: bytes,
        plan: Plan,
        *,
        parameters: Mapping[str, object],
        cwd: Path,
        env: Mapping[str, str],
        on_cell: Callable[[Cells], None],
        scratch: Path,
        timeout_s: float | None = None,
    ) -> Trace:
        document = read_notebook(notebook)
        folder = Path(tempfile.mkdtemp(prefix="trace-", dir=scratch))
        cells = [source(one) for one in document.code_cells]
        wanted(plan, folder, cells=cells, cwd=cwd, is_trial=False, code=code_text(scoring_part(plan)))
        execution = PapermillRunner(prelude=PRELUDE).execute(
            notebook,
            parameters=parameters,
            env={**env, ENVIRONMENT: str(folder)},
            cwd=cwd,
            on_cell=on_cell,
            timeout_s=timeout_s,
        )
        if execution.status is not RunStatus.FINISHED:
            place = "The notebook" if execution.failed_cell is None else f"Cell {execution.failed_cell}"
            raise InvalidInput(
                place,
                expected="code that runs to its end once more, from the first cell to the last",
                got=execution.cause or "an early end",
                fix="Restart the kernel, run all cells, and mend what fails.",
            )
        lines = lines_of(folder)
        faults = list(faults_told(lines))
        table, answers = (frame_told(lines, what, folder) for what in ("input", "output"))
        things = things_told(lines, folder)
        if not lines:
            faults.append(
                Reason("The notebook's kernel has no mlalm-jupyter in it, so that nothing could be seen.")
            )
        elif not faults:
            missing = [one.name for one in plan.fitted if one.name not in {thing.name for thing in things}]
            faults += [Reason(f"'{name}' was never made when the notebook ran.") for name in missing]
            for found, ports in ((table, plan.inputs), (answers, plan.outputs)):
                if found is None:
                    faults += [
                        Reason(
                            f"{str(one.place).capitalize()} did not give '{one.variable}' when it ran.",
                            (one.place.cell,),
                        )
                        for one in ports
                    ]
        labels = labels_told(lines, plan)
        return Trace(
            execution.notebook,
            table,
            answers,
            things,
            rows_told(lines),
            labels or (),
            tuple(faults),
            has_seen_labels=labels is not None,
        )

    def prove(
        self,
        plan: Plan,
        trace: Trace,
        *,
        cwd: Path,
        env: Mapping[str, str],
        on_cell: Callable[[Cells], None],
        scratch: Path,
        timeout_s: float | None = None,
        executed: object | None = None,
        as_written: Callable[[Proof], str] | None = None,
    ) -> Proof:
        def tried(table: KeptFrame) -> Trial:
            return _tried(
                plan, trace, table, cwd=cwd, env=env, on_cell=on_cell, scratch=scratch, timeout_s=timeout_s
            )

        return Proving(plan, trace, cwd=cwd, scratch=scratch, timeout_s=timeout_s, tried=tried).proof(
            executed=executed, as_written=as_written
        )


def _tried(
    plan: Plan,
    trace: Trace,
    table: KeptFrame,
    *,
    cwd: Path,
    env: Mapping[str, str],
    on_cell: Callable[[Cells], None],
    scratch: Path,
    timeout_s: float | None,
) -> Trial:
    """What the whole program answers to another table when nothing in it is fitted."""
    folder = Path(tempfile.mkdtemp(prefix="trial-", dir=scratch))
    steps = steps_of(plan)
    frame = exact_frames.read(table.file, table.types)
    types = exact_frames.written(frame, folder / "table.parquet")
    kept = {thing.name: thing for thing in trace.things}
    places = {one.name: one for one in plan.fitted}
    wanted(
        plan,
        folder,
        cells=[one.text for one in steps],
        cwd=cwd,
        is_trial=True,
        steps=[{"cell": one.place.cell, "index": one.place.index, "may_fail": one.may_fail} for one in steps],
        table={"kind": table.kind, "file": "table.parquet", "types": types},
        things=[
            {
                **thing_told(thing),
                "place": [places[name].place.cell, places[name].place.index],
                "is_before": places[name].is_before,
            }
            for name, thing in kept.items()
        ],
    )
    cells = [nbformat.v4.new_code_cell(one.text) for one in steps]  # type: ignore[no-untyped-call]
    metadata = nbformat.reads(trace.notebook.decode(), as_version=4).metadata  # type: ignore[no-untyped-call]
    spec = {"kernelspec": metadata["kernelspec"]} if "kernelspec" in metadata else {}
    program = nbformat.v4.new_notebook(cells=cells, metadata=spec)  # type: ignore[no-untyped-call]
    told: list[Cells] = []

    def on_step(done: Cells) -> None:
        told.append(done)
        on_cell(done)

    execution = PapermillRunner(prelude=PRELUDE).execute(
        nbformat.writes(program).encode(),  # type: ignore[no-untyped-call]
        parameters={},
        env={**env, ENVIRONMENT: str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=cwd,
        on_cell=on_step,
        timeout_s=timeout_s,
    )
    if execution.status is not RunStatus.FINISHED:
        number = execution.failed_cell
        step = steps[number - 1] if number is not None and number <= len(steps) else None
        raise TrialFailed(execution.cause or "it ended early", step)
    lines = lines_of(folder)
    return Trial(frame_told(lines, "output", folder), rows_told(lines), faults_told(lines))
