"""Where a notebook that papermill executes came from: its place, its exact bytes, its workspace."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from papermill.iorw import LocalHandler, papermill_io

from mlalm_jupyter.adapters.watched_papermill import INJECTED
from mlalm_jupyter.domain.errors import WorkspaceNotFound
from mlalm_jupyter.workspace import nearest


@dataclass(frozen=True, slots=True)
class Origin:
    """A notebook as it was before papermill put parameters in."""

    place: str
    """Its path, or its address, or the best name there is for a notebook that never was in a file."""
    file: Path | None
    notebook: bytes
    replaces_injected: bool

    @classmethod
    def of(cls, nb: Any, *, input_path: object, output_path: object) -> Origin:
        """The origin of a notebook that papermill has loaded and is about to execute."""
        if not isinstance(input_path, str) or input_path in ("", "-"):
            name = (
                Path(output_path).name if isinstance(output_path, str) and output_path else "notebook.ipynb"
            )
            return cls(name, None, _without_injected(nb), False)
        handler = papermill_io.get_handler(input_path)
        if not isinstance(handler, LocalHandler):
            return cls(input_path, None, _without_injected(nb), False)
        file = started_in(handler) / input_path
        content = _content(file)
        # the file may have been saved again since papermill read it: only what is executed is recorded
        own_injected = _own_injected(content, nb)
        if own_injected is None:
            return cls(str(file), file, _without_injected(nb), False)
        return cls(str(file), file, content, own_injected)


def started_in(handler: LocalHandler) -> Path:
    """The folder papermill was started in: with `--cwd` it has left that by the time it asks an engine."""
    # papermill keeps it there for its own reading and writing, and offers no other way to it
    return Path(handler._cwd or os.getcwd())


def workspace_of(origin: Origin) -> Path | None:
    """The folder of the workspace to record in; None when MLALM_WORKSPACE says which."""
    if os.environ.get("MLALM_WORKSPACE"):
        return None
    started = started_in(papermill_io.get_handler("local"))
    start = origin.file.parent if origin.file else started
    found = nearest(start.resolve()) or nearest(started)
    if found is None:
        raise WorkspaceNotFound(
            str(start),
            why="Neither the notebook's folder, nor where papermill was started, nor any above is one.",
        )
    return found


def _without_injected(nb: Any) -> bytes:
    """The notebook that papermill holds, without the cell it has put in."""
    kept = nbformat.from_dict(nb)  # type: ignore[no-untyped-call]
    kept.cells = [cell for cell in kept.cells if not _is_injected(cell)]
    kept.metadata.pop("papermill", None)
    for cell in kept.cells:
        cell.metadata.pop("papermill", None)
    text: str = nbformat.writes(kept)  # type: ignore[no-untyped-call]
    return text.encode()


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        # gone meanwhile, or never there: papermill also takes the text of a notebook for a path
        return b""


def _own_injected(content: bytes, nb: Any) -> bool | None:
    """Whether these bytes hold an injected cell of their own; None when they are not what is executed."""
    try:
        loaded = nbformat.reads(content.decode(), as_version=4)  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, LookupError, AttributeError, nbformat.ValidationError):
        return None
    if _texts(loaded) != _texts(nb):
        return None
    return any(_is_injected(cell) for cell in loaded.cells)


def _texts(nb: Any) -> list[tuple[str, str]]:
    # papermill has taken its own error markers out already
    cells = [cell for cell in nb.cells if "papermill-error-cell-tag" not in cell.metadata.get("tags", [])]
    return [(cell.cell_type, cell.source) for cell in cells if not _is_injected(cell)]


def _is_injected(cell: Any) -> bool:
    return INJECTED in cell.metadata.get("tags", [])
