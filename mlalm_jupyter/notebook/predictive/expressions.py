"""What the expressions of a notebook stand for: rows of a service, something fitted, or the same for all."""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from mlalm_jupyter.notebook.code import root_name
from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.drafts import Selection
from mlalm_jupyter.notebook.predictive.hoisting import Hoisting
from mlalm_jupyter.notebook.predictive.known_rows import SCHEMA
from mlalm_jupyter.notebook.predictive.values import (
    CHOSEN,
    CONST,
    FITTED,
    GROUPED,
    NOTHING,
    ROWS,
    SOURCE,
    Value,
    joined,
)


class Expressions(Hoisting, ABC):
    """Reads expressions in the light of what is known of names."""

    def value(self, node: ast.expr) -> Value:
        mark = self.found.mark()
        found = self._value(node)
        if found.kind == FITTED and found.is_raw:
            self.found.forget(mark)
        return found

    def _value(self, node: ast.expr) -> Value:
        match node:
            case ast.Name():
                return self._name(node)
            case ast.Constant():
                return NOTHING
            case ast.Call():
                return self.call(node)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.List() | ast.Tuple():
                values = [self.value(one) for one in node.elts]
                whole = self.settle(list(zip(node.elts, values, strict=True)), joined(values))
                strings = [one.value for one in node.elts if isinstance(one, ast.Constant)]
                items = tuple(one for one in strings if isinstance(one, str))
                is_tuple = isinstance(node, ast.Tuple)
                return replace(whole, items=items, elements=tuple(values) if is_tuple else ())
            case ast.Lambda():
                names = {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}
                return self._within(names, [node.body])
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node)
            case ast.NamedExpr():
                return self.value(node.value)
            case ast.Starred():
                return self.value(node.value)
            case _:
                children = [one for one in ast.iter_child_nodes(node) if isinstance(one, ast.expr)]
                values = [self.value(one) for one in children]
                if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
                    for index, child in enumerate(children):
                        if counts(child) and values[index].kind == ROWS:
                            values[index] = Value(FITTED, is_raw=True)
                return self.settle(list(zip(children, values, strict=True)), joined(values))

    def _name(self, node: ast.Name) -> Value:
        magic = self.code.magic_behind(node)
        if magic is not None:
            if magic.form == "magic" and magic.name == "dataset":
                return self.bring(node)
            if magic.form == "magic" and magic.name in ("model", "transform"):
                return Value(FITTED, is_raw=True, maker=f"%{magic.name}")
            return NOTHING
        found = self.env.get(node.id, NOTHING)
        if found.text:
            self.replace(node, found.text)
        if found.kind == FITTED and not found.model:
            return replace(found, model=node.id)
        return found

    def bring(self, node: ast.expr, kind: str = ROWS) -> Value:
        """A table from elsewhere, or a container of some."""
        if self.is_marked:
            return Value(FITTED, is_raw=True)
        self.brought = self.brought or kind == ROWS
        return Value(kind, is_frame=kind == ROWS)

    def handed(self, node: ast.expr) -> Value:
        """What is handed to training, a split or a model; a part of a container gets a name to come in by."""
        self.is_handed, outer = True, self.is_handed
        found = self.value(node)
        self.is_handed = outer
        return found

    def handed_text(self, node: ast.expr) -> str:
        """Its text, with the names of what comes in."""
        text = self.text(node)
        for name, typed in self.found.named_parts.items():
            text = re.sub(rf"(?<![\w.]){re.escape(typed)}(?!\w)", name, text)
        return text

    def _named_part(self, node: ast.Attribute | ast.Subscript, key: str) -> str | None:
        """A name for `digits.data`, which is there from where `digits` is; None where the text has names enough."""
        if not self.is_handed or self.inside or self.depth or self.is_marked:
            return None
        if key not in ("data", "frame", "images") or not isinstance(node.value, ast.Name):
            return None
        text, container = self.text(node), node.value.id
        lines = self.found.program.lines[: self.here]
        made = [place for place, line in enumerate(lines) if container in line.flow.writes]
        if len(made) != 1:
            return None
        name = next((one for one, typed in self.found.named_parts.items() if typed == text), None)
        if name is None:
            name = self.found.fresh(f"{container}_{key}")
            self.found.named_parts[name] = text
            self.found.sources.setdefault(made[-1], []).append(name)
        return name

    def _attribute(self, node: ast.Attribute) -> Value:
        inner = self.value(node.value)
        if inner.kind == SOURCE:
            if (name := self._named_part(node, node.attr)) is not None:
                self.replace(node, name)
                return Value(ROWS, is_frame=node.attr == "frame")
            if node.attr in ("data", "frame", "target", "images"):
                self.brought = True
                return Value(ROWS, is_frame=node.attr == "frame")
            return Value(FITTED, is_raw=True)
        if inner.kind == ROWS:
            if node.attr in SCHEMA and not inner.is_scored:
                return Value(FITTED, is_raw=True)
            return replace(inner, elements=(), items=(), is_unfitted=False)
        if inner.kind == FITTED:
            if node.attr in ("labels_", "embedding_") and inner.trained_on and not self.inside:
                start, end = self.code.span(node.value)[1], self.code.span(node)[1]
                method = "predict" if node.attr == "labels_" else "transform"
                root = root_name(ast.parse(inner.trained_on, mode="eval").body)
                if root is not None and self.env.get(root, NOTHING).kind == ROWS:
                    self.edit(start, end, f".{method}({inner.trained_on})")
                    return Value(ROWS, is_scored=True, model=inner.model)
            return replace(inner, elements=(), items=(), trained_on="", text="")
        return replace(inner, elements=(), items=(), text="") if not inner.is_unfitted else inner

    def _subscript(self, node: ast.Subscript) -> Value:
        inner = self.value(node.value)
        where = node.slice
        if inner.kind == SOURCE:
            key = str(where.value) if isinstance(where, ast.Constant) else ""
            if (name := self._named_part(node, key)) is not None:
                self.replace(node, name)
                return Value(ROWS)
            if key in ("data", "target", "frame", "images"):
                self.brought = True
                return Value(ROWS)
            return Value(FITTED, is_raw=True)
        index = self.value(where)
        if inner.kind != ROWS:
            if inner.kind == GROUPED:
                return inner
            place = where.value if isinstance(where, ast.Constant) else None
            if isinstance(place, int) and -len(inner.elements) <= place < len(inner.elements):
                return inner.elements[place]
            whole = joined([inner, index])
            if inner.kind == FITTED and whole.kind == FITTED:
                return replace(inner, is_raw=whole.is_raw, elements=(), items=())
            found = self.settle([(node.value, inner), (where, index)], whole)
            if inner.kind == FITTED and inner.model and index.kind == ROWS:
                return replace(found, maker=CHOSEN, model=inner.model)
            return found
        return self._rows_subscript(node, inner, index)

    def _rows_subscript(self, node: ast.Subscript, inner: Value, index: Value) -> Value:
        where, plain = node.slice, replace(inner, elements=(), items=())
        located = node.value.attr if isinstance(node.value, ast.Attribute) else ""
        if located in ("str", "dt", "cat"):
            return plain
        if isinstance(where, ast.Slice):
            base = (
                node.value.value
                if located in ("iloc", "loc") and isinstance(node.value, ast.Attribute)
                else node.value
            )
            self.only(node, base)
            return plain
        if isinstance(where, ast.Tuple) and where.elts:
            self._grid(node, where, located)
            return plain
        if located in ("iloc", "loc", "at", "iat"):
            assert isinstance(node.value, ast.Attribute)
            if isinstance(where, ast.Constant) and located == "iloc":
                self.found.trouble(self.here, refusals.neighbours(self.cell, self.text(node)))
            else:
                self.only(node, node.value.value)
            return plain
        if index.kind == ROWS and not inner.is_scored:
            self.only(node, node.value)
            return plain
        if index.kind == FITTED and index.is_raw:
            self.replace(where, self.hoist(where, index, hint=f"{root_name(node.value) or 'table'}_columns"))
        self._without_labels(node.value, where, index)
        if self.inside and isinstance(where, ast.Constant) and where.value in self.labels:
            start, end = self.code.span(node.value)[1], self.code.span(node)[1]
            self.edit(start, end, f".get({self.text(where)})", is_kept_only=True)
        return plain

    def _without_labels(self, table: ast.expr, where: ast.expr, index: Value) -> None:
        """The label is not there any more when rows come from a caller; a prediction that is called like it is."""
        gone = [
            name
            for name in index.items
            if name in self.labels and f"{ast.unparse(table)}[{name!r}]" not in self.said
        ]
        if not gone:
            return
        if isinstance(where, ast.List):
            rest = [
                self.text(one)
                for one in where.elts
                if not (isinstance(one, ast.Constant) and one.value in gone)
            ]
            self.edit(*self.code.span(where), f"[{', '.join(rest)}]", is_kept_only=True)
        else:
            kept = f"[name for name in {self.text(where)} if name not in {tuple(sorted(gone))!r}]"
            self.edit(*self.code.span(where), kept, is_kept_only=True)

    def _grid(self, node: ast.Subscript, where: ast.Tuple, located: str) -> None:
        """`table[rows, columns]`: the rows are all, and places of columns become names or widths."""
        rows = where.elts[0]
        if not _is_all(rows) and not isinstance(rows, ast.Constant):
            self.edit(*self.code.span(rows), ":", is_kept_only=True)
            source = root_name(node.value)
            if source is not None:
                self.found.selections.append(Selection(self.here, self.text(node), "", source))
        if len(where.elts) != 2:
            return
        columns = where.elts[1]
        base = node.value.value if isinstance(node.value, ast.Attribute) and located else node.value
        if located in ("iloc", "loc") and not isinstance(columns, (ast.Name, ast.Constant)):
            given = self.value(columns)
            is_names = isinstance(columns, ast.List) and located == "loc"
            is_last = isinstance(columns, ast.UnaryOp)
            if given.kind in (CONST, FITTED, ROWS) and not is_names and not is_last:
                name = self.hoist(
                    node,
                    expression=f"list({self.text(node)}.columns)",
                    hint=f"{root_name(base) or 'table'}_columns",
                )
                start, end = self.code.span(base)[1], self.code.span(node)[1]
                self.edit(start, end, f"[{name}]")
            elif is_names:
                self._without_labels(base, columns, given)
        elif not located and isinstance(columns, ast.Slice) and columns.step is None:
            width = f"{self.text(node)}.shape[1]"
            start, end = self.code.span(columns)
            if columns.lower is None and isinstance(columns.upper, ast.UnaryOp):
                self.edit(start, end, f":{self.hoist(node, expression=width, hint='width')}")
            elif columns.upper is None and isinstance(columns.lower, ast.Constant):
                self.edit(start, end, f"-{self.hoist(node, expression=width, hint='width')}:")

    def _within(self, names: set[str], parts: Sequence[ast.expr]) -> Value:
        outer, env = self.bound, self.env
        self.bound = outer | names
        self.env = {name: value for name, value in env.items() if name not in names}
        values = [self.value(one) for one in parts]
        whole = self.settle(list(zip(parts, values, strict=True)), joined(values))
        self.bound, self.env = outer, env
        return replace(whole, maker=values[0].maker) if whole.is_raw else whole

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        first = self.value(node.generators[0].iter)
        names = {
            one.id for part in node.generators for one in ast.walk(part.target) if isinstance(one, ast.Name)
        }
        parts: list[ast.expr] = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for index, part in enumerate(node.generators):
            parts += [*part.ifs, *([part.iter] if index else [])]
        inner = self._within(names, parts)
        if first.kind in (ROWS, SOURCE, GROUPED):
            looks_over = isinstance(node, (ast.DictComp, ast.SetComp)) or len(node.generators) > 1
            if looks_over:
                return Value(FITTED, is_raw=True)
            return Value(ROWS, is_scored=first.is_scored or inner.is_scored, model=first.model or inner.model)
        whole = self.settle([(node.generators[0].iter, first)], joined([first, inner]))
        return replace(whole, maker=inner.maker) if whole.is_raw else whole

    @abstractmethod
    def call(self, node: ast.Call) -> Value:
        """What a call gives."""


def counts(node: ast.expr) -> bool:
    """`len(df)`, `df.shape[0]`, `len(df) - degree - 1`."""
    while isinstance(node, ast.BinOp) and isinstance(node.right, (ast.Constant, ast.Name)):
        node = node.left
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "len"
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "shape"
    )


def _is_all(node: ast.expr) -> bool:
    return isinstance(node, ast.Slice) and node.lower is None and node.upper is None
