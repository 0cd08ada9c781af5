"""Any object in a package: what code reads by a name is kept beside models, and handed to the code as it was."""

from __future__ import annotations

from typing import Any


class Held:
    """Holds a value where packages hold what transforms rows; the rows it is given stay as they are.

    >>> Held({"a": 1}).value
    {'a': 1}
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    @staticmethod
    def out_of(thing: Any) -> Any:
        """What a package was made for: the value where it only holds one."""
        return thing.value if isinstance(thing, Held) else thing

    def transform(self, rows: Any) -> Any:
        return rows
