"""Names and kinds of what was fitted."""

from __future__ import annotations

import ast

from mlalm_jupyter.notebook.predictive.drafts import Found
from mlalm_jupyter.notebook.predictive.known_rows import SCORES
from mlalm_jupyter.notebook.predictive.parts import MODEL, TRANSFORM, VALUE
from mlalm_jupyter.notebook.predictive.program import Program
from mlalm_jupyter.notebook.role_signs import kind_of

_TRANSFORMS = frozenset({"transform", "inverse_transform"})


def methods_called(program: Program) -> dict[str, set[str]]:
    """The methods that a notebook calls on its names."""
    found: dict[str, set[str]] = {}
    for line in program.lines:
        for node in ast.walk(line.node):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found.setdefault(node.value.id, set()).add(node.attr)
    return found


def models_named(program: Program) -> frozenset[str]:
    """Names that something predicts with."""
    return frozenset(name for name, methods in methods_called(program).items() if methods & SCORES)


def named(found: Found) -> None:
    """Give each fitted thing its variable's name where that holds nothing else, or one of its own."""
    methods = methods_called(found.program)
    by_variable: dict[str, list[int]] = {}
    for index, asset in enumerate(found.assets):
        by_variable.setdefault(asset.variable, []).append(index)
    for variable, indexes in by_variable.items():
        first = found.assets[indexes[0]]
        is_direct = len(indexes) == 1 and not _is_set_elsewhere(found, variable, first.line)
        for number, index in enumerate(indexes, start=1):
            asset = found.assets[index]
            asset.is_direct = is_direct
            asset.name = variable if is_direct else found.fresh(f"{variable}_{number}")
    for asset in [*found.assets, *found.hoisted]:
        asset.kind = _kind(asset.maker, methods.get(asset.variable or asset.name, set()))
    for pieces in found.pieces.values():
        direct = {asset.variable: asset.line for asset in found.assets if asset.is_direct}
        pieces[:] = [
            one for one in pieces if not (one.unfitted in direct and one.line < direct[one.unfitted])
        ]


def _is_set_elsewhere(found: Found, variable: str, line: int) -> bool:
    """Whether the variable holds anything but an estimator that is trained in that line."""
    for index, one in enumerate(found.program.lines):
        touches = variable in (one.flow.writes | one.flow.changes | one.flow.deletes)
        if not touches or index == line:
            continue
        pieces = found.pieces.get(index, [])
        if index < line and pieces and all(piece.unfitted == variable for piece in pieces):
            continue
        if index < line and not pieces:
            continue
        return True
    return any(
        piece.asset is None and _text_sets(found, piece.line, variable)
        for piece in found.pieces.get(line, [])
    )


def _text_sets(found: Found, line: int, variable: str) -> bool:
    """A statement of which something stays although it trains, such as a loop."""
    return variable in found.program.lines[line].flow.writes


def _kind(maker: str, methods: set[str]) -> str:
    if methods & SCORES:
        return MODEL
    kind = kind_of(maker, ()) if maker else None
    if kind == "estimator":
        return MODEL
    return TRANSFORM if kind == "transformer" or methods & _TRANSFORMS else VALUE
