"""Which cells of its training notebook the cells of a predictive one are what stayed of."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlalm_jupyter.notebook.document import NotebookDocument

_MADE_OF = re.compile(r"cell-(\d+)")


def cells_cut_from(document: NotebookDocument) -> dict[int, int]:
    """Of each code cell that was cut out of another notebook the number of the cell there.

    >>> cell = {"cell_type": "code", "source": "x", "metadata": {"mlalm": {"part": "cell-3"}}}
    >>> cells_cut_from(NotebookDocument({"nbformat": 4, "cells": [cell]}))
    {1: 3}
    """
    found: dict[int, int] = {}
    for number, cell in enumerate(document.code_cells, start=1):
        metadata = cell.get("metadata")
        marks = metadata.get("mlalm") if isinstance(metadata, Mapping) else None
        part = marks.get("part") if isinstance(marks, Mapping) else None
        if isinstance(part, str) and (origin := _MADE_OF.fullmatch(part)):
            found[number] = int(origin[1])
    return found
