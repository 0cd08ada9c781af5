"""The cells of a notebook as they go into its exported text, and what is left out of it."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.document import NotebookDocument, source

_CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_TEXT = 2_000
_MOST_BASE64 = 4_096
_DEEPEST = 12
_MOST_METADATA = 20_000
_ENCODED_VALUE = re.compile(r"[A-Za-z0-9+/_-]{512}")
_ENCODED_LINES = re.compile(r"(?:[A-Za-z0-9+/_-]{40,}+={0,2}[\s\"'\\,]*+)+")
"""Encoded data, perhaps in lines of its own with quotes around them."""
_EMBEDDED = re.compile(r"data:([\w.+/-]+);base64,[A-Za-z0-9+/=]{200,}")
_NOT_OF_THE_CELL = frozenset(
    {
        *("collapsed", "scrolled", "execution", "papermill", "ExecuteTime", "executionInfo", "outputId"),
        *("execution_count", "vscode", "pycharm", "trusted", "hidden_output", "heading_collapsed"),
        *("outputExpanded", "colab_type", "_kg_hide-output", "slideshow_state", "widgets", "mlalm_outputs"),
    }
)


@dataclass(frozen=True, slots=True)
class ExportedCell:
    """A cell without what it printed."""

    id: str
    type: str
    source: str
    metadata: Mapping[str, Any]

    def to_dict(self) -> dict[str, object]:
        told: dict[str, object] = {"id": self.id, "type": self.type}
        metadata = dict(self.metadata)
        if "tags" in metadata:
            told["tags"] = metadata.pop("tags")
        if metadata:
            told["metadata"] = metadata
        told["source"] = self.source.split("\n") if self.source else []
        return told

    def to_notebook(self) -> dict[str, object]:
        lines = self.source.split("\n")
        text = [*(f"{line}\n" for line in lines[:-1]), *([lines[-1]] if lines[-1] else [])]
        cell: dict[str, object] = {"cell_type": self.type, "id": self.id, "metadata": dict(self.metadata)}
        if self.type == "code":
            cell |= {"execution_count": None, "outputs": []}
        return {**cell, "source": text}


def exported_cells(document: NotebookDocument) -> tuple[ExportedCell, ...]:
    """The cells, each with an id: its own, or one that comes from what it says."""
    found: list[ExportedCell] = []
    own = [cell.get("id") for cell in document.content["cells"]]
    taken = {one for one in own if _is_id(one)}
    used: set[str] = set()
    for position, cell in enumerate(document.content["cells"], start=1):
        kind = cell.get("cell_type")
        if kind not in ("code", "markdown", "raw"):
            raise InvalidInput(
                f"The notebook, cell {position},", expected="a code, markdown or raw cell", got=repr(kind)
            )
        text = _text(source(cell), kind, position)
        given = cell.get("id")
        number = 0
        while not _is_id(given) or given in used:
            given = hashlib.sha256(f"{kind}\n{number}\n{text}".encode(errors="replace")).hexdigest()[:8]
            given = None if given in taken else given
            number += 1
        used.add(given)
        metadata = cell.get("metadata")
        kept = kept_metadata(metadata if isinstance(metadata, Mapping) else {}, dropped=_NOT_OF_THE_CELL)
        if not _is_tags(kept.get("tags", [])) or not kept.get("tags", True):
            kept.pop("tags")
        found.append(ExportedCell(given, kind, text, kept))
    return tuple(found)


def left_out(document: NotebookDocument) -> list[str]:
    """What a person would miss after importing the text: pictures that were inside the notebook.

    >>> left_out(NotebookDocument({"nbformat": 4, "cells": []}))
    []
    """
    found = []
    for position, cell in enumerate(document.content["cells"], start=1):
        attached = cell.get("attachments")
        if isinstance(attached, Mapping):
            found += [f"cell {position}: the attachment {name}" for name in attached]
        if cell.get("cell_type") != "code":
            count = len(_EMBEDDED.findall(source(cell)))
            found += [f"cell {position}: {count} embedded picture{'s' * (count > 1)}"] if count else []
    return found


def kept_metadata(metadata: Mapping[str, Any], *, dropped: frozenset[str]) -> dict[str, Any]:
    """Metadata that means something, in one order; nothing large, encoded or about a past execution."""
    return {name: value for name, value in _kept_items(metadata, 0) if name not in dropped}


def _kept_items(mapping: Mapping[str, Any], depth: int) -> Iterator[tuple[str, Any]]:
    for name in sorted(mapping):
        value = _kept(mapping[name], depth)
        if value is not _NOTHING and len(name) <= _MOST_TEXT and not _is_large(value):
            yield name, value


_NOTHING = object()


def _kept(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        return _NOTHING
    if isinstance(value, dict):
        return dict(_kept_items(value, depth + 1))
    if isinstance(value, list):
        return [one for one in (_kept(one, depth + 1) for one in value) if one is not _NOTHING]
    if isinstance(value, str) and (len(value) > _MOST_TEXT or _ENCODED_VALUE.search(value)):
        return _NOTHING
    if isinstance(value, float) and not math.isfinite(value):
        return _NOTHING
    return value


def _is_large(value: Any) -> bool:
    return isinstance(value, (dict, list)) and len(json.dumps(value)) > _MOST_METADATA


def _text(text: str, kind: str, position: int) -> str:
    if kind != "code":
        text = _EMBEDDED.sub(lambda found: f"data:{found[1]},left-out", text)
    longest = max((len(found[0]) for found in _ENCODED_LINES.finditer(text)), default=0)
    if longest > _MOST_BASE64:
        raise InvalidInput(
            f"The notebook, cell {position},",
            expected="text, and data only by reference",
            got=f"{longest:,} characters of encoded data in its source",
            fix="Upload that as a dataset, and load it by its name.",
        )
    return text


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _CELL_ID.fullmatch(value) is not None


def _is_tags(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(tag, str) for tag in value)
