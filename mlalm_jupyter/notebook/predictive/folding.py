"""What is made of fitted things alone is fitted too: it is kept as it came out, and not worked out with each call."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mlalm_jupyter.notebook.code import code_of
from mlalm_jupyter.notebook.effects import Flow
from mlalm_jupyter.notebook.knowledge import Knowledge
from mlalm_jupyter.notebook.predictive.parts import VALUE, Fitted, Place, Plan, Statement
from mlalm_jupyter.notebook.statements import statement_flow


@dataclass(frozen=True, slots=True)
class _Kept:
    statement: Statement
    flow: Flow

    @property
    def touches(self) -> frozenset[str]:
        return self.flow.writes | self.flow.changes | self.flow.deletes

    @property
    def needs(self) -> frozenset[str]:
        return self.flow.reads | self.flow.changes


def folded(plan: Plan) -> Plan:
    """A plan whose kept statements never change what was fitted, nor work out what no row has a part in.

    `stats.pop("y")` after `stats = train.describe()` would take it out with each call; so `stats` is kept as it was
    after that line.
    """
    kept = _read(plan.kept)
    chosen = _foldable(plan, kept)
    if not chosen:
        return plan
    gone = {one.statement.place for one in chosen}
    last: dict[str, Place] = {}
    for one in chosen:
        last |= dict.fromkeys(one.touches, one.statement.place)
    read = {name for one in kept if one not in chosen for name in one.needs}
    kinds = {one.name: one.kind for one in plan.fitted}
    for one in chosen:
        kinds |= _other_names(one.statement, kinds)
    made = [
        Fitted(name, kinds.get(name, VALUE), place, name)
        for name, place in sorted(last.items())
        if name in read
    ]
    held = [one for one in plan.fitted if one.name not in last]
    return replace(
        plan,
        program=tuple(replace(one, frozen="") if one.place in gone else one for one in plan.program),
        kept=tuple(one.statement for one in kept if one not in chosen),
        fitted=tuple(sorted([*held, *made], key=lambda one: (one.place, one.name))),
    )


def _other_names(statement: Statement, kinds: Mapping[str, str]) -> dict[str, str]:
    """The kinds of names that are other names for something fitted, as in `model = model_2`."""
    found: dict[str, str] = {}
    for node in code_of(statement.frozen).tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=other)) if other in kinds:
                found[name] = kinds[other]
    return found


def _read(kept: Sequence[Statement]) -> list[_Kept]:
    known, found = Knowledge(), []
    for statement in kept:
        code = code_of(statement.frozen)
        flow = Flow()
        for node in code.tree.body:
            flow = flow.then(statement_flow(node, code, known))
        found.append(_Kept(statement, flow))
    return found


def _foldable(plan: Plan, kept: Sequence[_Kept]) -> list[_Kept]:
    """The statements that need something fitted and no row, and whose names no other statement touches."""
    frozen = {one.place: one.frozen for one in plan.program}
    of_rows = {one.variable for one in plan.inputs}
    of_fitted = {one.name for one in plan.fitted}
    chosen: list[_Kept] = []
    rest: list[_Kept] = []
    for one in kept:
        is_of_rows = bool(one.needs & of_rows)
        is_code = bool(one.flow.defines or one.flow.imports)
        is_same = frozen.get(one.statement.place, "").strip() == one.statement.frozen.strip()
        if not is_of_rows and not is_code and is_same and one.needs & of_fitted and one.touches:
            chosen.append(one)
            of_fitted |= one.touches
        else:
            rest.append(one)
            of_rows |= one.touches if is_of_rows else frozenset()
    while True:
        # a name that rows go into later, or that is read between two of its changes, is worked out as typed
        touched = {name for one in rest for name in one.touches}
        between = {
            name for one in chosen for name in one.touches if _is_read_between(name, kept, chosen, rest)
        }
        bad = [one for one in chosen if one.touches & (touched | between)]
        if not bad:
            return chosen
        chosen = [one for one in chosen if one not in bad]
        rest = [one for one in kept if one not in chosen]


def _is_read_between(
    name: str, kept: Sequence[_Kept], chosen: Sequence[_Kept], rest: Sequence[_Kept]
) -> bool:
    places = [number for number, one in enumerate(kept) if one in chosen and name in one.touches]
    return any(
        name in one.needs
        for number, one in enumerate(kept)
        if one in rest and places[0] < number < places[-1]
    )
