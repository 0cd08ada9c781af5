"""A notebook that is run only to see what it works out: what would change the workspace is left out, and said."""

from __future__ import annotations

import os

from mlalm_jupyter.api.verb import Verb

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


def leaves_out(verb: Verb) -> bool:
    """Whether a verb is not obeyed in this process."""
    return bool(os.environ.get(ENVIRONMENT)) and verb.name not in _LOOKS


def left_out(verb: Verb) -> str:
    return f"Nothing changed: `{verb.noun} {verb.name}` is left out while a notebook is only tried."
