"""Text that a cell shows as it is, or does not show at all."""

from __future__ import annotations

from typing import Any

from mlalm_jupyter.surfaces.display.parts import Secret


class Transcript(str):
    """Lines of text; a cell shows the lines instead of one quoted string."""

    __slots__ = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


class Hidden(str):
    """A key, which works as text wherever it is used and is masked where a cell would show it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(Secret(str(self)).masked)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))
