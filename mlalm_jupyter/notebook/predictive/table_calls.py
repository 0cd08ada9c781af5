"""What the methods of tables and columns give: rows by rows, or something over all rows."""

from __future__ import annotations

import ast
from abc import abstractmethod
from dataclasses import replace

from mlalm_jupyter.notebook.code import dotted, root_name
from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.known_rows import (
    KEEPS_ROWS,
    ORDERED,
    OVER_ROWS,
    RESHAPES,
    SELECTS_ROWS,
)
from mlalm_jupyter.notebook.predictive.training_calls import Given, TrainingCalls
from mlalm_jupyter.notebook.predictive.values import (
    FITTED,
    GROUPED,
    NOTHING,
    ROWS,
    Value,
)


class TableCalls(TrainingCalls):
    """Reads calls of methods of what holds rows."""

    def _rows_method(self, node: ast.Call, func: ast.Attribute, inner: Value) -> Value:
        method, plain = func.attr, replace(inner, elements=(), items=(), maker="", is_unfitted=False)
        accessor = func.value.attr if isinstance(func.value, ast.Attribute) else ""
        if accessor in ("str", "dt") or (isinstance(func.value, ast.Constant)):
            return self._other(node, self._given(node), plain)
        along_row = is_along_row(node, method)
        if method == "groupby":
            self._given(node)
            return Value(GROUPED)
        if method in ORDERED or (method == "fillna" and any(word.arg == "method" for word in node.keywords)):
            if not along_row:
                self.found.trouble(self.here, refusals.neighbours(self.cell, self.text(node)))
            return self._other(node, self._given(node), plain)
        if method in RESHAPES:
            self.found.trouble(self.here, refusals.reshaped(self.cell, self.text(node)))
            return self._other(node, self._given(node), plain)
        if method == "select_dtypes" or (method == "dropna" and along_row):
            name = self.hoist(
                node,
                expression=f"list({self.text(node)}.columns)",
                hint=f"{root_name(func) or 'table'}_columns",
            )
            self.edit(self.code.span(func.value)[1], self.code.span(node)[1], f"[{name}]")
            return plain
        if method in SELECTS_ROWS and not (method in ("first", "last") or inner.is_scored or along_row):
            self.only(node, func.value)
            return plain
        if method == "drop":
            return self._drop(node, func, plain)
        if (
            method == "astype"
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and node.args[0].value == "category"
        ):
            name = self.hoist(
                node, expression=f"{self.text(node)}.dtypes", hint=f"{column_named(func.value)}_categories"
            )
            self.replace(node.args[0], name)
            return plain
        if method == "apply":
            learned = self._applied_fit(node, func)
            if learned is not None:
                return learned
            if self._is_of_columns(node, func):
                self._given(node)
                return Value(FITTED, is_raw=True)
            row_by_row = self.applied(node, func.value, plain) if not self.inside else None
            if row_by_row is not None and row_by_row.is_scored:
                return row_by_row
            self._check_applied(node, func)
            return self._other(node, self._given(node), plain)
        if method in OVER_ROWS and not along_row:
            self._given(node)
            if method in KEEPS_ROWS:
                return plain
            return Value(FITTED, is_raw=True)
        if method in ("fit", "fit_regularized"):
            return Value(FITTED, is_raw=True, maker=inner.maker)
        if method in ("assign", "pipe"):
            return self._with_frames(node, func, plain)
        return self._other(node, self._given(node), plain)

    @abstractmethod
    def applied(self, node: ast.Call, table: ast.expr, rows: Value) -> Value | None:
        """What a function of the notebook gives that is applied to rows or values; None where it is none of it."""

    def _with_frames(self, node: ast.Call, func: ast.Attribute, plain: Value) -> Value:
        """`df.assign(a=lambda d: ...)`: inside, `d` is the table so far."""
        given: Given = []
        for part in [*node.args, *(word.value for word in node.keywords)]:
            names = [one.arg for one in part.args.args] if isinstance(part, ast.Lambda) else []
            if not isinstance(part, ast.Lambda) or len(names) != 1:
                given.append((part, self.value(part)))
                continue
            outer = self.env, self.frames
            self.env = {**self.env, names[0]: Value(ROWS, is_frame=True)}
            self.frames = {**self.frames, names[0]: f"({self.text(func.value)})"}
            found = self.value(part.body)
            if found.kind == FITTED and found.is_raw:
                self.replace(part.body, self.hoist(part.body, found))
            self.env, self.frames = outer
            given.append((part, Value(ROWS)))
        return self._other(node, given, plain)

    def _drop(self, node: ast.Call, func: ast.Attribute, plain: Value) -> Value:
        words = {word.arg: word.value for word in node.keywords}
        axis = words.get("axis", node.args[1] if len(node.args) > 1 else None)
        of_columns = "columns" in words or (isinstance(axis, ast.Constant) and axis.value in (1, "columns"))
        if not of_columns:
            self.only(node, func.value)
            return plain
        given = self._given(node)
        if "errors" not in words:
            end = self.code.span(node)[1] - 1
            before = self.code.text[:end].rstrip()
            comma = "" if before.endswith((",", "(")) else ", "
            self.edit(end, end, f'{comma}errors="ignore"', is_kept_only=True)
        return self._other(node, given, plain)

    def _is_of_columns(self, node: ast.Call, func: ast.Attribute) -> bool:
        """`table.apply(lambda column: skew(column))`: something about each column, and nothing for each row."""
        first = node.args[0] if node.args else None
        table = func.value
        # a name in brackets may be that of one column, but for a list that was learned
        is_table = isinstance(table, ast.Subscript) and (
            isinstance(table.slice, ast.List)
            or (isinstance(table.slice, ast.Name) and self.env.get(table.slice.id, NOTHING).kind == FITTED)
        )
        if (
            not isinstance(first, ast.Lambda)
            or not is_table
            or node.keywords
            or len(node.args) > 1
            or self.inside
        ):
            return False
        mark, outer = self.found.mark(), self.env
        self.env = {**outer, **{one.arg: Value(ROWS) for one in first.args.args}}
        found = self.value(first.body)
        self.env = outer
        self.found.forget(mark)
        return found.kind == FITTED and found.is_raw

    def _check_applied(self, node: ast.Call, func: ast.Attribute) -> None:
        first = node.args[0] if node.args else None
        is_column = isinstance(func.value, ast.Subscript) and isinstance(func.value.slice, ast.Constant)
        if not isinstance(first, ast.Lambda) or is_column or is_along_row(node, "apply"):
            return
        names = {one.arg for one in first.args.args}
        for inner in ast.walk(first.body):
            if (
                isinstance(inner, ast.Call)
                and isinstance(inner.func, ast.Attribute)
                and inner.func.attr in OVER_ROWS
                and isinstance(inner.func.value, ast.Name)
                and inner.func.value.id in names
            ):
                why = refusals.over_rows(self.cell, self.text(inner), "inside a lambda")
                self.found.trouble(self.here, why)

    def _grouped(self, node: ast.Call, func: ast.Attribute) -> Value:
        """What comes of groups: one item for each group, or for each row what its group has."""
        self._given(node)
        how = node.args[0] if node.args else None
        if func.attr == "transform" and isinstance(how, ast.Constant) and isinstance(how.value, str):
            key = _group_key(func.value)
            if key is not None:
                whole, groups = self.text(node), self.text(func.value)
                table, column = key
                name = self.hoist(
                    node, expression=f"{groups}.agg({how.value!r})", hint=f"{column}_{how.value}_by_group"
                )
                if name != whole:
                    self.replace(node, f"{table}.map({name})")
                return Value(ROWS)
        if func.attr in ("transform", "filter", "apply", *ORDERED):
            self.found.trouble(self.here, refusals.neighbours(self.cell, self.text(node)))
            return Value(ROWS)
        return Value(FITTED, is_raw=True)


def is_along_row(node: ast.Call, method: str) -> bool:
    """Whether a call goes along a row, `axis=1`, and not over all of them."""
    for word in node.keywords:
        if word.arg == "axis":
            return isinstance(word.value, ast.Constant) and word.value.value in (1, "columns", -1)
    if method in ("argmax", "argmin", "mean", "sum", "max", "min", "std"):
        return any(isinstance(one, ast.Constant) and one.value == 1 for one in node.args)
    return False


def column_named(node: ast.expr) -> str:
    """What a person calls a column or table."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return (dotted(node) or "table").replace(".", "_")


def _group_key(node: ast.expr) -> tuple[str, str] | None:
    """`df.groupby('g')['x']` has its key in `df['g']` and its values in `x`; None when it has several."""
    column = ""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        column, node = str(node.slice.value), node.value
    elif isinstance(node, ast.Attribute):
        column, node = node.attr, node.value
    if not (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "groupby"
    ):
        return None
    key = node.args[0] if node.args else None
    table = dotted(node.func.value)
    if isinstance(key, ast.List) and len(key.elts) == 1:
        key = key.elts[0]
    if not column or not table or not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
        return None
    return f"{table}[{key.value!r}]", column
