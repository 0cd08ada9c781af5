"""Single runs: shown, canceled, compared, and run again as they were."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.files import write_new_file
from mlalm_jupyter.api.golive import valid_seal
from mlalm_jupyter.api.pinning import pins_again
from mlalm_jupyter.api.pins import horizon_of
from mlalm_jupyter.api.recorder import Recorder
from mlalm_jupyter.api.silence import note_of
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.api.waiting import ended
from mlalm_jupyter.domain.errors import Conflict, InvalidInput, NotFound, RunFailed, UntrustedContent
from mlalm_jupyter.domain.job import JobState
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.names import id_prefix
from mlalm_jupyter.domain.outcome import Comparison, Written
from mlalm_jupyter.domain.run import Output, Run
from mlalm_jupyter.domain.trust import CODE_FORMS, sealed_statement

_ENDINGS = {
    "json": (".json",),
    "parquet": (".parquet", ".pq"),
    "npy": (".npy",),
    "png": (".png",),
    "pickle": (".pickle", ".pkl"),
}
_ALL_ENDINGS = {*(one for usual in _ENDINGS.values() for one in usual), ".csv", ".tsv", ".txt", ".html"}


class Runs:
    """Single runs."""

    def __init__(self, context: Context, recorder: Recorder) -> None:
        self._context = context
        self._recorder = recorder

    @verb("run", "show")
    def show(self, run: Annotated[str, Arg("a run's id, or its beginning", completes="run")]) -> Run:
        """Show one run: its snapshot, how far it came, what it used and left."""
        with self._context.catalog.read() as tx:
            found = tx.runs.get(id_prefix("run", run))
            if found.status.is_final or found.job_id is None:
                return found
            job = tx.jobs.get(found.job_id)
        return replace(found, note=note_of(self._context, job))

    @verb("run", "cancel")
    def cancel(self, run: Annotated[str, Arg("a run's id, or its beginning", completes="run")]) -> Run:
        """Stop a run, with everything it started."""
        found = self.show(run)
        if found.status.is_final or found.job_id is None:
            told = (
                f"it has ended already, {found.status.value}" if found.status.is_final else "it never started"
            )
            return replace(found, note=f"Nothing changed: {told}.")
        self._recorder.cancel(found.job_id)
        return self.show(found.id)

    @verb("run", "compare")
    def compare(
        self,
        runs: Annotated[
            str, Arg("the beginnings of two or more run ids, with commas between", metavar="RUN,RUN")
        ],
    ) -> Comparison:
        """Put runs side by side: what they were given, what was measured, what differs."""
        names = [name.strip() for name in runs.split(",") if name.strip()]
        if len(set(names)) < 2:
            raise InvalidInput("The runs", expected="two or more, with commas between", got=f"'{runs}'")
        return Comparison(tuple(self.show(name) for name in names))

    @verb("run", "outputs")
    def outputs(
        self, run: Annotated[str, Arg("a run's id, or its beginning", completes="run")]
    ) -> Listing[Output]:
        """List the values that the cells of a run left."""
        with self._context.catalog.read() as tx:
            return Listing("output", tx.runs.outputs(tx.runs.get(id_prefix("run", run)).id))

    @verb("run", "download-output")
    def download_output(
        self,
        run: Annotated[str, Arg("a run's id, or its beginning", completes="run")],
        output: Annotated[str, Arg("NAME for its last value, or CELL.NAME", metavar="OUTPUT")],
        file: Annotated[str, Arg("where to write it; it must not exist yet", metavar="FILE")],
    ) -> Written:
        """Write a value that a cell of a past run left to a file; nothing is run again."""
        _, found = self.kept_output(run, output)
        data = self._context.blobs.get(str(found.digest))
        folder = Path(os.path.expanduser(file)).parent
        is_new = not folder.exists()
        target = write_new_file(self._context, file, data)
        made = f"The folder '{folder}' was made for it." if is_new else ""
        note = " ".join(filter(None, (made, _told_ending(found.format, target))))
        return Written(f"{found.told} ({found.format})", str(target), len(data), str(found.digest), note)

    def output(self, run: str, output: str) -> Any:
        """A value that a cell of a past run left, as an object.

        >>> ws.runs.output("0193ab", "predictions").shape  # doctest: +SKIP
        (6497, 2)
        """
        from mlalm_jupyter.formats.values import value_from

        _, found = self.kept_output(run, output)
        self._check_trust(found)
        return value_from(self._context.blobs.get(str(found.digest)), found.format, name=found.reference)

    def _check_trust(self, output: Output) -> None:
        """Refuse a value that would run something and that this workspace did not keep itself."""
        if output.format not in CODE_FORMS:
            return
        ctx, digest = self._context, str(output.digest)
        if output.signature and ctx.keyring.verifies(sealed_statement("output", digest), output.signature):
            return
        with ctx.catalog.read() as tx:
            if valid_seal(ctx, tx, "output", digest) is None:
                wants = [f"what its {output.format} says"]
                raise UntrustedContent(f"The output {output.reference}", wants=wants, digest=digest)

    def kept_output(self, run: str, wanted: str) -> tuple[Run, Output]:
        """A run, and the last value it left under a name, or the one that a numbered cell left."""
        one = self.show(run)
        with self._context.catalog.read() as tx:
            kept = tx.runs.outputs(one.id)
        number, dot, rest = wanted.partition(".")
        cell, name = (int(number), rest) if dot and number.isdigit() else (None, wanted)
        if cell is not None and cell <= one.cells.total and cell not in one.findings.executed:
            raise NotFound(
                "output",
                wanted,
                known=[],
                fix=f"Cell {cell} did not run in run {one.id[:12]}; see its cells.",
            )
        matching = [output for output in kept if output.name == name and cell in (None, output.cell)]
        if not matching:
            fix = f"List them with `mlalm run outputs {one.id[:12]}`."
            raise NotFound("output", wanted, known=[output.reference for output in kept], fix=fix)
        if matching[-1].digest is None:
            raise Conflict(
                f"The output {matching[-1].reference} was not written.",
                why=f"It was not kept: {matching[-1].note}.",
                fix="Have the notebook write it to a file, or upload it as a dataset, and run it again.",
            )
        return one, matching[-1]

    @verb("run", "replay", is_long=True)
    def replay(
        self,
        run: Annotated[str, Arg("a run's id, or its beginning", completes="run")],
        *,
        wait: Annotated[bool, Arg("wait for its end")] = True,
        timeout_s: Annotated[float | None, Arg("how long to wait")] = None,
    ) -> Run:
        """Run a snapshot again as it was: the same cells, parameters and versions of assets.

        Files of the folder are read as they are now; those that changed are named in the new run's note.
        """
        ctx = self._context
        before = self.show(run)
        ctx.host.ensure(ctx.info.id, ctx.path)
        with ctx.catalog.read() as tx:
            horizon = horizon_of(tx, before)
        again = self._recorder.submit(
            ctx.blobs.get(before.snapshot.digest),
            path=before.path,
            parameters=before.snapshot.parameters,
            origin="replay",
            until=before.snapshot.until,
            message=f"replay of {before.id[:12]}",
            tags=before.tags,
            assets=pins_again(ctx, before),
            job={"horizon": horizon},
            again=before,
            is_awaited=wait,
        )
        return ended_run(ctx, again, timeout_s=timeout_s) if wait else again


def _told_ending(form: str, file: Path) -> str:
    """What to know of a file whose name says another form than it has."""
    usual = _ENDINGS.get(form, ())
    if not usual or file.suffix.lower() in usual or file.suffix.lower() not in _ALL_ENDINGS:
        return ""
    return f"It is kept as {form}, whatever '{file.suffix}' says; such a file is usually named '{usual[0]}'."


def ended_run(context: Context, run: Run, *, timeout_s: float | None = None) -> Run:
    """A run once it has ended; RunFailed when it did not end well."""
    job = ended(context, str(run.job_id), told=f"Run of {run.path}", timeout_s=timeout_s)
    with context.catalog.read() as tx:
        run = tx.runs.get(run.id)
    if job.state is not JobState.FINISHED:
        cause = run.cause or f"It was {run.status}."
        raise RunFailed(run.path, run_id=run.id, cause=cause, cell=run.failed_cell)
    return run
