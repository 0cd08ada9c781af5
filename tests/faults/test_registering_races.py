"""Processes that register the same name at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.workspace import Workspace

pytestmark = [pytest.mark.prove_skeleton, pytest.mark.timeout(600)]

REGISTER = """
import sys
import pandas as pd
from sklearn.linear_model import LinearRegression
from mlalm_jupyter import Workspace

rows = pd.DataFrame({"a": [1.0, 2.0]})
model = LinearRegression().fit(rows, rows["a"])
with Workspace.open(sys.argv[1]) as ws:
    for _ in range(int(sys.argv[2])):
        print(ws.models.register(model, "line", sample=rows).version, flush=True)
"""


@pytest.mark.full
def test_two_processes_register_one_name_without_gap_or_error(
    hosted: Workspace, counts: Callable[[int, int], int]
) -> None:
    each = counts(15, 50)
    words = [sys.executable, "-c", REGISTER, str(hosted.path), str(each)]
    both = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [one.communicate(timeout=500) for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    versions = sorted(int(line) for out, _ in said for line in out.split())
    assert versions == list(range(1, 2 * each + 1))
    assert sorted(one.version for one in hosted.models.list(name="line", limit=1000)) == versions
    assert hosted.workspaces.doctor().is_healthy


def test_a_deleted_number_is_not_given_again(hosted: Workspace) -> None:
    rows = pd.DataFrame({"a": [1.0, 2.0]})
    model = LinearRegression().fit(rows, rows["a"])
    assert [hosted.models.register(model, "line", sample=rows).version for _ in range(2)] == [1, 2]
    hosted.models.delete("line:2", yes=True)
    third = hosted.models.register(model, "line", sample=rows)
    assert (third.version, third.equal_to) == (3, 1)


def test_nothing_that_serves_changes_when_a_model_is_registered(hosted: Workspace, tmp_path: Path) -> None:
    rows = pd.DataFrame({"a": [1.0, 2.0]})
    hosted.models.register(LinearRegression().fit(rows, rows["a"]), "line", sample=rows)
    hosted.services.deploy("line:1", "line")
    before = hosted.services.score("line", rows)
    hosted.models.register(LinearRegression().fit(rows, rows["a"] * 9), "line", sample=rows)
    after = hosted.services.score("line", rows)
    assert (after.rows, after.model, after.definition_hash) == (before.rows, "line:1", before.definition_hash)
