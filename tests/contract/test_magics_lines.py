"""Magics in a real IPython: what cells give, show, complete and refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from mlalm_jupyter.domain.errors import InvalidInput, MlalmError, NotFound
from mlalm_jupyter.domain.outcome import Snippet
from mlalm_jupyter.domain.server import KeyPair
from mlalm_jupyter.domain.service import WebService
from mlalm_jupyter.surfaces.magics.magics import MlalmMagics
from mlalm_jupyter.workspace import Workspace

Cell = Callable[[str], Any]

FIT = """
import pandas as pd
from sklearn.linear_model import LinearRegression
rows = pd.DataFrame({"hour": [1, 2, 3], "wind": [4, 0, 1]})
model = LinearRegression().fit(rows, rows["hour"])
"""


@pytest.fixture
def workspace(hosted: Workspace) -> Workspace:
    return hosted


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, workspace: Workspace) -> Iterator[InteractiveShell]:
    monkeypatch.chdir(workspace.path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    made.run_line_magic("load_ext", "mlalm_jupyter")
    yield made
    InteractiveShell.clear_instance()


@pytest.fixture
def cell(shell: InteractiveShell) -> Cell:
    """Runs a cell: what it gives, or what it raises."""

    def run(source: str) -> Any:
        done = shell.run_cell(source)
        error = done.error_before_exec or done.error_in_exec
        if error is not None:
            raise error
        return done.result

    return run


@pytest.fixture
def table(workspace: Workspace) -> str:
    pd.DataFrame({"hour": [1, 2, 3], "rides": [4, 5, 6]}).to_csv(workspace.path / "rides.csv", index=False)
    return "rides.csv"


def completions(shell: InteractiveShell, line: str) -> list[str]:
    """What a front end would be offered with the cursor at the end of a line, as whole lines."""
    with provisionalcompleter():
        return [line[: one.start] + one.text for one in shell.Completer.completions(line, len(line))]


def test_loading_again_changes_nothing(shell: InteractiveShell, cell: Cell) -> None:
    before = len(shell.Completer.custom_matchers)
    cell("%reload_ext mlalm_jupyter")
    cell("%load_ext mlalm_jupyter")
    assert len(shell.Completer.custom_matchers) == before
    assert cell("%mlalm workspace show")


def test_unloading_takes_all_of_it_away(shell: InteractiveShell, cell: Cell) -> None:
    cell("%unload_ext mlalm_jupyter")
    assert not set(MlalmMagics.names()) & set(shell.magics_manager.magics["line"])
    assert not any(
        "mlalm" in getattr(one, "matcher_identifier", "") for one in shell.Completer.custom_matchers
    )


def test_the_magic_alone_tells_all_verbs(cell: Cell, capsys: pytest.CaptureFixture[str]) -> None:
    assert cell("%mlalm") is None
    assert capsys.readouterr().out.startswith("usage: %mlalm NOUN VERB ...")


@pytest.mark.parametrize("name", MlalmMagics.names())
def test_every_magic_tells_what_it_is_when_asked(
    cell: Cell, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    cell(f"%{name}?")
    assert f"%{name}" in capsys.readouterr().out
    assert cell(f"%{name} --help") is None
    assert re.match(rf"usage: %(mlalm )?{name}\b", capsys.readouterr().out)


def test_marks_do_nothing_when_they_are_run(cell: Cell, capsys: pytest.CaptureFixture[str]) -> None:
    cell("rows = [1]\nforest = 2")
    for line in ("%web_input rows", "%web_output rows scores  # at last", "%select_model forest"):
        assert cell(line) is None
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%web_input", "Expected %web_input VARIABLE .NAME."),
        ("%web_output rows a b", "Expected %web_output VARIABLE .NAME."),
        ("%select_model forest one", "Expected %select_model VARIABLE"),
        ("%web_input rowz", "Did you mean 'rows'"),
        ("%web_input rows ../up", "The port name '../up'"),
    ],
)
def test_a_mark_that_says_nothing_is_refused(
    cell: Cell, capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    cell("rows = [1]\nforest = 2")
    with pytest.raises(InvalidInput, match=said):
        cell(line)


def test_an_answer_can_be_kept_and_then_shows_nothing(
    cell: Cell, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    cell("info = %mlalm workspace show")
    assert capsys.readouterr().out == ""
    assert cell("info.id") == workspace.info.id


def test_an_answer_is_shown_as_text_html_and_json(shell: InteractiveShell, cell: Cell, table: str) -> None:
    cell(f"%dataset rides {table}")
    bundle, _ = shell.display_formatter.format(cell("%mlalm dataset list"))
    assert bundle["text/plain"].startswith("Datasets\nDATASET")
    assert "<caption>Datasets</caption>" in bundle["text/html"]
    assert bundle["application/vnd.mlalm.datasets+json"][0]["reference"] == "rides:1"


def test_what_the_python_api_answers_is_shown_the_same_way(shell: InteractiveShell, cell: Cell) -> None:
    cell("%unload_ext mlalm_jupyter")
    answer = cell("from mlalm_jupyter import Workspace\nWorkspace.open().workspaces.show()")
    assert "text/html" in shell.display_formatter.format(answer)[0]


def test_json_is_given_when_asked_for(cell: Cell, workspace: Workspace) -> None:
    answer = cell("%mlalm workspace show --json")
    assert json.loads(json.dumps(answer))["id"] == workspace.info.id


def test_a_wrong_line_is_one_line_of_error(cell: Cell, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidInput):
        cell("%score bikes")
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "InvalidInput: The line `%score ...` is not valid. Expected `%score SERVICE ROWS`, got no ROWS."
    ]
    with pytest.raises(InvalidInput, match="quotes that are closed"):
        cell("%mlalm dataset show 'rides")


def test_an_error_has_its_own_class_to_catch(cell: Cell) -> None:
    assert (
        cell(
            "from mlalm_jupyter import MlalmError\n"
            "try:\n    %mlalm dataset show rides\nexcept MlalmError as error:\n    caught = error.code\ncaught"
        )
        == "NotFound"
    )


def test_values_of_the_kernel_go_into_a_line(cell: Cell, table: str) -> None:
    cell(f"name = 'rides'\nfile = {table!r}")
    cell("%dataset $name $file")
    assert cell("%mlalm dataset show $name:1 --rows {1 + 1}").head.rows == ((1, 4), (2, 5))


def test_a_dataset_is_a_frame_that_knows_its_version(
    cell: Cell, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = cell(f"%dataset rides {table}")
    assert (list(frame.columns), len(frame), frame.attrs) == (
        ["hour", "rides"],
        3,
        {"mlalm.dataset": "rides:1"},
    )
    assert "rides:1: 3 rows\n" in capsys.readouterr().out
    assert cell(f"%dataset rides {table}").attrs == {"mlalm.dataset": "rides:2"}
    assert "rides:2: 3 rows; equal to rides:1\n" in capsys.readouterr().out
    assert cell("%dataset rides:1").attrs == {"mlalm.dataset": "rides:1"}
    with pytest.raises(NotFound, match="The nearest names are 'rides'"):
        cell("%dataset rdies")


def test_another_workspace_can_be_named_on_the_line(cell: Cell, table: str, tmp_path: Path) -> None:
    cell(f"%mlalm workspace init {tmp_path / 'other'}")
    cell(f"%dataset rides {table}")
    assert cell(f"%mlalm dataset list --workspace {tmp_path / 'other'}") == ()
    with pytest.raises(NotFound):
        cell(f"%dataset rides --workspace {tmp_path / 'other'}")


def test_a_variable_is_registered_with_where_it_comes_from(cell: Cell, table: str) -> None:
    cell(FIT)
    cell(f"known = %dataset rides {table}")
    cell("rows.attrs.update(known.attrs)")
    model = cell("%register model hours --sample rows --tag year=2024 --description 'Hours of a day'")
    assert (model.reference, model.tags, model.description) == ("hours:1", {"year": "2024"}, "Hours of a day")
    assert model.lineage.datasets == ("dataset rides:1",)
    with pytest.raises(NotFound, match=r"No variable 'modle'\. The nearest names are 'model'"):
        cell("%register modle hours --sample rows")


def test_a_variable_of_a_function_is_found_where_the_line_stands_in_it(cell: Cell) -> None:
    cell(FIT)
    cell(
        "def kept():\n    inner, few = model, rows.head(2)\n"
        "    name = 'inside'\n    return get_ipython().run_line_magic('register', 'inner $name --sample few')\n"
    )
    assert cell("kept()").reference == "inside:1"
    assert cell(
        "def again():\n    inner = model\n    x = %register inner inside --sample rows\n    return x\nagain()"
    )


def test_runs_need_a_notebook_that_is_known(cell: Cell) -> None:
    with pytest.raises(InvalidInput, match="Name it in the line, for example"):
        cell("%runs")
    with pytest.raises(InvalidInput, match="Name it in the line, for example"):
        cell("%run_all")


def begun(workspace: Workspace) -> tuple[Path, str]:
    """A notebook, and the id of a run of it that somebody is executing."""
    path = workspace.path / "train.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}))
    run, _ = workspace.recorder.begin(
        path.read_bytes(), path="train.ipynb", parameters={}, origin="papermill", owner="test"
    )
    return path, run.id


def test_runs_are_those_of_this_notebook(
    cell: Cell, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, run_id = begun(workspace)
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    assert [one.id for one in cell("%runs") if not one.is_editable] == [run_id]
    monkeypatch.delenv("JPY_SESSION_NAME")
    monkeypatch.setenv("MLALM_RUN", run_id)
    assert [one.id for one in cell("%runs") if not one.is_editable] == [run_id]


def test_a_notebook_that_is_being_run_does_not_run_itself_again(
    cell: Cell, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, run_id = begun(workspace)
    monkeypatch.setenv("MLALM_RUN", run_id)
    for line in ("%run_all", "%run_all train.ipynb", f"%run_all {path}"):
        assert cell(line).id == run_id
        assert "Nothing changed: this is run" in capsys.readouterr().out
    assert len(workspace.experiments.history("train.ipynb")) == 2  # the draft, and the run


def test_text_is_shown_as_lines(shell: InteractiveShell, cell: Cell) -> None:
    from mlalm_jupyter.surfaces.magics.texts import Transcript

    assert isinstance(cell("%mlalm server logs"), str)
    assert shell.display_formatter.format(Transcript("one\ntwo"))[0] == {"text/plain": "one\ntwo"}


def test_progress_is_one_display_that_is_empty_in_the_end(cell: Cell, table: str) -> None:
    cell(f"%dataset rides {table}")
    with capture_output() as captured:
        cell("checkup = %mlalm workspace doctor")
    shown = [output.data["text/plain"] for output in captured.outputs]
    assert shown == ["Checking blobs: 0 of 2", ""], "the table and its profile"


def test_nouns_verbs_and_options_are_completed(shell: InteractiveShell) -> None:
    assert completions(shell, "%mlalm endp") == ["%mlalm endpoint"]
    assert "%mlalm endpoint patch" in completions(shell, "%mlalm endpoint ")
    assert "%endpoint rollback" in completions(shell, "%endpoint ro")
    assert completions(shell, "%mlalm endpoint patch a/b --mo") == ["%mlalm endpoint patch a/b --model"]
    assert completions(shell, "run = %run_all train.ipynb --time") == [
        "run = %run_all train.ipynb --timeout-s"
    ]


def test_references_are_completed_from_the_empty_word_on(
    shell: InteractiveShell, cell: Cell, table: str
) -> None:
    cell(FIT)
    cell("%register model hours --sample rows")
    cell(f"%dataset rides {table}")
    assert completions(shell, "%mlalm endpoint patch a/b --model ") == [
        "%mlalm endpoint patch a/b --model hours:1"
    ]
    assert completions(shell, "%mlalm model show hours:") == ["%mlalm model show hours:1"]
    assert completions(shell, "%mlalm dataset show ri") == [
        "%mlalm dataset show rides",
        "%mlalm dataset show rides:1",
    ]


def test_variables_are_completed_where_they_fit(shell: InteractiveShell, cell: Cell) -> None:
    cell(FIT)
    assert "%register model" in completions(shell, "%register mo")
    assert completions(shell, "%score hours ro") == ["%score hours rows"]


def test_completion_without_a_workspace_is_quiet(
    shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert [one for one in completions(shell, "%mlalm model show ") if "hours" in one] == []


def test_from_a_cell_to_an_answer(
    shell: InteractiveShell, cell: Cell, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    cell(FIT)
    cell("def windy(rows):\n    return rows.assign(is_windy=rows['wind'] > 1)")
    service = cell("%deploy windy windy --sample rows")
    assert isinstance(service, WebService)
    capsys.readouterr()
    frame = cell("%score windy rows")
    assert frame["is_windy"].tolist() == [True, False, False]
    assert frame.attrs["mlalm.endpoint"] == "windy/default"
    assert frame.attrs["mlalm.definition"] == service.default.definition_hash
    assert frame.attrs["mlalm.model"] is None
    assert (
        f"windy/default answered, definition {service.default.definition_hash[:12]}"
        in capsys.readouterr().out
    )
    with pytest.raises(NotFound, match=r"No variable or dataset 'rwos'\. The nearest names are 'rows'"):
        cell("%score windy rwos")

    cell("%register model hours --sample rows")
    cell("%deploy hours hours")
    assert cell("%score hours rows").attrs["mlalm.model"] == "hours:1"
    cell("%register model hours --sample rows")
    cell("%endpoint add hours/ep2")
    assert cell("%patch hours/ep2 hours:2").model == "hours:2"
    assert cell("%rollback hours/ep2").model == "hours:1"
    assert [one.reference for one in cell("%endpoints hours")] == ["hours/default", "hours/ep2"]
    assert len(cell("%endpoints")) == 3
    with pytest.raises(MlalmError, match="Register a fitted model first"):
        cell("%deploy model hours2")

    snippet = cell("%consume hours --lang python")
    assert isinstance(snippet, Snippet)
    assert cell("%wsd show hours").models[0].reference == "hours:1"
    assert len(cell("%trust list")) >= 2

    keys = cell("%mlalm endpoint keys hours")
    assert isinstance(keys, KeyPair)
    kept = json.dumps(shell.display_formatter.format(keys)[0])
    alone = cell("%mlalm endpoint keys hours --only primary")
    assert alone == keys.primary
    as_json = cell("%mlalm endpoint keys hours --json")
    assert as_json["secondary"] == keys.secondary
    in_python = workspace.endpoints.keys("hours/default", only="secondary")
    alone_as_json = cell("%mlalm endpoint keys hours --only secondary --json")
    for shown in (alone, as_json, in_python, alone_as_json, keys.primary, repr(keys)):
        told = json.dumps(shell.display_formatter.format(shown)[0])  # as a notebook saves it
        assert keys.primary not in told
        assert keys.secondary not in told
    kept += json.dumps(shell.display_formatter.format(alone)[0])
    assert keys.primary not in kept
    assert keys.secondary not in kept
