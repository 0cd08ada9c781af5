"""Whether rows stay together: a slice leaves every row in, so values of some rows must never stand beside others.

`later["before"] = df["price"][:-1].values` after `later = df[1:]` gives each row what the one before it has. Where
nothing is left out, both are all rows, and each would get its own.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from mlalm_jupyter.notebook.code import root_name
from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.drafts import Found
from mlalm_jupyter.notebook.predictive.program import Line
from mlalm_jupyter.notebook.predictive.slicing import Slice
from mlalm_jupyter.notebook.predictive.values import ROWS

_BARE = frozenset({"values", "to_numpy", "array", "tolist", "to_list", "transform", "fit_transform"})
_ARRAYS = ("numpy.", "np.")
Cut = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Leaf:
    cut: Cut
    """What took its rows from all of them, one after the other."""
    is_bare: bool
    """Without labels, so that it is put beside others by its place."""


@dataclass(slots=True)
class _Rows:
    """What is known of each name while the program goes on."""

    found: Found
    names: dict[str, _Leaf] = field(default_factory=dict)
    empty: set[str] = field(default_factory=set)
    """Tables without rows, which take those of the first column that they get."""

    def read(self, index: int, line: Line) -> bool:
        """Whether a statement puts rows beside others; after it, what it sets is known."""
        return self._statements(index, line, [line.node])

    def _statements(self, index: int, line: Line, nodes: Sequence[ast.stmt]) -> bool:
        """The same of several, with those inside of what runs once."""
        mixes = False
        for node in nodes:
            match node:
                case ast.If() | ast.With() | ast.Try():
                    blocks = [node.body, *(getattr(node, name, []) for name in ("orelse", "finalbody"))]
                    blocks += [one.body for one in getattr(node, "handlers", [])]
                    for block in blocks:
                        mixes |= self._statements(index, line, block)
                case ast.Assign(targets=targets, value=value):
                    for one in targets:
                        mixes |= self._assigned(index, line, one, value)
                case (
                    ast.AnnAssign(target=target, value=ast.expr() as value)
                    | ast.AugAssign(target=target, value=value)
                ):
                    mixes |= self._assigned(index, line, target, value)
                case ast.Expr(value=value):
                    # a method may put what it is given into its table
                    mixes |= self._is_mixed(self._known(index, line, value))
        return mixes

    def _assigned(self, index: int, line: Line, target: ast.expr, value: ast.expr) -> bool:
        if isinstance(target, (ast.Tuple, ast.List)):
            if isinstance(value, ast.Call) and ast.unparse(value.func).endswith("train_test_split"):
                self._split(index, line, target.elts, value)
                return False
            is_pairs = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
            parts = (
                value.elts
                if is_pairs and isinstance(value, (ast.Tuple, ast.List))
                else [value] * len(target.elts)
            )
            # all values are there before the first name is set
            leaves = [self._known(index, line, one) for one in parts]
            mixed = [self._kept(one, known) for one, known in zip(target.elts, leaves, strict=True)]
            return any(mixed)
        if isinstance(target, ast.Name) and isinstance(value, ast.Call):
            has_rows = bool(value.args) or any(word.arg != "columns" for word in value.keywords)
            is_table = ast.unparse(value.func).rpartition(".")[2] == "DataFrame"
            (self.empty.add if is_table and not has_rows else self.empty.discard)(target.id)
        return self._kept(target, self._known(index, line, value))

    def _kept(self, target: ast.expr, known: list[_Leaf]) -> bool:
        if isinstance(target, (ast.Subscript, ast.Attribute)):
            root = root_name(target) or ""
            if root in self.empty and known:
                self.empty.discard(root)
                self.names[root] = _Leaf(known[0].cut, False)
            base = self.names.get(root, _Leaf((), False))
            return any(one.is_bare and one.cut != base.cut for one in known)
        if isinstance(target, ast.Name) and known:
            self.names[target.id] = _Leaf(known[0].cut, all(one.is_bare for one in known))
        return self._is_mixed(known)

    def _known(self, index: int, line: Line, value: ast.expr) -> list[_Leaf]:
        drops = _drops_labels(value)
        return [_Leaf(one.cut, one.is_bare or drops) for one in self._leaves(index, line, value)]

    def _is_mixed(self, known: list[_Leaf]) -> bool:
        return len({one.cut for one in known}) > 1 and any(one.is_bare for one in known)

    def is_cut(self, node: ast.stmt) -> bool:
        """Whether it changes a table that has not all rows any more, or none."""
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if not isinstance(target, ast.Subscript):
            return True
        return bool(self.names.get(root_name(target) or "", _Leaf((), False)).cut)

    def _split(self, index: int, line: Line, targets: Sequence[ast.expr], call: ast.Call) -> None:
        how = ", ".join(sorted(ast.unparse(word) for word in call.keywords))
        for place, one in enumerate(targets):
            given = call.args[place // 2] if place // 2 < len(call.args) else None
            leaves = list(self._leaves(index, line, given)) if given is not None else []
            if isinstance(one, ast.Name) and leaves:
                cut = (*leaves[0].cut, f"split {place % 2} {how}")
                self.names[one.id] = _Leaf(cut, leaves[0].is_bare)

    def _leaves(self, index: int, line: Line, node: ast.AST) -> Iterator[_Leaf]:
        """The rows that an expression puts together."""
        if isinstance(node, ast.Lambda):
            return
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            for part in node.generators:
                yield from (_Leaf(one.cut, True) for one in self._leaves(index, line, part.iter))
            return
        if isinstance(node, (ast.Subscript, ast.Call)) and self._is_selection(index, line, node):
            source, how = _taken(node)
            for one in self._leaves(index, line, source):
                named = self.names.get(_labels_in(how))
                cut = named.cut if named is not None else (*one.cut, how)
                yield _Leaf(cut, one.is_bare or _drops_labels(source))
            return
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if self._is_rows(node.id, index) and self.found.rows_read(node, index):
                yield self.names.get(node.id, _Leaf((), False))
            return
        for child in ast.iter_child_nodes(node):
            yield from self._leaves(index, line, child)

    def _is_selection(self, index: int, line: Line, node: ast.expr) -> bool:
        start, end = line.code.span(node)
        text = line.code.text[start:end]
        return any(one.line == index and one.call == text for one in self.found.selections)

    def _is_rows(self, name: str, index: int) -> bool:
        for place in range(index - 1, -1, -1):
            value = self.found.values.get(place, {}).get(name)
            if value is not None:
                return value.kind == ROWS
        return False


def check_rows_together(found: Found, chosen: Slice, answers: Collection[str]) -> None:
    """Refuse a slice that puts values of some rows beside others, and answers that a person puts beside all."""
    lines = {part.line for part in chosen.parts}
    rows = _Rows(found)
    for index, line in enumerate(found.program.lines):
        is_of_answers = line.flow.reads & set(answers) and not rows.is_cut(line.node)
        if rows.read(index, line) and (index in lines or is_of_answers):
            raise refusals.rows_apart(line.place.cell, line.typed.strip().partition("\n")[0])


def _taken(node: ast.Subscript | ast.Call) -> tuple[ast.expr, str]:
    """From what rows are taken, and how; which columns are taken with them is no matter."""
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Attribute)
        arguments = ", ".join(ast.unparse(one) for one in [*node.args, *node.keywords])
        return node.func.value, f".{node.func.attr}({arguments})"
    first = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
    source = node.value
    if isinstance(source, ast.Attribute) and source.attr in ("loc", "iloc"):
        source = source.value
    return source, f"[{ast.unparse(first)}]"


def _labels_in(how: str) -> str:
    """Of `table.loc[kept.index]`, which has the rows of `kept`, that name."""
    return how[1:-1].removesuffix(".index") if how.startswith("[") and how.endswith(".index]") else ""


def _drops_labels(node: ast.AST) -> bool:
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute) and one.attr in _BARE:
            return True
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "list":
            return True
        if isinstance(one, (ast.Call, ast.Subscript)):
            name = ast.unparse(one.func if isinstance(one, ast.Call) else one.value)
            if name.startswith(_ARRAYS) or name.rpartition(".")[2].startswith("predict"):
                return True
    return False
