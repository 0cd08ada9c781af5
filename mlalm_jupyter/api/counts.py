"""How many of something a person asked for."""

from __future__ import annotations

from mlalm_jupyter.domain.errors import InvalidInput


def at_least(least: int, count: int, *, of: str = "", what: str = "") -> int:
    """The count, unless it is too small to mean anything.

    >>> at_least(1, 50, of="runs")
    50
    """
    if count < least:
        raise InvalidInput(what or f"The number of {of}", expected=f"{least} or more", got=str(count))
    return count
