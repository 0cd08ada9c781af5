"""Searching among model versions, aliases that move, and what is said of a version, in each catalog."""

from __future__ import annotations

import contextlib
import math
import random
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlalm_jupyter.adapters.catalog import SqlCatalog
from mlalm_jupyter.domain.errors import InvalidInput, NotFound, StaleRevision
from mlalm_jupyter.domain.model import Alias, Lineage, TrainedModel
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.run import Sorting
from mlalm_jupyter.domain.search import Search, Term
from tests.contract.catalog_nouns import at, model
from tests.contract.test_catalog_schema import watched

pytestmark = pytest.mark.prove_models
RUN = "0193ab00000070008000000000000abc"


def kept(catalog: SqlCatalog, *models: TrainedModel) -> None:
    with catalog.write() as tx:
        for one in models:
            tx.models.add(one)


def found(catalog: SqlCatalog, where: str = "", **more: Any) -> list[str]:
    with catalog.read() as tx:
        return [one.reference for one in tx.models.search(Search(terms=Term.all_in(where), **more))]


@pytest.fixture
def three(catalog: SqlCatalog) -> SqlCatalog:
    kept(
        catalog,
        model(
            "churn",
            1,
            tags={"stage": "tried", "note": "a, b"},
            metrics={"auc": 0.8},
            framework="scikit-learn 1.6.1",
            lineage=Lineage("run", RUN, "train.ipynb", ("dataset census:3", "transform scale:1")),
        ),
        model(
            "churn",
            2,
            tags={"stage": "prod", "year": "2024"},
            properties={"ticket": "7"},
            metrics={"auc": 0.9, "loss": 0.1, "odd": math.nan, "most": math.inf, "a name, x>=1": 2.0},
            parameters={"depth": 4, "warm": True},
            framework="xgboost 3.0",
            lineage=Lineage("external"),
        ),
        model(
            "wine",
            1,
            tags={"stage": "prod"},
            metrics={},
            framework="scikit-learn 1.7.0",
            size_bytes=12,
            created_at="2026-01-01T00:00:01.500000Z",
        ),
    )
    return catalog


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", ["churn:2", "wine:1", "churn:1"]),
        ("stage=prod", ["churn:2", "wine:1"]),
        ("tag.stage=prod", ["churn:2", "wine:1"]),
        ("property.stage=prod", []),
        ("stage!=prod", ["churn:1"]),
        ("tag.note='a, b'", ["churn:1"]),
        ("year=2024", ["churn:2"]),
        ("ticket=7", ["churn:2"]),
        ("auc>=0.8", ["churn:2", "churn:1"]),
        ("auc>0.8", ["churn:2"]),
        ("odd=nan", ["churn:2"]),
        ("'a name, x>=1'=2, stage=prod", ["churn:2"]),
        ('metric."a name, x>=1">1', ["churn:2"]),
        ("'framework'=scikit-learn", []),
        ("odd>0", []),
        ("most>5", ["churn:2"]),
        ("most=inf", ["churn:2"]),
        ("metric.auc=nan", []),
        ("metric.auc=0.90", ["churn:2"]),
        ("auc<0.5", []),
        ("depth=4", ["churn:2"]),
        ("warm=true", ["churn:2"]),
        ("framework=scikit-learn", ["wine:1", "churn:1"]),
        ("framework='scikit-learn 1.6'", ["churn:1"]),
        ("framework!=scikit-learn", ["churn:2"]),
        ("dataset=census", ["churn:1"]),
        ("dataset=census:3", ["churn:1"]),
        ("dataset=census:4", []),
        ("transform=scale:1", ["churn:1"]),
        (f"run={RUN[:12]}", ["churn:1"]),
        (f"run=run:{RUN}", ["churn:1"]),
        ("experiment=train.ipynb, run!=0193ab", ["wine:1"]),
        ("origin=external", ["churn:2"]),
        ("by=ann, version=1", ["wine:1", "churn:1"]),
        ("size<100", ["wine:1"]),
        (f"created>{at(1)}", ["churn:2", "wine:1"]),
        (f"created>={at(2)}", ["churn:2"]),
        ("created>=2026-01-01", ["churn:2", "wine:1", "churn:1"]),
        ("created<=2026-01-01", ["churn:2", "wine:1", "churn:1"]),
        ("created=2026-01-01", ["churn:2", "wine:1", "churn:1"]),
        ("created>2026-01-01", []),
        ("created<2026-01-01", []),
        ("stage=prod, auc>=0.9, framework=xgboost", ["churn:2"]),
    ],
)
def test_a_search_finds_exactly_what_meets_every_condition(
    three: SqlCatalog, where: str, expected: list[str]
) -> None:
    assert found(three, where) == expected


@pytest.mark.parametrize("where", ["stage", "auc>high", "=x", "framework>a", "dataset<3", "a==b", "stage="])
def test_a_condition_that_cannot_be_read_is_refused_with_an_example(where: str) -> None:
    with pytest.raises(InvalidInput, match="condition"):
        Term.all_in(where)


def test_sorting_and_pages(three: SqlCatalog) -> None:
    assert found(three, sort=Sorting.parse("name")) == ["churn:1", "churn:2", "wine:1"]
    assert found(three, sort=Sorting.parse("-name")) == ["wine:1", "churn:2", "churn:1"]
    assert found(three, sort=Sorting.parse("size"))[0] == "wine:1"
    assert found(three, sort=Sorting.parse("-auc")) == ["churn:2", "churn:1", "wine:1"]
    assert found(three, sort=Sorting.parse("metric.auc")) == ["churn:1", "churn:2", "wine:1"]
    for page, expected in enumerate(["churn:2", "churn:1", "wine:1"]):
        assert found(three, sort=Sorting.parse("-auc"), limit=1, offset=page) == [expected]
    assert found(three, sort=Sorting.parse("-auc"), limit=2, offset=1) == ["churn:1", "wine:1"]
    assert found(three, name="churn", limit=1) == ["churn:2"]


def test_what_is_said_anew_is_found_and_the_old_is_not(three: SqlCatalog) -> None:
    with three.write() as tx:
        one = tx.models.get(AssetRef.parse("model", "churn:1"))
        tx.models.tell(replace(one, tags={"stage": "gone"}, metrics={"auc": 0.99}, description="new"))
    assert found(three, "stage=tried") == []
    assert found(three, "stage=gone, auc>0.95") == ["churn:1"]
    with three.read() as tx:
        again = tx.models.get(AssetRef.parse("model", "churn:1"))
    assert (again.tags, again.metrics, again.description) == ({"stage": "gone"}, {"auc": 0.99}, "new")
    assert found(three, "dataset=census") == ["churn:1"], "what it was made of stays"


def test_an_alias_stands_for_a_version_and_moves_by_compare_and_swap(three: SqlCatalog) -> None:
    first = Alias("churn", "champion", 1, 1, at(5), "ann")
    with three.write() as tx:
        tx.models.move_alias(first, expected_revision=0)
    with three.write() as tx:
        tx.models.move_alias(Alias("churn", "champion", 2, 2, at(6), "bob"), expected_revision=1)
    with three.read() as tx:
        assert tx.models.get(AssetRef.parse("model", "churn@champion")).reference == "churn:2"
        assert tx.models.get(AssetRef.parse("model", "churn:2")).aliases == ("champion",)
        assert tx.models.get(AssetRef.parse("model", "churn:1")).aliases == ()
        assert [one.reference for one in tx.models.aliases(name="churn")] == ["churn@champion"]
        with pytest.raises(
            NotFound, match=r"No alias 'churn@challenger'\. The nearest names are 'churn@champion'"
        ):
            tx.models.get(AssetRef.parse("model", "churn@challenger"))
    with pytest.raises(StaleRevision, match="champion"), three.write() as tx:
        tx.models.move_alias(Alias("churn", "champion", 1, 2, at(7), "ann"), expected_revision=1)
    with pytest.raises(StaleRevision), three.write() as tx:
        tx.models.move_alias(first, expected_revision=0)
    assert found(three, "alias=champion") == ["churn:2"]
    with three.write() as tx:
        tx.models.remove_alias("churn", "champion")
        assert tx.models.aliases() == []


def test_only_models_have_aliases() -> None:
    with pytest.raises(InvalidInput, match="NAME or NAME:VERSION"):
        AssetRef.parse("dataset", "census:new@x")
    with pytest.raises(InvalidInput, match="dataset name 'census@new'"):
        AssetRef.parse("dataset", "census@new")
    with pytest.raises(InvalidInput, match="beginning with a letter"):
        AssetRef.parse("model", "churn@3")


def test_a_deleted_version_is_found_no_more(three: SqlCatalog) -> None:
    with three.write() as tx:
        tx.models.delete(tx.models.get(AssetRef.parse("model", "churn:2")).id)
    assert found(three, "stage=prod") == ["wine:1"]


def plain(models: list[TrainedModel], term: Term) -> set[str]:
    """What meets a condition, told by rules that are as plain as can be."""

    def meets(one: TrainedModel) -> bool:
        said = one.tags if term.kind == "tag" else one.metrics
        if term.name not in said:
            return term.operator == "!="
        value = said[term.name]
        if term.kind == "tag":
            return (value == term.text) == (term.operator == "=")
        number, bound = float(value), float(term.text)
        return {
            "=": number == bound, "!=": number != bound, "<": number < bound,
            "<=": number <= bound, ">": number > bound, ">=": number >= bound,
        }[term.operator]  # fmt: skip

    return {one.reference for one in models if meets(one)}


@pytest.mark.timeout(600)
def test_random_searches_agree_with_plain_rules(
    file_catalog: SqlCatalog, monkeypatch: pytest.MonkeyPatch, counts: Any
) -> None:
    # so that rows lead, others are walked, and both are met by chance
    monkeypatch.setattr("mlalm_jupyter.adapters.catalog.model_search._FEW", 40)
    chance = random.Random(17)
    models = [
        model(
            chance.choice(["a", "b"]),
            number + 1,
            created_at=at(number),
            tags={name: chance.choice("xyz") for name in "pq" if chance.random() < 0.8},
            metrics={name: chance.randint(0, 9) / 4 for name in "mn" if chance.random() < 0.7},
        )
        for number in range(300)
    ]
    kept(file_catalog, *models)
    for _ in range(counts(150, 800)):
        terms = tuple(
            chance.choice(
                [
                    Term("tag", chance.choice("pqr"), chance.choice(["=", "!="]), chance.choice("xyz")),
                    Term(
                        "metric",
                        chance.choice("mno"),
                        chance.choice(["=", "!=", "<", "<=", ">", ">="]),
                        str(chance.randint(0, 9) / 4),
                    ),
                ]
            )
            for _ in range(chance.randint(1, 3))
        )
        expected = set.intersection(*(plain(models, term) for term in terms))
        with file_catalog.read() as tx:
            sort = chance.choice([Sorting("created", is_descending=True), Sorting("m"), Sorting("m", True)])
            limit, offset = chance.choice([(None, 0), (7, chance.randint(0, 20))])
            everything = tx.models.search(Search(terms=terms, sort=sort))
            part = tx.models.search(Search(terms=terms, sort=sort, limit=limit, offset=offset))
        assert {one.reference for one in everything} == expected, terms
        numbers = [one.metrics.get("m") for one in everything]
        if sort.by == "m":
            with_it = [one for one in numbers if one is not None]
            assert with_it == sorted(with_it, reverse=sort.is_descending)
            assert numbers == with_it + [None] * (len(numbers) - len(with_it))
        else:
            assert [one.created_at for one in everything] == sorted(
                (one.created_at for one in everything), reverse=True
            )
        if limit and sort.by != "m":
            assert part == everything[offset : offset + limit]
        elif limit:
            assert [one.metrics.get("m") for one in part] == numbers[offset : offset + limit]


@pytest.mark.parametrize(
    ("where", "sort", "leads", "name"),
    [
        ("rare=1", "-created", "ix_model_facts_kind_name_text", None),
        ("tag.rare=1, stage=prod", "-created", "ix_model_facts_kind_name_text", None),
        ("stage=prod", "-created", "ix_models_created_at_id", None),
        ("auc>=0.5", "-created", "ix_models_created_at_id", None),
        ("auc>=0.999", "-created", "ix_model_facts_kind_name_number", None),
        ("", "-auc", "ix_model_facts_kind_name_number", None),
        ("", "-size", "ix_models_size_bytes_id", None),
        ("", "name", "sqlite_autoindex_models_2", None),
        ("", "-created", "sqlite_autoindex_models_2", "m"),
        ("stage=prod", "-created", "sqlite_autoindex_models_2", "m"),
        ("rare=1", "-created", "ix_model_facts_kind_name_text", "m"),
    ],
)
def test_searches_go_by_indexes_when_there_are_very_many(
    file_catalog: SqlCatalog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    sort: str,
    leads: str,
    name: str | None,
) -> None:
    monkeypatch.setattr("mlalm_jupyter.adapters.catalog.model_search._FEW", 5)
    kept(
        file_catalog,
        *(
            model(
                "m",
                number,
                tags={"stage": "prod"} | ({"rare": "1"} if number == 7 else {}),
                metrics={"auc": 1 - number / 1000},
            )
            for number in range(1, 200)
        ),
    )
    with watched() as sent, file_catalog.read() as tx:
        tx.models.search(Search(name, Term.all_in(where), Sorting.parse(sort), limit=50))
    with contextlib.closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection:
        plans = [
            [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            for statement, parameters in sent
        ]
    steps = [step for plan in plans for step in plan]
    assert any(leads in step for step in steps), steps
    assert (
        name is None
        or not leads.startswith("ix")
        or not any("SEARCH models USING" in step and "(name=?)" in step for step in steps)
    ), steps
    for step in steps:
        assert not step.startswith("SCAN") or "USING" in step or "CONSTANT" in step or "SUBQUERY" in step, (
            steps
        )
    if leads.startswith(("ix_models", "sqlite")):
        assert not any("TEMP B-TREE" in step for step in steps), steps


def test_the_newest_of_each_name_steps_over_their_versions(file_catalog: SqlCatalog) -> None:
    kept(file_catalog, *(model(name, version) for name in ("b", "a", "c") for version in (1, 2, 3)))
    with file_catalog.read() as tx:
        assert [one.reference for one in tx.models.find()] == ["a:3", "b:3", "c:3"]
