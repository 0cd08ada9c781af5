"""A notebook as a document: its cells, its parameters, and whether given values fit them."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlalm_jupyter.domain.errors import InvalidInput, nearest

PARAMETERS_TAG = "parameters"
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list, tuple),
    "dict": (dict,),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A name that the parameters cell sets, and the type it says or shows."""

    name: str
    type: str | None
    default: str


@dataclass(frozen=True)
class NotebookDocument:
    """A notebook of format 4."""

    content: Mapping[str, Any]

    @property
    def language(self) -> str:
        metadata = self.content.get("metadata", {})
        spec, info = metadata.get("kernelspec", {}), metadata.get("language_info", {})
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
            if PARAMETERS_TAG in cell.get("metadata", {}).get("tags", ()):
                return _assigned(source(cell))
        return None


def read_notebook(data: bytes, *, name: str = "The notebook") -> NotebookDocument:
    """The bytes of an `.ipynb` file as a document.

    >>> read_notebook(b'{"nbformat": 4, "cells": []}').code_cells
    ()
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(name, expected="a notebook, which is JSON", got=str(error)[:120]) from error
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise InvalidInput(name, expected="a notebook of format 4, with a list of cells", got="other JSON")
    if content.get("nbformat") != 4:
        raise InvalidInput(
            name,
            expected="a notebook of format 4",
            got=f"format {content.get('nbformat')!r}",
            fix="Convert it with `jupyter nbconvert --to notebook FILE`.",
        )
    if not all(isinstance(cell, dict) for cell in content["cells"]):
        raise InvalidInput(name, expected="cells that are objects", got="something else in the list")
    return NotebookDocument(content)


def source(cell: Mapping[str, Any]) -> str:
    """A cell's text, however it is split in the file."""
    text = cell.get("source", "")
    return "".join(text) if isinstance(text, list) else str(text)


def check_parameters(notebook: NotebookDocument, given: Mapping[str, object]) -> None:
    """Refuse values that the notebook does not take, all of them at once.

    A notebook without a parameters cell takes none; one in another language is not looked into.
    """
    if not given or notebook.language != "python":
        return
    known = notebook.parameters
    if known is None:
        raise InvalidInput(
            "The parameters",
            expected="none, because the notebook has no cell tagged 'parameters'",
            got=", ".join(given),
            fix="Tag the cell that sets their defaults.",
        )
    problems = [problem for name, value in given.items() if (problem := _problem(name, value, known))]
    if problems:
        takes = ", ".join(f"{one.name}: {one.type}" if one.type else one.name for one in known.values())
        raise InvalidInput("The parameters", expected=takes or "none", got="; ".join(problems))


def _problem(name: str, value: object, known: Mapping[str, Parameter]) -> str | None:
    if name not in known:
        near = nearest(name, known)
        return f"'{name}', which it does not take" + (f" (did you mean '{near[0]}'?)" if near else "")
    wanted = known[name].type
    kinds = _TYPES.get(wanted or "")
    if kinds is None:
        return None
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        return f"{name} = {value!r}, which is no {wanted}"
    return None


def _assigned(text: str) -> dict[str, Parameter]:
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise InvalidInput(
            f"The parameters cell, line {error.lineno},",
            expected="plain assignments in Python",
            got=str(error.msg),
        ) from error
    found: dict[str, Parameter] = {}
    for statement in tree.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            default = ast.unparse(statement.value) if statement.value else ""
            name = statement.target.id
            found[name] = Parameter(name, ast.unparse(statement.annotation), default)
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    shown = _shown_type(statement.value)
                    found[target.id] = Parameter(target.id, shown, ast.unparse(statement.value))
    return found


def _shown_type(value: ast.expr) -> str | None:
    """The type a literal default shows; None may become anything."""
    try:
        literal = ast.literal_eval(value)
    except (ValueError, TypeError):
        return None
    return None if literal is None else type(literal).__name__
