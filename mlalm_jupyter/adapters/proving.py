"""The proof of a plan: what is asked of notebook and slice, in which order, and what follows from the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mlalm_jupyter.adapters import exact_frames
from mlalm_jupyter.adapters.agreement import Difference, aligned, difference, remaining, within
from mlalm_jupyter.adapters.perturbing import perturbed
from mlalm_jupyter.adapters.reasons import NotProven, Words, names_column
from mlalm_jupyter.adapters.row_checks import RowChecks, has_small_floats, sample_of
from mlalm_jupyter.adapters.slice_answers import Answer, Slices
from mlalm_jupyter.adapters.traced_values import as_table, is_alike
from mlalm_jupyter.adapters.trial import Trial, TrialFailed
from mlalm_jupyter.adapters.usage import (
    Usage,
    classified,
    column_questions,
    is_constant,
    looked_at,
    mixed,
    moved,
)
from mlalm_jupyter.domain.signature import Schema
from mlalm_jupyter.formats import frames
from mlalm_jupyter.notebook.literals import literal_text
from mlalm_jupyter.notebook.predictive.code import Shape, code_text, scoring_part
from mlalm_jupyter.notebook.predictive.fitting import may_fit_labels
from mlalm_jupyter.notebook.predictive.modules import texts_beside, with_modules
from mlalm_jupyter.notebook.predictive.parts import MODEL, Plan
from mlalm_jupyter.notebook.predictive.proof import Figures, KeptFrame, Proof, Reason, Rows, Trace

_NEARLY = 0.999


class Proving:
    """One proof."""

    def __init__(
        self,
        plan: Plan,
        trace: Trace,
        *,
        cwd: Path,
        scratch: Path,
        timeout_s: float | None,
        tried: Callable[[KeptFrame], Trial],
    ) -> None:
        self._plan = plan
        self._words = Words(plan)
        self._scoring = scoring_part(plan)
        self._trace = trace
        self._cwd = cwd
        self._scratch = scratch
        self._timeout_s = timeout_s
        self._tried = tried
        self._warnings: list[str] = []

    def proof(
        self, *, executed: object | None = None, as_written: Callable[[Proof], str] | None = None
    ) -> Proof:
        """Whether slice and notebook agree; whatever stands against it is a reason, never an exception."""
        try:
            found, repeat = self._proven(executed)
            if as_written is not None:
                repeat(as_written(found))
        except NotProven as error:
            return Proof(False, error.reasons, tuple(self._warnings), labels=self._trace.labels)
        return found

    def _proven(self, executed: object | None) -> tuple[Proof, Callable[[str], None]]:
        original, answers = self._kept()
        table = original
        self._compare_executed(answers, executed)
        shape = Shape(self._trace.table.kind if self._trace.table else "table", labels=_labels_of(table))
        plain = table.set_axis([str(one) for one in table.columns], axis="columns")
        if not plain.columns.is_unique:
            raise NotProven(Reason("Two columns of the table have one name when both are written as text."))
        code = self._code(shape)
        tables = {"table": plain, "mixed": mixed(plain), "moved": moved(plain)}
        rows = self._trace.rows
        whole, usage = self._usage(self._slices(tables), code, plain)
        if whole is None:
            kept = self._answerable(self._slices({"table": plain}), code, rows, len(plain))
            rows = within(rows, kept, len(plain))
            table, plain = table.iloc[kept], plain.iloc[kept]
            tables = {"table": plain, "mixed": mixed(plain), "moved": moved(plain)}
            whole, usage = self._usage(self._slices(tables), code, plain)
        assert whole is not None
        self._agree(answers, whole, rows, table, "the notebook answered", is_loose=has_small_floats(plain))
        self._look_at_labels(usage, plain)
        if len(whole) < len(plain):
            self._warnings.append(
                f"Of {len(plain)} rows {len(plain) - len(whole)} get no answer, and it is not told which: a join or "
                "filter leaves them out."
            )
        if not any(usage.needed.values()):
            cells = tuple(one.place.cell for one in self._plan.outputs)
            raise NotProven(Reason("The answers are the same whatever the rows hold.", cells))
        other, trial = self._trial(original)
        slices = self._slices(
            {
                "table": plain,
                "mixed": mixed(plain),
                "moved": moved(plain),
                "perturbed": other.set_axis(plain.columns, axis="columns"),
            }
        )
        for attempt in usage.shapes(plain, shape, self._trace.labels):
            code = self._code(attempt)
            given = [name for name in plain.columns if name not in usage.left_out(attempt)]
            checks = RowChecks(self._words, code, plain, given)
            found = checks.asked(slices)
            if found["whole"].frame is not None and not difference(whole, found["whole"].frame):
                break
        else:
            raise NotProven(
                self._words.of_error(found["whole"], code, "without the columns that change no answer")
            )
        compared = self._agree_on_perturbed(trial, found["perturbed"], slices, other, code, given)
        self._warnings += checks.check(whole, found)
        sample = plain[given].iloc[sample_of(plain[given])]
        proof = Proof(
            True,
            (),
            tuple(self._warnings),
            code=code,
            shape=attempt,
            inputs=frames.schema_of(plain[given]),
            outputs=frames.schema_of(whole) if len(whole) else Schema(),
            sample=sample.reset_index(drop=True),
            sample_answers=found["sample"].frame,
            not_needed=tuple(name for name in plain.columns if name not in given),
            labels=self._trace.labels,
            figures=Figures(
                rows=len(answers),
                perturbed_rows=compared,
                single_rows=sum(name.startswith("single") for name in found),
            ),
        )
        return proof, lambda code: checks.repeat(code, slices, found)

    # what was kept of the run

    def _kept(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        if self._trace.faults:
            raise NotProven(*self._trace.faults)
        if self._trace.table is None or self._trace.answers is None:
            raise NotProven(Reason("The notebook gave no table, or no answers."))
        table, answers = (
            exact_frames.read(one.file, one.types) for one in (self._trace.table, self._trace.answers)
        )
        if not len(answers) or not len(table):
            raise NotProven(
                Reason("There are no rows to compare.", tuple(one.place.cell for one in self._plan.outputs))
            )
        return table, answers

    def _slices(self, tables: dict[str, pd.DataFrame]) -> Slices:
        kept = {}
        for name, frame in tables.items():
            file = self._scratch / f"{name}.parquet"
            try:
                kept[name] = KeptFrame(file, exact_frames.written(frame, file))
            except ValueError as error:
                raise NotProven(Reason(f"The table cannot be written to a file: {error}.")) from error
        names = {one.name for one in self._scoring.fitted}
        things = [one for one in self._trace.things if one.name in names]
        return Slices(things, kept, self._scratch, self._timeout_s)

    def _code(self, shape: Shape) -> str:
        return with_modules(code_text(self._scoring, shape=shape), texts_beside(self._cwd))

    def _compare_executed(self, answers: pd.DataFrame, executed: object | None) -> None:
        if executed is None:
            self._warnings.append(
                "What the notebook answered when it was last run was not compared; it was trained once more for this."
            )
            return
        try:
            before = as_table(executed, self._plan.outputs[0].variable)
        except ValueError:
            return
        if found := difference(before, answers, is_loose=True):
            self._warnings.append(
                f"Trained once more, the notebook answers otherwise than before: {found.sentence}."
            )

    # the slice on the table of the notebook

    def _usage(self, slices: Slices, code: str, plain: pd.DataFrame) -> tuple[pd.DataFrame | None, Usage]:
        """The answers to all rows, if there are any, and which columns they depend on."""
        sampled = looked_at(len(plain))
        whole, *others = slices.ask(code, [{"table": "table"}, *column_questions(plain, sampled)])
        if whole.frame is not None and others[0].frame is None:
            raise NotProven(
                self._words.of_error(others[0], code, "on some of the rows", self._words.candidates())
            )
        usage = classified(plain, others, labels=self._trace.labels)
        # what a column does that is the same in all rows cannot be seen, but be read
        text = "\n".join(one.frozen for one in self._plan.kept)
        named = [
            name
            for name in plain.columns
            if name not in self._trace.labels
            and not usage.may_lack[name]
            and is_constant(plain[name])
            and names_column(text, name)
        ]
        return whole.frame, usage.also(named)

    def _agree(
        self,
        answers: pd.DataFrame,
        whole: pd.DataFrame,
        rows: Sequence[Rows],
        table: pd.DataFrame,
        who: str,
        *,
        is_loose: bool,
    ) -> None:
        kept = self._trace.answers
        first: Difference | None = None
        has_index = kept is not None and kept.has_index
        for candidate in aligned(answers, whole, rows, has_index=has_index, table=table):
            found = difference(answers, candidate, is_loose=is_loose)
            if found is None:
                return
            first = first or found
        cells = tuple(one.place.cell for one in self._plan.outputs)
        if first is None:
            raise NotProven(
                Reason(
                    f"The rows that {who} cannot be found among those of the slice: "
                    f"there are {len(answers)} of them, and {len(whole)} of the slice.",
                    cells,
                )
            )
        raise NotProven(
            Reason(f"The slice does not say what {who}: {first.sentence}.", self._words.candidates() or cells)
        )

    def _look_at_labels(self, usage: Usage, plain: pd.DataFrame) -> None:
        labels = [name for name in self._trace.labels if name in plain.columns]
        leaks = [name for name in labels if usage.is_needed(name)]
        if leaks and len(leaks) == len(labels):
            listed = ", ".join(f"'{name}'" for name in leaks)
            raise NotProven(
                Reason(
                    f"The answers depend on {listed}, which is what the model learns to predict.",
                    self._words.naming(leaks) or tuple(one.place.cell for one in self._plan.outputs),
                    tuple(leaks),
                )
            )
        for name in plain.columns:
            if usage.is_needed(name) and any(
                name != label and _is_nearly(plain[name], plain[label]) for label in labels
            ):
                self._warnings.append(f"The column '{name}' tells nearly what the model is to predict.")
        fits = any(one.kind == MODEL for one in self._plan.fitted) and may_fit_labels(self._plan)
        if fits and not self._trace.has_seen_labels:
            self._warnings.append("Which column the model learns to predict could not be seen.")

    # the program on rows that were never in the notebook

    def _trial(self, table: pd.DataFrame) -> tuple[pd.DataFrame, Trial]:
        told = self._trace.table
        assert told is not None
        ways: list[dict[str, Any]] = [{}]
        last: TrialFailed | None = None
        for number in range(3):
            if number >= len(ways):
                break
            other = perturbed(table, **ways[number])
            file = self._scratch / f"perturbed-{number}.parquet"
            kept = KeptFrame(file, exact_frames.written(other, file), told.kind)
            try:
                return other, self._tried(kept)
            except TrialFailed as error:
                last = error
                if number == 0:
                    text = error.step.text if error.step else ""
                    named = [str(name) for name in table.columns if names_column(text, str(name))]
                    ways += [{"but": named}] if named else []
                    ways += [{"is_together": True}]
        assert last is not None
        place = last.step.place if last.step else None
        where = f"{str(place).capitalize()}" if place else "The notebook"
        raise NotProven(
            Reason(
                f"{where} does not work on other rows of the same types, so that nothing can be compared: {last.cause}",
                (place.cell,) if place else (),
            )
        )

    def _agree_on_perturbed(
        self,
        trial: Trial,
        answer: Answer,
        slices: Slices,
        other: pd.DataFrame,
        code: str,
        given: list[str],
    ) -> int:
        """How many answers of the notebook to other rows the slice gives as well."""
        if trial.faults:
            raise NotProven(*trial.faults)
        if trial.answers is None:
            raise NotProven(Reason("The notebook gave no answers to other rows."))
        kept = list(range(len(other)))
        if answer.frame is None:
            kept = self._answerable(slices, code, trial.rows, len(other), table="perturbed", columns=given)
            (answer,) = slices.ask(code, [{"table": "perturbed", "columns": given, "rows": kept}])
        assert answer.frame is not None
        answers = exact_frames.read(trial.answers.file, trial.answers.types)
        if not len(answers):
            raise NotProven(Reason("The notebook leaves out all of the rows that were never in it."))
        self._agree(
            answers,
            answer.frame,
            within(trial.rows, kept, len(other)),
            other.iloc[kept],
            "the notebook answers to rows that were never in it",
            is_loose=has_small_floats(other),
        )
        return len(answers)

    def _answerable(
        self, slices: Slices, code: str, rows: Sequence[Rows], count: int, **question: Any
    ) -> list[int]:
        """Where the slice fails on all rows: those that the notebook left for itself."""
        base = {"table": "table", **question}
        ways = list(map(list, remaining(rows, count)))
        whole, *answers = slices.ask(code, [base, *({**base, "rows": one} for one in ways)])
        for way, answer in zip(ways, answers, strict=True):
            if answer.frame is not None:
                self._note_left_out(count - len(way), whole)
                return way
        raise NotProven(self._words.of_error(whole, code, "on the notebook's own rows"))

    def _note_left_out(self, count: int, answer: Answer) -> None:
        told = f"The notebook leaves out rows such as {count} of those it brings in; a service fails on them"
        if not any(one.startswith("The notebook leaves out rows") for one in self._warnings):
            self._warnings.append(f"{told}: {answer.error.partition(chr(10))[0].rstrip('.')}.")


def _labels_of(table: pd.DataFrame) -> dict[str, object]:
    if all(isinstance(one, str) for one in table.columns):
        return {}
    labels: dict[str, object] = {str(one): one for one in table.columns}
    if literal_text(labels) is None:
        raise NotProven(Reason("The names of the table's columns are neither texts nor numbers."))
    return labels


def _is_nearly(one: pd.Series[Any], label: pd.Series[Any]) -> bool:
    if is_alike(one, label):
        return True
    if not all(pd.api.types.is_numeric_dtype(column.dtype) for column in (one, label)):
        return False
    first, second = one.astype(float), label.astype(float)
    if first.nunique() < 2 or second.nunique() < 2:
        return False
    return bool(abs(first.corr(second)) > _NEARLY)
