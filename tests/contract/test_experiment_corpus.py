"""Twenty notebooks of all kinds through the real verbs: kept, exported, imported elsewhere, and exported again."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.errors import InUse, InvalidInput, NotFound
from mlalm_jupyter.domain.run import Cells, RunStatus
from mlalm_jupyter.notebook.document import read_notebook
from mlalm_jupyter.ports import Execution
from mlalm_jupyter.workspace import Workspace
from tests.contract.parity_scenarios import ROWS, package

pytestmark = pytest.mark.prove_experiments

CORPUS = sorted((Path(__file__).parents[1] / "unit" / "notebook" / "corpus").glob("*.ipynb"))
BIG_OUTPUT = 5_000_000


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, Workspace]]:
    """Two workspaces; no server is needed."""
    folder = tmp_path_factory.mktemp("corpus")
    before = os.environ.get("MLALM_HOME")
    os.environ["MLALM_HOME"] = str(folder / "home")
    try:
        with Workspace.init(folder / "here") as here, Workspace.init(folder / "there") as there:
            yield here, there
            assert here.workspaces.doctor().findings == there.workspaces.doctor().findings == ()
    finally:
        del os.environ["MLALM_HOME"]
        if before is not None:
            os.environ["MLALM_HOME"] = before


def with_big_output(content: bytes) -> bytes:
    """The notebook with five megabytes in the output of its first code cell."""
    document = json.loads(content)
    cell = next((one for one in document["cells"] if one["cell_type"] == "code"), None)
    if cell is not None:
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * BIG_OUTPUT}]
    return json.dumps(document).encode()


@pytest.mark.parametrize("is_big", [False, True], ids=["", "5 MB"])
@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_notebook_goes_elsewhere_and_comes_back_as_the_same_text(
    places: tuple[Workspace, Workspace], path: Path, is_big: bool, figures: Counter[str]
) -> None:
    here, there = places
    content = with_big_output(path.read_bytes()) if is_big else path.read_bytes()
    name = f"{path.stem}{'-big' if is_big else ''}.ipynb"
    (here.path / name).write_bytes(content)
    kept = here.experiments.snapshot(name)
    assert here.blobs.get(kept.snapshot.digest) == content, "whatever language it is in, not a byte is lost"
    first = Path(here.experiments.export(name, str(here.path / f"{name}.json")).file).read_bytes()
    of_snapshot = here.experiments.export(f"run:{kept.id}", str(here.path / f"{name}.snapshot.json"))
    assert Path(of_snapshot.file).read_bytes() == first
    assert len(first) < 200_000
    made = there.experiments.import_(str(here.path / f"{name}.json"))
    assert made.experiment.path == name
    second = there.experiments.export(name, str(there.path / f"{name}.json"))
    assert Path(second.file).read_bytes() == first
    before, after = (read_notebook((ws.path / name).read_bytes()) for ws in (here, there))
    assert after.code_hash == before.code_hash
    # and over itself: what was there is kept, and the text is the same again
    here.experiments.import_(str(here.path / f"{name}.json"), overwrite=True)
    third = here.experiments.export(name, str(here.path / f"{name}.again.json"))
    assert Path(third.file).read_bytes() == first
    replaced = here.experiments.history(name)[1]
    assert here.blobs.get(replaced.snapshot.digest) == content
    assert here.blobs.get(here.runs.show(kept.id).snapshot.digest) == content
    figures["notebooks exported, imported and exported again"] += 1


@pytest.mark.parametrize("name", ["r_iris.ipynb", "julia_ode.ipynb"])
def test_a_notebook_in_another_language_is_drawn_without_roles_and_says_so(
    places: tuple[Workspace, Workspace], name: str
) -> None:
    (places[0].path / f"drawn-{name}").write_bytes(
        next(one for one in CORPUS if one.name == name).read_bytes()
    )
    graph = places[0].experiments.graph(f"drawn-{name}")
    assert {node.role for node in graph.nodes} == {None}
    assert "read in Python only" in " ".join(graph.notes)


def test_what_was_promoted_and_deployed_outlives_its_experiment(hosted: Workspace, tmp_path: Path) -> None:
    """Run, register inside the run, deploy, delete the experiment, collect: it answers as before."""
    cells = [{"cell_type": "code", "id": "a", "metadata": {}, "source": "1", "outputs": []}]
    content = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
    (hosted.path / "train.ipynb").write_bytes(content)
    run, lease = hosted.recorder.begin(
        content, path="train.ipynb", parameters={}, origin="papermill", owner="test"
    )
    hosted.recorder.running(run, lease)
    (tmp_path / "rides.csv").write_text(ROWS.to_csv(index=False))
    os.environ["MLALM_RUN"] = run.id
    try:
        dataset = hosted.datasets.upload(str(tmp_path / "rides.csv"), "rides")
        fitted = hosted.models.register(LinearRegression().fit(ROWS, ROWS["hour"]), "hours", sample=ROWS)
        hosted.models.load("hours")
    finally:
        del os.environ["MLALM_RUN"]
    assert dataset.run_id == fitted.lineage.run_id == run.id
    hosted.recorder.end(run, lease, Execution(content, RunStatus.FINISHED, Cells(1, 1)))
    hosted.services.deploy(fitted.reference, "hours")
    before = hosted.services.score("hours", ROWS)
    hosted.experiments.delete("train.ipynb", yes=True)
    for file in (hosted.path / ".mlalm" / "blobs").rglob("*"):
        if file.is_file():
            os.utime(file, (1000, 1000))
    hosted.workspaces.gc(grace_h=0.05)
    with pytest.raises(NotFound):
        hosted.runs.show(run.id)
    assert not hosted.blobs.has(run.snapshot.digest)
    after = hosted.services.score("hours", ROWS)
    assert replace(after, request_id=before.request_id) == before
    assert hosted.datasets.show("rides").dataset == dataset
    assert hosted.models.load("hours:1") is not None
    assert hosted.workspaces.doctor().findings == ()


def test_a_model_that_a_snapshot_refers_to_stays(hosted: Workspace, tmp_path: Path) -> None:
    (tmp_path / "hours.ilearner").write_bytes(package())
    hosted.models.register(str(tmp_path / "hours.ilearner"), "hours")
    cells = [{"cell_type": "code", "id": "a", "metadata": {}, "source": "m = %model hours", "outputs": []}]
    content = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    (hosted.path / "use.ipynb").write_text(content)
    kept = hosted.experiments.snapshot("use.ipynb")
    with pytest.raises(InvalidInput, match="so that one version goes"):
        hosted.models.delete("hours", yes=True)
    with pytest.raises(InUse, match=f"run {kept.id[:12]} of use.ipynb"):
        hosted.models.delete("hours:1", yes=True)
    hosted.experiments.delete("use.ipynb", yes=True)
    hosted.models.delete("hours:1", yes=True)
