"""Calling a verb by name: how surfaces that have only words and JSON reach the API.

POST /mlalm/api/{noun}/{verb} with the arguments as a JSON object answers 200 `{"result": ...}`, or the status
of the error with `{"error": {"code", "what", "why", "fix"}}`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlalm_jupyter.api.context import LiveCell, Progress, silent
from mlalm_jupyter.api.verb import Verb
from mlalm_jupyter.api.verbs import find
from mlalm_jupyter.domain import errors
from mlalm_jupyter.domain.errors import InvalidInput, MlalmError

_LOG = logging.getLogger(__name__)

_NOTEBOOKS = ("notebook", "source", "before")
"""Arguments that name a notebook, whose workspace is the one it lies in."""
_STATUS: dict[type[MlalmError], int] = {
    errors.NotFound: 404,
    errors.InvalidInput: 400,
    errors.UntrustedContent: 400,
    errors.NotSerialisable: 400,
    errors.Unauthorized: 401,
    errors.Conflict: 409,
    errors.RunFailed: 422,
    errors.ScoringFailed: 422,
    errors.MissingDependency: 501,
    errors.NewerSchema: 501,
    errors.Unavailable: 503,
    errors.Corrupt: 500,
    MlalmError: 500,
}


def status_of(kind: type[MlalmError]) -> int:
    """The HTTP status of a class of errors.

    >>> status_of(errors.DefaultEndpointNotPatchable)
    409
    """
    return next(_STATUS[parent] for parent in kind.__mro__ if parent in _STATUS)


def call(
    verb: Verb,
    arguments: Mapping[str, Any],
    *,
    workspace: str | Path | None = None,
    progress: Progress = silent,
    live: LiveCell | None = None,
) -> Any:
    """Call a verb with arguments by name, in the workspace it is for, and give what it answers."""
    # the adapters cost more to import than all verbs together, and help needs none of them
    from mlalm_jupyter import workspace as workspaces

    checked = verb.checked(arguments)
    if not verb.needs_workspace:
        holder = getattr(workspaces, verb.attribute)()
        return getattr(holder, verb.method_name)(**checked)
    if workspace is None:
        workspace = next(
            (workspaces.around(checked[name]) for name in _NOTEBOOKS if isinstance(checked.get(name), str)),
            None,
        )
    with workspaces.Workspace.open(workspace, progress=progress) as opened:
        opened.context.live = live
        return getattr(getattr(opened, verb.attribute), verb.method_name)(**checked)


def dispatch(
    noun: str,
    name: str,
    arguments: object,
    *,
    workspace: str | Path | None = None,
    progress: Progress = silent,
) -> tuple[int, dict[str, Any]]:
    """A verb over HTTP: the status and the body of the answer. It never raises."""

    def do() -> Any:
        verb = find(noun, name)
        if not isinstance(arguments, Mapping):
            raise InvalidInput(
                f"The body of {noun} {name}",
                expected="a JSON object with the arguments by name",
                got=_json_word(arguments),
            )
        return call(verb, arguments, workspace=workspace, progress=progress)

    return answered(f"{noun} {name}", do)


def answered(what: str, do: Callable[[], Any]) -> tuple[int, dict[str, Any]]:
    """The status and the body for whatever `do` gives or raises."""
    try:
        return 200, {"result": to_json(do())}
    except MlalmError as error:
        return status_of(type(error)), {"error": error.to_dict()}
    except Exception:  # noqa: BLE001  # the outermost frame of a surface
        _LOG.exception("%s failed in a way that is not foreseen.", what)
        return 500, {"error": internal_error(what)}


def internal_error(what: str) -> dict[str, str]:
    """The body of an error that is ours; what it was stands in the log and nowhere else."""
    return {
        "code": "Internal",
        "what": f"'{what}' was not done.",
        "why": "mlalm met an error that it does not know, which is a fault of its own.",
        "fix": "The log of the server has the details; report them together with what you did.",
    }


def to_json(result: Any) -> Any:
    """What a verb answered, as JSON takes it.

    >>> to_json((None, "text", 1.5, float("nan")))
    [None, 'text', 1.5, None]
    """
    if hasattr(result, "to_dict"):
        return to_json(result.to_dict())
    if isinstance(result, Mapping):
        return {str(key): to_json(value) for key, value in result.items()}
    if isinstance(result, (list, tuple, set, frozenset)):
        return [to_json(item) for item in result]
    if isinstance(result, float) and not math.isfinite(result):
        return None if math.isnan(result) else str(result)
    if result is None or isinstance(result, (str, int, float, bool)):
        return result
    return str(result)


def _json_word(value: object) -> str:
    words: dict[type, str] = {str: "text", list: "a list", int: "a number", float: "a number", bool: "a flag"}
    return words.get(type(value), "nothing" if value is None else type(value).__name__)
