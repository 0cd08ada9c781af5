"""Several of a noun at once, so that surfaces can show them as one table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

T = TypeVar("T")


class Listing(tuple[T, ...]):
    """A tuple that knows what it lists.

    >>> Listing("model", ["a", "b"]).kind
    'model'
    """

    kind: str
    note: str
    """What is not in it, for example that there are more."""

    def __new__(cls, kind: str, items: Iterable[T] = (), note: str = "") -> Listing[T]:
        listing = super().__new__(cls, items)
        listing.kind = kind
        listing.note = note
        return listing

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (self.kind, tuple(self), self.note)

    def to_dict(self) -> list[Any]:
        return [item.to_dict() if hasattr(item, "to_dict") else item for item in self]
