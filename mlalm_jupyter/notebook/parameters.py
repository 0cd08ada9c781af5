"""The parameters a cell sets, and whether given values fit them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlalm_jupyter.domain.errors import InvalidInput, nearest

_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list, tuple),
    "tuple": (list, tuple),
    "dict": (dict,),
    "None": (type(None),),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A name that the parameters cell sets, and the type it says or shows."""

    name: str
    type: str | None
    default: str


def parameters_in(text: str) -> dict[str, Parameter]:
    """The names that a cell sets, with the types it says or shows.

    >>> parameters_in("rate = 0.1")
    {'rate': Parameter(name='rate', type='float', default='0.1')}
    """
    lines = ["" if line.lstrip().startswith(("%", "!")) else line for line in text.splitlines()]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError as error:
        raise InvalidInput(
            f"The parameters cell, line {error.lineno},",
            expected="plain assignments in Python",
            got=str(error.msg),
        ) from error
    found: dict[str, Parameter] = {}
    for statement in tree.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            default = ast.unparse(statement.value) if statement.value else ""
            name = statement.target.id
            found[name] = Parameter(name, ast.unparse(statement.annotation), default)
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    shown = _shown_type(statement.value)
                    found[target.id] = Parameter(target.id, shown, ast.unparse(statement.value))
    return found


def _shown_type(value: ast.expr) -> str | None:
    """The type a literal default shows; None may become anything."""
    try:
        literal = ast.literal_eval(value)
    except (ValueError, TypeError):
        return None
    return None if literal is None else type(literal).__name__


def misfit(name: str, value: object, known: Mapping[str, Parameter]) -> str | None:
    """What is wrong with a value for a parameter, if anything.

    >>> misfit("rat", 1, {"rate": Parameter("rate", "float", "0.1")})
    "'rat', which it does not take (did you mean 'rate'?)"
    """
    if name not in known:
        near = nearest(name, known)
        return f"'{name}', which it does not take" + (f" (did you mean '{near[0]}'?)" if near else "")
    wanted = known[name].type
    kinds = _kinds(wanted) if wanted else None
    if kinds is None:
        return None
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        return f"{name} = {value!r}, which is no {wanted}"
    return None


def _kinds(annotation: str) -> tuple[type, ...] | None:
    """The types an annotation lets in; None when it names one that is not looked into."""
    try:
        return _kinds_of(ast.parse(annotation, mode="eval").body)
    except (SyntaxError, ValueError):
        return None


def _kinds_of(node: ast.expr) -> tuple[type, ...] | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _kinds(node.value)
    if isinstance(node, ast.Constant) and node.value is None:
        return _TYPES["None"]
    if isinstance(node, ast.Name):
        return _TYPES.get(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _all_of((node.left, node.right))
    if isinstance(node, ast.Subscript) and isinstance(node.value, (ast.Name, ast.Attribute)):
        outer = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if outer == "Optional":
            return _all_of((*inner, ast.Constant(None)))
        if outer == "Union":
            return _all_of(inner)
        return _TYPES.get(outer.lower() if outer in ("List", "Dict", "Tuple") else outer)
    return None


def _all_of(nodes: Sequence[ast.expr]) -> tuple[type, ...] | None:
    kinds: list[type] = []
    for node in nodes:
        some = _kinds_of(node)
        if some is None:
            return None
        kinds.extend(some)
    return tuple(kinds)
