"""What to call a cell: its number among the code cells, and a few words of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlalm_jupyter.notebook.code import PYTHON_BODIES
from mlalm_jupyter.notebook.document import NotebookDocument, source

_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*)$", re.M)
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
_COMMENT = re.compile(r"^#+(?!!)[-=#*\s]*(?P<words>[^\s#].*?)[-=#*\s]*$")
_MARKS = re.compile(r"(!?\[([^\]]*)\]\([^)]*\))|[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}|<[^>]+>")
_OPENING = re.compile(r"^\s*(import |from \S+ import |%(re)?load_ext )")
_PROMPT = re.compile(r"^(>>> ?|In \[\d+\]: )")
_CELL_MAGIC = re.compile(r"%%(\w+)")
_MOST_LOOKED_AT = 300
_MOST = 60


@dataclass(frozen=True, slots=True)
class Titled:
    """A cell of any kind with its place, and with a number when it holds code."""

    position: int
    number: int | None
    cell: Mapping[str, Any]
    title: str

    @property
    def label(self) -> str:
        """How a person is told which cell is meant."""
        return f"cell {self.number}" if self.number is not None else f"text {self.position}"


def titled_cells(document: NotebookDocument) -> tuple[Titled, ...]:
    """All cells, each with a title: the heading right above it, its first comment, or its first line.

    >>> cells = [{"cell_type": "markdown", "source": "## Read"}, {"cell_type": "code", "source": "x = 1"}]
    >>> titled_cells(NotebookDocument({"nbformat": 4, "cells": cells}))[1].title
    'Read'
    """
    found: list[Titled] = []
    number, heading = 0, ""
    for position, cell in enumerate(document.content["cells"], start=1):
        text, kind = source(cell), cell.get("cell_type")
        if kind == "code":
            is_counted = bool(text.strip())
            number += is_counted
            title = heading or own_title(text)
            found.append(Titled(position, number if is_counted else None, cell, title))
            heading = "" if is_counted else heading
        else:
            headings = _headings(text) if kind == "markdown" else []
            # the title of the notebook is not that of its first cell
            is_title = position == 1 and len(headings) == 1 and text.lstrip().startswith("# ")
            heading = headings[-1] if headings and not is_title else heading
            found.append(Titled(position, None, cell, headings[0] if headings else _first_line(text)))
    return tuple(found)


def own_title(text: str) -> str:
    """What a cell says of itself: its first comment, or its first line that is more than an import.

    >>> own_title("# clean up\\nx = 1"), own_title("import os\\nx = 1")
    ('clean up', 'x = 1')
    """
    lines = [_PROMPT.sub("", line.strip()[:_MOST_LOOKED_AT]) for line in text.splitlines() if line.strip()]
    if lines and (magic := _CELL_MAGIC.match(lines[0])) and magic[1] not in PYTHON_BODIES:
        return _short(lines[0])
    if lines and (comment := _COMMENT.match(lines[0])) and not lines[0].startswith("#%%"):
        return _short(comment["words"])
    plain = [line for line in lines if not line.startswith("#")]
    telling = [line for line in plain if not _OPENING.match(line) and not line.startswith("%%")]
    return _short((telling or plain or lines or [""])[0])


def _headings(text: str) -> list[str]:
    plain = _FENCED.sub("", text)
    lines = (line[:_MOST_LOOKED_AT].rstrip().rstrip("#") for line in _HEADING.findall(plain))
    return [found for line in lines if (found := _short(_unmarked(line)))]


def _first_line(text: str) -> str:
    return _short(_unmarked(next((line for line in text.splitlines() if line.strip()), "")[:_MOST_LOOKED_AT]))


def _unmarked(text: str) -> str:
    return _MARKS.sub(lambda found: found[2] or "", text).strip()


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MOST else text[: _MOST - 1].rstrip() + "…"
