"""The published request-response protocol, spoken to a real server by a stranger."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

from mlalm_jupyter.domain.definition import ModelAsset
from mlalm_jupyter.domain.errors import (
    InvalidInput,
    NotFound,
    ScoringFailed,
    Unauthorized,
    Unavailable,
)
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema, Table
from mlalm_jupyter.formats import frames
from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.local_host import LocalHost
from tests.contract.served import ROWS, Handmade, body, call, logistic

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
FRAGILE = """
def check(rows):
    if (rows["age"] < 0).any():
        raise ValueError("nobody is younger than 0")
    return rows.assign(total=rows["age"] + rows["hours"])[["total"]]
"""


class Stage:
    """A server with two endpoints: a scikit-learn model and a function."""

    def __init__(self, folder: Path) -> None:
        self.host = LocalHost(Home(folder / "home"))
        self.made = Handmade(folder / "ws")
        self.model = logistic()
        self.census = self.made.go_live(self.host, "census/default", self.made.model(self.model))
        total = Schema((Column("total", ColumnType.DOUBLE),))
        code = self.made.code(FRAGILE, "check", outputs=total)
        self.check = self.made.go_live(self.host, "check/default", code)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("wire")
    made = Stage(folder)
    yield made
    made.host.stop()


def refused(answer: requests.Response, status: int, code: str, cause: str) -> str:
    """Check the envelope of an error; its message."""
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert GUID.fullmatch(answer.headers["x-ms-request-id"])
    assert "date" in answer.headers
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "details"}
    assert (answer.status_code, error["code"]) == (status, code), answer.text
    (detail,) = error["details"]
    assert detail["code"] == cause
    assert detail["message"]
    return str(detail["message"])


def table(answer: requests.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    output = answer.json()["Results"]["output1"]
    assert output["type"] == "table"
    return dict(output["value"])


def test_an_answer_is_what_the_model_says_cell_by_cell(stage: Stage) -> None:
    value = table(call(stage.census))
    expected = frames.score(stage.model, ROWS)
    assert value["ColumnNames"] == ["age", "hours", "Scored Labels", "Scored Probabilities"]
    assert value["ColumnTypes"] == ["Double", "Double", "Int64", "Double"]
    assert [[float(cell) for cell in row] for row in value["Values"]] == expected.to_numpy().tolist()
    assert all(isinstance(json.loads(cell), int | float) for row in value["Values"] for cell in row)


def test_an_answer_names_who_gave_it(stage: Stage) -> None:
    answer = call(stage.census)
    endpoint = stage.made.endpoints["census/default"]
    model = stage.made.servables[endpoint.definition_hash].models[0]
    told = {name: value for name, value in answer.headers.items() if name.startswith("x-mlalm")}
    assert told == {
        "x-mlalm-endpoint": "census/default",
        "x-mlalm-revision": "1",
        "x-mlalm-definition": endpoint.definition_hash,
        "x-mlalm-model": "census:1",
        "x-mlalm-model-hash": model.model_hash,
        "x-mlalm-form": "original",
    }
    assert GUID.fullmatch(answer.headers["x-ms-request-id"])


def test_a_service_without_a_model_names_none(stage: Stage) -> None:
    answer = call(stage.check)
    assert table(answer)["Values"][0] == ["30"]
    assert "x-mlalm-model" not in answer.headers


def test_details_are_told_only_when_asked_for(stage: Stage) -> None:
    for query in ("api-version=2.0", "details=false&api-version=2.0", ""):
        assert set(table(call(stage.census, query=query))) == {"Values"}
    assert set(table(call(stage.census, query="DETAILS=True"))) == {"ColumnNames", "ColumnTypes", "Values"}


def test_the_swagger_form_gives_objects_whichever_form_came_in(stage: Stage) -> None:
    objects = {"Inputs": {"input1": [{"hours": "10", "age": 20, "extra": None}]}}
    one = call(stage.census, objects, query="api-version=2.0&format=swagger")
    other = call(stage.census, body(ROWS.head(1)), query="format=swagger&details=true")
    assert one.json() == other.json()
    (row,) = one.json()["Results"]["output1"]
    assert (row["age"], row["hours"]) == ("20", "10")
    assert (
        table(call(stage.census, objects))["Values"]
        == table(call(stage.census, body(ROWS.head(1))))["Values"]
    )


def test_numbers_as_text_columns_in_any_order_and_extra_ones_change_nothing(stage: Stage) -> None:
    shuffled = ROWS.astype(str)[["hours", "age"]].assign(label="<=50K")
    assert table(call(stage.census, body(shuffled))) == table(call(stage.census))


def test_no_rows_get_an_empty_table(stage: Stage) -> None:
    value = table(call(stage.census, body(ROWS.head(0))))
    assert value["Values"] == []
    assert value["ColumnNames"][-1] == "Scored Probabilities"
    assert table(call(stage.census, {"Inputs": {"input1": []}}))["Values"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/workspaces/{ws}/services/{ep}/execute",
        "/Workspaces/{ws}/SERVICES/{ep}/Execute/",
        "/workspaces/{WS}/services/{EP}/execute",
    ],
)
def test_fixed_parts_of_the_address_have_no_case_and_one_slash_may_follow(stage: Stage, path: str) -> None:
    ws, endpoint = stage.made.id, stage.made.endpoints["census/default"].id
    url = f"{stage.host.base_url()}{path.format(ws=ws, ep=endpoint, WS=ws.upper(), EP=endpoint.upper())}"
    answer = requests.post(url, json=body(), headers={"Authorization": "Bearer primary-key"}, timeout=30)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "header", ["Bearer primary-key", "bearer primary-key", "BEARER  primary-key", "Bearer second"]
)
def test_both_keys_open_however_the_scheme_is_written(stage: Stage, header: str) -> None:
    answer = requests.post(
        f"{stage.census}/execute", json=body(), headers={"Authorization": header}, timeout=30
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic primary-key"},
        {"Authorization": "primary-key"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer primary-key x"},
        {"Authorization": "Bearer PRIMARY-KEY"},
        {"x-api-key": "primary-key"},
    ],
    ids=str,
)
def test_without_the_right_key_there_is_no_answer(stage: Stage, headers: dict[str, str]) -> None:
    answer = requests.post(f"{stage.census}/execute", json=body(), headers=headers, timeout=30)
    refused(answer, 401, "Unauthorized", "ScoreRequestUnauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "x-mlalm-endpoint" not in answer.headers


def test_the_key_of_another_endpoint_opens_nothing(stage: Stage) -> None:
    stage.made.put(
        "apart/default",
        stage.made.servables[stage.made.endpoints["census/default"].definition_hash],
        key="apart",
    )
    stage.host.publish(stage.made.id, stage.made.projection)
    apart = stage.made.address(stage.host, stage.made.endpoints["apart/default"])
    assert call(apart, key="apart").status_code == 200
    refused(call(stage.census, key="apart"), 401, "Unauthorized", "ScoreRequestUnauthorized")
    refused(call(apart, key="primary-key"), 401, "Unauthorized", "ScoreRequestUnauthorized")


def test_unknown_workspaces_and_endpoints_are_not_found(stage: Stage) -> None:
    base = stage.host.base_url()
    nobody = call(f"{base}/workspaces/{'0' * 32}/services/{'0' * 32}")
    refused(nobody, 404, "NotFound", "WorkspaceNotFound")
    nothing = call(f"{base}/workspaces/{stage.made.id}/services/{'0' * 32}")
    refused(nothing, 404, "NotFound", "WebServiceIdNotFoundInWorkspace")


@pytest.mark.parametrize("version", ["1.0", "2", "2.00", "3.0", "x" * 1000])
def test_an_api_version_that_is_not_ours_is_refused(stage: Stage, version: str) -> None:
    refused(call(stage.census, query=f"api-version={version}"), 400, "BadArgument", "BadVersionCall")


def test_another_method_is_not_offered(stage: Stage) -> None:
    answer = requests.get(
        f"{stage.census}/execute", headers={"Authorization": "Bearer primary-key"}, timeout=30
    )
    refused(answer, 405, "MethodNotAllowed", "MethodNotAllowed")
    assert answer.headers["allow"] == "POST"


def given(column: str, cell: object) -> dict[str, object]:
    return {"Inputs": {"input1": [{"age": 1, "hours": 2, column: cell}]}}


@pytest.mark.parametrize(
    ("document", "code", "cause", "said"),
    [
        ({}, "BadArgument", "MissingRequestInput", "input1"),
        ({"Inputs": {"other": []}}, "BadArgument", "InvalidInputNames", "'other'"),
        ({"Inputs": {"INPUT1": []}}, "BadArgument", "InvalidInputNames", "'INPUT1'"),
        ({"Inputs": {"input1": 1}}, "BadArgument", "RequestBodyInvalid", "$.Inputs"),
        (body(ROWS[["age"]]), "BadUserArgument", "InputMismatchError", "'hours'"),
        ({"Inputs": {"input1": [{"AGE": 1, "hours": 1}]}}, "BadUserArgument", "InputMismatchError", "'age'"),
        (given("age", "old"), "BadUserArgument", "InputParseError", "Column 'age' of row 0"),
        (given("age", True), "BadUserArgument", "InputParseError", "Column 'age' of row 0"),
        (given("age", 10**400), "BadUserArgument", "InputParseError", "expected a number"),
        ({**body(), "GlobalParameters": {"p": 1}}, "BadUserArgument", "UnexpectedParameter", "'p'"),
        (given("age", None), "ModuleExecutionError", "ModuleExecutionError", "NaN"),
    ],
)
def test_what_a_service_does_not_take_is_told_by_its_cause(
    stage: Stage, document: object, code: str, cause: str, said: str
) -> None:
    assert said in refused(call(stage.census, document), 400, code, cause)


def test_what_a_step_raises_reaches_the_caller_in_its_own_words(stage: Stage) -> None:
    answer = call(stage.check, {"Inputs": {"input1": [{"age": -1, "hours": 0}]}})
    message = refused(answer, 400, "ModuleExecutionError", "ModuleExecutionError")
    assert "ValueError: nobody is younger than 0 (line 4 of its code)" in message
    assert "Traceback" not in answer.text


def test_two_answers_have_two_request_ids(stage: Stage) -> None:
    assert call(stage.census).headers["x-ms-request-id"] != call(stage.census).headers["x-ms-request-id"]


def test_health_of_a_scorer_is_told_without_a_key_and_without_names(stage: Stage) -> None:
    answer = requests.get(f"{stage.host.base_url()}/mlalm/health", timeout=30)
    assert answer.status_code == 200
    told = answer.json()
    assert told["status"] == "ok"
    assert told["generation"] == told["taken_over"]
    assert (told["workspaces"], told["faults"]) == (1, [])
    assert "census" not in answer.text


# our own client


def test_our_own_client_reads_the_answer_into_values(stage: Stage) -> None:
    rows = Table(tuple(ROWS.columns), tuple(map(tuple, ROWS.to_numpy().tolist())))
    scored = stage.host.score(stage.census, "primary-key", {"input1": rows})
    expected = frames.score(stage.model, ROWS)
    assert scored.names == tuple(expected.columns)
    assert pd.DataFrame(scored.rows, columns=list(scored.names)).equals(expected)
    assert (scored.endpoint, scored.model, scored.form) == ("census/default", "census:1", "original")
    assert scored.definition_hash == stage.made.endpoints["census/default"].definition_hash


def test_our_own_client_says_each_refusal_in_our_own_errors(stage: Stage) -> None:
    def score(address: str, key: str, **row: object) -> None:
        stage.host.score(address, key, {"input1": Table(tuple(row), (tuple(row.values()),))})

    with pytest.raises(Unauthorized, match="key of that endpoint"):
        score(stage.census, "wrong", age=1, hours=2)
    with pytest.raises(NotFound, match="mlalm endpoint list"):
        score(stage.census[:-1] + "f", "primary-key", age=1)
    with pytest.raises(InvalidInput, match="hours"):
        score(stage.census, "primary-key", age=1)
    with pytest.raises(ScoringFailed, match="nobody is younger than 0"):
        score(stage.check, "primary-key", age=-1, hours=2)
    with pytest.raises(Unavailable, match="mlalm server start"):
        score("http://127.0.0.1:9/workspaces/a/services/b", "k", a=1)


def test_a_definition_with_two_names_of_one_model_is_served_as_any_other(stage: Stage) -> None:
    """A patched definition keeps graph and ports and names another version."""
    endpoint = stage.made.endpoints["census/default"]
    servable = stage.made.servables[endpoint.definition_hash]
    from mlalm_jupyter.domain.definition import ServiceDefinition

    definition = ServiceDefinition.from_text(Path(servable.path).read_text())
    again = definition.with_model(ModelAsset("asset1", "census", 2, servable.models[0].model_hash))
    patched = stage.made.servable(again, servable.models, seal=None)
    address = stage.made.go_live(stage.host, "census/ep2", patched)
    assert call(address).headers["x-mlalm-model"] == "census:2"
