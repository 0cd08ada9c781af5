"""Definitions, services, endpoints, keys and seals in the catalog."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlalm_jupyter.domain.errors import AlreadyExists, Conflict, NotFound, StaleRevision
from mlalm_jupyter.domain.names import EndpointRef
from mlalm_jupyter.domain.service import Move, WebService
from mlalm_jupyter.domain.settings import EndpointSettings
from mlalm_jupyter.domain.trust import Seal
from mlalm_jupyter.ports import Catalog
from tests.contract.catalog_nouns import CLOCK, at, definition, deployed, digest, event, key, model


def test_a_service_comes_with_its_endpoints_the_default_first(catalog: Catalog) -> None:
    churn = model()
    service = deployed(catalog, "churn", churn, endpoints=("a", "z"))
    assert [endpoint.name for endpoint in service.endpoints] == ["default", "a", "z"]
    assert service.default.reference == "churn/default"
    assert {endpoint.definition_hash for endpoint in service.endpoints} == {definition(churn).digest}
    other = deployed(catalog, "another", churn)
    with catalog.read() as tx:
        assert tx.services.find() == [other, service]
        assert tx.endpoints.find() == [*other.endpoints, *service.endpoints]
        assert tx.endpoints.get(EndpointRef("churn", "z")) == service.endpoints[2]
        assert tx.endpoints.get(EndpointRef.parse("churn")) == service.default


def test_a_taken_service_name_is_refused(catalog: Catalog) -> None:
    deployed(catalog, "churn", model())
    again = WebService(CLOCK.new_id(), "churn", "classic", "x", at(0), "bob")
    with pytest.raises(AlreadyExists) as caught, catalog.write() as tx:
        tx.services.add(again)
    assert str(caught.value) == (
        "Service 'churn' was not made. That name is taken. "
        "Choose another name, or deploy with --update to move its default endpoint."
    )


def test_a_taken_endpoint_name_is_refused(catalog: Catalog) -> None:
    service = deployed(catalog, "churn", model())
    with pytest.raises(AlreadyExists, match="Endpoint 'churn/default' was not made"), catalog.write() as tx:
        tx.endpoints.add(replace(service.default, id=CLOCK.new_id()), [])


def test_an_endpoint_of_no_service_is_refused(catalog: Catalog) -> None:
    service = deployed(catalog, "churn", model())
    orphan = replace(service.default, id=CLOCK.new_id(), service_id=CLOCK.new_id(), service="x", name="ep2")
    with pytest.raises(Conflict, match="FOREIGN KEY"), catalog.write() as tx:
        tx.endpoints.add(orphan, [])


def test_an_endpoint_cannot_serve_a_definition_that_is_not_noted(catalog: Catalog) -> None:
    service = deployed(catalog, "churn", model())
    moved = service.default.redeployed(definition(model(version=2)), at=at(1))
    with pytest.raises(Conflict, match="FOREIGN KEY"), catalog.write() as tx:
        tx.endpoints.save(moved, expected_revision=1)


def test_what_is_missing_is_named_with_what_is_near(catalog: Catalog) -> None:
    deployed(catalog, "churn", model(), endpoints=("ep2",))
    with catalog.read() as tx:
        with pytest.raises(NotFound) as no_service:
            tx.services.get("chrun")
        with pytest.raises(NotFound) as no_service_of_endpoint:
            tx.endpoints.get(EndpointRef("chrun", "ep2"))
        with pytest.raises(NotFound) as no_endpoint:
            tx.endpoints.get(EndpointRef("churn", "ep3"))
    assert str(no_service.value).startswith("No service 'chrun'. The nearest names are 'churn'.")
    assert str(no_service_of_endpoint.value) == str(no_service.value)
    assert str(no_endpoint.value).startswith("No endpoint 'churn/ep3'. The nearest names are 'churn/ep2'")


def test_an_endpoint_moves_only_from_the_revision_that_was_read(catalog: Catalog) -> None:
    service = deployed(catalog, "churn", model())
    second, third = model(version=2), model(version=3)
    with catalog.write() as tx:
        for made in (second, third):
            tx.definitions.add(definition(made), at=at(1))
    mine = service.default.redeployed(definition(second), at=at(2))
    late = service.default.redeployed(definition(third), at=at(3))
    with catalog.write() as tx:
        tx.endpoints.save(mine, expected_revision=1)
    with pytest.raises(StaleRevision) as caught, catalog.write() as tx:
        tx.endpoints.save(late, expected_revision=1)
    assert str(caught.value) == (
        "Endpoint 'churn/default' was not changed. Someone else changed it after revision 1 was read. "
        "Look at it again, then repeat the change if it is still wanted."
    )
    with catalog.read() as tx:
        now = tx.endpoints.get(EndpointRef("churn"))
    assert now == mine
    assert (now.revision, now.model, now.created_at) == (2, "churn:2", at(0))


def test_keys_belong_to_one_endpoint(catalog: Catalog) -> None:
    service = deployed(catalog, "churn", model(), endpoints=("ep2",))
    default, other = service.endpoints
    with catalog.read() as tx:
        assert tx.endpoints.keys(default.id) == [key(default, "primary"), key(default, "secondary")]
        assert tx.endpoints.keys(other.id) == [key(other, "primary"), key(other, "secondary")]
        assert tx.endpoints.keys(CLOCK.new_id()) == []


def test_the_history_of_an_endpoint_is_read_from_the_events(catalog: Catalog) -> None:
    service = deployed(catalog, "churn", model(), endpoints=("ep2",))
    mine, other = service.endpoints
    with catalog.write() as tx:
        for revision, action in enumerate(("deploy", "update", "keys", "rollback"), start=1):
            tx.events.append(
                event(
                    at=at(revision),
                    noun="endpoint",
                    action=action,
                    subject_id=mine.id,
                    subject=mine.reference,
                    data={"definition_hash": digest(action), "model": None, "revision": revision},
                )
            )
        tx.events.append(event(noun="service", action="deploy", subject_id=mine.id))
    with catalog.read() as tx:
        assert tx.endpoints.moves(mine.id) == [
            Move("churn/default", 1, "deploy", digest("deploy"), None, at(1), "ann"),
            Move("churn/default", 2, "update", digest("update"), None, at(2), "ann"),
            Move("churn/default", 4, "rollback", digest("rollback"), None, at(4), "ann"),
        ]
        assert tx.endpoints.moves(other.id) == []


def test_the_history_has_no_end_that_is_cut_off(catalog: Catalog) -> None:
    service = deployed(catalog, "churn", model())
    with catalog.write() as tx:
        for revision in range(1, 1502):
            data = {"definition_hash": digest("d"), "model": "churn:1", "revision": revision}
            subject = service.default
            tx.events.append(
                event(
                    noun="endpoint",
                    action="patch",
                    subject_id=subject.id,
                    subject=subject.reference,
                    data=data,
                )
            )
    with catalog.read() as tx:
        moves = tx.endpoints.moves(service.default.id)
    assert [move.revision for move in moves] == list(range(1, 1502))


def test_a_model_in_use_names_the_endpoints_that_serve_it_now(catalog: Catalog) -> None:
    first, second = model(), model(version=2)
    deployed(catalog, "b", first, endpoints=("ep2",))
    deployed(catalog, "a", first)
    with catalog.read() as tx:
        assert tx.endpoints.serving_model(first.model_hash) == ["a/default", "b/default", "b/ep2"]
        assert tx.endpoints.serving_model(second.model_hash) == []
        moved = tx.endpoints.get(EndpointRef("b", "ep2")).patched(definition(second), at=at(1))
    with catalog.write() as tx:
        tx.definitions.add(definition(second), at=at(1))
        tx.endpoints.save(moved, expected_revision=1)
    with catalog.read() as tx:
        assert tx.endpoints.serving_model(first.model_hash) == ["a/default", "b/default"]
        assert tx.endpoints.serving_model(second.model_hash) == ["b/ep2"]


def test_a_model_is_found_wherever_it_stands_in_a_definition(catalog: Catalog) -> None:
    first, second, near = model("a_b"), model("second"), model("axb")
    both = definition(first)
    steps = (*both.steps, *(replace(one, node="two") for one in definition(second).steps))
    renamed = tuple(
        replace(one, model=replace(one.model, asset=f"asset{number}"))
        for number, one in enumerate(steps)
        if one.model
    )
    both = replace(both, graph=replace(both.graph, steps=renamed))
    deployed(catalog, "near", near)
    service = deployed(catalog, "both", first)
    with catalog.write() as tx:
        tx.definitions.add(replace(both, text=both.text + " "), at=at(1))
        moved = replace(service.default, definition_hash=replace(both, text=both.text + " ").digest)
        tx.endpoints.save(moved, expected_revision=1)
    with catalog.read() as tx:
        for name in ("a_b", "second"):
            assert [one.reference for one in tx.endpoints.serving_any(name)] == ["both/default"]
        assert tx.endpoints.serving_any("a") == []


def test_noting_a_definition_again_changes_nothing(catalog: Catalog) -> None:
    document = definition(model())
    with catalog.write() as tx:
        assert not tx.definitions.has(document.digest)
        tx.definitions.add(document, at=at(1))
        tx.definitions.add(document, at=at(2))
        tx.definitions.add(definition(model(version=2)), at=at(0))
    with catalog.read() as tx:
        assert tx.definitions.has(document.digest)
        assert tx.definitions.digests() == [definition(model(version=2)).digest, document.digest]


def test_a_later_seal_over_the_same_content_takes_the_place_of_the_first(catalog: Catalog) -> None:
    first = Seal(digest("x"), "model", "k1", "signed", "because", at(1), "ann")
    with catalog.write() as tx:
        tx.seals.add(first)
        tx.seals.add(replace(first, reason="again", at=at(2)))
        tx.seals.add(replace(first, kind="definition", at=at(3)))
    with catalog.read() as tx:
        assert tx.seals.get("model", first.digest) == replace(first, reason="again", at=at(2))
        assert tx.seals.get("run", first.digest) is None
        assert [seal.kind for seal in tx.seals.find()] == ["model", "definition"]
    with catalog.write() as tx:
        assert tx.seals.remove(first.digest) == 2
        assert tx.seals.remove(first.digest) == 0
        assert tx.seals.find() == []


def test_settings_are_kept_apart_from_what_is_served(catalog: Catalog) -> None:
    service = deployed(catalog, "churn", model(), endpoints=("ep2",))
    before = service.endpoints[1]
    settings = EndpointSettings("for ü", "High", 50, True, "Error")
    second = model(version=2)
    with catalog.write() as tx:
        tx.definitions.add(definition(second), at=at(1))
        tx.endpoints.save_settings(before.with_settings(settings, at=at(2)))
        # someone who read it before that moves it
        tx.endpoints.save(before.patched(definition(second), at=at(3)), expected_revision=1)
    with catalog.read() as tx:
        now = tx.endpoints.get(EndpointRef("churn", "ep2"))
        assert tx.endpoints.get(EndpointRef("churn")).settings == EndpointSettings()
    assert (now.settings, now.model, now.revision) == (settings, "churn:2", 2)


def test_a_service_is_stopped_and_described(catalog: Catalog) -> None:
    service = deployed(catalog, "churn", model())
    other = deployed(catalog, "other", model())
    with catalog.write() as tx:
        tx.services.save(replace(service, state="stopped", description="for ü"))
    with catalog.read() as tx:
        assert (tx.services.get("churn").state, tx.services.get("churn").description) == ("stopped", "for ü")
        assert tx.services.get("other") == other


def test_a_key_is_replaced_and_the_other_one_stays(catalog: Catalog) -> None:
    service = deployed(catalog, "churn", model(), endpoints=("ep2",))
    mine, other = service.endpoints
    fresh = replace(key(mine, "primary"), digest=digest("fresh"), ciphertext="hidden anew")
    with catalog.write() as tx:
        tx.endpoints.replace_key(fresh)
    with catalog.read() as tx:
        assert tx.endpoints.keys(mine.id) == [fresh, key(mine, "secondary")]
        assert tx.endpoints.keys(other.id) == [key(other, "primary"), key(other, "secondary")]
    with pytest.raises(NotFound, match="tertiary"), catalog.write() as tx:
        tx.endpoints.replace_key(replace(fresh, slot="tertiary"))


def test_what_is_deleted_is_gone_with_its_keys_and_its_name_is_free(catalog: Catalog) -> None:
    service = deployed(catalog, "churn", model(), endpoints=("ep2",))
    default, ep2 = service.endpoints
    with catalog.write() as tx:
        tx.endpoints.delete(ep2.id)
    with catalog.read() as tx:
        assert tx.services.get("churn").endpoints == (default,)
        assert tx.endpoints.keys(ep2.id) == []
    with pytest.raises(NotFound), catalog.write() as tx:
        tx.endpoints.save_settings(ep2)
    with pytest.raises(Conflict, match="FOREIGN KEY"), catalog.write() as tx:
        tx.services.delete(service.id)
    with catalog.write() as tx:
        tx.endpoints.delete(default.id)
        tx.services.delete(service.id)
    with catalog.read() as tx:
        assert tx.services.find() == []
        assert tx.definitions.has(default.definition_hash)
    with pytest.raises(NotFound), catalog.write() as tx:
        tx.services.save(service)
    assert deployed(catalog, "churn", model()).id != service.id
