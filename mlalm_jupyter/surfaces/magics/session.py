"""What this kernel did with the cells of a notebook, and how that compares with the notebook as it is saved."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from mlalm_jupyter.domain.run import Live, RunStatus
from mlalm_jupyter.notebook.document import NotebookDocument, source


@dataclass(frozen=True, slots=True)
class Executed:
    """One execution of a cell: its text, its id where the front end tells it, and what it raised."""

    text: str
    cell_id: str | None = None
    error: str | None = None


class Session:
    """Follows a shell from when it is attached; what ran before is known by its text alone."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self.started_at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        self._before = [text for text in shell.user_ns.get("In", [""])[1:] if text.strip()]
        self._done: list[Executed] = []
        self._now: Executed | None = None

    def attach(self) -> None:
        self._shell.events.register("pre_run_cell", self._begins)
        self._shell.events.register("post_run_cell", self._ended)

    def detach(self) -> None:
        self._shell.events.unregister("pre_run_cell", self._begins)
        self._shell.events.unregister("post_run_cell", self._ended)

    @property
    def executions(self) -> tuple[Executed, ...]:
        """Every execution so far, the one at work included."""
        now = (self._now,) if self._now else ()
        before = self._before
        if now and before and before[-1] == now[0].text:
            before = before[:-1]  # the cell that loaded us is in the history already
        return (*(Executed(text) for text in before), *self._done, *now)

    def _begins(self, info: Any) -> None:
        if info.store_history:
            self._now = Executed(info.raw_cell, getattr(info, "cell_id", None))

    def _ended(self, result: Any) -> None:
        if not result.info.store_history:
            return
        error = result.error_before_exec or result.error_in_exec
        told = f"{type(error).__name__}: {error}" if error else None
        self._done.append(Executed(result.info.raw_cell, getattr(result.info, "cell_id", None), told))
        self._now = None


def live(
    document: NotebookDocument, executions: Sequence[Executed], *, started_at: str | None = None
) -> Live:
    """What those executions come to for a notebook as it is saved.

    Finished is only what a run from top to bottom would be: every code cell once, in order, unedited since.
    """
    cells = document.code_cells
    matched: list[int | None] = []
    for one in executions:
        matched.append(_number(document, one, after=next((n for n in reversed(matched) if n), 0)))
    executed = tuple(number for number in matched if number is not None)
    last_error = {number: one.error for number, one in zip(matched, executions, strict=True) if number}
    failed = next((number for number in reversed(executed) if last_error[number]), None)
    note = " ".join(_oddities(len(cells), executed, edited=matched.count(None)))
    if failed is not None:
        return Live(RunStatus.FAILED_PARTIAL, executed, note, started_at, last_error[failed], failed)
    is_whole = executed == tuple(range(1, len(cells) + 1)) and not note
    status = RunStatus.FINISHED if is_whole else RunStatus.FINISHED_PARTIAL
    return Live(status, executed, note, started_at)


def is_saved(document: NotebookDocument, text: str) -> bool:
    """Whether a cell that is at work stands in the notebook as it is saved."""
    return any(_same(source(cell), text) for cell in document.code_cells)


def wait_until_saved(read: Any, text: str, *, timeout_s: float = 3.0) -> NotebookDocument:
    """The notebook once its file holds the cell at work; JupyterLab saves it at that moment, others may not."""
    deadline = time.monotonic() + timeout_s
    while True:
        document: NotebookDocument = read()
        if is_saved(document, text) or time.monotonic() > deadline:
            return document
        time.sleep(0.05)


def _number(document: NotebookDocument, one: Executed, *, after: int) -> int | None:
    """Which cell, from 1, an execution was of; None when that cell has been edited or removed since.

    Of cells with the same text, and no id to tell them apart, it is the next one down the page.
    """
    for number, cell in enumerate(document.code_cells, start=1):
        if one.cell_id and cell.get("id") == one.cell_id:
            return number if _same(source(cell), one.text) else None
    equal = [
        number for number, cell in enumerate(document.code_cells, start=1) if _same(source(cell), one.text)
    ]
    return next((number for number in equal if number > after), equal[0] if equal else None)


def _same(one: str, other: str) -> bool:
    return one.strip() == other.strip()


def _oddities(total: int, executed: Sequence[int], *, edited: int) -> Iterator[str]:
    if edited:
        yield f"{_counted(edited, 'execution')} of cells that were edited or removed since."
    missing = sorted(set(range(1, total + 1)) - set(executed))
    if missing:
        yield f"{_named(missing)} did not run."
    twice = sorted(number for number, count in Counter(executed).items() if count > 1)
    if twice:
        yield f"{_named(twice)} ran more than once."
    firsts = list(dict.fromkeys(executed))
    late = [(earlier, later) for earlier, later in pairwise(firsts) if later < earlier]
    if late:
        told = ", ".join(f"cell {later} after cell {earlier}" for earlier, later in late)
        yield f"Out of order: {told} ran."


def _named(numbers: Sequence[int]) -> str:
    return f"Cell{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}"
