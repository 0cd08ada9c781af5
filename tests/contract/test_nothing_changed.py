"""A verb that finds nothing to do says so, and a count that means nothing is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlalm_jupyter.api.verbs import find
from mlalm_jupyter.domain.errors import AlreadyExists, InvalidInput
from mlalm_jupyter.surfaces.cli.main import main
from mlalm_jupyter.surfaces.display import html_of, text_of
from mlalm_jupyter.surfaces.verbs_http import call, to_json
from mlalm_jupyter.workspace import Workspace

NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "cells": [
        {
            "cell_type": "code",
            "id": "a",
            "source": "1 + 1",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
    ],
}


def answered(noun: str, verb: str, workspace: Path | None = None, **arguments: Any) -> Any:
    return call(find(noun, verb), arguments, workspace=workspace)


def says_so(answer: Any) -> bool:
    """Whether all forms of an answer say that nothing changed."""
    forms = (str(to_json(answer)["note"]), text_of(answer), html_of(answer))
    is_told = ["Nothing changed: " in form for form in forms]
    assert len(set(is_told)) == 1, "the forms agree"
    return is_told[0]


def test_making_a_workspace_again_changes_nothing_and_says_so(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = answered("workspace", "init", path=str(tmp_path / "ws"))
    again = answered("workspace", "init", path=str(tmp_path / "ws"))
    assert (says_so(made), says_so(again)) == (False, True)
    assert made.id == again.id
    assert main(["workspace", "init", str(tmp_path / "ws")]) == 0
    assert capsys.readouterr().out.startswith("Nothing changed: it is a workspace already.")


def test_starting_and_stopping_the_server_twice_says_so(home: Path) -> None:
    assert says_so(answered("server", "stop"))
    try:
        first, second = answered("server", "start"), answered("server", "start")
        assert (says_so(first), says_so(second)) == (False, True)
        assert first.pid == second.pid
    finally:
        stopped, again = answered("server", "stop"), answered("server", "stop")
    assert (says_so(stopped), says_so(again)) == (False, True)


def test_canceling_what_has_ended_or_never_started_says_so(hosted: Workspace) -> None:
    (hosted.path / "one.ipynb").write_text(json.dumps(NOTEBOOK))
    run = hosted.experiments.run("one.ipynb")
    assert says_so(hosted.runs.cancel(run.id))
    assert "Finished" in str(hosted.runs.cancel(run.id).note)
    assert says_so(hosted.jobs.cancel(str(run.job_id)))
    assert not says_so(hosted.runs.show(run.id))
    kept = hosted.experiments.snapshot("one.ipynb")
    assert says_so(hosted.runs.cancel(kept.id))


def test_canceling_what_runs_is_no_such_answer(hosted: Workspace) -> None:
    slow = {**NOTEBOOK["cells"][0], "source": "import time; time.sleep(600)"}  # type: ignore[index]
    (hosted.path / "slow.ipynb").write_text(json.dumps({**NOTEBOOK, "cells": [slow]}))
    run = hosted.experiments.run("slow.ipynb", wait=False)
    assert not says_so(hosted.runs.cancel(run.id))
    assert hosted.jobs.follow(str(run.job_id), timeout_s=60).state.value == "Canceled"


@pytest.mark.parametrize("count", [-1, 0])
@pytest.mark.parametrize(
    ("noun", "verb", "arguments", "name"),
    [
        ("experiment", "history", {"notebook": "one.ipynb"}, "limit"),
        ("job", "list", {}, "limit"),
        ("server", "logs", {}, "lines"),
    ],
)
def test_a_count_below_one_is_refused(
    hosted: Workspace, noun: str, verb: str, arguments: dict[str, Any], name: str, count: int
) -> None:
    (hosted.path / "one.ipynb").write_text(json.dumps(NOTEBOOK))
    hosted.experiments.snapshot("one.ipynb")
    with pytest.raises(InvalidInput, match="Expected 1 or more"):
        answered(noun, verb, hosted.path, **arguments, **{name: count})
    answered(noun, verb, hosted.path, **arguments, **{name: 1})


def test_no_rows_are_a_fine_number_of_rows_and_fewer_are_not(hosted: Workspace) -> None:
    (hosted.path / "rows.csv").write_text("a\n1\n2\n")
    hosted.datasets.upload(str(hosted.path / "rows.csv"), "rows")
    assert hosted.datasets.show("rows", rows=0).head.rows == ()
    with pytest.raises(InvalidInput, match="Expected 0 or more"):
        hosted.datasets.show("rows", rows=-1)


def test_the_server_names_the_folders_of_its_workspaces(hosted: Workspace) -> None:
    hosted.context.host.ensure(hosted.info.id, hosted.path)
    told = text_of(answered("server", "status"))
    assert str(hosted.path) in told
    assert hosted.info.id not in told


def test_deploying_what_is_served_changes_nothing_and_says_so(hosted: Workspace) -> None:
    import pandas as pd
    from sklearn.linear_model import LinearRegression

    rows = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    for factor in (1, 2):
        hosted.models.register(LinearRegression().fit(rows, rows["a"] * factor), "line", sample=rows)
    made = hosted.services.deploy("line:1", "line").default
    again = answered("service", "deploy", hosted.path, what="line:1", service="line").default
    assert (made.note, again.note) == (None, "Nothing changed: it serves exactly this already.")
    assert (again.revision, len(hosted.endpoints.history("line"))) == (made.revision, 1)
    with pytest.raises(AlreadyExists) as refused:
        hosted.services.deploy("line:2", "line")
    assert "deploy with --update to move its default endpoint" in str(refused.value)
    assert hosted.endpoints.show("line").model == "line:1"
