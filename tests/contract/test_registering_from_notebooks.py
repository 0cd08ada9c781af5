"""`%register` in a live kernel and in a run: the model knows its cell, snapshot, data and environment by itself."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.run import RunStatus
from mlalm_jupyter.workspace import Workspace
from tests.contract.parity_scenarios import notebook
from tests.contract.test_magics_assets import cell as cell
from tests.contract.test_magics_assets import shell as shell

pytestmark = [pytest.mark.prove_models, pytest.mark.timeout(180)]

FIT = "from sklearn.linear_model import LinearRegression\nfit = LinearRegression().fit(rows[['wind']], rows['hour'])"
CELLS = ["rows = %dataset rides", FIT, "%register fit wind --sample rows --metric rmse=0.5"]


def rides(ws: Workspace) -> None:
    (ws.path / "rides.csv").write_text("hour,wind\n1,2.5\n2,4.0\n3,1.0\n")
    ws.datasets.upload(str(ws.path / "rides.csv"), "rides")


def test_a_live_kernel_tells_cell_snapshot_data_and_environment(
    shell: InteractiveShell, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    rides(workspace)
    notebook(workspace, *CELLS, name="live.ipynb")
    monkeypatch.setenv("JPY_SESSION_NAME", str(workspace.path / "live.ipynb"))
    for source in CELLS:
        done = shell.run_cell(source, store_history=True)
        assert done.success, done.error_in_exec
    lineage = done.result.lineage
    assert (lineage.origin, lineage.experiment, lineage.cell) == ("notebook", "live.ipynb", 3)
    assert lineage.datasets == ("dataset rides:1",)
    assert lineage.environment["python"]
    assert workspace.blobs.has(str(lineage.environment["packages"]))
    run = workspace.runs.show(str(lineage.run_id))
    assert (run.origin, run.status, run.models) == ("interactive", RunStatus.FINISHED, ("wind:1",))
    assert run.snapshot.message == "for model wind"
    assert [pin.told for pin in run.snapshot.assets] == ["dataset rides:1"]
    assert b"%register fit wind" in workspace.blobs.get(run.snapshot.digest)
    assert done.result.metrics == {"rmse": 0.5}
    assert [
        one.reference for one in workspace.models.list(where="dataset=rides:1, experiment=live.ipynb")
    ] == ["wind:1"]


def test_what_was_only_loaded_beside_it_is_no_input_and_may_go(
    shell: InteractiveShell, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    rides(workspace)
    workspace.datasets.upload(str(workspace.path / "rides.csv"), "other")
    base = LinearRegression().fit(pd.DataFrame({"wind": [1.0, 2.0]}), [1.0, 2.0])
    workspace.models.register(base, "base", sample=pd.DataFrame({"wind": [1.0]}))
    beside = [
        "others = %dataset other",
        "from mlalm_jupyter import Workspace\nbase = Workspace.open().models.load('base:1')",
    ]
    cells = [*beside, *CELLS]
    monkeypatch.setenv("MLALM_WORKSPACE", str(workspace.path))
    notebook(workspace, *cells, name="live.ipynb")
    monkeypatch.setenv("JPY_SESSION_NAME", str(workspace.path / "live.ipynb"))
    for source in cells:
        done = shell.run_cell(source, store_history=True)
        assert done.success, done.error_in_exec
    assert done.result.lineage.datasets == ("dataset rides:1",)
    run = workspace.runs.show(str(done.result.lineage.run_id))
    assert run.inputs == ("dataset other:1", "model base:1", "dataset rides:1"), "the run did load them"
    assert [one.name for one in workspace.models.lineage("wind:1").things if one.kind == "dataset"] == [
        "rides:1"
    ]
    assert [one.reference for one in workspace.models.list(where="model=base:1")] == []


def test_a_kernel_that_does_not_know_its_notebook_registers_all_the_same(
    shell: InteractiveShell, workspace: Workspace
) -> None:
    rides(workspace)
    for source in CELLS:
        done = shell.run_cell(source, store_history=True)
        assert done.success, done.error_in_exec
    lineage = done.result.lineage
    assert (lineage.origin, lineage.run_id, lineage.cell) == ("notebook", None, None)
    assert lineage.datasets == ("dataset rides:1",)
    assert lineage.environment["python"]


def test_a_notebook_that_is_older_than_the_screen_is_told_and_the_model_is_kept(
    shell: InteractiveShell,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rides(workspace)
    notebook(workspace, *CELLS[:2], name="live.ipynb")
    monkeypatch.setenv("JPY_SESSION_NAME", str(workspace.path / "live.ipynb"))
    for source in CELLS:
        done = shell.run_cell(source, store_history=True)
        assert done.success, done.error_in_exec
    assert done.result.lineage.run_id is None
    assert (
        "Which cell made it is not kept: The snapshot of live.ipynb is not valid." in capsys.readouterr().out
    )


@pytest.mark.full
def test_a_run_tells_which_of_its_cells_made_the_model(
    hosted: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    rides(hosted)
    sources = ["%load_ext mlalm_jupyter", *CELLS, "x = 1", "%register fit again --sample rows"]
    run = hosted.experiments.run(notebook(hosted, *sources), timeout_s=120)
    first, second = hosted.models.show("wind:1").lineage, hosted.models.show("again:1").lineage
    assert (first.origin, first.run_id, first.cell, second.cell) == ("run", run.id, 4, 6)
    assert first.datasets == ("dataset rides:1",)
    assert first.environment["packages"] == run.snapshot.environment["packages"]
    promoted = hosted.models.promote(run.id, "fit", "promoted", sample="rows")
    assert (promoted.lineage.cell, promoted.model_hash) == (3, hosted.models.show("wind:1").model_hash)
