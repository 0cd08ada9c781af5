"""Modules beside a notebook are of its run: what is made of others than those that ran is refused, and says which."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from mlalm_jupyter.domain.errors import Conflict
from mlalm_jupyter.notebook.document import read_notebook
from mlalm_jupyter.notebook.predictive.beside import modules_beside
from mlalm_jupyter.workspace import Workspace

pytestmark = [pytest.mark.prove_conversion, pytest.mark.timeout(300)]

CELLS = (
    "%load_ext mlalm_jupyter\nimport pandas as pd\nfrom parts import tidying",
    "rows = pd.DataFrame({'a': [1.0, 2.0]})",
    "%web_input rows",
    "rows['b'] = tidying.twice(rows.a)",
    "%web_output rows",
)
TRAINING = (
    "import pandas as pd\nfrom sklearn.linear_model import LinearRegression\nfrom parts.tidying import twice",
    "df = pd.read_csv('rows.csv')",
    "X = df[['a']].assign(b=twice(df.a))",
    "model = LinearRegression().fit(X, df.y)",
    "predictions = model.predict(X)",
)


@pytest.fixture
def ws(hosted: Any) -> Workspace:
    found: Workspace = hosted
    parts = found.path / "parts"
    parts.mkdir()
    (parts / "__init__.py").write_text("")
    (parts / "tidying.py").write_text(
        "from .words import FACTOR\n\n\ndef twice(column):\n    return column * FACTOR\n"
    )
    (parts / "words.py").write_text("FACTOR = 2\n")
    table = pd.DataFrame({"a": range(30)})
    table.assign(y=table.a * 3 % 7).to_csv(found.path / "rows.csv", index=False)
    return found


def write(ws: Workspace, name: str, *cells: str) -> Path:
    nbformat.write(new_notebook(cells=[new_code_cell(one) for one in cells]), ws.path / name)
    return ws.path / name


def test_a_snapshot_has_the_modules_that_the_notebook_imports_through_each_other(ws: Workspace) -> None:
    (ws.path / "other.py").write_text("unused = 1\n")
    write(ws, "tidy.ipynb", *CELLS)
    run = ws.experiments.snapshot("tidy")
    assert sorted(run.snapshot.files) == ["parts/__init__.py", "parts/tidying.py", "parts/words.py"]
    own = write(ws, "own.ipynb", "%%writefile parts/words.py\nFACTOR = 3", "from parts import words")
    assert list(modules_beside(read_notebook(own.read_bytes()), ws.path)) == ["parts"]


@pytest.mark.full
def test_a_notebook_is_not_deployed_with_a_module_that_changed_after_its_run(ws: Workspace) -> None:
    write(ws, "tidy.ipynb", *CELLS)
    ws.experiments.run("tidy")
    words = ws.path / "parts" / "words.py"
    words.write_text("FACTOR = 2.0  # the same answers, and another text\n")
    with pytest.raises(
        Conflict,
        match=r"tidy\.ipynb was not deployed\. parts/words\.py beside it has changed since its last finished run.*"
        r"Run it with `mlalm experiment run tidy\.ipynb`",
    ):
        ws.services.deploy("tidy", "tidy")
    words.unlink()
    with pytest.raises(Conflict, match=r"parts/words\.py beside it has changed"):
        ws.services.deploy("tidy", "tidy")
    assert ws.services.list() == ()
    words.write_text("FACTOR = 5\n")
    ws.experiments.run("tidy")
    ws.services.deploy("tidy", "tidy")
    assert ws.services.score("tidy", pd.DataFrame({"a": [2.0]})).rows == ((2.0, 10.0),)


def test_a_moved_notebook_has_its_modules_beside_it_as_before(ws: Workspace) -> None:
    file = write(ws, "tidy.ipynb", *CELLS)
    ws.experiments.run("tidy")
    (ws.path / "there").mkdir()
    (ws.path / "parts").rename(ws.path / "there" / "parts")
    file.rename(ws.path / "there" / "tidy.ipynb")
    ws.experiments.move("tidy.ipynb", "there/tidy.ipynb")
    ws.services.deploy("there/tidy", "tidy")
    (ws.path / "there" / "parts" / "words.py").write_text("FACTOR = 7\n")
    with pytest.raises(Conflict, match=r"parts/words\.py beside it has changed"):
        ws.services.deploy("there/tidy", "other")


def test_a_run_that_knows_no_modules_is_deployed_as_before(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlalm_jupyter.api import recorder

    real = recorder.taken

    def as_it_was(*given: Any, **named: Any) -> Any:
        return replace(real(*given, **named), files={})

    write(ws, "tidy.ipynb", *CELLS)
    monkeypatch.setattr(recorder, "taken", as_it_was)
    ws.experiments.run("tidy")
    (ws.path / "parts" / "words.py").write_text("FACTOR = 2  # still\n")
    ws.services.deploy("tidy", "tidy")


def test_a_training_notebook_whose_modules_changed_after_its_run_is_not_set_up(ws: Workspace) -> None:
    write(ws, "line.ipynb", *TRAINING)
    ws.experiments.run("line")
    (ws.path / "parts" / "words.py").write_text("FACTOR = 3\n")
    with pytest.raises(
        Conflict, match=r"line\.ipynb was not set up as a service\. parts/words\.py beside it has changed"
    ):
        ws.services.setup("predictive", "line")
    assert sorted(one.name for one in ws.path.glob("*.ipynb")) == ["line.ipynb"]


@pytest.mark.full
def test_a_module_that_changes_while_it_is_set_up_is_seen(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlalm_jupyter.adapters.conversion import NotebookConversion

    real = NotebookConversion.prove

    def meanwhile(*given: Any, **named: Any) -> Any:
        proof = real(*given, **named)
        (ws.path / "parts" / "words.py").write_text("FACTOR = 3\n")
        return proof

    write(ws, "line.ipynb", *TRAINING)
    ws.experiments.run("line")
    monkeypatch.setattr(NotebookConversion, "prove", meanwhile)
    with pytest.raises(Conflict, match=r"parts/words\.py beside it has changed"):
        ws.services.setup("predictive", "line")
    assert sorted(one.name for one in ws.path.glob("*.ipynb")) == ["line.ipynb"]
    assert ws.models.list() == ()
    monkeypatch.undo()
    ws.experiments.run("line")
    ws.services.setup("predictive", "line")
    assert (ws.path / "line.predictive.ipynb").exists()
