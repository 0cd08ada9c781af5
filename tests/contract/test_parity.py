"""Every verb, on all four surfaces, answers the same and leaves the same behind."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mlalm_jupyter.api.verb import Verb
from mlalm_jupyter.api.verbs import VERBS, find
from mlalm_jupyter.plugins import service_host
from mlalm_jupyter.workspace import Workspace
from tests.contract.four_surfaces import InCells, InPython, InTerminal, Refused, Surface, jupyter_server
from tests.contract.left_behind import alike, state
from tests.contract.parity_scenarios import REFUSALS, SCENARIOS, Arguments, Scenario, service, table

pytestmark = [pytest.mark.prove_skeleton, pytest.mark.timeout(300)]

# the server of all the others is stopped and started by one surface after the other, in the last test
TURNS = (find("server", "stop"), find("server", "start"))
LONG = (find("retrain", "run"), find("run", "replay"))
IN_ANY_ORDER = [
    pytest.param(verb, marks=[pytest.mark.full] if verb in LONG else [], id=f"{verb.noun}-{verb.name}")
    for verb in VERBS
    if verb not in TURNS
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home and one server for the workspaces of all surfaces."""
    folder = tmp_path_factory.mktemp("parity")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLALM_HOME", str(folder / "home"))
        for name in ("MLALM_WORKSPACE", "MLALM_RUN", "MLALM_JOB"):
            patch.delenv(name, raising=False)
        patch.chdir(folder)
        yield folder
        service_host()().stop()


@pytest.fixture(scope="module")
def surfaces(place: Path) -> Iterator[Sequence[Surface]]:
    cells = InCells()
    with jupyter_server(place / "jupyter") as rest:
        yield [InPython(), InTerminal(), cells, rest]
    cells.close()


@pytest.fixture(scope="module")
def fresh(place: Path) -> Callable[[str], Workspace]:
    numbers = itertools.count()
    return lambda surface: Workspace.init(place / f"{surface}{next(numbers)}" / "ws")


def outcome(
    surface: Surface, verb: Verb, prepare: Callable[[Workspace], Arguments], made: Workspace
) -> tuple[dict[str, Any], bool]:
    """What a verb answers and leaves behind in a fresh workspace, and whether it changed anything."""
    with made as workspace:
        arguments = prepare(workspace)
    before = state(workspace.path)
    try:
        answer = {"result": surface.ask(verb, arguments, workspace.path)}
    except Refused as refused:
        answer = {"error": refused.fault}
    after = state(workspace.path)
    # the answer first and the state after it, so that the same ids get the same numbers in both
    return alike({**answer, "state": after}, workspace.path), before != after


def test_no_verb_is_without_a_scenario() -> None:
    assert set(SCENARIOS) == {(verb.noun, verb.name) for verb in VERBS}


@pytest.mark.parametrize("verb", IN_ANY_ORDER)
def test_every_surface_answers_and_leaves_the_same(
    verb: Verb, surfaces: Sequence[Surface], fresh: Callable[[str], Workspace]
) -> None:
    _compare([verb], surfaces, fresh)


def _compare(verbs: Sequence[Verb], surfaces: Sequence[Surface], fresh: Callable[[str], Workspace]) -> None:
    """Have each surface do the verbs, and hold the outcomes against those of Python."""
    outcomes: dict[str, list[dict[str, Any]]] = {}
    for surface in surfaces:
        outcomes[surface.name] = []
        for verb in verbs:
            scenario = SCENARIOS[verb.noun, verb.name]
            found, changed = outcome(surface, verb, scenario.prepare, fresh(surface.name))
            assert "result" in found, (surface.name, found["error"])
            assert changed == scenario.changes, surface.name
            outcomes[surface.name].append(_compared(found, scenario))
    for name, found_here in outcomes.items():
        assert found_here == outcomes["python"], name


def _compared(found: dict[str, Any], scenario: Scenario) -> dict[str, Any]:
    if scenario.is_loose and "result" in found:
        assert found["result"], "an answer of the moment is not nothing"
        return {**found, "result": type(found["result"]).__name__}
    return found


@pytest.mark.parametrize("code", REFUSALS)
def test_every_surface_refuses_in_the_same_words_and_changes_nothing(
    code: str, surfaces: Sequence[Surface], fresh: Callable[[str], Workspace]
) -> None:
    noun, name, prepare = REFUSALS[code]
    outcomes = {}
    for surface in surfaces:
        outcomes[surface.name], changed = outcome(surface, find(noun, name), prepare, fresh(surface.name))
        assert not changed, surface.name
    assert outcomes["python"]["error"]["code"] == code
    for found in outcomes.values():
        assert found == outcomes["python"]


def test_a_real_terminal_does_what_python_does(place: Path, fresh: Callable[[str], Workspace]) -> None:
    with fresh("process") as workspace:
        service(workspace)
        rows = table(workspace)
        expected = workspace.services.score("hours", rows).to_dict()["rows"]
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "mlalm_jupyter.surfaces.cli.main",
                "--json",
                "service",
                "score",
                "hours",
                rows,
            ],
            cwd=workspace.path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == expected


def test_every_surface_stops_and_starts_the_server_alike(
    surfaces: Sequence[Surface], fresh: Callable[[str], Workspace]
) -> None:
    _compare(TURNS, surfaces, fresh)


def test_a_difference_would_be_seen(fresh: Callable[[str], Workspace]) -> None:
    with fresh("one") as one, fresh("two") as two:
        one.datasets.upload(table(one), "rides")
        two.datasets.upload(table(two), "rides")
        assert alike(state(one.path), one.path) == alike(state(two.path), two.path)
        two.trust.add("ab" * 32)
        assert alike(state(one.path), one.path) != alike(state(two.path), two.path)
