"""Runs inside the kernel of a recorded run: keeps the values that each cell left, so that they can be had later.

What a cell left is what it gave a name at its top level, or changed by a call on it (`model.fit(...)`). Values are
written into a folder as the cell ends; the process that executes the notebook takes them from there. A value that
cannot be kept is listed with the reason. Nothing here may disturb the notebook.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LARGEST = 64 << 20
"""A larger value is not kept; it can be written to a file, or uploaded as a dataset."""
MOST = 512 << 20
"""All values of a run together."""
LISTING = "listing.jsonl"
_PLAIN = (bool, int, float, str, type(None))


class Keeper:
    """Follows a shell and writes what its cells leave."""

    def __init__(self, shell: Any, folder: Path) -> None:
        self._shell = shell
        self._folder = folder
        self._executed = 0
        self._written = 0
        self._size = 0

    def attach(self) -> None:
        self._shell.events.register("post_run_cell", self._ended)

    def _ended(self, result: Any) -> None:
        if not result.info.store_history:
            return
        self._executed += 1
        # whatever goes wrong here is not the notebook's fault
        with contextlib.suppress(Exception):
            for name in names_left(self._shell.transform_cell(result.info.raw_cell)):
                if name in self._shell.user_ns and not name.startswith("_"):
                    self._keep(name, self._shell.user_ns[name])

    def _keep(self, name: str, value: Any) -> None:
        if isinstance(value, (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)):
            return
        line: dict[str, object] = {"executed": self._executed, "name": name, "told": _told(value)}
        self._written += 1
        file = self._folder / f"{self._written:06d}"
        try:
            line["format"] = self._write(value, file)
            line["file"] = file.name
            self._size += file.stat().st_size
        except Exception as error:  # noqa: BLE001  # every type refuses in its own way
            file.unlink(missing_ok=True)
            line["note"] = f"{type(error).__name__}: {error}"[:300]
        with open(self._folder / LISTING, "a", encoding="utf-8") as listing:
            listing.write(json.dumps(line) + "\n")

    def _write(self, value: Any, file: Path) -> str:
        left = min(LARGEST, MOST - self._size)
        if (size := _size(value)) > left:
            raise ValueError(f"it takes {size >> 20} MB, and {left >> 20} MB are left for it")
        return _written(value, file, largest=left)


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
    return f"{name} {value!r}"[:80] if type(value) in _PLAIN else name
