"""The modules beside a notebook that it imports, and those that they import in turn."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

from mlalm_jupyter.notebook.document import NotebookDocument, source

_WRITES = re.compile(r"\s*%%(?:writefile|file)\s+(?:-a\s+)?(\S+)")


def module_file(folder: Path, name: str) -> Path | None:
    """The file of a module in a folder or in folders in it; None of one that does not lie there."""
    place = folder.joinpath(*name.split("."))
    for file in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
        if file.is_file():
            return file
    return None


def modules_beside(document: NotebookDocument, folder: Path) -> dict[str, Path]:
    """By the name of each module its file, as it lies there now; what the notebook writes itself is left out.

    >>> cells = [{"cell_type": "code", "source": "import tidy"}]
    >>> modules_beside(NotebookDocument({"nbformat": 4, "cells": cells}), Path("nowhere"))
    {}
    """
    if document.language != "python":
        return {}
    texts = [source(cell) for cell in document.code_cells]
    own = {(folder / to[1]).resolve() for text in texts if (to := _WRITES.match(text))}
    found: dict[str, Path] = {}
    wanted = [name for text in texts for name in _imported(text, "")]
    seen: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in seen or not name.replace(".", "").isidentifier():
            continue
        seen.add(name)
        wanted += [name.rpartition(".")[0]] if "." in name else []
        file = module_file(folder, name)
        if file is None or file.resolve() in own:
            continue
        found[name] = file
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        try:
            wanted += _imported(file.read_text(encoding="utf-8"), package)
        except (OSError, UnicodeDecodeError):
            continue  # whoever runs it is told
    return found


@lru_cache(maxsize=2000)
def _imported(code: str, package: str) -> tuple[str, ...]:
    """The names of the modules that code may import; of one cell or module, which mostly stay as they are."""
    if "import" not in code:
        return ()
    lines = [
        line[: len(line) - len(text)] + "pass" if text.startswith(("%", "!")) else line
        for line in code.splitlines()
        for text in [line.lstrip()]
    ]
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".") if package else []
            around = parts[: len(parts) - node.level + 1] if node.level else []
            module = ".".join([*around, *filter(None, [node.module])])
            names += [module, *(f"{module}.{one.name}".lstrip(".") for one in node.names)]
    return tuple(dict.fromkeys(filter(None, names)))
