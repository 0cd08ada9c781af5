"""Waiting for the page: JupyterLab saves a notebook when a cell of it runs that acts on its file.

The request to run the cell may be read here before the file is written. The page therefore tells with the
request which notebook it saves and when that was last written, and the magic goes on once that has changed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mlalm_jupyter.domain.errors import InvalidInput

TOLD = "mlalm_saved"
_SAME_MOMENT_S = 0.001


def wait_for_page(shell: Any, notebook: str | None, *, timeout_s: float = 5.0) -> None:
    """Go on once the page has saved `notebook`; at once when it is another one, or no page said that it saves."""
    told = _told(shell)
    file = Path(os.path.expanduser(notebook)).absolute() if notebook else None
    if told is None or file is None or not _is_at(file, str(told.get("path", ""))):
        return
    before_s = _seconds(str(told.get("modified", "")))
    deadline = time.monotonic() + timeout_s
    while not _is_newer(file, before_s):
        if time.monotonic() > deadline:
            raise InvalidInput(
                f"The notebook {file.name}",
                expected="to be saved by JupyterLab, because what is on screen is what is kept",
                got=f"no save within {timeout_s:g} s",
                fix="Save the notebook (Ctrl+S) and run this cell again.",
            )
        time.sleep(0.02)


def _told(shell: Any) -> Mapping[str, Any] | None:
    """What the page said with the request that is being done; None in a terminal, and in other front ends."""
    parent = getattr(shell, "parent_header", None)
    metadata = parent.get("metadata") if isinstance(parent, Mapping) else None
    told = metadata.get(TOLD) if isinstance(metadata, Mapping) else None
    return told if isinstance(told, Mapping) else None


def _is_at(file: Path, path: str) -> bool:
    """Whether a file is the one that the page names from the folder that Jupyter serves."""
    return bool(path) and f"{file.as_posix()}".endswith(f"/{path.lstrip('/')}")


def _seconds(moment: str) -> float | None:
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return None


def _is_newer(file: Path, before_s: float | None) -> bool:
    if before_s is None:
        return True
    try:
        return file.stat().st_mtime > before_s + _SAME_MOMENT_S
    except OSError:
        return False  # it is being replaced
