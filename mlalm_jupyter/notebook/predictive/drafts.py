"""What freezing a statement finds: pieces of text to change, values to keep, rows selected, and reasons to refuse."""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Iterable
from dataclasses import dataclass, field

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.predictive.parts import VALUE
from mlalm_jupyter.notebook.predictive.program import Program
from mlalm_jupyter.notebook.predictive.values import Value


@dataclass(frozen=True, slots=True)
class Edit:
    """Other text for a stretch of a line's cell."""

    line: int
    start: int
    end: int
    text: str
    is_kept_only: bool = False


@dataclass(slots=True, eq=False)
class Asset:
    """Something fitted."""

    line: int
    expression: str
    variable: str = ""
    """The variable of the notebook that holds it; empty for what had no name."""
    name: str = ""
    kind: str = VALUE
    is_before: bool = False
    maker: str = ""
    is_direct: bool = False
    """Its name is the variable's."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows taken from others."""

    line: int
    call: str
    target: str
    source: str


ON_CURVE = "polyval"
"""The method of a scoring that tells where a curve is."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """A call of a model's `predict`, or the like."""

    line: int
    start: int
    end: int
    method: str
    model: str
    argument: str
    is_inner: bool
    """Inside a loop or function."""
    is_score: bool = False
    """`model.score(X, y)`."""


@dataclass(slots=True)
class Piece:
    """Text that stands for a statement or a part of it."""

    line: int
    start: int = 0
    end: int = 0
    prefix: str = ""
    text: str | None = None
    in_program: bool = True
    in_kept: bool = True
    asset: Asset | None = None
    unfitted: str = ""
    """The variable of an estimator that it makes."""
    is_scoring: bool = False


@dataclass(slots=True)
class Found:
    """All of it, growing; what was found inside something that is kept as a whole is forgotten again."""

    program: Program
    edits: list[Edit] = field(default_factory=list)
    hoisted: list[Asset] = field(default_factory=list)
    selections: list[Selection] = field(default_factory=list)
    scorings: list[Scoring] = field(default_factory=list)
    troubles: dict[int, list[InvalidInput]] = field(default_factory=dict)
    assets: list[Asset] = field(default_factory=list)
    pieces: dict[int, list[Piece]] = field(default_factory=dict)
    sources: dict[int, list[str]] = field(default_factory=dict)
    """Lines that bring tables in, with the variables that hold them."""
    named_parts: dict[str, str] = field(default_factory=dict)
    """Names for parts of containers that come in without one, with what gives them."""
    values: dict[int, dict[str, Value]] = field(default_factory=dict)
    """What the names that a line sets or changes stand for after it."""
    label_variables: frozenset[str] = frozenset()
    """Variables that hold what models are to predict."""
    label_columns: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def mark(self) -> tuple[int, int, int, dict[int, int]]:
        return (
            len(self.edits),
            len(self.hoisted),
            len(self.selections),
            {line: len(found) for line, found in self.troubles.items()},
        )

    def rows_read(self, node: ast.AST, line: int) -> set[str]:
        """The names that an expression reads outside of what is learned of them."""
        code = self.program.lines[line].code
        learned = [(one.start, one.end) for one in self.edits if one.line == line and not one.is_kept_only]
        read = [one for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)]
        spans = [(one.id, *code.span(one)) for one in read]
        return {
            name
            for name, start, end in spans
            if not any(a <= start and end <= b for a, b in learned if a < b)
        }

    def is_learned(self, node: ast.expr, line: int) -> bool:
        """Whether an expression stands inside of what is learned, such as a label of which the mean is taken."""
        start, end = self.program.lines[line].code.span(node)
        return any(
            one.start <= start and end <= one.end
            for one in self.edits
            if one.line == line and not one.is_kept_only and one.start < one.end
        )

    def forget(self, mark: tuple[int, int, int, dict[int, int]]) -> None:
        del self.edits[mark[0] :]
        for one in self.hoisted[mark[1] :]:
            self.taken.discard(one.name)
        del self.hoisted[mark[1] :]
        del self.selections[mark[2] :]
        for line in list(self.troubles):
            del self.troubles[line][mark[3].get(line, 0) :]
            if not self.troubles[line]:
                del self.troubles[line]

    def trouble(self, line: int, why: InvalidInput) -> None:
        self.troubles.setdefault(line, []).append(why)

    def fresh(self, hint: str) -> str:
        """A name that nothing in the notebook has."""
        base = "".join(one if one.isalnum() else "_" for one in hint).strip("_").lower() or "fitted"
        if not base.isidentifier():
            base = f"fitted_{base}"
        if hasattr(builtins, base) or keyword.iskeyword(base):
            base = f"{base}_value"
        number, name = 1, base
        while name in self.taken:
            number += 1
            name = f"{base}_{number}"
        self.taken.add(name)
        return name

    def rendered(self, piece: Piece, *, is_kept: bool) -> str:
        """The text of a piece."""
        if piece.asset is not None:
            is_plain = piece.asset.is_direct
            return "" if is_plain else f"{piece.asset.variable} = {piece.asset.name}"
        if piece.text is not None:
            return piece.text
        line = self.program.lines[piece.line]
        edits = [one for one in self.edits if one.line == piece.line and (is_kept or not one.is_kept_only)]
        return piece.prefix + edited(line.code.text, piece.start, piece.end, edits)


def edited(text: str, start: int, end: int, edits: Iterable[Edit]) -> str:
    """A stretch of a text with its edits; what lies inside another edit does not count.

    >>> edited("a + b", 0, 5, [Edit(0, 4, 5, "c")])
    'a + c'
    """
    found: list[str] = []
    place = start
    inside = {one for one in edits if start <= one.start and one.end <= end}
    for one in sorted(
        inside, key=lambda it: (it.start, it.start < it.end, -it.end, not it.is_kept_only, it.text)
    ):
        if one.start < place:
            continue
        found += [text[place : one.start], one.text]
        place = one.end
    return "".join([*found, text[place:end]])
