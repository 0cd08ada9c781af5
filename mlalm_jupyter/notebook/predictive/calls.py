"""What calls give: rows by rows, something over all rows, something trained, or a prediction."""

from __future__ import annotations

import ast
from abc import abstractmethod
from dataclasses import replace

from mlalm_jupyter.notebook.binding import names_bound, parameters_of
from mlalm_jupyter.notebook.code import dotted, root_name
from mlalm_jupyter.notebook.predictive.drafts import Scoring, Selection
from mlalm_jupyter.notebook.predictive.known_rows import (
    FITS,
    POLYNOMIAL,
    SCORES,
)
from mlalm_jupyter.notebook.predictive.library_calls import LibraryCalls
from mlalm_jupyter.notebook.predictive.training_calls import Given
from mlalm_jupyter.notebook.predictive.values import (
    CHOSEN,
    CONST,
    FITTED,
    GROUPED,
    NOTHING,
    ROWS,
    SOURCE,
    Value,
)
from mlalm_jupyter.notebook.role_signs import TOPICS

_PREPARES = frozenset({"transform", "inverse_transform", "build", "prepare", "clean", "encode"})
"""Methods that make rows of rows, before a model is asked."""


class Calls(LibraryCalls):
    """Reads calls."""

    def call(self, node: ast.Call) -> Value:
        func = node.func
        root = root_name(func)
        if isinstance(func, ast.Attribute):
            is_library = (
                dotted(func) != ""
                and root in self.imports
                and root not in self.env
                and not any(isinstance(one, (ast.Call, ast.Subscript)) for one in ast.walk(func))
            )
            return self._library(node, self._full(func)) if is_library else self._method(node, func)
        if isinstance(func, ast.Name):
            if func.id in self.functions:
                return self._own_function(node, func.id)
            if func.id in self.env and self.env[func.id].kind != CONST:
                given = self._given(node)
                found = self._other(node, given, self.env[func.id])
                is_curve = self.env[func.id].maker == POLYNOMIAL and found.kind == ROWS and node.args
                return self.on_curve(node, func.id, node.args[0], found) if is_curve else found
            return self._library(node, self._full(func))
        inner = self.value(func)
        return self._other(node, self._given(node), inner)

    def _full(self, func: ast.expr) -> str:
        first, dot, rest = dotted(func).partition(".")
        return f"{self.imports.get(first, first)}{dot}{rest}"

    def _method(self, node: ast.Call, func: ast.Attribute) -> Value:
        method = func.attr
        inner = self.value(func.value)
        if method in FITS:
            return self._fit(node, func, inner)
        if method in ("fit_transform", "fit_predict"):
            return self._fit_and_use(node, func, inner)
        if method in ("fit_resample", "fit_sample"):
            return self._resample(node, func)
        is_topics = method == "transform" and inner.maker.rpartition(".")[2] in TOPICS
        if (method in SCORES or is_topics) and (inner.kind in (FITTED, CONST) or inner.maker == CHOSEN):
            return self._score(node, func, inner)
        if inner.maker in self.classes and inner.kind in (FITTED, CONST):
            return self._own_method(node, func, inner)
        if method in ("transform", "inverse_transform", "get_feature_names_out") and inner.kind in (
            CONST,
            FITTED,
        ):
            given = self._given(node)
            if method == "get_feature_names_out":
                return Value(FITTED, is_raw=inner.is_raw)
            result = self._other(node, given, replace(inner, is_scored=False))
            return replace(result, elements=())
        if method == "score" and (inner.kind == FITTED or inner.is_unfitted) and node.args:
            self._note_scoring(node, func, inner, is_score=True)
            self._given(node)
            return Value(FITTED, is_raw=True)
        if inner.kind == SOURCE:
            self._given(node)
            return inner
        if inner.kind == GROUPED:
            return self._grouped(node, func)
        if inner.kind == ROWS:
            return self._rows_method(node, func, inner)
        given = self._given(node)
        if method == "split" and any(value.kind == ROWS for _, value in given):
            return Value(ROWS)
        return self._other(node, given, inner)

    def _own_method(self, node: ast.Call, func: ast.Attribute, inner: Value) -> Value:
        """A method of a class of the notebook: it trains what it belongs to, or says something of rows."""
        if func.attr in self.classes[inner.maker]:
            return self._fit(node, func, inner)
        given = self._given(node)
        is_asked = inner.kind == FITTED and any(value.kind == ROWS for _, value in given)
        found = self._other(node, given, inner)
        if not is_asked or func.attr in _PREPARES:
            return found
        self._note_scoring(node, func, inner)
        return replace(found, is_scored=True, model=inner.model)

    def applied(self, node: ast.Call, table: ast.expr, rows: Value) -> Value | None:
        """`table.apply(score_row, axis=1)`: what a function of the notebook gives for each row or value."""
        first = node.args[0] if node.args else None
        if not isinstance(first, ast.Name) or first.id not in self.functions:
            return None
        called = ast.copy_location(ast.Call(first, [table], []), node)
        return self._own_function(called, first.id, [(table, rows)])

    def _own_function(self, node: ast.Call, name: str, given: Given | None = None) -> Value:
        given = self._given(node) if given is None else given
        place, function = self.functions[name]
        if len(self.inside) > 4 or name in self.inside:
            return self._other(node, given)
        parameters = parameters_of(function.args)
        values = dict.fromkeys(parameters, NOTHING)
        values.update(
            {one: value for one, (_, value) in zip(parameters, given[: len(node.args)], strict=False)}
        )
        words = [word.arg for word in node.keywords]
        values.update(
            {one: value for one, (_, value) in zip(words, given[len(node.args) :], strict=True) if one}
        )
        names = dict(zip(parameters, node.args, strict=False)) | {
            word.arg: word.value for word in node.keywords if word.arg
        }
        mark = self.found.mark()
        outer = (self.env, self.text_line, self.bound, self.loop, self.fits)
        self.env = {**self.env, **values}
        self.text_line, self.bound, self.loop, self.fits = place, frozenset(), None, []
        self.inside.append(name)
        result = self.body(function.body)
        self.inside.pop()
        fits, shared = self.fits, names_bound(function.body)[1]
        for one in shared:
            if one in self.env:
                value = self.env[one]
                outer[0][one] = replace(value, is_raw=False)
                if value.kind == FITTED and value.is_raw:
                    fits.append((one, value))
        self.env, self.text_line, self.bound, self.loop, self.fits = outer
        for inner, value in fits:
            outer_node = names.get(inner)
            if isinstance(outer_node, ast.Name):
                self.fits.append((outer_node.id, replace(value, model=outer_node.id)))
            elif inner not in names_bound(function.body)[0] and inner in self.env:
                self.fits.append((inner, value))
        if result.kind == FITTED:
            self.found.forget(mark)
            return replace(result, is_raw=True, model="", text="")
        line = self.found.program.lines[self.here]
        if fits and result.kind == CONST:
            kept = line.flow.changes - {one for one, _ in self.fits}
            if not any(self.env.get(one, NOTHING).kind == ROWS for one in kept):
                self.found.forget(mark)  # it only trains
        if result.kind == ROWS and result.is_scored and not self.inside:
            start, end = self.code.span(node)
            argument = self.text(node.args[0]) if node.args else ""
            self.found.scorings.append(
                Scoring(self.here, start, end, "predict", result.model, argument, bool(self.depth))
            )
        return result

    @abstractmethod
    def body(self, statements: list[ast.stmt]) -> Value:
        """What the body of a function of the notebook gives."""

    def select(self, target: str, source: str, call: str) -> None:
        self.found.selections.append(Selection(self.here, call, target, source))
