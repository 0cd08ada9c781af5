"""How a training notebook becomes a predictive one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.code import code_of
from mlalm_jupyter.notebook.document import NotebookDocument
from mlalm_jupyter.notebook.effects import Call
from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.answers import changed_later, decided_beside, decided_later
from mlalm_jupyter.notebook.predictive.columns import items_of
from mlalm_jupyter.notebook.predictive.cuts import check_rows_together
from mlalm_jupyter.notebook.predictive.drafts import Asset, Found
from mlalm_jupyter.notebook.predictive.folding import folded
from mlalm_jupyter.notebook.predictive.freezing import frozen
from mlalm_jupyter.notebook.predictive.known_rows import FITS
from mlalm_jupyter.notebook.predictive.labels import labels_of
from mlalm_jupyter.notebook.predictive.marks import INPUT, OUTPUT, PORTS, SELECTION, marks_of
from mlalm_jupyter.notebook.predictive.outputs import outputs_of, training_cells
from mlalm_jupyter.notebook.predictive.outputs_told import (
    told_of_more,
    told_of_names,
    told_of_others,
    told_of_rest,
)
from mlalm_jupyter.notebook.predictive.parts import VALUE, Fitted, Place, Plan, Port, Split, Statement
from mlalm_jupyter.notebook.predictive.program import Line, program_of
from mlalm_jupyter.notebook.predictive.slicing import Output, Part, Slice, Slicer, unknowable
from mlalm_jupyter.notebook.predictive.values import SOURCE

_TRAINING_CALLS = frozenset({*FITS, "fit_transform", "fit_predict", "fit_resample"})


def plan_of(
    document: NotebookDocument, *, ran: Sequence[int] | None = None, model: str | None = None
) -> Plan:
    """The plan for a notebook: what is kept, what was fitted, where rows come in and go out.

    `ran` are the numbers of the code cells that ran, in their order; None is all, from top to bottom. `model` names
    the variable of the model to serve where there are several. What cannot be told from the text is refused.
    """
    program = program_of(document, ran=ran)
    found = frozen(program)
    slicer = Slicer(found)
    if not program.lines or document.language != "python":
        raise refusals.no_model()

    def is_possible(output: Output) -> bool:
        try:
            _check(found, [output], slicer.slice([output]), is_chosen=True)
        except InvalidInput:
            return False
        return True

    outputs = outputs_of(found, slicer, is_possible, model=model)
    chosen = slicer.slice(outputs)
    _check(found, outputs, chosen, is_chosen=bool(model or marks_of(program.lines, SELECTION)))
    whole = Slicer(found, is_kept=False).slice(outputs, ports=chosen.sources)
    last = max(one.line for one in outputs)
    lines = program.lines
    inputs = tuple(
        Port(_port_name(found, line, name), name, lines[line].place, found.named_parts.get(name, ""))
        for line, name in chosen.sources
    )
    plan = Plan(
        inputs,
        tuple(
            Port(one.name or "output1", one.variable, lines[one.line].place, one.expression)
            for one in outputs
        ),
        tuple(_program(found, whole)),
        tuple(_kept(found, chosen)),
        tuple(
            Fitted(one.name, one.kind, lines[one.line].place, one.expression, one.is_before)
            for one in _once([*chosen.assets, *whole.assets])
        ),
        tuple(_splits(found, last)),
        tuple(dict.fromkeys(_told(found, chosen, whole, outputs, model=model))),
    )
    return folded(plan)


def _told(
    found: Found, chosen: Slice, whole: Slice, outputs: Sequence[Output], *, model: str | None
) -> list[str]:
    """What a person should know of a plan."""
    told = [
        *_notes(found, chosen, whole),
        *told_of_names(found, chosen, model=model),
        *([] if model else told_of_others(found, chosen, outputs)),
        *told_of_more(found, chosen, outputs),
        *_told_of_rules(found, outputs),
    ]
    return [*told, *told_of_rest(found, chosen, outputs, told)]


def is_predictive(document: NotebookDocument) -> bool:
    """Whether a notebook trains a model, and not only tidies; importing a library for it is not enough.

    >>> cell = {"cell_type": "code", "source": "from sklearn.svm import SVC\\nprint(SVC)"}
    >>> is_predictive(NotebookDocument({"nbformat": 4, "cells": [cell]}))
    False
    """
    if document.language != "python":
        return False
    found = frozen(program_of(document))
    if any(not one.is_score or one.model for one in found.scorings):
        return True
    return bool(training_cells(found)) or _has_model(found)


def _port_name(found: Found, line: int, name: str) -> str:
    marks = [one for one in marks_of(found.program.lines, INPUT) if (one.line, one.variable) == (line, name)]
    return marks[0].name if marks else PORTS[INPUT]


def _once(assets: Iterable[Asset]) -> list[Asset]:
    return sorted(
        {one.name: one for one in assets}.values(), key=lambda one: (one.line, not one.is_before, one.name)
    )


def _program(found: Found, whole: Slice) -> Iterator[Statement]:
    """All statements, with text for those that bear on an output when rows are selected as typed."""
    texts: dict[Place, list[str]] = {}
    for part in whole.parts:
        texts.setdefault(found.program.lines[part.line].place, []).append(part.text)
    for line in {one.place: one for one in found.program.lines}.values():
        yield Statement(line.place, line.typed, "\n".join(texts.get(line.place, [])))


def _kept(found: Found, chosen: Slice) -> Iterator[Statement]:
    texts: dict[Place, list[str]] = {}
    typed: dict[Place, str] = {}
    for part in chosen.parts:
        line = found.program.lines[part.line]
        texts.setdefault(line.place, []).append(part.text)
        typed[line.place] = line.typed
    for place in texts:
        yield Statement(place, typed[place], "\n".join(texts[place]))


def _splits(found: Found, last: int) -> Iterator[Split]:
    calls: dict[tuple[int, str], dict[tuple[str, str], None]] = {}
    for one in found.selections:
        if one.line <= last:
            pairs = calls.setdefault((one.line, one.call), {})
            if one.target:
                pairs[(one.target, one.source)] = None
    for (line, call), pairs in sorted(calls.items(), key=lambda item: item[0][0]):
        yield Split(found.program.lines[line].place, call, tuple(pairs))


def _notes(found: Found, chosen: Slice, whole: Slice) -> Iterator[str]:
    lines = {part.line for part in whole.parts}
    for part in chosen.parts:
        yield from (
            note
            for note in found.notes
            if part.flow.imports
            and any(f" imports {name.partition('.')[0]}:" in note for name in _modules(part.text))
        )
    for part in chosen.parts:
        for call in part.flow.calls:
            if call.last in _OF_THE_MOMENT and call.name.startswith(_CLOCKS):
                cell = found.program.lines[part.line].place.cell
                yield f"Cell {cell} asks what time it is (`{call.name}`), so the same row is answered otherwise later."
    for part in chosen.parts:
        yield from _told_of_dummies(found.program.lines[part.line])
    for one in found.selections:
        line = found.program.lines[one.line]
        if one.line in lines and "train_test_split" not in one.call:
            yield (
                f"Cell {line.place.cell} leaves rows out, or orders them (`{' '.join(one.call.split())}`): that was for "
                "training, and the service answers every row it is given."
            )


def _told_of_dummies(line: Line) -> Iterator[str]:
    """What becomes of a value that had no column."""
    for node in ast.walk(line.node):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "get_dummies":
            words = {word.arg: word.value for word in node.keywords}
            like = "none of them"
            if "drop_first" in words and ast.unparse(words["drop_first"]) != "False":
                like = "the first one, which has no column either (`drop_first`)"
            yield (
                f"Cell {line.place.cell} makes a column of each value (`get_dummies`): one that was not there in training is "
                f"answered like {like}. To have it refused, let a `OneHotEncoder` make the columns."
            )
            return


def _told_of_rules(found: Found, outputs: Sequence[Output]) -> Iterator[str]:
    for output in outputs:
        for line, name in decided_later(found, output):
            yield (
                f"Cell {found.program.lines[line].place.cell} makes '{name}' of '{output.variable}' and other columns; the "
                f"service answers '{output.variable}'. If the other is meant, say `%web_output {name}` after it."
            )
        for line in changed_later(found, output):
            yield (
                f"Cell {found.program.lines[line].place.cell} makes '{output.variable}' something else; the service answers what "
                f"it was before. If the other is meant, say `%web_output {output.variable}` after it."
            )
        for line, name in decided_beside(found, output):
            yield (
                f"Cell {found.program.lines[line].place.cell} makes `{name}` of predictions and something else; the service "
                f"answers `{output.expression}`. If the other is meant, give it a name and mark that with `%web_output NAME`."
            )


def _modules(text: str) -> list[str]:
    return [
        name
        for node in ast.walk(code_of(text).tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [one.name for one in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        )
    ]


def _check(found: Found, outputs: Sequence[Output], chosen: Slice, *, is_chosen: bool) -> None:
    lines = found.program.lines
    if chosen.dark:
        told = dict.fromkeys(
            why
            for index in sorted({line for line, _ in chosen.dark})
            for why in unknowable(lines[index].flow)
        )
        raise refusals.unreadable(lines[min(line for line, _ in chosen.dark)].place.cell, ", ".join(told))
    touched = {lines[part.line].place.cell for part in chosen.parts} | {
        lines[one.line].place.cell for one in chosen.assets
    }
    for cell in found.program.again:
        if cell in touched:
            raise refusals.run_again(cell)
    for cell in found.program.failed:
        if cell in touched:
            raise refusals.failed(cell)
    for part in chosen.parts:
        if found.troubles.get(part.line) and not _is_taken(found, part):
            raise found.troubles[part.line][0]
        if why := unknowable(part.flow):
            raise refusals.unreadable(lines[part.line].place.cell, why[0])
    if chosen.gone:
        name, line = chosen.gone[0]
        cell = lines[line].place.cell
        blind = [(index, one) for index, one in enumerate(lines[: line + 1]) if unknowable(one.flow)]
        if found.program.dark:
            raise refusals.unreadable(*found.program.dark[0])
        if blind:
            raise refusals.unreadable(blind[-1][1].place.cell, unknowable(blind[-1][1].flow)[0])
        if _was_label(found, name, line):
            raise refusals.needs_label(cell, name)
        raise refusals.gone(cell, name)
    check_rows_together(found, chosen, [one.variable for one in outputs])
    labels = labels_of(found.program)
    made: set[str] = set()
    for part in chosen.parts:
        cell = lines[part.line].place.cell
        if part.flow.files_read or any(one.startswith("the file") for one in part.flow.unknowns):
            raise refusals.reads_file(cell, part.text.partition("\n")[0], part.flow.files_read)
        if code_of(part.text).magics:
            raise refusals.only_in_notebooks(cell, lines[part.line].typed.partition("\n")[0])
        for call in part.flow.calls:
            if _is_random(call):
                raise refusals.at_random(cell, call.name)
        if machine := _OF_THE_MACHINE.search(part.text):
            raise refusals.of_the_machine(cell, machine[0])
        values = found.values.get(part.line, {})
        if any(values[name].kind == SOURCE for name in part.flow.writes if name in values):
            raise refusals.reads_file(cell, part.text.partition("\n")[0])
        _check_label(part.text, cell, labels, made)
        _check_fit(part.text, cell)
    is_by_hand = is_chosen or (bool(marks_of(lines, OUTPUT)) and not _has_model(found))
    asked = {one.model for one in found.scorings}
    models = [one for one in chosen.assets if one.kind != VALUE or is_by_hand or one.variable in asked]
    is_trained = _has_model(found) or bool(training_cells(found))
    if not models:
        raise refusals.not_reached(outputs[0].variable) if is_trained else refusals.no_model()
    tables = list(dict.fromkeys(chosen.sources))
    if len(tables) > 1 and not marks_of(lines, INPUT):
        raise refusals.several_inputs([(name, lines[line].place.cell) for line, name in tables])
    if not tables:
        raise refusals.no_input(_grouped(found, max(one.line for one in outputs)))


def _is_taken(found: Found, part: Part) -> bool:
    """Whether it only gives what was fitted its name again, and nothing of the statement itself stays."""
    return any(one.line == part.line and part.text == f"{one.variable} = {one.name}" for one in found.assets)


def _grouped(found: Found, last: int) -> tuple[int, str] | None:
    """The last statement before the output that makes a table of groups of rows."""
    for line in reversed(found.program.lines[:last]):
        if isinstance(line.node, ast.Assign) and any(call.last in _GROUPS for call in line.flow.calls):
            return line.place.cell, " ".join(line.typed.split())
    return None


_GROUPS = frozenset({"groupby", "pivot_table", "crosstab", "resample"})
_OF_THE_MACHINE = re.compile(
    r"\bos\.(environ|getenv|getcwd|uname)\b|\bgetenv\(|\bplatform\.\w+\(|\bsocket\.get\w+"
)
_OF_THE_MOMENT = frozenset({"now", "utcnow", "today", "time", "localtime", "gmtime"})
_CLOCKS = ("datetime.", "pandas.Timestamp.", "pandas.to_datetime", "time.", "numpy.datetime64")


def _is_random(call: Call) -> bool:
    made = call.made_by.startswith(("numpy.random.", "random."))
    named = call.name.startswith(("numpy.random.", "random.")) and call.last not in _SEEDS
    return (made and call.last not in _SEEDS) or named


_SEEDS = frozenset({"seed", "default_rng", "RandomState", "Generator", "Random"})


def _has_model(found: Found) -> bool:
    return any(one.kind == "model" for one in [*found.assets, *found.hoisted])


def _was_label(found: Found, name: str, line: int) -> bool:
    """Whether a name is set by something that only training does."""
    for index in range(line, -1, -1):
        if name in found.program.lines[index].flow.writes:
            return any(not piece.in_kept for piece in found.pieces.get(index, ()))
    return False


def _check_label(text: str, cell: int, labels: frozenset[str], made: set[str]) -> None:
    """Refuse to read a label; a column of its name that was made before, such as of predictions, is none."""
    tree = code_of(text).tree
    columns = [one for one in ast.walk(tree) if isinstance(one, ast.Subscript)]
    for node in columns:
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        is_read = isinstance(node.ctx, ast.Load) and ast.unparse(node) not in made
        if is_read and isinstance(key, str) and key in labels:
            raise refusals.needs_label(cell, key)
    made.update(ast.unparse(one) for one in columns if isinstance(one.ctx, ast.Store))
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                made.update(f"{name}[{ast.unparse(key)}]" for key, _ in items_of(call))


def _check_fit(text: str, cell: int) -> None:
    """The safety net: nothing that is kept trains, other than the methods of a class that a fitted thing is of."""
    waiting: list[ast.AST] = [code_of(text).tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ClassDef):
            continue
        if isinstance(node, ast.Attribute) and node.attr in _TRAINING_CALLS:
            raise refusals.still_fits(cell, ast.unparse(node))
        waiting.extend(ast.iter_child_nodes(node))
