"""Exit codes: one table, so that scripts can tell what happened without reading sentences."""

from __future__ import annotations

from typing import Any

from mlalm_jupyter.api.verb import Verb
from mlalm_jupyter.domain import errors
from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.domain.job import Job, JobState
from mlalm_jupyter.domain.trust import Verification
from mlalm_jupyter.domain.workspace import Checkup

OK = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130

_CODES: dict[type[MlalmError], int] = {
    errors.InvalidInput: USAGE,
    errors.NotFound: 3,
    errors.Conflict: 4,
    errors.UntrustedContent: 5,
    errors.Unauthorized: 5,
    errors.Unavailable: 6,
    errors.RunFailed: 7,
    errors.ScoringFailed: 7,
    MlalmError: FAILED,
}


def exit_code(kind: type[MlalmError]) -> int:
    """The exit code of a class of errors.

    >>> exit_code(errors.WorkspaceNotFound)
    3
    """
    return next(_CODES[parent] for parent in kind.__mro__ if parent in _CODES)


def outcome_code(verb: Verb, result: Any) -> int:
    """The exit code of an answer: a check that finds something and a job that failed are no success."""
    if isinstance(result, Checkup):
        return OK if result.is_healthy else FAILED
    if isinstance(result, Verification):
        return OK if result.is_well else FAILED
    if verb.name == "follow" and isinstance(result, Job):
        ends = {JobState.FAILED: exit_code(errors.RunFailed), JobState.CANCELED: FAILED}
        return ends.get(result.state, OK)
    return OK
