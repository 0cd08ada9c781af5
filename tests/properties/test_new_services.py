"""Random management of New services in two regions, against rules that fit on a page."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.workspace import Workspace

pytestmark = pytest.mark.prove_services
ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
NAMES = ("red", "white", "rose")
REGIONS = ("west", "east")
MODELS = 3


@dataclass
class Kept:
    """A New service as the rules have it."""

    region: str
    served: list[int]
    is_running: bool = True


@dataclass
class Rules:
    """What is there, and which error is due."""

    services: dict[str, Kept] = field(default_factory=dict)

    def deploy(self, name: str, model: int, region: str | None, *, update: bool) -> str:
        kept = self.services.get(name)
        if kept is None:
            if update:
                return "NotFound"
            if region is None:
                return "InvalidInput"
            self.services[name] = Kept(region, [model])
            return ""
        if region not in (None, kept.region):
            # whoever does not update means a service of its own, and the name is taken
            return "TermsAreFixed" if update else "AlreadyExists"
        if kept.served[-1] != model:
            if not update:
                return "AlreadyExists"
            kept.served.append(model)
        return ""

    def rollback(self, name: str) -> str:
        kept = self.services.get(name)
        if kept is None:
            return "NotFound"
        # undone one by one: what stands before the newest forward move that was not undone
        if len(kept.served) < 2:
            return "NothingToRollBack"
        kept.served.pop()
        return ""

    def put(self, name: str, *, is_running: bool) -> str:
        if name not in self.services:
            return "NotFound"
        self.services[name].is_running = is_running
        return ""

    def delete(self, name: str) -> str:
        return "" if self.services.pop(name, None) else "NotFound"


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("MLALM_HOME", str(tmp_path / "home"))
    for name in ("MLALM_WORKSPACE", "MLALM_RUN", "MLALM_JOB"):
        monkeypatch.delenv(name, raising=False)
    with Workspace.init(tmp_path / "ws") as made:
        made.plans.add("small")
        for region in REGIONS:
            made.regions.add(region, storage=str(tmp_path / region))
        for factor in range(1, MODELS + 1):
            made.models.register(LinearRegression().fit(ROWS, ROWS["a"] * factor), "line", sample=ROWS)
        yield made
        made.server.stop()


def done(ws: Workspace, rules: Rules, chance: random.Random) -> tuple[str, str, str]:
    """One thing that somebody does: what it is, the error that is due, and the one that came."""
    name, model = chance.choice(NAMES), chance.randint(1, MODELS)
    kind = chance.choices(("deploy", "rollback", "stop", "start", "delete"), (10, 3, 2, 3, 1))[0]
    update, region = chance.random() < 0.6, chance.choice((None, *REGIONS))
    services = ws.services
    if kind == "deploy":
        due = rules.deploy(name, model, region, update=update)
        plan = "small" if region else None
        told = f"deploy line:{model} {name} --region {region} --update {update}"

        def act() -> object:
            return services.deploy(f"line:{model}", name, kind="new", plan=plan, region=region, update=update)
    elif kind == "rollback":
        due, told = rules.rollback(name), f"rollback {name}"

        def act() -> object:
            return ws.endpoints.rollback(name)
    elif kind == "delete":
        due, told = rules.delete(name), f"delete {name}"

        def act() -> object:
            return services.delete(name, yes=True)
    else:
        due, told = rules.put(name, is_running=kind == "start"), f"{kind} {name}"

        def act() -> object:
            return getattr(services, kind)(name)

    try:
        act()
    except MlalmError as error:
        return told, due, error.code
    return told, due, ""


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_random_management_of_new_services_leaves_what_the_rules_say(
    ws: Workspace, counts: Callable[[int, int], int], figures: Counter[str]
) -> None:
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(10**9)))
    print(f"SEED={seed}")
    chance, rules = random.Random(seed), Rules()
    for number in range(counts(25, 600)):
        told, due, came = done(ws, rules, chance)
        where = f"step {number}, SEED={seed}: {told}"
        assert came == due, where
        listed = {
            one.name: (one.terms.region, one.default.model, one.is_running)
            for one in ws.services.list()
            if one.terms
        }
        assert listed == {
            name: (kept.region, f"line:{kept.served[-1]}", kept.is_running)
            for name, kept in rules.services.items()
        }, where
        figures["operations on New services, as the rules said"] += 1
    for name, kept in rules.services.items():
        if not kept.is_running:
            ws.services.start(name)
        answered = [round(float(str(row[-1])), 6) for row in ws.services.score(name, ROWS).rows]
        assert answered == [kept.served[-1] * one for one in (1, 2, 3)]
    assert ws.workspaces.doctor().findings == ()
