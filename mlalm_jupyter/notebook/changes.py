"""What differs between two notebooks in what they say; what they printed does not count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from mlalm_jupyter.notebook.document import NotebookDocument, source
from mlalm_jupyter.notebook.matching import in_place, matched
from mlalm_jupyter.notebook.titles import Titled, titled_cells

_CONTEXT = 2


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line that went (-), came (+) or is there to show where; with its number before and after."""

    sign: str
    text: str
    before: int | None
    after: int | None

    def to_dict(self) -> dict[str, object]:
        return {"sign": self.sign, "text": self.text, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class CellChange:
    """A cell that was added, removed, changed, moved, or moved and changed.

    `before` and `after` are its places among all cells; `number` is that of the code cell, where it is one.
    """

    what: str
    type: str
    title: str
    number: int | None
    before: int | None
    after: int | None
    lines: tuple[LineChange, ...] = ()
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        return {
            "what": self.what,
            "type": self.type,
            "title": self.title,
            "number": self.number,
            "before": self.before,
            "after": self.after,
            "lines": [line.to_dict() for line in self.lines],
            "tags_added": list(self.tags_added),
            "tags_removed": list(self.tags_removed),
        }

    @property
    def headline(self) -> str:
        """One line that says which cell and what became of it."""
        kind = "Cell" if self.type == "code" else "Text"
        place = self.number if self.number is not None else self.after or self.before
        title = f" ({self.title})" if self.title else ""
        moved = f" from place {self.before} to {self.after}" if "moved" in self.what.split() else ""
        return f"{kind} {place}{title} {self.what}{moved}"


@dataclass(frozen=True, slots=True)
class Changes:
    """All that differs; `same` counts the cells that do not."""

    cells: tuple[CellChange, ...]
    same: int
    kernel: tuple[str, str] | None = None

    @property
    def is_empty(self) -> bool:
        return not self.cells and self.kernel is None

    @property
    def summary(self) -> str:
        """One sentence with the counts."""
        if self.is_empty:
            return "The two say the same."
        counts = [
            (word, sum(word in change.what.split() for change in self.cells))
            for word in ("changed", "added", "removed", "moved")
        ]
        told = [f"{count} {word}" for word, count in counts if count]
        told += ["another kernel"] if self.kernel else []
        return f"{', '.join(told)}; {self.same} cell{'s' * (self.same != 1)} the same."

    def to_dict(self) -> dict[str, object]:
        return {
            "summary": self.summary,
            "same": self.same,
            "kernel": list(self.kernel) if self.kernel else None,
            "cells": [change.to_dict() for change in self.cells],
        }

    def to_text(self) -> str:
        """The changes as a person reads them in a terminal."""
        parts = [self.summary]
        if self.kernel:
            parts.append(f"Kernel\n  - {self.kernel[0]}\n  + {self.kernel[1]}")
        parts += [_cell_text(change) for change in self.cells]
        return "\n\n".join(parts) + "\n"


def changes_between(before: NotebookDocument, after: NotebookDocument) -> Changes:
    """What one has to do to the first notebook to get the second.

    >>> empty = NotebookDocument({"nbformat": 4, "cells": []})
    >>> changes_between(empty, empty).summary
    'The two say the same.'
    """
    old, new = titled_cells(before), titled_cells(after)
    pairs = matched(_keys(old), _keys(new))
    settled = in_place(pairs)
    partner = {theirs: ours for ours, theirs in pairs.items()}
    gone = [index for index in range(len(old)) if index not in pairs]
    found: list[CellChange] = []
    same = 0
    last = -1
    for index, cell in enumerate(new):
        ours = partner.get(index)
        if ours is None:
            found.append(_whole(cell, "added"))
            continue
        if ours in settled:
            found += [_whole(old[one], "removed") for one in gone if last < one < ours]
            last = ours
        change = _compared(old[ours], cell, is_moved=ours not in settled)
        if change is None:
            same += 1
        else:
            found.append(change)
    found += [_whole(old[one], "removed") for one in gone if one > last]
    kernels = _kernel(before), _kernel(after)
    return Changes(tuple(found), same, kernels if kernels[0] != kernels[1] else None)


def _keys(cells: Iterable[Titled]) -> list[tuple[str | None, str, str]]:
    return [
        (
            one if isinstance(one := cell.cell.get("id"), str) else None,
            _type(cell),
            source(cell.cell).rstrip(),
        )
        for cell in cells
    ]


def _type(cell: Titled) -> str:
    return str(cell.cell.get("cell_type", ""))


def _tags(cell: Titled) -> list[str]:
    metadata = cell.cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _kernel(document: NotebookDocument) -> str:
    metadata = document.content.get("metadata")
    spec = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    name = spec.get("name") if isinstance(spec, dict) else None
    return f"{document.language}, kernel {name}" if name else document.language


def _whole(cell: Titled, what: str) -> CellChange:
    texts = source(cell.cell).rstrip().splitlines()
    is_added = what == "added"
    lines = tuple(
        LineChange("+", text, None, row) if is_added else LineChange("-", text, row, None)
        for row, text in enumerate(texts, start=1)
    )
    return CellChange(
        what,
        _type(cell),
        cell.title,
        cell.number,
        None if is_added else cell.position,
        cell.position if is_added else None,
        lines,
        tags_added=tuple(_tags(cell)) if is_added else (),
    )


def _compared(before: Titled, after: Titled, *, is_moved: bool) -> CellChange | None:
    old, new = (source(cell.cell).rstrip().splitlines() for cell in (before, after))
    old_tags, new_tags = _tags(before), _tags(after)
    is_changed = old != new or set(old_tags) != set(new_tags) or _type(before) != _type(after)
    what = " and ".join([*(["moved"] if is_moved else []), *(["changed"] if is_changed else [])])
    if not what:
        return None
    return CellChange(
        what,
        _type(after),
        after.title,
        after.number,
        before.position,
        after.position,
        tuple(_line_changes(old, new)) if old != new else (),
        tuple(tag for tag in new_tags if tag not in old_tags),
        tuple(tag for tag in old_tags if tag not in new_tags),
    )


def _line_changes(old: Sequence[str], new: Sequence[str]) -> Iterable[LineChange]:
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT):
        for kind, first, end, new_first, new_end in group:
            if kind == "equal":
                for offset, text in enumerate(old[first:end]):
                    yield LineChange(" ", text, first + offset + 1, new_first + offset + 1)
                continue
            for row in range(first, end):
                yield LineChange("-", old[row], row + 1, None)
            for row in range(new_first, new_end):
                yield LineChange("+", new[row], None, row + 1)


def _cell_text(change: CellChange) -> str:
    told = [change.headline]
    told += [f"  tag {tag} added" for tag in change.tags_added]
    told += [f"  tag {tag} removed" for tag in change.tags_removed]
    width = max((len(str(line.after or line.before)) for line in change.lines), default=1)
    last = 0
    for line in change.lines:
        row = line.before or last
        if line.before is not None and last and row > last + 1:
            told.append(f"  {'…':>{width}}")
        last = line.before or last
        number = line.after or line.before
        told.append(f"  {number:>{width}} {line.sign} {line.text}".rstrip())
    return "\n".join(told)
