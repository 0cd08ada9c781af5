"""What a call does, as far as its name and its arguments tell."""

from __future__ import annotations

import ast
import re

from mlalm_jupyter.notebook.code import calls_in
from mlalm_jupyter.notebook.effects import Call, Flow
from mlalm_jupyter.notebook.knowledge import Knowledge
from mlalm_jupyter.notebook.known_calls import (
    CHANGING_FUNCTIONS,
    CHANGING_METHODS,
    CHANGING_STATEMENTS,
    PATH_WORDS,
    READING,
    UNKNOWABLE_CALLS,
    WRITING,
)

_NAMED = re.compile(r"@([^\W\d]\w*)")


def changed_root(node: ast.AST) -> str | None:
    """The variable that changes with an attribute or item of it; a call's result is no variable's.

    >>> changed_root(ast.parse("df.loc[0, 'a']").body[0].value)
    'df'
    """
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


class CallEffects:
    """Tells calls apart by what is known of the names in them."""

    def __init__(self, known: Knowledge) -> None:
        self._known = known

    def of(self, call: ast.Call, *, is_dropped: bool) -> Flow:
        """What a call does; `is_dropped` says that nobody takes its result."""
        name = self._known.full_name(call.func)
        changes = {root for root in self._changed(call, name, is_dropped) if root not in self._known.imports}
        for root in list(changes):
            changes |= self._known.aliases.get(root, frozenset())
        read, written, unknowns = self._files(call, name)
        builtin = name if name not in self._known.written else ""
        if builtin in UNKNOWABLE_CALLS:
            unknowns = (*unknowns, UNKNOWABLE_CALLS[builtin])
        return Flow(
            reads=_named_in_text(call),
            changes=frozenset(changes),
            files_read=frozenset(read),
            files_written=frozenset(written),
            unknowns=unknowns,
            calls=(self._call(call, name),) if name or isinstance(call.func, ast.Attribute) else (),
        )

    def maker(self, value: ast.AST | None) -> tuple[str, tuple[str, ...]] | None:
        """The call that a value comes out of, and the makers of what was given to that call."""
        if isinstance(value, ast.Name):
            return self._known.makers.get(value.id)
        if isinstance(value, ast.Await):
            value = value.value
        if not isinstance(value, ast.Call):
            return None
        if isinstance(value.func, ast.Attribute) and value.func.attr in ("fit", "set_params"):
            return self.maker(value.func.value)  # `model = Forest().fit(x, y)` is still a forest
        return self._known.full_name(value.func), self._inner(value)

    def _call(self, call: ast.Call, name: str) -> Call:
        made_by, inner = "", self._inner(call)
        if isinstance(call.func, ast.Attribute):
            maker = self.maker(call.func.value)
            if maker is not None:
                made_by, inner = maker[0], (*maker[1], *inner)
            name = name or f".{call.func.attr}"
        return Call(name, made_by, len(call.args) + len(call.keywords), inner)

    def _inner(self, call: ast.Call) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for argument in (*call.args, *(word.value for word in call.keywords)):
            for inner in calls_in(argument):
                found.setdefault(self._known.full_name(inner.func))
            for node in ast.walk(argument):
                if isinstance(node, ast.Name) and node.id in self._known.makers:
                    name, deeper = self._known.makers[node.id]
                    found.update(dict.fromkeys((name, *deeper)))
        return tuple(found)

    def _changed(self, call: ast.Call, name: str, is_dropped: bool) -> set[str]:
        found: set[str | None] = set()
        if isinstance(call.func, ast.Attribute):
            method = call.func.attr
            in_place = (
                method in CHANGING_METHODS
                or (is_dropped and method in CHANGING_STATEMENTS)
                or (method.endswith("_") and not method.startswith("_"))
                or any(word.arg == "inplace" and not _is_false(word.value) for word in call.keywords)
            )
            if in_place:
                found.add(changed_root(call.func.value))
        if name in CHANGING_FUNCTIONS and call.args:
            found.add(changed_root(call.args[0]))
        found |= {changed_root(word.value) for word in call.keywords if word.arg == "out"}
        function = self._known.functions.get(name)
        if function is not None:
            given = dict(zip(function.parameters, call.args, strict=False))
            given |= {word.arg: word.value for word in call.keywords if word.arg}
            found |= {changed_root(given[one]) for one in function.changed_parameters if one in given}
        return {root for root in found if root is not None}

    def _files(self, call: ast.Call, name: str) -> tuple[list[str], list[str], tuple[str, ...]]:
        last = call.func.attr if isinstance(call.func, ast.Attribute) else name
        last = last.rpartition(".")[2]
        if isinstance(call.func, ast.Attribute) and last in (
            "read_text",
            "read_bytes",
            "write_text",
            "write_bytes",
        ):
            path = self._known.path(call.func.value)
            is_read = last.startswith("read")
            return self._told(path, f"the file of {last}", is_read=is_read, is_written=not is_read)
        if name in ("open", "io.open", "gzip.open", "bz2.open", "codecs.open"):
            return self._opened(call, _argument(call, 0, PATH_WORDS), 1)
        if isinstance(call.func, ast.Attribute) and last == "open" and self._is_path(call.func.value):
            return self._opened(call, call.func.value, 0)
        if last in READING or name in READING:
            told = self._known.path(_argument(call, 0, PATH_WORDS))
            return self._told(told, f"the file that {last} reads", is_read=True)
        position = WRITING.get(name, WRITING.get(last))
        if position is not None:
            path_node = _argument(call, position, PATH_WORDS)
            if path_node is None:
                return [], [], ()  # `df.to_csv()` gives a text
            return self._told(self._known.path(path_node), f"the file that {last} writes", is_written=True)
        return [], [], ()

    def _is_path(self, node: ast.expr) -> bool:
        return self._known.path(node) is not None and not isinstance(node, ast.Constant)

    def _opened(
        self, call: ast.Call, place: ast.expr | None, mode_position: int
    ) -> tuple[list[str], list[str], tuple[str, ...]]:
        given = _argument(call, mode_position, frozenset({"mode"}))
        mode = given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else None
        if given is None:
            mode = "r"
        if mode is None:
            return [], [], ("whether open reads or writes is worked out",)
        is_written = any(letter in mode for letter in "wax+")
        is_read = "r" in mode or "+" in mode
        told = self._known.path(place)
        return self._told(told, "the file that open opens", is_read=is_read, is_written=is_written)

    def _told(
        self, path: str | None, what: str, *, is_read: bool = False, is_written: bool = False
    ) -> tuple[list[str], list[str], tuple[str, ...]]:
        if path is None:
            return [], [], (f"{what} is not written out",)
        return [path] if is_read else [], [path] if is_written else [], ()


def _argument(call: ast.Call, position: int, names: frozenset[str]) -> ast.expr | None:
    if position < len(call.args):
        return call.args[position]
    return next((word.value for word in call.keywords if word.arg in names), None)


def _named_in_text(call: ast.Call) -> frozenset[str]:
    """The variables that a table's query names, as in `df.query("price < @most")`."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("query", "eval"):
        return frozenset()
    texts = [one.value for one in call.args if isinstance(one, ast.Constant)]
    return frozenset(name for text in texts if isinstance(text, str) for name in _NAMED.findall(text))


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value
