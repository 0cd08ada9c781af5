"""What functions of libraries give that take rows, or bring them in."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace

from mlalm_jupyter.notebook.code import root_name
from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.expressions import counts
from mlalm_jupyter.notebook.predictive.known_rows import (
    BRINGS_CONTAINER,
    BRINGS_PAIR,
    BRINGS_TABLE,
    CURVES,
    IMPURE,
    NETWORKS,
    ORDERED,
    OVER_ROWS_BUILTINS,
    OVER_ROWS_FUNCTIONS,
    POLYNOMIAL,
    POLYNOMIALS,
    POWERS,
    TRAINS,
)
from mlalm_jupyter.notebook.predictive.table_calls import TableCalls, column_named, is_along_row
from mlalm_jupyter.notebook.predictive.training_calls import Given
from mlalm_jupyter.notebook.predictive.values import (
    CONST,
    FITTED,
    GROUPED,
    NOTHING,
    ROWS,
    SOURCE,
    Value,
    joined,
)
from mlalm_jupyter.notebook.role_signs import kind_of

_TO_PREDICT = re.compile(
    r"(^|_)(test|tst|te|new|unseen|submission|holdout)(_|\d|$)|test_?(df|data|set)|(df|data)_?test", re.I
)


class LibraryCalls(TableCalls):
    """Reads calls of what is imported, and of what Python brings."""

    def _library(self, node: ast.Call, full: str) -> Value:
        last, module = full.rpartition(".")[2], full.partition(".")[0]
        if last == "train_test_split":
            return self._split(node)
        if full in TRAINS:
            self._given(node)
            return Value(FITTED, is_raw=True, maker=full)
        if full in IMPURE:
            return Value(FITTED, is_raw=True)
        if last in BRINGS_TABLE:
            return self.bring(node)
        is_data = "datasets" in full.split(".")[:-1]
        if is_data and last.startswith(BRINGS_CONTAINER):
            words = {word.arg for word in node.keywords}
            if "return_X_y" in words:
                table = self.bring(node)
                return replace(table, elements=(table, table))
            return self.bring(node, SOURCE)
        if last.startswith(BRINGS_CONTAINER) and module in ("sklearn", "seaborn"):
            return self.bring(node, SOURCE if module == "sklearn" else ROWS)
        if last == "load_data" or full.endswith("datasets.load"):
            return self.bring(node)
        if is_data and last.startswith(BRINGS_PAIR):
            table = self.bring(node)
            return replace(table, elements=(table, table))
        given = self._given(node)
        kinds = {value.kind for _, value in given}
        if kinds <= {CONST} and self._is_literal(full):
            return self.bring(node)
        kind = kind_of(full, ())
        is_class = last[:1].isupper() or last in ("make_pipeline", "make_column_transformer", "make_union")
        if (
            kind is not None
            or (last in self.classes)
            or (is_class and ROWS not in kinds and FITTED not in kinds)
        ):
            return self._made(node, full, given)
        if full == POLYNOMIAL and FITTED in kinds:
            return replace(self._other(node, given), maker=full)
        if ROWS not in kinds and GROUPED not in kinds:
            return self._other(node, given)
        return self._of_rows(node, full, given)

    def _is_literal(self, full: str) -> bool:
        if self.level == "frame":
            return full == "pandas.DataFrame"
        if self.level == "array":
            return (full.startswith("numpy.random.") and not full.endswith("seed")) or full == "numpy.array"
        return False

    def _made(self, node: ast.Call, full: str, given: Given) -> Value:
        if "__init__" in self.classes.get(full, ()):
            return Value(FITTED, is_raw=True, maker=full)
        names = tuple(
            one.id
            for part, _ in given
            for one in ast.walk(part)
            if isinstance(one, ast.Name) and self.env.get(one.id, NOTHING).is_unfitted
        )
        if any(value.kind == FITTED and value.maker for _, value in given) and not names:
            return replace(joined(value for _, value in given), maker=full)
        return Value(CONST, maker=full, parts=names, is_unfitted=True)

    def _of_rows(self, node: ast.Call, full: str, given: Given) -> Value:
        last, module = full.rpartition(".")[2], full.partition(".")[0]
        along_row = is_along_row(node, last)
        if full.startswith("sklearn.metrics.") or last.startswith(
            ("cross_val", "permutation_", "learning_curve", "validation_curve")
        ):
            return Value(FITTED, is_raw=True)
        if full in OVER_ROWS_BUILTINS or last == "Counter":
            return Value(FITTED, is_raw=True) if not self._is_scalar(given) else joined(v for _, v in given)
        if last == "len" or full == "len":
            return Value(ROWS)
        if (
            module in ("numpy", "pandas", "scipy", "statistics")
            and last in OVER_ROWS_FUNCTIONS
            and not along_row
            and not self._is_across(node)
        ):
            return Value(FITTED, is_raw=True)
        if module in ("numpy", "scipy", "pandas") and last in ORDERED | {"zscore", "diff", "factorize"}:
            if not along_row:
                learns = last in ("zscore", "factorize")
                why = refusals.learned_inside if learns else refusals.neighbours
                self.found.trouble(self.here, why(self.cell, self.text(node)))
            return self._other(node, given)
        if full in ("numpy.arange", "numpy.linspace") and any(map(counts, node.args)):
            # the place of a row among all
            self.found.trouble(self.here, refusals.neighbours(self.cell, self.text(node)))
        if full in CURVES and ".T" not in self.text(node):
            return Value(FITTED, is_raw=True)
        if full in POLYNOMIALS and len(given) > 1 and any(value.kind == FITTED for _, value in given):
            curve, rows = given[:2] if given[0][1].kind == FITTED else given[1::-1]
            return self.on_curve(node, root_name(curve[0]) or "", rows[0], self._other(node, given))
        if full in POWERS and len(node.args) == 1 and not node.keywords:
            return self._power(node, last)
        if last == "get_dummies":
            return self._dummies(node)
        if last in ("cut", "qcut") and module == "pandas":
            return self._bins(node, last, given)
        if last == "concat" and module == "pandas":
            return self._concat(node, given)
        if last == "melt":
            self.found.trouble(self.here, refusals.reshaped(self.cell, self.text(node)))
        if last == "add_constant":
            if not any(word.arg == "has_constant" for word in node.keywords):
                end = self.code.span(node)[1] - 1
                self.edit(end, end, ', has_constant="add"')
            return self._other(node, given)
        if last in ("DMatrix", "Pool"):
            for word in node.keywords:
                if word.arg == "label":
                    start = self.code.span(node.args[0])[1] if node.args else 0
                    if start and len(node.keywords) == 1:
                        self.edit(start, self.code.span(node)[1] - 1, "", is_kept_only=True)
            if len(node.args) > 1:
                self.edit(self.code.span(node.args[0])[1], self.code.span(node)[1] - 1, "", is_kept_only=True)
            return Value(ROWS, maker=full)
        if full.startswith("statsmodels."):
            return Value(ROWS, maker=full)
        if module in NETWORKS:
            self.found.trouble(self.here, refusals.network(self.cell, module))
        return self._other(node, given)

    def _is_scalar(self, given: Given) -> bool:
        """`max(0, row)` compares two things, `max(column)` looks over one."""
        return len(given) > 1 and all(not isinstance(node, ast.GeneratorExp) for node, _ in given)

    def _is_across(self, node: ast.Call) -> bool:
        """`np.mean([a, b], axis=0)` goes along a row of columns that are put side by side."""
        first = node.args[0] if node.args else None
        axis = [word.value for word in node.keywords if word.arg == "axis"] or node.args[1:2]
        if not axis or not isinstance(axis[0], ast.Constant) or axis[0].value != 0:
            return False
        if isinstance(first, ast.ListComp):
            return len(first.generators) == 1 and self._kind(first.generators[0].iter) in (CONST, FITTED)
        return isinstance(first, (ast.List, ast.Tuple))

    def _split(self, node: ast.Call) -> Value:
        given = [(one, self.handed(one)) for one in node.args]
        for word in node.keywords:
            self.value(word.value)
        if not any(value.kind == ROWS for _, value in given):
            return joined(value for _, value in given)
        elements = tuple(replace(value, elements=()) for _, value in given for _ in range(2))
        texts = ", ".join(f"{self.handed_text(one)}, {self.handed_text(one)}" for one, _ in given)
        self.edit(*self.code.span(node), f"({texts})", is_kept_only=True)
        return Value(ROWS, elements=elements, maker="train_test_split")

    def _dummies(self, node: ast.Call) -> Value:
        if (
            self.inside
            and self._is_reindexed()
            and not any(word.arg == "drop_first" for word in node.keywords)
        ):
            return Value(ROWS, is_frame=True)
        name = self.hoist(
            node,
            expression=f"list({self.text(node)}.columns)",
            hint=f"{column_named(node.args[0]) if node.args else 'dummy'}_columns",
        )
        for word in node.keywords:
            if word.arg == "drop_first":
                start, end = self.code.span(word.value)
                # the first is gone from the names anyway, and a single row has no other
                self.edit(start, end, "False")
            if word.arg == "columns" and isinstance(word.value, ast.List):
                gone = [
                    one
                    for one in word.value.elts
                    if isinstance(one, ast.Constant) and one.value in self.labels
                ]
                if gone:
                    rest = [self.text(one) for one in word.value.elts if one not in gone]
                    self.edit(*self.code.span(word.value), f"[{', '.join(rest)}]", is_kept_only=True)
        self.after(node, f".reindex(columns={name}, fill_value=0)")
        return Value(ROWS, is_frame=True)

    def _power(self, node: ast.Call, last: str) -> Value:
        """`y, power = boxcox(prices)`: the power is learned, and others are put to the same one."""
        name = self.hoist(node, expression=f"{self.text(node)}[1]", hint=f"{last}_power")
        start, end = self.code.span(node)
        self.edit(start, start, "(")
        # after what it transforms, because a comma may stand behind that
        self.edit(self.code.span(node.args[0])[1], end, f", {name}), {name})")
        return Value(ROWS, elements=(Value(ROWS), Value(FITTED, is_raw=True)))

    def _is_reindexed(self) -> bool:
        """Whether the function sees to its columns by itself."""
        function = self.functions[self.inside[-1]][1]
        return any(isinstance(one, ast.Attribute) and one.attr == "reindex" for one in ast.walk(function))

    def _bins(self, node: ast.Call, last: str, given: Given) -> Value:
        words = {word.arg: word.value for word in node.keywords}
        bins = node.args[1] if len(node.args) > 1 else words.get("bins", words.get("q"))
        index = next((one for one in given if one[0] is bins), None)
        is_learned = last == "qcut" or (isinstance(bins, ast.Constant) and isinstance(bins.value, int))
        if bins is None or index is None or "retbins" in words or not is_learned:
            return self._other(node, given)
        text = self.text(node)
        end = text.rstrip().removesuffix(")").rstrip().removesuffix(",")
        name = self.hoist(
            node, expression=f"{end}, retbins=True)[1]", hint=f"{column_named(node.args[0])}_bins"
        )
        func_end = self.code.span(node.func)[1]
        if last == "qcut":
            self.edit(func_end - 4, func_end, "cut")
        as_word = "" if len(node.args) > 1 else "bins="
        start, stop = self.code.span(bins)
        if as_word:
            start = self.code.text.rindex("q" if "q" in words else "bins", 0, start)
        self.edit(
            start,
            stop,
            f"{as_word}{name}, include_lowest=True"
            if last == "qcut" and len(node.args) + len(node.keywords) == 2
            else f"{as_word}{name}",
        )
        if last == "qcut" and len(node.args) + len(node.keywords) > 2:
            close = self.code.span(node)[1] - 1
            self.edit(close, close, ", include_lowest=True")
        return Value(ROWS)

    def _concat(self, node: ast.Call, given: Given) -> Value:
        first = node.args[0] if node.args else None
        axis = next(
            (word.value for word in node.keywords if word.arg == "axis"),
            node.args[1] if len(node.args) > 1 else None,
        )
        beside = isinstance(axis, ast.Constant) and axis.value in (1, "columns")
        if not (axis is None or isinstance(axis, ast.Constant)):
            self.found.trouble(self.here, refusals.rows_put_below(self.cell))
            return self._other(node, given)
        parts = first.elts if isinstance(first, (ast.List, ast.Tuple)) else []
        rows = [one for one in parts if self._kind(one) == ROWS]
        if not beside and len(rows) > 1:
            self._put_below(node, rows)
        return self._other(node, given)

    def _put_below(self, node: ast.Call, parts: Sequence[ast.expr]) -> None:
        """Of tables below each other it is the one to predict that a caller sends; where none is, it is all of them."""
        names = [root_name(one) or "" for one in parts]
        asked = [one for one, name in zip(parts, names, strict=True) if _TO_PREDICT.search(name)]
        if self.inside or self.depth:
            self.found.trouble(self.here, refusals.rows_put_below(self.cell))
        elif len(asked) == 1:
            self.only(node, asked[0])
        elif (
            not asked
            and all(isinstance(one, ast.Name) for one in parts)
            and all(map(self._is_untouched, names))
        ):
            self.is_gathered = True
        else:
            self.found.trouble(self.here, refusals.rows_put_below(self.cell))

    def _is_untouched(self, name: str) -> bool:
        """Whether a table is as it came in, but for columns that say from where it came."""
        made = [place for place, names in self.found.sources.items() if name in names]
        if not made:
            return False
        for line in self.found.program.lines[made[-1] + 1 : self.here]:
            if name not in line.flow.writes | line.flow.changes:
                continue
            match line.node:
                case ast.Assign(targets=[ast.Subscript(slice=ast.Constant())], value=ast.Constant()):
                    pass
                case _:
                    return False
        return True

    def _kind(self, node: ast.expr) -> str:
        mark = self.found.mark()
        kind = self.value(node).kind
        self.found.forget(mark)
        return kind
