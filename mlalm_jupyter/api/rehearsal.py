"""A notebook that is run only to see what it works out: what would change the workspace is left out of such a run."""

from __future__ import annotations

import os
from collections.abc import Iterator

ENVIRONMENT = "MLALM_REHEARSAL"
"""Set for the kernel of such a run."""
_LOOKS = frozenset(
    {
        *("aliases", "compare", "consume", "dependents", "diff", "doctor", "download", "download-output"),
        *("find", "follow", "graph", "history", "keys"),
        *(
            "lineage",
            "list",
            "logs",
            "open",
            "outputs",
            "sample",
            "score",
            "show",
            "status",
            "validate",
            "verify",
        ),
    }
)
"""Verbs that only tell."""


def leaves_out(verb: str) -> bool:
    """Whether a verb is not obeyed in this process; it then gives something `LeftOut`."""
    return bool(os.environ.get(ENVIRONMENT)) and verb not in _LOOKS


class LeftOut:
    """What stands for the answer of a verb that was left out, so that a cell which looks at it goes on.

    >>> LeftOut("register").default.address
    (register is left out while the notebook is only tried)
    """

    def __init__(self, verb: str) -> None:
        self._verb = verb

    def __getattr__(self, name: str) -> LeftOut:
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    def __call__(self, *given: object, **named: object) -> LeftOut:
        return self

    def __getitem__(self, key: object) -> LeftOut:
        return self

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return f"({self._verb} is left out while the notebook is only tried)"
