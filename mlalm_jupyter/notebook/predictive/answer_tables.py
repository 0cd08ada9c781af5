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
        """`pd.DataFrame({"answer": p, "score": q})`."""
        call = value
        while (
            isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _AROUND
        ):
            call = call.func.value
        if not (isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Dict)):
            return
        if ast.unparse(call.func).rpartition(".")[2] != "DataFrame":
            return
        made = [
            (key.value, one)
            for key, one in zip(call.args[0].keys, call.args[0].values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and self.of(one, index)
        ]
        if len(made) < 2:
            return
        code = self.found.program.lines[index].code
        frozen, typed = [], []
        for name, one in made:
            start, end = code.span(one)
            frozen.append(f"{name!r}: {rendered(self.found, index, start, end)}")
            typed.append(f"{name!r}: {code.text[start:end]}")
        table = ast.unparse(call.func)
        yield Output(
            "", index, f"{table}({{{', '.join(frozen)}}})", f"{table}({{{', '.join(typed)}}})", "output1"
        )


_AROUND = frozenset({"to_csv", "head", "round", "to_excel", "to_parquet", "to_json", "style"})


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
        case _:
            return None
