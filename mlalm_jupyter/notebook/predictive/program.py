"""A notebook's statements as the straight program that ran, with the marks that a person put into it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlalm_jupyter.notebook.code import CellCode, Magic, code_of
from mlalm_jupyter.notebook.document import NotebookDocument, source, tagged
from mlalm_jupyter.notebook.effects import Flow
from mlalm_jupyter.notebook.knowledge import Knowledge
from mlalm_jupyter.notebook.lines import opening_flow
from mlalm_jupyter.notebook.predictive.parts import Place
from mlalm_jupyter.notebook.predictive.turns import columns_changed, learn_tables, turns_of
from mlalm_jupyter.notebook.statements import statement_flow

_HANDS = {
    "role:train": "train",
    "role:transform": "transform",
    "role:score": "score",
    "role:evaluate": "evaluate",
}
_HANDS |= {"role:import": "import", "role:output": "output", "web-output": "output"}
_HANDS |= {"web-input": "import", "skip": "skip", "role:none": "skip", "role:skip": "skip"}


@dataclass(frozen=True, slots=True)
class Line:
    """A statement that ran."""

    place: Place
    node: ast.stmt
    code: CellCode
    typed: str
    flow: Flow
    imports: Mapping[str, str]
    """What the names of modules and functions were imported as."""
    aliases: Mapping[str, frozenset[str]]
    constants: Mapping[str, str]
    hand: str = ""
    """The role that a tag of its cell gives it."""
    changed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What the statement it is a turn of has changed before it: columns by table, `*` for all."""

    @property
    def magic(self) -> Magic | None:
        """The line for IPython that it is, or that it takes a value from."""
        value = self.node.value if isinstance(self.node, (ast.Expr, ast.Assign)) else None
        return self.code.magic_behind(value)


@dataclass(frozen=True, slots=True)
class Program:
    """Statements in the order in which they ran."""

    lines: tuple[Line, ...]
    dark: tuple[tuple[int, str], ...] = ()
    """Cells that cannot be read at all, each with why."""
    again: tuple[int, ...] = ()
    """Cells that ran more than once, and came to something else each time, as far as is known."""
    failed: tuple[int, ...] = ()
    """Cells that raise an error, after which their author went on."""
    ends: Mapping[int, int] = field(default_factory=dict)
    """Of each cell the number of its last line in the program."""

    @property
    def names(self) -> frozenset[str]:
        """Every name that stands anywhere."""
        return frozenset(
            node.id for line in self.lines for node in ast.walk(line.node) if isinstance(node, ast.Name)
        ) | frozenset(name for line in self.lines for name in line.flow.writes)


def program_of(document: NotebookDocument, *, ran: Sequence[int] | None = None) -> Program:
    """The statements of the cells that ran; of a cell that ran twice the last time counts."""
    cells = document.code_cells
    given = list(range(1, len(cells) + 1)) if ran is None else list(ran)
    order = list(dict.fromkeys(given))
    known = Knowledge()
    lines: list[Line] = []
    tables: dict[str, list[str]] = {}
    dark: list[tuple[int, str]] = []
    ends: dict[int, int] = {}
    for number in order:
        if not 1 <= number <= len(cells):
            continue
        code = code_of(source(cells[number - 1]))
        opening = opening_flow(code, known)
        dark += [(number, why) for why in opening.unknowns]
        hand = _hand(cells[number - 1])
        for index, node in enumerate(code.tree.body):
            typed = code.text_of(node)
            place = Place(number, index)
            learn_tables(node, tables)
            changed: dict[str, set[str]] = {}
            turns = turns_of(node, code, tables) or [(node, code)]
            for inner, text in turns:
                flow = statement_flow(inner, text, known)
                facts = (dict(known.imports), dict(known.aliases), dict(known.constants))
                before = {name: frozenset(columns) for name, columns in changed.items()}
                lines.append(Line(place, _untimed(inner, typed), text, typed, flow, *facts, hand, before))
                if len(turns) > 1:
                    for name in flow.changes | flow.writes:
                        changed.setdefault(name, set()).update(columns_changed(inner, name))
            ends[number] = len(lines) - 1
    return Program(
        tuple(lines),
        tuple(dark),
        tuple(_again(given, lines)),
        tuple(tagged(document, "raises-exception")),
        ends,
    )


def _again(given: Sequence[int], lines: Sequence[Line]) -> Iterator[int]:
    """Cells whose second run found other things than the first."""
    flows: dict[int, Flow] = {}
    for line in lines:
        flows[line.place.cell] = flows.get(line.place.cell, Flow()).then(line.flow)
    for number in dict.fromkeys(given):
        first, last = given.index(number), len(given) - 1 - given[::-1].index(number)
        if first == last or number not in flows:
            continue
        mine = flows[number]
        reads = mine.reads | (mine.changes - mine.certain)
        others = {
            name
            for one in given[first:last]
            if one != number and one in flows
            for name in flows[one].writes | flows[one].changes
        }
        if reads & (mine.writes | mine.changes | others):
            yield number


def _untimed(node: ast.stmt, typed: str) -> ast.stmt:
    """What `%time` times, instead of the condition that stands for it."""
    if isinstance(node, ast.If) and typed.lstrip().startswith("%") and len(node.body) == 1:
        return node.body[0]
    return node


def _hand(cell: Mapping[str, Any]) -> str:
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, Mapping) else None
    words = [str(tag) for tag in tags] if isinstance(tags, list) else []
    return next((_HANDS[word] for word in words if word in _HANDS), "")
