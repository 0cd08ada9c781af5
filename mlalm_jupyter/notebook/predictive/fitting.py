"""What models are fitted to predict, as far as the calls that fit them tell."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mlalm_jupyter.notebook.code import code_of
from mlalm_jupyter.notebook.predictive.parts import Place, Plan

_FITS = (
    "fit",
    "fit_transform",
    "fit_predict",
    "partial_fit",
    "fit_resample",
    "train_test_split",
    "train_on_batch",
    "polyfit",
    "linregress",
)
_SCORES = ("cross_val_score", "cross_validate", "cross_val_predict", "learning_curve", "validation_curve")
_LABELS = ("y", "label", "target", "endog", "y_train")
_MODELS = ("OLS", "GLS", "WLS", "Logit", "Probit", "GLM", "MNLogit", "Poisson", "RLM", "QuantReg")
_HARMLESS = (
    "astype",
    "copy",
    "flatten",
    "map",
    "ravel",
    "reshape",
    "squeeze",
    "to_frame",
    "to_numpy",
    "tolist",
    "array",
    "asarray",
)


def label_expressions(plan: Plan) -> list[tuple[Place, str]]:
    """Expressions for what is predicted, each with the statement before which it can be worked out."""
    found: list[tuple[Place, str]] = []
    for statement in plan.program:
        tree = code_of(statement.typed).tree
        found += [
            (statement.place, expression)
            for node in tree.body
            for call in _calls(node)
            for expression in _labels_of(call)
        ]
    return found


def may_fit_labels(plan: Plan) -> bool:
    """Whether something is fitted to labels anywhere, be it in a function."""
    calls = (
        one
        for statement in plan.program
        for one in ast.walk(code_of(statement.typed).tree)
        if isinstance(one, ast.Call)
    )
    return any(_label_of(call) is not None for call in calls)


def targets_of(text: str) -> list[str]:
    """The names that an assignment sets, in their order.

    >>> targets_of("a, b = f()")
    ['a', 'b']
    """
    body = code_of(text).tree.body
    return [
        one.id
        for node in body
        if isinstance(node, ast.Assign)
        for target in node.targets
        for one in (target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target])
        if isinstance(one, ast.Name)
    ]


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        return
    if isinstance(node, ast.Call):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _calls(child)


def _labels_of(call: ast.Call) -> list[str]:
    """The label of a call; besides, what it is a part of, for of that all rows are known."""
    text = _label_of(call)
    if text is None:
        return []
    match ast.parse(text, mode="eval").body:
        case ast.Subscript(value=ast.Name(id=name), slice=part) if not isinstance(part, ast.Constant):
            return [text, name]
    return [text]


def _label_of(call: ast.Call) -> str | None:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    named = {one.arg: one.value for one in call.keywords}
    first = call.args[0] if call.args else named.get("formula")
    if isinstance(first, ast.Constant) and isinstance(first.value, str) and "~" in first.value:
        data = named.get("data") or (call.args[1] if len(call.args) > 1 else None)
        label = first.value.partition("~")[0].strip()
        return f"{ast.unparse(data)}[{label!r}]" if data is not None and _is_plain(data) else None
    place = 1 if name in _FITS else 2 if name in _SCORES else 0 if name in _MODELS else None
    if name == "train_test_split" and len(call.args) != 2:
        return None
    if place is not None and len(call.args) > place:
        found = call.args[place]
    else:
        given = [value for key, value in named.items() if key in _LABELS]
        if not given:
            return None
        found = given[0]
    return ast.unparse(found) if _is_plain(found) else None


def _is_plain(node: ast.expr) -> bool:
    """Whether working an expression out changes nothing."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            called = one.func.attr if isinstance(one.func, ast.Attribute) else ""
            if called not in _HARMLESS:
                return False
        elif isinstance(one, (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)):
            return False
    return not isinstance(node, ast.Constant)
