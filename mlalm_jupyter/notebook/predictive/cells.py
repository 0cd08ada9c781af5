"""The cells of a predictive notebook: rows come in, what was fitted is loaded, what stayed of the source, an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mlalm_jupyter.notebook.code import code_of
from mlalm_jupyter.notebook.document import NotebookDocument, source
from mlalm_jupyter.notebook.predictive.marks import INPUT, OUTPUT, mark_text
from mlalm_jupyter.notebook.predictive.parts import Place, Plan, Statement

CODE, MARKDOWN = "code", "markdown"


@dataclass(frozen=True, slots=True)
class Piece:
    """A cell that is made; `part` says which one it is, and stays the same when it is made again."""

    part: str
    kind: str
    text: str


def pieces_of(
    plan: Plan,
    document: NotebookDocument,
    *,
    title: str,
    told: str,
    loads: Mapping[str, str],
    rows: Mapping[str, str],
) -> list[Piece]:
    """The cells for a plan of a training notebook.

    `loads` has for each fitted thing the expression that gives it, `rows` for each input the one that gives rows to
    try the notebook on; `told` says to a reader where it comes from.
    """
    made = [Piece("title", MARKDOWN, f"# {title}\n\n{told}")]
    comes_in = [
        line
        for port in plan.inputs
        for line in (f"{port.variable} = {rows[port.name]}", mark_text(INPUT, port.variable, port.name))
    ]
    made.append(Piece("input", CODE, "\n".join(["%load_ext mlalm_jupyter", *comes_in])))
    if plan.fitted:
        lines = (f"{one.name} = {loads[one.name]}" for one in plan.fitted)
        made.append(Piece("fitted", CODE, "\n".join(lines)))
    made += [Piece(f"cell-{number}", CODE, text) for number, text in _kept(plan.kept, document)]
    made.append(
        Piece("output", CODE, "\n".join(mark_text(OUTPUT, port.variable, port.name) for port in plan.outputs))
    )
    return made


def _kept(kept: Sequence[Statement], document: NotebookDocument) -> Iterator[tuple[int, str]]:
    """What stays of each cell, with the comments above it; a cell of which all stays is as it was typed."""
    by_cell: dict[int, list[Statement]] = {}
    for one in kept:
        if one.frozen.strip():
            by_cell.setdefault(one.place.cell, []).append(one)
    for number, statements in by_cell.items():
        typed = source(document.code_cells[number - 1])
        yield number, _text(typed, statements).strip("\n")


def _text(typed: str, statements: Sequence[Statement]) -> str:
    code = code_of(typed)
    body = code.tree.body
    is_whole = len(body) == len(statements) and all(one.frozen == one.typed for one in statements)
    if is_whole and not code.magics:
        return typed
    lines = typed.splitlines()
    parts: list[str] = []
    last_row = 0
    for one in statements:
        first_row, end_row = _rows(body, one.place)
        above = _comments(lines, first_row)
        gap = first_row - len(above) - 1
        if parts and last_row < gap and not lines[gap - 1].strip():
            parts.append("")
        parts += [*above, one.frozen]
        last_row = end_row
    return "\n".join(parts)


def _rows(body: Sequence[object], place: Place) -> tuple[int, int]:
    """First and last row of a statement, with its decorators."""
    node = body[place.index]
    decorators = getattr(node, "decorator_list", [])
    first: int = min([node.lineno, *(one.lineno for one in decorators)])  # type: ignore[attr-defined]
    return first, node.end_lineno or first  # type: ignore[attr-defined]


def _comments(lines: Sequence[str], row: int) -> list[str]:
    """The comments right above a row."""
    first = row - 1
    while first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    return list(lines[first : row - 1])
