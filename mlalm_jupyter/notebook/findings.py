"""What the outputs of an executed notebook tell: metrics and figures that its cells showed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlalm_jupyter.domain.metrics import number_of
from mlalm_jupyter.notebook.document import NotebookDocument

METRIC = "application/vnd.mlalm.metric+json"
FIGURE = "application/vnd.mlalm.figure+json"
SCRAP = "application/scrapbook.scrap.json+json"
_PICTURES = ("image/png", "image/svg+xml", "image/jpeg")


@dataclass(frozen=True, slots=True)
class ShownFigure:
    """A picture that a cell showed under a name."""

    name: str
    media_type: str
    data: bytes


def metrics_in(notebook: NotebookDocument) -> dict[str, float]:
    """Numbers that were shown under a name; of several under one name the last counts.

    Numbers glued with scrapbook count as well, and so do nan and the infinities.
    """
    found: dict[str, float] = {}
    for shown in _shown(notebook):
        for name, value in _named_numbers(shown):
            found.pop(name, None)
            found[name] = value
    return found


def figures_in(notebook: NotebookDocument) -> tuple[ShownFigure, ...]:
    """Pictures that were shown under a name; of several under one name the last counts."""
    found: dict[str, ShownFigure] = {}
    for shown in _shown(notebook):
        name = _mapping(shown.get(FIGURE)).get("name")
        media_type = next((one for one in _PICTURES if one in shown), None)
        if isinstance(name, str) and media_type and (data := _bytes(media_type, shown[media_type])):
            found.pop(name, None)
            found[name] = ShownFigure(name, media_type, data)
    return tuple(found.values())


def _shown(notebook: NotebookDocument) -> Iterator[Mapping[str, Any]]:
    for cell in notebook.code_cells:
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else ():
            yield _mapping(_mapping(output).get("data"))


def _named_numbers(shown: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    metric, scrap = _mapping(shown.get(METRIC)), _mapping(shown.get(SCRAP))
    data = scrap.get("data")
    glued = None if isinstance(data, str) else data  # a text that somebody glued stays a text
    for name, value in ((metric.get("name"), metric.get("value")), (scrap.get("name"), glued)):
        if isinstance(name, str) and name and (number := number_of(value)) is not None:
            yield name, number


def _bytes(media_type: str, content: object) -> bytes:
    text = "".join(content) if isinstance(content, list) else str(content)
    if media_type == "image/svg+xml":
        return text.encode()
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        return b""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
