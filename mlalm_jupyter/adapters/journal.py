"""What an execution has done so far, on disk cell by cell, for when its process does not live to tell it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

_NAME = "journal.jsonl"
_SHORTEST_PAUSE_S = 2.0
_PAUSE_PER_S = 50
_TOLD = ("outputs", "execution_count", "metadata")


class Told(NamedTuple):
    """A journal as it was left."""

    notebook: Any
    replaces_injected: bool
    completed: tuple[int, ...]
    current: int | None


class Journal:
    """Appends what happens to cells; the first line is the notebook as its execution began."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / _NAME
        self._pause_until = 0.0

    def begins(self, notebook: Any, *, replaces_injected: bool) -> None:
        self._append({"notebook": notebook, "replaces_injected": replaces_injected})

    def starts(self, index: int) -> None:
        self._append({"current": index})

    def grows(self, index: int, cell: Any) -> None:
        """The cell at work said something; written now and then, at a fiftieth of the time it takes or less."""
        if (now := time.monotonic()) < self._pause_until:
            return
        self._append({"index": index, **_of(cell)})
        ended = time.monotonic()
        self._pause_until = ended + max(_SHORTEST_PAUSE_S, (ended - now) * _PAUSE_PER_S)

    def ends(self, index: int, cell: Any, *, is_completed: bool) -> None:
        self._append({"index": index, "completed": is_completed, **_of(cell)})

    def _append(self, line: dict[str, object]) -> None:
        # a disk without room must not be what ends the run; its end is told in full where it has one
        with contextlib.suppress(OSError), open(self._file, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def read(folder: Path) -> Told | None:
    """What the journal in a folder tells; None without one, or before the first cell."""
    try:
        lines = list(_lines(folder / _NAME))
        first = lines.pop(0)
        notebook = nbformat.from_dict(first["notebook"])  # type: ignore[no-untyped-call]
        completed: list[int] = []
        current: int | None = None
        for line in lines:
            if "current" in line:
                current = int(line["current"])
                continue
            index = int(line["index"])
            notebook.cells[index].update(
                nbformat.from_dict({name: line[name] for name in _TOLD})  # type: ignore[no-untyped-call]
            )
            if "completed" in line:
                current = None if line["completed"] else index
                completed.extend([index] if line["completed"] else [])
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
    return Told(notebook, bool(first.get("replaces_injected")), tuple(completed), current)


def _of(cell: Any) -> dict[str, object]:
    return {name: cell.get(name) for name in _TOLD}


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """The whole lines; the end of its process, or of the disk, may have cut one off."""
    with open(file, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            with contextlib.suppress(json.JSONDecodeError):
                yield json.loads(line)
