"""Which notebook am I in? No kernel knows for sure, so the answer says who gave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Here:
    """The notebook this kernel belongs to, and how that is known."""

    source: Literal["run", "vscode", "jupyter", "unknown"]
    path: str | None = None
    run_id: str | None = None


def notebook_here(variables: Mapping[str, Any], environ: Mapping[str, str]) -> Here:
    """Ask the surest first: our own engine, then VS Code, then the Jupyter server that started the kernel.

    >>> notebook_here({}, {"MLALM_RUN": "0193ab"}).source
    'run'
    """
    run_id = environ.get("MLALM_RUN")
    if run_id:
        return Here("run", run_id=run_id)
    named = variables.get("__vsc_ipynb_file__")
    if isinstance(named, str) and named.endswith(".ipynb"):
        return Here("vscode", named)
    session = environ.get("JPY_SESSION_NAME", "")
    # the server set it when the kernel started, so it is wrong once the notebook has been renamed
    if session.endswith(".ipynb") and Path(session).is_file():
        return Here("jupyter", session)
    return Here("unknown")
