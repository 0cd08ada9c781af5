"""What a cell is for: bringing data in, transforming, training, scoring, evaluating, or giving something out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlalm_jupyter.notebook.document import NotebookDocument, tags_of
from mlalm_jupyter.notebook.flow import CellFlow, flow_of
from mlalm_jupyter.notebook.known_calls import CHANGING_METHODS, CHANGING_STATEMENTS
from mlalm_jupyter.notebook.role_signs import MAGICS, MOST, sign_of

ROLES = ("import", "transform", "train", "score", "evaluate", "output")
"""In the order in which an experiment goes through them."""

_TAG = "role:"
_NO_ROLE = ("skip", "role:none", "role:skip")
PORT_TAGS = {"web-input": "import", "web-output": "output"}
"""Tags that say where a service's rows come in and go out, and which role that is."""


@dataclass(frozen=True, slots=True)
class CellRoles:
    """The roles of a code cell, the main one first; none for a cell that only prepares."""

    number: int
    roles: tuple[str, ...]
    because: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of each role what tells it, such as `fit` or the tag of the cell."""
    tags: tuple[str, ...] = ()
    """The tags by which a person said what the cell is for; empty where that was told from its text."""

    @property
    def main(self) -> str | None:
        return self.roles[0] if self.roles else None

    def to_dict(self) -> dict[str, object]:
        return {
            "cell": self.number,
            "main": self.main,
            "roles": list(self.roles),
            "because": {role: list(signs) for role, signs in self.because.items()},
            "tags": list(self.tags),
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
        _by_hand(_inferred(number, known.get(number)), tags_of(cell))
        for number, cell in enumerate(document.code_cells, start=1)
    )


def _by_hand(inferred: CellRoles, tags: Sequence[str]) -> CellRoles:
    """What a cell is for with what its tags say of it, which counts for more."""
    number = inferred.number
    none = tuple(tag for tag in tags if tag in _NO_ROLE)
    if none:
        return CellRoles(number, (), tags=none)
    said = {tag: tag.removeprefix(_TAG) for tag in tags if tag.startswith(_TAG)}
    said = {tag: role for tag, role in said.items() if role in ROLES}
    if said:
        roles = tuple(dict.fromkeys(said.values()))
        return CellRoles(number, roles, {role: (f"{_TAG}{role}",) for role in roles}, tuple(said))
    ports = {tag: PORT_TAGS[tag] for tag in tags if tag in PORT_TAGS}
    if not ports:
        return inferred
    # a cell that scores and whose answer goes out does both
    roles = tuple(dict.fromkeys([*ports.values(), *inferred.roles]))
    because = {**inferred.because, **{role: (tag,) for tag, role in ports.items()}}
    return CellRoles(number, roles, because, tuple(ports))


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
