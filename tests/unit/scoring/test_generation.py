"""The counter that tells scorers of a change."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from mlalm_jupyter.domain.errors import Corrupt
from mlalm_jupyter.scoring.generation import Generation


@pytest.fixture
def counter(tmp_path: Path) -> Generation:
    return Generation.create(tmp_path / "generation", slots=2)


def _bump(path: str, times: int) -> None:
    counter = Generation(Path(path))
    for _ in range(times):
        counter.bump()


def test_a_bump_is_seen_by_everyone_who_has_it_open(counter: Generation) -> None:
    other = Generation(counter.path)
    before = other.current()
    assert counter.bump() == before + 1
    assert other.current() == before + 1


def test_no_bump_of_many_processes_is_lost(counter: Generation) -> None:
    before = counter.current()
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_bump, args=(str(counter.path), 500)) for _ in range(3)]
    for process in others:
        process.start()
    for process in others:
        process.join(timeout=60)
        assert process.exitcode == 0
    assert counter.current() == before + 1500


def test_only_taken_slots_are_told_of(counter: Generation) -> None:
    assert counter.acks() == {}
    counter.claim(1, 4711)
    assert counter.acks() == {1: (4711, 0)}
    counter.ack(1, 9)
    assert Generation(counter.path).acks() == {1: (4711, 9)}
    counter.release(1)
    assert counter.acks() == {}


def test_a_slot_that_is_taken_again_has_acknowledged_nothing(counter: Generation) -> None:
    counter.claim(0, 1)
    counter.ack(0, 5)
    counter.claim(0, 2)
    assert counter.acks() == {0: (2, 0)}


def test_a_new_server_empties_the_slots_and_goes_on_counting(counter: Generation) -> None:
    counter.claim(0, 1)
    number = counter.bump()
    again = Generation.create(counter.path, slots=4)
    assert (again.current(), again.acks(), again.slots) == (number, {}, 4)


@pytest.mark.parametrize("damage", [b"", b"x" * 4096, b"mlalmgn1"])
def test_a_damaged_counter_is_named_and_a_new_server_makes_it_anew(
    counter: Generation, damage: bytes
) -> None:
    path = counter.path
    counter.close()
    path.unlink()
    path.write_bytes(damage)
    with pytest.raises(Corrupt, match="generation file"):
        Generation(path)
    assert Generation.create(path, slots=2).current() >= 1
