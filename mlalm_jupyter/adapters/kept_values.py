"""Runs inside the kernel of a recorded run: keeps the values that each cell left, so that they can be had later.

What a cell left is what it gave a name at its top level, what came to stand under a name otherwise (a function made
it global, say), or what it changed in whatever way: the values that it had in hand are looked at as it ends. A value
that is there already is not written again. Values are written into a folder as the cell ends; the process that
executes the notebook takes them from there. A value that cannot be kept is listed with the reason. Nothing here may
disturb the notebook.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
import shutil
import sys
import types
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mlalm_jupyter.domain.secrecy import secrecy

LARGEST = 64 << 20
"""A larger value is not kept; it can be written to a file, or uploaded as a dataset."""
MOST = 512 << 20
"""All values of a run together."""
SPARE = 16 << 20
"""What values leave of the disk."""
LISTING = "listing.jsonl"
OFF = ("0", "no", "off", "false")
_PLAIN = (bool, int, float, str, type(None))
_Print = tuple[Any, ...]
"""What tells a value from another: its form, and a checksum of all it holds."""


class Keeper:
    """Follows a shell and writes what its cells leave, each different value once."""

    def __init__(self, shell: Any, folder: Path) -> None:
        self._shell = shell
        self._folder = folder
        self._executed = 0
        self._written = 0
        self._size = 0
        self._prints: dict[str, _Print] = {}
        self._files: dict[_Print, tuple[str, str]] = {}
        self._stood_for = self._what_names_stand_for()

    def attach(self) -> None:
        self._shell.events.register("post_run_cell", self._ended)

    def _ended(self, result: Any) -> None:
        if not result.info.store_history:
            return
        self._executed += 1
        if os.environ.get("MLALM_KEEP_VALUES", "").lower() in OFF:
            self._prints.clear()
            return
        # whatever goes wrong here is not the notebook's fault
        with contextlib.suppress(Exception):
            code = self._shell.transform_cell(result.info.raw_cell)
            given = names_left(code)
            values = self._shell.user_ns
            for name in given:
                if name in values and not name.startswith("_"):
                    self._keep(name, values[name], is_new=name in names_set(code))
            others = dict.fromkeys(self._maybe_changed(code), False)
            # what a function made global, or `globals()` was given, no code at the top level tells
            others |= dict.fromkeys(self._appeared(code), True)
            for name, is_new in others.items():
                if name in values and name not in given:
                    self._keep(name, values[name], is_new=is_new)

    def _appeared(self, code: str) -> list[str]:
        """Names that now stand for something else than before this cell, other than by an import in it."""
        before, self._stood_for = self._stood_for, self._what_names_stand_for()
        imported = names_imported(code)
        return [
            name
            for name, one in self._stood_for.items()
            if before.get(name) != one and not imported(name, self._shell.user_ns[name])
        ]

    def _what_names_stand_for(self) -> dict[str, int]:
        hidden = getattr(self._shell, "user_ns_hidden", {})
        return {
            name: id(value)
            for name, value in list(self._shell.user_ns.items())
            if not name.startswith("_") and hidden.get(name, self) is not value
        }

    def _maybe_changed(self, code: str) -> list[str]:
        """Names kept before whose values this cell had in hand: by that name, by another, or in a function."""
        values = self._shell.user_ns
        met = names_met(code, values)
        in_hand = {id(values[name]) for name in met if name in values}
        return [
            name
            for name, before in self._prints.items()
            if name in met or before[0] == "json" or (name in values and id(values[name]) in in_hand)
        ]

    def _keep(self, name: str, value: Any, *, is_new: bool) -> None:
        if isinstance(value, (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)):
            return
        line: dict[str, object] = {"executed": self._executed, "name": name, "told": _told(value)}
        seen: _Print = ("note", "")
        try:
            if why := secrecy(name, value):
                line["told"] = type(value).__name__
                raise PermissionError(why)
            seen, line["format"], line["file"] = self._file(value)
        except Exception as error:  # noqa: BLE001  # every type refuses in its own way
            is_secret = isinstance(error, PermissionError)
            line["note"] = str(error) if is_secret else f"{type(error).__name__}: {error}"[:300]
            seen = ("note", "") if is_secret else ("note", self._executed)
        is_same = self._prints.get(name) == seen
        self._prints[name] = seen
        if is_same and not is_new:
            return
        with open(self._folder / LISTING, "a", encoding="utf-8") as listing:
            listing.write(json.dumps(line) + "\n")

    def _file(self, value: Any) -> tuple[_Print, str, str]:
        """The file that holds this value: one that is there already, or a new one."""
        seen = _print_of(value)
        if seen is not None and seen in self._files:
            return seen, *self._files[seen]
        left = min(LARGEST, MOST - self._size)
        if (size := _size(value)) > LARGEST:
            raise ValueError(f"it takes {size >> 20} MB, and {LARGEST >> 20} MB is the most for one")
        # what is here is written once more, among the blobs, and how the run ends needs room as well
        room = shutil.disk_usage(self._folder).free - self._size - SPARE
        if room <= size:
            raise ValueError("the disk is nearly full")
        self._written += 1
        file = self._folder / f"{self._written:06d}"
        try:
            form = _written(value, file, largest=min(LARGEST, room))
            if seen is None:
                seen = (form, _digest(file))
            if seen in self._files:
                file.unlink()
                return seen, *self._files[seen]
            if (size := file.stat().st_size) > room:
                raise ValueError("the disk is nearly full")
            if size > left:
                raise ValueError(f"it takes {size >> 20} MB, and {left >> 20} MB are left for it")
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        self._size += size
        self._files[seen] = form, file.name
        return seen, form, file.name


def start() -> None:
    """Begin to keep, where the environment says into which folder; only once in a kernel."""
    from IPython.core.getipython import get_ipython

    folder = os.environ.get("MLALM_KEEP")
    shell: Any = get_ipython()
    if folder and shell is not None and not hasattr(shell, "_mlalm_keeper"):
        shell._mlalm_keeper = Keeper(shell, Path(folder))
        shell._mlalm_keeper.attach()


def names_left(code: str) -> list[str]:
    """The names that a cell set, or changed through a call or an assignment on them, at its top level.

    >>> names_left("rows = read()\\nmodel.fit(rows)\\nrows['a'] = 1\\nfor i in rows: total += i\\ndef f(): x = 1")
    ['rows', 'model', 'i', 'total']
    """
    found: dict[str, None] = {}
    for node in _statements(ast.parse(code).body):
        for name in _names(node):
            found.setdefault(name)
    return list(found)


def names_set(code: str) -> set[str]:
    """The names that a cell itself gave a value, which are listed again although the value may be the old one."""
    stored = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name))
    return {node.id for node in stored if isinstance(node.ctx, ast.Store)}


def names_imported(code: str) -> Callable[[str, Any], bool]:
    """Whether a name may have got its value by an import in a cell: it is bound by one, or a `*` brought it."""
    bound: set[str] = set()
    modules: list[Any] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            bound |= {(one.asname or one.name).partition(".")[0] for one in node.names}
            if isinstance(node, ast.ImportFrom) and any(one.name == "*" for one in node.names):
                modules.append(sys.modules.get(node.module or ""))
    absent = object()
    return lambda name, value: (
        name in bound or any(getattr(module, name, absent) is value for module in modules)
    )


def names_met(code: str, values: Mapping[str, Any]) -> set[str]:
    """Every name in a cell, and those that functions of the notebook named in it use, through any number of calls.

    >>> sorted(names_met("grow(xs)", {}))
    ['grow', 'xs']
    """
    met: set[str] = set()
    waiting = [node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)]
    while waiting:
        if (name := waiting.pop()) in met:
            continue
        met.add(name)
        value = values.get(name)
        if isinstance(value, type):
            called = [one for one in vars(value).values() if isinstance(one, types.FunctionType)]
        else:
            made_by = [one for one in vars(type(value)).values() if isinstance(one, types.FunctionType)]
            called = [value] if isinstance(value, types.FunctionType) else made_by
        for function in called:
            if function.__globals__ is values:
                waiting.extend(_names_in(function.__code__))
    return met


def _names_in(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _names_in(inner)


def _print_of(value: Any) -> _Print | None:
    """What tells a table or an array from another without writing it; None where only writing it does."""
    module, kind = type(value).__module__.partition(".")[0], type(value).__qualname__
    with contextlib.suppress(Exception):
        if module == "numpy" and not value.dtype.hasobject:
            return kind, str(value.dtype), value.shape, _checksum(value)
        if module == "pandas" and kind == "DataFrame":
            types_ = tuple(map(str, value.dtypes))
            if all(getattr(one, "hasobject", True) is False for one in value.dtypes):
                labels = repr(list(value.columns)), str(value.columns.names), str(value.index.names)
                rows = repr(value.index) if type(value.index).__qualname__ == "RangeIndex" else None
                rows = rows or str(_checksum(value.index.to_numpy()))
                if len(set(types_)) == 1:
                    whole = value.to_numpy(copy=False)
                    is_turned = whole.flags.f_contiguous and not whole.flags.c_contiguous
                    return kind, types_, value.shape, labels, rows, _checksum(whole.T if is_turned else whole)
                columns = (value.iloc[:, place].to_numpy() for place in range(value.shape[1]))
                return kind, types_, value.shape, labels, rows, tuple(map(_checksum, columns))
    return None


def _checksum(array: Any) -> int:
    import numpy

    if array.dtype.hasobject:
        raise TypeError("objects have no bytes of their own")
    return zlib.crc32(numpy.ascontiguousarray(array).view(numpy.uint8).data)


def _digest(file: Path) -> str:
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha1").hexdigest()


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        yield node
        for inner in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, inner, []))
        for handler in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            yield from _statements(handler.body)


def _names(node: ast.stmt) -> Iterator[str]:
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = list(node.targets)
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.For, ast.AsyncFor)):
        targets = [node.target]
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        targets = [item.optional_vars for item in node.items if item.optional_vars is not None]
    for target in targets:
        for part in ast.walk(target):
            if isinstance(part, ast.Name):
                # `a, b = ...` stores into names; `a.b = ...` and `a["b"] = ...` change what a name holds
                yield part.id
    for part in _expressions(node):
        if isinstance(part, ast.NamedExpr):
            yield part.target.id
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            base = part.func.value
            if isinstance(base, ast.Name):
                yield base.id


def _expressions(node: ast.stmt) -> Iterator[ast.AST]:
    """The parts of a statement that are not statements of their own."""
    waiting: list[ast.AST] = [
        child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)
    ]
    while waiting:
        part = waiting.pop()
        if isinstance(part, (ast.Lambda, ast.ExceptHandler, ast.match_case)):
            continue
        yield part
        waiting.extend(ast.iter_child_nodes(part))


class _Limited:
    """A file that takes no more than so many bytes."""

    def __init__(self, out: Any, most: int) -> None:
        self._out = out
        self._left = most

    def write(self, data: Any) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise ValueError("it takes more room than is left for it")
        return int(self._out.write(data))


def _written(value: Any, file: Path, *, largest: int) -> str:
    """Write a value in the plainest form that gives it back, and name that form."""
    module = type(value).__module__.partition(".")[0]
    if module == "pandas" and hasattr(value, "to_parquet"):
        # what parquet does not take as it is (mixed objects, odd labels) is pickled instead
        with contextlib.suppress(Exception):
            value.to_parquet(file)
            return "parquet"
    if module == "numpy" and hasattr(value, "dtype") and not value.dtype.hasobject:
        import numpy

        with open(file, "wb") as out:
            numpy.save(out, value, allow_pickle=False)
        return "npy"
    if module == "matplotlib" and hasattr(value, "savefig"):
        value.savefig(file, format="png", bbox_inches="tight")
        return "png"
    if _is_plain(value):
        file.write_text(json.dumps(value), encoding="utf-8")
        return "json"
    import cloudpickle

    with open(file, "wb") as out:
        cloudpickle.dump(value, _Limited(out, largest))
    return "pickle"


def _is_plain(value: Any, depth: int = 4) -> bool:
    if type(value) in _PLAIN:
        return not isinstance(value, float) or value - value == 0
    if depth and type(value) is list and len(value) <= 10_000:
        return all(_is_plain(one, depth - 1) for one in value)
    if depth and type(value) is dict and len(value) <= 10_000:
        return all(type(key) is str and _is_plain(one, depth - 1) for key, one in value.items())
    return False


def _size(value: Any) -> int:
    """About how many bytes a value takes, where that can be asked cheaply."""
    if hasattr(value, "memory_usage"):
        usage = value.memory_usage(deep=False)
        return int(usage.sum()) if hasattr(usage, "sum") else int(usage)
    size = getattr(value, "nbytes", 0)
    return size if isinstance(size, int) else 0


def _told(value: Any) -> str:
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    name = kind.__qualname__ if library in ("builtins", "__main__") else f"{library} {kind.__qualname__}"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape and all(isinstance(one, int) for one in shape):
        return f"{name}, {' x '.join(map(str, shape))}"
    if type(value) is str:
        return f"{name} of {len(value)} characters"
    return f"{name} {value!r}"[:80] if type(value) in _PLAIN else name
