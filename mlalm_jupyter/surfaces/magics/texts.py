"""Text that a cell shows as it is."""

from __future__ import annotations

from typing import Any


class Transcript(str):
    """Lines of text; a cell shows the lines instead of one quoted string."""

    __slots__ = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))
