"""Events in the catalog: written once, in order, and never changed."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from mlalm_jupyter.adapters.catalog import SqlCatalog
from mlalm_jupyter.ports import Catalog
from tests.contract.catalog_nouns import at, event


def test_events_are_numbered_in_the_order_they_were_written(catalog: Catalog) -> None:
    with catalog.write() as tx:
        assert tx.events.last_seq() == 0
        assert [tx.events.append(event(at=at(9 - second))) for second in range(3)] == [1, 2, 3]
        assert tx.events.last_seq() == 3
    with catalog.read() as tx:
        assert [one.seq for one in tx.events.find()] == [1, 2, 3]


def test_an_event_comes_back_as_it_was_written(catalog: Catalog) -> None:
    written = event(data={"model": None, "models": ["a:1"], "revision": 3, "ü": "ß"})
    with catalog.write() as tx:
        seq = tx.events.append(written)
    with catalog.read() as tx:
        assert tx.events.find() == [replace(written, seq=seq)]


def test_events_are_found_by_noun_and_subject(catalog: Catalog) -> None:
    with catalog.write() as tx:
        for noun in ("model", "run"):
            for subject in ("a" * 32, "b" * 32):
                tx.events.append(event(noun=noun, subject_id=subject))
    with catalog.read() as tx:
        assert [one.seq for one in tx.events.find(noun="run")] == [3, 4]
        assert [one.seq for one in tx.events.find(subject_id="b" * 32)] == [2, 4]
        assert [one.seq for one in tx.events.find(noun="model", subject_id="b" * 32)] == [2]


def test_a_limit_keeps_the_newest_in_the_order_of_reading(catalog: Catalog) -> None:
    with catalog.write() as tx:
        for _ in range(5):
            tx.events.append(event())
    with catalog.read() as tx:
        assert [one.seq for one in tx.events.find(limit=2)] == [4, 5]


@pytest.mark.parametrize("change", ["UPDATE events SET by = 'eve'", "DELETE FROM events"])
def test_the_table_itself_refuses_changes(file_catalog: SqlCatalog, tmp_path: Path, change: str) -> None:
    with file_catalog.write() as tx:
        tx.events.append(event())
    with contextlib.closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
            connection.execute(change)
        connection.rollback()
    with file_catalog.read() as tx:
        assert [one.by for one in tx.events.find()] == ["ann"]
