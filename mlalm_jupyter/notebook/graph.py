"""A notebook as a graph: cells with their roles, values that flow between them, and assets on their ports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.document import NotebookDocument, tags_of
from mlalm_jupyter.notebook.flow import CellFlow, flow_of
from mlalm_jupyter.notebook.origins import cells_cut_from
from mlalm_jupyter.notebook.references import references_in
from mlalm_jupyter.notebook.roles import PORT_TAGS, roles_of
from mlalm_jupyter.notebook.titles import titled_cells

_PORTS = {"web_input": "input", "web_output": "output"}


@dataclass(frozen=True, slots=True)
class Node:
    """A code cell, or something on the port of one: a dataset, transform, model, file, or port of a service."""

    id: str
    kind: str
    title: str
    number: int | None = None
    role: str | None = None
    roles: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    """The tags by which a person said what the cell is for."""
    cut_from: int | None = None
    """In a predictive notebook the cell of the training notebook that it is what stayed of."""

    def to_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "kind": self.kind,
            "title": self.title,
            "number": self.number,
            "role": self.role,
            "roles": list(self.roles),
            "by_hand": list(self.by_hand),
            "cut_from": self.cut_from,
        }


@dataclass(frozen=True, slots=True)
class Edge:
    """A value (or function, or asset) that one node has from another; `name` is what it is called there."""

    source: str
    target: str
    name: str
    kind: str = "value"

    def to_dict(self) -> dict[str, object]:
        return {"source": self.source, "target": self.target, "name": self.name, "kind": self.kind}


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in the order of the notebook, edges in the order in which they are met, and what is not known."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    notes: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.kind == "cell")

    def to_dict(self) -> dict[str, object]:
        return {
            "nodes": [node.to_dict() for node in self.nodes],
            "edges": [edge.to_dict() for edge in self.edges],
            "notes": list(self.notes),
        }


def graph_of(document: NotebookDocument) -> Graph:
    """The graph of a notebook, told from its text.

    >>> cells = [{"cell_type": "code", "source": text} for text in ("x = 1", "y = x")]
    >>> graph_of(NotebookDocument({"nbformat": 4, "cells": cells})).edges
    (Edge(source='cell-1', target='cell-2', name='x', kind='value'),)
    """
    flows = flow_of(document)
    roles = roles_of(document, flows=flows)
    titles = {cell.number: cell.title for cell in titled_cells(document)}
    sources = cells_cut_from(document)
    cells = [
        Node(
            _id(one.number),
            "cell",
            titles.get(one.number, ""),
            one.number,
            one.main,
            one.roles,
            one.tags,
            sources.get(one.number),
        )
        for one in roles
    ]
    ports = [*_ports(document, flows), *_tagged_ports(document, flows)]
    nodes = {node.id: node for node in cells}
    for node, _ in ports:
        nodes.setdefault(node.id, node)
    edges = dict.fromkeys([*_flowing(flows), *(edge for _, edge in ports)])
    return Graph(tuple(nodes.values()), tuple(edges), tuple(_notes(document, flows)))


def _id(number: int) -> str:
    return f"cell-{number}"


def _flowing(flows: Sequence[CellFlow]) -> Iterator[Edge]:
    """Each name that a cell reads, from the cell before it that set or changed it last."""
    made: dict[str, tuple[int, str]] = {}
    for cell in flows:
        flow = cell.flow
        for name in sorted(flow.reads):
            if name in made:
                source, kind = made[name]
                yield Edge(_id(source), _id(cell.number), name, kind)
        for name in flow.writes | flow.changes:
            kind = "function" if name in flow.defines else "value"
            if name in made and name not in flow.writes:
                kind = made[name][1]
            made[name] = cell.number, kind
        for name in (flow.imports - (flow.writes & flow.changes)) | (flow.deletes - flow.certain):
            made.pop(name, None)


def _ports(document: NotebookDocument, flows: Sequence[CellFlow]) -> Iterator[tuple[Node, Edge]]:
    literals = _parameters(document)
    for reference in references_in(document):
        node = Node(f"{reference.kind}:{reference.wanted}", reference.kind, reference.wanted)
        yield node, Edge(node.id, _id(reference.cell), reference.wanted, "asset")
    for cell in flows:
        here = _id(cell.number)
        for path in sorted(cell.flow.files_read):
            yield Node(f"file:{path}", "file", path), Edge(f"file:{path}", here, path, "asset")
        for path in sorted(cell.flow.files_written):
            node = Node(f"file:{path}", "file", path)
            yield node, Edge(here, node.id, path, "asset")
        for magic in cell.flow.magics:
            words = [word for word in magic.rest.split() if not word.startswith("-")]
            if magic.name in _PORTS and words:
                kind, title = _PORTS[magic.name], words[-1] if len(words) > 1 else words[0]
                node = Node(f"{kind}:{title}", kind, title)
                ends = (node.id, here) if kind == "input" else (here, node.id)
                yield node, Edge(*ends, words[0], "asset")
            elif magic.name == "register" and len(words) > 1:
                # a new version, so never the node of one that is read
                name = _expanded(words[1], literals)
                node = Node(f"registered:{name}", "model", name)
                yield node, Edge(here, node.id, words[0], "asset")


def _tagged_ports(document: NotebookDocument, flows: Sequence[CellFlow]) -> Iterator[tuple[Node, Edge]]:
    """Where a tag of a cell says that a service's rows come in or go out."""
    for cell in flows:
        for tag in tags_of(document.code_cells[cell.number - 1]):
            if tag not in PORT_TAGS:
                continue
            kind = "input" if PORT_TAGS[tag] == "import" else "output"
            name = _last_made(cell, kind)
            node, here = Node(f"{kind}:{name}", kind, name), _id(cell.number)
            yield (
                node,
                Edge(node.id, here, name, "asset") if kind == "input" else Edge(here, node.id, name, "asset"),
            )


def _last_made(cell: CellFlow, kind: str) -> str:
    """What a cell makes, or shows, last; the kind of the port where that has no name."""
    for statement in reversed(cell.statements):
        names = (statement.flow.writes | statement.flow.changes) - statement.flow.imports
        if names:
            return min(names)
        if statement.is_expression and kind == "output":
            text = statement.text.strip().rstrip(";")
            return text if text.isidentifier() else kind
    return kind


def _parameters(document: NotebookDocument) -> dict[str, str]:
    """The texts that the parameters cell sets."""
    try:
        found = document.parameters or {}
    except InvalidInput:
        return {}  # the flow of that cell says what is wrong with it
    return {name: one.default[1:-1] for name, one in found.items() if one.default[:1] in ("'", '"')}


def _expanded(word: str, literals: dict[str, str]) -> str:
    name = word.strip("${}")
    return literals.get(name, word) if word != name else word


def _notes(document: NotebookDocument, flows: Sequence[CellFlow]) -> Iterator[str]:
    if document.language != "python":
        yield f"Roles and flow are read in Python only; this notebook is in {document.language}."
    later: dict[str, list[int]] = {}
    for cell in flows:
        for name in cell.flow.writes:
            later.setdefault(name, []).append(cell.number)
    known: set[str] = set()
    for cell in flows:
        for name in sorted(cell.flow.reads - known):
            after = [number for number in later.get(name, ()) if number > cell.number]
            if after:
                yield f"Cell {cell.number} uses {name}, which is first set in cell {after[0]}."
        for unknown in cell.flow.unknowns:
            yield f"Cell {cell.number}: {unknown}."
        known |= cell.flow.writes
