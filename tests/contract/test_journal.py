"""The journal of an execution: what it keeps, how large it gets, and what somebody else may have written in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from mlalm_jupyter.adapters import journal
from mlalm_jupyter.adapters.papermill_runner import PapermillRunner

pytestmark = pytest.mark.prove_experiments


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_SHORTEST_PAUSE_S", 0.0)
    monkeypatch.setattr(journal, "_PAUSE_PER_S", 0)


def notebook() -> Any:
    return new_notebook(cells=[new_code_cell("a = 1"), new_code_cell("train(a)")])


def said(cell: Any, text: str) -> Any:
    cell.outputs.append(new_output("stream", name="stdout", text=text))
    return cell


def begun(folder: Path) -> tuple[journal.Journal, Any]:
    kept, document = journal.Journal(folder), notebook()
    kept.begins(document, replaces_injected=False)
    kept.starts(0)
    kept.ends(0, said(document.cells[0], "done"), is_completed=True)
    kept.starts(1)
    return kept, document.cells[1]


def printed(told: journal.Told | None) -> list[str]:
    assert told is not None
    return ["".join(one.text for one in cell.outputs) for cell in told.notebook.cells]


def test_a_cell_that_says_much_for_long_is_kept_once(tmp_path: Path) -> None:
    kept, cell = begun(tmp_path)
    said(cell, "x" * 100_000)
    for number in range(200):
        kept.grows(1, said(cell, f"epoch {number}"))
    told = journal.read(tmp_path)
    assert printed(told)[1].endswith("epoch 199")
    assert told is not None
    assert (told.completed, told.current) == ((0,), 1)
    size = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert size < 3 * len(json.dumps(cell))


def test_what_a_cell_had_said_before_it_ended_is_not_put_in_its_place(tmp_path: Path) -> None:
    kept, cell = begun(tmp_path)
    kept.grows(1, said(cell, "half"))
    kept.ends(1, said(cell, "whole"), is_completed=False)
    told = journal.read(tmp_path)
    assert printed(told) == ["done", "halfwhole"]
    assert told is not None
    assert told.current == 1


def test_what_the_cell_before_had_said_is_not_taken_for_the_one_at_work(tmp_path: Path) -> None:
    kept, _cell = begun(tmp_path)
    kept.grows(0, said(notebook().cells[0], "of the first"))
    assert printed(journal.read(tmp_path)) == ["done", ""]


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "line",
    [
        "null",
        "7",
        "{}",
        '{"index": 99, "completed": true}',
        '{"index": "x"}',
        '{"current": null}',
        '{"index": 1, "completed": true, "outputs": 3, "execution_count": [], "metadata": 5}',
        '{"index": 1, "completed": true, "outputs": [4], "execution_count": 1, "metadata": {}}',
        DEEP,
        '{"index": 1, "completed": true, "outputs": [' + DEEP + '], "execution_count": 1, "metadata": {}}',
    ],
    ids=range(10),
)
@pytest.mark.parametrize("name", ["journal.jsonl", "at-work.json"])
def test_a_journal_that_somebody_else_wrote_in_does_not_keep_a_run_from_its_end(
    line: str, name: str, tmp_path: Path
) -> None:
    begun(tmp_path)
    with (tmp_path / name).open("a") as file:
        file.write(f"{line}\n")
    left = PapermillRunner().left_in(tmp_path, keep=lambda file: (file.name, 1))
    # it is passed over, or the run ends without its notebook; what was told before is not changed by it
    assert left is None or json.loads(left.notebook)["cells"][0]["outputs"][0]["text"] == ["done"]


def test_a_listing_nested_without_end_is_passed_over(tmp_path: Path) -> None:
    begun(tmp_path)
    (tmp_path / "values").mkdir()
    (tmp_path / "values" / "listing.jsonl").write_text(f"{DEEP}\n")
    left = PapermillRunner().left_in(tmp_path, keep=lambda file: (file.name, 1))
    assert left is not None
    assert left.outputs == ()
