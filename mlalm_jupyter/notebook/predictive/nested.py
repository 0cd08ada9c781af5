"""What statements within others do: in functions, loops and branches."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from mlalm_jupyter.notebook.binding import names_bound
from mlalm_jupyter.notebook.code import root_name
from mlalm_jupyter.notebook.predictive.assigning import Assigning
from mlalm_jupyter.notebook.predictive.hoisting import Loop
from mlalm_jupyter.notebook.predictive.values import CONST, FITTED, NOTHING, ROWS, SOURCE, Value, joined

GATHERS = frozenset({"add", "update", "extend", "setdefault"})
"""Methods that put what many rows have into one thing."""


class Nested(Assigning):
    """Reads the bodies of functions, loops and branches."""

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
        if self.is_over_rows and isinstance(func, ast.Attribute) and func.attr in GATHERS and not self.inside:
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
