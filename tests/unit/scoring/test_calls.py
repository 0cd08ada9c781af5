"""The table of calls: never more at once than an endpoint's limit says, over all scorers."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlalm_jupyter.domain.errors import Corrupt, Unavailable
from mlalm_jupyter.scoring.calls import CallTable
from mlalm_jupyter.scoring.generation import Generation

ID = "0193ab0000007000800000000000000"
WAIT_S = 60
SPAWN = multiprocessing.get_context("spawn")


class Tables:
    """The files that scorers share, and a view for the scorer of each slot."""

    def __init__(self, folder: Path, *, slots: int = 3, rows: int = 4) -> None:
        self.folder = folder
        self.generation = Generation.create(folder / "generation", slots=slots)
        CallTable.create(folder / "calls", slots=slots, rows=rows)

    def of(self, slot: int) -> CallTable:
        self.generation.claim(slot, 4711)
        return CallTable(self.folder / "calls", self.generation, slot)


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(tmp_path)


def test_as_many_calls_enter_as_the_limit_says_whichever_scorers_they_come_to(tables: Tables) -> None:
    gates = [tables.of(slot).gate(ID + "1", 4) for slot in range(3)]
    assert [gate.enter() for gate in (*gates, *gates)] == [True] * 4 + [False] * 2
    gates[0].leave()
    assert [gates[2].enter(), gates[1].enter()] == [True, False]


def test_endpoints_have_places_of_their_own_and_a_limit_may_change_meanwhile(tables: Tables) -> None:
    table = tables.of(0)
    one, other = table.gate(ID + "1", 1), table.gate(ID + "2", 1)
    assert (one.enter(), other.enter(), one.enter()) == (True, True, False)
    wider = tables.of(1).gate(ID + "1", 2)
    assert (wider.enter(), wider.enter()) == (True, False)
    # a call leaves by the gate it came in by
    one.leave()
    assert table.gate(ID + "1", 2).enter()


def test_the_calls_of_a_dead_scorer_count_no_more(tables: Tables) -> None:
    gate = tables.of(0).gate(ID + "1", 1)
    assert tables.of(1).gate(ID + "1", 1).enter()
    assert not gate.enter()
    tables.generation.release(1)
    assert gate.enter()
    gate.leave()
    again = tables.of(1)
    again.clear()
    assert again.gate(ID + "1", 1).enter()
    assert not gate.enter()


def test_a_row_that_is_idle_and_no_longer_wanted_is_given_to_another(tables: Tables) -> None:
    table = tables.of(0)
    gates = [table.gate(f"{ID}{number}", 1) for number in range(1, 5)]
    busy = gates[0]
    assert busy.enter()
    with pytest.raises(Unavailable, match="4 endpoints of this server have one already"):
        table.gate(ID + "9", 1, in_use=lambda: {f"{ID}{number}" for number in range(2, 5)})
    fresh = tables.of(1).gate(ID + "9", 1, in_use=lambda: {ID + "2", ID + "3"})
    assert fresh.enter()
    busy.leave()
    # whoever knew the row by its earlier owner looks again
    assert table.gate(ID + "4", 1, in_use=lambda: {ID + "2", ID + "3", ID + "9"}).enter()


def _hammer(folder: str, slot: int, times: int, limit: int, held: Any, most: Any) -> None:
    generation = Generation(Path(folder) / "generation")
    generation.claim(slot, os.getpid())
    gate = CallTable(Path(folder) / "calls", generation, slot).gate(ID + "1", limit)
    chance = random.Random(slot)
    inside = 0
    for _ in range(times):
        if inside and chance.random() < 0.5:
            with held.get_lock():
                held.value -= 1
            gate.leave()
            inside -= 1
        elif gate.enter():
            inside += 1
            with held.get_lock():
                held.value += 1
                most.value = max(most.value, held.value)
    for _ in range(inside):
        with held.get_lock():
            held.value -= 1
        gate.leave()


@pytest.mark.prove_services
@pytest.mark.parametrize("limit", [1, 4])
def test_no_number_of_scorers_ever_lets_more_in_than_the_limit(
    tables: Tables, limit: int, counts: Callable[[int, int], int]
) -> None:
    held, most = SPAWN.Value("i", 0), SPAWN.Value("i", 0)
    times = counts(20_000, 1_000_000)
    others = [
        SPAWN.Process(target=_hammer, args=(str(tables.folder), slot, times, limit, held, most))
        for slot in range(3)
    ]
    for process in others:
        process.start()
    for process in others:
        process.join(timeout=150)
        assert process.exitcode == 0
    assert most.value == limit
    assert tables.of(0).count(0) == 0


def _hold(folder: str, ready: Any) -> None:
    generation = Generation(Path(folder) / "generation")
    generation.claim(1, os.getpid())
    gate = CallTable(Path(folder) / "calls", generation, 1).gate(ID + "1", 2)
    ready.put([gate.enter(), gate.enter()])
    signal.pause()


def test_a_killed_scorer_leaves_its_places_to_the_one_that_replaces_it(tables: Tables) -> None:
    ready = SPAWN.Queue()
    process = SPAWN.Process(target=_hold, args=(str(tables.folder), ready))
    process.start()
    assert ready.get(timeout=WAIT_S) == [True, True]
    process.kill()
    process.join(timeout=WAIT_S)
    mine = tables.of(0).gate(ID + "1", 2)
    assert not mine.enter(), "until somebody notices, they count"
    again = CallTable(tables.folder / "calls", tables.generation, 1)
    again.clear()
    assert mine.enter()


@pytest.mark.parametrize("damage", [b"", b"x" * 4096, struct.pack("<QQQ", 7, 4, 3).ljust(512, b"\0")])
def test_a_damaged_table_is_named(tables: Tables, damage: bytes) -> None:
    (tables.folder / "calls").write_bytes(damage)
    with pytest.raises(Corrupt, match="table of calls"):
        tables.of(0)


def test_a_new_table_is_not_touched_by_who_has_the_old_one_open(tables: Tables) -> None:
    old = tables.of(0).gate(ID + "1", 1)
    CallTable.create(tables.folder / "calls", slots=3, rows=4)
    assert old.enter()
    assert tables.of(1).gate(ID + "1", 1).enter()
