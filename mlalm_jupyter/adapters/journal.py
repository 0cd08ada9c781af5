"""What an execution has done so far, on disk cell by cell, for when its process does not live to tell it."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

_NAME = "journal.jsonl"
_AT_WORK = "at-work.json"
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
    """Appends what happens to cells; the first line is the notebook as its execution began.

    The cell at work has a file of its own, replaced each time, so that it does not grow with how often it is written.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / _NAME
        self._at_work = folder / _AT_WORK
        self._pause_until = 0.0

    def begins(self, notebook: Any, *, replaces_injected: bool) -> None:
        self._append({"notebook": notebook, "replaces_injected": replaces_injected})

    def starts(self, index: int) -> None:
        self._append({"current": index})

    def grows(self, index: int, cell: Any) -> None:
        """The cell at work said something; written now and then, at a fiftieth of the time it takes or less."""
        if (now := time.monotonic()) < self._pause_until:
            return
        part = self._at_work.with_suffix(".part")
        with contextlib.suppress(OSError):
            part.write_text(json.dumps({"index": index, **_of(cell)}), encoding="utf-8")
            os.replace(part, self._at_work)
        ended = time.monotonic()
        self._pause_until = ended + max(_SHORTEST_PAUSE_S, (ended - now) * _PAUSE_PER_S)

    def ends(self, index: int, cell: Any, *, is_completed: bool) -> None:
        self._append({"index": index, "completed": is_completed, **_of(cell)})

    def _append(self, line: dict[str, object]) -> None:
        # a disk without room must not be what ends the run; its end is told in full where it has one
        with contextlib.suppress(OSError), open(self._file, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def read(folder: Path) -> Told | None:
    """What the journal in a folder tells; None without one, before the first cell, and where it cannot be read.

    What runs in the notebook can write to it too, so nothing in it is believed to have its shape.
    """
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
            _told(notebook, line)
            current = None if line["completed"] else index
            completed.extend([index] if line["completed"] else [])
        if current is not None and current not in (int(line["index"]) for line in lines if "index" in line):
            for line in _lines(folder / _AT_WORK):
                if int(line["index"]) == current:
                    _told(notebook, line)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return Told(notebook, bool(first.get("replaces_injected")), tuple(completed), current)


def _told(notebook: Any, line: dict[str, Any]) -> None:
    cell = nbformat.from_dict({name: line[name] for name in _TOLD})  # type: ignore[no-untyped-call]
    notebook.cells[int(line["index"])].update(cell)


def _of(cell: Any) -> dict[str, object]:
    return {name: cell.get(name) for name in _TOLD}


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """The whole lines; the end of its process, or of the disk, may have cut one off."""
    if not file.exists():
        return
    with open(file, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            with contextlib.suppress(json.JSONDecodeError, RecursionError):
                yield json.loads(line)
