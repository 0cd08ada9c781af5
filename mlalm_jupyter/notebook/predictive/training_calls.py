"""What training gives, and what a model that is trained says of rows."""

from __future__ import annotations

import ast
from dataclasses import replace

from mlalm_jupyter.notebook.code import root_name
from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.drafts import ON_CURVE, Scoring
from mlalm_jupyter.notebook.predictive.expressions import Expressions
from mlalm_jupyter.notebook.predictive.known_rows import (
    FITS,
    LEARNS_ONCE,
    NETWORKS,
    SCORES,
)
from mlalm_jupyter.notebook.predictive.values import (
    FITTED,
    NOTHING,
    ROWS,
    SOURCE,
    Value,
    joined,
)
from mlalm_jupyter.notebook.role_signs import TOPICS

_HANDED = FITS | SCORES | {"fit_transform", "fit_predict", "transform", "score"}

Given = list[tuple[ast.expr, Value]]


class TrainingCalls(Expressions):
    """Reads calls that fit, and those that score."""

    def _given(self, node: ast.Call) -> Given:
        parts = [*node.args, *(word.value for word in node.keywords)]
        is_model = isinstance(node.func, ast.Attribute) and node.func.attr in _HANDED
        return [(one, self.handed(one) if is_model else self.value(one)) for one in parts]

    def _other(self, node: ast.Call, given: Given, inner: Value = NOTHING) -> Value:
        """A call that goes row by row, as far as is known."""
        whole = joined([inner, *(value for _, value in given)])
        pairs = list(given)
        if inner.kind == FITTED and inner.is_raw:
            func = node.func
            pairs.append((func.value if isinstance(func, ast.Attribute) else func, inner))
        return self.settle(pairs, whole)

    def _fit(self, node: ast.Call, func: ast.Attribute, inner: Value) -> Value:
        self._given(node)
        maker = inner.maker
        first = (
            node.args[0]
            if node.args
            else next((word.value for word in node.keywords if word.arg == "X"), None)
        )
        trained_on = self.text(first) if first is not None and not self.inside else ""
        if maker.startswith(NETWORKS):
            self.found.trouble(self.here, refusals.network(self.cell, maker.partition(".")[0]))
        root = func.value.id if isinstance(func.value, ast.Name) else ""
        result = Value(FITTED, is_raw=True, maker=maker, parts=inner.parts, model=root, trained_on=trained_on)
        if root and inner.kind != ROWS:
            self.fits.append((root, result))
            if root in self.drawn:
                self.fits.append((self.drawn[root], Value(FITTED, is_raw=True)))
                self.env[root] = replace(result, is_raw=False)
            if self.inside:
                self.env[root] = result
        elif (
            not root
            and (hanging := root_name(func.value))
            and not any(isinstance(one, ast.Call) for one in ast.walk(func.value))
        ):
            self.fits.append((hanging, replace(result, maker="", parts=())))
        return result

    def _fit_and_use(self, node: ast.Call, func: ast.Attribute, inner: Value) -> Value:
        method = "transform" if func.attr == "fit_transform" else "predict"
        is_scored = method == "predict" or inner.maker.rpartition(".")[2] in TOPICS
        given = self._given(node)
        last = inner.maker.rpartition(".")[2]
        if last in LEARNS_ONCE or (last == "LocalOutlierFactor" and method == "predict"):
            self.found.trouble(self.here, refusals.learns_once(self.cell, self.text(node)))
        if inner.maker.startswith(NETWORKS):
            self.found.trouble(self.here, refusals.network(self.cell, inner.maker.partition(".")[0]))
        is_rows = any(value.kind in (ROWS, SOURCE) for _, value in given)
        root = func.value.id if isinstance(func.value, ast.Name) else ""
        if not is_rows:
            if root:
                self.fits.append((root, Value(FITTED, is_raw=True, maker=inner.maker, parts=inner.parts)))
            return Value(FITTED, is_raw=True)
        arguments = [self.text(one) for one in node.args]
        words = [f"{word.arg}={self.text(word.value)}" for word in node.keywords if word.arg]
        trained_on = self.text(node.args[0]) if node.args else ""
        fitted = Value(
            FITTED, is_raw=True, maker=inner.maker, parts=inner.parts, trained_on=trained_on, model=root
        )
        self.settle(given, NOTHING if not is_rows else Value(ROWS))
        in_loop = self.loop is not None and (root == "" or root in self.loop.made or root in self.env)
        if self.inside:
            self.found.trouble(
                self.here, refusals.still_fits(self.cell, f"{self.inside[-1]}: {self.text(node)}")
            )
        elif root and not in_loop:
            self.fits.append((root, fitted))
        else:
            maker = self.text(func.value) if not root or (self.loop and root in self.loop.made) else ""
            maker = maker or f"__import__('copy').deepcopy({root})"
            expression = f"{maker}.fit({', '.join([*arguments, *words])})"
            name = self.hoist(node, Value(maker=inner.maker), expression=expression)
            if name != expression:
                self.replace(func.value, name)
            if root:
                self.env[root] = Value(FITTED, maker=inner.maker, text=name)
        dot = self.code.span(func)[1]
        self.edit(dot - len(func.attr), dot, method)
        self._drop_label(node)
        if is_scored:
            self._note_scoring(node, func, replace(fitted, model=root or ""))
        return Value(ROWS, is_scored=is_scored, model=root)

    def _drop_label(self, node: ast.Call) -> None:
        """`fit_transform(X, y)` is `transform(X)` afterwards."""
        rest: list[ast.expr | ast.keyword] = [
            *node.args[1:],
            *(word for word in node.keywords if word.arg != "X"),
        ]
        if rest and node.args:
            self.edit(self.code.span(node.args[0])[1], self.code.span(node)[1] - 1, "")

    def _resample(self, node: ast.Call, func: ast.Attribute) -> Value:
        given = self._given(node)
        texts = ", ".join(self.text(one) for one in node.args)
        self.edit(*self.code.span(node), f"({texts})", is_kept_only=True)
        return Value(ROWS, elements=tuple(value for _, value in given))

    def _score(self, node: ast.Call, func: ast.Attribute, inner: Value) -> Value:
        given = self._given(node)
        if inner.maker.startswith(NETWORKS):
            self.found.trouble(self.here, refusals.network(self.cell, inner.maker.partition(".")[0]))
        result = self._other(node, given, inner)
        if result.kind == ROWS:
            self._note_scoring(node, func, inner)
            result = replace(result, is_scored=True, model=inner.model)
        return replace(result, elements=(), maker="", is_unfitted=False)

    def _note_scoring(
        self, node: ast.Call, func: ast.Attribute, inner: Value, *, is_score: bool = False
    ) -> None:
        root = inner.model or root_name(func.value) or ""
        root = "" if root in self.bound and not self.depth else root
        if self.inside and is_score:
            return
        argument = self.text(node.args[0]) if node.args else ""
        start, end = self.code.span(node)
        is_inner = bool(self.inside) or bool(self.depth)
        one = Scoring(self.here, start, end, func.attr, root, argument, is_inner, is_score)
        if one not in self.found.scorings:
            self.found.scorings.append(one)

    def on_curve(self, node: ast.Call, name: str, rows: ast.expr, found: Value) -> Value:
        """Where a curve is that was fitted, for these rows."""
        if name and not self.inside:
            start, end = self.code.span(node)
            one = Scoring(self.here, start, end, ON_CURVE, name, self.text(rows), bool(self.depth))
            if one not in self.found.scorings:
                self.found.scorings.append(one)
            found = replace(found, is_scored=True, model=name)
        return found

    def _applied_fit(self, node: ast.Call, func: ast.Attribute) -> Value | None:
        """`table.apply(LabelEncoder().fit_transform)`: one transform for each column."""
        first = node.args[0] if node.args else None
        is_fit = isinstance(first, ast.Attribute) and first.attr == "fit_transform"
        if not is_fit or self.inside:
            return None
        assert isinstance(first, ast.Attribute)
        table, maker = self.text(func.value), self.text(first.value)
        value = self.value(first.value)
        whole = (
            f"{{name: __import__('copy').deepcopy({maker}).fit({table}[name]) for name in {table}.columns}}"
        )
        name = self.hoist(
            node, expression=whole, hint=f"{value.maker.rpartition('.')[2] or 'transform'}_by_column"
        )
        self.replace(first, f"lambda column: {name}[column.name].transform(column)")
        return Value(ROWS)
