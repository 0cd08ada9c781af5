"""Code in a module of its own, so that what looks modules up by name or lines up by file finds them."""

from __future__ import annotations

import itertools
import linecache
import sys
import traceback
import types
import weakref
from collections import Counter, deque
from typing import Any

_numbers = itertools.count(1)
_held: Counter[str] = Counter()
_gone: deque[tuple[str, str]] = deque()
"""Modules that nobody holds any more, and their files.

Objects may go in the midst of anything, also while somebody walks through `sys.modules`; so they are only noted here.
"""


class CodeModule:
    """A module made of text; Python knows it while this object is held, and until `let_go` or the next one is made.

    >>> CodeModule("def twice(rows):\\n    return rows * 2\\n", name="example", file="<example>")["twice"](4)
    8
    """

    def __init__(self, source: str, *, name: str, file: str) -> None:
        self.file = file
        let_go()
        # the same text may be loaded twice: for two workspaces, or anew while the old one still answers
        module = types.ModuleType(f"{name}_{next(_numbers)}")
        module.__file__ = file
        sys.modules[module.__name__] = module
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        _held[file] += 1
        self._module = module
        self._end = weakref.finalize(self, _gone.append, (module.__name__, file))
        self._end.atexit = False
        try:
            exec(compile(source, file, "exec"), module.__dict__)
        except BaseException:
            self.close()
            raise

    def __getitem__(self, name: str) -> Any:
        """What the code calls by that name, None where there is nothing."""
        return self._module.__dict__.get(name)

    def close(self) -> None:
        """Have Python forget it now."""
        self._end()
        let_go()


def let_go() -> None:
    """Have Python forget the modules that nobody holds any more."""
    while _gone:
        name, file = _gone.popleft()
        sys.modules.pop(name, None)
        _held[file] -= 1
        if not _held[file]:
            del _held[file]
            linecache.cache.pop(file, None)


def said(error: BaseException, file: str | None) -> str:
    """An error of somebody's code in its own words, with the line of that code it came from."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    place = f" (line {lines[-1]} of its code)" if lines else ""
    return f"{type(error).__name__}: {error}{place}"
