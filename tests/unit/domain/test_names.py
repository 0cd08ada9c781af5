from __future__ import annotations

import pytest

from mlalm_jupyter.domain.asset import next_version
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.job import Job, JobState, after_lost_owner
from mlalm_jupyter.domain.names import AssetRef, EndpointRef, id_prefix
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema, Signature


def test_an_asset_is_named_with_or_without_version() -> None:
    assert AssetRef.parse("model", "wine") == AssetRef("model", "wine", None)
    assert str(AssetRef.parse("model", "wine:12")) == "wine:12"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":1",
        "wine:",
        "wine:0",
        "wine:-1",
        "wine:x",
        "wi ne",
        "../wine",
        "wine:1:2",
        "wine:01",
        "wine:" + "1" * 5000,
        "w" * 129,
    ],
)
def test_what_is_no_asset_reference_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        AssetRef.parse("model", text)


def test_a_service_alone_means_its_default_endpoint() -> None:
    assert EndpointRef.parse("wine") == EndpointRef("wine", "default")
    assert str(EndpointRef.parse("wine/ep2")) == "wine/ep2"


@pytest.mark.parametrize("text", ["wine/", "wine/EP", "wine/e-p", "wine/" + "e" * 25, "/ep", "a/b/c"])
def test_what_is_no_endpoint_reference_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        EndpointRef.parse(text)


def test_an_id_may_be_shortened_and_marked() -> None:
    assert id_prefix("run", "run:0193AB") == "0193ab"
    with pytest.raises(InvalidInput, match="at least 4 hex digits"):
        id_prefix("run", "abc")


def test_the_next_version_follows_the_last_one_given() -> None:
    assert [next_version(0), next_version(7)] == [1, 8]


def job(*, attempt: int, cancel: bool = False) -> Job:
    return Job("j" * 32, "run", {}, JobState.RUNNING, attempt, 3, "t", "ann", cancel_requested=cancel)


def test_a_lost_job_is_queued_again_while_attempts_are_left() -> None:
    assert after_lost_owner(job(attempt=2)) is JobState.QUEUED
    assert after_lost_owner(job(attempt=3)) is JobState.FAILED
    assert after_lost_owner(job(attempt=1, cancel=True)) is JobState.CANCELED


def test_a_signature_keeps_the_order_of_its_columns() -> None:
    schema = Schema((Column("b", ColumnType.DATETIME), Column("a", ColumnType.BOOLEAN, nullable=False)))
    signature = Signature(schema, Schema())
    assert Signature.from_dict(signature.to_dict()) == signature


def test_a_column_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'a' twice"):
        Schema((Column("a", ColumnType.INT64), Column("a", ColumnType.STRING)))
