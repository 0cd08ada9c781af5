"""`workspace gc` removes what nothing refers to, and nothing else."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pandas as pd
import pytest

from mlalm_jupyter.domain.errors import InvalidInput, NotFound
from mlalm_jupyter.domain.run import Cells, RunStatus
from mlalm_jupyter.notebook.findings import FIGURE
from mlalm_jupyter.ports import Execution
from mlalm_jupyter.workspace import Workspace
from tests.contract.parity_scenarios import endpoint, model, notebook

pytestmark = pytest.mark.prove_experiments

PNG = "iVBORw0KGgo="


def age(ws: Workspace) -> None:
    for file in (ws.path / ".mlalm" / "blobs").rglob("*"):
        if file.is_file():
            os.utime(file, (1000, 1000))


def full(ws: Workspace) -> None:
    """Something of everything that keeps bytes."""
    endpoint(ws)
    path = Path(notebook(ws, "factor = 1", *(f"# {'x' * 5000} {number}" for number in range(30))))
    data = {FIGURE: {"name": "roc"}, "image/png": PNG}
    shown = f'{{"nbformat": 4, "cells": [{{"cell_type": "code", "source": "1", "outputs": [{{"data": {data}}}]}}]}}'
    run, lease = ws.recorder.begin(
        path.read_bytes(), path=path.name, parameters={}, origin="papermill", owner="t"
    )
    executed = shown.replace("'", '"').encode()
    ws.recorder.end(run, lease, Execution(executed, RunStatus.FINISHED, Cells(1, 1)))
    ws.datasets.upload(str(table(ws)), "rides")


def table(ws: Workspace) -> Path:
    path = ws.path / "rides.csv"
    path.write_text(pd.DataFrame({"hour": [1, 2]}).to_csv(index=False))
    return path


def test_what_is_referred_to_stays_and_the_rest_goes(hosted: Workspace) -> None:
    full(hosted)
    lost = hosted.blobs.put(b"lost" * 1000)
    before = set(hosted.blobs.digests()) - {lost}
    age(hosted)
    freed = hosted.workspaces.gc(grace_h=1)
    assert (freed.blobs, freed.size_bytes) == (1, 4000)
    assert set(hosted.blobs.digests()) == before
    assert hosted.workspaces.doctor().findings == ()
    assert hosted.workspaces.gc(grace_h=1).blobs == 0


def test_what_a_deleted_experiment_left_is_freed_and_shared_pieces_stay(hosted: Workspace) -> None:
    full(hosted)
    hosted.experiments.snapshot("train.ipynb")
    (hosted.path / "copy.ipynb").write_bytes((hosted.path / "train.ipynb").read_bytes())
    kept = hosted.experiments.snapshot("copy.ipynb")
    hosted.experiments.delete("train.ipynb", yes=True)
    age(hosted)
    assert hosted.workspaces.gc(grace_h=1).blobs >= 1
    assert hosted.blobs.get(kept.snapshot.digest) == (hosted.path / "copy.ipynb").read_bytes()
    assert hosted.workspaces.doctor().findings == ()


def test_deleting_an_experiment_takes_its_bytes_from_the_disk_and_no_others(hosted: Workspace) -> None:
    full(hosted)
    run = hosted.experiments.snapshot("train.ipynb")
    (hosted.path / "copy.ipynb").write_bytes((hosted.path / "train.ipynb").read_bytes() + b" ")
    kept = hosted.experiments.snapshot("copy.ipynb")
    lost = hosted.blobs.put(b"lost" * 1000)
    age(hosted)
    before = set(hosted.blobs.digests())
    removed = hosted.experiments.delete("train.ipynb", yes=True)
    gone = before - set(hosted.blobs.digests())
    assert run.snapshot.digest in gone
    assert lost not in gone, "that is for gc"
    assert removed.note.endswith("bytes on disk were freed.")
    assert hosted.blobs.get(kept.snapshot.digest) == (hosted.path / "copy.ipynb").read_bytes()
    assert hosted.workspaces.doctor().findings == ()


def test_an_experiment_whose_bytes_cannot_be_removed_is_deleted_and_says_so(hosted: Workspace) -> None:
    full(hosted)
    run = hosted.experiments.snapshot("train.ipynb")
    place = hosted.blobs.path(run.snapshot.digest)
    place.unlink()
    (place / "in the way").mkdir(parents=True)
    age(hosted)
    os.utime(place, (1000, 1000))
    removed = hosted.experiments.delete("train.ipynb", yes=True)
    assert "still on disk" in removed.note
    assert "`mlalm workspace gc`" in removed.note
    assert [one.path for one in hosted.experiments.list()] == []


def test_bytes_that_somebody_may_be_about_to_name_outlive_a_deletion_for_a_while(hosted: Workspace) -> None:
    full(hosted)
    run = hosted.experiments.snapshot("train.ipynb")
    removed = hosted.experiments.delete("train.ipynb", yes=True)
    assert "goes with `mlalm workspace gc`" in removed.note
    assert hosted.blobs.has(run.snapshot.digest)
    age(hosted)
    hosted.workspaces.gc()
    assert not hosted.blobs.has(run.snapshot.digest)


def test_what_was_put_just_now_stays(hosted: Workspace) -> None:
    digest = hosted.blobs.put(b"somebody is about to refer to this")
    assert hosted.workspaces.gc().blobs == 0
    assert hosted.blobs.has(digest)
    with pytest.raises(InvalidInput, match="The grace"):
        hosted.workspaces.gc(grace_h=0)
    with pytest.raises(InvalidInput, match="The grace"):
        hosted.workspaces.gc(grace_h=float("nan"))


def test_registrations_beside_a_collection_keep_their_bytes(hosted: Workspace) -> None:
    """Every model is registered with bytes that were old a moment before."""
    stop = threading.Event()

    def collect() -> None:
        with Workspace.open(hosted.path) as ws:
            while not stop.is_set():
                ws.workspaces.gc(grace_h=0.05)

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        for _ in range(20):
            age(hosted)
            reference = model(hosted)
            hosted.blobs.get(hosted.models.show(reference).bundle_digest)
            hosted.models.delete(reference, yes=True)
    except NotFound:  # pragma: no cover
        pytest.fail("a collection took the bytes of a model that was being registered")
    finally:
        stop.set()
        collector.join()
