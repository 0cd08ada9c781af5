"""A notebook that is run only to see what it works out: what would change the workspace is left out of such a run."""

from __future__ import annotations

import os

ENVIRONMENT = "MLALM_REHEARSAL"
"""Set for the kernel of such a run."""
_LOOKS = frozenset(
    {
        *("compare", "consume", "dependents", "diff", "doctor", "find", "follow", "graph", "history", "keys"),
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
    """Whether a verb is not obeyed in this process; it then gives None."""
    return bool(os.environ.get(ENVIRONMENT)) and verb not in _LOOKS
