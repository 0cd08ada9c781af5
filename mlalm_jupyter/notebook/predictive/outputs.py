"""Which value goes out: one that is marked, or what the one model of a notebook predicts last."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.answer_tables import tables_of
from mlalm_jupyter.notebook.predictive.answers import output_of, rendered
from mlalm_jupyter.notebook.predictive.drafts import ON_CURVE, Found, Scoring
from mlalm_jupyter.notebook.predictive.known_rows import CURVES, FITS, HANDS_IN
from mlalm_jupyter.notebook.predictive.marks import INPUT, OUTPUT, SELECTION, marks_of
from mlalm_jupyter.notebook.predictive.parts import MODEL
from mlalm_jupyter.notebook.predictive.program import Line
from mlalm_jupyter.notebook.predictive.slicing import Output, Slicer
from mlalm_jupyter.notebook.predictive.values import ROWS
from mlalm_jupyter.notebook.role_signs import kind_of

_DRAWN = ("matplotlib.", "seaborn.", "plotly.", "altair.", "bokeh.")
_DRAWS = frozenset({"plot", "hist", "boxplot", "subplots", "figure", "scatter", "heatmap"})
_TRAINING = re.compile(r"(^|_)(train|tr|trn|valid|val)(_|$)|_train|train_", re.I)


@dataclass(frozen=True, slots=True)
class _Candidate:
    scoring: Scoring
    level: int
    """1 has a name, 2 is shown or measured only, 3 is `model.score`, 4 is a model that nothing scores with."""
    key: tuple[str, int]
    """The variable of the model, and the line that trained it."""


def outputs_of(
    found: Found, slicer: Slicer, is_possible: Callable[[Output], bool], *, model: str | None
) -> list[Output]:
    """The outputs of a notebook; `is_possible` says whether a table of them can be cut out."""
    marked = marked_outputs(found)
    if marked:
        return marked
    return [_predicted(found, slicer, model or selected_model(found), is_possible)]


def training_cells(found: Found) -> list[int]:
    """Cells that train something which predicts, wherever in them that is."""
    return [
        line.place.cell
        for line in found.program.lines
        for call in line.flow.calls
        if call.last in _FITS
        and (kind := kind_of(call.made_by, call.inner)) != "transformer"
        and (kind == "estimator" or (call.last == "fit" and call.given > 1))
    ]


_FITS = frozenset({*FITS, "fit_transform", "fit_predict"})


def selected_model(found: Found) -> str | None:
    names = [one.variable for one in marks_of(found.program.lines, SELECTION) if one.variable]
    return names[-1] if names else None


def marked_outputs(found: Found) -> list[Output]:
    outputs: list[Output] = []
    lines = found.program.lines
    marks = {one.line: one for one in marks_of(lines, INPUT, OUTPUT)}
    for index, line in enumerate(lines):
        mark = marks.get(index)
        if mark is not None:
            if not any(mark.variable in one.flow.writes | one.flow.changes for one in lines[:index]):
                raise refusals.no_output(line.place.cell, mark.variable)
            if mark.word == OUTPUT:
                _check_plot(found, mark.variable, index)
                outputs.append(Output(mark.variable, index, name=mark.name))
        elif line.hand == "output" and found.program.ends[line.place.cell] == index:
            outputs.append(_tagged(found, index))
    return outputs


def _tagged(found: Found, index: int) -> Output:
    line = found.program.lines[index]
    match line.node:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.Expr(value=ast.Name(id=name)):
            _check_plot(found, name, index)
            return Output(name, index, name=name)
        case ast.Expr(value=value):
            if _draws(found, index):
                raise refusals.plot(line.place.cell, line.typed.partition("\n")[0])
            start, end = line.code.span(value)
            text = rendered(found, index, start, end)
            return Output(found.fresh("predictions"), index, text, line.code.text[start:end], "output1")
        case _:
            raise refusals.no_output(line.place.cell, line.typed.partition("\n")[0])


def _check_plot(found: Found, name: str, index: int) -> None:
    for place in range(index, -1, -1):
        line = found.program.lines[place]
        if name in line.flow.writes:
            if _draws(found, place):
                raise refusals.plot(line.place.cell, line.typed.partition("\n")[0])
            return


def _draws(found: Found, index: int) -> bool:
    calls = found.program.lines[index].flow.calls
    return any(one.name.startswith(_DRAWN) or one.last in _DRAWS for one in calls)


def candidates_of(found: Found) -> list[_Candidate]:
    made: list[_Candidate] = []
    for one in found.scorings:
        if one.is_inner:
            continue
        line = found.program.lines[one.line]
        if line.hand in ("evaluate", "skip", "train"):
            continue
        if isinstance(line.node, ast.Expr) and _draws(found, one.line):
            continue
        level = 3 if one.is_score else 1 if _has_name(found, one) else 2
        made.append(_Candidate(one, level, key_of(found, one.model, one.line)))
    # beside a model, a curve that is only drawn is a trend
    return [
        one for one in made if one.scoring.method != ON_CURVE or not _is_only_measured(found, one)
    ] or made


def _has_name(found: Found, one: Scoring) -> bool:
    values = found.values.get(one.line, {})
    named = any(value.kind == ROWS and value.is_scored for value in values.values())
    marked = any(piece.is_scoring for piece in found.pieces.get(one.line, ()))
    return named or marked


def key_of(found: Found, model: str, line: int) -> tuple[str, int]:
    """The model behind a name, when `best = grid.best_estimator_` is another name for one."""
    trained = [one.line for one in found.assets if one.variable == model and one.line <= line]
    place = max(trained, default=-1)
    if place >= 0:
        node = found.program.lines[place].node
        value = node.value if isinstance(node, ast.Assign) else None
        while isinstance(value, (ast.Attribute, ast.Subscript)):
            value = value.value
        known = {one.variable for one in found.assets}
        if isinstance(value, ast.Name) and value.id in known and value.id != model:
            return key_of(found, value.id, place)
    return model, place


def _predicted(
    found: Found, slicer: Slicer, wanted: str | None, is_possible: Callable[[Output], bool]
) -> Output:
    candidates = candidates_of(found)
    models = list(dict.fromkeys(one.variable for one in found.assets if one.kind == MODEL))
    known = list(dict.fromkeys([*models, *(one.key[0] for one in candidates if one.key[0])]))
    if wanted is not None:
        chosen = [one for one in candidates if wanted in (one.scoring.model, one.key[0])]
        if not chosen and wanted not in known:
            raise refusals.unknown_model(wanted, known)
        # a name that several models had one after the other is the last of them, as at the end of the notebook
        newest = max((one.key[1] for one in chosen), default=-1)
        chosen = [one for one in chosen if one.key[1] == newest]
        others: list[_Candidate] = []
    else:
        chosen, others = candidates, candidates
    inner = [one for one in found.scorings if one.is_inner]
    drawn = [
        one
        for one in found.scorings
        if isinstance(found.program.lines[one.line].node, ast.Expr) and _draws(found, one.line)
    ]
    if not chosen and drawn:
        line = found.program.lines[drawn[-1].line]
        raise refusals.plot(line.place.cell, line.typed.partition("\n")[0])
    if not chosen:
        if inner and wanted is None:
            raise refusals.models_in_loop(found.program.lines[inner[-1].line].place.cell)
        return _unscored(found, [wanted] if wanted else models)
    level = min(one.level for one in chosen)
    at_level = [one for one in chosen if one.level == level]
    last = _preferred(found, at_level)
    output = output_of(found, last.scoring, has_name=last.level == 1)
    if last.level == 1:
        asked = asked_alike(candidates, last)
        names: dict[str, str] = {}
        tables = tables_of(found, output, asked, names)
        if tables:
            # others that what is made of it needs as well, such as for a mean of two
            inside = {(one.variable, one.line) for one in slicer.slice(tables[:1]).assets}
            more = {one.scoring.line for one in candidates if one.level == 1 and one.key in inside}
            if more - asked:
                tables = tables_of(found, output, asked | more, names)
        # what cannot be cut out, because labels are beside it or rows are ordered, goes out as it was before that
        output = next((one for one in tables if is_possible(one)), output)
    _check_single(found, slicer, output, last, at_level, others)
    _check_after(found, output, last, candidates)
    return output


def _preferred(found: Found, candidates: Sequence[_Candidate]) -> _Candidate:
    """The last one, of rows that were held back; but a decision rather than a probability that is only measured."""
    key = candidates[-1].key
    mine = [one for one in candidates if one.key == key]
    held = [one for one in mine if not _TRAINING.search(one.scoring.argument)] or mine
    if not _is_only_measured(found, held[-1]):
        return held[-1]
    decided = [one for one in held if one.scoring.method in ("predict", "labels_", "fit_predict")] or held
    return decided[-1]


def _is_looked_at(found: Found, one: _Candidate) -> bool:
    lines = found.program.lines
    written = lines[one.scoring.line].flow.writes
    return one.level > 1 or any(written & line.flow.reads for line in lines[one.scoring.line + 1 :])


def _is_only_measured(found: Found, one: _Candidate) -> bool:
    """Whether nothing but measures and plots looks at what the model said."""
    lines = found.program.lines
    if one.level > 1:
        return True
    written = lines[one.scoring.line].flow.writes
    return not any(
        written & line.flow.reads and not is_measuring(line) for line in lines[one.scoring.line + 1 :]
    )


def is_measuring(line: Line) -> bool:
    """Whether a statement measures or draws, or only brings names in."""
    measures = any(call.name.startswith(("sklearn.metrics.", *_DRAWN)) for call in line.flow.calls)
    return measures or isinstance(line.node, (ast.Import, ast.ImportFrom))


def _check_single(
    found: Found,
    slicer: Slicer,
    output: Output,
    last: _Candidate,
    at_level: Sequence[_Candidate],
    others: Sequence[_Candidate],
) -> None:
    chosen = slicer.slice([output])
    inside = {(one.variable, one.line) for one in chosen.assets}
    lines_inside = {one.line for one in chosen.parts}
    inside |= {key_of(found, name, line) for name, line in list(inside)} | {last.key}
    # of a name inside a comprehension nothing more is known than where it stands
    others = [one for one in others if one.key[1] >= 0 or one.scoring.line not in lines_inside]
    at_level = [one for one in at_level if one.key[1] >= 0 or one.scoring.line not in lines_inside]
    rivals = [one for one in at_level if one.key not in inside]
    rivals += [
        one
        for one in others
        if one.scoring.line > output.line and one.key not in inside and one not in rivals
    ]
    if _is_handed_in(found, last):
        rivals = [one for one in rivals if not (_is_looked_at(found, one) and _is_only_measured(found, one))]
    if all(_is_tried_before(found, one, last) for one in rivals):
        return
    same = [one for one in rivals if one.key[0] == last.key[0]]
    if same and len(same) == len(rivals):
        earlier, later = sorted((same[0].key[1], last.key[1]))
        lines = found.program.lines
        cell, before = lines[later].place.cell, lines[max(earlier, 0)].place.cell
        raise refusals.trained_again(cell, last.key[0], before, is_used=True)
    raise refusals.several_models([*(one.key[0] or "a model without a name" for one in rivals), last.key[0]])


def asked_alike(candidates: Sequence[_Candidate], last: _Candidate) -> set[int]:
    """The lines that ask the same model for the same rows, such as for their classes and for how sure it is."""
    return {
        one.scoring.line
        for one in candidates
        if one.key == last.key
        and one.level == 1
        and one.scoring.argument == last.scoring.argument
        and not one.scoring.is_score
    }


def _is_handed_in(found: Found, one: _Candidate) -> bool:
    """Whether what the model said is written to a file, as what a contest or a colleague gets."""
    lines = found.program.lines
    names = set(lines[one.scoring.line].flow.writes)
    for line in lines[one.scoring.line :]:
        reads = names & (line.flow.reads | line.flow.changes)
        if reads and any(call.last in HANDS_IN for call in line.flow.calls):
            return True
        is_measure = is_measuring(line) or bool(line.flow.reads & found.label_variables)
        if reads and isinstance(line.node, (ast.Assign, ast.AugAssign)) and not is_measure:
            names |= line.flow.writes | line.flow.changes
    return False


def _is_tried_before(found: Found, one: _Candidate, last: _Candidate) -> bool:
    """Whether a model was the last one with other settings: of one class, under its name, and what it said as well."""
    said = [found.program.lines[each.scoring.line].flow.writes for each in (one, last)]
    classes = [_classes(found, *each.key) for each in (one, last)]
    is_same = (
        classes[0] == classes[1] != set() and said[0] == said[1] and not _is_used_before(found, one, last)
    )
    return is_same and one.key[0] == last.key[0] and one.level == last.level == 1 and one.key[1] < last.key[1]


def _is_used_before(found: Found, one: _Candidate, last: _Candidate) -> bool:
    """Whether something is done with what a model said, other than measuring it, before it is trained again."""
    lines = found.program.lines
    made = lines[one.scoring.line].flow.writes
    return any(
        made & line.flow.reads
        and not (is_measuring(line) or line.flow.reads & found.label_variables)
        and (
            isinstance(line.node, (ast.Assign, ast.AugAssign))
            or any(call.last in HANDS_IN for call in line.flow.calls)
        )
        for line in lines[one.scoring.line + 1 : last.key[1]]
    )


def _classes(found: Found, variable: str, line: int) -> set[str]:
    """The classes that a model is written out of; none where it is given others by their names, such as a search."""
    for index in range(line, -1, -1):
        node = found.program.lines[index].node
        if not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == variable):
            continue
        made = node.value
        if isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute) and made.func.attr in FITS:
            made = made.func.value
        calls = [one for one in ast.walk(made) if isinstance(one, ast.Call)]
        given = [word.value for one in calls for word in one.keywords if word.arg in _OTHERS]
        if any(isinstance(one, ast.Name) for call in calls for one in [*call.args, *given]):
            return set()
        return {ast.unparse(one.func) for one in calls}
    return set()


_OTHERS = frozenset({"estimator", "base_estimator", "estimators", "steps", "regressor", "classifier", None})
"""Arguments that are models themselves."""


def _check_after(found: Found, output: Output, last: _Candidate, candidates: Sequence[_Candidate]) -> None:
    """A model that is something else after the output was made."""
    name = last.key[0]
    lines = found.program.lines
    for index in range(last.key[1] + 1, len(lines)):
        if not name or lines[index].hand in ("skip", "evaluate"):
            continue
        is_asset = any(one.variable == name and one.line == index for one in found.assets)
        if is_asset or (name in lines[index].flow.writes and not lines[index].flow.imports):
            if is_asset and index <= output.line:
                continue
            is_used = any(
                name in (one.scoring.model, one.key[0]) and one.key[1] >= index for one in candidates
            )
            cell, before = lines[index].place.cell, lines[output.line].place.cell
            raise refusals.trained_again(cell, name, before, is_used=is_used)


def _unscored(found: Found, models: Sequence[str]) -> Output:
    """A model that is trained and never used: what it would predict on the rows it was trained on."""
    if not models:
        for line in found.program.lines:
            if any(one.last == "cross_val_predict" for one in line.flow.calls):
                raise refusals.only_validated(line.place.cell)
        if cells := training_cells(found):
            raise refusals.hidden_training(cells[0])
        for line in found.program.lines:
            for call in line.flow.calls:
                if call.name in CURVES:
                    raise refusals.fitted_curve(line.place.cell, call.name)
        raise refusals.no_model()
    trained = [one for one in found.assets if one.variable in models and one.kind == MODEL]
    if len(models) > 1:
        raise refusals.several_models(models)
    for asset in reversed(trained):
        value = found.values.get(asset.line, {}).get(asset.variable)
        if value is not None and value.trained_on:
            text = f"{asset.variable}.predict({value.trained_on})"
            name = asset.variable if asset.is_direct else asset.name
            given = f"{name}.predict({value.trained_on})"
            return Output(found.fresh("predictions"), asset.line, given, text, "output1")
    raise refusals.never_scored(models)
