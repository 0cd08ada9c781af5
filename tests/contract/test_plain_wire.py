"""Scoring for people who never saw the published service: JSON, CSV, Arrow, tensors, and documents that tools read."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import requests

from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema
from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.local_host import LocalHost
from tests.contract.served import ROWS, Handmade, logistic
from tests.unit.scoring.test_graphs import joining

pytestmark = [pytest.mark.prove_services, pytest.mark.timeout(240)]
KEY = {"Authorization": "Bearer primary-key"}
ARROW = "application/vnd.apache.arrow.stream"
MIXED = """
import pandas as pd
def mix(rows):
    return pd.DataFrame({
        'n': rows['n'] * 2,
        'x': (rows['n'] / 2).where(rows['n'] != 2),
        'yes': rows['n'] > 1,
        'word': rows['word'].str.upper(),
        'when': pd.to_datetime('2024-05-30 18:07') + pd.to_timedelta(rows['n'], unit='h'),
    })
"""
ASKED = Schema((Column("n", ColumnType.INT64, nullable=False), Column("word", ColumnType.STRING)))
GIVEN = Schema(
    (
        Column("n", ColumnType.INT64),
        Column("x", ColumnType.DOUBLE),
        Column("yes", ColumnType.BOOLEAN),
        Column("word", ColumnType.STRING),
        Column("when", ColumnType.DATETIME),
    )
)
WORDS = [{"n": 1, "word": "one"}, {"n": 2, "word": None}, {"n": 3, "word": 'a "b", c'}]
TOLD = [
    {"n": 2, "x": 0.5, "yes": False, "word": "ONE", "when": "2024-05-30T19:07:00"},
    {"n": 4, "x": None, "yes": True, "word": None, "when": "2024-05-30T20:07:00"},
    {"n": 6, "x": 1.5, "yes": True, "word": 'A "B", C', "when": "2024-05-30T21:07:00"},
]


class Stage:
    """A server with a model, a function of mixed columns, and a join of two inputs."""

    def __init__(self, folder: Path) -> None:
        self.host = LocalHost(Home(folder / "home"))
        self.made = Handmade(folder / "ws")
        self.model = logistic()
        self.census = self.made.go_live(self.host, "census/default", self.made.model(self.model))
        mixed = self.made.code(MIXED, "mix", inputs=ASKED, outputs=GIVEN, example=((1, "one"),))
        self.mixed = self.made.go_live(self.host, "mixed/default", mixed)
        definition = ServiceDefinition.from_dict(joining())
        seal = self.made.sealed("definition", definition.digest)
        self.join = self.made.go_live(
            self.host, "join/default", self.made.servable(definition, (), seal=seal)
        )


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("plain"))
    yield made
    made.host.stop()


def post(
    address: str, data: bytes | str | object, kind: str = "application/json", **headers: str
) -> requests.Response:
    if not isinstance(data, (bytes, str)):
        data = json.dumps(data)
    given = {**KEY, "Content-Type": kind, **headers}
    return requests.post(address, data=data, headers=given, timeout=60)


def refused(answer: requests.Response, status: int, cause: str) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    (detail,) = answer.json()["error"]["details"]
    assert detail["code"] == cause
    return str(detail["message"])


@pytest.mark.parametrize(
    "body",
    [
        WORDS,
        {"data": WORDS},
        {"instances": WORDS},
        {"input1": WORDS},
        {"columns": ["word", "n"], "data": [[row["word"], row["n"]] for row in WORDS]},
        {"dataframe_split": {"columns": ["n", "word"], "data": [[row["n"], row["word"]] for row in WORDS]}},
        [{**row, "n": str(row["n"]), "more": "is left out"} for row in WORDS],
    ],
    ids=["rows", "data", "instances", "by-name", "table", "split", "numbers-as-text"],
)
def test_rows_in_json_are_answered_with_typed_rows(stage: Stage, body: object) -> None:
    answer = post(f"{stage.mixed}/score", body)
    assert answer.json() == TOLD
    assert answer.headers["x-mlalm-endpoint"] == "mixed/default"


def test_csv_comes_and_goes(stage: Stage) -> None:
    text = 'n,word\n1,one\n2,\n3,"a ""b"", c"\n'
    answer = post(f"{stage.mixed}/score", text, "text/csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    told = pd.read_csv(io.StringIO(answer.text))
    assert told["n"].tolist() == [2, 4, 6]
    assert told["word"].isna().tolist() == [False, True, False]
    assert told["word"][2] == 'A "B", C'
    assert post(f"{stage.mixed}/score", text, "text/csv", Accept="application/json").json() == TOLD


def test_arrow_comes_and_goes(stage: Stage) -> None:
    table = pa.Table.from_pylist(WORDS)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    answer = post(f"{stage.mixed}/score", sink.getvalue().to_pybytes(), ARROW)
    told = pa.ipc.open_stream(answer.content).read_all()
    assert [str(field.type) for field in told.schema][:4] == ["int64", "double", "bool", "string"]
    rows = told.to_pylist()
    assert [row["when"].isoformat() for row in rows] == [row["when"] for row in TOLD]
    assert [{**row, "when": None} for row in rows] == [{**row, "when": None} for row in TOLD]
    assert (
        post(f"{stage.mixed}/score", sink.getvalue().to_pybytes(), ARROW, Accept="application/json").json()
        == TOLD
    )


def test_several_inputs_and_parameters_are_told_by_name(stage: Stage) -> None:
    body = {"left": [{"key": "y", "a": 5}], "right": [{"key": "y", "b": 2}]}
    assert post(f"{stage.join}/score", body).json() == [{"key": "y", "total": 14.0}]
    body["parameters"] = {"The Factor": 1}  # type: ignore[assignment]
    assert post(f"{stage.join}/score", body).json() == [{"key": "y", "total": 7.0}]
    said = refused(post(f"{stage.join}/score", "key,a\ny,5\n", "text/csv"), 400, "MissingRequestInput")
    assert "this service takes 'left', 'right'" in said


@pytest.mark.parametrize(
    ("body", "kind", "status", "cause"),
    [
        ("", "application/json", 400, "RequestBodyInvalid"),
        ("[1, 2]", "application/json", 400, "RequestBodyInvalid"),
        ('{"nope": []}', "application/json", 400, "InvalidInputNames"),
        ('[{"n": 1}]', "application/json", 400, "InputMismatchError"),
        ('[{"n": "x", "word": ""}]', "application/json", 400, "InputParseError"),
        ('[{"n": null, "word": ""}]', "application/json", 400, "InputParseError"),
        ("", "text/csv", 400, "RequestBodyInvalid"),
        ("n,word\n1\n", "text/csv", 400, "InputMismatchError"),
        ("n,n\n1,2\n", "text/csv", 400, "RequestBodyInvalid"),
        ('n,word\n1,"open\n', "text/csv", 400, "RequestBodyInvalid"),
        (b"\xff\xfe", "text/csv", 400, "RequestBodyInvalid"),
        (b"ARROW1\0\0nonsense", ARROW, 400, "RequestBodyInvalid"),
        (b"", ARROW, 400, "RequestBodyInvalid"),
        ("<rows/>", "text/xml", 415, "DataTypeNotSupported"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_json(
    stage: Stage, body: bytes | str, kind: str, status: int, cause: str
) -> None:
    assert refused(post(f"{stage.mixed}/score", body, kind), status, cause)


def test_a_wrong_key_opens_no_form_and_a_get_is_no_call(stage: Stage) -> None:
    for path in ("score", "v2/models/mixed/infer", "execute"):
        answer = requests.post(
            f"{stage.mixed}/{path}", data="[]", headers={"Authorization": "Bearer x"}, timeout=30
        )
        assert answer.status_code == 401
        assert requests.get(f"{stage.mixed}/{path}", headers=KEY, timeout=30).status_code == 405


# the Open Inference Protocol


def tensor(name: str, datatype: str, data: list[Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "shape": [len(data)], "datatype": datatype, "data": data, **more}


def test_columns_as_tensors_are_answered_with_tensors(stage: Stage) -> None:
    body = {
        "id": "7",
        "inputs": [
            tensor("n", "INT64", [row["n"] for row in WORDS]),
            {**tensor("word", "BYTES", [row["word"] for row in WORDS]), "shape": [3, 1]},
        ],
        "outputs": [{"name": "n"}, {"name": "yes"}, {"name": "word"}],
    }
    answer = post(f"{stage.mixed}/v2/models/mixed/infer", body).json()
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("mixed", "1", "7")
    assert answer["outputs"] == [
        {"name": "n", "shape": [3, 1], "datatype": "INT64", "data": [2, 4, 6]},
        {"name": "yes", "shape": [3, 1], "datatype": "BOOL", "data": [False, True, True]},
        {"name": "word", "shape": [3, 1], "datatype": "BYTES", "data": ["ONE", "", 'A "B", C']},
    ]


def test_a_matrix_is_the_columns_of_the_only_input(stage: Stage) -> None:
    rows = ROWS.to_numpy().tolist()
    body = {"inputs": [{"name": "x", "shape": [len(rows), 2], "datatype": "FP64", "data": rows}]}
    told = post(f"{stage.census}/v2/models/census/versions/1/infer", body).json()
    labels = next(one for one in told["outputs"] if one["name"] == "Scored Labels")
    assert labels["data"] == stage.model.predict(ROWS).tolist()


def test_binary_tensors_come_and_go(stage: Stage) -> None:
    matrix = ROWS.to_numpy().astype("<f4")
    head = {
        "inputs": [
            {
                "name": "x",
                "shape": list(matrix.shape),
                "datatype": "FP32",
                "parameters": {"binary_data_size": matrix.nbytes},
            }
        ],
        "outputs": [{"name": "Scored Probabilities", "parameters": {"binary_data": True}}],
    }
    told = json.dumps(head).encode()
    answer = post(
        f"{stage.census}/v2/models/census/infer",
        told + matrix.tobytes(),
        "application/octet-stream",
        **{"Inference-Header-Content-Length": str(len(told))},
    )
    size = int(answer.headers["inference-header-content-length"])
    output = json.loads(answer.content[:size])["outputs"][0]
    found = np.frombuffer(answer.content[size:], dtype="<f8")
    assert output["parameters"]["binary_data_size"] == found.nbytes
    assert np.array_equal(found, stage.model.predict_proba(ROWS)[:, 1])
    words = b"".join(struct.pack("<I", len(one)) + one for one in (b"one", b"two"))
    head = {
        "inputs": [
            tensor("n", "INT64", [1, 2]),
            {
                "name": "word",
                "shape": [2],
                "datatype": "BYTES",
                "parameters": {"binary_data_size": len(words)},
            },
        ],
        "parameters": {"binary_data_output": True},
    }
    told = json.dumps(head).encode()
    answer = post(
        f"{stage.mixed}/v2/models/mixed/infer",
        told + words,
        **{"Inference-Header-Content-Length": str(len(told))},
    )
    assert struct.pack("<I", 3) + b"TWO" in answer.content


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (WORDS[0], "The body is one row. Send a list of rows"),
        ({"Inputs": {"input1": WORDS}}, "for the address that ends in /execute?api-version=2.0"),
    ],
)
def test_rows_in_a_wrapping_of_another_form_are_told_what_to_send(
    stage: Stage, body: object, said: str
) -> None:
    answer = post(f"{stage.mixed}/score", body)
    refused(answer, 400, "RequestBodyInvalid")
    assert said in answer.text


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"inputs": []}, 400, "has no tensors"),
        ({"inputs": [tensor("n", "INT64", [1, 2]), tensor("word", "BYTES", ["a"])]}, 400, "1 rows, and others 2"),
        ({"inputs": [{**tensor("n", "INT64", [1]), "shape": [5]}]}, 400, "1 cells, and its shape is 5"),
        ({"inputs": [{**tensor("n", "INT64", [1]), "shape": [-1]}]}, 400, "one or two dimensions"),
        ({"inputs": [tensor("n", "INT5", [1])]}, 400, "The datatype 'INT5' is not known"),
        ({"inputs": [tensor("n", "INT64", [{"a": 1}])]}, 400, "deeper than rows of cells"),
        ({"inputs": [{"name": "n", "shape": [1], "datatype": "INT64"}]}, 400, "neither data nor a binary size"),
        ({"inputs": [{**tensor("n", "INT64", []), "parameters": {"binary_data_size": 8}}]}, 400, "more than the body"),
        ({"inputs": 5}, 400, "another shape"),
        (
            {"inputs": [tensor("n", "INT64", [1]), tensor("word", "BYTES", ["a"])], "outputs": [{"name": "nope"}]},
            400,
            "gives no 'nope'",
        ),
    ],
)  # fmt: skip
def test_tensors_that_do_not_fit_are_refused_as_the_protocol_says_it(
    stage: Stage, body: object, status: int, said: str
) -> None:
    answer = post(f"{stage.mixed}/v2/models/mixed/infer", body)
    assert answer.status_code == status, answer.text
    assert said in answer.json()["error"]


def test_the_protocol_tells_of_health_and_of_the_model(stage: Stage) -> None:
    for path in ("health/live", "health/ready", "models/mixed/ready", "models/mixed/versions/1/ready"):
        assert requests.get(f"{stage.mixed}/v2/{path}", timeout=30).status_code == 200
    told = requests.get(f"{stage.mixed}/v2/models/mixed", timeout=30).json()
    assert told["inputs"] == [
        {"name": "n", "datatype": "INT64", "shape": [-1, 1]},
        {"name": "word", "datatype": "BYTES", "shape": [-1, 1]},
    ]
    assert requests.get(f"{stage.mixed}/v2", timeout=30).json()["extensions"] == ["binary_tensor_data"]
    for path in ("models/other", "models/mixed/versions/9", "nope", "models"):
        answer = requests.get(f"{stage.mixed}/v2/{path}", timeout=30)
        assert answer.status_code == 404
        assert isinstance(answer.json()["error"], str)


# documents


def test_swagger_has_what_old_clients_read(stage: Stage) -> None:
    told = requests.get(f"{stage.census}/swagger.json", timeout=30).json()
    paths = list(told["paths"])
    assert paths[:2] == ["/swagger.json", "/execute?api-version=2.0&format=swagger"]
    assert told["paths"][paths[1]]["post"]["operationId"] == "execute"
    assert told["definitions"]["input1Item"]["properties"]["age"]["type"] == "number"
    assert set(told["definitions"]["output1Item"]["properties"]) >= {"Scored Labels", "Scored Probabilities"}
    example = told["definitions"]["ExecutionRequest"]["example"]
    address = f"{told['schemes'][0]}://{told['host']}{told['basePath']}"
    assert address == stage.census
    answer = post(f"{address}/execute?api-version=2.0&format=swagger", example)
    assert "Scored Labels" in answer.json()["Results"]["output1"][0]
    base, _, rest = stage.census.partition("/workspaces/")
    workspace, _, endpoint = rest.split("/")
    page = f"{base}/apihelp/workspaces/{workspace}/webservices/0/endpoints/{endpoint}/apidocument"
    assert requests.get(page, timeout=30).json() == told


def test_the_openapi_document_tells_of_ports_and_its_examples_work(stage: Stage) -> None:
    for address, ports in ((stage.mixed, ["input1", "output1"]), (stage.join, ["left", "right", "output1"])):
        told = requests.get(f"{address}/openapi.json", timeout=30).json()
        assert told["openapi"] == "3.1.0"
        assert told["servers"] == [{"url": address}]
        assert [f"{port}Item" in told["components"]["schemas"] for port in ports] == [True] * len(ports)
        example = told["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]["example"]
        assert post(f"{address}/score", example).status_code == 200
        example = told["paths"]["/execute"]["post"]["requestBody"]["content"]["application/json"]["example"]
        assert post(f"{address}/execute", example).status_code == 200


def test_documents_are_for_whoever_knows_the_address_and_hold_no_key(stage: Stage) -> None:
    for name in ("swagger.json", "openapi.json"):
        answer = requests.get(
            f"{stage.census}/{name}", headers={"Host": "models.example.org:8443"}, timeout=30
        )
        assert "models.example.org:8443" in answer.text
        assert "primary-key" not in answer.text
        odd = requests.get(f"{stage.census}/{name}", headers={"Host": 'x"<script>'}, timeout=30)
        assert "<script>" not in odd.text
        gone = requests.get(f"{stage.census[:-1]}x/{name}", timeout=30)
        assert refused(gone, 404, "WebServiceIdNotFoundInWorkspace")
