"""A notebook as a document: its cells, and the parameters it takes."""

from __future__ import annotations

import hashlib
import itertools
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.secrecy import given_secrecy
from mlalm_jupyter.notebook.parameters import Parameter, misfit, parameters_in

PARAMETERS_TAG = "parameters"
INJECTED_TAG = "injected-parameters"
"""Papermill's own cell, which sets the parameters of a run."""


@dataclass(frozen=True)
class NotebookDocument:
    """A notebook of format 4."""

    content: Mapping[str, Any]

    @property
    def language(self) -> str:
        """The language of its code, in small letters; Python when it does not say."""
        metadata = _mapping(self.content.get("metadata"))
        info, spec = _mapping(metadata.get("language_info")), _mapping(metadata.get("kernelspec"))
        return str(info.get("name") or spec.get("language") or "python").lower()

    @cached_property
    def code_cells(self) -> tuple[Mapping[str, Any], ...]:
        """Code cells that hold something."""
        cells = [cell for cell in self.content["cells"] if cell.get("cell_type") == "code"]
        return tuple(cell for cell in cells if source(cell).strip())

    @cached_property
    def parameters(self) -> dict[str, Parameter] | None:
        """What the cell tagged `parameters` sets; None without such a cell, or in another language."""
        if self.language != "python":
            return None
        for cell in self.code_cells:
            if PARAMETERS_TAG in tags_of(cell):
                return parameters_in(source(cell))
        return None

    @cached_property
    def code_hash(self) -> str:
        """A hash of the code in its order: what was printed, and how the file is laid out, do not count."""
        hasher = hashlib.sha256()
        for cell in self.code_cells:
            text = source(cell).strip().encode()
            hasher.update(f"{len(text)}\n".encode() + text)
        return hasher.hexdigest()


def read_notebook(data: bytes, *, name: str = "The notebook") -> NotebookDocument:
    """The bytes of an `.ipynb` file as a document.

    >>> read_notebook(b'{"nbformat": 4, "cells": []}').code_cells
    ()
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(name, expected="a notebook, which is JSON", got=str(error)[:120]) from error
    if not isinstance(content, dict) or not {"nbformat", "cells"} & content.keys():
        raise InvalidInput(name, expected="a notebook of format 4, with a list of cells", got="other JSON")
    if content.get("nbformat") != 4:
        raise InvalidInput(
            name,
            expected="a notebook of format 4",
            got=f"format {content.get('nbformat')!r}",
            fix="Convert it with `jupyter nbconvert --to notebook FILE`.",
        )
    if not isinstance(content.get("cells"), list):
        raise InvalidInput(name, expected="a notebook with a list of cells", got="none")
    if not all(isinstance(cell, dict) for cell in content["cells"]):
        raise InvalidInput(name, expected="cells that are objects", got="something else in the list")
    for number, cell in enumerate(content["cells"], start=1):
        text = cell.get("source", "")
        if not isinstance(text, str) and not (
            isinstance(text, list) and all(isinstance(line, str) for line in text)
        ):
            raise InvalidInput(
                f"{name}, cell {number},", expected="a source that is text", got=type(text).__name__
            )
    return NotebookDocument(content)


def source(cell: Mapping[str, Any]) -> str:
    """A cell's text, however it is split in the file."""
    text = cell.get("source", "")
    joined = "".join(text) if isinstance(text, list) else str(text)
    return joined.replace("\r\n", "\n")


def tagged(notebook: NotebookDocument, tag: str) -> list[int]:
    """The numbers, from 1, of the code cells that carry a tag."""
    return [number for number, cell in enumerate(notebook.code_cells, start=1) if tag in tags_of(cell)]


def pieces(data: bytes) -> list[bytes]:
    """The bytes of a notebook cut before its cells, so that snapshots that differ in one cell share the rest.

    Where to cut depends on the cells alone: small ones stay together, and a change moves no other cut for long.

    >>> b"".join(pieces(b'{"cells": []}'))
    b'{"cells": []}'
    """
    if len(data) < _WORTH_CUTTING:
        return [data]
    starts, place = [], data.find(_CELL)
    while place >= 0:
        starts.append(place + 1)
        place = data.find(_CELL, place + 1)
    found, begin = [], 0
    for start, end in itertools.pairwise([*starts, len(data)]):
        is_edge = end - start >= _SMALL or zlib.crc32(data[start:end]) % 4 == 0
        if start - begin >= _SMALL or (is_edge and start > begin):
            found.append(data[begin:start])
            begin = start
        if is_edge:
            found.append(data[begin:end])
            begin = end
    return [*found, data[begin:]] if begin < len(data) or not found else found


_CELL = b"\n  {\n"
_SMALL = 4096
_WORTH_CUTTING = 1 << 16


def check_parameters(notebook: NotebookDocument, given: Mapping[str, object]) -> None:
    """Refuse values that the notebook does not take, all of them at once, and secrets, which would be kept.

    A notebook without a parameters cell takes none; one in another language is not looked into.
    """
    if secret := {name: why for name, value in given.items() if (why := given_secrecy(name, value))}:
        raise InvalidInput(
            _named(secret),
            expected="what may be kept, because parameters stay in the record of the run for all to see",
            got=", ".join(dict.fromkeys(secret.values())),
            fix="Have the notebook read a secret from the environment or a file; give what is none another name.",
        )
    if not given or notebook.language != "python":
        return
    known = notebook.parameters
    if known is None:
        raise InvalidInput(
            _named(given),
            expected="none, because the notebook has no cell tagged 'parameters'",
            got=", ".join(given),
            fix="Tag the cell that sets their defaults.",
        )
    problems = [problem for name, value in given.items() if (problem := misfit(name, value, known))]
    if problems:
        takes = ", ".join(f"{one.name}: {one.type}" if one.type else one.name for one in known.values())
        wrong = [name for name in given if misfit(name, given[name], known)]
        misfits = any(name in known for name in wrong)
        raise InvalidInput(
            _named(wrong),
            expected=takes or "none",
            got="; ".join(problems),
            fix="If another type is meant, write it beside the name: `rate: float = 1`." if misfits else "",
        )


def _named(parameters: Iterable[str]) -> str:
    """The subject of a sentence whose verb is `is`."""
    names = [f"'{name}'" for name in parameters]
    return f"The parameter {names[0]}" if len(names) == 1 else f"Each of the parameters {', '.join(names)}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def tags_of(cell: Mapping[str, Any]) -> tuple[str, ...]:
    """The tags of a cell, in their order."""
    tags = _mapping(cell.get("metadata")).get("tags")
    return tuple(str(tag) for tag in tags) if isinstance(tags, list) else ()
