"""What a kernel is asked to trace, and what it told, as files of a folder."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlalm_jupyter.adapters.tracing import LISTING, PLAN
from mlalm_jupyter.notebook.code import CellCode, code_of
from mlalm_jupyter.notebook.knowledge import Knowledge
from mlalm_jupyter.notebook.predictive.fitting import label_expressions, targets_of
from mlalm_jupyter.notebook.predictive.parts import MODEL, Place, Plan, Port
from mlalm_jupyter.notebook.predictive.proof import KeptFrame, KeptThing, Reason, Rows
from mlalm_jupyter.notebook.statements import statement_flow


def wanted(plan: Plan, folder: Path, *, cells: Sequence[str], cwd: Path, is_trial: bool, **more: Any) -> None:
    """Write what is wanted of a notebook with these cells."""
    typed = {one.place: one.typed for one in plan.program}
    ports = (*plan.inputs, *plan.outputs)
    labels = label_expressions(plan)
    places = [place for place, _ in labels]
    places += [] if is_trial else [Place(*one["place"]) for one in _silent(plan)]
    places += (
        [one.place for one in ports] + [one.place for one in plan.fitted] + [one.place for one in plan.splits]
    )
    told = {
        "is_trial": is_trial,
        "cells": list(cells),
        "cwd": str(cwd.resolve()),
        "places": sorted({(one.cell, one.index) for one in places}),
        "inputs": [_port(one) for one in plan.inputs],
        "outputs": [_port(one) for one in plan.outputs],
        "splits": [
            {
                "place": _place(one.place),
                "targets": [*targets_of(typed.get(one.place, "")), *(taken for taken, _ in one.pairs)],
            }
            for one in plan.splits
        ],
        "labels": [{"place": _place(place), "expression": text} for place, text in labels],
        "things": [
            {
                "name": one.name,
                "kind": one.kind,
                "place": _place(one.place),
                "expression": one.expression,
                "is_before": one.is_before,
            }
            for one in plan.fitted
        ],
        "silent": [] if is_trial else list(_silent(plan)),
        **more,
    }
    (folder / PLAN).write_text(json.dumps(told), encoding="utf-8")


def _silent(plan: Plan) -> Iterator[dict[str, Any]]:
    """The statements that no answer needs, with the tables that they must therefore leave as they are."""
    read = {
        node.id
        for one in plan.program
        for node in ast.walk(code_of(one.frozen).tree)
        if isinstance(node, ast.Name)
    }
    last = max((one.place for one in plan.outputs), default=Place(0, 0))
    known = Knowledge()
    for statement in plan.program:
        code = code_of(statement.typed)
        told: set[str] = set()
        for node in code.tree.body:
            flow = statement_flow(node, code, known)
            told |= flow.writes | flow.changes | flow.deletes
        if statement.frozen.strip() or statement.place > last or not _may_act(code):
            continue
        if names := sorted(read - told):
            yield {"place": _place(statement.place), "names": names}


def _may_act(code: CellCode) -> bool:
    """Whether code does anything but define, import, and give names to what is written out."""
    return any(
        isinstance(node, (ast.Call, ast.AugAssign, ast.Subscript, ast.Attribute))
        for one in code.tree.body
        if not isinstance(one, (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom))
        for node in ast.walk(one)
    )


def thing_told(thing: KeptThing) -> dict[str, Any]:
    """A kept thing for a process that binds it."""
    return {
        "name": thing.name,
        "kind": thing.kind,
        "form": thing.form,
        "text": thing.text,
        "file": str(thing.file or ""),
    }


def lines_of(folder: Path) -> list[Mapping[str, Any]]:
    """What a kernel told; a line that is not whole tells nothing."""
    found: list[Mapping[str, Any]] = []
    listing = folder / LISTING
    if not listing.exists():
        return found
    for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict):
            found.append(told)
    return found


def frame_told(lines: Sequence[Mapping[str, Any]], what: str, folder: Path) -> KeptFrame | None:
    """The table of a port; the last, where its statement ran more than once."""
    found = [one for one in lines if one.get("what") == what]
    if not found:
        return None
    told = found[-1]
    return KeptFrame(
        folder / Path(str(told["file"])).name,
        {str(place): str(kind) for place, kind in dict(told["types"]).items()},
        str(told["kind"]),
        has_index=bool(told.get("has_index", True)),
    )


def things_told(lines: Sequence[Mapping[str, Any]], folder: Path) -> tuple[KeptThing, ...]:
    return tuple(
        KeptThing(
            str(one["name"]),
            str(one["kind"]),
            str(one["form"]),
            str(one.get("text", "")),
            folder / Path(str(one["file"])).name if one.get("file") else None,
            str(one.get("type", "")),
        )
        for one in lines
        if one.get("what") == "thing"
    )


def rows_told(lines: Sequence[Mapping[str, Any]]) -> tuple[Rows, ...]:
    return tuple(
        Rows(tuple(map(int, one["positions"])), int(one["count"]))
        for one in lines
        if one.get("what") == "rows"
    )


def labels_told(lines: Sequence[Mapping[str, Any]], plan: Plan) -> tuple[str, ...] | None:
    """The columns that the last model is to predict, none where that is no column; None where it was not seen.

    A notebook may have other models, such as one that guesses what is missing, whose labels are features of the last.
    """
    found = [one for one in lines if one.get("what") == "label"]
    last = max((one.place for one in plan.fitted if one.kind == MODEL), default=None)
    of_last = [one for one in found if last is not None and one.get("place") == _place(last)]
    if not found:
        return None
    return tuple(dict.fromkeys(str(name) for one in of_last or found for name in one["columns"]))


def faults_told(lines: Sequence[Mapping[str, Any]]) -> tuple[Reason, ...]:
    """What could not be kept; rows of a split that are not known matter only if nothing else tells them."""
    found = [one for one in lines if one.get("what") == "fault" and one.get("of") != "split"]
    return tuple(Reason(_sentence(str(one.get("why", "")))) for one in found)


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _port(port: Port) -> dict[str, Any]:
    return {
        "name": port.name,
        "variable": port.variable,
        "expression": port.expression or port.variable,
        "place": _place(port.place),
    }


def _place(place: Place) -> list[int]:
    return [place.cell, place.index]
