"""What assignments leave behind: rows, something fitted, or a copy of what the text says."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from mlalm_jupyter.notebook.code import dotted, root_name
from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.calls import Calls
from mlalm_jupyter.notebook.predictive.columns import as_column, items_of
from mlalm_jupyter.notebook.predictive.drafts import Asset, Found, Piece
from mlalm_jupyter.notebook.predictive.known_rows import BRINGS_TABLE
from mlalm_jupyter.notebook.predictive.labels import label_variables, labels_of
from mlalm_jupyter.notebook.predictive.lookups import lookups_of
from mlalm_jupyter.notebook.predictive.marks import INPUT, marks_of
from mlalm_jupyter.notebook.predictive.naming import models_named
from mlalm_jupyter.notebook.predictive.program import Program
from mlalm_jupyter.notebook.predictive.values import CONST, FITTED, NOTHING, ROWS, SOURCE, Value


class Assigning(Calls):
    """Reads statements that give names to values, and change them."""

    def __init__(self, found: Found) -> None:
        found.label_columns = labels_of(found.program)
        found.label_variables = label_variables(found.program)
        super().__init__(found, found.label_columns)
        self.models = models_named(found.program)
        self.level = _level(found.program)
        self.lookups = lookups_of(found.program)
        lines = found.program.lines
        self.marks = {one.line: [one] for one in marks_of(lines, INPUT) if one.variable}
        self.is_marked = bool(marks_of(lines, INPUT)) or any(line.hand == "import" for line in lines)
        self.returned: list[Value] = []
        self.trained: set[str] = set()
        """What a cell that is tagged as training has set so far."""

    def _typed(self, node: ast.stmt) -> list[Piece]:
        start, end = self.code.span(node)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.decorator_list:
            start = self.code.text.rindex("@", 0, self.code.span(node.decorator_list[0])[0])
        return [Piece(self.here, start, end)]

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
        if found.kind == ROWS and self._comes_in(value):
            self.found.sources[self.here] = [name]
        self._bind(target, found)
        if isinstance(value, ast.Call):
            for key, one in items_of(value):
                if isinstance(key, ast.Constant) and self._is_said(one):
                    self.said.add(f"{name}[{key.value!r}]")
        self._copied(name, value)
        pieces = self._typed(node)
        if found.is_unfitted:
            pieces[0].unfitted = name
        return popped if popped is not None else pieces

    def _is_said(self, value: ast.expr) -> bool:
        return any(
            self.env.get(one.id, NOTHING).is_scored
            if isinstance(one, ast.Name)
            else isinstance(one, (ast.Subscript, ast.Attribute)) and as_column(one) in self.said
            for one in ast.walk(value)
        )

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

    def _comes_in(self, value: ast.expr) -> bool:
        """Whether it brings rows in: from elsewhere, or all that were read from there below each other."""
        if not self.is_gathered:
            return self.brought and not self._is_from_rows(value)
        if "concat" not in dotted(value).split("."):
            self.found.trouble(self.here, refusals.rows_put_below(self.cell))
            return False
        return True

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
        if found.kind == ROWS and self._comes_in(value):
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
            # a prediction is called like the label by many
            if found.is_scored or self._is_said(value):
                self.said.add(as_column(target))
            is_label = self._label_in(target) and as_column(target) not in self.said
            read = self.found.rows_read(value, self.here) & self.found.label_variables
            # what was said may be what another model learns
            if is_label or any(not self.env.get(one, NOTHING).is_scored for one in read):
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
                    self._without_labels(target.value, one, found)
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
