"""Errors of other processes, in our own classes again."""

from __future__ import annotations

import pytest

from mlalm_jupyter.domain import errors
from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.scoring.control import told
from mlalm_jupyter.serving.told import error_answered, error_told

EXAMPLES = [
    errors.Corrupt("Blob ab", why="It is short."),
    errors.UntrustedContent("Model x:1", wants=["os.system"], digest="ab" * 32),
    errors.ScoringFailed("step 'a'", why="It broke."),
    errors.MissingDependency("Model x:1", library="skops", install="pip install skops"),
    errors.PortTaken(8000),
    errors.NotFound("blob", "abc", known=["abd"]),
    errors.InvalidInput("$.a", expected="1", got="2"),
    errors.Unavailable("X.", why="Y.", fix="Z."),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: error.code)
def test_an_error_comes_back_as_what_it_was(error: MlalmError) -> None:
    again = error_told(told(error))
    assert type(again) is type(error)
    assert again.to_dict() == error.to_dict()
    assert str(again) == str(error)


def test_an_error_of_an_unknown_class_is_still_told() -> None:
    again = error_told({"code": "FromTheFuture", "what": "It went wrong."})
    assert (type(again), str(again)) == (MlalmError, "It went wrong.")


@pytest.mark.parametrize(
    ("status", "cause", "kind"),
    [
        (401, "ScoreRequestUnauthorized", errors.Unauthorized),
        (404, "WorkspaceNotFound", errors.NotFound),
        (400, "InputParseError", errors.InvalidInput),
        (400, "ModuleExecutionError", errors.ScoringFailed),
        (413, "OutOfMemoryLimit", errors.Unavailable),
        (503, "WorkspaceNotFound", errors.Unavailable),
        (500, "UnknownError", errors.Unavailable),
    ],
)
def test_each_answer_of_an_endpoint_has_its_class(status: int, cause: str, kind: type[MlalmError]) -> None:
    envelope = {"error": {"code": "X", "message": "", "details": [{"code": cause, "message": "Because."}]}}
    error = error_answered(status, envelope, address="http://a")
    assert type(error) is kind
    assert all(error.to_dict().values()), "each says what, why and what to do"


@pytest.mark.parametrize("envelope", [{}, {"error": None}, {"error": {}}, {"error": {"details": []}}])
def test_an_answer_that_is_no_envelope_is_told_by_its_status(envelope: dict[str, object]) -> None:
    assert "status 500" in str(error_answered(500, envelope, address="http://a"))


def test_what_an_endpoint_says_of_rows_is_told_as_it_said_it() -> None:
    detail = {"code": "InputParseError", "target": "The input", "message": "It lacks the columns 'wind'."}
    error = error_answered(400, {"error": {"code": "X", "details": [detail]}}, address="http://a")
    assert str(error).startswith("The input is not valid. It lacks the columns 'wind'. Compare")
