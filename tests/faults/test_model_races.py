"""Many who register, move aliases, deploy and delete at once: no number twice, no reference that leads nowhere."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.errors import Conflict, NotFound
from mlalm_jupyter.workspace import Workspace

pytestmark = [pytest.mark.prove_models, pytest.mark.timeout(3600)]

ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
REGISTER = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from mlalm_jupyter import Workspace

def register(_):
    with Workspace.open(sys.argv[1]) as ws:
        return ws.models.register(sys.argv[2], "line").version

with ThreadPoolExecutor(int(sys.argv[3])) as pool:
    print(*pool.map(register, range(int(sys.argv[3]))))
"""


def fitted(factor: float) -> LinearRegression:
    return LinearRegression().fit(ROWS, ROWS["a"] * factor)


@pytest.mark.full
def test_a_hundred_who_register_at_once_get_a_hundred_numbers_in_a_row(hosted: Workspace) -> None:
    hosted.models.register(fitted(1), "line", sample=ROWS)
    file = str(hosted.path / "line.ilearner")
    hosted.models.download("line:1", file)
    words = [sys.executable, "-c", REGISTER, str(hosted.path), file, "25"]
    all_of_them = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    said = [one.communicate(timeout=300) for one in all_of_them]
    assert [one.returncode for one in all_of_them] == [0] * 4, said
    assert sorted(int(word) for out, _ in said for word in out.split()) == list(range(2, 102))
    assert {one.version for one in hosted.models.list(name="line", limit=200)} == set(range(1, 102))
    assert hosted.workspaces.doctor().is_healthy


def test_equal_bytes_that_many_register_if_changed_are_one_version(hosted: Workspace) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(
                lambda _: hosted.models.register(fitted(1), "line", sample=ROWS, if_changed=True).version,
                range(24),
            )
        )
    assert set(made) == {1}
    assert len(hosted.models.list(name="line")) == 1


def test_an_alias_that_many_move_goes_through_every_move_once(
    hosted: Workspace, counts: Callable[[int, int], int]
) -> None:
    each = counts(15, 100)
    for factor in range(1, 5):
        hosted.models.register(fitted(factor), "line", sample=ROWS)

    def move(seed: int) -> int:
        chance, moved = random.Random(seed), 0
        with Workspace.open(hosted.path) as ws:
            for _ in range(each):
                if ws.models.alias(f"line:{chance.randint(1, 4)}", "champion").note is None:
                    moved += 1
        return moved

    with ThreadPoolExecutor(4) as pool:
        moved = sum(pool.map(move, range(4)))
    history = hosted.models.history("line@champion", limit=10_000)
    assert [one.data["revision"] for one in history] == list(range(1, moved + 1))
    assert [one.data["from"] for one in history[1:]] == [one.data["to"] for one in history[:-1]]
    assert hosted.models.show("line@champion").reference == history[-1].data["to"]


def test_deleting_against_deploying_leaves_nothing_that_leads_nowhere(
    hosted: Workspace, counts: Callable[[int, int], int], figures: Counter[str]
) -> None:
    rounds = counts(25, 1000)
    chance = random.Random(11)
    hosted.models.register(fitted(1), "line", sample=ROWS)
    hosted.services.deploy("line:1", "line")
    for name in ("ep2", "ep3"):
        hosted.endpoints.add(f"line/{name}")
    hosted.models.alias("line:1", "champion")
    ends: Counter[str] = Counter()
    for number in range(rounds):
        spare = hosted.models.register(fitted(chance.random()), "line", sample=ROWS).reference
        start = threading.Barrier(2)
        reach = chance.choice(
            [
                lambda ws, one: ws.endpoints.patch("line/ep2", model=one),
                lambda ws, one: ws.endpoints.patch("line/ep3", model=one),
                lambda ws, one: ws.services.deploy(one, "line", update=True),
                lambda ws, one: ws.models.alias(one, "champion"),
            ]
        )

        def race(
            do: Callable[[Workspace], object], word: str, pause_s: float, start: threading.Barrier = start
        ) -> None:
            with Workspace.open(hosted.path) as ws:
                start.wait(30)
                threading.Event().wait(pause_s)
                try:
                    do(ws)
                    ends[word] += 1
                except (Conflict, NotFound):
                    ends[f"{word} refused"] += 1

        both = [
            threading.Thread(
                target=race,
                args=(
                    lambda ws, one=spare: ws.models.delete(one, yes=True),
                    "deleted",
                    chance.uniform(0, 0.06),
                ),
            ),
            threading.Thread(
                target=race,
                args=(lambda ws, one=spare, do=reach: do(ws, one), "reached", chance.uniform(0, 0.01)),
            ),
        ]
        for one in both:
            one.start()
        for one in both:
            one.join(60)
        with hosted.catalog.read() as tx:
            kept = {one.reference for one in tx.models.find(name="line")}
            served = {one.model for one in tx.endpoints.find()}
            alias = tx.models.alias("line", "champion").model
        assert served <= kept, number
        assert alias in kept, number
    assert ends["deleted"] + ends["reached"] == rounds, "one of the two always wins, and never both"
    for endpoint in hosted.endpoints.list():
        assert hosted.services.score(endpoint.reference, ROWS).model == endpoint.model
    assert hosted.workspaces.doctor().findings == ()
    figures["rounds of deleting against deploying, patching or an alias"] += rounds
    figures["  of these deleted first"] += ends["deleted"]


def naming(ws: Workspace, reference: str, name: str) -> str:
    """A notebook that loads a version."""
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None}
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [{**cell, "source": f"ws.models.load('{reference}')"}],
    }
    (ws.path / name).write_text(json.dumps(content))
    return str(ws.path / name)


def test_deleting_against_a_snapshot_or_a_definition_file_leaves_nothing_that_leads_nowhere(
    hosted: Workspace, counts: Callable[[int, int], int], figures: Counter[str]
) -> None:
    rounds = counts(12, 500)
    chance = random.Random(17)
    hosted.models.register(fitted(1), "line", sample=ROWS)
    ends: Counter[str] = Counter()
    for number in range(rounds):
        spare = hosted.models.register(fitted(chance.random()), "line", sample=ROWS).reference
        is_snapshot = number % 2 == 0
        notebook = naming(hosted, spare, f"n{number}.ipynb") if is_snapshot else ""
        file = str(hosted.path / f"w{number}.wsd.json")

        def reach(spare: str = spare, notebook: str = notebook, file: str = file) -> None:
            with Workspace.open(hosted.path) as ws:
                if notebook:
                    ws.experiments.snapshot(notebook)
                    return
                try:
                    ws.definitions.export(spare, file)
                    ends["exported"] += 1
                except NotFound:
                    ends["export refused"] += 1

        def delete(spare: str = spare, pause_s: float = chance.uniform(0, 0.05)) -> None:
            with Workspace.open(hosted.path) as ws:
                threading.Event().wait(pause_s)
                try:
                    ws.models.delete(spare, yes=True)
                    ends["deleted"] += 1
                except Conflict:
                    ends["refused"] += 1

        with ThreadPoolExecutor(2) as pool:
            for one in [pool.submit(reach), pool.submit(delete)]:
                one.result(60)
        kept = {one.reference for one in hosted.models.list(name="line", limit=10_000)}
        for run in hosted.experiments.history(f"n{number}.ipynb") if is_snapshot else ():
            assert {pin.reference for pin in run.snapshot.assets if pin.kind == "model"} <= kept, number
        if not is_snapshot:
            assert (hosted.path / f"w{number}.wsd.json").exists() == (spare in kept), number
    assert ends["deleted"] + ends["refused"] == rounds
    figures["rounds of deleting against a snapshot or a WSD file"] += rounds
    figures["  of these deleted first"] += ends["deleted"]


def test_two_who_register_while_an_endpoint_follows_leave_it_at_the_newest(
    hosted: Workspace, counts: Callable[[int, int], int]
) -> None:
    hosted.models.register(fitted(1), "line", sample=ROWS)
    hosted.services.deploy("line:1", "line")
    hosted.endpoints.add("line/ep2")
    hosted.policies.add("new", "follow", endpoint="line/ep2", model="line")

    def register(seed: int) -> None:
        chance = random.Random(seed)
        with Workspace.open(hosted.path) as ws:
            for _ in range(counts(6, 60)):
                ws.models.register(fitted(chance.random()), "line", sample=ROWS)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(register, range(3)))
    hosted.following.catch_up()
    newest = hosted.models.show("line").reference
    assert newest == f"line:{1 + 3 * counts(6, 60)}"
    assert hosted.endpoints.show("line/ep2").model == newest
    assert hosted.services.score("line/ep2", ROWS).model == newest
