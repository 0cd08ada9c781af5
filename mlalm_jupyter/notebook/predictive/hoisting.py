"""Other text for what a statement fits: a name for what training gave stands in its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlalm_jupyter.notebook.code import CellCode, root_name
from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.drafts import Asset, Edit, Found, Selection
from mlalm_jupyter.notebook.predictive.values import (
    FITTED,
    NOTHING,
    Value,
)


@dataclass(slots=True)
class Loop:
    """A loop over columns, in whose body each value is fitted for one of them."""

    target: str
    over: str
    conditions: list[str] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    """Tables changed other than at the loop's own column."""
    touched: set[str] = field(default_factory=set)
    """Tables changed in this turn, at the loop's own column."""
    made: dict[str, str] = field(default_factory=dict)
    """Estimators that the body makes, with what makes them."""


class Hoisting:
    """Edits the text of statements, and gives names to what was fitted in them."""

    def __init__(self, found: Found, labels: frozenset[str]) -> None:
        self.found = found
        self.labels = labels
        self.env: dict[str, Value] = {}
        self.functions: dict[str, tuple[int, ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        self.classes: dict[str, frozenset[str]] = {}
        """Classes of the notebook, with those of their methods that train."""
        self.here = 0
        """The statement that is read."""
        self.text_line = 0
        """The statement in whose cell the text stands: another one, inside a function."""
        self.bound: frozenset[str] = frozenset()
        self.loop: Loop | None = None
        self.inside: list[str] = []
        self.fits: list[tuple[str, Value]] = []
        self.brought = False
        self.is_gathered = False
        self.is_marked = False
        self.is_handed = False
        self.is_over_rows = False
        self.frames: dict[str, str] = {}
        """Parameters of lambdas that stand for a whole table, with the text of that table."""
        self.drawn: dict[str, str] = {}
        """Names that a loop takes out of something, with what that is."""
        self.level = "reader"
        self.said: set[str] = set()
        """Columns that hold predictions."""
        self.depth = 0

    # text

    @property
    def code(self) -> CellCode:
        return self.found.program.lines[self.text_line].code

    @property
    def cell(self) -> int:
        return self.found.program.lines[self.here].place.cell

    @property
    def imports(self) -> Mapping[str, str]:
        return self.found.program.lines[self.here].imports

    def text(self, node: ast.expr | ast.stmt) -> str:
        start, end = self.code.span(node)
        return self.code.text[start:end]

    def edit(self, start: int, end: int, text: str, *, is_kept_only: bool = False) -> None:
        self.found.edits.append(Edit(self.text_line, start, end, text, is_kept_only))

    def after(self, node: ast.expr, text: str, *, is_kept_only: bool = False) -> None:
        end = self.code.span(node)[1]
        self.edit(end, end, text, is_kept_only=is_kept_only)

    def only(self, node: ast.expr, kept: ast.expr) -> None:
        """In the slice a piece of it stands for the whole, as when rows are left out."""
        start, end = self.code.span(node)
        inner_start, inner_end = self.code.span(kept)
        if inner_start > start:
            self.edit(start, inner_start, "", is_kept_only=True)
        self.edit(inner_end, end, "", is_kept_only=True)
        source = root_name(kept)
        if source is not None:
            self.found.selections.append(Selection(self.here, self.text(node), "", source))

    # fitted values

    def hoist(self, node: ast.expr, value: Value = NOTHING, *, expression: str = "", hint: str = "") -> str:
        """A name for what an expression gave in training."""
        typed = expression or self.text(node)
        typed = _on_one_line(typed)
        hint = hint or _hint(node, value)
        for name, table in self.frames.items():
            if re.search(rf"\b{name}\b", typed):
                typed = _renamed(typed, name, table)
        reads = {
            one.id for one in ast.walk(ast.parse(typed.strip(), mode="eval")) if isinstance(one, ast.Name)
        }
        if self.inside:
            self.found.trouble(
                self.here, refusals.over_rows(self.cell, typed, f"inside the function `{self.inside[-1]}`")
            )
            return typed
        if self._is_stale(typed, reads):
            if not reads & self.bound and self._is_settled(reads):
                name = self._asset(typed, hint, value)
                self.found.hoisted[-1].is_before = False
                return name
            self.found.trouble(self.here, refusals.over_rows(self.cell, typed, "inside a loop"))
            return typed
        if self.loop is not None:
            return self._hoist_in_loop(typed, reads, hint, value)
        if reads & self.bound:
            self.found.trouble(
                self.here, refusals.over_rows(self.cell, typed, "inside a loop or another expression")
            )
            return typed
        return self._asset(typed, hint, value)

    def _is_stale(self, typed: str, reads: set[str]) -> bool:
        """Whether the loop that the statement is a turn of has changed before what an expression reads."""
        changed = self.found.program.lines[self.here].changed
        for name in reads & changed.keys():
            tree = ast.parse(typed.strip(), mode="eval")
            columns = {
                str(getattr(one.slice, "value", "*"))
                for one in ast.walk(tree)
                if isinstance(one, ast.Subscript) and isinstance(one.value, ast.Name) and one.value.id == name
            }
            plain = sum(isinstance(one, ast.Name) and one.id == name for one in ast.walk(tree))
            if (
                not columns
                or plain > len(columns)
                or "*" in columns | changed[name]
                or columns & changed[name]
            ):
                return True
        return False

    def _is_settled(self, reads: set[str]) -> bool:
        """Whether the turns of a loop that are left do not change what an expression reads."""
        lines = self.found.program.lines
        rest = [one for one in lines[self.here :] if one.place == lines[self.here].place]
        return not any(reads & (one.flow.changes | one.flow.writes) for one in rest)

    def _asset(self, expression: str, hint: str, value: Value) -> str:
        for one in self.found.hoisted:
            if one.line == self.here and one.expression == expression:
                return one.name
        name = self.found.fresh(hint)
        self.found.hoisted.append(Asset(self.here, expression, "", name, is_before=True, maker=value.maker))
        return name

    def _hoist_in_loop(self, typed: str, reads: set[str], hint: str, value: Value) -> str:
        loop = self.loop
        assert loop is not None
        tree = ast.parse(typed.strip(), mode="eval")
        own = {
            one.value.id
            for one in ast.walk(tree)
            if isinstance(one, ast.Subscript)
            and isinstance(one.value, ast.Name)
            and isinstance(one.slice, ast.Name)
            and one.slice.id == loop.target
        }
        plain = {name for name in reads if name in loop.changed or (name in loop.touched and name in own)}
        plain |= {name for name in reads - own if name in loop.touched}
        others = (reads & self.bound) - {loop.target} - loop.made.keys()
        if plain or others or (loop.target not in reads and reads & (loop.changed | loop.touched)):
            self.found.trouble(self.here, refusals.over_rows(self.cell, typed, "inside a loop"))
            return typed
        for name in reads & loop.made.keys():
            typed = _renamed(typed, name, f"({loop.made[name]})")
            reads |= {
                one.id for one in ast.walk(ast.parse(loop.made[name].strip())) if isinstance(one, ast.Name)
            }
        if loop.target not in reads:
            return self._asset(typed, hint, value)
        condition = "".join(f" if {one}" for one in loop.conditions)
        whole = f"{{{loop.target}: {typed} for {loop.target} in {loop.over}{condition}}}"
        return f"{self._asset(whole, f'{hint}_by_{loop.target}', NOTHING)}[{loop.target}]"

    def settle(self, pairs: Sequence[tuple[ast.expr, Value]], result: Value) -> Value:
        """What is fitted gets a name where it is put together with rows."""
        if result.kind == FITTED:
            return result
        for node, value in pairs:
            if value.kind == FITTED and value.is_raw:
                self.replace(node, self.hoist(node, value))
        return result

    def replace(self, node: ast.expr, text: str) -> None:
        self.edit(*self.code.span(node), text)


def _on_one_line(text: str) -> str:
    """An expression as it can stand alone: what was inside brackets may have gone over several lines, with comments."""
    if "#" in text or ":=" in text:
        return ast.unparse(ast.parse(f"(\n{text}\n)", mode="eval").body)
    return " ".join(text.split("\n"))


def _hint(node: ast.expr, value: Value) -> str:
    """What a person would call it: the column and the statistic, or the class of the transform."""
    if value.maker:
        last = value.maker.rpartition(".")[2]
        return "".join(
            f"_{one.lower()}" if one.isupper() and index and not last[index - 1].isupper() else one.lower()
            for index, one in enumerate(last)
        )
    words: list[str] = []
    for one in ast.walk(node):
        if (
            isinstance(one, ast.Subscript)
            and isinstance(one.slice, ast.Constant)
            and isinstance(one.slice.value, str)
        ):
            words.append(one.slice.value)
            break
    call = node
    while isinstance(call, (ast.Subscript, ast.Attribute)):
        if isinstance(call, ast.Attribute) and call.attr not in ("values", "index", "iloc", "loc"):
            words.append(call.attr)
        call = call.value
    if isinstance(call, ast.Call):
        func = call.func
        words.append(
            func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        )
    return "_".join(words) or "fitted"


def _renamed(text: str, name: str, other: str) -> str:
    tree = ast.parse(text.strip(), mode="eval")

    class Names(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return ast.parse(other, mode="eval").body if node.id == name else node

    return ast.unparse(Names().visit(tree))
