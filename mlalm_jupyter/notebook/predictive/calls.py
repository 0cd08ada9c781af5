"""What calls give: rows by rows, something over all rows, something trained, or a prediction."""

from __future__ import annotations

import ast
from dataclasses import replace

from mlalm_jupyter.notebook.binding import names_bound, parameters_of
from mlalm_jupyter.notebook.code import dotted, root_name
from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.drafts import Scoring, Selection
from mlalm_jupyter.notebook.predictive.expressions import Expressions
from mlalm_jupyter.notebook.predictive.known_rows import (
    BRINGS_CONTAINER,
    BRINGS_PAIR,
    BRINGS_TABLE,
    FITS,
    IMPURE,
    KEEPS_ROWS,
    LEARNS_ONCE,
    NETWORKS,
    ORDERED,
    OVER_ROWS,
    OVER_ROWS_BUILTINS,
    OVER_ROWS_FUNCTIONS,
    RESHAPES,
    SCORES,
    SELECTS_ROWS,
    TRAINS,
)
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

Given = list[tuple[ast.expr, Value]]


class Calls(Expressions):
    """Reads calls."""

    def call(self, node: ast.Call) -> Value:
        func = node.func
        root = root_name(func)
        if isinstance(func, ast.Attribute):
            is_library = (
                dotted(func) != ""
                and root in self.imports
                and root not in self.env
                and not any(isinstance(one, (ast.Call, ast.Subscript)) for one in ast.walk(func))
            )
            return self._library(node, self._full(func)) if is_library else self._method(node, func)
        if isinstance(func, ast.Name):
            if func.id in self.functions:
                return self._own_function(node, func.id)
            if func.id in self.env and self.env[func.id].kind != CONST:
                return self._other(node, self._given(node), self.env[func.id])
            return self._library(node, self._full(func))
        inner = self.value(func)
        return self._other(node, self._given(node), inner)

    def _full(self, func: ast.expr) -> str:
        first, dot, rest = dotted(func).partition(".")
        return f"{self.imports.get(first, first)}{dot}{rest}"

    def _given(self, node: ast.Call) -> Given:
        parts = [*node.args, *(word.value for word in node.keywords)]
        return [(one, self.value(one)) for one in parts]

    def _other(self, node: ast.Call, given: Given, inner: Value = NOTHING) -> Value:
        """A call that goes row by row, as far as is known."""
        whole = joined([inner, *(value for _, value in given)])
        pairs = list(given)
        if inner.kind == FITTED and inner.is_raw:
            func = node.func
            pairs.append((func.value if isinstance(func, ast.Attribute) else func, inner))
        return self.settle(pairs, whole)

    # methods

    def _method(self, node: ast.Call, func: ast.Attribute) -> Value:
        method = func.attr
        inner = self.value(func.value)
        if method in FITS:
            return self._fit(node, func, inner)
        if method in ("fit_transform", "fit_predict"):
            return self._fit_and_use(node, func, inner)
        if method in ("fit_resample", "fit_sample"):
            return self._resample(node, func)
        if method in SCORES and inner.kind in (FITTED, CONST):
            return self._score(node, func, inner)
        if method in ("transform", "inverse_transform", "get_feature_names_out") and inner.kind in (
            CONST,
            FITTED,
        ):
            given = self._given(node)
            if method == "get_feature_names_out":
                return Value(FITTED, is_raw=inner.is_raw)
            result = self._other(node, given, replace(inner, is_scored=False))
            return replace(result, elements=())
        if method == "score" and (inner.kind == FITTED or inner.is_unfitted) and node.args:
            self._note_scoring(node, func, inner, is_score=True)
            self._given(node)
            return Value(FITTED, is_raw=True)
        if inner.kind == SOURCE:
            self._given(node)
            return inner
        if inner.kind == GROUPED:
            return self._grouped(node, func)
        if inner.kind == ROWS:
            return self._rows_method(node, func, inner)
        given = self._given(node)
        if method == "split" and any(value.kind == ROWS for _, value in given):
            return Value(ROWS)
        return self._other(node, given, inner)

    def _rows_method(self, node: ast.Call, func: ast.Attribute, inner: Value) -> Value:
        method, plain = func.attr, replace(inner, elements=(), items=(), maker="", is_unfitted=False)
        accessor = func.value.attr if isinstance(func.value, ast.Attribute) else ""
        if accessor in ("str", "dt") or (isinstance(func.value, ast.Constant)):
            return self._other(node, self._given(node), plain)
        along_row = _is_along_row(node, method)
        if method == "groupby":
            self._given(node)
            return Value(GROUPED)
        if method in ORDERED or (method == "fillna" and any(word.arg == "method" for word in node.keywords)):
            if not along_row:
                self.found.trouble(self.here, refusals.neighbours(self.cell, self.text(node)))
            return self._other(node, self._given(node), plain)
        if method in RESHAPES:
            self.found.trouble(self.here, refusals.reshaped(self.cell, self.text(node)))
            return self._other(node, self._given(node), plain)
        if method == "select_dtypes":
            name = self.hoist(
                node,
                expression=f"list({self.text(node)}.columns)",
                hint=f"{root_name(func) or 'table'}_columns",
            )
            self.edit(self.code.span(func.value)[1], self.code.span(node)[1], f"[{name}]")
            return plain
        if method == "dropna" and along_row:
            name = self.hoist(
                node,
                expression=f"list({self.text(node)}.columns)",
                hint=f"{root_name(func) or 'table'}_columns",
            )
            self.edit(self.code.span(func.value)[1], self.code.span(node)[1], f"[{name}]")
            return plain
        if method in SELECTS_ROWS and not (method in ("first", "last") or inner.is_scored or along_row):
            self.only(node, func.value)
            return plain
        if method == "drop":
            return self._drop(node, func, plain)
        if (
            method == "astype"
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and node.args[0].value == "category"
        ):
            name = self.hoist(
                node, expression=f"{self.text(node)}.dtypes", hint=f"{_column(func.value)}_categories"
            )
            self.replace(node.args[0], name)
            return plain
        if method == "apply":
            learned = self._applied_fit(node, func)
            if learned is not None:
                return learned
            self._check_applied(node, func)
            return self._other(node, self._given(node), plain)
        if method in OVER_ROWS and not along_row:
            self._given(node)
            if method in KEEPS_ROWS:
                return plain
            return Value(FITTED, is_raw=True)
        if method in ("fit", "fit_regularized"):
            return Value(FITTED, is_raw=True, maker=inner.maker)
        if method in ("assign", "pipe"):
            return self._with_frames(node, func, plain)
        return self._other(node, self._given(node), plain)

    def _with_frames(self, node: ast.Call, func: ast.Attribute, plain: Value) -> Value:
        """`df.assign(a=lambda d: ...)`: inside, `d` is the table so far."""
        given: Given = []
        for part in [*node.args, *(word.value for word in node.keywords)]:
            names = [one.arg for one in part.args.args] if isinstance(part, ast.Lambda) else []
            if not isinstance(part, ast.Lambda) or len(names) != 1:
                given.append((part, self.value(part)))
                continue
            outer = self.env, self.frames
            self.env = {**self.env, names[0]: Value(ROWS, is_frame=True)}
            self.frames = {**self.frames, names[0]: f"({self.text(func.value)})"}
            found = self.value(part.body)
            if found.kind == FITTED and found.is_raw:
                self.replace(part.body, self.hoist(part.body, found))
            self.env, self.frames = outer
            given.append((part, Value(ROWS)))
        return self._other(node, given, plain)

    def _drop(self, node: ast.Call, func: ast.Attribute, plain: Value) -> Value:
        words = {word.arg: word.value for word in node.keywords}
        axis = words.get("axis", node.args[1] if len(node.args) > 1 else None)
        of_columns = "columns" in words or (isinstance(axis, ast.Constant) and axis.value in (1, "columns"))
        if not of_columns:
            self.only(node, func.value)
            return plain
        given = self._given(node)
        if "errors" not in words:
            end = self.code.span(node)[1] - 1
            before = self.code.text[:end].rstrip()
            comma = "" if before.endswith((",", "(")) else ", "
            self.edit(end, end, f'{comma}errors="ignore"', is_kept_only=True)
        return self._other(node, given, plain)

    def _applied_fit(self, node: ast.Call, func: ast.Attribute) -> Value | None:
        """`table.apply(LabelEncoder().fit_transform)`: one transform for each column."""
        first = node.args[0] if node.args else None
        is_fit = isinstance(first, ast.Attribute) and first.attr == "fit_transform"
        if not is_fit or self.inside:
            return None
        assert isinstance(first, ast.Attribute)
        table, maker = self.text(func.value), self.text(first.value)
        value = self.value(first.value)
        whole = (
            f"{{name: __import__('copy').deepcopy({maker}).fit({table}[name]) for name in {table}.columns}}"
        )
        name = self.hoist(
            node, expression=whole, hint=f"{value.maker.rpartition('.')[2] or 'transform'}_by_column"
        )
        self.replace(first, f"lambda column: {name}[column.name].transform(column)")
        return Value(ROWS)

    def _check_applied(self, node: ast.Call, func: ast.Attribute) -> None:
        first = node.args[0] if node.args else None
        is_column = isinstance(func.value, ast.Subscript) and isinstance(func.value.slice, ast.Constant)
        if not isinstance(first, ast.Lambda) or is_column or _is_along_row(node, "apply"):
            return
        names = {one.arg for one in first.args.args}
        for inner in ast.walk(first.body):
            if (
                isinstance(inner, ast.Call)
                and isinstance(inner.func, ast.Attribute)
                and inner.func.attr in OVER_ROWS
                and isinstance(inner.func.value, ast.Name)
                and inner.func.value.id in names
            ):
                why = refusals.over_rows(self.cell, self.text(inner), "inside a lambda")
                self.found.trouble(self.here, why)

    def _grouped(self, node: ast.Call, func: ast.Attribute) -> Value:
        """What comes of groups: one item for each group, or for each row what its group has."""
        self._given(node)
        how = node.args[0] if node.args else None
        if func.attr == "transform" and isinstance(how, ast.Constant) and isinstance(how.value, str):
            key = _group_key(func.value)
            if key is not None:
                whole, groups = self.text(node), self.text(func.value)
                table, column = key
                name = self.hoist(
                    node, expression=f"{groups}.agg({how.value!r})", hint=f"{column}_{how.value}_by_group"
                )
                if name != whole:
                    self.replace(node, f"{table}.map({name})")
                return Value(ROWS)
        if func.attr in ("transform", "filter", "apply", *ORDERED):
            self.found.trouble(self.here, refusals.neighbours(self.cell, self.text(node)))
            return Value(ROWS)
        return Value(FITTED, is_raw=True)

    # training and scoring

    def _fit(self, node: ast.Call, func: ast.Attribute, inner: Value) -> Value:
        self._given(node)
        maker = inner.maker
        first = (
            node.args[0]
            if node.args
            else next((word.value for word in node.keywords if word.arg == "X"), None)
        )
        trained_on = self.text(first) if first is not None and not self.inside else ""
        if maker.startswith(NETWORKS):
            self.found.trouble(self.here, refusals.network(self.cell, maker.partition(".")[0]))
        root = func.value.id if isinstance(func.value, ast.Name) else ""
        result = Value(FITTED, is_raw=True, maker=maker, parts=inner.parts, model=root, trained_on=trained_on)
        if root and inner.kind != ROWS:
            self.fits.append((root, result))
            if root in self.drawn:
                self.fits.append((self.drawn[root], Value(FITTED, is_raw=True)))
                self.env[root] = replace(result, is_raw=False)
            if self.inside:
                self.env[root] = result
        elif (
            not root
            and (hanging := root_name(func.value))
            and not any(isinstance(one, ast.Call) for one in ast.walk(func.value))
        ):
            self.fits.append((hanging, replace(result, maker="", parts=())))
        return result

    def _fit_and_use(self, node: ast.Call, func: ast.Attribute, inner: Value) -> Value:
        method = "transform" if func.attr == "fit_transform" else "predict"
        given = self._given(node)
        last = inner.maker.rpartition(".")[2]
        if last in LEARNS_ONCE or (last == "LocalOutlierFactor" and method == "predict"):
            self.found.trouble(self.here, refusals.learns_once(self.cell, self.text(node)))
        if inner.maker.startswith(NETWORKS):
            self.found.trouble(self.here, refusals.network(self.cell, inner.maker.partition(".")[0]))
        is_rows = any(value.kind in (ROWS, SOURCE) for _, value in given)
        root = func.value.id if isinstance(func.value, ast.Name) else ""
        if not is_rows:
            if root:
                self.fits.append((root, Value(FITTED, is_raw=True, maker=inner.maker, parts=inner.parts)))
            return Value(FITTED, is_raw=True)
        arguments = [self.text(one) for one in node.args]
        words = [f"{word.arg}={self.text(word.value)}" for word in node.keywords if word.arg]
        trained_on = self.text(node.args[0]) if node.args else ""
        fitted = Value(
            FITTED, is_raw=True, maker=inner.maker, parts=inner.parts, trained_on=trained_on, model=root
        )
        self.settle(given, NOTHING if not is_rows else Value(ROWS))
        in_loop = self.loop is not None and (root == "" or root in self.loop.made or root in self.env)
        if self.inside:
            self.found.trouble(
                self.here, refusals.still_fits(self.cell, f"{self.inside[-1]}: {self.text(node)}")
            )
        elif root and not in_loop:
            self.fits.append((root, fitted))
        else:
            maker = self.text(func.value) if not root or (self.loop and root in self.loop.made) else ""
            maker = maker or f"__import__('copy').deepcopy({root})"
            expression = f"{maker}.fit({', '.join([*arguments, *words])})"
            name = self.hoist(node, Value(maker=inner.maker), expression=expression)
            if name != expression:
                self.replace(func.value, name)
            if root:
                self.env[root] = Value(FITTED, maker=inner.maker, text=name)
        dot = self.code.span(func)[1]
        self.edit(dot - len(func.attr), dot, method)
        self._drop_label(node)
        if method == "predict":
            self._note_scoring(node, func, replace(fitted, model=root or ""))
        return Value(ROWS, is_scored=method == "predict", model=root)

    def _drop_label(self, node: ast.Call) -> None:
        """`fit_transform(X, y)` is `transform(X)` afterwards."""
        rest: list[ast.expr | ast.keyword] = [
            *node.args[1:],
            *(word for word in node.keywords if word.arg != "X"),
        ]
        if rest and node.args:
            self.edit(self.code.span(node.args[0])[1], self.code.span(node)[1] - 1, "")

    def _resample(self, node: ast.Call, func: ast.Attribute) -> Value:
        given = self._given(node)
        texts = ", ".join(self.text(one) for one in node.args)
        self.edit(*self.code.span(node), f"({texts})", is_kept_only=True)
        return Value(ROWS, elements=tuple(value for _, value in given))

    def _score(self, node: ast.Call, func: ast.Attribute, inner: Value) -> Value:
        given = self._given(node)
        if inner.maker.startswith(NETWORKS):
            self.found.trouble(self.here, refusals.network(self.cell, inner.maker.partition(".")[0]))
        result = self._other(node, given, inner)
        if result.kind == ROWS:
            self._note_scoring(node, func, inner)
            result = replace(result, is_scored=True, model=inner.model)
        return replace(result, elements=(), maker="", is_unfitted=False)

    def _note_scoring(
        self, node: ast.Call, func: ast.Attribute, inner: Value, *, is_score: bool = False
    ) -> None:
        root = inner.model or root_name(func.value) or ""
        root = "" if root in self.bound and not self.depth else root
        if self.inside and is_score:
            return
        argument = self.text(node.args[0]) if node.args else ""
        start, end = self.code.span(node)
        is_inner = bool(self.inside) or bool(self.depth)
        one = Scoring(self.here, start, end, func.attr, root, argument, is_inner, is_score)
        if one not in self.found.scorings:
            self.found.scorings.append(one)

    # functions

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
        along_row = _is_along_row(node, last)
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
        ):
            return Value(FITTED, is_raw=True)
        if module in ("numpy", "scipy", "pandas") and last in ORDERED | {"zscore", "diff", "factorize"}:
            if not along_row:
                self.found.trouble(self.here, refusals.neighbours(self.cell, self.text(node)))
            return self._other(node, given)
        if last == "get_dummies":
            return self._dummies(node, given)
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

    def _split(self, node: ast.Call) -> Value:
        given = [(one, self.value(one)) for one in node.args]
        for word in node.keywords:
            self.value(word.value)
        if not any(value.kind == ROWS for _, value in given):
            return joined(value for _, value in given)
        elements = tuple(replace(value, elements=()) for _, value in given for _ in range(2))
        texts = ", ".join(f"{self.text(one)}, {self.text(one)}" for one, _ in given)
        self.edit(*self.code.span(node), f"({texts})", is_kept_only=True)
        return Value(ROWS, elements=elements, maker="train_test_split")

    def _dummies(self, node: ast.Call, given: Given) -> Value:
        if (
            self.inside
            and self._is_reindexed()
            and not any(word.arg == "drop_first" for word in node.keywords)
        ):
            return Value(ROWS, is_frame=True)
        name = self.hoist(
            node,
            expression=f"list({self.text(node)}.columns)",
            hint=f"{_column(node.args[0]) if node.args else 'dummy'}_columns",
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
        del given
        return Value(ROWS, is_frame=True)

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
        name = self.hoist(node, expression=f"{end}, retbins=True)[1]", hint=f"{_column(node.args[0])}_bins")
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
        rows = 0
        if isinstance(first, (ast.List, ast.Tuple)):
            rows = sum(self._kind(one) == ROWS for one in first.elts)
        if not beside and rows > 1:
            self.found.trouble(self.here, refusals.rows_put_below(self.cell))
        return self._other(node, given)

    def _kind(self, node: ast.expr) -> str:
        mark = self.found.mark()
        kind = self.value(node).kind
        self.found.forget(mark)
        return kind

    # the notebook's own functions

    def _own_function(self, node: ast.Call, name: str) -> Value:
        given = self._given(node)
        place, function = self.functions[name]
        if len(self.inside) > 4 or name in self.inside:
            return self._other(node, given)
        parameters = parameters_of(function.args)
        values = dict.fromkeys(parameters, NOTHING)
        values.update(
            {one: value for one, (_, value) in zip(parameters, given[: len(node.args)], strict=False)}
        )
        words = [word.arg for word in node.keywords]
        values.update(
            {one: value for one, (_, value) in zip(words, given[len(node.args) :], strict=True) if one}
        )
        names = dict(zip(parameters, node.args, strict=False)) | {
            word.arg: word.value for word in node.keywords if word.arg
        }
        mark = self.found.mark()
        outer = (self.env, self.text_line, self.bound, self.loop, self.fits)
        self.env = {**self.env, **values}
        self.text_line, self.bound, self.loop, self.fits = place, frozenset(), None, []
        self.inside.append(name)
        result = self.body(function.body)
        self.inside.pop()
        fits, shared = self.fits, names_bound(function.body)[1]
        for one in shared:
            if one in self.env:
                value = self.env[one]
                outer[0][one] = replace(value, is_raw=False)
                if value.kind == FITTED and value.is_raw:
                    fits.append((one, value))
        self.env, self.text_line, self.bound, self.loop, self.fits = outer
        for inner, value in fits:
            outer_node = names.get(inner)
            if isinstance(outer_node, ast.Name):
                self.fits.append((outer_node.id, replace(value, model=outer_node.id)))
            elif inner not in names_bound(function.body)[0] and inner in self.env:
                self.fits.append((inner, value))
        if result.kind == FITTED:
            self.found.forget(mark)
            return replace(result, is_raw=True, model="", text="")
        line = self.found.program.lines[self.here]
        if fits and result.kind == CONST:
            kept = line.flow.changes - {one for one, _ in self.fits}
            if not any(self.env.get(one, NOTHING).kind == ROWS for one in kept):
                self.found.forget(mark)  # it only trains
        if result.kind == ROWS and result.is_scored and not self.inside:
            start, end = self.code.span(node)
            argument = self.text(node.args[0]) if node.args else ""
            self.found.scorings.append(
                Scoring(self.here, start, end, "predict", result.model, argument, bool(self.depth))
            )
        return result

    def body(self, statements: list[ast.stmt]) -> Value:
        raise NotImplementedError

    def select(self, target: str, source: str, call: str) -> None:
        self.found.selections.append(Selection(self.here, call, target, source))


def _is_along_row(node: ast.Call, method: str) -> bool:
    """Whether a call goes along a row, `axis=1`, and not over all of them."""
    for word in node.keywords:
        if word.arg == "axis":
            return isinstance(word.value, ast.Constant) and word.value.value in (1, "columns", -1)
    if method in ("argmax", "argmin", "mean", "sum", "max", "min", "std"):
        return any(isinstance(one, ast.Constant) and one.value == 1 for one in node.args)
    return False


def _column(node: ast.expr) -> str:
    """What a person calls a column or table."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return (dotted(node) or "table").replace(".", "_")


def _group_key(node: ast.expr) -> tuple[str, str] | None:
    """`df.groupby('g')['x']` has its key in `df['g']` and its values in `x`; None when it has several."""
    column = ""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        column, node = str(node.slice.value), node.value
    elif isinstance(node, ast.Attribute):
        column, node = node.attr, node.value
    if not (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "groupby"
    ):
        return None
    key = node.args[0] if node.args else None
    table = dotted(node.func.value)
    if isinstance(key, ast.List) and len(key.elts) == 1:
        key = key.elts[0]
    if not column or not table or not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
        return None
    return f"{table}[{key.value!r}]", column
