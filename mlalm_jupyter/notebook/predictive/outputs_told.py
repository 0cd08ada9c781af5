"""What a person is told of models beside the one that answers, and of what else that one says."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence, Set

from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.answers import is_label
from mlalm_jupyter.notebook.predictive.columns import Labels, items_of
from mlalm_jupyter.notebook.predictive.drafts import Found
from mlalm_jupyter.notebook.predictive.known_rows import HANDS_IN, KEEPS_VALUES, SELECTS_ROWS
from mlalm_jupyter.notebook.predictive.outputs import (
    asked_alike,
    candidates_of,
    is_measuring,
    key_of,
    marked_outputs,
    selected_model,
)
from mlalm_jupyter.notebook.predictive.parts import MODEL
from mlalm_jupyter.notebook.predictive.program import Line
from mlalm_jupyter.notebook.predictive.slicing import Output, Slice
from mlalm_jupyter.notebook.predictive.values import ROWS


def told_of_names(found: Found, chosen: Slice, *, model: str | None) -> list[str]:
    """What a person should know of a name that several models had."""
    mine = [one.variable for one in chosen.assets if one.kind == MODEL]
    wanted = model or selected_model(found) or (mine[-1] if mine else "")
    trained = [one.line for one in found.assets if one.variable == wanted and one.kind == MODEL]
    cells = sorted({found.program.lines[index].place.cell for index in trained})
    if marked_outputs(found) or len(cells) < 2:
        return []
    return [f"`{wanted}` is trained in the cells {', '.join(map(str, cells))}: the last of them answers."]


def told_of_others(found: Found, chosen: Slice, outputs: Sequence[Output]) -> list[str]:
    """What a person should know who has not said which of several models is to answer."""
    last = max(one.line for one in outputs)
    inside = {key_of(found, one.variable, last) for one in chosen.assets}
    inside |= {(one.variable, one.line) for one in chosen.assets}
    names = {name for name, _ in inside}
    others = list(dict.fromkeys(one.key[0] for one in candidates_of(found) if one.key[0] not in {*names, ""}))
    mine = [one.variable for one in chosen.assets if one.kind == MODEL]
    if marked_outputs(found) or selected_model(found) or not others or not mine:
        return []
    return [
        f"The notebook asks {refusals.listed(others)} as well. `{mine[-1]}` answers, whose predictions are the last with a "
        "name; if another is meant, say `--model NAME`."
    ]


def told_of_more(found: Found, chosen: Slice, outputs: Sequence[Output]) -> list[str]:
    """What else is said of the same rows by the model that answers, where more is done with it than to measure it."""
    inside = {part.line for part in chosen.parts}
    candidates = [] if marked_outputs(found) else candidates_of(found)
    mine = [one for one in candidates if one.scoring.line in inside]
    if not mine:
        return []
    lines = asked_alike(candidates, mine[-1]) - inside
    gone_out = " ".join(one.expression for one in outputs)
    lines |= {
        index
        for index in _asked_otherwise(found, mine[-1].key)
        if index not in inside or _adds_column_beside(found.program.lines[index].node, gone_out)
    }
    told = [
        f"{refusals.listed(names)} (cell {found.program.lines[index].place.cell})"
        for index in sorted(lines)
        if (names := _targets(found.program.lines[index].node)) and _is_used(found, index)
    ]
    if not told:
        return []
    do = "does" if len(told) == 1 else "do"
    return [
        f"The model says more: {', '.join(told)} {do} not go out. If it is meant, put it into a table with what does, or "
        "mark it: `%web_output VAR`."
    ]


def _asked_otherwise(found: Found, key: tuple[str, int]) -> set[int]:
    """The lines that ask a model something beside its predictions: how far off a row is, which leaf it falls into."""
    name, trained = key
    return {
        index
        for index, line in enumerate(found.program.lines)
        if index > trained and not line.flow.writes & {name}
        for node in ast.walk(line.node)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _SAYS_MORE
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == name
    }


def _adds_column_beside(node: ast.stmt, gone_out: str) -> bool:
    """Whether a statement gives a table a column that is not among those that go out."""
    match node:
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str(name)))]):
            return repr(name) not in gone_out
        case _:
            return False


_SAYS_MORE = frozenset(
    {"transform", "apply", "kneighbors", "score_samples", "mahalanobis", "predict_log_proba"}
)


def _targets(node: ast.stmt) -> list[str]:
    return [ast.unparse(one) for one in node.targets] if isinstance(node, ast.Assign) else []


def _is_used(found: Found, index: int) -> bool:
    """Whether something looks at what a line makes that is neither a measure nor a plot."""
    lines = found.program.lines
    made = lines[index].flow.writes | lines[index].flow.changes
    return any(made & line.flow.reads and not is_measuring(line) for line in lines[index + 1 :])


def told_of_rest(found: Found, chosen: Slice, outputs: Sequence[Output], told: Iterable[str]) -> list[str]:
    """What is made of predictions row by row and stays behind, apart from what is told of already."""
    if marked_outputs(found) or not outputs:
        return []
    inside = {part.line for part in chosen.parts}
    last = max(one.line for one in outputs)
    asked = _asked(found, chosen)
    gone_out = {one.variable for one in outputs}
    what = outputs[-1].expression or outputs[-1].variable
    known = " ".join(told)
    of_predictions: set[str] = set()
    rest: dict[str, int] = {}
    handed: list[str] = []
    for index in range(min(asked, default=len(found.program.lines)), len(found.program.lines)):
        line = found.program.lines[index]
        read = line.flow.reads & of_predictions
        handed += _told_of_function(found, line, sorted(read), what)
        if read and isinstance(line.node, ast.Assign) and _is_written_out(line.node.value):
            # also where labels stand beside them
            of_predictions |= _rows_made(found, index)
        if index in asked:
            of_predictions |= line.flow.writes | line.flow.changes
        elif read and not _is_about(found, line) and (made := _rows_made(found, index)):
            is_kept = index in inside and index <= last
            name = (_targets(line.node) or sorted(made))[0]
            is_told = f"Cell {line.place.cell} makes" in known or f"`{name}`" in known
            if not (is_kept or is_told or name in gone_out) and _makes_others(line.node, read, gone_out):
                rest[name] = line.place.cell
            of_predictions |= made
    if not rest:
        return handed
    listed = ", ".join(f"`{name}` (cell {cell})" for name, cell in rest.items())
    stays = "is made of predictions and stays" if len(rest) == 1 else "are made of predictions and stay"
    return [
        *handed,
        f"What goes out is `{what}`; {listed} {stays} behind. If that is meant, mark it: `%web_output VAR`.",
    ]


def _asked(found: Found, chosen: Slice) -> set[int]:
    """The lines that ask the model which answers for the rows that are answered."""
    inside = {part.line for part in chosen.parts}
    candidates = candidates_of(found)
    mine = [one for one in candidates if one.scoring.line in inside]
    models = {one.variable for one in chosen.assets if one.kind == MODEL}
    kept = {
        index
        for index, line in enumerate(found.program.lines)
        for node in ast.walk(line.node)
        if isinstance(node, ast.Attribute) and node.attr == "labels_" and ast.unparse(node.value) in models
    }
    return {line for one in mine for line in asked_alike(candidates, one) | {one.scoring.line}} | kept


def _told_of_function(found: Found, line: Line, read: Sequence[str], what: str) -> list[str]:
    """A function of the notebook that is given predictions and writes to a file, as whose last step it may change them."""
    match line.node:
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))) if read:
            writes = any(
                isinstance(node, ast.Attribute) and node.attr in HANDS_IN
                for other in found.program.lines
                if isinstance(other.node, ast.FunctionDef) and other.node.name == name
                for node in ast.walk(other.node)
            )
        case _:
            return []
    if not writes:
        return []
    return [
        f"Cell {line.place.cell} gives {refusals.listed(read)} to `{name}`, which writes to a file and may make something "
        f"else of it first; the service answers `{what}` as it is before. If the other is meant, return it there, give it a "
        "name, and mark that: `%web_output NAME`."
    ]


def _is_written_out(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and bool(items_of(value))


def _is_about(found: Found, line: Line) -> bool:
    """Whether a statement measures predictions, draws them, or compares them with labels."""
    labels = Labels(found.label_variables, found.label_columns)
    is_by_hand = line.hand in ("skip", "evaluate", "train")
    is_labelled = labels.are_read(line.node) or any(is_label(found, one) for one in line.flow.reads)
    return is_by_hand or is_labelled or is_measuring(line) or isinstance(line.node, ast.Expr)


def _rows_made(found: Found, index: int) -> set[str]:
    """The variables that a statement gives rows to."""
    flow, values = found.program.lines[index].flow, found.values.get(index, {})
    return {
        name
        for name in flow.writes | flow.changes
        if (values[name].kind == ROWS if name in values else name in flow.changes)
    }


def _makes_others(node: ast.stmt, read: Set[str], gone_out: Set[str]) -> bool:
    """Whether a statement makes other values of predictions; not if it selects, or puts what goes out beside others."""
    if not isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        return True
    value = node.value
    while True:
        match value:
            case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in SELECTS_ROWS | _SAME:
                value = inner
            case ast.Subscript(value=inner):
                value = inner
            case ast.Name() | ast.Attribute() | None:
                return isinstance(node, ast.AugAssign)
            case ast.Call() if items := items_of(value):
                mine = [one for _, one in items if read & _names(one)]
                return not all(isinstance(one, ast.Name) and one.id in gone_out for one in mine)
            case _:
                return True


_SAME = KEEPS_VALUES | {"set_index", "to_frame", "rename", "tolist", "ravel", "to_numpy", "drop"}


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
