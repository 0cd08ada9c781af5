"""What a scorer takes before it says no; each can be set in the environment of the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one request.

    >>> Limits.from_env({"MLALM_MAX_BODY_BYTES": "1000"}).max_body_bytes
    1000
    """

    max_body_bytes: int = 64 * 1024 * 1024
    max_head_bytes: int = 64 * 1024
    head_timeout_s: float = 20.0
    body_timeout_s: float = 60.0
    score_timeout_s: float = 100.0
    load_timeout_s: float = 120.0
    keep_alive_s: float = 75.0

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Limits:
        """The limits, each replaced by `MLALM_<NAME>` where that holds a positive number."""
        changed: dict[str, float] = {}
        for field in fields(cls):
            text = environ.get(f"MLALM_{field.name.upper()}", "")
            try:
                value = float(text)
            except ValueError:
                continue
            if 0 < value < 1e15:
                changed[field.name] = int(value) if field.name.endswith("_bytes") else value
        return cls(**changed)  # type: ignore[arg-type]  # each is an int or a float as its name says
