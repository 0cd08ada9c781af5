"""Values that the cells of a run left: kept while it runs, had later without running anything."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from pathlib import Path

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.adapters.kept_values import names_left
from mlalm_jupyter.domain.errors import Conflict, NotFound, RunFailed, UntrustedContent
from mlalm_jupyter.domain.run import Cells, RunStatus
from mlalm_jupyter.workspace import Workspace
from tests.contract.test_experiment_history import write

pytestmark = pytest.mark.prove_experiments

CELLS = (
    ("depth = 1", ["parameters"]),
    ("import numpy as np, pandas as pd\nfrom sklearn.linear_model import LinearRegression", []),
    ("rows = pd.DataFrame({'a': [1.0, 2.0, 3.0]})\nmodel = LinearRegression()", []),
    ("model.fit(rows, rows['a'] * depth)", ["trained"]),
    ("rows['b'] = model.predict(rows)\nnumbers = np.arange(4)", []),
    ("lock = __import__('threading').Lock()\nhuge = np.zeros(10_000_000)\ntexts = {'a': [1, 'x', None]}", []),
    ("def helper(): return 1\n_hidden = 2\nfor i in range(3): last = i", []),
)


def test_what_each_cell_left_is_kept_as_it_left_it(hosted: Workspace, tmp_path: Path) -> None:
    run = hosted.experiments.run(write(hosted, *CELLS), parameters={"depth": 2})
    kept = {output.reference: output for output in hosted.runs.outputs(run.id)}
    assert {name: one.format for name, one in kept.items() if one.digest} == {
        "1.depth": "json",
        "3.rows": "parquet",
        "3.model": "pickle",
        "4.model": "pickle",
        "5.rows": "parquet",
        "5.numbers": "npy",
        "6.texts": "json",
        "7.i": "json",
        "7.last": "json",
    }
    assert "cannot pickle '_thread.lock'" in kept["6.lock"].note
    assert "76 MB" in kept["6.huge"].note
    assert list(hosted.runs.output(run.id, "3.rows").columns) == ["a"]
    assert list(hosted.runs.output(run.id, "rows").columns) == ["a", "b"]
    assert not hasattr(hosted.runs.output(run.id, "3.model"), "coef_")
    model = hosted.runs.output(run.id, "model")
    assert isinstance(model, LinearRegression)
    assert model.predict(pd.DataFrame({"a": [5.0]}))[0] == pytest.approx(10.0)
    assert np.array_equal(hosted.runs.output(run.id, "numbers"), np.arange(4))
    assert hosted.runs.output(run.id, "texts") == {"a": [1, "x", None]}
    written = hosted.runs.download_output(run.id, "rows", str(tmp_path / "rows.parquet"))
    assert (written.digest, written.note) == (kept["5.rows"].digest, "")
    odd = hosted.runs.download_output(run.id, "model", str(tmp_path / "new" / "model.json"))
    assert odd.note.startswith(f"The folder '{tmp_path / 'new'}' was made for it. It is kept as pickle, what")
    assert list(pd.read_parquet(tmp_path / "rows.parquet")["b"]) == pytest.approx([2.0, 4.0, 6.0])
    assert len(hosted.experiments.history("train.ipynb")) == 2  # the draft and that run: nothing ran again


def test_what_a_function_changed_is_kept_again(hosted: Workspace) -> None:
    run = hosted.experiments.run(
        write(
            hosted,
            ("class Model:\n  weight = 0\nxs, ys, zs = [1], [1], [1]\nmodel = Model()\nalso = zs", []),
            ("import numpy as np\nrows = np.zeros(9)", []),
            ("def grow(a): a.append(2)\ndef train(a): a.weight = 7\ndef reach(): ys.append(2)", []),
            ("grow(xs)\ntrain(model)\nreach()\nalso.append(2)\nnp.add(rows, 1, out=rows)", []),
            ("print(xs, model, rows.mean())", []),
        )
    )
    kept = [output.reference for output in hosted.runs.outputs(run.id) if output.cell > 2]
    assert sorted(kept) == ["4.also", "4.model", "4.rows", "4.xs", "4.ys", "4.zs"]
    for name in ("xs", "ys", "zs"):
        assert hosted.runs.output(run.id, name) == [1, 2]
        assert hosted.runs.output(run.id, f"1.{name}") == [1]
    assert hosted.runs.output(run.id, "model").weight == 7
    assert hosted.runs.output(run.id, "1.model").weight == 0
    assert hosted.runs.output(run.id, "rows").sum() == 9


def test_what_a_function_made_global_is_kept_and_what_was_imported_is_not(hosted: Workspace) -> None:
    run = hosted.experiments.run(
        write(
            hosted,
            ("def g():\n  global gg, lock\n  gg = [1]\n  lock = __import__('threading').Lock()", []),
            ("g()\nglobals()['hh'] = 7", []),
            ("from math import pi\nfrom math import *\nimport os.path as there", []),
            ("exec('ii = 8')\nif (jj := 9): pass", []),
            ("def again():\n  global gg\n  gg = [2]\nagain()", []),
        )
    )
    kept = {output.reference: output for output in hosted.runs.outputs(run.id)}
    assert sorted(kept) == ["2.gg", "2.hh", "2.lock", "4.ii", "4.jj", "5.gg"]
    assert kept["2.lock"].digest is None
    assert hosted.runs.output(run.id, "2.gg") == [1]
    assert hosted.runs.output(run.id, "5.gg") == [2]
    assert hosted.runs.output(run.id, "hh") == 7


@pytest.mark.full
def test_equal_values_are_kept_once_and_counted_once(hosted: Workspace) -> None:
    cells = [("import numpy as np\nbig = np.zeros(7_500_000)", []), *[("big.mean()", [])] * 9]
    more = [(f"copy{number} = big.copy()", []) for number in range(9)]
    run = hosted.experiments.run(write(hosted, *cells, *more, ("last = big + 1", [])))
    kept = hosted.runs.outputs(run.id)
    assert [output.name for output in kept] == ["big", *(f"copy{number}" for number in range(9)), "last"]
    assert len({output.digest for output in kept}) == 2
    assert not [output.note for output in kept if output.note]


def test_secrets_are_neither_kept_nor_shown(hosted: Workspace) -> None:
    code = (
        "password = 'hunter2'\napi_key = 'x'\nmyToken = 'abc'\noptions = {'db': {'password': 'hunter2'}}\n"
        "said = 'AKIA' + 'A' * 16\nplace = 'postgres://me:hunter2@host/db'\nname = 'census'\ntokens = [1]"
    )
    run = hosted.experiments.run(write(hosted, (code, [])))
    kept = {output.name: output for output in hosted.runs.outputs(run.id)}
    assert {name for name, output in kept.items() if output.digest} == {"name", "tokens"}
    assert kept["password"].note == "its name is that of a secret"
    assert kept["name"].told == "str of 6 characters"
    assert "hunter2" not in repr(kept)


def test_keeping_is_turned_off_by_a_setting(hosted: Workspace) -> None:
    off = "import os\nos.environ['MLALM_KEEP_VALUES'] = 'no'\na = 1"
    run = hosted.experiments.run(write(hosted, (off, []), ("b = 2", [])))
    assert list(hosted.runs.outputs(run.id)) == []


def test_a_cell_that_did_not_run_has_no_output(hosted: Workspace) -> None:
    run = hosted.experiments.run(write(hosted, *CELLS), to="trained")
    with pytest.raises(NotFound, match=r"No output '5.rows'.*Cell 5 did not run"):
        hosted.runs.output(run.id, "5.rows")
    with pytest.raises(NotFound, match="The nearest names are"):
        hosted.runs.output(run.id, "4.mdel")


def test_what_could_not_be_kept_says_why(hosted: Workspace) -> None:
    run = hosted.experiments.run(write(hosted, *CELLS))
    with pytest.raises(Conflict, match=r"It was not kept: TypeError: cannot pickle"):
        hosted.runs.output(run.id, "lock")


def test_a_run_that_failed_keeps_what_came_before(hosted: Workspace) -> None:
    with pytest.raises(RunFailed):
        hosted.experiments.run(write(hosted, ("a = 1", []), ("b = a / 0", []), ("c = 2", [])))
    run = hosted.experiments.history("train.ipynb")[1]
    assert [output.reference for output in hosted.runs.outputs(run.id)] == ["1.a"]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("a, (b, *c) = f()", ["a", "b", "c"]),
        ("with open('x') as f: d = f.read()", ["f", "d"]),
        ("x.y.z = 1", ["x"]),
        ("if (n := 3) > 2:\n  m = n\nelse:\n  k = 1", ["n", "m", "k"]),
        ("try:\n  a = 1\nexcept E as e:\n  b = 2", ["a", "b"]),
        ("print(a)\na.b.c()\n[i.j() for i in a]", ["i"]),
        ("def f():\n  x = 1\nclass C:\n  y = 2\nlambda: (z := 1)", []),
    ],
)
def test_the_names_a_cell_leaves(code: str, names: list[str]) -> None:
    assert names_left(code) == names


def test_a_value_that_another_hand_put_in_runs_nothing_until_it_is_trusted(
    hosted: Workspace, tmp_path: Path
) -> None:
    run = hosted.experiments.run(
        write(hosted, ("model = object.__new__(type('M', (), {}))\nplain = [1]", []))
    )
    canary = tmp_path / "canary"
    forged = cloudpickle.dumps(Touches(str(canary)))
    cloudpickle.loads(forged)
    assert canary.exists(), "the canary works"
    canary.rmdir()
    digest = hosted.blobs.put(forged)
    with sqlite3.connect(hosted.path / ".mlalm" / "catalog.sqlite") as file:
        file.execute("UPDATE outputs SET digest = ? WHERE name = 'model'", (digest,))
    with pytest.raises(UntrustedContent) as refused:
        hosted.runs.output(run.id, "model")
    assert f"mlalm trust add {digest}" in str(refused.value)
    assert not canary.exists()
    hosted.runs.download_output(run.id, "model", str(tmp_path / "to-look-at"))
    assert hosted.runs.output(run.id, "plain") == [1], "what runs nothing needs no trust"
    assert hosted.trust.add(digest).kind == "output"
    hosted.runs.output(run.id, "model")
    assert canary.exists()


class Touches:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.path,)


def test_a_broken_listing_spoils_no_run_and_names_no_file_outside(hosted: Workspace, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not an output")
    lines = [
        '{"executed": 1, "na',
        "[]",
        '{"executed": 99, "name": "a", "told": ""}',
        json.dumps(
            {"executed": 1, "name": "b", "told": "", "format": "json", "file": str(tmp_path / "secret")}
        ),
    ]
    code = f"""import os
kept = 1
with open(os.environ["MLALM_KEEP"] + "/listing.jsonl", "a") as listing:
    listing.write({chr(10).join(lines) + chr(10)!r})
"""
    run = hosted.experiments.run(write(hosted, (code, [])))
    assert (run.status, run.executed_digest is None) == (RunStatus.FINISHED, False)
    outputs = {one.name: (one.digest is None, one.note) for one in hosted.runs.outputs(run.id)}
    assert outputs["b"] == (True, "its file is not there")
    assert hosted.runs.output(run.id, "kept") == 1


def test_a_run_whose_process_is_gone_says_in_which_cell_and_that_it_was_a_part(workspace: Workspace) -> None:
    content = (workspace.path / write(workspace, ("1", []), ("2", ["here"]), ("3", []))).read_bytes()
    for until, status in (("here", RunStatus.FAILED_PARTIAL), (None, RunStatus.FAILED)):
        run = workspace.recorder.submit(content, path="train.ipynb", parameters={}, origin="cli", until=until)
        with workspace.catalog.write() as tx:
            lease = tx.jobs.adopt(str(run.job_id), "test", now_s=0.0, lease_s=1.0, at=run.created_at)
        workspace.recorder.running(run, lease)
        workspace.recorder.progress(run, lease, Cells(done=1, total=3, current=2))
        assert workspace.recorder.release("test")
        lost = workspace.runs.show(run.id)
        assert (lost.status, lost.failed_cell, lost.findings.executed) == (status, 2, (1,))
        assert lost.cause == "The process that ran it is gone."


def test_a_canceled_run_keeps_its_notebook_and_the_values_of_cells_that_were_done(hosted: Workspace) -> None:
    queued = hosted.experiments.run(
        write(hosted, ("a = 1\nprint('done')", []), ("import time; time.sleep(90)", [])), wait=False
    )
    deadline = time.monotonic() + 60
    while hosted.runs.show(queued.id).cells.current != 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    asked = hosted.runs.cancel(queued.id)
    assert asked.status.is_final or "It was asked to stop; `mlalm job follow" in str(asked.note)
    while not (run := hosted.runs.show(queued.id)).status.is_final and time.monotonic() < deadline:
        time.sleep(0.1)
    assert (run.status, run.cause) == (RunStatus.CANCELED, "It was canceled.")
    assert (run.failed_cell, run.note) == (2, None)
    assert run.executed_digest is not None
    assert b"done" in hosted.context.blobs.get(run.executed_digest)
    assert hosted.runs.output(run.id, "a") == 1
