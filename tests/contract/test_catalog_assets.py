"""Datasets and models in the catalog: versions that are given once and found again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from mlalm_jupyter.domain.asset import Pin, Source
from mlalm_jupyter.domain.errors import Conflict, InvalidInput, NotFound
from mlalm_jupyter.domain.model import Lineage
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.ports import Catalog
from tests.contract.catalog_nouns import CLOCK, dataset, digest, experiment, model, run, transform


def test_a_dataset_comes_back_as_it_was_kept(catalog: Catalog) -> None:
    kept = dataset(
        equal_to=7,
        tags={"year": "2024"},
        description="wines",
        profile_digest=digest("profile"),
        source=Source("https://example.org/?sig=...", "e", "m", "sealed"),
        run_id="a" * 32,
    )
    with catalog.write() as tx:
        tx.datasets.add(kept)
    with catalog.read() as tx:
        assert tx.datasets.get(AssetRef("dataset", "wine", 1)) == kept
        assert tx.datasets.get(AssetRef("dataset", "wine")).schema.names == kept.schema.names


def test_a_transform_comes_back_as_it_was_kept(catalog: Catalog) -> None:
    kept = transform(equal_to=7)
    with catalog.write() as tx:
        tx.transforms.add(kept)
    with catalog.read() as tx:
        assert tx.transforms.get(AssetRef("transform", "scale", 1)) == kept
        assert tx.transforms.equal_to("scale", kept.transform_hash) == 1
        assert tx.transforms.has_hash(kept.transform_hash)
        assert not tx.transforms.has_hash(digest("other"))
        assert tx.transforms.find() == [kept]
    with catalog.write() as tx:
        tx.transforms.delete(kept.id)
        assert tx.transforms.next_version("scale") == 1
    with pytest.raises(NotFound), catalog.write() as tx:
        tx.transforms.delete(kept.id)


def test_whoever_refers_to_an_asset_is_named(catalog: Catalog) -> None:
    wine, other, scale = dataset(), dataset("wine", 10), transform(lineage=Lineage("notebook"))
    made = experiment()
    reader = run(made, 1, inputs=("dataset wine:1", "transform scale:1"))
    pinning = run(made, 2)
    pin = Pin("dataset", "wine", 1, wine.id, wine.digest, "wine")
    pinning = replace(pinning, snapshot=replace(pinning.snapshot, assets=(pin,)))
    with catalog.write() as tx:
        tx.datasets.add(wine)
        tx.datasets.add(other)
        tx.transforms.add(scale)
        tx.experiments.add(made)
        tx.runs.add(reader)
        tx.runs.add(pinning)
        tx.models.add(model(lineage=Lineage("run", None, None, ("dataset wine:1",))))
        tx.transforms.add(transform("half", lineage=Lineage("run", None, None, ("dataset wine:1",))))
    with catalog.read() as tx:
        assert [one.name for one in tx.transforms.made_from("dataset wine:1")] == ["half"]
        assert tx.transforms.made_from("dataset wine:10") == []
        assert tx.datasets.users(wine) == [
            f"run {pinning.id[:12]} of train.ipynb",
            f"run {reader.id[:12]} of train.ipynb",
            "model churn:1",
            "transform half:1",
        ]
        assert tx.datasets.users(other) == [], "wine:1 is not the beginning of wine:10"
        assert tx.transforms.users(scale) == [f"run {reader.id[:12]} of train.ipynb"]


def test_a_dataset_that_is_deleted_leaves_its_number_behind(catalog: Catalog) -> None:
    with catalog.write() as tx:
        kept = dataset(version=tx.datasets.next_version("wine"))
        tx.datasets.add(kept)
        tx.datasets.delete(kept.id)
        assert tx.datasets.next_version("wine") == 2
    with pytest.raises(NotFound), catalog.write() as tx:
        tx.datasets.delete(kept.id)


def test_a_model_comes_back_as_it_was_kept(catalog: Catalog) -> None:
    kept = model(equal_to=7)
    with catalog.write() as tx:
        tx.models.add(kept)
    with catalog.read() as tx:
        assert tx.models.get(AssetRef("model", "churn", 1)) == kept


def test_a_name_alone_is_its_newest_version(catalog: Catalog) -> None:
    with catalog.write() as tx:
        for version in (1, 2, 10):
            tx.models.add(model(version=version))
            tx.datasets.add(dataset(version=version))
    with catalog.read() as tx:
        assert tx.models.get(AssetRef("model", "churn")).version == 10
        assert tx.datasets.get(AssetRef("dataset", "wine")).version == 10


def test_a_list_has_the_newest_of_every_name_or_every_version_of_one(catalog: Catalog) -> None:
    with catalog.write() as tx:
        for name, versions in (("b", (1, 2)), ("a", (3,)), ("A", (1,))):
            for version in versions:
                tx.models.add(model(name, version))
                tx.datasets.add(dataset(name, version))
    with catalog.read() as tx:
        for found in (tx.models.find(), tx.datasets.find()):
            assert {one.reference for one in found} == {"A:1", "a:3", "b:2"}
        assert [one.version for one in tx.models.find(name="b")] == [1, 2]
        assert [one.version for one in tx.datasets.find(name="b")] == [1, 2]
        assert tx.models.find(name="nobody") == []


def test_models_are_found_by_the_run_that_made_them(catalog: Catalog) -> None:
    first, second, third = model("a"), model("b"), model("b", 2)
    with catalog.write() as tx:
        for made in (first, second):
            tx.models.add(made)
        tx.models.add(third)
    run_id = first.lineage.run_id
    with catalog.read() as tx:
        assert tx.models.find(run_id=run_id) == [first]
        assert tx.models.find(run_id=run_id, name="b") == []
        assert tx.models.find(run_id=CLOCK.new_id()) == []


def test_numbers_count_up_for_each_kind_and_name(catalog: Catalog) -> None:
    with catalog.write() as tx:
        assert [tx.models.next_version("a") for _ in range(3)] == [1, 2, 3]
        assert tx.models.next_version("b") == 1
        assert tx.datasets.next_version("a") == 1


def test_the_number_of_a_deleted_version_is_not_given_again(catalog: Catalog) -> None:
    with catalog.write() as tx:
        kept = model(version=tx.models.next_version("churn"))
        tx.models.add(kept)
    with catalog.write() as tx:
        tx.models.delete(kept.id)
    with catalog.write() as tx:
        assert tx.models.next_version("churn") == 2
        with pytest.raises(NotFound):
            tx.models.get(AssetRef("model", "churn"))


def test_a_number_reserved_in_vain_is_free_again(catalog: Catalog) -> None:
    def reserve_and_fail() -> None:
        with catalog.write() as tx:
            assert tx.models.next_version("churn") == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        reserve_and_fail()
    with catalog.write() as tx:
        assert tx.models.next_version("churn") == 1


def test_threads_that_register_one_name_leave_no_gap(catalog: Catalog) -> None:
    def register(_: int) -> None:
        for _ in range(20):
            with catalog.write() as tx:
                version = tx.models.next_version("churn")
                tx.models.add(model(version=version))
            with catalog.read() as tx:
                assert tx.models.get(AssetRef("model", "churn", version)).version == version

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(register, range(6)))
    with catalog.read() as tx:
        assert [one.version for one in tx.models.find(name="churn")] == list(range(1, 121))


def test_one_version_cannot_be_two_things(catalog: Catalog) -> None:
    with catalog.write() as tx:
        tx.models.add(model(version=3))
    with pytest.raises(Conflict, match="contradicts what is recorded"), catalog.write() as tx:
        tx.models.add(model(version=3))


def test_equal_content_is_found_under_its_own_name(catalog: Catalog) -> None:
    same = digest("same")
    with catalog.write() as tx:
        for version in (1, 2):
            tx.models.add(model(version=version, model_hash=same))
            tx.datasets.add(dataset(version=version, digest=same))
        tx.models.add(model(version=3))
    with catalog.read() as tx:
        assert tx.models.equal_to("churn", same) == 2
        assert tx.datasets.equal_to("wine", same) == 2
        assert tx.models.equal_to("other", same) is None
        assert tx.datasets.equal_to("wine", digest("different")) is None
        assert tx.models.has_hash(same)
        assert not tx.models.has_hash(digest("different"))


def test_a_mistyped_name_is_told_the_nearest_ones(catalog: Catalog) -> None:
    with catalog.write() as tx:
        tx.models.add(model("churn"))
        tx.models.add(model("census"))
    with pytest.raises(NotFound) as caught, catalog.read() as tx:
        tx.models.get(AssetRef("model", "chrun"))
    assert str(caught.value) == (
        "No model 'chrun'. The nearest names are 'churn'. List them with `mlalm model list`."
    )


@pytest.mark.parametrize("version", [9, 2**31, 2**63, 10**40])
def test_a_version_that_is_not_there_is_told_those_that_are(catalog: Catalog, version: int) -> None:
    with catalog.write() as tx:
        tx.datasets.add(dataset("wine", 1))
        tx.datasets.add(dataset("wine", 2))
    with pytest.raises(NotFound) as caught, catalog.read() as tx:
        tx.datasets.get(AssetRef("dataset", "wine", version))
    assert str(caught.value).startswith(f"No dataset 'wine:{version}'.")
    assert "'wine:1'" in caught.value.why
    assert "'wine:2'" in caught.value.why


def test_deleting_what_is_not_there_says_so(catalog: Catalog) -> None:
    with pytest.raises(NotFound, match="No model"), catalog.write() as tx:
        tx.models.delete(CLOCK.new_id())


def test_text_that_utf8_cannot_hold_is_refused_in_a_sentence(catalog: Catalog) -> None:
    with pytest.raises(InvalidInput, match="text that UTF-8 can hold"), catalog.write() as tx:
        tx.models.add(model(description="caf\udce9"))
    with catalog.read() as tx:
        assert tx.models.find() == []
