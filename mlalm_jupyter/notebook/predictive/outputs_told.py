"""What a person is told of models beside the one that answers, and of what else that one says."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.drafts import Found
from mlalm_jupyter.notebook.predictive.outputs import (
    asked_alike,
    candidates_of,
    is_measuring,
    key_of,
    marked_outputs,
    selected_model,
)
from mlalm_jupyter.notebook.predictive.parts import MODEL
from mlalm_jupyter.notebook.predictive.slicing import Output, Slice


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
