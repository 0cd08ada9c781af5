"""Which assets what a cell makes was made of, as far as the text of the notebook tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.notebook.document import NotebookDocument
from mlalm_jupyter.notebook.flow import CellFlow, flow_of
from mlalm_jupyter.notebook.references import references_in


def made_of(
    document: NotebookDocument,
    cell: int,
    loaded: Sequence[str],
    parameters: Mapping[str, object] | None = None,
) -> tuple[str, ...]:
    """Those of the assets that were loaded, such as `dataset census:3`, that a cell's values can come from.

    What is named only in cells that the cell does not depend on is left out. What no cell names as a text, and all
    where something cannot be known, stays.

    >>> cells = [{"cell_type": "code", "source": text} for text in ("a = %dataset x", "b = %dataset y", "c = a")]
    >>> made_of(NotebookDocument({"nbformat": 4, "cells": cells}), 3, ["dataset x:1", "dataset y:1"])
    ('dataset x:1',)
    """
    needed = _needed(flow_of(document), cell)
    if needed is None:
        return tuple(loaded)
    named: dict[int, set[tuple[str, str, int | None]]] = {}
    for one in references_in(document):
        given = (parameters or {}).get(one.variable or "")
        try:
            ref = AssetRef.parse(one.kind, given if isinstance(given, str) else one.wanted)
        except InvalidInput:
            return tuple(loaded)
        named.setdefault(one.cell, set()).add((one.kind, ref.name, ref.version))
    inside = {name for number, names in named.items() if number in needed for name in names}
    outside = {name for number, names in named.items() if number not in needed for name in names}
    return tuple(told for told in loaded if _is_of(told, inside) or not _is_of(told, outside))


def _is_of(told: str, names: set[tuple[str, str, int | None]]) -> bool:
    kind, _, reference = told.partition(" ")
    name, _, version = reference.partition(":")
    number = int(version) if version.isdigit() else None
    return (kind, name, number) in names or (kind, name, None) in names


def _needed(flows: Sequence[CellFlow], cell: int) -> set[int] | None:
    """The numbers of a cell and of all whose values can reach it; None where something in them cannot be known."""
    if not 0 < cell <= len(flows):
        return None
    needed = {cell}
    wanted, files = set(flows[cell - 1].flow.reads), set(flows[cell - 1].flow.files_read)
    for one in reversed(flows[: cell - 1]):
        flow = one.flow
        if wanted & (flow.writes | flow.changes | flow.imports | flow.deletes) or files & flow.files_written:
            needed.add(one.number)
            wanted = (wanted - flow.certain) | flow.reads
            files |= flow.files_read
    if any(flows[number - 1].flow.unknowns for number in needed):
        return None
    return needed
