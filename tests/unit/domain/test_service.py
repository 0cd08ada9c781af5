from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlalm_jupyter.domain.errors import (
    Conflict,
    DefaultEndpointNotPatchable,
    InUse,
    InvalidInput,
    NothingToRollBack,
    UpdatePrevented,
)
from mlalm_jupyter.domain.model import check_deletable
from mlalm_jupyter.domain.names import EndpointRef
from mlalm_jupyter.domain.service import (
    Endpoint,
    Move,
    check_endpoint_deletable,
    counted_names,
    in_force,
    rollback_target,
)
from mlalm_jupyter.domain.settings import EndpointSettings
from tests.unit.domain.test_definition import SECOND, scoring

NOW = "2026-01-02T00:00:00Z"


def endpoint(name: str) -> Endpoint:
    return Endpoint("e" * 32, "s" * 32, "wine", name, scoring().digest, 1, NOW, NOW, "wine:1", "a" * 64)


def test_patching_an_added_endpoint_moves_its_reference_and_raises_its_revision() -> None:
    patched = endpoint("ep2").patched(scoring().with_model(SECOND), at=NOW)
    assert (patched.model, patched.model_hash, patched.revision) == ("wine:2", "b" * 64, 2)
    assert patched.definition_hash == scoring().with_model(SECOND).digest
    assert patched.id == endpoint("ep2").id


def test_patching_the_default_endpoint_is_refused() -> None:
    with pytest.raises(DefaultEndpointNotPatchable):
        endpoint("default").patched(scoring(), at=NOW)


def test_the_default_endpoint_follows_a_redeploy() -> None:
    assert endpoint("default").redeployed(scoring().with_model(SECOND), at=NOW).model == "wine:2"


def test_a_model_in_use_is_not_deletable_and_its_users_are_named() -> None:
    with pytest.raises(InUse, match="in use by 'wine/default', 'wine/ep2'"):
        check_deletable("wine:1", ["wine/default", "wine/ep2"])
    check_deletable("wine:1", [])


def move(action: str, definition: str, revision: int = 0) -> Move:
    return Move("wine/ep2", revision, action, definition, None, NOW, "ann")


def test_an_endpoint_that_served_one_thing_has_nothing_to_roll_back_to() -> None:
    with pytest.raises(NothingToRollBack):
        rollback_target("wine/ep2", [move("add", "A")])


def test_rolling_back_twice_goes_two_steps_back() -> None:
    history = [move("add", "A"), move("patch", "B"), move("patch", "C"), move("rollback", "B")]
    assert rollback_target("wine/ep2", history) == "A"


@dataclass
class Editor:
    """A plain undo stack, as any text editor has one: the model that the rule is compared with."""

    stack: list[str] = field(default_factory=list)

    def do(self, definition: str) -> None:
        if not self.stack or self.stack[-1] != definition:
            self.stack.append(definition)

    def undo(self) -> str | None:
        if len(self.stack) < 2:
            return None
        self.stack.pop()
        return self.stack[-1]

    def undo_to(self, definition: str) -> None:
        """Back to the last time that it was so, or, where that has been undone, forward to it."""
        if definition not in self.stack:
            self.do(definition)
        while self.stack[-1] != definition:
            self.stack.pop()


def test_a_rollback_to_what_was_undone_is_a_step_forward_that_can_be_undone() -> None:
    history = [move("add", "A"), move("patch", "B"), move("rollback", "A"), move("rollback", "B")]
    assert rollback_target("wine/ep2", history) == "A"
    assert rollback_target("wine/ep2", [*history, move("patch", "C")]) == "B"


def test_after_the_last_step_is_undone_the_way_to_any_other_is_said() -> None:
    history = [move("add", "A"), move("patch", "B"), move("rollback", "A")]
    with pytest.raises(NothingToRollBack, match=r"no earlier step .* --to"):
        rollback_target("wine/ep2", history)


@given(
    st.lists(
        st.sampled_from(["A", "B", "C", "D", "undo"]) | st.integers(min_value=0, max_value=40), max_size=40
    )
)
def test_rollback_behaves_as_undo(steps: list[str | int]) -> None:
    editor, history = Editor(["A"]), [move("add", "A")]
    for step in steps:
        if isinstance(step, int):
            named = history[step % len(history)].definition_hash
            if named != history[-1].definition_hash:  # else nothing changes, and nothing is recorded
                editor.undo_to(named)
                history.append(move("rollback", named))
        elif step != "undo":
            editor.do(step)
            history.append(move("patch", step))
        else:
            wanted = editor.undo()
            if wanted is None:
                with pytest.raises(NothingToRollBack):
                    rollback_target("wine/ep2", history)
            else:
                assert rollback_target("wine/ep2", history) == wanted
                history.append(move("rollback", wanted))
        assert editor.stack[-1] == history[-1].definition_hash


def test_an_endpoint_that_prevents_updates_refuses_patch_and_refresh_but_not_a_rollback() -> None:
    kept = endpoint("ep2").with_settings(EndpointSettings(prevent_update=True), at=NOW)
    for move in (kept.patched, kept.refreshed):
        with pytest.raises(UpdatePrevented):
            move(scoring().with_model(SECOND), at=NOW)
    assert kept.rolled_back(scoring().with_model(SECOND), at=NOW).model == "wine:2"


def test_refreshing_the_default_endpoint_is_refused() -> None:
    with pytest.raises(DefaultEndpointNotPatchable, match="was not refreshed"):
        endpoint("default").refreshed(scoring(), at=NOW)


def test_settings_move_nothing() -> None:
    before = endpoint("ep2")
    after = before.with_settings(EndpointSettings("fast", "High", 7), at="later")
    assert (after.revision, after.definition_hash) == (before.revision, before.definition_hash)
    assert after.to_dict()["max_concurrent_calls"] == 7


def test_the_default_endpoint_takes_settings_but_no_protection() -> None:
    assert endpoint("default").with_settings(EndpointSettings("x"), at=NOW).settings.description == "x"
    with pytest.raises(InvalidInput, match="neither patch nor refresh moves anyway"):
        endpoint("default").with_settings(EndpointSettings(prevent_update=True), at=NOW)


def test_the_default_endpoint_is_not_deleted_whether_or_not_it_is_alone() -> None:
    with pytest.raises(Conflict, match=r"this one has wine/ep2 besides.*mlalm service delete wine"):
        check_endpoint_deletable(endpoint("default"), others=["wine/ep2"])
    with pytest.raises(Conflict, match=r"mlalm service delete wine"):
        check_endpoint_deletable(endpoint("default"), others=[])
    check_endpoint_deletable(endpoint("ep2"), others=["wine/default"])


@pytest.mark.parametrize(("name", "count"), [("ep", 0), ("ep", 1001), ("a" * 23, 10)])
def test_more_or_longer_names_than_there_may_be_are_refused(name: str, count: int) -> None:
    with pytest.raises(InvalidInput):
        counted_names(EndpointRef("wine", name), count)


def test_what_was_in_force_is_the_last_move_before_that_time() -> None:
    history = [
        Move("wine/ep2", number, "patch", str(number), None, f"2026-01-0{number}", "ann")
        for number in (2, 4, 6)
    ]
    assert [in_force("wine/ep2", history, f"2026-01-0{day}").revision for day in (2, 3, 4, 9)] == [2, 2, 4, 6]
    with pytest.raises(InvalidInput, match="from 2026-01-02 on"):
        in_force("wine/ep2", history, "2026-01-01")
