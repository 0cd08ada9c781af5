"""Verbs by name: what goes in is checked, what comes out is JSON, and faults of our own say nothing."""

from __future__ import annotations

import json
import logging

import pytest

from mlalm_jupyter.api import server as servers
from mlalm_jupyter.domain.errors import PortTaken
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.outcome import Removed
from mlalm_jupyter.surfaces.verbs_http import dispatch, to_json


def test_an_unknown_noun_is_not_found_and_the_nearest_are_named() -> None:
    status, body = dispatch("endpiont", "list", {})
    assert status == 404
    assert body["error"]["code"] == "NotFound"
    assert "'endpoint'" in body["error"]["why"]


def test_an_unknown_verb_is_not_found_and_the_nearest_are_named() -> None:
    status, body = dispatch("endpoint", "ptach", {})
    assert (status, body["error"]["why"]) == (404, "The nearest names are 'patch'.")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([1], "Expected a JSON object with the arguments by name, got a list."),
        (None, "Expected a JSON object with the arguments by name, got nothing."),
        ({"lnies": 3}, "Expected one of process, lines, region, got 'lnies'."),
        ({"lines": "many"}, "Expected a whole number, got 'many'."),
        ({"lines": True}, "Expected a whole number, got True."),
    ],
)
def test_wrong_arguments_are_refused_before_anything_happens(arguments: object, why: str) -> None:
    status, body = dispatch("server", "logs", arguments)
    assert (status, body["error"]["code"], body["error"]["why"]) == (400, "InvalidInput", why)


def test_a_needed_argument_that_is_missing_is_asked_for() -> None:
    status, body = dispatch("endpoint", "regenerate-key", {"endpoint": "a/b"})
    assert status == 400
    assert body["error"]["what"] == "The argument 'which' of endpoint regenerate-key is not valid."


def test_an_error_of_ours_keeps_its_three_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(self: servers.Server, **_: object) -> None:
        raise PortTaken(80)

    broken = _with_method(monkeypatch, taken)
    assert broken == (503, {"error": PortTaken(80).to_dict()})


def test_a_fault_of_our_own_is_logged_and_tells_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: servers.Server, **_: object) -> None:
        raise RuntimeError("the password is hunter2")

    with caplog.at_level(logging.ERROR):
        status, body = _with_method(monkeypatch, broken)
    assert (status, body["error"]["code"]) == (500, "Internal")
    assert "hunter2" not in json.dumps(body)
    assert "Traceback" not in json.dumps(body)
    assert "hunter2" in caplog.text


def _with_method(monkeypatch: pytest.MonkeyPatch, method: object) -> tuple[int, dict[str, dict[str, str]]]:
    monkeypatch.setattr(servers.Server, "status", method)
    return dispatch("server", "status", {})


def test_answers_become_json() -> None:
    answer = Listing("x", [Removed("model", "a:1")]), float("inf"), {1: {2.5}}, None, True
    made = to_json(answer)
    assert made == [[{"kind": "model", "name": "a:1", "note": ""}], "inf", {"1": [2.5]}, None, True]
    assert json.dumps(made, allow_nan=False)
