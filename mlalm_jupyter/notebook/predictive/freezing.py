"""Statements as they stand where nothing is fitted any more, and what was fitted by each."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mlalm_jupyter.notebook.code import code_of, root_name
from mlalm_jupyter.notebook.predictive.drafts import Found, Piece
from mlalm_jupyter.notebook.predictive.known_rows import FITS, WELL_KNOWN
from mlalm_jupyter.notebook.predictive.naming import named
from mlalm_jupyter.notebook.predictive.nested import GATHERS, Nested
from mlalm_jupyter.notebook.predictive.program import Line, Program
from mlalm_jupyter.notebook.predictive.values import CONST, FITTED, NOTHING, ROWS, Value

_Compound = (ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.Try, ast.Match)

_TRAINS = FITS | {"fit_transform", "fit_predict"}
_TRAINED_BEFORE = "It was trained in the training notebook."


def frozen(program: Program) -> Found:
    """What freezing a program finds."""
    found = Found(program, taken=set(program.names))
    Freezer(found).run()
    named(found)
    return found


class Freezer(Nested):
    """Goes through statements in the order in which they ran."""

    def run(self) -> None:
        for index, line in enumerate(self.found.program.lines):
            self.here = self.text_line = index
            self.fits, self.depth, self.bound, self.loop = [], 0, frozenset(), None
            self.brought = self.is_gathered = False
            before = set(line.flow.writes | line.flow.changes)
            pieces = self._by_hand(line) if line.hand else None
            self.found.pieces[index] = self._line(line) if pieces is None else pieces
            self.found.values[index] = {name: self.env[name] for name in before if name in self.env}

    def _by_hand(self, line: Line) -> list[Piece] | None:
        """What a tag of the cell says of it."""
        names = sorted((line.flow.writes | line.flow.changes) - line.flow.imports - line.flow.defines)
        if isinstance(line.node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)):
            return None
        if line.hand in ("skip", "evaluate"):
            for name in names:
                self.env.setdefault(name, Value(FITTED))
            return []
        if line.hand == "train":
            words = set(re.findall(r"\w+", line.typed))
            names = sorted({*names, *(one for one in words if self.env.get(one, NOTHING).is_unfitted)})
            self._line(line)
            self.found.troubles.pop(self.here, None)
            self.found.hoisted[:] = [one for one in self.found.hoisted if one.line != self.here]
            self.found.assets[:] = [one for one in self.found.assets if one.line != self.here]
            self.trained |= set(names)
            if self.found.program.ends[line.place.cell] != self.here:
                return []
            names, self.trained = sorted(self.trained), set()
            return [self._fitted(name, self.env.get(name, NOTHING)) for name in names]
        if line.hand == "import":
            for name in names:
                self.env[name] = Value(ROWS)
            if names:
                self.found.sources[self.here] = names
            return self._typed(line.node)
        return None

    def _line(self, line: Line) -> list[Piece]:
        magic = line.magic
        if isinstance(line.node, ast.Expr) and magic is not None:
            for mark in self.marks.get(self.here, ()):
                self.env[mark.variable] = Value(ROWS)
                self.found.sources[self.here] = [mark.variable]
            return []
        node = line.node
        pieces = self._statement(node)
        if line.hand == "transform":
            self.found.troubles.pop(self.here, None)
        fits = list(self._fits())
        # what is fitted and used in one statement has its name before
        return [*pieces, *fits] if isinstance(node, _Compound) else [*fits, *pieces]

    def _fits(self) -> Iterator[Piece]:
        """What the statement trained in place, with what that is part of, or is made of."""
        done: set[str] = set()
        for name, value in self.fits:
            if name in done or name in self.imports:
                continue
            done.add(name)
            yield self._fitted(name, value)
            others = set(value.parts) | set(self.found.program.lines[self.here].aliases.get(name, ()))
            for other in sorted(others - done):
                if other in self.env:
                    done.add(other)
                    yield self._fitted(other, self.env[other])
        self.fits = []

    def _statement(self, node: ast.stmt) -> list[Piece]:
        match node:
            case ast.Import() | ast.ImportFrom():
                self._import(node)
                return self._typed(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.functions[node.name] = self.here, node
                self.env.pop(node.name, None)
                return self._typed(node)
            case ast.ClassDef():
                self._class(node)
                self.env.pop(node.name, None)
                return self._typed(node)
            case ast.Assign(targets=[target], value=value):
                return self._assign(node, target, value)
            case ast.Assign(targets=targets, value=value):
                found = self.value(value)
                if found.kind == FITTED and found.is_raw:
                    return [self._fitted(one.id, found) for one in targets if isinstance(one, ast.Name)]
                for one in targets:
                    self._bind(one, found)
                return self._typed(node)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                return self._assign(node, target, value)
            case ast.AugAssign(target=target, value=value):
                return self._change(node, target, self.value(value), value)
            case ast.Expr(value=value):
                return self._expression(node, value)
            case ast.Delete(targets=targets):
                return self._delete(node, targets)
            case ast.Assert() | ast.Pass():
                return []
            case _ if isinstance(node, _Compound):
                return self._compound(node)
            case _:
                return self._typed(node)

    def _class(self, node: ast.ClassDef) -> None:
        """A class; those of its methods that fit something are of no use where nothing is fitted."""
        methods = [one for one in node.body if isinstance(one, ast.FunctionDef) and _trains(one)]
        self.classes[node.name] = frozenset(one.name for one in methods)
        for one in methods:
            start, end = self.code.span(one.body[0])[0], self.code.span(one.body[-1])[1]
            self.edit(start, end, f"raise TypeError({_TRAINED_BEFORE!r})", is_kept_only=True)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for one in node.names:
            self.env.pop(one.asname or one.name.partition(".")[0], None)
        modules = [one.name for one in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        for module in modules:
            top = module.partition(".")[0]
            if top and top not in WELL_KNOWN and top not in sys.stdlib_module_names:
                self.found.notes.append(
                    f"Cell {self.cell} imports {top}: if scoring needs it, it has to be there, or to travel along."
                )

    def _expression(self, node: ast.stmt, value: ast.expr) -> list[Piece]:
        line = self.found.program.lines[self.here]
        popped = self._popped(value)
        first = len(self.found.selections)
        found = self.value(value)
        changed = sorted(line.flow.changes - self.imports.keys())
        self._name_selections(first, changed)
        if popped is not None:
            return popped
        if self.brought and changed and found.kind != ROWS and isinstance(value, ast.Call):
            mine = [name for name in changed if self.env.get(name, NOTHING).kind == ROWS]
            if mine:
                self.found.sources[self.here] = mine
        if not changed:
            return self._typed(node) if self._may_change(value) else []
        fitted = {name for name, _ in self.fits}
        rest = [name for name in changed if name not in fitted]
        if not rest:
            return []
        if found.kind == FITTED and found.is_raw and not self.fits:
            if all(self.env.get(name, NOTHING).kind != ROWS for name in rest):
                return [self._fitted(name, self.env.get(name, NOTHING)) for name in rest]
        elif found.kind == ROWS:
            gathers = (
                isinstance(value, ast.Call)
                and isinstance(value.func, ast.Attribute)
                and value.func.attr in GATHERS
            )
            if gathers and all(self.env.get(name, NOTHING).kind in (CONST, FITTED) for name in rest):
                return [self._fitted(name, NOTHING) for name in rest]
            for name in rest:
                if name in self.env and self.env[name].kind == CONST:
                    self.env[name] = Value(ROWS, is_scored=found.is_scored, model=found.model)
        return self._typed(node)

    def _may_change(self, value: ast.expr) -> bool:
        """Whether it gives rows to a function that is not known, and that may change them."""
        if not isinstance(value, ast.Call):
            return False
        root = root_name(value.func) or ""
        module = self.imports.get(root, "").partition(".")[0]
        is_strange = bool(module) and module not in WELL_KNOWN and module not in sys.stdlib_module_names
        return is_strange and any(
            isinstance(one, ast.Name) and self.env.get(one.id, NOTHING).kind == ROWS for one in value.args
        )

    def _delete(self, node: ast.stmt, targets: Sequence[ast.expr]) -> list[Piece]:
        pieces = [replace(one, in_kept=False) for one in self._typed(node)]
        for target in targets:
            if (
                isinstance(target, ast.Subscript)
                and self.env.get(root_name(target) or "", NOTHING).kind == ROWS
            ):
                table, key = self.text(target.value), self.text(target.slice)
                text = f"{table}.drop(columns={key if isinstance(target.slice, ast.List) else f'[{key}]'}, "
                pieces.append(
                    Piece(self.here, text=f'{text}errors="ignore", inplace=True)', in_program=False)
                )
        return pieces

    def _compound(self, node: ast.stmt) -> list[Piece]:
        line = self.found.program.lines[self.here]
        before = dict(self.env)
        counts = (len(self.found.hoisted), len(self.found.troubles.get(self.here, ())))
        # a name set here and used further down in the loop is read before it is known once
        self.depth = 0 if isinstance(node, (ast.With, ast.AsyncWith)) else 1
        self.bound = frozenset(line.flow.writes)
        self.inner(node)
        self.depth, self.bound = 0, frozenset()
        changed = line.flow.writes | line.flow.changes
        learned = (
            len(self.found.hoisted) > counts[0] or len(self.found.troubles.get(self.here, ())) > counts[1]
        )
        pieces = self._typed(node)
        fitted = {name for name, _ in self.fits}
        if learned or fitted:
            for name in sorted(changed - fitted - self.imports.keys()):
                value = self.env.get(name, NOTHING)
                was = before.get(name, NOTHING)
                if value.kind != ROWS and was.kind != ROWS:
                    pieces.append(self._fitted(name, replace(value, text="", is_raw=False)))
        if isinstance(node, ast.For) and self._only_selects(pieces[0]):
            pieces[0].in_kept = False
        for name, value in list(self.env.items()):
            if value.text or value.is_raw:
                self.env[name] = replace(value, text="", is_raw=False)
        return pieces

    def _only_selects(self, piece: Piece) -> bool:
        """Whether a loop does nothing to rows but leave some out."""
        code = code_of(self.found.rendered(piece, is_kept=True))
        if not any(one.line == self.here for one in self.found.selections) or code.fault:
            return False
        changed: set[str] = set()
        for one in ast.walk(code.tree):
            targets = one.targets if isinstance(one, ast.Assign) else [getattr(one, "target", None)]
            is_idle = isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == ast.unparse(one.value)
            if isinstance(one, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and not is_idle:
                changed |= {root for target in targets if target is not None and (root := root_name(target))}
            elif isinstance(one, ast.Expr):
                changed |= {inner.id for inner in ast.walk(one) if isinstance(inner, ast.Name)}
        return not any(self.env.get(name, NOTHING).kind == ROWS for name in changed)


def _trains(method: ast.FunctionDef) -> bool:
    return any(isinstance(one, ast.Attribute) and one.attr in _TRAINS for one in ast.walk(method))
