"""An experiment as text for git: what it is made of, and never the bytes of what it made or uses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from mlalm_jupyter.domain.asset import Pin
from mlalm_jupyter.notebook.document import NotebookDocument
from mlalm_jupyter.notebook.exported_cells import ExportedCell, exported_cells, kept_metadata

FORMAT = "mlalm-experiment/1"
"""Version 1 is the first. A change that an older reader would misread gets a new number; that reader then refuses."""


@dataclass(frozen=True, slots=True)
class Parent:
    """What an experiment was saved from; with `run_id` it was that snapshot."""

    path: str
    id: str
    run_id: str | None = None

    def to_dict(self) -> dict[str, object]:
        return {"path": self.path, "id": self.id, "run_id": self.run_id}


@dataclass(frozen=True, slots=True)
class ExportedExperiment:
    """An experiment without its runs, outputs and assets; of the assets it names the identities."""

    id: str
    name: str
    kind: str
    kernel: Mapping[str, Any]
    language: str
    metadata: Mapping[str, Any]
    parent: Parent | None
    assets: tuple[Pin, ...]
    cells: tuple[ExportedCell, ...]

    @classmethod
    def of(
        cls,
        document: NotebookDocument,
        *,
        id: str,
        name: str,
        kind: str,
        assets: Iterable[Pin] = (),
        parent: Parent | None = None,
    ) -> Self:
        """What of a notebook goes into the text."""
        metadata = document.content.get("metadata")
        metadata = metadata if isinstance(metadata, Mapping) else {}
        kept = kept_metadata(metadata, dropped=_NOT_OF_THE_NOTEBOOK)
        kernel = kept.pop("kernelspec", {})
        order = sorted(set(assets), key=lambda pin: (pin.kind, pin.name, pin.version, pin.wanted, pin.id))
        return cls(
            id,
            name,
            kind,
            kernel if isinstance(kernel, dict) else {},
            document.language,
            kept,
            parent,
            tuple(order),
            exported_cells(document),
        )

    def to_dict(self) -> dict[str, object]:
        return {
            "format": FORMAT,
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "kernel": dict(self.kernel),
            "language": self.language,
            "metadata": dict(self.metadata),
            "parent": self.parent.to_dict() if self.parent else None,
            "assets": [pin.to_dict() for pin in self.assets],
            "cells": [cell.to_dict() for cell in self.cells],
        }

    def to_text(self) -> str:
        """The text: the same for the same experiment, with each line of code on a line of its own."""
        return written(self.to_dict(), indent=1)

    def to_notebook(self) -> bytes:
        """A notebook that says the same and has not run yet."""
        metadata: dict[str, Any] = {**self.metadata}
        if self.kernel:
            metadata["kernelspec"] = dict(self.kernel)
        metadata["language_info"] = {"name": self.language}
        notebook = {
            "cells": [cell.to_notebook() for cell in self.cells],
            "metadata": metadata,
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        return written(notebook, indent=1).encode()


_NOT_OF_THE_NOTEBOOK = frozenset(
    {
        *("language_info", "widgets", "papermill", "signature", "execution", "vscode", "orig_nbformat"),
        *("varInspector", "toc-autonumbering", "last_saved", "accelerator_state"),
    }
)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def exported(
    document: NotebookDocument,
    *,
    id: str,
    name: str,
    kind: str,
    assets: Iterable[Pin] = (),
    parent: Parent | None = None,
) -> str:
    """A notebook and what is known of it as text meant for git.

    >>> "cells" in exported(NotebookDocument({"nbformat": 4, "cells": []}), id="0193", name="a", kind="training")
    True
    """
    return ExportedExperiment.of(
        document, id=id, name=name, kind=kind, assets=assets, parent=parent
    ).to_text()


def written(content: object, *, indent: int) -> str:
    """JSON that is text in any encoding: half characters, which no file can hold, are written as escapes."""
    text = json.dumps(content, indent=indent, ensure_ascii=False, allow_nan=False)
    return _LONE_SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text) + "\n"
