"""The environment that a run was executed in, where it is another than that of whoever submitted it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlalm_jupyter.adapters.surroundings import MachineSurroundings
from mlalm_jupyter.domain.run import Run, RunStatus
from mlalm_jupyter.workspace import Workspace

pytestmark = pytest.mark.timeout(120)

NOTEBOOK = json.dumps(
    {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {
                "cell_type": "code",
                "id": "c1",
                "metadata": {},
                "source": "1",
                "outputs": [],
                "execution_count": None,
            }
        ],
    }
).encode()


@dataclass
class Elsewhere(MachineSurroundings):
    """Another interpreter, or other packages, on the same machine."""

    executable: str
    packages: bytes = b"numpy==1.0\n"

    def environment(self) -> tuple[dict[str, object], bytes]:
        facts, _ = super().environment()
        return {**facts, "python": "3.12.1", "executable": self.executable}, self.packages


def performed(workspace: Workspace, run: Run) -> Run:
    with workspace.catalog.write() as tx:
        lease = tx.jobs.adopt(
            str(run.job_id), "me", now_s=workspace.clock.time_s(), lease_s=60, at=workspace.clock.now()
        )
    workspace.performer.perform(lease)
    return workspace.runs.show(run.id)


def submitted(workspace: Workspace) -> Run:
    return workspace.recorder.submit(NOTEBOOK, path="n.ipynb", parameters={}, origin="scheduler")


def test_a_run_in_another_interpreter_records_both_and_says_so(workspace: Workspace) -> None:
    mine = workspace.context.surroundings
    workspace.context.surroundings = Elsewhere("/opt/theirs/bin/python")
    before = submitted(workspace)
    workspace.context.surroundings = mine
    run = performed(workspace, before)
    assert run.status is RunStatus.FINISHED
    assert run.snapshot == before.snapshot, "a snapshot stays as it was taken"
    facts, lock = mine.environment()
    assert {name: run.executed_in[name] for name in facts} == facts
    assert workspace.blobs.get(str(run.executed_in["packages"])) == lock
    told = run.to_dict()
    assert "submitted from Python 3.12.1 at /opt/theirs/bin/python" in str(told["note"])
    assert f"ran with Python {facts['python']} at {facts['executable']}" in str(told["note"])
    assert told["executed_in"] == run.executed_in
    assert workspace.workspaces.gc(grace_h=1).kept >= 3
    assert workspace.workspaces.doctor().findings == ()


def test_a_run_after_packages_changed_says_so(workspace: Workspace) -> None:
    workspace.context.surroundings = Elsewhere("/opt/theirs/bin/python")
    before = submitted(workspace)
    workspace.context.surroundings = Elsewhere("/opt/theirs/bin/python", b"numpy==2.0\n")
    run = performed(workspace, before)
    assert run.surroundings_note == "Other packages were installed when it ran than when it was submitted."


def test_a_run_where_it_was_submitted_from_records_its_environment_once(
    hosted: Workspace, tmp_path: Path
) -> None:
    (hosted.path / "n.ipynb").write_bytes(NOTEBOOK)
    run = hosted.experiments.run(str(hosted.path / "n.ipynb"))
    assert (dict(run.executed_in), run.to_dict()["note"]) == ({}, "")
