"""Which names and files a notebook's statements and cells read, write and change, and what cannot be known."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from mlalm_jupyter.notebook.code import code_of
from mlalm_jupyter.notebook.document import NotebookDocument, source
from mlalm_jupyter.notebook.effects import Flow
from mlalm_jupyter.notebook.knowledge import Knowledge
from mlalm_jupyter.notebook.lines import opening_flow
from mlalm_jupyter.notebook.statements import statement_flow


@dataclass(frozen=True, slots=True)
class StatementFlow:
    """One statement at the top of a cell, and what it does."""

    first_row: int
    last_row: int
    text: str
    flow: Flow
    is_expression: bool = False


@dataclass(frozen=True, slots=True)
class CellFlow:
    """A cell's statements, and what they do together."""

    number: int
    statements: tuple[StatementFlow, ...]
    flow: Flow

    @classmethod
    def of(cls, number: int, statements: Iterable[StatementFlow], *, first: Flow) -> Self:
        """The sum of statements; `first` is what the cell does before them."""
        kept = tuple(statements)
        for statement in kept:
            first = first.then(statement.flow)
        return cls(number, kept, first)

    def to_dict(self) -> dict[str, object]:
        statements = [
            {"rows": [one.first_row, one.last_row], "text": one.text, **one.flow.to_dict()}
            for one in self.statements
        ]
        return {"cell": self.number, **self.flow.to_dict(), "statements": statements}


def flow_of(document: NotebookDocument) -> tuple[CellFlow, ...]:
    """What each code cell does, told from its text alone, as if the cells ran from top to bottom.

    Nothing is told of a notebook in another language than Python.

    >>> cell = {"cell_type": "code", "source": "y = x + 1"}
    >>> sorted(flow_of(NotebookDocument({"nbformat": 4, "cells": [cell]}))[0].flow.reads)
    ['x']
    """
    if document.language != "python":
        return ()
    known, cells = Knowledge(), []
    for number, cell in enumerate(document.code_cells, start=1):
        code = code_of(source(cell))
        first = opening_flow(code, known)
        statements = [
            StatementFlow(
                one.lineno,
                one.end_lineno or one.lineno,
                code.text_of(one),
                statement_flow(one, code, known),
                is_expression=isinstance(one, ast.Expr),
            )
            for one in code.tree.body
        ]
        cells.append(CellFlow.of(number, statements, first=first))
    return tuple(cells)
