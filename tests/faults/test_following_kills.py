"""Who registers a model may die before what follows it has moved; the server moves it all the same."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.errors import Unavailable
from mlalm_jupyter.workspace import Workspace

pytestmark = [pytest.mark.prove_models, pytest.mark.timeout(1800)]

ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
WAIT_S = 60.0
REGISTER = """
import os, signal, sys
from mlalm_jupyter import Workspace

with Workspace.open(sys.argv[1]) as ws:
    if sys.argv[4] == "at once":
        ws.following.catch_up = lambda name=None: os.kill(os.getpid(), signal.SIGKILL)
    print("ready", flush=True)
    if sys.argv[2].endswith(".ilearner"):
        ws.models.register(sys.argv[2], sys.argv[3])
    else:
        ws.models.alias(sys.argv[2], sys.argv[3])
"""


def fitted(factor: float) -> LinearRegression:
    return LinearRegression().fit(ROWS, ROWS["a"] * factor)


def killed(ws: Workspace, *words: str) -> None:
    """A process that dies as soon as it has written, and before it moves anything."""
    done = subprocess.run(
        [sys.executable, "-c", REGISTER, str(ws.path), *words, "at once"], timeout=120, check=False
    )
    assert done.returncode == -9


def until_followed(ws: Workspace, policy: str, model: str) -> None:
    """Wait until a policy has acted on a version, which it says when all scorers serve it."""
    deadline = time.monotonic() + WAIT_S
    while (found := ws.policies.show(policy)).applied != model:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    assert ws.endpoints.show(str(found.endpoint)).model == model


def served(ws: Workspace) -> None:
    ws.models.register(fitted(1), "line", sample=ROWS)
    ws.services.deploy("line:1", "line")
    ws.endpoints.add("line/ep2")


@pytest.mark.full
def test_a_version_whose_registrar_was_killed_is_followed(hosted: Workspace, tmp_path: Path) -> None:
    served(hosted)
    hosted.policies.add("new", "follow", endpoint="line/ep2", model="line")
    hosted.models.register(fitted(2), "other", sample=ROWS)
    hosted.models.download("other:1", str(tmp_path / "next.ilearner"))
    killed(hosted, str(tmp_path / "next.ilearner"), "line")
    assert hosted.models.show("line").version == 2
    until_followed(hosted, "new", "line:2")
    assert hosted.services.score("line/ep2", ROWS).model == "line:2"
    assert hosted.policies.show("new").note == "Policy new moved line/ep2 to line:2."


@pytest.mark.full
def test_an_alias_that_was_moved_while_no_server_ran_is_followed_when_one_starts(
    workspace: Workspace,
) -> None:
    served(workspace)
    workspace.models.register(fitted(2), "line", sample=ROWS)
    workspace.models.alias("line:1", "champion")
    workspace.policies.add("champ", "follow", endpoint="line/ep2", model="line@champion")
    workspace.server.stop()
    killed(workspace, "line:2", "champion")
    assert workspace.endpoints.show("line/ep2").model == "line:1"
    workspace.server.start()
    until_followed(workspace, "champ", "line:2")
    assert workspace.endpoints.show("line/default").model == "line:1"


def test_whenever_a_registrar_is_killed_the_endpoint_ends_at_the_newest_version(
    hosted: Workspace, tmp_path: Path, counts: Callable[[int, int], int], figures: Counter[str]
) -> None:
    served(hosted)
    hosted.policies.add("new", "follow", endpoint="line/ep2", model="line")
    chance = random.Random(5)
    for number in range(counts(2, 60)):
        file = tmp_path / f"{number}.ilearner"
        hosted.models.register(fitted(2 + number), "other", sample=ROWS)
        hosted.models.download("other", str(file))
        words = [sys.executable, "-c", REGISTER, str(hosted.path), str(file), "line", "later"]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            time.sleep(chance.uniform(0.3, 1.5))
            process.kill()
        newest = hosted.models.show("line").reference
        until_followed(hosted, "new", newest)
        figures["registrars of followed models killed"] += 1
    assert hosted.services.score("line/ep2", ROWS).model == hosted.models.show("line").reference
    assert hosted.workspaces.doctor().findings == ()


def test_what_cannot_be_done_now_is_left_to_do_and_told(
    hosted: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(hosted)
    hosted.policies.add("new", "follow", endpoint="line/ep2", model="line")
    with monkeypatch.context() as patched:

        def away(*_: object) -> None:
            raise Unavailable("No scorer was asked.", why="None answers.", fix="Try again.")

        patched.setattr(hosted.context.host, "prepare", away)
        made = hosted.models.register(fitted(2), "line", sample=ROWS)
    assert str(made.note).startswith("Policy new has yet to move line/ep2 to line:2: No scorer was asked.")
    shown = hosted.policies.show("new")
    assert (shown.applied, shown.note) in (
        ("line:1", made.note),
        ("line:2", "Policy new moved line/ep2 to line:2."),
    )
    until_followed(hosted, "new", "line:2")


def test_who_acts_on_an_older_look_moves_nothing_back(hosted: Workspace) -> None:
    served(hosted)
    hosted.policies.add("new", "follow", endpoint="line/ep2", model="line")
    late = hosted.endpoints.patch_at
    moves: list[str] = []

    def overtaken(endpoint: str, *, model: str, revision: int | None = None) -> object:
        if not moves:
            moves.append(model)
            with Workspace.open(hosted.path) as other:
                other.models.register(fitted(3), "line", sample=ROWS)
        return late(endpoint, model=model, revision=revision)

    hosted.endpoints.patch_at = overtaken  # type: ignore[method-assign,assignment]
    hosted.models.register(fitted(2), "line", sample=ROWS)
    assert moves == ["line:2"]
    assert hosted.endpoints.show("line/ep2").model == "line:3"
    assert hosted.policies.show("new").applied == "line:3"
