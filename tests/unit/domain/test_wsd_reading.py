"""Definitions as other tools and people wrote them: read in whatever spelling, kept in one, and without secrets."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.wsd.changes import differences_between
from mlalm_jupyter.domain.wsd.reading import placement
from tests.unit.domain.test_definition import FIRST, code, scoring

pytestmark = pytest.mark.prove_services

SECRETS = ("first-secret", "second-secret", "storage-secret", "?sv=sas-secret")


def recased(value: Any, *, keep: tuple[str, ...] = ()) -> Any:
    """A document as some tools wrote it: names with a capital letter, flags as text."""
    if isinstance(value, dict):
        return {
            name if name in keep else name[:1].upper() + name[1:]: recased(held, keep=keep)
            for name, held in value.items()
        }
    if isinstance(value, list):
        return [recased(item, keep=keep) for item in value]
    return str(value).lower() if isinstance(value, bool) else value


OWN_NAMES = (
    "input1",
    "output1",
    "model1",
    "score1",
    "asset1",
    "score",
    "wind",
    "day",
    "age",
    "Scored Labels",
)


def full() -> dict[str, Any]:
    """A document with everything around its definition."""
    document = scoring().to_dict()
    properties = document["properties"]
    properties["keys"] = {"primary": SECRETS[0], "secondary": SECRETS[1]}
    properties["storageAccount"] = {"name": "north", "key": SECRETS[2]}
    properties["commitmentPlan"] = {"id": "/plans/small"}
    properties["machineLearningWorkspace"] = {"id": "/workspaces/w"}
    properties.update(
        createdOn="2016-08-17T00:03:51Z", modifiedOn="2016-08-17T00:03:51Z", provisioningState="Succeeded"
    )
    properties["swaggerLocation"] = "https://example.org/swagger.json"
    properties["assets"]["asset1"]["locationInfo"]["credentials"] = SECRETS[3]
    return {"id": "/services/wine", "name": "wine", "location": "north", "type": "webServices", **document}


def test_names_in_whatever_case_and_flags_as_text_are_the_same_definition() -> None:
    document = full()
    document["properties"]["readOnly"] = False
    document["properties"]["exposeSampleData"] = True
    document["properties"]["realtimeConfiguration"] = {"maxConcurrentCalls": 20}
    turned = recased(document, keep=OWN_NAMES)
    turned["Properties"]["RealtimeConfiguration"]["MaxConcurrentCalls"] = "20"
    assert "Nodes" in turned["Properties"]["Package"]
    assert turned["Properties"]["ReadOnly"] == "false"
    read = ServiceDefinition.from_dict(turned)
    assert read.digest == ServiceDefinition.from_dict(document).digest
    assert (read.max_concurrent_calls, read.is_read_only, read.exposes_example) == (20, False, True)


def test_reading_what_was_written_gives_the_same_bytes() -> None:
    for document in (full(), recased(full(), keep=OWN_NAMES), code().to_dict()):
        once = ServiceDefinition.from_dict(document)
        assert ServiceDefinition.from_text(once.text).text == once.text


def test_no_secret_and_no_place_is_in_a_definition() -> None:
    read = ServiceDefinition.from_dict(full())
    assert not [secret for secret in SECRETS if secret in read.text]
    assert read.digest == scoring().digest
    wanted = placement(full())
    assert (wanted.name, wanted.region, wanted.plan, wanted.storage) == (
        "wine",
        "north",
        "/plans/small",
        "north",
    )
    assert (wanted.primary, wanted.secondary, wanted.storage_key) == SECRETS[:3]
    assert not [secret for secret in SECRETS if secret in repr(wanted)]


def test_parameters_as_plain_text_and_as_objects_are_the_same() -> None:
    document = code("def f(t, depth=1):\n    return t\n").to_dict()
    package = document["properties"]["package"]
    package["graphParameters"] = {
        "Depth": {"type": "Int", "links": [{"nodeId": "code1", "parameterKey": "depth"}]}
    }
    older = copy.deepcopy(document)
    document["properties"]["parameters"] = {"Depth": {"value": "3"}}
    older["properties"]["parameters"] = {"Depth": 3}
    for name, held in older["properties"]["package"]["nodes"]["code1"]["parameters"].items():
        older["properties"]["package"]["nodes"]["code1"]["parameters"][name] = held["value"]
    one, other = ServiceDefinition.from_dict(document), ServiceDefinition.from_dict(older)
    assert one.digest == other.digest
    (parameter,) = one.parameters
    assert (parameter.name, parameter.default, parameter.is_required) == ("Depth", "3", False)
    assert parameter.links == (("code1", "depth"),)


def test_a_fault_in_a_file_is_told_with_its_line_and_path() -> None:
    text = scoring().text.replace('"outputId": "output1"', '"outputId": "output2"')
    line = next(n for n, one in enumerate(text.splitlines(), start=1) if "output2" in one)
    with pytest.raises(InvalidInput) as caught:
        ServiceDefinition.from_text(text, where="The definition 'a.wsd.json'")
    assert str(caught.value).startswith("The definition 'a.wsd.json', line ")
    assert "$.properties.package.nodes" in str(caught.value)
    bad = scoring().text.replace('"x-ms-isnullable": true', '"x-ms-isnullable": "perhaps"', 1)
    line = next(n for n, one in enumerate(bad.splitlines(), start=1) if "perhaps" in one)
    with pytest.raises(InvalidInput, match=f"line {line}, .*Expected true or false, got 'perhaps'"):
        ServiceDefinition.from_text(bad)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"title": "wine"', '"title": "wine", "Title": "beer"', "each name once, in whatever case, got 'title'"),
        ('"title": "wine"', '"title": "wine", "title": "beer"', "each name once, got 'title' twice"),
        ('"packageType": "Graph"', '"packageType": "Graph", "readOnly": 5', "true or false, got 5"),
        ('"packageType": "Graph"', '"packageType": "Code"', "'Graph', got 'Code'"),
        (
            '"packageType": "Graph"',
            '"packageType": "Graph", "realtimeConfiguration": {"maxConcurrentCalls": 900}',
            "1 to 200, got 900",
        ),
        (
            '"packageType": "Graph"',
            '"packageType": "Graph", "payloadsInBlobStorage": "true"',
            "whole, got one whose parts lie in a store of the cloud",
        ),
        ('"targetPortId": "Dataset"', '"targetPortId": "Datset"', "a port of Score Model"),
        ('"sourcePortId": "Scored dataset"', '"sourcePortId": "Results"', "'Scored dataset', which Score Model"),
        (FIRST.uri, "https://example.org/model.ilearner", "mlalm://models/NAME/VERSION"),
        (FIRST.uri, "mlalm://models/wine/7", "mlalm://models/NAME/VERSION"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_a_sentence(old: str, new: str, said: str) -> None:
    text = scoring().text
    assert old in text
    with pytest.raises(InvalidInput) as caught:
        ServiceDefinition.from_text(text.replace(old, new, 1))
    assert said in str(caught.value)
    assert "line " in str(caught.value)


def test_all_modules_of_the_cloud_are_named_at_once() -> None:
    document = scoring().to_dict()
    for number, name in enumerate(("Apply Math Operation", "Clean Missing Data")):
        document["properties"]["assets"][f"cloud{number}"] = {
            "name": name,
            "type": "Module",
            "locationInfo": {"uri": f"aml://module/5061.{number}.v1-default-1675"},
        }
    with pytest.raises(InvalidInput) as caught:
        ServiceDefinition.from_dict(document)
    assert "'Apply Math Operation' (cloud0), 'Clean Missing Data' (cloud1)" in str(caught.value)


def test_an_address_without_its_hash_gets_it_where_the_asset_is_known() -> None:
    asked = []

    def pin(kind: str, name: str, version: int) -> str:
        asked.append((kind, name, version))
        return "c" * 64

    text = scoring().text.replace(FIRST.uri, "mlalm://models/wine/7")
    read = ServiceDefinition.from_text(text, pin=pin)
    assert asked == [("model", "wine", 7)]
    assert read.models[0].uri == f"mlalm://models/wine/7?sha256={'c' * 64}"
    assert (
        json.loads(read.text)["properties"]["assets"]["asset1"]["locationInfo"]["uri"] == read.models[0].uri
    )


def test_several_models_are_each_found_by_asset_and_by_name() -> None:
    document = scoring().to_dict()
    properties = document["properties"]
    other = json.loads(
        json.dumps(properties["assets"]["asset1"]).replace("wine", "beer").replace("a" * 64, "d" * 64)
    )
    properties["assets"]["asset2"] = other
    nodes, edges = properties["package"]["nodes"], properties["package"]["edges"]
    nodes |= {"model2": {"assetId": "asset2"}, "score2": {"assetId": "score", "parameters": {}}}
    for one in edges:
        if one["targetNodeId"] == "output1":
            one["sourceNodeId"] = "score2"
    edges += [
        {"sourceNodeId": "model2", "sourcePortId": "Results", "targetNodeId": "score2", "targetPortId": "Trained model"},
        {"sourceNodeId": "score1", "sourcePortId": "Scored dataset", "targetNodeId": "score2", "targetPortId": "Dataset"},
    ]  # fmt: skip
    definition = ServiceDefinition.from_dict(document)
    for said in ("asset2", "beer", "BEER [trained model]"):
        assert definition.model_asset(said).name == "beer"
    with pytest.raises(InvalidInput, match=r"asset1 .wine:1., asset2 .beer:1.. Name the one you mean"):
        definition.with_model(FIRST)
    with pytest.raises(InvalidInput, match=r"no trained model of that name. Did you mean 'beer'"):
        definition.model_asset("ber")


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, held in value.items():
            yield from _paths(held, (*path, name))
    elif isinstance(value, list):
        for index, held in enumerate(value):
            yield from _paths(held, (*path, index))


@pytest.mark.parametrize(
    "wrong", [None, [], {}, "", "x", 7, True, [None], {"a": None}, [[]], 1e400, "\ud800"], ids=repr
)
def test_something_else_at_any_place_is_refused_in_a_sentence_or_means_the_same_service(
    wrong: object,
) -> None:
    base = full()
    before = ServiceDefinition.from_dict(base)
    said = []
    for path in _paths(base):
        document = copy.deepcopy(base)
        place: Any = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = wrong
        try:
            read = ServiceDefinition.from_dict(document)
            differences_between(before, read)
            placement(document)
        except InvalidInput as error:
            said.append(str(error))
    assert said
    assert all(sentence.startswith("$") for sentence in said)
