"""Marks put into a notebook that trains nothing, so that it can be a service as it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.document import NotebookDocument, source
from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.marks import INPUT, OUTPUT, Mark, mark_text, marks_of
from mlalm_jupyter.notebook.predictive.program import Line, program_of

_LOAD = "%load_ext mlalm_jupyter"


@dataclass(frozen=True, slots=True)
class Marked:
    """A notebook with its marks."""

    content: bytes | None
    """None where it had them already."""
    input: str
    output: str


def marked(document: NotebookDocument) -> Marked:
    """A notebook with a mark after the statement that reads its table, and one after the last that works on it.

    >>> cells = [{"cell_type": "code", "source": "rows = pd.read_csv('a.csv')\\nrows['b'] = rows.a * 2"}]
    >>> found = marked(NotebookDocument({"nbformat": 4, "metadata": {}, "cells": cells}))
    >>> ["".join(cell["source"]) for cell in json.loads(found.content)["cells"]][1]
    '%load_ext mlalm_jupyter\\n%web_input rows'
    """
    lines = program_of(document).lines
    held = {one.word: one for one in marks_of(lines, INPUT, OUTPUT) if one.variable}
    if INPUT in held and OUTPUT in held:
        return Marked(None, held[INPUT].variable, held[OUTPUT].variable)
    comes, variable = _input(lines, held.get(INPUT))
    goes, answer = _output(lines, comes, variable, held.get(OUTPUT))
    cells = [dict(cell) for cell in document.content["cells"]]
    places = [
        number
        for number, cell in enumerate(cells)
        if cell.get("cell_type") == "code" and source(cell).strip()
    ]
    if OUTPUT not in held:
        at = places[lines[goes].place.cell - 1] + 1
        cells.insert(at, _cell(mark_text(OUTPUT, answer), OUTPUT))
    if INPUT not in held:
        is_loaded = any(_is_loading(line) for line in lines[: comes + 1])
        text = mark_text(INPUT, variable) if is_loaded else f"{_LOAD}\n{mark_text(INPUT, variable)}"
        at = places[lines[comes].place.cell - 1]
        before, after = _cut(source(cells[at]), lines[comes])
        cells[at] = {**cells[at], "source": before.splitlines(keepends=True)}
        rest = [_cell(after, f"{INPUT}-rest")] if after.strip() else []
        cells[at + 1 : at + 1] = [_cell(text, INPUT), *rest]
    content = {**document.content, "cells": cells}
    return Marked((json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode(), variable, answer)


def _input(lines: Sequence[Line], said: Mark | None) -> tuple[int, str]:
    """The statement that brings the table in, and its name."""
    if said is not None:
        return said.line, said.variable
    found = [(number, min(line.flow.writes)) for number, line in enumerate(lines) if _brings(line)]
    if len(found) != 1:
        told = ", ".join(f"'{name}' in {lines[number].place}" for number, name in found) or "none"
        raise InvalidInput(
            "The notebook",
            expected="one statement that brings a table in, such as `rows = pd.read_csv(...)`",
            got=told,
            fix="Say which with `%web_input VARIABLE` after it.",
        )
    return found[0]


def _brings(line: Line) -> bool:
    is_loaded = line.magic is not None and line.magic.name == "dataset"
    return (bool(line.flow.files_read) or is_loaded) and len(line.flow.writes) == 1


def _output(lines: Sequence[Line], comes: int, variable: str, said: Mark | None) -> tuple[int, str]:
    """The last statement that works on the table, and what it leaves."""
    derived, last = {variable}, (comes, variable)
    for number, line in enumerate(lines[comes + 1 :], start=comes + 1):
        if said is not None and said.line == number:
            return number, said.variable
        flow = line.flow
        left = flow.writes | flow.changes
        if not (flow.reads | flow.changes) & derived or flow.defines or not left:
            continue
        if len(left) > 1:
            raise InvalidInput(
                f"Cell {line.place.cell}",
                expected="one table that goes out",
                got=refusals.listed(sorted(left)),
                fix="Say which with `%web_output VARIABLE` after it.",
            )
        derived |= left
        last = number, next(iter(left))
    return last


def _is_loading(line: Line) -> bool:
    magic = line.magic
    return magic is not None and magic.name == "load_ext" and "mlalm_jupyter" in magic.rest


def _cut(text: str, line: Line) -> tuple[str, str]:
    """A cell's text up to the end of a statement, and the rest."""
    rows = text.splitlines()
    end = line.node.end_lineno or line.node.lineno
    return "\n".join(rows[:end]), "\n".join(rows[end:]).strip("\n")


def _cell(text: str, part: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": hashlib.sha256(f"{part} {text}".encode()).hexdigest()[:12],
        "metadata": {},
        "outputs": [],
        "source": text.splitlines(keepends=True),
    }
