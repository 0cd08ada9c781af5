"""What a prediction is called, and what stands for it where it has no name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from mlalm_jupyter.notebook.code import root_name
from mlalm_jupyter.notebook.predictive.columns import items_of
from mlalm_jupyter.notebook.predictive.drafts import Found, Scoring, edited
from mlalm_jupyter.notebook.predictive.known_rows import HANDS_IN, SELECTS_ROWS
from mlalm_jupyter.notebook.predictive.program import Line
from mlalm_jupyter.notebook.predictive.slicing import Output
from mlalm_jupyter.notebook.predictive.values import FITTED, ROWS

_RULES = frozenset({"where", "mask", "select", "choose", "combine_first"})
_BANDS = frozenset({"cut", "qcut", "digitize"})
_LABEL = re.compile(r"^y(_|$)|label|target|actual|true|truth", re.I)


def output_of(found: Found, scoring: Scoring, *, has_name: bool) -> Output:
    """Where what a model says is taken, with what is made of it alone."""
    line = found.program.lines[scoring.line]
    name = found.fresh("predictions")
    if has_name and isinstance(line.node, (ast.Assign, ast.AnnAssign)):
        target = line.node.targets[0] if isinstance(line.node, ast.Assign) else line.node.target
        if isinstance(target, ast.Name) and _is_alone(found, scoring, line.node.value):
            return _followed(found, target.id, scoring.line, free=name)
        if (
            isinstance(target, ast.Subscript)
            and _is_column(target)
            and _is_alone(found, scoring, line.node.value)
        ):
            return _column_followed(found, target, scoring.line, name)
        if isinstance(target, ast.Tuple):
            names = [part.id for part in target.elts if isinstance(part, ast.Name)]
            values = found.values.get(scoring.line, {})
            mine = [name for name in names if name in values and values[name].is_scored]
            if mine:
                # of `mean, deviation = model.predict(X, return_std=True)` the first is what it predicts
                is_one = isinstance(line.node.value, ast.Call) and not scoring.is_score
                return _followed(found, mine[0 if is_one else -1], scoring.line, free=name)
    if inner := _inner_named(found, scoring, name):
        return inner
    start, end = _whole(found, scoring)
    typed = line.code.text[start:end]
    text = rendered(found, scoring.line, start, end)
    if scoring.is_score:
        typed, text = _unmeasured(typed), _unmeasured(text)
    return Output(name, scoring.line, text, re.sub(r"\[\s*\d*\s*:\s*\d*\s*\]", "", typed), "output1")


def _inner_named(found: Found, scoring: Scoring, name: str) -> Output | None:
    """A prediction inside a function or list that is written out, such as `table.assign(label=lambda d: ...)`.

    What it reads is known only there, so the column that it becomes stands for it, or the variable that holds all.
    """
    line = found.program.lines[scoring.line]
    around = [
        node
        for node in ast.walk(line.node)
        if isinstance(node, ast.expr) and _covers(line.code.span(node), scoring)
    ]
    bound = {
        one.id if isinstance(one, ast.Name) else one.arg
        for node in around
        if isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp))
        for part in ([node.args] if isinstance(node, ast.Lambda) else [one.target for one in node.generators])
        for one in ast.walk(part)
        if isinstance(one, (ast.Name, ast.arg))
    }
    read = set(re.findall(r"\w+", line.code.text[scoring.start : scoring.end]))
    node = line.node
    is_named = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    if not bound & read or not is_named or scoring.is_score:
        return None
    assert isinstance(node, ast.Assign)
    assert isinstance(node.targets[0], ast.Name)
    variable = node.targets[0].id
    for call in around:
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "assign":
            for word in call.keywords:
                if word.arg and _covers(line.code.span(word.value), scoring):
                    # what comes after it is not needed, and may be about the label
                    start, end = line.code.span(call)[0], line.code.span(word.value)[1]
                    text = f"{rendered(found, scoring.line, start, end)})[{word.arg!r}]"
                    typed = f"{line.code.text[start:end]})[{word.arg!r}]"
                    return Output(name, scoring.line, text, typed, "output1")
    return _followed(found, variable, scoring.line, free=name)


def _covers(span: tuple[int, int], scoring: Scoring) -> bool:
    return span[0] <= scoring.start and scoring.end <= span[1]


def _rows_in(found: Found, node: ast.AST, line: int, *, without: tuple[int, int]) -> bool:
    """Whether an expression reads rows outside of a stretch of its text."""
    code = found.program.lines[line].code
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load):
            start, end = code.span(one)
            if not (without[0] <= start and end <= without[1]) and kind_before(found, one.id, line) == ROWS:
                return True
    return False


def _is_alone(found: Found, scoring: Scoring, value: ast.expr | None) -> bool:
    """Whether a value is what the model says and what follows from it, without rows or labels beside it."""
    if value is None:
        return True
    spans = [(one.start, one.end) for one in found.scorings if one.line == scoring.line and not one.is_inner]
    whole = (min(one[0] for one in spans), max(one[1] for one in spans))
    if len(spans) > 1 and not isinstance(value, (ast.BinOp, ast.Call, ast.Subscript, ast.List, ast.Tuple)):
        return True
    return not _rows_in(found, value, scoring.line, without=whole)


def _whole(found: Found, scoring: Scoring) -> tuple[int, int]:
    """The call with what is done to its result, up to where other things come in."""
    line = found.program.lines[scoring.line]
    best = (scoring.start, scoring.end)
    if scoring.is_score or isinstance(line.node, ast.Expr):
        return best
    climbing = True
    while climbing:
        climbing = False
        for node in ast.walk(line.node):
            if not isinstance(node, (ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.Compare)):
                continue
            span = line.code.span(node)
            inner = _inner_span(line, node)
            if inner == best and span != best and not _rows_in(found, node, scoring.line, without=best):
                best, climbing = span, True
                break
    text = line.code.text[best[0] : best[1]]
    tree = ast.parse(f"({text})", mode="eval").body
    return best if not isinstance(tree, ast.Attribute) else (scoring.start, scoring.end)


def _inner_span(line: Line, node: ast.expr) -> tuple[int, int] | None:
    """Of what an expression does something to."""
    match node:
        case ast.Attribute(value=value) | ast.Subscript(value=value):
            return line.code.span(value)
        case ast.Call(func=ast.Attribute() as func):
            return line.code.span(func)
        case ast.BinOp(left=left, right=right):
            return line.code.span(right if isinstance(left, ast.Constant) else left)
        case ast.Compare(left=left):
            return line.code.span(left)
        case _:
            return None


def _is_column(target: ast.Subscript) -> bool:
    return isinstance(target.value, ast.Name) and isinstance(target.slice, ast.Constant)


def _column_followed(found: Found, target: ast.Subscript, line: int, name: str) -> Output:
    """A column of predictions, and what is made of that column alone."""
    lines = found.program.lines
    for index in range(line + 1, len(lines)):
        node = lines[index].node
        if not (
            isinstance(node, ast.Assign)
            and len(node.targets) == 1
            and isinstance(node.targets[0], ast.Subscript)
        ):
            continue
        later = node.targets[0]
        if _is_same_column(later, target):
            # some of the predictions, or all, are other ones from here on
            return _column_followed(found, target, index, name)
        if (
            not _is_column(later)
            or ast.dump(later.value) != ast.dump(target.value)
            or not found.pieces.get(index)
        ):
            continue
        column = ast.dump(ast.Subscript(target.value, target.slice, ast.Load()))
        reads = [
            one for one in ast.walk(node.value) if isinstance(one, ast.Subscript) and ast.dump(one) == column
        ]
        spans = [lines[index].code.span(one) for one in reads]
        if (
            len(spans) == 1
            and not _is_banded(found, node.value, index)
            and not _rows_in(found, node.value, index, without=spans[0])
            and index not in found.troubles
        ):
            return _column_followed(found, later, index, name)
    text = ast.unparse(target)
    return Output(name, line, text, text, "output1")


def _unmeasured(text: str) -> str:
    """`model.score(X, y)` as `model.predict(X)`."""
    tree = ast.parse(text.strip(), mode="eval").body
    assert isinstance(tree, ast.Call)
    assert isinstance(tree.func, ast.Attribute)
    return f"{ast.unparse(tree.func.value)}.predict({ast.unparse(tree.args[0])})"


def rendered(found: Found, line: int, start: int, end: int) -> str:
    edits = [one for one in found.edits if one.line == line]
    return edited(found.program.lines[line].code.text, start, end, edits)


def _followed(found: Found, name: str, line: int, *, free: str) -> Output:
    """What is made of predictions alone, row by row: labels of classes, amounts from their logarithms."""
    lines = found.program.lines
    for index in range(line + 1, len(lines)):
        node = lines[index].node
        if name in lines[index].flow.writes and name not in lines[index].flow.reads:
            break
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            if not _is_changed(found, node.value, name, index):
                break
            return _followed(found, name, index, free=free)
        if isinstance(node, ast.Expr) and (part := _handed_in(found, _written(node.value), name, index)):
            start, end = lines[index].code.span(part)
            text = rendered(found, index, start, end)
            return Output(free, index, text, lines[index].code.text[start:end], "output1")
        if not (isinstance(node, ast.Assign) and len(node.targets) == 1 and found.pieces.get(index)):
            continue
        target = node.targets[0]
        if _sets_some(target, name) and name in lines[index].flow.changes and index not in found.troubles:
            # some of the predictions are other ones from here on
            return _followed(found, name, index, free=free)
        root = target.id if isinstance(target, ast.Name) else root_name(target) or ""
        value = found.values.get(index, {}).get(root)
        if value is None or value.kind != ROWS or name not in lines[index].flow.reads:
            continue
        if isinstance(target, ast.Name) and target.id == name and _is_changed(found, node.value, name, index):
            return _followed(found, name, index, free=free)
        if isinstance(target, ast.Name) and _is_made_of(found, node.value, name, index):
            return _followed(found, target.id, index, free=free)
        is_more = not isinstance(node.value, ast.Name)
        is_column = isinstance(target, ast.Subscript) and _is_column(target)
        if is_column and is_more and _is_made_of(found, node.value, name, index):
            assert isinstance(target, ast.Subscript)
            return _column_followed(found, target, index, free)
        if is_column and isinstance(node.value, ast.Name):
            assert isinstance(target, ast.Subscript)
            column = _column_followed(found, target, index, free)
            if column.line > index:
                # put into a table to be made something else there
                return column
        if isinstance(target, ast.Name) and (part := _handed_in(found, node.value, name, index)):
            start, end = lines[index].code.span(part)
            text = rendered(found, index, start, end)
            return Output(free, index, text, lines[index].code.text[start:end], "output1")
    return Output(name, line, name="output1")


def decided_later(found: Found, output: Output) -> Iterator[tuple[int, str]]:
    """Variables that are made of predictions and of other rows, such as by rules of a business, with their lines."""
    lines = found.program.lines
    for index in range(output.line + 1, len(lines)):
        flow, node = lines[index].flow, lines[index].node
        if output.variable not in flow.reads or not isinstance(node, ast.Assign):
            continue
        others = {name for name in flow.reads - {output.variable} if kind_before(found, name, index) == ROWS}
        is_rule = any(call.last in _RULES for call in flow.calls) and output.variable not in flow.writes
        if is_rule and others and not any(map(_LABEL.search, others)):
            yield from ((index, name) for name in sorted(flow.writes))


def changed_later(found: Found, output: Output) -> Iterator[int]:
    """Lines that make something else of what answers, under its name, such as of some of its rows only."""
    lines = found.program.lines
    for index in range(output.line + 1, len(lines)):
        flow = lines[index].flow
        if output.expression or lines[index].hand in ("skip", "evaluate"):
            continue
        if output.variable in flow.reads and output.variable in flow.writes | flow.changes:
            if not flow.reads & found.label_variables:
                yield index
        elif output.variable in flow.writes:
            return


def decided_beside(found: Found, output: Output) -> Iterator[tuple[int, str]]:
    """What else is made in the statement of the prediction, and columns that are made of a predicted one and others."""
    lines = found.program.lines
    node = lines[output.line].node
    if output.expression and isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        value = node.value
        while isinstance(value, ast.Call) and _method(value) in SELECTS_ROWS:
            assert isinstance(value.func, ast.Attribute)
            value = value.func.value
        whole, part = ast.unparse(value), ast.unparse(ast.parse(output.expression, mode="eval"))
        if part != whole and part in whole:
            yield output.line, node.targets[0].id
    if not output.expression.endswith("]"):
        return
    for index in range(output.line + 1, len(lines)):
        node = lines[index].node
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript)):
            continue
        reads = {ast.unparse(one) for one in ast.walk(node.value) if isinstance(one, ast.Subscript)}
        if output.expression in reads and found.pieces.get(index) and len(reads) > 1:
            yield index, ast.unparse(node.targets[0])


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _sets_some(target: ast.expr, name: str) -> bool:
    """`pred[pred < 0] = ...`: others stay as they are."""
    return (
        isinstance(target, ast.Subscript)
        and isinstance(target.value, ast.Name)
        and target.value.id == name
        and not isinstance(target.slice, (ast.Constant, ast.List))
    )


def _is_made_of(found: Found, value: ast.expr, name: str, line: int) -> bool:
    """Whether a value is made of a variable row by row, and of no other rows."""
    is_selected = _is_selected(found, value, line) or _is_banded(found, value, line)
    return not _other_rows(found, value, name, line) and not is_selected and line not in found.troubles


def _is_changed(found: Found, value: ast.expr, name: str, line: int) -> bool:
    """Whether predictions become others under their name, by what their rows say but not by labels."""
    is_labelled = any(is_label(found, one) for one in _other_rows(found, value, name, line))
    is_filtered = isinstance(value, ast.Subscript) and bool(_other_rows(found, value, name, line))
    is_kept = not _is_selected(found, value, line) and not is_filtered and line not in found.troubles
    return is_kept and not is_labelled and not isinstance(value, ast.Name)


def _is_selected(found: Found, value: ast.expr, line: int) -> bool:
    is_sliced = any(
        isinstance(one, ast.Slice) and (one.lower or one.upper or one.step) for one in ast.walk(value)
    )
    is_chosen = any(isinstance(one, ast.Attribute) and one.attr in SELECTS_ROWS for one in ast.walk(value))
    return is_sliced or is_chosen or any(one.line == line for one in found.selections)


def _other_rows(found: Found, value: ast.expr, name: str, line: int) -> set[str]:
    """Other rows that an expression reads; those of which a number is learned are none."""
    read = found.rows_read(value, line) - {name}
    # of `pd.Series(pred, index=X_test.index)` the rows are the same
    numbered = [
        one.value.id
        for one in ast.walk(value)
        if isinstance(one, ast.Attribute) and one.attr == "index" and isinstance(one.value, ast.Name)
    ]
    named = [one.id for one in ast.walk(value) if isinstance(one, ast.Name)]
    read -= {one for one in numbered if numbered.count(one) == named.count(one)}
    return {one for one in read if kind_before(found, one, line) == ROWS}


def _is_banded(found: Found, value: ast.expr, line: int) -> bool:
    """Whether predictions are put into bands of fixed edges, as people count them; edges that were learned decide."""
    is_cut = any(isinstance(one, ast.Attribute) and one.attr in _BANDS for one in ast.walk(value))
    names = {one.id for one in ast.walk(value) if isinstance(one, ast.Name)}
    return is_cut and not any(kind_before(found, name, line) == FITTED for name in names)


def _is_same_column(later: ast.Subscript, column: ast.Subscript) -> bool:
    """`table["answer"]`, or some rows of it: `table.loc[is_unsure, "answer"]`."""
    if _is_column(later):
        return ast.dump(later) == ast.dump(column)
    place = later.value
    if not (isinstance(place, ast.Attribute) and place.attr == "loc" and isinstance(later.slice, ast.Tuple)):
        return False
    return ast.dump(place.value) == ast.dump(column.value) and ast.dump(later.slice.elts[-1]) == ast.dump(
        column.slice
    )


def _written(value: ast.expr) -> ast.expr:
    """The table of `table.to_csv(...)`."""
    while (
        isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in HANDS_IN
    ):
        value = value.func.value
    return value


def _handed_in(found: Found, value: ast.expr, name: str, line: int) -> ast.expr | None:
    """What of predictions a table to hand in has: `pd.DataFrame({"id": test.id, "label": (p > 0.5).astype(int)})`."""
    items = items_of(value) if isinstance(value, ast.Call) else []
    made = [
        one
        for _, one in items
        if any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(one))
    ]
    if len(made) != 1 or isinstance(made[0], ast.Name) or not _is_made_of(found, made[0], name, line):
        return None
    return made[0]


def is_label(found: Found, name: str) -> bool:
    """Whether rows under a name are what a model is to predict, as far as can be told."""
    return name in found.label_variables or bool(_LABEL.search(name))


def kind_before(found: Found, name: str, line: int) -> str:
    """What a name holds before a line."""
    for index in range(line - 1, -1, -1):
        value = found.values.get(index, {}).get(name)
        if value is not None:
            return value.kind
    return ""
