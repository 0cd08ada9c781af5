"""Classic services: what each verb moves and what it leaves, seen by a caller of a real server."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
import requests
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.errors import (
    AlreadyExists,
    Conflict,
    DefaultEndpointNotPatchable,
    InvalidInput,
    MlalmError,
    NotFound,
    Unavailable,
    Unconfirmed,
    UntrustedContent,
    UpdatePrevented,
)
from mlalm_jupyter.domain.event import Event
from mlalm_jupyter.workspace import Workspace
from tests.contract.parity_scenarios import ROWS, endpoint, model, package, service, write
from tests.contract.two_steps import shifted, trusted

pytestmark = pytest.mark.prove_services
BODY = json.dumps({"Inputs": {"input1": ROWS.head(1).to_dict("records")}})


def post(address: str | None, key: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return requests.post(f"{address}/execute", data=BODY, headers=headers, timeout=60)


def answer(ws: Workspace, reference: str) -> float:
    """What an endpoint says of the hour 1: the factor of its model, on an unshifted graph."""
    answered = post(ws.endpoints.show(reference).address, ws.endpoints.key_pair(reference).primary)
    assert answered.status_code == 200, answered.text
    return round(float(answered.json()["Results"]["output1"]["value"]["Values"][0][-1]), 6)


def events(ws: Workspace, subject_id: str) -> list[Event]:
    with ws.catalog.read() as tx:
        return tx.events.find(subject_id=subject_id)


# stopped and started


def test_a_stopped_service_keeps_keys_addresses_and_models(hosted: Workspace) -> None:
    reference = endpoint(hosted)
    before, keys = hosted.services.show("hours"), hosted.endpoints.key_pair(reference)
    assert hosted.services.stop("hours").state == "stopped"
    for one in before.endpoints:
        refused = post(one.address, hosted.endpoints.key_pair(one.reference).primary)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "ServiceUnavailable")
        assert post(one.address, "wrong").status_code == 401
    with pytest.raises(Unavailable, match=r"is stopped.*mlalm service start hours"):
        hosted.services.score(reference, ROWS)
    assert hosted.services.stop("hours").note == "Nothing changed: it is stopped already."
    # what is stopped may be moved, and stays stopped
    hosted.services.deploy(model(hosted, 2), "hours", update=True)
    assert hosted.services.show("hours").state == "stopped"
    after = hosted.services.start("hours")
    assert (after.state, after.note) == ("running", None)
    assert [one.address for one in after.endpoints] == [one.address for one in before.endpoints]
    assert (hosted.endpoints.key_pair(reference).primary, answer(hosted, reference)) == (keys.primary, 1)
    assert answer(hosted, "hours") == 2
    assert hosted.services.start("hours").note == "Nothing changed: it runs already."
    told = [one.action for one in events(hosted, before.id)]
    assert told == ["deploy", "stop", "deploy", "start"]


def test_an_update_with_stop_and_start_is_noted_in_that_order_and_refuses_calls_meanwhile(
    hosted: Workspace,
) -> None:
    made = hosted.services.show(service(hosted))
    key, address = hosted.endpoints.key_pair("hours").primary, made.default.address
    second = model(hosted, 2)
    seen: list[tuple[str, int]] = []

    def call(doing: str, _done: int, _total: int) -> None:
        seen.append((doing, post(address, key).status_code))

    hosted.context.progress = call
    moved = hosted.services.deploy(second, "hours", update=True, stop_start=True)
    loading = [code for doing, code in seen if doing.startswith("Loading the definition")]
    assert loading == [200, 503], "what takes its time is done before the stop"
    assert {code for _, code in seen} == {200, 503}
    assert (moved.state, answer(hosted, "hours")) == ("running", 2)
    assert [one.action for one in events(hosted, made.id)] == ["deploy", "stop", "deploy", "start"]
    at = {one.action: one.seq for one in events(hosted, made.id)}
    (update,) = [one for one in events(hosted, made.default.id) if one.action == "update"]
    assert at["stop"] < update.seq < at["start"]


def test_a_plain_update_is_a_swap_without_a_stop(hosted: Workspace) -> None:
    made = hosted.services.show(service(hosted))
    hosted.services.deploy(model(hosted, 2), "hours", update=True)
    assert [one.action for one in events(hosted, made.id)] == ["deploy", "deploy"]


def test_stop_and_start_without_an_update_is_refused(hosted: Workspace) -> None:
    service(hosted)
    with pytest.raises(InvalidInput, match="--update together with --stop-start"):
        hosted.services.deploy("hours:1", "hours", stop_start=True)


def test_an_update_that_cannot_be_loaded_does_not_even_stop_the_service(hosted: Workspace) -> None:
    made = hosted.services.show(service(hosted))
    document = shifted(hosted.definitions.show("hours").to_dict(), 1)
    source = document["properties"]["package"]["nodes"]["code1"]["parameters"]["Source"]
    source["value"] = "def prepare(rows):\n    raise ValueError('not today')\n"
    with pytest.raises(UntrustedContent):
        hosted.services.deploy(document, "hours", update=True, stop_start=True)
    with pytest.raises(MlalmError, match="not today"):
        hosted.services.deploy(trusted(hosted, document), "hours", update=True, stop_start=True)
    assert [one.action for one in events(hosted, made.id)] == ["deploy"]
    assert answer(hosted, "hours") == 1


def test_a_service_is_described_when_it_is_made_or_updated(hosted: Workspace) -> None:
    made = hosted.services.deploy(model(hosted), "hours", description="Für den Herbst")
    assert made.description == "Für den Herbst"
    with pytest.raises(AlreadyExists):
        hosted.services.deploy("hours:1", "hours", description="Other")
    changed = hosted.services.deploy("hours:1", "hours", description="Other", update=True)
    assert (changed.description, changed.default.revision) == ("Other", 1)
    assert hosted.services.deploy("hours:1", "hours").description == "Other"
    with pytest.raises(InvalidInput, match="The description"):
        hosted.services.deploy("hours:1", "hours", description="\x1b", update=True)


# keys


def test_one_key_is_made_anew_while_the_other_works(hosted: Workspace) -> None:
    reference = endpoint(hosted)
    before, address = hosted.endpoints.key_pair(reference), hosted.endpoints.show(reference).address
    told = hosted.endpoints.regenerate_key(reference, "primary")
    after = hosted.endpoints.key_pair(reference)
    assert "opens nothing any more" in str(told.note)
    assert after.secondary == before.secondary
    codes = [post(address, key).status_code for key in (before.primary, after.primary, after.secondary)]
    assert codes == [401, 200, 200]
    default = hosted.services.show("hours").default.address
    assert post(default, after.primary).status_code == 401
    hosted.services.regenerate_key("hours", "secondary")
    assert post(default, str(hosted.services.keys("hours", only="secondary"))).status_code == 200
    assert post(default, str(hosted.services.keys("hours", only="primary"))).status_code == 200
    (noted,) = [one for one in events(hosted, told.id) if one.action == "regenerate-key"]
    assert dict(noted.data) == {"key": "primary"}
    assert noted.sentence().endswith("made a new key for endpoint hours/ep2 (key primary)")
    with pytest.raises(InvalidInput, match="primary or secondary"):
        hosted.endpoints.regenerate_key(reference, "third")


# deleted


def test_a_deleted_endpoint_answers_nobody_and_leaves_the_rest(hosted: Workspace) -> None:
    reference = endpoint(hosted)
    gone, keys = hosted.endpoints.show(reference), hosted.endpoints.key_pair(reference)
    hosted.policies.add("newest", "follow", endpoint=reference, model="hours")
    with pytest.raises(Unconfirmed) as asked:
        hosted.endpoints.delete(reference)
    assert "both keys of hours/ep2, which serves hours:1" in asked.value.why
    assert "policy newest" in asked.value.why
    assert answer(hosted, reference) == 1
    assert hosted.endpoints.delete(reference, yes=True).name == reference
    for key in (keys.primary, keys.secondary):
        refused = post(gone.address, key)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "NotFound")
        assert post(hosted.services.show("hours").default.address, key).status_code == 401
    with pytest.raises(NotFound):
        hosted.endpoints.keys(reference)
    assert list(hosted.policies.list()) == []
    assert answer(hosted, "hours") == 1
    anew = hosted.endpoints.add(reference)
    assert hosted.endpoints.show(reference).address != gone.address
    assert len(hosted.endpoints.history(reference)) == anew.to_dict()["revision"] == 1


def test_the_default_endpoint_goes_only_with_its_service(hosted: Workspace) -> None:
    endpoint(hosted)
    with pytest.raises(Conflict, match=r"this one has hours/ep2 besides.*service delete hours"):
        hosted.endpoints.delete("hours/default", yes=True)
    hosted.endpoints.delete("hours/ep2", yes=True)
    with pytest.raises(Conflict, match="service delete hours"):
        hosted.endpoints.delete("hours/default", yes=True)
    with pytest.raises(InvalidInput, match="SERVICE/ENDPOINT"):
        hosted.endpoints.delete("hours", yes=True)


def test_a_deleted_service_leaves_what_others_use(hosted: Workspace) -> None:
    endpoint(hosted)
    hosted.services.deploy("hours:1", "other")
    before = hosted.services.show("hours")
    keys = {one.reference: hosted.endpoints.key_pair(one.reference).primary for one in before.endpoints}
    with pytest.raises(Unconfirmed, match=r"hours/default.*hours/ep2"):
        hosted.services.delete("hours")
    hosted.services.delete("hours", yes=True)
    assert [post(one.address, keys[one.reference]).status_code for one in before.endpoints] == [404, 404]
    assert [one.name for one in hosted.services.list()] == ["other"]
    assert answer(hosted, "other") == 1
    assert hosted.models.show("hours:1").reference == "hours:1"
    assert hosted.services.deploy("hours:1", "hours").id != before.id
    hosted.services.delete("hours", yes=True)
    hosted.services.delete("other", yes=True)
    hosted.models.delete("hours:1", yes=True)


# settings


def test_settings_are_each_endpoints_own(hosted: Workspace) -> None:
    service(hosted)
    hosted.endpoints.patch("hours", throttle="Low", description="For tests")
    ep2 = hosted.endpoints.add("hours/ep2", concurrency=50, throttle="high", description="Two")
    assert (ep2.to_dict()["throttle_level"], ep2.to_dict()["max_concurrent_calls"]) == ("High", 50)
    ep3 = hosted.endpoints.add("hours/ep3")
    assert ep3.to_dict()["max_concurrent_calls"] is None
    assert ep3.to_dict()["description"] == ""
    moved = hosted.services.deploy(model(hosted, 2), "hours", update=True).default
    assert (moved.settings.max_concurrent_calls, moved.settings.description) == (4, "For tests")
    both = hosted.endpoints.patch("hours/ep2", model="hours:2", throttle="none", description="")
    assert (both.model, both.revision, both.settings.to_dict()) == (
        "hours:2",
        2,
        ep3.settings.to_dict(),
    )
    again = hosted.endpoints.patch("hours/ep2", model="hours:2", throttle="none")
    assert again.note == "Nothing changed: it is set like that already."
    only = hosted.endpoints.patch("hours/ep2", model="hours:2", throttle="low")
    assert (only.revision, only.settings.max_concurrent_calls, only.note) == (2, 4, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "a model or a setting to change, got neither"),
        ({"throttle": "Low", "concurrency": 20}, "4, which throttle level Low fixes"),
        ({"concurrency": 201}, "1 to 200"),
        ({"throttle": "Medium"}, "Low, High or none"),
        ({"prevent_update": True, "allow_update": True}, "got both"),
        ({"model": "hours:2", "concurrency": 0}, "1 to 200"),
        ({"model": "hours:9", "throttle": "Low"}, "No model"),
        ({"description": "x" * 1001}, "at most 1000"),
    ],
)
def test_a_patch_that_is_half_wrong_changes_nothing(
    hosted: Workspace, arguments: dict[str, Any], said: str
) -> None:
    reference = endpoint(hosted)
    model(hosted, 2)
    before = hosted.endpoints.show(reference)
    with pytest.raises(MlalmError, match=said):
        hosted.endpoints.patch(reference, **arguments)
    assert hosted.endpoints.show(reference) == before


def test_the_default_endpoint_takes_settings_but_no_model(hosted: Workspace) -> None:
    service(hosted)
    model(hosted, 2)
    with pytest.raises(DefaultEndpointNotPatchable):
        hosted.endpoints.patch("hours", model="hours:2", throttle="Low")
    assert hosted.endpoints.show("hours").settings.max_concurrent_calls is None
    with pytest.raises(InvalidInput, match="the default one"):
        hosted.endpoints.patch("hours", prevent_update=True)
    assert hosted.endpoints.patch("hours", concurrency=7).settings.max_concurrent_calls == 7


def test_a_protected_endpoint_is_neither_patched_nor_refreshed_until_it_is_allowed(hosted: Workspace) -> None:
    reference = endpoint(hosted)
    hosted.services.deploy(model(hosted, 2), "hours", update=True)
    hosted.endpoints.patch(reference, prevent_update=True)
    with pytest.raises(UpdatePrevented, match="not patched"):
        hosted.endpoints.patch(reference, model="hours:2")
    with pytest.raises(UpdatePrevented, match="not refreshed"):
        hosted.endpoints.refresh(reference, overwrite_models=True)
    assert answer(hosted, reference) == 1
    assert hosted.endpoints.patch(reference, description="Safe").settings.prevent_update
    assert hosted.endpoints.patch(reference, model="hours:2", allow_update=True).model == "hours:2"
    locked = hosted.endpoints.patch(reference, model="hours:1", prevent_update=True)
    assert (locked.model, locked.settings.prevent_update) == ("hours:1", True)
    assert hosted.endpoints.rollback(reference).model == "hours:2"


# copies


def test_many_endpoints_are_numbered_or_none_is_made(hosted: Workspace) -> None:
    service(hosted)
    made = hosted.endpoints.add("hours/ep", count=12, throttle="Low")
    assert [one.name for one in made] == [f"ep{number}" for number in range(1, 13)]
    assert len({one.address for one in made}) == 12
    assert answer(hosted, "hours/ep12") == 1
    hosted.endpoints.delete("hours/ep1", yes=True)
    with pytest.raises(AlreadyExists, match=r"'hours/ep2' was not made.*None of them was made"):
        hosted.endpoints.add("hours/ep", count=20)
    assert len(hosted.endpoints.list()) == 12
    with pytest.raises(InvalidInput, match="1 to 1000"):
        hosted.endpoints.add("hours/new", count=0)


def test_a_refresh_brings_the_graph_and_keeps_the_model(hosted: Workspace) -> None:
    reference = endpoint(hosted)
    hosted.endpoints.patch(reference, model=model(hosted, 2))
    assert "it has the graph" in str(hosted.endpoints.refresh(reference).note)
    later = shifted(hosted.definitions.show("hours").to_dict(), 10)
    hosted.services.deploy(trusted(hosted, later), "hours", update=True)
    assert (answer(hosted, "hours"), answer(hosted, reference)) == (11, 2)
    refreshed = hosted.endpoints.refresh(reference)
    assert (refreshed.model, answer(hosted, reference)) == ("hours:2", 22)
    assert hosted.endpoints.refresh(reference).note == (
        "Nothing changed: it has the graph of the default endpoint already."
    )
    whole = hosted.endpoints.refresh(reference, overwrite_models=True)
    assert whole.definition_hash == hosted.endpoints.show("hours").definition_hash
    assert answer(hosted, reference) == 11
    told = [one.action for one in hosted.endpoints.history(reference)]
    assert told == ["add", "patch", "refresh", "refresh"]
    assert hosted.endpoints.rollback(reference).model == "hours:2"
    with pytest.raises(DefaultEndpointNotPatchable, match="not refreshed"):
        hosted.endpoints.refresh("hours")


def test_a_kept_model_must_fit_the_new_graph(hosted: Workspace) -> None:
    reference = endpoint(hosted)
    narrow = pd.DataFrame({"hour": [1, 2, 3, 4]})
    few = hosted.models.register(LinearRegression().fit(narrow, narrow["hour"]), "few", sample=narrow)
    hosted.services.deploy(few.reference, "hours", update=True)
    before = hosted.endpoints.show(reference)
    with pytest.raises(Conflict) as caught:
        hosted.endpoints.refresh(reference)
    assert str(caught.value) == (
        "Endpoint 'hours/ep2' was not refreshed. Model hours:1 asks for 'wind', which callers do not send; "
        "the default endpoint serves few:1. Take its models as well: repeat with --overwrite-models."
    )
    assert hosted.endpoints.show(reference) == before
    assert hosted.endpoints.refresh(reference, overwrite_models=True).model == "few:1"


def test_what_was_served_when_is_told(hosted: Workspace) -> None:
    reference = endpoint(hosted)
    hosted.endpoints.patch(reference, model=model(hosted, 2))
    first, second = hosted.endpoints.history(reference)
    for at, wanted in ((first.at, first), (second.at, second), ("2999-01-01", second)):
        assert list(hosted.endpoints.history(reference, as_of=at)) == [wanted]
    between = first.at[:-1] + "9Z"  # a little later than the first, in the catalog's own form
    assert [one.model for one in hosted.endpoints.history(reference, as_of=between)] == ["hours:1"]
    with pytest.raises(InvalidInput, match=f"from {first.at} on"):
        hosted.endpoints.history(reference, as_of="2001-01-01")
    with pytest.raises(InvalidInput, match="a date or a time"):
        hosted.endpoints.history(reference, as_of="yesterday")


def test_a_package_that_is_patched_in_as_a_file_can_be_set_at_once(hosted: Workspace) -> None:
    reference = endpoint(hosted)
    model(hosted, 3)
    file = write(hosted, "three.ilearner", package(3))
    patched = hosted.endpoints.patch(reference, model=file, concurrency=9)
    assert (answer(hosted, reference), patched.settings.max_concurrent_calls) == (3, 9)


def test_a_retraining_for_a_protected_endpoint_is_refused_before_it_begins(hosted: Workspace) -> None:
    reference = endpoint(hosted)
    hosted.endpoints.patch(reference, prevent_update=True)
    with pytest.raises(UpdatePrevented):
        hosted.retraining.run("hours", patch=reference)
    assert list(hosted.jobs.list()) == []
