"""Predictive notebooks as files: made, and made again with what a person changed in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlalm_jupyter.notebook.document import NotebookDocument, source
from mlalm_jupyter.notebook.predictive.cells import CODE, Piece

_OURS = "mlalm"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A notebook that was made again: its bytes, and what of a person's is still in it."""

    content: bytes
    added: tuple[str, ...] = ()
    """The cells that a person put in, by their first line."""
    kept: tuple[str, ...] = ()
    """Cells that were made and then changed by hand, where nothing else would stand there now."""
    held_back: tuple[str, ...] = ()
    """Cells that were changed by hand, where something else would stand there now."""


def made(pieces: Sequence[Piece], *, like: NotebookDocument, facts: Mapping[str, object]) -> bytes:
    """A new notebook of these cells, for the kernel of another; `facts` are kept in its metadata."""
    return _written([_cell(one) for one in pieces], _kernel(like), facts, pieces)


def made_again(
    old: NotebookDocument, pieces: Sequence[Piece], *, like: NotebookDocument, facts: Mapping[str, object]
) -> Rebuilt:
    """A notebook made anew, with the cells that a person added or changed in the one that is there.

    A cell that nobody touched is made again, or goes when nothing of its kind is made any more. One that was changed
    stays as it is, and one that was taken out stays out; where something else would stand in its place now, that is
    told.
    """
    new = {one.part: one for one in pieces}
    order = [one.part for one in pieces]
    found: list[tuple[int, dict[str, Any]]] = []
    added: list[str] = []
    kept: list[str] = []
    held_back: list[str] = []
    seen: set[str] = set()
    after = -1
    for cell, part in zip(old.content["cells"], _parts(old, pieces), strict=True):
        ours = _marks(cell)
        after = order.index(part) if part in new else after
        is_touched = bool(part) and ours.get("made") != _digest(source(cell))
        if not part or (is_touched and part in seen):
            found.append((after, dict(cell)))
            if source(cell).strip():
                added.append(_first_line(cell))
        elif is_touched:
            piece = new.get(part)
            is_as_before = piece is not None and _digest(piece.text) == ours.get("made")
            (kept if is_as_before else held_back).append(_first_line(cell))
            found.append((after, dict(cell)))
            seen.add(part)
    for piece in _taken_out(old, pieces):
        seen.add(piece.part)
        kept.append(f"{_first_line({'source': piece.text})} (taken out)")
    cells: list[dict[str, Any]] = [cell for place, cell in found if place < 0]
    for number, part in enumerate(order):
        if part not in seen:
            cells.append(_cell(new[part]))
        cells += [cell for place, cell in found if place == number]
    metadata = {**_metadata(old), **_kernel(like)}
    return Rebuilt(_written(cells, metadata, facts, pieces), tuple(added), tuple(kept), tuple(held_back))


def _taken_out(old: NotebookDocument, pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces that were made the last time as they would be now, and of which there is no cell any more."""
    before = facts_of(old).get("made")
    there = [_marks(cell).get("made") for cell in old.content["cells"]]
    gone = [one for one in before if one not in there] if isinstance(before, list) else []
    return [one for one in pieces if _digest(one.text) in gone]


def _parts(old: NotebookDocument, pieces: Sequence[Piece]) -> list[str]:
    """Which piece each cell of a notebook was made as, or is now; nothing of a cell that a person put in.

    A piece that would say the same as then is the same one, also where cells before it came or went in the source.
    """
    marks = [_marks(cell) for cell in old.content["cells"]]
    found = [str(one.get("part", "")) for one in marks]
    free = {one.part: _digest(one.text) for one in pieces}
    claimed: dict[int, str] = {}
    for number, (one, part) in enumerate(zip(marks, found, strict=True)):
        alike = [name for name, digest in free.items() if digest == one.get("made")] if part else []
        if alike:
            claimed[number] = part if part in alike else alike[0]
            del free[claimed[number]]
    for number, part in enumerate(found):
        if number in claimed:
            found[number] = claimed[number]
        elif part in free:
            del free[part]
        elif part and part in claimed.values():
            is_half = any(
                claimed.get(other) == part and marks[other].get("made") == marks[number].get("made")
                for other in range(number)
            )
            found[number] = part if is_half else f"{part}, as it was"
    return found


def facts_of(document: NotebookDocument) -> Mapping[str, Any]:
    """What a notebook that was made says of where it comes from; nothing of any other."""
    facts = _metadata(document).get(_OURS)
    return facts if isinstance(facts, dict) else {}


def changed_by_hand(document: NotebookDocument) -> list[int]:
    """The code cells, counted from 1, that a person put into a notebook that was made, or changed there; else none."""
    if not facts_of(document):
        return []
    cells = [(number, source(cell), _marks(cell)) for number, cell in enumerate(document.code_cells, start=1)]
    return [number for number, text, ours in cells if ours.get("made") != _digest(text)]


def _cell(piece: Piece) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": piece.kind,
        "id": hashlib.sha256(piece.part.encode()).hexdigest()[:12],
        "metadata": {_OURS: {"part": piece.part, "made": _digest(piece.text)}},
        "source": piece.text.splitlines(keepends=True),
    }
    return {**cell, "execution_count": None, "outputs": []} if piece.kind == CODE else cell


def _kernel(document: NotebookDocument) -> dict[str, Any]:
    metadata = _metadata(document)
    return {name: metadata[name] for name in ("kernelspec", "language_info") if name in metadata}


def _metadata(document: NotebookDocument) -> Mapping[str, Any]:
    metadata = document.content.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _written(
    cells: Sequence[Mapping[str, Any]],
    metadata: Mapping[str, Any],
    facts: Mapping[str, object],
    pieces: Sequence[Piece],
) -> bytes:
    ours = {**facts, "made": [_digest(one.text) for one in pieces]}
    notebook = {
        "cells": [_with_id(cell, number) for number, cell in enumerate(cells)],
        "metadata": {**metadata, _OURS: ours},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _with_id(cell: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A cell as the format wants it; one that a tool wrote without an id gets one."""
    told = cell.get("id")
    return {**cell, "id": told if isinstance(told, str) and told else f"added-{number}"}


def _marks(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = cell.get("metadata")
    marks = metadata.get(_OURS) if isinstance(metadata, dict) else None
    return marks if isinstance(marks, dict) else {}


def _digest(text: str) -> str:
    return hashlib.sha256(text.strip().encode()).hexdigest()[:16]


def _first_line(cell: Mapping[str, Any]) -> str:
    return next((line.strip() for line in source(cell).splitlines() if line.strip()), "an empty cell")
