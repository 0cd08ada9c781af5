"""One notebook becomes two: the predictive one is cut out of the training notebook, shown to answer alike, and written."""

from __future__ import annotations

import ast
import contextlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from mlalm_jupyter.api.claims import claimed
from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.datasets import Datasets
from mlalm_jupyter.api.files import with_room
from mlalm_jupyter.api.fitted_things import kept_rows, kept_things
from mlalm_jupyter.api.moving import begun
from mlalm_jupyter.api.notebook_services import check_modules, last_good_run
from mlalm_jupyter.api.predictive_notebooks import (
    code_as_written,
    notebook_pieces,
    target_of,
    written,
)
from mlalm_jupyter.api.recorder import Recorder, notebook_file
from mlalm_jupyter.api.runs import Runs
from mlalm_jupyter.api.saving import replaced
from mlalm_jupyter.api.source_cells import source_cells
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import Conflict, InvalidInput, MlalmError
from mlalm_jupyter.domain.experiment import PREDICTIVE
from mlalm_jupyter.domain.names import name_of
from mlalm_jupyter.domain.run import Cells, Run
from mlalm_jupyter.domain.setup import Proven, SetUp
from mlalm_jupyter.notebook.code import code_of
from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook
from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.labels import leaks_of
from mlalm_jupyter.notebook.predictive.marking import marked
from mlalm_jupyter.notebook.predictive.parts import Plan
from mlalm_jupyter.notebook.predictive.plan import is_predictive, plan_of
from mlalm_jupyter.notebook.predictive.proof import Proof, Reason, Trace
from mlalm_jupyter.notebook.predictive.rebuilding import facts_of
from mlalm_jupyter.notebook.predictive.warned import warned_once

PORTS, RETRAINING = "ports", "retraining"
_KINDS = (PREDICTIVE, PORTS, RETRAINING)
_REHEARSAL = {"MLALM_REHEARSAL": "1"}
_STOPPED = re.compile(r"\bIt took longer than ([\d.e+]+) s, and was stopped\b")
"""How a run tells that its kernel was stopped in the middle of a cell."""
_LATE = re.compile(r"\bit took longer than ([\d.e+]+) s\b")
"""How the part that scores tells that its process was ended."""
_BY_HAND = (
    "Mark where rows come in and go out with `%web_input VARIABLE` and `%web_output VARIABLE`, or write the "
    "predictive notebook by hand and deploy that."
)


class SettingUp:
    """The part of `service` that prepares notebooks for it."""

    _context: Context
    _datasets: Datasets

    @verb("service", "setup", is_long=True)
    def setup(
        self,
        kind: Annotated[
            str, Arg("predictive: what scores is cut out; ports: where no model is trained, marks are put in")
        ],
        notebook: Annotated[
            str, Arg("the notebook", metavar="NOTEBOOK", completes="experiment", place="notebook")
        ],
        *,
        model: Annotated[
            str | None,
            Arg("of several trained models, the variable of the one that answers", metavar="VARIABLE"),
        ] = None,
        timeout_s: Annotated[
            float | None,
            Arg(
                "seconds that each run of it may take; without, no limit for the notebook and 600 for the part that scores"
            ),
        ] = None,
    ) -> SetUp:
        """Write the notebook that a service is made of, beside the one it comes from.

        The training notebook is run once more to see what it fits, then with other rows, and only a predictive notebook
        that answers as it does is written: NAME.predictive.ipynb. Run and deploy that one.

        >>> ws.services.setup("predictive", "churn").experiment.path  # doctest: +SKIP
        'churn.predictive.ipynb'
        """
        told = kind.strip().lower()
        if told not in _KINDS:
            raise InvalidInput("What to set up", expected="predictive or ports", got=repr(kind))
        path, content = notebook_file(self._context, notebook)
        if Path(path).is_absolute():
            raise InvalidInput("The notebook", expected="one inside the workspace", got=path)
        document = read_notebook(content, name=path)
        if facts_of(document).get("training"):
            raise InvalidInput(
                f"The notebook {path}",
                expected="a training notebook",
                got="one that was cut out of one already",
                fix=f"Deploy it with `mlalm service deploy {name_of(path)} NAME`.",
            )
        if told == PREDICTIVE:
            undone = f"No predictive notebook was cut out of {path}."
            with (
                claimed(self._context, path, done="set up as a service"),
                with_room(undone),
                _broken_off(f"{undone} Nothing was written."),
            ):
                return self._predictive(path, document, model=model, timeout_s=timeout_s)
        if is_predictive(document):
            raise InvalidInput(
                f"The notebook {path}",
                expected="one that trains nothing, which can be a service as it is",
                got="one that trains a model",
                fix=f"Use `mlalm service setup predictive {name_of(path)}`, or `mlalm retrain run SERVICE` to train it again.",
            )
        return self._with_marks(path, content, document, asked=told)

    def _with_marks(self, path: str, content: bytes, document: NotebookDocument, *, asked: str) -> SetUp:
        """Put the marks of a service into a notebook that trains nothing; it stays one notebook."""
        ctx = self._context
        found = marked(document)
        recorder = Recorder(ctx)
        clearer = "" if asked == PORTS else "`service setup ports` is the clearer name of this. "
        if found.content is None:
            note = f"{clearer}Nothing changed: it has its marks already."
        else:
            recorder.keep(content, path=path, message="before its marks were put in")
            replaced(ctx.path / path, content, found.content)
            note = f"{clearer}Run it, then deploy it with `mlalm service deploy {name_of(path)} NAME`."
        with ctx.catalog.read() as tx:
            experiment = tx.experiments.at_path(path)
        if experiment is None:
            with ctx.catalog.write() as tx:
                experiment = begun(ctx, tx, path, content)
                ctx.note(
                    tx, "experiment", "begin", subject_id=experiment.id, subject=path, data={"for": "setup"}
                )
        if found.content is not None:
            with ctx.catalog.write() as tx:
                data = {"input": found.input, "output": found.output}
                ctx.note(tx, "service", "setup", subject_id=experiment.id, subject=path, data=data)
        count = len(document.code_cells)
        return SetUp(
            experiment,
            path,
            is_new=False,
            outputs=(found.output,),
            inputs=(found.input,),
            kept=tuple(range(1, count + 1)),
            note=note,
        )

    def _predictive(
        self, path: str, document: NotebookDocument, *, model: str | None, timeout_s: float | None
    ) -> SetUp:
        ctx = self._context
        run = last_good_run(ctx, path, document, done="set up as a service")
        content = ctx.blobs.get(run.snapshot.digest)
        ran = run.findings.executed or None
        if run.snapshot.parameters and run.executed_digest:
            # the cell that set them is in what was executed, and is a cell like any other there
            content, ran = ctx.blobs.get(run.executed_digest), None
            document = read_notebook(content, name=path)
        try:
            plan = plan_of(document, ran=ran, model=model)
        except InvalidInput as error:
            raise _with_features(error, document) from None
        target = target_of(ctx, path)
        with tempfile.TemporaryDirectory(prefix="mlalm-setup-") as folder:
            trace, proof = self._tried(path, run, plan, content, scratch=Path(folder), timeout_s=timeout_s)
            check_modules(
                ctx, path, run, document, done="set up as a service"
            )  # its runs may have taken long
            plan = _with_used_only(plan)
            with _broken_off(
                f"{target.path} was being written: repeat it, and what is kept already is used."
            ):
                loads, assets = kept_things(ctx, path, run, plan, trace)
                rows = kept_rows(self._datasets, path, run, proof, Path(folder))
                pieces = notebook_pieces(
                    plan, document, proof, path=path, target=target.path, run=run, loads=loads, rows=rows
                )
                experiment, rebuilt = written(ctx, target, path, run, document, pieces)
        cells = {one.place.cell for one in plan.kept if one.frozen.strip()}
        return SetUp(
            experiment,
            path,
            run_id=run.id,
            is_new=target.before is None,
            inputs=proof.inputs.names,
            outputs=proof.outputs.names,
            assets=assets,
            kept=tuple(sorted(cells)),
            left_out=tuple(
                number for number in range(1, len(document.code_cells) + 1) if number not in cells
            ),
            cells=source_cells(document, plan),
            not_needed=proof.not_needed,
            proven=Proven(proof.figures.rows, proof.figures.perturbed_rows, proof.figures.single_rows),
            by_hand=(*rebuilt.added, *rebuilt.kept, *rebuilt.held_back),
            held_back=rebuilt.held_back,
            warnings=warned_once([*proof.warnings, *plan.notes]),
            note=target.note,
        )

    def _tried(
        self, path: str, run: Run, plan: Plan, content: bytes, *, scratch: Path, timeout_s: float | None
    ) -> tuple[Trace, Proof]:
        """What running the notebook has shown; a plan that is not proven is refused with the reasons."""
        ctx = self._context
        converter, document = ctx.make_converter(), read_notebook(content, name=path)
        cwd = (ctx.path / path).parent
        env = {"MLALM_WORKSPACE": str(ctx.path), "MLALM_RUN": run.id, **_REHEARSAL}

        def telling(what: str) -> _Telling:
            return _Telling(ctx, what)

        try:
            trace = converter.trace(
                content,
                plan,
                parameters={},
                cwd=cwd,
                env=env,
                on_cell=telling("Running the notebook once more"),
                scratch=scratch,
                timeout_s=timeout_s,
            )
        except InvalidInput as error:
            raise _too_late(path, error.got) or error from None
        if trace.faults:
            raise _not_written(path, trace.faults, document)
        ctx.progress("Comparing the answers", 0, 0)
        proof = converter.prove(
            plan,
            trace,
            cwd=cwd,
            env=env,
            on_cell=telling("Running it with other rows"),
            scratch=scratch,
            timeout_s=timeout_s,
            executed=self._answered(run, plan),
            as_written=lambda found: code_as_written(
                _with_used_only(plan),
                document,
                found,
                path=path,
                run=run,
                folder=cwd,
            ),
        )
        if not proof.is_proven:
            raise _not_written(path, proof.reasons, document)
        return trace, proof

    def _answered(self, run: Run, plan: Plan) -> object | None:
        """What the notebook answered in its run, where that was kept."""
        (port,) = plan.outputs
        if port.expression:
            return None
        try:
            found: object = Runs(self._context, Recorder(self._context)).output(run.id, port.variable)
        except MlalmError:
            return None
        return found


@contextlib.contextmanager
def _broken_off(told: str) -> Iterator[None]:
    """Tell whoever breaks a set-up off what came of it; it is no job that would go on."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(str(error) or told) from error


@dataclass(frozen=True, slots=True)
class _Telling:
    """Tells how far a run is."""

    context: Context
    what: str

    def __call__(self, cells: Cells) -> None:
        self.context.progress(self.what, cells.done, cells.total)


def _with_used_only(plan: Plan) -> Plan:
    """A plan without what only the proof needed."""
    read = {
        node.id
        for one in plan.kept
        for node in ast.walk(code_of(one.frozen).tree)
        if isinstance(node, ast.Name)
    }
    return replace(plan, fitted=tuple(one for one in plan.fitted if one.name in read))


def _too_late(path: str, told: str) -> Conflict | None:
    """The error for a run that was stopped because its time was over, which is no fault of the cell it had come to."""
    if (found := _STOPPED.search(told)) is None:
        return None
    return Conflict(
        f"No predictive notebook was cut out of {path}.",
        why=f"A run of it reached the time limit of {found[1]} s.",
        fix=_more_time(found[1]),
    )


def _more_time(limit_s: str) -> str:
    return f"Give each run more, for example twice as much: `--timeout-s {2 * float(limit_s):g}`."


def _with_features(error: InvalidInput, document: NotebookDocument) -> InvalidInput:
    """The same error; where a feature has the label in it, with that feature as what to leave out."""
    if error.expected != refusals.WITHOUT_LABEL:
        return error
    label = error.got.split("`")[1]
    features = leaks_of(document, [label])
    if not features:
        return error
    fix = refusals.without([label], features)
    return InvalidInput(error.where, expected=error.expected, got=error.got, fix=fix)


def _not_written(path: str, reasons: Sequence[Reason], document: NotebookDocument) -> Conflict:
    told = " ".join(dict.fromkeys(str(one) for one in reasons)) or "Its answers could not be compared."
    if stopped := _too_late(path, told):
        return stopped
    cells = sorted({number for one in reasons for number in one.cells})
    late = _LATE.search(told)
    if cells and not late and "ell" not in told:
        told += (
            f" What may be why is in {'cell' if len(cells) == 1 else 'cells'} {', '.join(map(str, cells))}."
        )
    labels = [name for one in reasons if refusals.LEARNT in one.sentence for name in one.columns]
    fix = _more_time(late[1]) if late else _BY_HAND
    if labels:
        fix = refusals.without(labels, leaks_of(document, labels))
    return Conflict(f"No predictive notebook was cut out of {path}.", why=told, fix=fix)
