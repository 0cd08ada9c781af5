"""Which texts in a notebook may name files."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import lru_cache

from mlalm_jupyter.notebook.document import NotebookDocument, source

_LONGEST = 1024


def texts_that_may_name_files(notebook: NotebookDocument, values: Iterable[object] = ()) -> list[str]:
    """Short one-line texts in its Python code, and among values given to it; whether they are files shows later.

    >>> from mlalm_jupyter.notebook.document import read_notebook
    >>> cell = '{"cell_type": "code", "source": "read_csv(\\\\"rides.csv\\\\")"}'
    >>> texts_that_may_name_files(read_notebook(f'{{"nbformat": 4, "cells": [{cell}]}}'.encode()))
    ['rides.csv']
    """
    found: dict[str, None] = {}
    if notebook.language == "python":
        for cell in notebook.code_cells:
            for text in _literals(source(cell)):
                found.setdefault(text)
    for value in values:
        if isinstance(value, str) and _may_be_a_path(value):
            found.setdefault(value)
    return list(found)


@lru_cache(maxsize=2000)
def _literals(code: str) -> tuple[str, ...]:
    """Of one cell; from one snapshot to the next most cells stay as they are."""
    lines, words = [], []
    for line in code.splitlines():
        text = line.lstrip()
        if text.startswith(("%", "!")):
            words += text.split()[1:]
            line = line[: len(line) - len(text)] + "pass"
        lines.append(line)
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()  # what cannot be read will fail when it runs, and say why
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return tuple(text for text in dict.fromkeys([*words, *texts]) if _may_be_a_path(text))


def _may_be_a_path(text: str) -> bool:
    return bool(text.strip()) and len(text) <= _LONGEST and text.isprintable() and "://" not in text
