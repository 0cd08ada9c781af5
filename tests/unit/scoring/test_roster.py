"""How a scorer takes over what changed while it goes on answering."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mlalm_jupyter.domain.errors import Corrupt, MlalmError, UntrustedContent
from mlalm_jupyter.domain.projection import Projection
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema
from mlalm_jupyter.scoring.calls import CallTable
from mlalm_jupyter.scoring.compute import Worker
from mlalm_jupyter.scoring.generation import Generation
from mlalm_jupyter.scoring.library import KEPT_AHEAD
from mlalm_jupyter.scoring.places import Places
from mlalm_jupyter.scoring.roster import Roster
from tests.contract.served import Fixed, Handmade

TOTAL = Schema((Column("total", ColumnType.DOUBLE),))


class Scene:
    """A scorer's roster over a hand-made workspace."""

    def __init__(self, folder: Path) -> None:
        self.made = Handmade(folder / "ws")
        self.places = Places(folder / "home")
        self.places.projections.mkdir(parents=True)
        self.generation = Generation.create(self.places.generation, slots=1)
        CallTable.create(self.places.calls, slots=1, rows=4)

    def publish(self, projection: Projection | None = None) -> None:
        projection = projection or self.made.projection()
        target = self.places.projection(projection.workspace_id)
        fresh = target.with_suffix(".new")
        fresh.write_text(json.dumps(projection.to_dict()))
        fresh.rename(target)
        self.generation.bump()

    def play(self, story: Callable[[Roster], Awaitable[None]]) -> None:
        async def played() -> None:
            loop = asyncio.get_running_loop()
            calls = CallTable(self.places.calls, self.generation, 0)
            roster = Roster(self.places, self.generation, 0, Worker("loader", loop), calls)
            self.generation.claim(0, 1)
            await story(roster)

        asyncio.run(asyncio.wait_for(played(), 60))

    @property
    def acknowledged(self) -> int:
        return self.generation.acks()[0][1]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_an_endpoint_is_loaded_on_its_first_call_and_only_once(scene: Scene) -> None:
    endpoint = scene.made.put("s/default", scene.made.model(Fixed(1)))
    scene.publish()

    async def story(roster: Roster) -> None:
        await roster.take_over()
        served = roster.workspaces[scene.made.id].endpoints[endpoint.id]
        assert served.predictor is None
        found = await asyncio.gather(
            *(roster.predictor(roster.workspaces[scene.made.id], served) for _ in range(8))
        )
        assert len({id(one) for one in found}) == 1
        assert served.predictor is found[0]

    scene.play(story)


def test_a_generation_is_acknowledged_only_when_the_new_definition_serves(scene: Scene) -> None:
    endpoint = scene.made.put("s/default", scene.made.model(Fixed(1)))
    scene.publish()

    async def story(roster: Roster) -> None:
        await roster.take_over()
        first = roster.workspaces[scene.made.id].endpoints[endpoint.id]
        old = await roster.predictor(roster.workspaces[scene.made.id], first)
        scene.made.put("s/default", scene.made.model(Fixed(2), version=2))
        scene.publish()
        gate = threading.Event()
        blocked = roster.loader.run(gate.wait, 30)
        roster.notice()
        await asyncio.sleep(0.05)
        assert scene.acknowledged < scene.generation.current()
        assert roster.workspaces[scene.made.id].endpoints[endpoint.id] is first
        gate.set()
        await blocked
        await roster.take_over()
        now = roster.workspaces[scene.made.id].endpoints[endpoint.id]
        assert scene.acknowledged == scene.generation.current()
        assert now.predictor is not None
        assert now.predictor is not old
        assert first.predictor is old, "a request that is under way keeps what it began with"
        assert dict(now.headers)[b"x-mlalm-revision"] == b"2"

    scene.play(story)


@pytest.mark.parametrize("damage", ["bundle", "seal"])
def test_what_does_not_load_leaves_the_old_one_serving_and_is_told_of(scene: Scene, damage: str) -> None:
    endpoint = scene.made.put("s/default", scene.made.model(Fixed(1)))
    scene.publish()

    async def story(roster: Roster) -> None:
        await roster.take_over()
        served = roster.workspaces[scene.made.id].endpoints[endpoint.id]
        old = await roster.predictor(roster.workspaces[scene.made.id], served)
        worse = scene.made.model(Fixed(2), version=2, is_sealed=damage != "seal")
        if damage == "bundle":
            bundle = Path(worse.models[0].bundle_path)
            bundle.chmod(0o644)
            bundle.write_bytes(bundle.read_bytes()[:-1])
        scene.made.put("s/default", worse, key="ignored")
        scene.publish()
        await roster.take_over()
        now = roster.workspaces[scene.made.id].endpoints[endpoint.id]
        assert now.predictor is old
        assert dict(now.headers)[b"x-mlalm-revision"] == b"1", "it says what really serves"
        since = scene.generation.current()
        (fault,) = roster.faults_of(scene.made.id, since=since)
        assert (fault.endpoint, fault.definition_hash) == ("s/default", worse.digest)
        assert isinstance(fault.error, UntrustedContent if damage == "seal" else Corrupt)
        assert scene.acknowledged == since, "nothing more will happen, so nobody waits for it"
        scene.made.put("other/default", scene.made.model(Fixed(3), name="other"))
        scene.publish()
        await roster.take_over()
        assert roster.faults_of(scene.made.id, since=since + 1) == [], "it is not the next publisher's fault"
        assert len(roster.faults_of(scene.made.id, since=0)) == 1
        scene.made.put("s/default", scene.made.model(Fixed(4), version=4))
        scene.publish()
        await roster.take_over()
        assert roster.faults == {}

    scene.play(story)


def test_a_first_load_that_fails_is_told_and_tried_again_later(scene: Scene) -> None:
    servable = scene.made.code("def f(rows):\n    return rows", "f", outputs=TOTAL, example=((1.0, 2.0),))
    endpoint = scene.made.put("s/default", servable)
    scene.publish()

    async def story(roster: Roster) -> None:
        await roster.take_over()
        served = roster.workspaces[scene.made.id].endpoints[endpoint.id]
        for _ in range(2):
            with pytest.raises(MlalmError, match="no column 'total'"):
                await roster.predictor(roster.workspaces[scene.made.id], served)
        assert [fault.generation for fault in roster.faults.values()] == [0]

    scene.play(story)


def test_a_workspace_whose_projection_is_gone_is_no_longer_served(scene: Scene) -> None:
    scene.made.put("s/default", scene.made.model(Fixed(1)))
    scene.publish()

    async def story(roster: Roster) -> None:
        await roster.take_over()
        assert list(roster.workspaces) == [scene.made.id]
        scene.places.projection(scene.made.id).unlink()
        scene.generation.bump()
        await roster.take_over()
        assert roster.workspaces == {}

    scene.play(story)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"workspace_id": 1}'])
def test_a_damaged_projection_changes_nothing(scene: Scene, text: str) -> None:
    scene.made.put("s/default", scene.made.model(Fixed(1)))
    scene.publish()

    async def story(roster: Roster) -> None:
        await roster.take_over()
        scene.places.projection(scene.made.id).write_text(text)
        scene.generation.bump()
        await roster.take_over()
        assert list(roster.workspaces) == [scene.made.id]
        assert scene.acknowledged == scene.generation.current()

    scene.play(story)


def test_keys_of_one_workspace_open_nothing_loaded_by_another(scene: Scene, tmp_path: Path) -> None:
    other = Handmade(tmp_path / "other", id="f" * 32)
    servable = scene.made.code("def f(rows):\n    return rows", "f", outputs=TOTAL, example=())

    async def story(roster: Roster) -> None:
        await roster.prepare(scene.made.id, servable, scene.made.keys.public_key)
        with pytest.raises(UntrustedContent):
            await roster.prepare(other.id, servable, other.keys.public_key)

    scene.play(story)


def test_preparing_again_looks_at_the_files_and_the_seal_again(scene: Scene) -> None:
    servable = scene.made.model(Fixed(1))

    async def story(roster: Roster) -> None:
        await roster.prepare(scene.made.id, servable, scene.made.keys.public_key)
        await roster.prepare(scene.made.id, servable, scene.made.keys.public_key)
        bundle = Path(servable.models[0].bundle_path)
        bundle.chmod(0o644)
        bundle.write_bytes(bundle.read_bytes()[:-1])
        with pytest.raises(Corrupt):
            await roster.prepare(scene.made.id, servable, scene.made.keys.public_key)

    scene.play(story)


def test_what_nobody_serves_any_more_is_let_go_of_but_for_the_latest(scene: Scene) -> None:
    async def story(roster: Roster) -> None:
        for number in range(KEPT_AHEAD + 4):
            source = f"def f(rows):\n    return rows.assign(total={number}.0)[['total']]\n"
            servable = scene.made.code(source, "f", outputs=TOTAL)
            await roster.prepare(scene.made.id, servable, scene.made.keys.public_key)
            if number == 0:
                scene.made.put("s/default", servable)
        scene.publish()
        await roster.take_over()
        await roster.loader.run(lambda: None)
        held = [digest for digest in scene.made.servables if roster.library.found(scene.made.id, digest)]
        assert len(held) == KEPT_AHEAD + 1
        assert next(iter(scene.made.servables)) in held, "what is served stays"

    scene.play(story)


def test_a_workspace_whose_folder_is_gone_is_noticed_and_noticed_again_when_back(scene: Scene) -> None:
    scene.made.put("s/default", scene.made.model(Fixed(1)))
    scene.publish()

    async def story(roster: Roster) -> None:
        await roster.take_over()
        away = scene.made.path.with_name("away")
        scene.made.path.rename(away)
        await roster.look_for_workspaces()
        assert roster.workspaces[scene.made.id].is_gone
        away.rename(scene.made.path)
        await roster.look_for_workspaces()
        assert not roster.workspaces[scene.made.id].is_gone

    scene.play(story)


def test_state_and_limit_are_taken_over_although_the_definition_is_not(scene: Scene) -> None:
    endpoint = scene.made.put("s/default", scene.made.model(Fixed(1)))
    scene.publish()

    async def story(roster: Roster) -> None:
        await roster.take_over()
        served = roster.workspaces[scene.made.id].endpoints[endpoint.id]
        assert (served.endpoint.state, served.gate) == ("running", None)
        await roster.predictor(roster.workspaces[scene.made.id], served)
        broken = scene.made.put("s/default", scene.made.model(Fixed(2), is_sealed=False))
        scene.made.endpoints["s/default"] = replace(broken, state="stopped", max_concurrent_calls=3)
        scene.publish()
        await roster.take_over()
        after = roster.workspaces[scene.made.id].endpoints[endpoint.id]
        assert (after.endpoint.definition_hash, after.endpoint.revision) == (endpoint.definition_hash, 1)
        assert after.endpoint.state == "stopped"
        assert after.gate is not None
        assert after.gate.limit == 3
        assert len(roster.faults) == 1

    scene.play(story)


def test_an_endpoint_whose_limit_cannot_be_kept_is_a_fault_and_the_others_go_on(scene: Scene) -> None:
    servable = scene.made.model(Fixed(1))
    for number in range(5):
        made = scene.made.put(f"s/ep{number}", servable)
        scene.made.endpoints[made.reference] = replace(made, max_concurrent_calls=1)
    scene.publish()

    async def story(roster: Roster) -> None:
        await roster.take_over()
        assert len(roster.workspaces[scene.made.id].endpoints) == 4
        assert [one.endpoint for one in roster.faults_of(scene.made.id, since=0)] == ["s/ep4"]
        # what has no limit any more gives its row up
        first = scene.made.endpoints["s/ep0"]
        scene.made.endpoints["s/ep0"] = replace(first, max_concurrent_calls=None)
        scene.publish()
        await roster.take_over()
        assert len(roster.workspaces[scene.made.id].endpoints) == 5
        assert roster.faults == {}

    scene.play(story)
