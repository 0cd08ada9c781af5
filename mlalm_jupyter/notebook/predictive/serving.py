"""A notebook with ports as a service: the statements between its input and its output, and the assets they read."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.code import Magic
from mlalm_jupyter.notebook.document import NotebookDocument
from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.marks import INPUT, OUTPUT, Mark, marks_of
from mlalm_jupyter.notebook.predictive.parts import Fitted, Place, Plan, Port, Statement
from mlalm_jupyter.notebook.predictive.program import Line, program_of
from mlalm_jupyter.notebook.predictive.slicing import unknowable

_ASSETS = ("model", "transform")
_TRAINS = frozenset({"fit", "fit_transform", "fit_predict", "fit_resample", "partial_fit"})
_MARK = "Mark them with `%web_input VARIABLE` and `%web_output VARIABLE`, or have `%setup_service` do it."


@dataclass(frozen=True, slots=True)
class Served:
    """What a notebook does as a service."""

    plan: Plan
    assets: Mapping[str, tuple[str, str]]
    """What its statements read by a name: kind and reference, as the notebook names it."""


def served(document: NotebookDocument) -> Served:
    """The service that a notebook is, told from its marks; what cannot be one is refused with the cell.

    >>> texts = ("df = read()", "%web_input df", "scores = df.a * 2", "%web_output scores")
    >>> cells = [{"cell_type": "code", "source": text} for text in texts]
    >>> served(NotebookDocument({"nbformat": 4, "cells": cells})).plan.kept[0].frozen
    'scores = df.a * 2'
    """
    if document.language != "python":
        raise InvalidInput("The notebook", expected="one in Python", got=f"one in {document.language}")
    program = program_of(document)
    lines = program.lines
    comes, goes = ([one for one in marks_of(lines, word) if one.variable] for word in (INPUT, OUTPUT))
    if not goes or not comes:
        lacking = " and ".join(f"%{word}" for word, found in ((INPUT, comes), (OUTPUT, goes)) if not found)
        raise InvalidInput(
            "The notebook",
            expected="marks where rows come in and where answers go out",
            got=f"no {lacking}",
            fix=_MARK,
        )
    for marks, word in ((comes, INPUT), (goes, OUTPUT)):
        if len(marks) > 1:
            told = ", ".join(f"'{one.variable}' in {lines[one.line].place}" for one in marks)
            raise InvalidInput("The notebook", expected=f"one %{word}", got=told, fix="Take the others out.")
    (coming,), (going,) = comes, goes
    kept, assets = _needed(lines, coming, going)
    dark = [(cell, why) for cell, why in program.dark if lines and cell <= lines[going.line].place.cell]
    if dark:
        raise refusals.unreadable(*dark[0])
    for line in lines[: going.line]:
        if line.hand != "skip" and (why := unknowable(line.flow)):
            raise refusals.unreadable(line.place.cell, why[0])
    for line in kept:
        if changed := sorted(line.flow.changes & assets.keys()):
            raise InvalidInput(
                f"Cell {line.place.cell}",
                expected="loaded models and transforms that each call leaves as they are",
                got=f"`{line.typed.partition(chr(10))[0]}`, which changes '{changed[0]}'",
                fix=f"Change a copy of it: `{changed[0]} = copy.deepcopy({changed[0]})` in a cell before.",
            )
    statements = tuple(_checked(line) for line in kept)
    source = _bringing(lines, coming)
    plan = Plan(
        inputs=(Port(coming.name, coming.variable, source),),
        outputs=(Port(going.name, going.variable, lines[going.line].place),),
        program=(),
        kept=statements,
        fitted=tuple(
            Fitted(name, kind, lines[place].place, name) for name, (kind, _, place) in sorted(assets.items())
        ),
    )
    return Served(plan, {name: (kind, wanted) for name, (kind, wanted, _) in assets.items()})


def _needed(
    lines: Sequence[Line], coming: Mark, going: Mark
) -> tuple[list[Line], dict[str, tuple[str, str, int]]]:
    """The statements that the answers need, back to where the rows come in, and the assets they read."""
    live = {going.variable}
    kept: list[Line] = []
    assets: dict[str, tuple[str, str, int]] = {}
    for number in range(going.line - 1, -1, -1):
        line = lines[number]
        flow = line.flow
        if number == coming.line:
            if coming.variable not in live:
                raise InvalidInput(
                    "The notebook",
                    expected=f"answers that come from the rows in '{coming.variable}'",
                    got=f"'{going.variable}', which does not need them",
                    fix=_MARK,
                )
            live.discard(coming.variable)
            continue
        if not live & (flow.writes | flow.changes | flow.deletes | flow.imports | flow.defines):
            continue
        if asset := _asset(line):
            kind, wanted = asset
            (name,) = flow.writes
            assets.setdefault(name, (kind, wanted, number))
            live.discard(name)
            continue
        if number < coming.line and coming.variable in flow.reads:
            raise InvalidInput(
                f"Cell {line.place.cell}",
                expected="nothing that is worked out from the notebook's own rows, before those of callers come in",
                got=line.typed.partition("\n")[0],
                fix="Register what it gives as a transform and load that, or let the rows come in before it.",
            )
        kept.append(line)
        live = (live - flow.certain) | flow.reads
    if coming.line > going.line:
        raise InvalidInput(
            "The notebook",
            expected="rows that come in before answers go out",
            got=f"%web_input in {lines[coming.line].place}, after %web_output",
        )
    missing = sorted(
        name for name in live if name not in _written(lines[: going.line]) and not _is_known(name)
    )
    if missing:
        raise refusals.gone(lines[going.line].place.cell, missing[0])
    return kept[::-1], assets


def _written(lines: Sequence[Line]) -> set[str]:
    return {name for line in lines for name in line.flow.writes | line.flow.imports | line.flow.defines}


def _is_known(name: str) -> bool:
    import builtins

    return hasattr(builtins, name)


def _asset(line: Line) -> tuple[str, str] | None:
    """The model or transform that a statement loads by itself."""
    magic = line.magic
    if magic is None or magic.name not in _ASSETS or len(line.flow.writes) != 1:
        return None
    words = [word for word in _words(magic) if not word.startswith("-")]
    return (magic.name, words[0]) if len(words) == 1 else None


def _bringing(lines: Sequence[Line], coming: Mark) -> Place:
    """The statement that gives the variable of the input its rows in the notebook."""
    before = [line.place for line in lines[: coming.line] if coming.variable in line.flow.writes]
    return before[-1] if before else lines[coming.line].place


def _checked(line: Line) -> Statement:
    """A statement that a service may have; it stands alone, without a notebook and its files."""
    cell = line.place.cell
    if any(line.code.magic_behind(node) for node in ast.walk(line.node)):
        raise refusals.only_in_notebooks(cell, line.typed.partition("\n")[0])
    if line.flow.unknowns:
        raise refusals.unreadable(cell, line.flow.unknowns[0])
    if line.flow.files_read:
        raise refusals.reads_file(cell, line.typed.partition("\n")[0])
    for node in ast.walk(line.node):
        if isinstance(node, ast.Attribute) and node.attr in _TRAINS:
            raise refusals.still_fits(cell, ast.unparse(node))
    return Statement(line.place, line.typed, line.typed)


def _words(magic: Magic) -> list[str]:
    try:
        return shlex.split(magic.rest, comments=True)
    except ValueError:
        return magic.rest.split()
