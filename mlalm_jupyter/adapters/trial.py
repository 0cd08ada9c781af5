"""The program of a notebook in which nothing is fitted, as statements to try on another table."""

from __future__ import annotations

from dataclasses import dataclass

from mlalm_jupyter.notebook.code import code_of
from mlalm_jupyter.notebook.knowledge import Knowledge
from mlalm_jupyter.notebook.predictive.parts import Place, Plan
from mlalm_jupyter.notebook.predictive.proof import KeptFrame, Reason, Rows
from mlalm_jupyter.notebook.statements import statement_flow


@dataclass(frozen=True, slots=True)
class Step:
    """A statement as it is tried, in a cell of its own."""

    place: Place
    text: str
    may_fail: bool
    """No answer needs it."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What the program answered."""

    answers: KeptFrame | None
    rows: tuple[Rows, ...]
    faults: tuple[Reason, ...] = ()


class TrialFailed(Exception):
    """A statement of the program did not take the other table."""

    def __init__(self, cause: str, step: Step | None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.step = step


def steps_of(plan: Plan) -> list[Step]:
    """The frozen statements; what no answer needs is left out where it would write files or speak to others."""
    needed = {one.place for one in plan.kept}
    ports = {one.place for one in (*plan.inputs, *plan.outputs)}
    steps: list[Step] = []
    known = Knowledge()
    for one in plan.program:
        is_needed = one.place in needed or one.place in ports
        leaves_traces = _leaves_traces(one.frozen, known)
        text = "pass" if not one.frozen.strip() or (leaves_traces and not is_needed) else one.frozen
        steps.append(Step(one.place, text, may_fail=not is_needed))
    return steps


def _leaves_traces(text: str, known: Knowledge) -> bool:
    code = code_of(text)
    flows = [statement_flow(one, code, known) for one in code.tree.body]
    is_line = any(magic.form in ("magic", "shell", "cell", "call") for magic in code.magics)
    sets = any(one.writes for one in flows)
    return any(one.files_written for one in flows) or (is_line and not sets)
