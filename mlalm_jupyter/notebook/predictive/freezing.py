"""Statements as they stand where nothing is fitted any more, and what was fitted by each."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mlalm_jupyter.notebook.binding import names_bound
from mlalm_jupyter.notebook.code import code_of, root_name
from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.calls import Calls
from mlalm_jupyter.notebook.predictive.drafts import Asset, Found, Piece
from mlalm_jupyter.notebook.predictive.expressions import Loop
from mlalm_jupyter.notebook.predictive.known_rows import BRINGS_TABLE, WELL_KNOWN
from mlalm_jupyter.notebook.predictive.labels import labels_of
from mlalm_jupyter.notebook.predictive.lookups import lookups_of
from mlalm_jupyter.notebook.predictive.naming import models_named, named
from mlalm_jupyter.notebook.predictive.program import Line, Program
from mlalm_jupyter.notebook.predictive.values import CONST, FITTED, NOTHING, ROWS, SOURCE, Value, joined

_GATHERS = frozenset({"add", "update", "extend", "setdefault"})
"""Methods that put what many rows have into one thing."""

_Compound = (ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def frozen(program: Program) -> Found:
    """What freezing a program finds."""
    found = Found(program, taken=set(program.names))
    Freezer(found).run()
    named(found)
    return found


class Freezer(Calls):
    """Goes through statements in the order in which they ran."""

    def __init__(self, found: Found) -> None:
        super().__init__(found, labels_of(found.program))
        self.models = models_named(found.program)
        self.level = _level(found.program)
        self.lookups = lookups_of(found.program)
        self.is_marked = any(
            (line.magic is not None and line.magic.name == "web_input") or line.hand == "import"
            for line in found.program.lines
        )
        self.returned: list[Value] = []
        self.trained: set[str] = set()
        """What a cell that is tagged as training has set so far."""

    def run(self) -> None:
        for index, line in enumerate(self.found.program.lines):
            self.here = self.text_line = index
            self.fits, self.brought, self.depth, self.bound, self.loop = [], False, 0, frozenset(), None
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
            words = [word for word in magic.rest.split() if not word.startswith("-")]
            if magic.name == "web_input" and words:
                self.env[words[0]] = Value(ROWS)
                self.found.sources[self.here] = [words[0]]
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

    def _fitted(self, name: str, value: Value) -> Piece:
        """A variable that holds something fitted after this statement."""
        asset = Asset(self.here, name, name, maker=value.maker)
        self.found.assets.append(asset)
        self.env[name] = Value(
            FITTED,
            maker=value.maker,
            parts=value.parts,
            model=name,
            trained_on=value.trained_on,
            items=value.items,
            elements=tuple(replace(one, is_raw=False, model="") for one in value.elements),
        )
        return Piece(self.here, asset=asset)

    def _typed(self, node: ast.stmt) -> list[Piece]:
        start, end = self.code.span(node)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.decorator_list:
            start = self.code.text.rindex("@", 0, self.code.span(node.decorator_list[0])[0])
        return [Piece(self.here, start, end)]

    # statements

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
                self.classes.add(node.name)
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

    def _assign(self, node: ast.stmt, target: ast.expr, value: ast.expr) -> list[Piece]:
        if isinstance(target, (ast.Tuple, ast.List)):
            return self._unpack(node, target, value)
        if not isinstance(target, ast.Name):
            return self._change(node, target, self.value(value), value)
        popped = self._popped(value)
        first = len(self.found.selections)
        found = self.value(value)
        name = target.id
        self._name_selections(first, [name])
        if found.kind == ROWS and name in self.models and self._may_be_model(value, found):
            found = Value(FITTED, is_raw=True, maker=found.maker)
        is_model = found.kind == FITTED and name in self.models and not isinstance(value, ast.Name)
        if found.kind == FITTED and (found.is_raw or is_model):
            return [self._fitted(name, found)]
        if found.kind == ROWS and self.brought and name in self.lookups:
            return [self._fitted(name, NOTHING)]
        if found.kind == ROWS and self.brought and not self._is_from_rows(value):
            self.found.sources[self.here] = [name]
        self._bind(target, found)
        self._copied(name, value)
        pieces = self._typed(node)
        if found.is_unfitted:
            pieces[0].unfitted = name
        return popped if popped is not None else pieces

    def _copied(self, name: str, value: ast.expr) -> None:
        """Rows that were selected are others than those they were taken from, which what follows may change."""
        if isinstance(value, ast.Name) or self.inside:
            return
        text = self.found.rendered(Piece(self.text_line, *self.code.span(value)), is_kept=True).strip()
        if text.isidentifier() and text != name and self.env.get(text, NOTHING).kind == ROWS:
            self.after(value, ".copy()", is_kept_only=True)

    def _may_be_model(self, value: ast.expr, found: Value) -> bool:
        """A value that predicts, and comes out of a call that nothing is known of."""
        return isinstance(value, ast.Call) and not found.is_scored and not found.maker

    def _is_from_rows(self, value: ast.expr) -> bool:
        """Whether it takes something of rows that were there before."""
        return any(
            isinstance(one, ast.Name) and self.env.get(one.id, NOTHING).kind == ROWS
            for one in ast.walk(value)
        )

    def _name_selections(self, first: int, targets: Sequence[str]) -> None:
        for index in range(first, len(self.found.selections)):
            one = self.found.selections[index]
            if not one.target and targets:
                self.found.selections[index] = replace(one, target=targets[0])

    def _popped(self, value: ast.expr) -> list[Piece] | None:
        """`y = df.pop('y')` takes the label off, which rows of a caller do not have."""
        constants = self.found.program.lines[self.here].constants
        for one in ast.walk(value):
            if not (
                isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "pop"
            ):
                continue
            key = one.args[0] if one.args else None
            name = constants.get(key.id) if isinstance(key, ast.Name) else getattr(key, "value", None)
            if (
                self.env.get(root_name(one) or "", NOTHING).kind != ROWS
                or key is None
                or name not in self.labels
            ):
                continue
            table = self.text(one.func.value)
            start, end = self.code.span(self.found.program.lines[self.here].node)
            text = f'{table} = {table}.drop(columns=[{self.text(key)}], errors="ignore")'
            return [
                Piece(self.here, start, end, in_kept=False),
                Piece(self.here, text=text, in_program=False),
            ]
        return None

    def _bind(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            plain = replace(value, is_raw=value.is_raw and bool(self.inside), text="")
            if plain.kind == FITTED:
                plain = replace(plain, model=plain.model or target.id)
            self.env[target.id] = plain
        elif isinstance(target, (ast.Tuple, ast.List)):
            parts = value.elements if len(value.elements) == len(target.elts) else ()
            for index, one in enumerate(target.elts):
                self._bind(one, parts[index] if parts else replace(value, elements=(), items=()))
        elif isinstance(target, ast.Starred):
            self._bind(target.value, replace(value, elements=()))
        else:
            root = root_name(target)
            if root is not None and root in self.env and value.kind == ROWS:
                self.env[root] = replace(self.env[root], kind=ROWS)

    def _unpack(self, node: ast.stmt, target: ast.Tuple | ast.List, value: ast.expr) -> list[Piece]:
        names = [one.id if isinstance(one, ast.Name) else "" for one in target.elts]
        if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(names) and all(names):
            reads = [{one.id for one in ast.walk(part) if isinstance(one, ast.Name)} for part in value.elts]
            if not any(names[early] in reads[late] for late in range(len(names)) for early in range(late)):
                pieces: list[Piece] = []
                for one, part in zip(target.elts, value.elts, strict=True):
                    pieces += self._part(one, part)
                return pieces
        first = len(self.found.selections)
        found = self.value(value)
        if found.kind == FITTED and found.is_raw:
            parts = found.elements if len(found.elements) == len(names) else ()
            return [
                self._fitted(name, replace(parts[index] if parts else found, is_raw=True))
                for index, name in enumerate(names)
                if name and name != "_"
            ]
        if found.maker == "train_test_split" and isinstance(value, ast.Call):
            del self.found.selections[first:]
            return self._split_pieces(node, target, value, found)
        if self.brought and not self._is_from_rows(value):
            self.found.sources[self.here] = [name for name in names if name]
        self._bind(target, found)
        pieces = self._typed(node)
        for name, element in zip(names, found.elements, strict=False):
            if name and element.kind == FITTED and element.is_raw:
                pieces.append(self._fitted(name, element))
        return pieces

    def _part(self, target: ast.expr, value: ast.expr) -> list[Piece]:
        """One of `a, b = x, y`."""
        popped = self._popped(value)
        first = len(self.found.selections)
        found = self.value(value)
        assert isinstance(target, ast.Name)
        self._name_selections(first, [target.id])
        if found.kind == FITTED and found.is_raw:
            return [self._fitted(target.id, found)]
        if found.kind == ROWS and self.brought and not self._is_from_rows(value):
            self.found.sources.setdefault(self.here, []).append(target.id)
        self._bind(target, found)
        self._copied(target.id, value)
        if popped is not None:
            return [popped[1]]
        start, end = self.code.span(value)
        return [
            Piece(self.here, start, end, f"{target.id} = ", unfitted=target.id if found.is_unfitted else "")
        ]

    def _split_pieces(
        self, node: ast.stmt, target: ast.Tuple | ast.List, value: ast.Call, found: Value
    ) -> list[Piece]:
        self._bind(target, found)
        pieces = self._typed(node)
        pieces[0].in_kept = False
        for index, one in enumerate(target.elts):
            argument = value.args[index // 2] if index // 2 < len(value.args) else None
            if isinstance(one, ast.Name) and argument is not None:
                start, end = self.code.span(argument)
                pieces.append(Piece(self.here, start, end, f"{one.id} = ", in_program=False))
                is_name = isinstance(argument, ast.Name) and argument.id != one.id
                if is_name:
                    pieces[-1].text = f"{one.id} = {self.text(argument)}.copy()"
                self.select(one.id, root_name(argument) or self.text(argument), self.text(value))
        # the whole call is not kept, so that nothing stands for it
        whole = self.code.span(value)
        self.found.edits[:] = [
            one
            for one in self.found.edits
            if not (one.line == self.text_line and (one.start, one.end) == whole and one.is_kept_only)
        ]
        return pieces

    def _change(self, node: ast.stmt, target: ast.expr, found: Value, value: ast.expr) -> list[Piece]:
        """`df['a'] = ...`, `means['a'] = ...`, `total += ...`."""
        root = root_name(target)
        base = self.env.get(root or "", NOTHING)
        if base.kind == ROWS and isinstance(target, ast.Attribute) and target.attr == "columns":
            return self._rename(node, target)
        self._places(target)
        if base.kind == ROWS:
            if found.kind == FITTED and found.is_raw:
                self.replace(value, self.hoist(value, found))
            pieces = self._typed(node)
            if self._label_in(target):
                pieces[0].in_kept = False
            if root is not None and found.is_scored:
                pieces[0].is_scoring = True
            return pieces
        if root is None:
            return self._typed(node)
        if found.kind == FITTED and found.is_raw:
            return [self._fitted(root, replace(found, elements=(), items=()))]
        if found.kind in (ROWS, SOURCE):
            self.env[root] = Value(ROWS, is_scored=found.is_scored, model=found.model)
        elif found.kind == FITTED and base.kind == CONST:
            self.env[root] = Value(FITTED, model=root)
        elif found.is_unfitted and base.kind == CONST:
            self.env[root] = replace(base, is_unfitted=True)
        return self._typed(node)

    def _places(self, target: ast.expr) -> None:
        """What stands in the brackets of a target."""
        while isinstance(target, (ast.Subscript, ast.Attribute)):
            if isinstance(target, ast.Subscript):
                parts = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
                for one in parts:
                    found = self.value(one)
                    if found.kind == FITTED and found.is_raw:
                        self.replace(one, self.hoist(one, found))
            target = target.value

    def _label_in(self, target: ast.expr) -> bool:
        if isinstance(target, ast.Attribute):
            return isinstance(target.value, ast.Name) and target.attr in self.labels
        if not isinstance(target, ast.Subscript):
            return False
        last = (
            target.slice.elts[-1]
            if isinstance(target.slice, ast.Tuple) and target.slice.elts
            else target.slice
        )
        if isinstance(last, ast.Name):
            return self.found.program.lines[self.here].constants.get(last.id) in self.labels
        return isinstance(last, ast.Constant) and last.value in self.labels

    def _rename(self, node: ast.stmt, target: ast.Attribute) -> list[Piece]:
        """`df.columns = [...]` by names, because the label is no longer among them."""
        table = self.text(target.value)
        before = self.found.fresh(f"{table}_columns")
        after = self.found.fresh(f"{table}_new_columns")
        expression = f"list({table}.columns)"
        self.found.hoisted += [
            Asset(self.here, expression, "", before, is_before=True),
            Asset(self.here, expression, "", after),
        ]
        text = f"{table} = {table}.rename(columns=dict(zip({before}, {after})))"
        if self.inside or self.depth:
            self.found.trouble(self.here, refusals.over_rows(self.cell, f"{table}.columns", "inside a loop"))
        return [Piece(self.here, text=text)]

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
                and value.func.attr in _GATHERS
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

    # statements inside others

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

    def inner(self, node: ast.stmt) -> None:
        """A statement inside a loop, a condition or a function."""
        match node:
            case ast.For() | ast.AsyncFor():
                self._for(node)
            case ast.If(test=test, body=body, orelse=orelse):
                found = self.value(test)
                if found.kind == FITTED and found.is_raw:
                    self.replace(test, self.hoist(test, found, hint="condition"))
                typed = self.text(test)
                before = set(self.loop.touched) if self.loop is not None else set()
                self._branch(body, typed)
                after = set(self.loop.touched) if self.loop is not None else set()
                if self.loop is not None:
                    self.loop.touched = before
                self._branch(orelse, f"not ({typed})")
                if self.loop is not None:
                    self.loop.touched |= after
            case ast.While(test=test, body=body):
                self.value(test)
                self._branch(body, "")
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self._bind_optional(item.optional_vars, self.value(item.context_expr))
                self._branch(node.body, "")
            case ast.Try():
                for part in (node.body, *(one.body for one in node.handlers), node.orelse, node.finalbody):
                    self._branch(part, "")
            case ast.Return(value=value):
                self.returned.append(NOTHING if value is None else self.value(value))
            case ast.Assign(targets=targets, value=value):
                self._inner_assign(node, targets, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._inner_assign(node, [target], value)
            case ast.AugAssign(target=target, value=value):
                self._inner_change(node, target, self.value(value), value)
            case ast.Expr(value=value):
                self._inner_expression(node, value)
            case ast.FunctionDef():
                self.functions[node.name] = self.text_line, node
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.value(child)

    def body(self, statements: list[ast.stmt]) -> Value:
        """What a function gives back."""
        outer, self.returned = self.returned, []
        outer_depth, self.depth = self.depth, self.depth + 1
        for one in statements:
            self.inner(one)
        found, self.returned = self.returned, outer
        self.depth = outer_depth
        whole = joined(found)
        if len(found) == 1:
            return found[0]
        sizes = {len(one.elements) for one in found}
        if len(sizes) == 1 and sizes != {0}:
            columns = zip(*(one.elements for one in found), strict=True)
            return replace(whole, elements=tuple(joined(column) for column in columns))
        return whole

    def _branch(self, statements: Sequence[ast.stmt], condition: str) -> None:
        if self.loop is not None and condition:
            self.loop.conditions.append(condition)
        for one in statements:
            self.inner(one)
        if self.loop is not None and condition:
            self.loop.conditions.pop()

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        over = self.value(node.iter)
        outer, outer_rows, outer_drawn = self.loop, self.is_over_rows, self.drawn
        root = root_name(node.iter)
        if root is not None and root in self.env and over.kind == CONST:
            names = {one.id for one in ast.walk(node.target) if isinstance(one, ast.Name)}
            self.drawn = {**self.drawn, **dict.fromkeys(names, root)}
        self.is_over_rows = self.is_over_rows or over.kind in (ROWS, SOURCE)
        if over.kind in (CONST, FITTED) and isinstance(node.target, ast.Name) and not self.inside:
            typed = self.text(node.iter)
            if over.kind == FITTED and over.is_raw:
                self.replace(node.iter, self.hoist(node.iter, over))
            if outer is None:
                self.loop = Loop(node.target.id, typed)
                if (self.labels and over.kind == FITTED) or any(name in self.labels for name in over.items):
                    gone = repr(tuple(sorted(self.labels)))
                    start, end = self.code.span(node.iter)
                    self.edit(start, start, "[name for name in ", is_kept_only=True)
                    self.edit(end, end, f" if name not in {gone}]", is_kept_only=True)
            self.env[node.target.id] = Value(CONST)
        else:
            # a name out of a list that was fitted is not fitted by itself
            self._bind(node.target, replace(over, elements=(), items=(), is_raw=False))
        for one in (*node.body, *node.orelse):
            self.inner(one)
        self.loop, self.is_over_rows, self.drawn = outer, outer_rows, outer_drawn

    def _bind_optional(self, target: ast.expr | None, value: Value) -> None:
        if target is not None:
            self._bind(target, value)

    def _inner_assign(self, node: ast.stmt, targets: Sequence[ast.expr], value: ast.expr) -> None:
        first = len(self.found.selections)
        found = self.value(value)
        for target in targets:
            if isinstance(target, ast.Name):
                self._name_selections(first, [target.id])
                if found.kind == FITTED and found.is_raw and not self.inside:
                    if self.fits and isinstance(value, ast.Call):
                        self.fits.append((target.id, found))
                    else:
                        self.replace(value, self.hoist(value, found, hint=target.id))
                        found = replace(found, is_raw=False)
                if found.kind == FITTED and found.is_raw and self._is_shared(target.id):
                    self.fits.append((target.id, found))
                    found = replace(found, is_raw=False)
                if found.is_unfitted and self.loop is not None:
                    self.loop.made[target.id] = self.text(value)
                if self.loop is not None and found.kind == ROWS:
                    self.loop.changed.add(target.id)
                self._bind(target, found)
            elif isinstance(target, (ast.Tuple, ast.List)):
                self._bind(target, found)
            else:
                self._inner_change(node, target, found, value)

    def _is_shared(self, name: str) -> bool:
        """Whether a function sets it for the whole notebook."""
        return bool(self.inside) and name in names_bound(self.functions[self.inside[-1]][1].body)[1]

    def _inner_change(self, node: ast.stmt, target: ast.expr, found: Value, value: ast.expr) -> None:
        root = root_name(target)
        base = self.env.get(root or "", NOTHING)
        self._places(target)
        if base.kind == ROWS:
            if found.kind == FITTED and found.is_raw:
                self.replace(value, self.hoist(value, found))
            if self._label_in(target) and not isinstance(node, ast.AugAssign):
                self.edit(*self.code.span(node), "pass", is_kept_only=True)
        elif root is not None and self.is_over_rows and base.kind != SOURCE and not self.inside:
            # a dictionary or sum over all rows
            self.fits.append((root, Value(FITTED, model=root)))
            self.env[root] = Value(FITTED, model=root)
        elif root is not None and found.kind == FITTED:
            # it is taken after the whole statement
            if root not in self.bound or self.inside:
                self.edit(*self.code.span(node), "pass")
                self.fits.append((root, Value(FITTED, model=root)))
            self.env[root] = Value(FITTED, model=root)
        elif root is not None and found.kind == ROWS:
            self.env[root] = Value(ROWS, is_scored=found.is_scored, model=found.model)
        self._touch(target, root, base)

    def _touch(self, target: ast.expr, root: str | None, base: Value) -> None:
        if self.loop is None or root is None or base.kind != ROWS:
            return
        if isinstance(target, ast.Subscript):
            names = {one.id for one in ast.walk(target.slice) if isinstance(one, ast.Name)}
            last = target.slice.elts[-1] if isinstance(target.slice, ast.Tuple) else target.slice
            if isinstance(last, ast.Name) and last.id == self.loop.target:
                self.loop.touched.add(root)
                return
            if self.loop.target in names:
                return
        self.loop.changed.add(root)

    def _inner_expression(self, node: ast.stmt, value: ast.expr) -> None:
        is_fit = (
            isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "fit"
        )
        first = len(self.fits)
        mark = self.found.mark()
        found = self.value(value)
        if is_fit and not self.inside and self.loop is not None and len(self.fits) > first:
            assert isinstance(value, ast.Call)
            name = self.fits[-1][0]
            made = self.loop.made.get(name)
            maker = made or f"__import__('copy').deepcopy({name})"
            arguments = ", ".join(self.text(one) for one in value.args)
            text = self.hoist(
                value, Value(maker=self.env.get(name, NOTHING).maker), expression=f"{maker}.fit({arguments})"
            )
            if not self.found.troubles.get(self.here):
                del self.fits[first:]
                self.edit(*self.code.span(node), f"{name} = {text}")
                self.env[name] = Value(FITTED, maker=self.env.get(name, NOTHING).maker)
            return
        func = value.func if isinstance(value, ast.Call) else None
        if (
            self.is_over_rows
            and isinstance(func, ast.Attribute)
            and func.attr in _GATHERS
            and not self.inside
        ):
            root = root_name(func)
            if root is not None and self.env.get(root, NOTHING).kind in (CONST, FITTED):
                self.fits.append((root, Value(FITTED, model=root)))
            return
        if found.kind == FITTED and found.is_raw and not self.inside:
            self.found.forget(mark)
            changes = isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute)
            root = root_name(value.func) if isinstance(value, ast.Call) else None
            self.edit(*self.code.span(node), "pass")
            if changes and root in self.env and root is not None and self.env[root].kind in (CONST, FITTED):
                self.fits.append((root, Value(FITTED, model=root)))


def _level(program: Program) -> str:
    """What brings tables in, where some call does: a reader, a table that is written out, or an array."""
    names = {call.last for line in program.lines for call in line.flow.calls} | {
        line.magic.name for line in program.lines if line.magic is not None
    }
    if names & (BRINGS_TABLE | {"dataset"}) or any(
        name.startswith(("load_", "fetch_", "make_"))
        and name
        not in ("make_pipeline", "make_column_transformer", "make_union", "make_scorer", "make_subplots")
        for name in names
    ):
        return "reader"
    return "frame" if "DataFrame" in names else "array"
