"""Random management of classic services over three surfaces, against a referee that imports nothing of ours."""

from __future__ import annotations

import ast
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.four_surfaces import InPython, InTerminal
from tests.properties import service_model
from tests.properties.service_model import DEFAULT, Place
from tests.properties.service_sides import GRAPHS, MODELS, Side

pytestmark = pytest.mark.prove_services
SERVICES = ("a", "b", "c")
LONG = "x" * 1001
ENDPOINTS = ("ep1", "ep2", "ep3", "x", "y")
Step = tuple[str, str, dict[str, Any], Callable[[Place], set[str]]]
"""Noun, verb, arguments as a surface takes them, and the same for the referee."""


class People:
    """What somebody might want next; mostly something that is possible."""

    def __init__(self, seed: int, place: Place, what: Callable[[tuple[int, int]], str]) -> None:
        self.chance = random.Random(seed)
        self.place = place
        self.what = what
        self.begun = 0

    def next(self) -> Step:
        self.begun += 1
        if self.begun <= 6:  # so that there is something to manage from the beginning
            return self.make(("a", "b")[self.begun % 2], ("", "ep1", "x")[(self.begun - 1) // 2])
        kinds = (
            *(self.deploy, self.patch, self.patch, self.refresh, self.rollback, self.add, self.settle),
            *(self.count, self.state, self.regenerate, self.delete_endpoint, self.delete_service),
        )
        weights = (8, 6, 3, 6, 6, 3, 5, 1, 4, 4, 2, 0.5)
        return self.chance.choices(kinds, weights)[0]()

    def some(self, **chances: float) -> dict[str, bool]:
        return {name: True for name, chance in chances.items() if self.chance.random() < chance}

    def service(self) -> str:
        known = sorted(self.place.services)
        return self.chance.choice(known if known and self.chance.random() < 0.97 else SERVICES)

    def endpoint(self) -> tuple[str, str]:
        name = self.service()
        known = sorted(self.place.services[name].endpoints) if name in self.place.services else []
        others = [one for one in known if one != DEFAULT] or known
        roll = self.chance.random()
        if others and roll < 0.95:
            return name, self.chance.choice(others)
        return name, self.chance.choice((DEFAULT, *ENDPOINTS))

    def settings(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.chance.random() < 0.5:
            found["throttle"] = self.chance.choice((*(3 * ("Low", "high", "none", "NONE")), "Medium"))
        if self.chance.random() < 0.4:
            found["concurrency"] = self.chance.choice((*(4 * (1, 4, 50, 200)), 201, 0))
        if self.chance.random() < 0.4:
            found["description"] = self.chance.choice((*(3 * ("", "of autumn", "ü")), LONG))
        return found

    def make(self, name: str, endpoint: str) -> Step:
        if endpoint:
            asked = {"endpoint": f"{name}/{endpoint}"}
            return "endpoint", "add", asked, lambda place: place.add(name, endpoint)
        asked = {"what": self.what((0, 1)), "service": name}
        return "service", "deploy", asked, lambda place: place.deploy(name, (0, 1))

    def deploy(self) -> Step:
        name = self.chance.choice(SERVICES)
        definition = (self.chance.randrange(GRAPHS), self.chance.randint(1, MODELS))
        options: dict[str, Any] = self.some(update=0.93, stop_start=0.2)
        if self.chance.random() < 0.2:
            options["description"] = self.chance.choice((*(3 * ("", "one", "two")), LONG))
        if name not in self.place.services and self.chance.random() < 0.9:
            options = {}
        asked = {"what": self.what(definition), "service": name, **options}
        return "service", "deploy", asked, lambda place: place.deploy(name, definition, **options)

    def patch(self) -> Step:
        name, endpoint = self.endpoint()
        model = self.chance.randint(1, MODELS) if self.chance.random() < 0.95 else MODELS + 1
        options: dict[str, Any] = self.some(allow_update=0.4, prevent_update=0.02)
        if self.chance.random() < 0.2:
            options |= self.settings()
        asked = {"endpoint": f"{name}/{endpoint}", "model": f"line:{model}", **options}
        return "endpoint", "patch", asked, lambda place: place.patch(name, endpoint, model=model, **options)

    def settle(self) -> Step:
        name, endpoint = self.endpoint()
        options: dict[str, Any] = {
            **self.settings(),
            **self.some(**{self.chance.choice(("allow_update", "prevent_update")): 0.2}),
        }
        asked = {"endpoint": f"{name}/{endpoint}", **options}
        return "endpoint", "patch", asked, lambda place: place.patch(name, endpoint, **options)

    def refresh(self) -> Step:
        name, endpoint = self.endpoint()
        options = self.some(overwrite_models=0.4)
        asked = {"endpoint": f"{name}/{endpoint}", **options}
        return "endpoint", "refresh", asked, lambda place: place.refresh(name, endpoint, **options)

    def rollback(self) -> Step:
        name, endpoint = self.endpoint()
        options = {}
        if self.chance.random() < 0.4:
            held = self.place.services[name].endpoints.get(endpoint) if name in self.place.services else None
            options["to"] = self.chance.randint(
                0 if self.chance.random() < 0.1 else 1, len(held.moves) if held else 3
            )
        asked = {"endpoint": f"{name}/{endpoint}", **options}
        return "endpoint", "rollback", asked, lambda place: place.rollback(name, endpoint, **options)

    def add(self) -> Step:
        name, endpoint = (
            self.service(),
            self.chance.choice((*ENDPOINTS, *(f"n{number}" for number in range(9)), DEFAULT)),
        )
        options = self.settings() if self.chance.random() < 0.3 else {}
        asked = {"endpoint": f"{name}/{endpoint}", **options}
        return "endpoint", "add", asked, lambda place: place.add(name, endpoint, **options)

    def count(self) -> Step:
        name, count = self.service(), self.chance.choice((0, 1, 2, 3))
        stem = self.chance.choice(("ep", "new", "more"))
        asked = {"endpoint": f"{name}/{stem}", "count": count, **self.some(prevent_update=0.1)}
        options = {key: asked[key] for key in ("count", "prevent_update") if key in asked}
        return "endpoint", "add", asked, lambda place: place.add(name, stem, **options)

    def state(self) -> Step:
        name, is_running = self.service(), self.chance.random() < 0.6
        verb = "start" if is_running else "stop"
        return "service", verb, {"service": name}, lambda place: place.put(name, is_running=is_running)

    def regenerate(self) -> Step:
        name, endpoint = self.endpoint()
        which = self.chance.choice((*(5 * ("primary", "secondary")), "third"))
        if endpoint == DEFAULT and self.chance.random() < 0.5:
            asked = {"service": name, "which": which}
            return "service", "regenerate-key", asked, lambda place: place.regenerate(name, endpoint, which)
        asked = {"endpoint": f"{name}/{endpoint}", "which": which}
        return "endpoint", "regenerate-key", asked, lambda place: place.regenerate(name, endpoint, which)

    def delete_endpoint(self) -> Step:
        name, endpoint = self.endpoint()
        yes = self.chance.random() < 0.7
        asked = {"endpoint": f"{name}/{endpoint}", **({"yes": True} if yes else {})}
        return "endpoint", "delete", asked, lambda place: place.delete_endpoint(name, endpoint, yes=yes)

    def delete_service(self) -> Step:
        name, yes = self.service(), self.chance.random() < 0.5
        asked = {"service": name, **({"yes": True} if yes else {})}
        return "service", "delete", asked, lambda place: place.delete_service(name, yes=yes)


def notes(answer: Any) -> str:
    """What an answer has to say, its endpoints' words included."""
    told = [answer, *answer.get("endpoints", ())] if isinstance(answer, dict) else []
    return " ".join(str(one["note"]) for one in told if isinstance(one, dict) and one.get("note"))


def play(side: Side, steps: int, seed: int, *, first: int, figures: Counter[str]) -> Place:
    """Do a sequence on a side, each step on another surface, and compare after each."""
    place = Place(MODELS)
    people = People(seed, place, side.what)
    for number in range(steps):
        noun, verb, asked, referee = people.next()
        before = len(place.log)
        expected = referee(place)
        surface = first + number
        where = f"step {number}, SEED={seed}: {noun} {verb} {asked} on surface {surface % 3}"
        code, answer = side.ask(surface, noun, verb, asked)
        if expected:
            assert code in expected, (where, code, expected, answer)
            assert len(place.log) == before, "the referee itself changes nothing that it refuses"
            figures["operations refused, as the referee said"] += 1
        else:
            assert code == "", (where, answer)
            assert ("Nothing changed" in notes(answer)) == (not place.changed), (where, answer)
        try:
            side.check(place)
        except AssertionError as error:
            raise AssertionError(where) from error
        figures[f"management operations over {side.surfaces[surface % 3].name}"] += 1
    return place


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("share", [0, pytest.param(1, marks=pytest.mark.full)])
def test_random_management_over_three_surfaces_leaves_what_the_rules_say(
    share: int, hosted: Any, tmp_path: Path, counts: Callable[[int, int], int], figures: Counter[str]
) -> None:
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(10**9)))
    steps = counts(40, 1700)
    print(f"SEED={seed}")
    left = []
    for first in range(3):
        side = Side(tmp_path / f"side{first}", [InPython(), InTerminal()])
        try:
            left.append(play(side, steps, seed, first=first, figures=figures))
            figures["calls that the endpoints left behind answered"] += side.check_answers(left[-1])
            side.check(left[-1], newest=None)
            assert side.ws.workspaces.doctor().findings == ()
        finally:
            side.ws.close()
    assert left[0] == left[1] == left[2], "whichever surface did what"


def test_the_referee_imports_nothing_of_ours() -> None:
    tree = ast.parse(Path(service_model.__file__).read_text())
    imported = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported += [one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names]
    assert set(imported) == {"__future__", "dataclasses"}
