"""The table that answers are put together in: it goes out where several of its columns are made of predictions.

`pd.DataFrame({"low": p - band, "high": p + band, "seen": y_test})` answers `low` and `high`; of a table that gets
`out["answer"]` and `out["score"]` those two columns.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from mlalm_jupyter.notebook.predictive.answers import is_label, kind_before, rendered
from mlalm_jupyter.notebook.predictive.drafts import Found
from mlalm_jupyter.notebook.predictive.slicing import Output
from mlalm_jupyter.notebook.predictive.values import ROWS


@dataclass(slots=True)
class _Made:
    """What is made of predictions while the program goes on."""

    found: Found
    scored: Collection[int]
    """The lines where the model that answers is asked for the rows that are answered."""
    names: set[str] = field(default_factory=set)
    columns: dict[str, dict[str, int]] = field(default_factory=dict)
    """Of each table those made of predictions, with the line that set them last."""

    def of(self, value: ast.expr, index: int) -> bool:
        """Whether a value is made of predictions, and of no label."""
        others = self.found.rows_read(value, index)
        for one in ast.walk(value):
            if isinstance(one, ast.Subscript) and (column := _column(one)):
                table, name = column
                if name in self.columns.get(table, {}):
                    others.discard(table)
        rows = {name for name in others - self.names if kind_before(self.found, name, index) == ROWS}
        return self._reads(value) and not any(is_label(self.found, name) for name in rows)

    def read(self, index: int, node: ast.stmt) -> Iterator[Output]:
        """Tables that a statement puts together, or completes; after it, what it makes is known."""
        if not (isinstance(node, ast.Assign) and len(node.targets) == 1):
            shown = node.value if isinstance(node, ast.Expr) else None
            if shown is not None and index not in self.found.troubles:
                yield from self._written_out(index, shown)
            return
        target, value = node.targets[0], node.value
        is_made = index in self.scored or self.of(value, index)
        if column := _column(target):
            table, name = column
            mine = self.columns.setdefault(table, {})
            mine.pop(name, None)
            if is_made and index not in self.found.troubles:
                mine[name] = index
                if len(mine) > 1:
                    text = f"{table}[{list(mine)!r}]"
                    yield Output("", index, text, text, "output1")
        elif isinstance(target, ast.Name):
            self.columns.pop(target.id, None)
            self.names.discard(target.id)
            tables = [] if index in self.found.troubles else list(self._written_out(index, value))
            if is_made and not tables:
                self.names.add(target.id)
            yield from tables
        elif index in self.scored and isinstance(target, (ast.Tuple, ast.List)):
            self.names |= {one.id for one in target.elts if isinstance(one, ast.Name)}

    def _reads(self, value: ast.expr) -> bool:
        for one in ast.walk(value):
            if isinstance(one, ast.Name) and one.id in self.names:
                return True
            if isinstance(one, ast.Subscript) and (column := _column(one)):
                table, name = column
                if name in self.columns.get(table, {}):
                    return True
        return False

    def _written_out(self, index: int, value: ast.expr) -> Iterator[Output]:
        """`pd.DataFrame({"answer": p, "score": q})`, or `rows.assign(answer=p, score=q)`."""
        code = self.found.program.lines[index].code
        after = ""
        while isinstance(value, ast.Call):
            match value:
                case ast.Call(func=ast.Name(id="display" | "print"), args=[inner]):
                    value = inner
                case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in _AROUND:
                    if name == "round":
                        after = code.text[code.span(inner)[1] : code.span(value)[1]] + after
                    value = inner
                case _:
                    break
        if not isinstance(value, ast.Call):
            return
        frozen, typed = [], []
        for key, one in _items(value):
            if self.of(one, index):
                start, end = code.span(one)
                name = ast.unparse(key)
                frozen.append(f"{name}: {rendered(self.found, index, start, end)}")
                typed.append(f"{name}: {code.text[start:end]}")
        if len(frozen) < 2:
            return
        head = f"{ast.unparse(value.func)}({{"
        base = head
        if isinstance(value.func, ast.Attribute) and value.func.attr == "assign":
            # the rows without any column, so that nothing but what is made goes out
            start, end = code.span(value.func.value)
            head = f"{rendered(self.found, index, start, end)}[[]].assign(**{{"
            base = f"{code.text[start:end]}[[]].assign(**{{"
        text, expression = (
            f"{first}{', '.join(items)}}}){after}" for first, items in ((head, frozen), (base, typed))
        )
        yield Output("", index, text, expression, "output1")


_AROUND = frozenset({"to_csv", "head", "round", "to_excel", "to_parquet", "to_json"})


def _items(call: ast.Call) -> list[tuple[ast.expr, ast.expr]]:
    """The columns of a table that is written out, each with what gives its name."""
    words = call.keywords
    name = ast.unparse(call.func).rpartition(".")[2]
    if name == "DataFrame" and call.args:
        match call.args[0]:
            case ast.Dict(keys=keys, values=values):
                return [(key, one) for key, one in zip(keys, values, strict=True) if key is not None]
            case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
                words = keywords
            case _:
                return []
    elif name != "assign":
        return []
    return [(ast.Constant(word.arg), word.value) for word in words if word.arg is not None]


def table_of(found: Found, output: Output, scored: Collection[int]) -> Output | None:
    """The last table with several columns that are made of what is asked in the lines given."""
    made = _Made(found, scored)
    last: Output | None = None
    for index in range(min(scored), len(found.program.lines)):
        if found.program.lines[index].hand in ("skip", "evaluate", "train"):
            continue
        for one in made.read(index, found.program.lines[index].node):
            last = one
    if last is None or last.line < output.line:
        return None
    return Output(found.fresh("answers"), last.line, last.text, last.expression, last.name)


def _column(node: ast.expr) -> tuple[str, str] | None:
    """Table and column of `table["column"]`."""
    match node:
        case ast.Subscript(value=ast.Name(id=table), slice=ast.Constant(value=str(name))):
            return table, name
        case ast.Subscript(
            value=ast.Attribute(value=ast.Name(id=table), attr="loc"),
            slice=ast.Tuple(
                elts=[ast.Slice(lower=None, upper=None, step=None), ast.Constant(value=str(name))]
            ),
        ):
            return table, name
        case _:
            return None
