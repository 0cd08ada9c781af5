"""Runs inside the kernel of a traced notebook: keeps, right at certain statements, what a conversion wants to know.

What is wanted stands in a file that the environment names. When the original notebook runs, its statements stay as
they are, and nothing of it is seen: random numbers, outputs and names are those of any other run. When the frozen
program runs, another table takes the place of the one it brings in, and what was fitted is there from the beginning.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import json
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlalm_jupyter.adapters.traced_selections import HOOK, Selected
from mlalm_jupyter.adapters.traced_splits import Splits
from mlalm_jupyter.adapters.traced_tables import Tables
from mlalm_jupyter.adapters.traced_things import Things, thing_from
from mlalm_jupyter.adapters.traced_values import as_table, columns_like, kept_table, value_of
from mlalm_jupyter.formats.confined import written_paths
from mlalm_jupyter.notebook.code import code_of

ENVIRONMENT = "MLALM_TRACE"
PLAN, LISTING = "plan.json", "listing.jsonl"
PRELUDE = """
try:
    from mlalm_jupyter.adapters.tracing import start as _mlalm_start
except ImportError:
    pass
else:
    _mlalm_start()
    del _mlalm_start
"""
_TOLERATED = ("NameError", "NotFittedError", "AssertionError")
"""How a statement may end that no answer needs, where nothing is fitted."""


class NotWritten(PermissionError):
    """A notebook that is only tried must not write."""


class Tracer:
    """Follows a shell from statement to statement."""

    def __init__(self, shell: Any, folder: Path) -> None:
        self._shell = shell
        self._folder = folder
        self._told: Mapping[str, Any] = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        self._is_trial = bool(self._told["is_trial"])
        self._cells = [code_of(text) for text in self._told["cells"]]
        self._next = 0
        self._cell: int | None = None
        self._is_entered = False
        self._splits = Splits(shell)
        self._things = Things(folder)
        self._sources: dict[int, Any] = {}
        self._chosen: list[dict[str, Any]] = []
        self._table: Any = None
        self._silent = {tuple(one["place"]): one["names"] for one in self._told["silent"]}
        self._tables = Tables()
        self._is_guarding = self._is_bringing = self._has_refused = False

    def attach(self) -> None:
        self._shell.events.register("pre_run_cell", self._starts)
        self._shell.events.register("post_run_cell", self._ended)
        self._shell.ast_transformers.append(self)
        setattr(builtins, HOOK, self)
        if self._is_trial:
            sys.addaudithook(self._audited)
            for one in self._told["things"]:
                self._bind(one)

    # IPython's side

    def _starts(self, info: Any) -> None:
        if not info.store_history:
            return
        self._cell, self._is_entered = None, False
        # papermill's own cell is none of ours
        for place in range(self._next, len(self._cells)):
            if self._cells[place].text.strip() == str(info.raw_cell).strip():
                self._cell, self._next = place, place + 1
                return

    def _ended(self, result: Any) -> None:
        if result.info.store_history and self._next == len(self._cells) and not self._is_trial:
            self._next += 1
            with self._quietly("things", "what was fitted"):
                for one in self._things.packed(self._told["code"], self._table):
                    self._note(one)

    def visit(self, module: ast.Module) -> ast.Module:
        """The statements of a cell, with a call before or after those that something is wanted of."""
        if self._cell is None or self._is_entered:
            return module
        is_same = len(module.body) == len(self._cells[self._cell].tree.body)
        if not is_same and not self._is_trial:
            return module  # of `%%time` the statements come in a moment
        self._is_entered = True
        if self._is_trial:
            module.body = self._tried(self._cell, module.body)
        else:
            wanted = {tuple(one) for one in self._told["places"]}
            body: list[ast.stmt] = []
            for index, node in enumerate(module.body):
                is_wanted = (self._cell + 1, index) in wanted
                if self._selects(self._cell + 1, index):
                    node = Selected().visit(node)
                body += self._told_of(node, self._cell + 1, index) if is_wanted else [node]
            module.body = body
        return ast.fix_missing_locations(module)

    def _told_of(self, node: ast.stmt, cell: int, index: int) -> list[ast.stmt]:
        before = _call(node, "before", cell, index)
        if isinstance(node, ast.Expr):
            # what a cell shows is its last expression, so that must remain one
            called = ast.Call(_hook("passed"), [node.value, ast.Constant(cell), ast.Constant(index)], [])
            node.value = ast.copy_location(called, node.value)
            return [before, node]
        return [before, node, _call(node, "after", cell, index)]

    def _tried(self, cell: int, body: list[ast.stmt]) -> list[ast.stmt]:
        step = self._told["steps"][cell]
        if not body:
            return body
        before, after = (_call(body[0], name, step["cell"], step["index"]) for name in ("before", "after"))
        if self._selects(step["cell"], step["index"]):
            body = [Selected().visit(node) for node in body]
        if not step["may_fail"]:
            return [before, *body, after]
        caught = ast.ExceptHandler(ast.Name("Exception", ast.Load()), "__mlalm_error__", [])
        again = ast.If(
            ast.Call(_hook("must_raise"), [ast.Name("__mlalm_error__", ast.Load())], []), [ast.Raise()], []
        )
        caught.body = [again]
        return [before, ast.copy_location(ast.Try(body, [caught], [], []), body[0]), after]

    def _selects(self, cell: int, index: int) -> bool:
        return any(one["place"] == [cell, index] for one in self._told["splits"])

    # what the statements call

    def source(self, number: int, value: Any) -> Any:
        """What rows may be taken from, on its way."""
        self._sources[number] = value
        return value

    def taken(self, number: int, value: Any) -> Any:
        """What was taken from it, on its way."""
        source = self._sources.pop(number, None)
        if value is not source:
            with contextlib.suppress(Exception):  # what tells nothing of its rows is not asked again
                self._chosen += filter(None, [self._splits.chosen(source, value)])
        return value

    def before(self, cell: int, index: int) -> bool:
        place = [cell, index]
        if not self._is_trial:
            for one in self._told["things"]:
                if one["place"] == place and one["is_before"]:
                    self._take(one)
            if names := self._silent.get((cell, index)):
                self._tables.begins({name: self._value(name) for name in names})
            for one in self._told["labels"]:
                if one["place"] == place:
                    self._look_for_label(one["expression"], place)
        if any(one["place"] == place for one in self._told["splits"]):
            self._splits.begins()
        if self._is_trial:
            self._bind_at(place, is_before=True)
            self._is_bringing = any(one["place"] == place for one in self._told["inputs"])
            self._has_refused = False
            self._is_guarding = True
        return False

    def after(self, cell: int, index: int) -> bool:
        self._is_guarding = False
        place = [cell, index]
        for rows in self._chosen:
            self._note({"what": "rows", **rows})
        self._chosen.clear()
        if names := self._silent.get((cell, index)):
            for name in self._tables.changed({name: self._value(name) for name in names}):
                why = (
                    f"Cell {cell} changes '{name}', which its text does not tell: write `{name} = ...` there"
                )
                self._note({"what": "fault", "of": "change", "why": why})
        for one in self._told["splits"]:
            if one["place"] == place:
                with self._quietly("split", f"the rows of the split in cell {cell}"):
                    for rows in self._splits.ended(one["targets"], self._table):
                        self._note({"what": "rows", **rows})
        for port in self._told["inputs"]:
            if port["place"] == place:
                self._bring_in(port)
        if self._is_trial:
            self._bind_at(place, is_before=False)
        else:
            for one in self._told["things"]:
                if one["place"] == place and not one["is_before"]:
                    self._take(one)
        for port in self._told["outputs"]:
            if port["place"] == place:
                self._give_out(port)
        return False

    def passed(self, value: Any, cell: int, index: int) -> Any:
        self.after(cell, index)
        return value

    def must_raise(self, error: BaseException) -> bool:
        self._is_guarding = False
        name = type(error).__name__
        self._note({"what": "skipped", "why": f"{name}: {error}"[:300]})
        return name not in _TOLERATED and not self._has_refused

    # ports and fitted things

    def _bring_in(self, port: Mapping[str, Any]) -> None:
        name = port["variable"]
        if self._is_trial:
            self._shell.user_ns[name] = self._table = value_of(self._told["table"], self._folder)
            return
        with self._quietly("input", f"'{name}', which brings the rows in,"):
            value = eval(compile(port["expression"], "<rows>", "eval"), self._shell.user_ns)
            told = {"what": "input", "name": name, "type": type(value).__name__}
            self._note({**told, **kept_table(value, name, self._folder / "input.parquet")})
            self._table = copy.deepcopy(value)

    def _give_out(self, port: Mapping[str, Any]) -> None:
        name = port["variable"]
        with self._quietly("output", f"'{name}', which gives the answers,"):
            # the program sets its own variable where the notebook as typed has none
            wanted = name if self._is_trial else port["expression"]
            value = eval(compile(wanted, "<answers>", "eval"), self._shell.user_ns)
            frame = as_table(value, name)
            self._note(
                {
                    "what": "output",
                    "type": type(value).__name__,
                    **kept_table(frame, name, self._folder / "output.parquet"),
                }
                | {"has_index": hasattr(value, "index") and not isinstance(value, (list, tuple))}
            )

    def _take(self, one: Mapping[str, Any]) -> None:
        with self._quietly("thing", f"'{one['name']}'"):
            value = eval(compile(one["expression"], "<fitted>", "eval"), self._shell.user_ns)
            self._things.take(one["name"], one["kind"], value)

    def _bind_at(self, place: list[int], *, is_before: bool) -> None:
        for one in self._told["things"]:
            if one["place"] == place and one["is_before"] is is_before:
                self._bind(one)

    def _bind(self, one: Mapping[str, Any]) -> None:
        with self._quietly("thing", f"'{one['name']}'"):
            self._shell.user_ns[one["name"]] = thing_from(one)

    def _look_for_label(self, expression: str, place: list[int]) -> None:
        with contextlib.suppress(Exception):  # not every expression can be worked out by itself
            value = eval(compile(expression, "<label>", "eval"), self._shell.user_ns)
            found = columns_like(value, self._table, self._splits.rows_of(value), self._shell.user_ns)
            if found is not None:
                self._note({"what": "label", "columns": found, "place": place})

    def _value(self, name: str) -> Any:
        return self._shell.user_ns.get(name)

    # notes

    def _note(self, line: Mapping[str, Any]) -> None:
        with open(self._folder / LISTING, "a", encoding="utf-8") as listing:
            listing.write(json.dumps(line) + "\n")

    @contextlib.contextmanager
    def _quietly(self, what: str, whom: str) -> Iterator[None]:
        """Whatever goes wrong here is noted, and none of the notebook's business."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except Exception as error:  # noqa: BLE001  # every type refuses in its own way
            self._note(
                {
                    "what": "fault",
                    "of": what,
                    "why": f"{whom} was not kept: {str(error) or type(error).__name__}"[:500],
                }
            )

    def _audited(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_guarding:
            return
        for path in written_paths(event, arguments):
            # a table may be brought in by way of a file elsewhere
            if not self._is_bringing or path.startswith(self._told["cwd"] + os.sep):
                self._has_refused = True
                raise NotWritten(f"'{os.path.basename(path)}' is not written while the notebook is tried")


def _hook(name: str) -> ast.expr:
    return ast.Attribute(ast.Name(HOOK, ast.Load()), name, ast.Load())


def _call(near: ast.stmt, name: str, cell: int, index: int) -> ast.stmt:
    """A call as a statement that shows nothing wherever it stands."""
    called = ast.Call(_hook(name), [ast.Constant(cell), ast.Constant(index)], [])
    return ast.copy_location(ast.If(called, [ast.Pass()], []), near)


def start() -> None:
    """Begin to trace, where the environment says into which folder; only once in a kernel."""
    from IPython.core.getipython import get_ipython

    folder = os.environ.get(ENVIRONMENT)
    shell: Any = get_ipython()
    if folder and shell is not None and not hasattr(shell, "_mlalm_tracer"):
        shell._mlalm_tracer = Tracer(shell, Path(folder))
        shell._mlalm_tracer.attach()
