"""Which names statements, patterns and parameters set."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)


def names_bound(body: Iterable[ast.stmt]) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a function's body makes its own, and those it sets for all.

    >>> own, shared = names_bound(ast.parse("global a\\na = 1\\nb = 2").body)
    >>> sorted(own), sorted(shared)
    (['b'], ['a'])
    """
    own: set[str] = set()
    shared: set[str] = set()
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                shared.update(names)
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                own.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                own.update(one.asname or one.name.partition(".")[0] for one in aliases)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                own.add(name)
            case ast.ExceptHandler(name=str(name)):
                own.add(name)
            case ast.Match():
                for case in node.cases:
                    own |= patterns_bound(case.pattern)
            case _:
                pass
        if isinstance(node, _COMPREHENSIONS):
            waiting.extend(one.target for one in ast.walk(node) if isinstance(one, ast.NamedExpr))
        elif not isinstance(node, _SCOPES):
            waiting.extend(ast.iter_child_nodes(node))
    return frozenset(own - shared), frozenset(shared)


def patterns_bound(pattern: ast.pattern) -> set[str]:
    """The names that a `case` sets."""
    found: set[str] = set()
    for node in ast.walk(pattern):
        if isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            found.add(node.rest)
    return found


def parameters_of(arguments: ast.arguments) -> tuple[str, ...]:
    """The names of all parameters, in the order in which a call fills them."""
    plain = [*arguments.posonlyargs, *arguments.args]
    rest = [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
    return tuple(one.arg for one in (*plain, *arguments.kwonlyargs, *rest))


def alike(targets: Sequence[ast.expr], value: ast.expr | None) -> list[ast.expr | None]:
    """The values that go to each of several targets, where that can be seen."""
    plain = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(targets)
    values = value.elts if plain and isinstance(value, (ast.Tuple, ast.List)) else []
    if not values or any(isinstance(one, ast.Starred) for one in (*targets, *values)):
        return [None] * len(targets)
    # in `a, b = b, a` no name is an alias of another afterwards
    return [None if isinstance(one, ast.Name) else one for one in values]
