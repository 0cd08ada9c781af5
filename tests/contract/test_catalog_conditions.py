"""Which runs meet a condition, and in which order they come."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.run import Condition, Findings, Snapshot, Sorting, time_since
from mlalm_jupyter.ports import Catalog
from tests.contract.catalog_nouns import digest, experiment, run

Asked = Callable[..., list[str]]

GIVEN: dict[str, tuple[dict[str, object], dict[str, float], dict[str, str]]] = {
    "a": ({"depth": 2, "größe": 3}, {"auc": 0.7}, {"build": "5", "kind": "forest"}),
    "b": ({"depth": "deep", "flag": True}, {"auc": 0.9}, {"build": "12", "kind": "tree"}),
    "c": ({"depth": -3.5, "flag": False}, {"a name, x>=1": 4.0}, {"build": "nightly"}),
    "d": ({"depth": None, "grid": [1, 2]}, {"depth": 7.0}, {}),
}


@pytest.fixture
def asked(catalog: Catalog) -> Asked:
    """The names of the runs that a question finds."""
    one = experiment()
    with catalog.write() as tx:
        tx.experiments.add(one)
        for second, (name, (parameters, metrics, tags)) in enumerate(GIVEN.items()):
            tx.runs.add(
                replace(
                    run(one, second),
                    snapshot=Snapshot(digest(name), parameters, message=name),
                    findings=Findings(metrics=metrics),
                    tags=tags,
                )
            )

    def found(where: str = "", *, sort: str | None = None) -> list[str]:
        with catalog.read() as tx:
            runs = tx.runs.find(
                experiment_id=one.id,
                where=Condition.all_in(where),
                sort=Sorting.parse(sort) if sort else None,
            )
        return [each.snapshot.message for each in runs]

    return found


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("build=5", "a"),
        ("'build'=5", "a"),
        ('"a name, x>=1" = 4', "c"),
        ("'a name, x>=1'>3, kind!='tree, or not'", "c"),
        ("build>=5", "ba"),
        ("build!=5", "dcb"),
        ("build<100", "ba"),
        ("build=nightly", "c"),
        ("kind!=forest", "dcb"),
        ("kind!=forest, kind!=tree", "dc"),
        ("depth<1", "c"),
        ("depth>=0", "da"),
        ("depth=deep", "b"),
        ("depth!=deep", "dca"),
        ("depth=7", "d"),
        ("depth='2'", "a"),
        ("flag=True", "b"),
        ("flag=false", "c"),
        ("flag!=true", "dca"),
        ("flag=1", ""),
        ("größe=3", "a"),
        ("auc>0.5, kind=tree", "b"),
        ("kind>=0", ""),
    ],
)
def test_a_condition_is_met_by_numbers_words_and_flags_wherever_they_stand(
    asked: Asked, where: str, names: str
) -> None:
    assert asked(where) == list(names)


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("auc", "abdc"),
        ("-auc", "badc"),
        ("build", "abcd"),
        ("-build", "cbad"),
        ("kind", "abdc"),
        ("depth", "cadb"),
        ("-größe", "adcb"),
        ("time", "abcd"),
    ],
)
def test_runs_are_in_the_order_of_numbers_then_words_and_those_without_come_last(
    asked: Asked, sort: str, names: str
) -> None:
    assert asked(sort=sort) == list(names)


def test_a_metric_that_is_no_finite_number_is_kept_found_and_sorted_behind_those_that_are(
    catalog: Catalog,
) -> None:
    one = experiment()
    given = {"nan": math.nan, "less": -math.inf, "half": 0.5, "more": math.inf}
    with catalog.write() as tx:
        tx.experiments.add(one)
        for second, (name, number) in enumerate(given.items()):
            findings = Findings(metrics={"loss": number})
            snapshot = Snapshot(digest(name), message=name)
            tx.runs.add(replace(run(one, second), snapshot=snapshot, findings=findings))

    def found(where: str = "", sort: str = "loss") -> list[str]:
        with catalog.read() as tx:
            conditions, order = Condition.all_in(where), Sorting.parse(sort)
            runs = tx.runs.find(experiment_id=one.id, where=conditions, sort=order)
        for each in runs:
            assert repr(each.findings.metrics["loss"]) == repr(given[each.snapshot.message])
        return [each.snapshot.message for each in runs]

    assert found() == ["less", "half", "more", "nan"]
    assert found(sort="-loss") == ["more", "half", "less", "nan"]
    assert found("loss=nan") == ["nan"]
    assert found("loss!=nan") == ["less", "half", "more"]
    assert found("loss>=0.5") == ["half", "more"]
    assert found("loss<1") == ["less", "half"]
    assert found("loss=inf") == ["more"]
    assert found("loss!=-inf") == ["half", "more", "nan"]
    assert found("loss<inf") == ["less", "half"]


def test_the_names_that_runs_can_be_sorted_by_are_known(catalog: Catalog, asked: Asked) -> None:
    with catalog.read() as tx:
        (one,) = tx.experiments.find()
        assert tx.runs.names_of(one.id) == [
            "a name, x>=1",
            "auc",
            "build",
            "depth",
            "flag",
            "grid",
            "größe",
            "kind",
        ]
        assert tx.runs.names_of("0" * 32) == []


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-21", "2026-11-21T00:00:00.000000Z"),
        ("2026-11-21T20:29:58+09:00", "2026-11-21T11:29:58.000000Z"),
        ("2026-11-21 12:08:40", "2026-11-21T12:08:40.000000Z"),
        (" 2026-11-21 12:08:40 UTC ", "2026-11-21T12:08:40.000000Z"),
        ("2026-11-21T12:08:40.25Z", "2026-11-21T12:08:40.250000Z"),
    ],
)
def test_a_time_means_what_lists_show_unless_it_says_its_zone(text: str, time: str) -> None:
    assert time_since(text) == time


@pytest.mark.parametrize("text", ["yesterday", "21.11.2026", "", "0001-01-01T00:00+14:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="such as 2026-11-01"):
        time_since(text)


@pytest.mark.parametrize("text", ["kind<forest", "auc<nan", "auc>Infinity"])
def test_words_have_no_more_or_less(text: str) -> None:
    with pytest.raises(InvalidInput, match="a number after"):
        Condition.parse(text)
