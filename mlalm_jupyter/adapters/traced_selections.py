"""Expressions that may take rows from others, with a look at what they took."""

from __future__ import annotations

import ast
import itertools
from typing import Any

from mlalm_jupyter.notebook.predictive.known_rows import SELECTS_ROWS

HOOK = "__mlalm_trace__"
_RUNS_OTHERWISE = (
    *(ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.AsyncFor, ast.While),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
"""Code that runs later, or many times over."""
_numbers = itertools.count()


class Selected(ast.NodeTransformer):
    """Has subscripts and methods that take rows pass both sides on their way; what they give stays what it is.

    >>> text = ast.unparse(Selected().visit(ast.parse("y = model.predict(X[:9])")))
    >>> text.startswith("y = model.predict(__mlalm_trace__.taken("), text.count("X")
    (True, 1)
    """

    def visit(self, node: ast.AST) -> Any:
        return node if isinstance(node, _RUNS_OTHERWISE) else super().visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load) or (
            isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, (str, int))
        ):
            return node
        holder: ast.Subscript | ast.Attribute = node
        if isinstance(node.value, ast.Attribute) and node.value.attr in ("loc", "iloc"):
            holder = node.value
        return _watched(node, holder)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in SELECTS_ROWS:
            return _watched(node, node.func)
        return node


def _watched(node: ast.Subscript | ast.Call, holder: ast.Subscript | ast.Attribute) -> ast.expr:
    number = next(_numbers)
    holder.value = _call("source", number, holder.value)
    return _call("taken", number, node)


def _call(name: str, number: int, value: ast.expr) -> ast.expr:
    called = ast.Call(ast.Attribute(ast.Name(HOOK, ast.Load()), name, ast.Load()), [], [])
    called.args = [ast.Constant(number), value]
    return ast.copy_location(called, value)
