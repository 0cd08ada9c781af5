"""A model that is deleted while an endpoint is on its way to it: one of the two is refused, and what serves answers."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.errors import Conflict, InUse, NotFound, UntrustedContent
from mlalm_jupyter.domain.projection import Servable
from mlalm_jupyter.serving.local_host import LocalHost
from mlalm_jupyter.workspace import Workspace

pytestmark = [pytest.mark.prove_skeleton, pytest.mark.timeout(600)]

ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0]})


class HostWithInterruption(LocalHost):
    """The host itself, where something happens between the loading of a definition and its move."""

    meanwhile: Callable[[], object] | None = None

    def prepare(self, workspace_id: str, servable: Servable, public_key: str) -> None:
        super().prepare(workspace_id, servable, public_key)
        if self.meanwhile:
            happens, self.meanwhile = self.meanwhile, None
            happens()


@pytest.fixture
def host() -> HostWithInterruption:
    return HostWithInterruption()


@pytest.fixture
def served(hosted: Workspace, host: HostWithInterruption) -> Iterator[Workspace]:
    """A service on `line:1` with an endpoint beside the default, and `line:2` that nothing serves."""
    with Workspace.open(hosted.path, host=host) as ws:
        for factor in (1, 2):
            ws.models.register(LinearRegression().fit(ROWS, ROWS["a"] * factor), "line", sample=ROWS)
        ws.services.deploy("line:1", "line")
        ws.endpoints.add("line/ep2")
        yield ws


def assert_all_answer(ws: Workspace) -> None:
    for endpoint in ws.endpoints.list():
        assert ws.services.score(endpoint.reference, ROWS).model == endpoint.model
    assert ws.workspaces.doctor().findings == ()


def test_a_patch_to_a_model_that_is_deleted_meanwhile_is_refused(
    served: Workspace, host: HostWithInterruption
) -> None:
    host.meanwhile = lambda: served.models.delete("line:2", yes=True)
    before = served.endpoints.show("line/ep2")
    with pytest.raises(NotFound, match="No model 'line:2'"):
        served.endpoints.patch("line/ep2", model="line:2")
    assert served.endpoints.show("line/ep2") == before
    assert_all_answer(served)


def test_an_update_to_a_model_that_is_deleted_meanwhile_is_refused(
    served: Workspace, host: HostWithInterruption
) -> None:
    host.meanwhile = lambda: served.models.delete("line:2", yes=True)
    with pytest.raises(NotFound, match="No model 'line:2'"):
        served.services.deploy("line:2", "line", update=True)
    assert_all_answer(served)


def test_a_service_on_a_model_that_is_deleted_meanwhile_is_not_made(
    served: Workspace, host: HostWithInterruption
) -> None:
    host.meanwhile = lambda: served.models.delete("line:2", yes=True)
    with pytest.raises(NotFound, match="No model 'line:2'"):
        served.services.deploy("line:2", "second")
    assert [one.name for one in served.services.list()] == ["line"]
    assert_all_answer(served)


def test_a_rollback_to_a_model_that_is_deleted_meanwhile_is_refused(
    served: Workspace, host: HostWithInterruption
) -> None:
    served.endpoints.patch("line/ep2", model="line:2")
    served.services.deploy("line:2", "line", update=True)
    host.meanwhile = lambda: served.models.delete("line:1", yes=True)
    with pytest.raises(NotFound, match="No model 'line:1'"):
        served.endpoints.rollback("line/ep2")
    assert_all_answer(served)


def test_trust_that_is_taken_back_meanwhile_counts(served: Workspace, host: HostWithInterruption) -> None:
    coded = served.models.register(lambda rows: rows.assign(b=1), "coded", sample=ROWS)
    host.meanwhile = lambda: served.trust.remove(coded.model_hash, yes=True)
    with pytest.raises(UntrustedContent, match=coded.model_hash):
        served.services.deploy("coded:1", "coded")
    assert_all_answer(served)


def test_a_model_that_an_endpoint_has_moved_to_meanwhile_is_not_deleted(served: Workspace) -> None:
    served.endpoints.patch("line/ep2", model="line:2")
    with pytest.raises(InUse, match="line/ep2"):
        served.models.delete("line:2", yes=True)


def test_patches_and_deletions_at_any_moment_leave_every_endpoint_answering(
    served: Workspace, counts: Callable[[int, int], int]
) -> None:
    chance = random.Random(4)
    ends = {"patched": 0, "deleted": 0}
    for _ in range(counts(6, 60)):
        spare = served.models.register(
            LinearRegression().fit(ROWS, ROWS["a"] * chance.random()), "line", sample=ROWS
        )
        pause_s = chance.uniform(0, 0.08)

        def delete(reference: str = spare.reference, pause_s: float = pause_s) -> None:
            time.sleep(pause_s)
            with Workspace.open(served.path) as other:
                try:
                    other.models.delete(reference, yes=True)
                    ends["deleted"] += 1
                except Conflict:
                    pass

        deleting = threading.Thread(target=delete)
        deleting.start()
        try:
            served.endpoints.patch("line/ep2", model=spare.reference)
            ends["patched"] += 1
        except NotFound:
            pass
        deleting.join(30)
        assert_all_answer(served)
    assert ends["patched"] + ends["deleted"] == counts(6, 60), "one of the two always wins"
