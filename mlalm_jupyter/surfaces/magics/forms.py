"""The short forms: a verb whose commonest arguments need no option."""

from __future__ import annotations

from functools import cache

from mlalm_jupyter.api.verbs import find
from mlalm_jupyter.surfaces.grammar import Form

_SHORT: dict[str, tuple[str, str, tuple[str, ...], frozenset[str]]] = {
    "runs": ("experiment", "history", ("notebook",), frozenset({"notebook"})),
    "run_all": ("experiment", "run", ("notebook",), frozenset({"notebook"})),
    "run_to": ("experiment", "run", ("to", "notebook"), frozenset({"notebook"})),
    "snapshot": ("experiment", "snapshot", ("notebook",), frozenset({"notebook"})),
    "save_as": ("experiment", "save-as", ("name", "source"), frozenset({"source"})),
    "dataset": ("dataset", "upload", ("name", "file"), frozenset({"file"})),
    "transform": ("transform", "show", ("transform",), frozenset()),
    "model": ("model", "show", ("model",), frozenset()),
    "register": ("model", "register", ("model", "name"), frozenset()),
    "deploy": ("service", "deploy", ("what", "service"), frozenset()),
    "endpoints": ("endpoint", "list", ("service",), frozenset()),
    "patch": ("endpoint", "patch", ("endpoint", "model"), frozenset()),
    "rollback": ("endpoint", "rollback", ("endpoint",), frozenset()),
    "score": ("service", "score", ("service", "rows"), frozenset()),
    "setup_service": ("service", "setup", ("kind", "notebook"), frozenset({"notebook"})),
    "consume": ("service", "consume", ("service",), frozenset()),
    "retrain": ("retrain", "run", ("service",), frozenset()),
}
"""Of each short form: noun and verb, the order of its words, and which of them the notebook can supply."""

_TOLD = {
    "run_to": "Run this notebook as it is saved, up to the cell that carries TAG.",
    "snapshot": "Keep this notebook as it is, and which of its cells ran, in which order.",
    "dataset": "Load a dataset as a frame; with FILE, keep that as its next version first.",
    "transform": "Load a fitted preprocessing step, ready to use.",
    "model": "Load a trained model, ready to use.",
}
"""What a short form does that its verb alone does not."""

NOUNS = ("endpoint", "wsd", "trust")
"""Nouns that are magics themselves: `%endpoint add ...` is `%mlalm endpoint add ...`."""

NAMES = tuple(_SHORT)


@cache
def form(name: str) -> Form:
    """The form behind a short name.

    >>> form("rollback").usage
    '%rollback ENDPOINT [--to REVISION]'
    """
    noun, verb, positional, implied = _SHORT[name]
    return Form(f"%{name}", find(noun, verb), positional, implied, _TOLD.get(name, ""))
