"""The table that answers are put together in: it goes out where several of its columns are made of predictions.

`pd.DataFrame({"low": p - band, "high": p + band, "seen": y_test})` answers `low` and `high`; of a table that gets
`out["answer"]` and `out["score"]` those two columns, as they are after the last statement that changes them.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from mlalm_jupyter.notebook.code import root_name
from mlalm_jupyter.notebook.predictive.answers import is_label, kind_before, rendered
from mlalm_jupyter.notebook.predictive.columns import (
    Labels,
    cells_of,
    columns_of,
    items_of,
    rows_set,
    texts_of,
)
from mlalm_jupyter.notebook.predictive.drafts import Found
from mlalm_jupyter.notebook.predictive.known_rows import HANDS_IN, KEEPS_VALUES, OVER_ROWS, SELECTS_ROWS
from mlalm_jupyter.notebook.predictive.slicing import Output
from mlalm_jupyter.notebook.predictive.table_calls import is_along_row
from mlalm_jupyter.notebook.predictive.values import ROWS


@dataclass(frozen=True, slots=True)
class _Table:
    """What is known of a table that gets answers."""

    columns: tuple[str, ...] = ()
    """Those made of predictions."""
    labelled: frozenset[str] = frozenset()
    """Those made of what is to be predicted."""
    output: Output | None = None
    is_changed: bool = False
    """Whether the statement makes other values of them."""
    is_selected: bool = False
    """Whether rows were left out or ordered, as for looking at them."""

    def with_columns(self, *names: str) -> _Table:
        return replace(
            self,
            columns=(*self.columns, *(one for one in names if one not in self.columns)),
            labelled=self.labelled - {*names},
            output=None,
        )

    def without(self, *names: str) -> _Table:
        return self.only(one for one in self.columns if one not in names)

    def only(self, names: Iterable[str]) -> _Table:
        kept = tuple(one for one in names if one in self.columns)
        return replace(
            self, columns=kept, output=None, is_changed=self.is_changed or len(kept) < len(self.columns)
        )


@dataclass(slots=True)
class _Tables:
    """What is made of predictions while the program goes on."""

    found: Found
    scored: Collection[int]
    """The lines where the model that answers is asked for the rows that are answered."""
    labels: Labels
    names: set[str] = field(default_factory=set)
    """Variables that hold what is made of predictions."""
    tables: dict[str, _Table] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)
    """What may go out, the last one first of all."""
    is_handed_in: bool = False

    # statements

    def read(self, index: int, node: ast.stmt) -> None:
        """What a statement makes of predictions is known after it."""
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(
                targets
            ) == len(values):
                for target, value in zip(targets, values, strict=True):
                    self._assigned(index, target, value)
            case (
                ast.Assign(targets=[target], value=value)
                | ast.AnnAssign(target=target, value=ast.expr() as value)
            ):
                self._assigned(index, target, value)
            case ast.AugAssign(target=ast.Subscript() | ast.Attribute() as target, op=op, value=value):
                self._assigned(index, target, ast.BinOp(target, op, value), is_change=True)
            case ast.For() | ast.If() | ast.While() | ast.With():
                self._around(index)
            case ast.Delete(targets=targets):
                for one in targets:
                    if (columns := columns_of(one)) and columns[0] in self.tables:
                        self._set(index, columns[0], self.tables[columns[0]].without(*columns[1]))
            case ast.Expr(value=value):
                self._shown(index, value)
            case _:
                pass

    def _assigned(self, index: int, target: ast.expr, value: ast.expr, *, is_change: bool = False) -> None:
        is_made = index in self.scored or self.of(value, index)
        columns, cells = columns_of(target), cells_of(target)
        if columns and (isinstance(target, ast.Subscript) or self._is_answer(target)):
            table, names = columns
            before = self.tables.get(table, _Table())
            if is_made:
                is_other = is_change or bool({*names} & {*before.columns})
                self._set(index, table, replace(before.with_columns(*names), is_changed=is_other))
            else:
                gone = before.without(*names)
                new = {*names} if self._reads_labels(index, value) else set()
                self.tables[table] = replace(gone, labelled=gone.labelled - {*names} | new)
        elif cells:
            table, name = cells
            known = self.tables.get(table, _Table())
            if (known.columns if name is None else name in known.columns) and not (
                self._reads_labels(index, value) or self._reads_labels(index, *rows_set(target))
            ):
                self._set(index, table, replace(known, is_changed=True))
        elif isinstance(target, ast.Name):
            made = self._chained(index, value)
            self.names.discard(target.id)
            self.tables.pop(target.id, None)
            kind = self.found.values.get(index, {}).get(target.id)
            if made is not None and made.columns:
                self._set(index, target.id, made)
            elif is_made and (kind is None or kind.kind == ROWS):
                self.names.add(target.id)
        elif index in self.scored and isinstance(target, (ast.Tuple, ast.List)):
            self.names |= {one.id for one in target.elts if isinstance(one, ast.Name)}

    def _is_answer(self, node: ast.expr) -> bool:
        if columns := columns_of(node):
            return {*columns[1]} <= {*self.tables.get(columns[0], _Table()).columns}
        cells = cells_of(node)
        return cells is not None and cells[1] in self.tables.get(cells[0], _Table()).columns

    def _shown(self, index: int, value: ast.expr) -> None:
        """A table that is shown, handed in, or changed in place."""
        is_handed = False
        while True:
            match value:
                case ast.Call(func=ast.Name(id="display" | "print"), args=[inner]):
                    value = inner
                case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in HANDS_IN:
                    value, is_handed = inner, True
                case _:
                    break
        match value:
            case ast.Name(id=table):
                pass
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=table), attr="insert"),
                args=[_, ast.Constant(value=str(name)), added],
            ):
                if self.of(added, index):
                    self._set(index, table, self.tables.get(table, _Table()).with_columns(name))
            case ast.Call(func=ast.Attribute(value=ast.Name(id=table)), keywords=words) if any(
                word.arg == "inplace" for word in words
            ):
                made = self._chained(index, value)
                if made is not None:
                    self._set(index, table, made)
            case _:
                table = ""
                self.tables[table] = _Table()
                made = self._chained(index, value)
                if made is not None:
                    self._set(index, table, made, text=self._whole(index, value))
        known = self.tables.get(table, _Table())
        if is_handed and known.columns and (known.output is not None or not known.is_selected):
            # of a table with one column of predictions these go out themselves
            mine = [one for one in self.outputs if one.text.startswith(f"{root_name(value)}[")]
            self.outputs = (
                [*(one for one in self.outputs if one != known.output), known.output]
                if known.output
                else mine
            )
            self.is_handed_in = True

    def _around(self, index: int) -> None:
        """A loop or a condition that changes tables of answers."""
        flow = self.found.program.lines[index].flow
        if not flow.reads & self.found.label_variables:
            for table in sorted((flow.changes | flow.writes) & self.tables.keys()):
                if self.tables[table].columns:
                    self._set(index, table, replace(self.tables[table], is_changed=True))

    def _whole(self, index: int, value: ast.expr) -> tuple[str, str]:
        code = self.found.program.lines[index].code
        start, end = code.span(value)
        return f"({rendered(self.found, index, start, end)})", f"({code.text[start:end]})"

    def _set(self, index: int, name: str, table: _Table, *, text: tuple[str, str] | None = None) -> None:
        """A table after a statement; what goes out is its columns from there on."""
        output = table.output if table.output is not None and table.output.line == index else None
        is_several = len(table.columns) > 1
        if output is None and (is_several or (table.is_changed and table.columns)) and not table.is_selected:
            part = repr(list(table.columns) if is_several else table.columns[0])
            frozen, typed = text or (name, name)
            output = Output("", index, f"{frozen}[{part}]", f"{typed}[{part}]", "output1")
        if index in self.found.troubles:
            output = None
        self.tables[name] = replace(table, output=output, is_changed=False)
        if output is not None and not self.is_handed_in:
            self.outputs.append(output)

    # values

    def of(self, value: ast.expr, index: int) -> bool:
        """Whether a value is made of predictions, and of no label."""
        match value:
            case ast.List() | ast.Constant():
                return False
            case ast.ListComp(generators=[first, *_]) if not self._reads(first.iter):
                return False  # for each of something else, such as of thresholds
            case ast.Call(func=ast.Attribute(attr=name)) if name in OVER_ROWS and not is_along_row(
                value, name
            ):
                return False
        if self._reads_labels(index, value):
            return False
        rows = {
            name
            for name in self.found.rows_read(value, index) - self.names - self.tables.keys()
            if kind_before(self.found, name, index) == ROWS
        }
        return self._reads(value) and not any(is_label(self.found, name) for name in rows)

    def _reads(self, value: ast.AST) -> bool:
        for one in ast.walk(value):
            if isinstance(one, ast.Name) and one.id in self.names:
                return True
            if isinstance(one, ast.expr) and (columns := columns_of(one)):
                table, names = columns
                if table in self.tables and {*names} & {*self.tables[table].columns}:
                    return True
        return False

    def _reads_labels(self, index: int, *values: ast.AST) -> bool:
        """Also columns that were made of labels; a prediction that is called like one is none."""
        parts = [one for value in values for one in ast.walk(value)]
        called = {id(one.func) for one in parts if isinstance(one, ast.Call)}
        for one in parts:
            if not isinstance(one, ast.expr) or id(one) in called or self._is_answer(one):
                continue
            columns = columns_of(one)
            is_labelled = columns is not None and bool(
                {*columns[1]} & self.tables.get(columns[0], _Table()).labelled
            )
            is_said = isinstance(one, ast.Name) and one.id in self.names
            if (
                (is_labelled or self.labels.is_one(one))
                and not is_said
                and not self.found.is_learned(one, index)
            ):
                return True
        return False

    def _chained(self, index: int, value: ast.expr) -> _Table | None:
        """A table that a call writes out, or that is made of one known before, method by method."""
        match value:
            case ast.Name(id=name):
                known = self.tables.get(name)
                return known and replace(known, output=None)
            case ast.Call(func=func) if ast.unparse(func).rpartition(".")[2] == "DataFrame":
                return self._written_out(index, value, _Table())
            case ast.Call(func=ast.Attribute(value=inner, attr="assign")):
                base = self._chained(index, inner)
                return self._written_out(index, value, base or _Table())
            case ast.Call(func=ast.Attribute(value=inner, attr=method)):
                base = self._chained(index, inner)
                return base and self._after(index, base, value, method)
            case ast.Subscript(value=ast.Attribute(value=inner, attr="loc" | "iloc")):
                base = self._chained(index, inner)
                return base and replace(base, is_selected=True)
            case ast.Subscript(value=inner, slice=part):
                base, names = self._chained(index, inner), texts_of(part)
                if base is None or (names and not isinstance(part, ast.List)):
                    return None
                if names:
                    return base.only(names)
                return replace(base, is_selected=True)
            case _:
                return None

    def _after(self, index: int, base: _Table, call: ast.Call, method: str) -> _Table | None:
        """A table after one of its methods."""
        words = {word.arg: word.value for word in call.keywords}
        if method in SELECTS_ROWS:
            return replace(base, is_selected=True)
        if method == "drop":
            gone = texts_of(words.get("columns", call.args[0] if call.args else ast.Constant(None)))
            return base.without(*gone)
        if method == "rename":
            pairs = words.get("columns")
            if not isinstance(pairs, ast.Dict):
                return None
            names = {
                one.value: other.value
                for one, other in zip(pairs.keys, pairs.values, strict=True)
                if isinstance(one, ast.Constant) and isinstance(other, ast.Constant)
            }
            return replace(base, columns=tuple(str(names.get(one, one)) for one in base.columns), output=None)
        if method == "set_index":
            return base.without(*texts_of(call.args[0] if call.args else call))
        is_labelled = any(self._reads_labels(index, one) for one in [*call.args, *words.values()])
        if method not in _CHANGES | KEEPS_VALUES or is_labelled:
            return None
        made = replace(base, output=None, is_changed=base.is_changed or method in _CHANGES)
        if method == "round" and base.output is not None:
            after = "." + ast.unparse(ast.Call(ast.Name("round"), call.args, call.keywords))
            before = base.output
            made = replace(
                made, output=replace(before, text=before.text + after, expression=before.expression + after)
            )
        return made

    def _written_out(self, index: int, call: ast.Call, base: _Table) -> _Table | None:
        """`pd.DataFrame({"answer": p, "score": q})`, or `rows.assign(answer=p, score=q)`."""
        code = self.found.program.lines[index].code
        frozen, typed, names, labelled = [], [], list[str](), set[str]()
        for key, one in items_of(call):
            name = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
            if self._reads_labels(index, one) and name:
                labelled.add(name)
            is_made = isinstance(one, ast.Lambda) and self._of_table(one, base.columns, names)
            if (is_made and not self._reads_labels(index, one)) or self.of(one, index):
                start, end = code.span(one)
                frozen.append(f"{ast.unparse(key)}: {rendered(self.found, index, start, end)}")
                typed.append(f"{ast.unparse(key)}: {code.text[start:end]}")
                names.append(name or "")
        words = {word.arg: word.value for word in call.keywords}
        if call.args and "columns" in words and not items_of(call) and self.of(call.args[0], index):
            names += texts_of(words["columns"])  # one of each that a model predicts
        known = base.with_columns(*filter(None, names))
        known = replace(known, labelled=known.labelled | labelled, output=None)
        is_assign = isinstance(call.func, ast.Attribute) and call.func.attr == "assign"
        is_plain = is_assign or not words.keys() - {"index", "data"}
        if (
            len(names) < 2
            or not is_plain
            or base.columns
            or any(isinstance(one, ast.Lambda) for _, one in items_of(call))
        ):
            if not is_assign and "columns" in words:
                known = replace(
                    known, columns=tuple(one for one in texts_of(words["columns"]) if one in known.columns)
                )
            return known if known.columns else None
        head = base_text = f"{ast.unparse(call.func)}({{"
        if is_assign:
            assert isinstance(call.func, ast.Attribute)
            # the rows without any column, so that nothing but what is made goes out
            start, end = code.span(call.func.value)
            head = f"({rendered(self.found, index, start, end)})[[]].assign(**{{"
            base_text = f"({code.text[start:end]})[[]].assign(**{{"
        texts = [f"{first}{', '.join(items)}}})" for first, items in ((head, frozen), (base_text, typed))]
        return replace(known, output=Output("", index, texts[0], texts[1], "output1"))

    def _of_table(self, one: ast.Lambda, before: Sequence[str], names: Sequence[str]) -> bool:
        """Whether a function of the table so far makes something of its answers."""
        table = one.args.args[0].arg if len(one.args.args) == 1 else ""
        return any(
            columns[0] == table and bool({*columns[1]} & {*before, *names})
            for part in ast.walk(one.body)
            if isinstance(part, ast.expr) and (columns := columns_of(part))
        )


_CHANGES = frozenset(
    {"round", "clip", "astype", "fillna", "replace", "map", "applymap", "abs", "mask", "where"}
)


def tables_of(found: Found, output: Output, scored: Collection[int], names: dict[str, str]) -> list[Output]:
    """Tables with several columns that are made of what is asked in the lines given, the last one first.

    `names` are those that were given to outputs already.
    """
    made = _Tables(found, scored, Labels(found.label_variables, found.label_columns))
    for index in range(min(scored), len(found.program.lines)):
        if found.program.lines[index].hand in ("skip", "evaluate", "train"):
            continue
        made.read(index, found.program.lines[index].node)
    later = [one for one in reversed(made.outputs) if one.line >= output.line]
    if later and (later[0].line, later[0].expression) == (output.line, output.expression):
        return []
    tables: list[Output] = []
    for one in later:
        hint = "answers" if one.text.endswith(("]]", ")")) else "predictions"
        if hint not in names:
            names[hint] = found.fresh(hint)
        tables.append(replace(one, variable=names[hint]))
    return tables
