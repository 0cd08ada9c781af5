"""What a single statement does with names and files."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence
from dataclasses import replace

from mlalm_jupyter.notebook.binding import alike, names_bound, parameters_of, patterns_bound
from mlalm_jupyter.notebook.call_effects import CallEffects, changed_root
from mlalm_jupyter.notebook.code import CellCode
from mlalm_jupyter.notebook.effects import Flow
from mlalm_jupyter.notebook.knowledge import Function, Knowledge
from mlalm_jupyter.notebook.known_calls import COPYING_METHODS
from mlalm_jupyter.notebook.lines import magic_flow

Functions = (ast.FunctionDef, ast.AsyncFunctionDef)


def statement_flow(statement: ast.stmt, code: CellCode, known: Knowledge) -> Flow:
    """What a statement does; `known` learns from it."""
    walk = _Walk(code, known)
    try:
        walk.statements([statement])
    except RecursionError:
        return Flow(unknowns=("a statement is nested too deeply to be read",))
    return walk.flow()


class _Walk:
    """Goes through statements in their order and gathers what they do."""

    def __init__(self, code: CellCode, known: Knowledge, *, own: frozenset[str] = frozenset()) -> None:
        self._code = code
        self._known = known
        self._own = own
        """Names that are a function's own."""
        self._bound: set[str] = set()
        """Names that are certainly set by now."""
        self._found = Flow()

    def flow(self) -> Flow:
        return replace(self._found, certain=frozenset(self._bound))

    def statements(self, statements: Iterable[ast.stmt]) -> None:
        for one in statements:
            self._statement(one)

    def _add(self, flow: Flow) -> None:
        """What something does, apart from what is read that was set just before."""
        reads = frozenset(name for name in flow.reads - self._bound if self._is_outer(name))
        self._found = replace(self._found.then(replace(flow, reads=reads)), certain=frozenset())

    def _is_outer(self, name: str) -> bool:
        return name in self._known.written or not hasattr(builtins, name)

    # statements

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node)
            case ast.ClassDef():
                self._class(node)
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.Assign(targets=targets, value=value):
                self._expression(value)
                for target in targets:
                    self._assign(target, value)
            case ast.AnnAssign(target=target, value=value, annotation=annotation):
                self._expression(annotation)
                if value is not None:
                    self._expression(value)
                    self._assign(target, value)
            case ast.AugAssign(target=target, value=value):
                self._expression(value)
                self._augment(target)
            case ast.Delete(targets=targets):
                for target in targets:
                    self._delete(target)
            case ast.If(test=test, body=body, orelse=orelse):
                self._expression(test)
                self._branches([body, orelse])
            case ast.For() | ast.AsyncFor():
                self._loop(node)
            case ast.While(test=test, body=body, orelse=orelse):
                self._expression(test)
                self._branches([[*body, *orelse], []])
            case ast.Try() | ast.TryStar():
                self._try(node)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self._expression(item.context_expr)
                    if item.optional_vars is not None:
                        self._assign(item.optional_vars, item.context_expr)
                self.statements(node.body)
            case ast.Match(subject=subject, cases=cases):
                self._expression(subject)
                self._branches([*(self._case(case) for case in cases), []])
            case ast.Expr(value=value):
                magic = self._code.magic_behind(value)
                if magic is not None:
                    self._add(magic_flow(magic, self._known))
                else:
                    self._expression(value, is_dropped=True)
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self._expression(child)

    def _case(self, case: ast.match_case) -> list[ast.stmt]:
        names = patterns_bound(case.pattern)
        bound = [ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None)) for name in sorted(names)]
        guard = [ast.Expr(case.guard)] if case.guard else []
        return [*bound, *guard, *case.body]

    def _branches(self, branches: Sequence[Sequence[ast.stmt]]) -> None:
        """Ways of which one is taken: certain is what all of them do."""
        before, ends = set(self._bound), []
        for branch in branches:
            self._bound = set(before)
            self.statements(branch)
            if not (branch and isinstance(branch[-1], (ast.Return, ast.Raise, ast.Continue, ast.Break))):
                ends.append(self._bound)
        self._bound = set.intersection(*ends) if ends else before

    def _loop(self, node: ast.For | ast.AsyncFor) -> None:
        self._expression(node.iter)
        before = set(self._bound)
        self._assign(node.target, None)
        over = node.iter.elts if isinstance(node.iter, (ast.Tuple, ast.List)) else []
        if isinstance(node.target, ast.Name):
            for one in over:
                if isinstance(one, ast.Name):
                    self._known.same(node.target.id, one.id)
        self.statements(node.body)
        self._bound = before
        self._branches([node.orelse, []])

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        handlers = []
        for handler in node.handlers:
            if handler.type is not None:
                self._expression(handler.type)
            name = (
                [ast.Assign([ast.Name(handler.name, ast.Store())], ast.Constant(None))]
                if handler.name
                else []
            )
            handlers.append([*name, *handler.body])
        self._branches([[*node.body, *node.orelse], *handlers])
        self.statements(node.finalbody)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "") if isinstance(node, ast.ImportFrom) else ""
        for one in node.names:
            if one.name == "*":
                self._add(Flow(unknowns=(f"from {module} import * sets names that are not written here",)))
                continue
            name = one.asname or one.name.partition(".")[0]
            self._write(name)
            full = f"{module}.{one.name}" if module else one.name if one.asname else name
            self._known.imports[name] = full
            self._add(Flow(imports=frozenset({name})))

    # definitions

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for outer in (*node.decorator_list, *_signature_of(node)):
            self._expression(outer)
        function = self._body(node.body, parameters_of(node.args), node)
        self._write(node.name)
        self._known.functions[node.name] = function
        self._add(Flow(defines=frozenset({node.name})))

    def _body(self, body: Sequence[ast.stmt], parameters: tuple[str, ...], node: ast.AST) -> Function:
        own, shared = names_bound(body)
        own |= frozenset(parameters)
        inner = _Walk(self._code, self._known.inner(own), own=own)
        inner._bound = set(parameters)
        inner.statements(body)
        found = inner.flow()
        outside = replace(
            found,
            reads=found.reads - own,
            writes=found.writes & shared,
            certain=frozenset(),
            changes=(found.changes - own) | (found.writes & shared),
            deletes=found.deletes & shared,
            imports=frozenset(),
            defines=frozenset(),
        )
        changed = found.changes & frozenset(parameters)
        return Function(parameters, outside, changed - self._made_anew(body, changed, own))

    def _made_anew(
        self, body: Sequence[ast.stmt], parameters: frozenset[str], own: frozenset[str]
    ) -> set[str]:
        """Parameters that stand for a copy before anything changes them: `df = df.copy()`."""
        found: set[str] = set()
        for index, node in enumerate(body):
            match node:
                case ast.Assign(
                    targets=[ast.Name(id=name)],
                    value=ast.Call(func=ast.Attribute(value=ast.Name(id=root), attr=method)),
                ) if name == root and name in parameters and method in COPYING_METHODS:
                    before = _Walk(self._code, self._known.inner(own), own=own)
                    before._bound = set(parameters)
                    before.statements(body[:index])
                    if name not in before.flow().changes:
                        found.add(name)
        return found

    def _class(self, node: ast.ClassDef) -> None:
        for outer in (*node.decorator_list, *node.bases, *(word.value for word in node.keywords)):
            self._expression(outer)
        whole = Flow()
        statements = [one for one in node.body if not isinstance(one, Functions)]
        now = self._body(statements, (), node).flow
        own, _ = names_bound(node.body)
        for one in node.body:
            if isinstance(one, Functions):
                named = {part.id for outer in _signature_of(one) for part in _names_in(outer)}
                self._add(Flow(reads=frozenset(named - own)))
                whole = whole.then(self._body(one.body, parameters_of(one.args), one).flow)
        self._add(now)
        self._write(node.name)
        self._known.functions[node.name] = Function((), whole, frozenset())
        self._known.makers[node.name] = (
            next((self._known.full_name(base) for base in node.bases), ""),
            (),
        )
        self._add(Flow(defines=frozenset({node.name})))

    # targets

    def _assign(self, target: ast.expr, value: ast.expr | None) -> None:
        match target:
            case ast.Name(id=name):
                same = value.id if isinstance(value, ast.Name) and value.id != name else None
                maker = CallEffects(self._known).maker(value)
                path = self._known.path(value) if value is not None else None
                if same is None or name not in self._known.aliases.get(same, ()):
                    self._write(name)
                if same is not None and self._code.magic_behind(value) is None:
                    self._known.same(name, same)
                if maker is not None:
                    self._known.makers[name] = maker
                if path is not None:
                    self._known.constants[name] = path
                if isinstance(value, ast.Name) and value.id in self._known.functions:
                    self._known.functions[name] = self._known.functions[value.id]
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                values = alike(targets, value)
                for one, its in zip(targets, values, strict=True):
                    self._assign(one, its)
            case ast.Starred(value=inner):
                self._assign(inner, None)
            case _:
                self._expression(target)
                self._change(target)

    def _augment(self, target: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._read(target.id)
            self._change(target)
            maker = self._known.makers.get(target.id)
            self._write(target.id)
            if maker:
                self._known.makers[target.id] = maker
        else:
            self._expression(target)
            self._change(target)

    def _delete(self, target: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._bound.discard(target.id)
            self._known.forget(target.id)
            self._add(Flow(deletes=frozenset({target.id})))
        elif isinstance(target, (ast.Tuple, ast.List)):
            for one in target.elts:
                self._delete(one)
        else:
            self._expression(target)
            self._change(target)

    def _write(self, name: str) -> None:
        self._known.forget(name)
        self._bound.add(name)
        self._add(Flow(writes=frozenset({name})))

    def _change(self, target: ast.expr) -> None:
        root = changed_root(target)
        if root is not None and root not in self._known.imports:
            self._add(Flow(changes=frozenset({root}) | self._known.aliases.get(root, frozenset())))

    def _read(self, name: str) -> None:
        self._add(Flow(reads=frozenset({name})))
        seen, waiting = set(), [name]
        while waiting:
            one = waiting.pop()
            function = self._known.functions.get(one)
            if function is None or one in seen:
                continue
            seen.add(one)
            waiting.extend(function.flow.reads)
            self._add(function.flow)

    # expressions

    def _expression(self, node: ast.AST, *, is_dropped: bool = False) -> None:
        match node:
            case ast.Name(id=name):
                magic = self._code.magic_behind(node)
                if magic is not None:
                    self._add(magic_flow(magic, self._known))
                elif isinstance(node.ctx, ast.Load):
                    self._read(name)
            case ast.NamedExpr(target=target, value=value):
                self._expression(value)
                self._assign(target, value)
            case ast.Lambda(args=arguments, body=body):
                for default in (*arguments.defaults, *arguments.kw_defaults):
                    if default is not None:
                        self._expression(default)
                self._hiding(frozenset(parameters_of(arguments)), [body])
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self._comprehension(node)
            case ast.Call():
                for child in ast.iter_child_nodes(node):
                    self._expression(child)
                self._add(CallEffects(self._known).of(node, is_dropped=is_dropped))
            case _:
                for child in ast.iter_child_nodes(node):
                    self._expression(child)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        self._expression(node.generators[0].iter)
        hidden = frozenset(
            one.id
            for generator in node.generators
            for one in ast.walk(generator.target)
            if isinstance(one, ast.Name)
        )
        parts: list[ast.expr] = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for index, generator in enumerate(node.generators):
            parts += generator.ifs
            if index:
                parts.append(generator.iter)
        self._hiding(hidden, parts)

    def _hiding(self, hidden: frozenset[str], parts: Sequence[ast.expr]) -> None:
        """Expressions in which some names are not those from around them."""
        inner = _Walk(self._code, self._known.inner(hidden))
        inner._bound = set(self._bound | hidden)
        for part in parts:
            inner._expression(part)
        found = inner.flow()
        self._add(replace(found, changes=found.changes - hidden, writes=found.writes - hidden))
        for name in found.writes - hidden:
            self._bound.add(name)
            self._known.forget(name)


def _signature_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """What of a function is worked out where it is defined: defaults, and the types that are written to its names."""
    given = node.args
    every = (*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg)
    types = [one.annotation for one in every if one is not None]
    return [one for one in (*given.defaults, *given.kw_defaults, *types, node.returns) if one is not None]


def _names_in(node: ast.expr) -> list[ast.Name]:
    return [one for one in ast.walk(node) if isinstance(one, ast.Name)]
