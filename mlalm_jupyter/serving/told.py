"""Errors that come from another process: put together again as what they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlalm_jupyter.domain.errors import (
    InvalidInput,
    MlalmError,
    NotFound,
    ScoringFailed,
    Unauthorized,
    Unavailable,
)


def error_told(facts: Mapping[str, Any]) -> MlalmError:
    """The error another of our processes told of, in its own class.

    >>> type(error_told({"code": "Corrupt", "what": "X is damaged.", "why": "", "fix": ""})).__name__
    'Corrupt'
    """
    classes = {one.code: one for one in _all(MlalmError)}
    kind = classes.get(str(facts.get("code")), MlalmError)
    error = kind.__new__(kind)
    what, why, fix = (str(facts.get(name, "")) for name in ("what", "why", "fix"))
    MlalmError.__init__(error, what, why=why, fix=fix)
    kept = {name: value for name, value in facts.items() if name not in ("code", "what", "why", "fix")}
    error.__dict__.update({name: tuple(v) if isinstance(v, list) else v for name, v in kept.items()})
    return error


def _all(kind: type[MlalmError]) -> Iterator[type[MlalmError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _all(narrower)


def error_answered(status: int, envelope: Mapping[str, Any], *, address: str) -> MlalmError:
    """An error answer of a scoring endpoint as one of ours."""
    error = envelope.get("error")
    details = error.get("details") if isinstance(error, Mapping) else None
    detail: Mapping[str, Any] = details[0] if details else {}
    message = str(detail.get("message") or f"It answered with status {status}.")
    cause = str(detail.get("code", ""))
    if status == 401:
        return Unauthorized(f"The call of '{address}'", needs="a key of that endpoint")
    if status == 404:
        return NotFound("endpoint", address, fix="See addresses with `mlalm endpoint list`.")
    if cause == "ModuleExecutionError":
        fix = "Look at the rows you sent; what the service does with them is in `mlalm wsd show`."
        return ScoringFailed("the service", why=message, fix=fix)
    if status == 400:
        where = str(detail.get("target") or "The request")
        fix = "Compare with the call that `mlalm service consume` writes."
        return InvalidInput(
            where, expected="rows as the service takes them", got="others", why=message, fix=fix
        )
    if cause == "WebServiceStopped":
        return Unavailable("The rows were not scored.", why=message, fix="Start it, then try again.")
    if cause == "RequestThrottled":
        return Unavailable("The rows were not scored.", why=message, fix="Try again in a moment.")
    if status == 413:
        return Unavailable("The rows were not scored.", why=message, fix="Send fewer rows at once.")
    fix = "See `mlalm server logs`, then try again."
    return Unavailable("The rows were not scored.", why=message, fix=fix)
