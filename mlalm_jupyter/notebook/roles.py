"""What a cell is for: bringing data in, transforming, training, scoring, evaluating, or giving something out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlalm_jupyter.notebook.document import NotebookDocument
from mlalm_jupyter.notebook.flow import CellFlow, flow_of
from mlalm_jupyter.notebook.known_calls import CHANGING_METHODS, CHANGING_STATEMENTS
from mlalm_jupyter.notebook.role_signs import MAGICS, MOST, sign_of

ROLES = ("import", "transform", "train", "score", "evaluate", "output")
"""In the order in which an experiment goes through them."""

_TAG = "role:"


@dataclass(frozen=True, slots=True)
class CellRoles:
    """The roles of a code cell, the main one first; none for a cell that only prepares."""

    number: int
    roles: tuple[str, ...]
    because: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of each role what tells it, such as `fit` or the tag of the cell."""

    @property
    def main(self) -> str | None:
        return self.roles[0] if self.roles else None

    def to_dict(self) -> dict[str, object]:
        return {
            "cell": self.number,
            "main": self.main,
            "roles": list(self.roles),
            "because": {role: list(signs) for role, signs in self.because.items()},
        }


def roles_of(document: NotebookDocument, *, flows: Sequence[CellFlow] | None = None) -> tuple[CellRoles, ...]:
    """The roles of all code cells; a tag such as `role:train` says more than what the cell does.

    In another language than Python only the tags tell a role.

    >>> cell = {"cell_type": "code", "source": "model.fit(X, y)"}
    >>> roles_of(NotebookDocument({"nbformat": 4, "cells": [cell]}))[0].main
    'train'
    """
    known = {flow.number: flow for flow in (flow_of(document) if flows is None else flows)}
    return tuple(
        _tagged(number, cell) or _inferred(number, known.get(number))
        for number, cell in enumerate(document.code_cells, start=1)
    )


def _tagged(number: int, cell: Mapping[str, Any]) -> CellRoles | None:
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, Mapping) else None
    words = (
        [str(tag)[len(_TAG) :] for tag in tags if str(tag).startswith(_TAG)] if isinstance(tags, list) else []
    )
    if words == ["none"]:
        return CellRoles(number, ())
    roles = tuple(dict.fromkeys(word for word in words if word in ROLES))
    return CellRoles(number, roles, {role: (f"{_TAG}{role}",) for role in roles}) if roles else None


def _inferred(number: int, flow: CellFlow | None) -> CellRoles:
    if flow is None:
        return CellRoles(number, ())
    weights: dict[str, float] = {}
    because: dict[str, dict[str, None]] = {}
    for role, weight, sign in _signs(flow):
        weights[role] = min(weights.get(role, 0) + weight, MOST.get(role, weights.get(role, 0) + weight))
        because.setdefault(role, {}).setdefault(sign)
    # showing what was done is what every cell does
    if len(weights) > 1 and weights.get("output", 0) <= 1:
        weights.pop("output", None)
    order = sorted(weights, key=lambda role: (-_strength(role, weights[role]), -ROLES.index(role)))
    return CellRoles(number, tuple(order), {role: tuple(because[role]) for role in order})


def _strength(role: str, weight: float) -> float:
    """A role that is done twice is not more of that role: only reading, tidying and showing add up."""
    return weight if role in MOST else min(weight, {"train": 6, "evaluate": 5, "score": 4}[role])


def _signs(flow: CellFlow) -> list[tuple[str, float, str]]:
    found: list[tuple[str, float, str]] = []
    for magic in flow.flow.magics:
        if magic.name in MAGICS:
            found.append((*MAGICS[magic.name], f"%{magic.name}"))
    for statement in flow.statements:
        for call in statement.flow.calls:
            sign = sign_of(call)
            if sign is not None:
                found.append((*sign, call.last))
        methods = {call.last for call in statement.flow.calls}
        in_place = methods & (CHANGING_METHODS | CHANGING_STATEMENTS)
        if statement.flow.changes and not in_place and not statement.flow.defines:
            found.append(("transform", 2, "change of " + ", ".join(sorted(statement.flow.changes))))
    last = flow.statements[-1] if flow.statements else None
    if last and last.is_expression and not last.flow.magics and not last.text.rstrip().endswith(";"):
        found.append(("output", 1, "what it shows"))
    return found
