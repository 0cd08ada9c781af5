"""Assets in cells: datasets as frames, transforms and models as objects, each use remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from mlalm_jupyter.domain.asset import Dataset, Transform
from mlalm_jupyter.domain.errors import InvalidInput, NotFound
from mlalm_jupyter.domain.outcome import Preview
from mlalm_jupyter.workspace import Workspace
from tests.contract.parity_scenarios import begun, notebook
from tests.unit.formats.test_tables import RDATA

Cell = Callable[[str], Any]
FIT = """
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler
rows = pd.DataFrame({"hour": [1.0, 2.0, 3.0], "wind": [4.0, 0.0, 1.0]})
scaler = StandardScaler().fit(rows)
forest = LinearRegression().fit(rows, rows["hour"])
"""


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, workspace: Workspace) -> Iterator[InteractiveShell]:
    monkeypatch.chdir(workspace.path)
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    made.run_line_magic("load_ext", "mlalm_jupyter")
    yield made
    InteractiveShell.clear_instance()


@pytest.fixture
def cell(shell: InteractiveShell) -> Cell:
    def run(source: str) -> Any:
        done = shell.run_cell(source)
        error = done.error_before_exec or done.error_in_exec
        if error is not None:
            raise error
        return done.result

    return run


def test_a_transform_goes_in_by_its_variable_and_comes_back_by_its_name(
    cell: Cell, workspace: Workspace
) -> None:
    cell(FIT)
    kept = cell("%mlalm transform register scaler scale --sample rows")
    assert isinstance(kept, Transform)
    assert cell("loaded = %transform scale\nloaded.mean_.tolist() == scaler.mean_.tolist()") is True
    cell("%register forest forest --sample rows")
    assert (
        cell("again = %model forest:1\nagain.predict(rows).tolist() == forest.predict(rows).tolist()") is True
    )
    assert workspace.context.used == ["transform scale:1", "model forest:1"]


def test_what_is_no_transform_is_refused_and_near_ones_are_named(cell: Cell) -> None:
    cell(FIT)
    with pytest.raises(InvalidInput, match="has `transform`"):
        cell("%mlalm transform register forest scale --sample rows")
    with pytest.raises(NotFound, match="scaler"):
        cell("%mlalm transform register scalar scale --sample rows")
    with pytest.raises(NotFound, match="No transform"):
        cell("%transform scale")
    with pytest.raises(NotFound, match="No model"):
        cell("%model forest")


def test_in_a_run_names_stand_for_what_was_pinned(
    cell: Cell, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell(FIT)
    cell("%mlalm transform register scaler scale --sample rows")
    run, _ = begun(workspace, "factor = 1", "scale = %transform scale")
    cell("scaler = StandardScaler(with_mean=False).fit(rows)")
    cell("%mlalm transform register scaler scale --sample rows")
    monkeypatch.setenv("MLALM_RUN", run.id)
    assert cell("loaded = %transform scale\nloaded.with_mean") is True
    monkeypatch.delenv("MLALM_RUN")
    assert cell("loaded = %transform scale\nloaded.with_mean") is False
    assert workspace.runs.show(run.id).inputs == ("transform scale:1",)


def test_a_snapshot_of_a_live_kernel_keeps_what_it_loaded(
    shell: InteractiveShell, workspace: Workspace
) -> None:
    Path("rides.csv").write_text("a,b\n1,2\n")
    workspace.datasets.upload("rides.csv", "rides")
    cells = ["rows = %dataset rides", "%snapshot live.ipynb"]
    notebook(workspace, *cells, name="live.ipynb")
    for source in cells:
        done = shell.run_cell(source, store_history=True)
        assert done.success, done.error_in_exec
    assert done.result.inputs == ("dataset rides:1",)
    assert [pin.told for pin in done.result.snapshot.assets] == ["dataset rides:1"]


def test_a_snapshot_of_a_live_kernel_pins_what_it_loaded_and_not_what_came_later(
    shell: InteractiveShell, workspace: Workspace
) -> None:
    def upload(rows: int, name: str) -> None:
        Path("rides.csv").write_text("a,b\n" + "1,2\n" * rows)
        workspace.datasets.upload("rides.csv", name)

    for rows in (1, 2):
        upload(rows, "rides")
        upload(rows, "trips")
    cells = ["rows = %dataset rides", "%dataset trips:1\ntrips = %dataset trips", "%snapshot live.ipynb"]
    notebook(workspace, *cells, name="live.ipynb")
    for source in cells:
        if source.startswith("%snapshot"):
            upload(3, "rides")
            upload(3, "trips")
        done = shell.run_cell(source, store_history=True)
        assert done.success, done.error_in_exec
    pins = [(pin.wanted, pin.told) for pin in done.result.snapshot.assets]
    assert pins == [
        ("rides", "dataset rides:2"),
        ("trips:1", "dataset trips:1"),
        ("trips", "dataset trips:2"),
    ]


def test_a_dataset_that_is_no_table_is_given_as_what_was_kept(cell: Cell, workspace: Workspace) -> None:
    Path("rides.RData").write_bytes(RDATA)
    kept = cell("%dataset rides rides.RData")
    assert isinstance(kept, Dataset)
    assert kept.format == "RData"
    with pytest.raises(InvalidInput, match="dataset download rides:1"):
        cell("%dataset rides")
    assert isinstance(cell("%mlalm dataset show rides"), Preview)


def test_options_of_an_upload_work_in_the_short_form(cell: Cell, capsys: pytest.CaptureFixture[str]) -> None:
    Path("rides.data").write_text("1\t2\n3\t4\n")
    frame = cell("%dataset rides rides.data --format tsv --no-header --tag year=2024")
    assert list(frame.columns) == ["Col1", "Col2"]
    assert "rides:1: 2 rows" in capsys.readouterr().out


def test_names_of_transforms_are_completed(cell: Cell, shell: InteractiveShell) -> None:
    cell(FIT)
    cell("%mlalm transform register scaler scale --sample rows")

    def offered(line: str) -> list[str]:
        with provisionalcompleter():
            return [line[: one.start] + one.text for one in shell.Completer.completions(line, len(line))]

    assert offered("%transform sc") == ["%transform scale", "%transform scale:1"]
    assert offered("%mlalm transform register sca") == ["%mlalm transform register scaler"]
    assert "%mlalm dataset update" in offered("%mlalm dataset up")
