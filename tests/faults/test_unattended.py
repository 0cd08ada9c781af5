"""Waiting for what nobody will do, and doing what cannot be told of: both end in one sentence or in a result."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlalm_jupyter.api import waiting
from mlalm_jupyter.api.recorder import LEASE_S
from mlalm_jupyter.domain.errors import Unavailable
from mlalm_jupyter.domain.run import RunStatus
from mlalm_jupyter.surfaces.cli.main import main
from mlalm_jupyter.workspace import Workspace

pytestmark = pytest.mark.timeout(120)


def notebook(*sources: str) -> bytes:
    cells = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for n, source in enumerate(sources)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def test_a_queued_job_is_not_waited_for_where_no_server_runs(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "UNATTENDED_S", 0.2)
    run = workspace.recorder.submit(notebook("1"), path="n.ipynb", parameters={}, origin="scheduler")
    with pytest.raises(Unavailable, match="It is Queued, and no server runs") as caught:
        workspace.jobs.follow(str(run.job_id))
    assert "mlalm server start" in caught.value.fix


def test_a_job_whose_holder_is_gone_is_not_waited_for_where_no_server_runs(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "UNATTENDED_S", 0.2)
    run, _ = workspace.recorder.begin(
        notebook("1"), path="n.ipynb", parameters={}, origin="test", owner="elsewhere:1:gone"
    )
    with pytest.raises(Unavailable, match="still Running after"):
        workspace.jobs.follow(str(run.job_id), timeout_s=1.0)
    then = workspace.clock.time_s() + 2 * LEASE_S
    monkeypatch.setattr(type(workspace.clock), "time_s", lambda self: then)
    with pytest.raises(Unavailable, match="It is Running, and no server runs"):
        workspace.jobs.follow(str(run.job_id))


def test_whoever_breaks_off_waiting_is_told_which_job_goes_on(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = workspace.recorder.submit(notebook("1"), path="n.ipynb", parameters={}, origin="scheduler")

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting.time, "sleep", interrupted)
    assert main(["--workspace", str(workspace.path), "job", "follow", str(run.job_id)]) == 130
    assert f"goes on; follow it with `mlalm job follow {str(run.job_id)[:12]}`." in capsys.readouterr().err


def test_a_run_goes_on_when_the_catalog_does_not_take_how_far_it_is(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> bool:
        raise Unavailable("The catalog was not used.", why="Another process has been writing to it.")

    run = workspace.recorder.submit(notebook("1", "2"), path="n.ipynb", parameters={}, origin="scheduler")
    with workspace.catalog.write() as tx:
        lease = tx.jobs.adopt(
            str(run.job_id), "me", now_s=workspace.clock.time_s(), lease_s=60, at=workspace.clock.now()
        )
    monkeypatch.setattr(workspace.recorder, "progress", refused)
    workspace.performer.perform(lease)
    assert workspace.runs.show(run.id).status is RunStatus.FINISHED
