"""References to assets in a notebook's text: finding them, and writing others in their place."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.json_spans import characters, items, members, span_at
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.notebook.code import CellCode, Magic, code_of
from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook, source

KINDS = ("dataset", "transform", "model")

_WORD = re.compile(r"\S+")
_LITERAL = re.compile(r"[rRuU]?(\"\"\"|'''|\"|')(.*)\1")
_MAY_NAME = re.compile(r"%(?:dataset|transform|model)\b|\b(?:dataset|transform|model)s\b[\s\S]*?\bload\b")
_VARIABLE = re.compile(r"\$(\w+)|\$?\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Reference:
    """An asset that a cell names; `wanted` is the text that names it.

    A name that came out of a variable, as in `%dataset $table`, has its text where that variable is set.
    """

    kind: str
    name: str
    version: int | None
    cell: int
    wanted: str
    variable: str | None = None

    def to_dict(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a text stands: which cell of all, and from where to where in its source."""

    position: int
    start: int
    end: int
    is_whole_literal: bool = False


@dataclass(frozen=True, slots=True)
class _Text:
    value: str
    place: _Place
    variable: str | None = None


_Literals = Callable[[], Mapping[str, _Text | None]]
"""The texts that variables have, looked for when one is needed."""


def references_in(document: NotebookDocument) -> list[Reference]:
    """The assets a notebook names, in the order in which it does; none are looked for in another language.

    >>> cell = {"cell_type": "code", "source": "rides = %dataset bikes:2"}
    >>> references_in(NotebookDocument({"nbformat": 4, "cells": [cell]}))[0].version
    2
    """
    return [reference for reference, _ in _found(document)]


def rewritten(notebook: bytes, changes: Mapping[tuple[str, str], str]) -> bytes:
    """The notebook with other references in it: `{("dataset", "census:1"): "census:3"}`.

    Nothing else changes, except that a cell with another text loses its outputs, which are no longer its own.
    """
    document = read_notebook(notebook)
    wanted: dict[_Place, str] = {}
    for reference, place in _found(document):
        new = changes.get((reference.kind, reference.wanted))
        if new is not None and new != reference.wanted:
            AssetRef.parse(reference.kind, new)
            if wanted.setdefault(place, new) != new:
                raise InvalidInput(
                    f"The variable '{reference.variable}'",
                    expected="one new text for all that is read through it",
                    got=f"'{wanted[place]}' and '{new}'",
                )
    if not wanted:
        return notebook
    encoding = json.detect_encoding(notebook)
    text = notebook.decode(encoding, "surrogatepass")
    for start, end, new in sorted(_edits(text, document, wanted), reverse=True):
        text = text[:start] + new + text[end:]
    return text.encode(encoding, "surrogatepass")


def _found(document: NotebookDocument) -> Iterator[tuple[Reference, _Place]]:
    if document.language != "python":
        return
    cells = [
        (position, _raw(cell))
        for position, cell in enumerate(document.content["cells"])
        if cell.get("cell_type") == "code" and source(cell).strip()
    ]

    @cache
    def literals() -> dict[str, _Text | None]:
        return _literals([(position, code_of(text)) for position, text in cells])

    for number, (position, cell_text) in enumerate(cells, start=1):
        if not _MAY_NAME.search(cell_text):
            continue  # most cells name nothing, and taking a cell apart takes its time
        for kind, text in _named(code_of(cell_text), position, literals):
            try:
                parsed = AssetRef.parse(kind, text.value)
            except InvalidInput:
                continue  # whoever runs the cell is told what is wrong with it
            reference = Reference(kind, parsed.name, parsed.version, number, text.value, text.variable)
            yield reference, text.place


def _named(code: CellCode, position: int, literals: _Literals) -> Iterator[tuple[str, _Text]]:
    found: list[tuple[int, str, _Text]] = []
    for magic in code.magics:
        if magic.form == "magic" and magic.name in KINDS:
            in_line = _in_magic(magic, code.text, position, literals)
            if in_line is not None:
                found.append((magic.start, magic.name, in_line))
    for node in ast.walk(code.tree):
        kind = _kind_loaded(node)
        argument = _argument(node, kind) if kind and isinstance(node, ast.Call) else None
        if kind and argument is not None:
            text = _in_literal(code, argument, position)
            if text is None and isinstance(argument, ast.Name):
                text = _through(argument.id, literals)
            if text is not None:
                found.append((code.span(argument)[0], kind, text))
    yield from ((kind, text) for _, kind, text in sorted(found, key=lambda one: one[0]))


def _in_magic(magic: Magic, text: str, position: int, literals: _Literals) -> _Text | None:
    """The asset in `%dataset NAME`; with a file behind the name the line uploads one instead."""
    words = list(_WORD.finditer(magic.rest))
    comment = next((index for index, word in enumerate(words) if word[0].startswith("#")), len(words))
    words = words[:comment]
    if not words or words[0][0].startswith("-") or (len(words) > 1 and not words[1][0].startswith("-")):
        return None
    word = words[0][0]
    if variable := _VARIABLE.fullmatch(word):
        return _through(variable[1] or variable[2], literals)
    value = word[1:-1] if len(word) > 2 and word[0] == word[-1] and word[0] in "\"'" else word
    start = text.index(value, magic.start)  # a line that goes on below has more characters in the file
    return _Text(value, _Place(position, start, start + len(value)))


def _kind_loaded(node: ast.AST) -> str | None:
    """What `....datasets.load(...)` loads."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "load"):
        return None
    noun = node.func.value
    kind = noun.attr.removesuffix("s") if isinstance(noun, ast.Attribute) and noun.attr[-1:] == "s" else ""
    return kind if kind in KINDS else None


def _argument(call: ast.Call, kind: str) -> ast.expr | None:
    named = [word.value for word in call.keywords if word.arg == kind]
    return next(iter([*call.args, *named]), None)


def _in_literal(code: CellCode, node: ast.expr, position: int) -> _Text | None:
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return None
    start, end = code.span(node)
    written = code.text[start:end]
    plain = _LITERAL.fullmatch(written)
    if plain and plain[2] == node.value:
        inner = start + plain.start(2)
        return _Text(node.value, _Place(position, inner, inner + len(node.value)))
    return _Text(node.value, _Place(position, start, end, is_whole_literal=True))


def _through(name: str, literals: _Literals) -> _Text | None:
    return literals().get(name)


def _literals(cells: list[tuple[int, CellCode]]) -> dict[str, _Text | None]:
    """Variables that are given one literal text, at the top of a cell; None for those that are given more."""
    found: dict[str, _Text | None] = {}
    for position, code in cells:
        known: dict[ast.AST, _Text | None] = {}
        for statement in code.tree.body:
            target = _lone_target(statement)
            if target is not None and isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value:
                known[target] = _in_literal(code, statement.value, position)
        for node in ast.walk(code.tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
                text = known.get(node)
                is_first = node.id not in found
                found[node.id] = _Text(text.value, text.place, node.id) if text and is_first else None
    return found


def _lone_target(statement: ast.stmt) -> ast.Name | None:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target: ast.expr = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return None
    return target if isinstance(target, ast.Name) else None


def _raw(cell: Mapping[str, Any]) -> str:
    """A cell's text with the line ends of the file, so that places in it are places in the file."""
    text = cell.get("source", "")
    return "".join(text) if isinstance(text, list) else str(text)


def _edits(
    text: str, document: NotebookDocument, wanted: Mapping[_Place, str]
) -> Iterator[tuple[int, int, str]]:
    spans = items(text, span_at(text, ["cells"])[0])
    for position in {place.position for place in wanted}:
        cell = members(text, spans[position][0])
        for name, empty in (("outputs", "[]"), ("execution_count", "null")):
            if name in cell:
                yield (*cell[name], empty)
        places = _places(text, cell["source"][0])
        raw = _raw(document.content["cells"][position])
        for place, new in wanted.items():
            if place.position != position:
                continue
            if "\n" in raw[place.start : place.end]:
                raise InvalidInput(
                    f"The reference {raw[place.start : place.end]!r}",
                    expected="one string on one line, so that it can be changed",
                    got="several",
                )
            written = f'"{new}"' if place.is_whole_literal else new
            yield places[place.start][0], places[place.end - 1][1], json.dumps(written)[1:-1]


def _places(text: str, start: int) -> list[tuple[int, int]]:
    """From where to where each character of a source is written in the file."""
    strings = [span[0] for span in items(text, start)] if text[start] == "[" else [start]
    found: list[tuple[int, int]] = []
    for string in strings:
        found.extend(pairwise(characters(text, string)))
    return found
