"""What differs between two notebooks."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlalm_jupyter.notebook.changes import Changes, changes_between
from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook

pytestmark = pytest.mark.prove_experiments

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.ipynb"))


def code(text: str, id: str | None = None, **more: Any) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": "code", "metadata": {}, "source": text, "outputs": [], **more}
    return cell | ({"id": id} if id else {})


def text(words: str, id: str | None = None) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": words} | ({"id": id} if id else {})


def notebook(*cells: dict[str, Any], kernel: str = "python3") -> NotebookDocument:
    metadata = {"kernelspec": {"name": kernel}}
    return read_notebook(json.dumps({"nbformat": 4, "metadata": metadata, "cells": cells}).encode())


def told(changes: Changes) -> list[tuple[str, int | None, int | None]]:
    return [(one.what, one.before, one.after) for one in changes.cells]


READ, FIT, SAVE = "df = read('a.csv')\ndf = df.dropna()", "model = Forest(100)\nmodel.fit(df)", "save(model)"


def test_a_changed_line_is_shown_between_its_neighbours() -> None:
    lines = [f"step_{index}()" for index in range(9)]
    other = [*lines[:4], "step_4(fast=True)", *lines[5:]]
    changes = changes_between(notebook(code("\n".join(lines), "a")), notebook(code("\n".join(other), "a")))
    assert [(one.sign, one.text, one.before, one.after) for one in changes.cells[0].lines] == [
        (" ", "step_2()", 3, 3),
        (" ", "step_3()", 4, 4),
        ("-", "step_4()", 5, None),
        ("+", "step_4(fast=True)", None, 5),
        (" ", "step_5()", 6, 6),
        (" ", "step_6()", 7, 7),
    ]


def test_outputs_counts_and_metadata_of_an_execution_make_no_difference() -> None:
    ran = code(READ, "a", outputs=[{"output_type": "stream", "text": "x"}], execution_count=4)
    ran["metadata"] = {"execution": {"a": 1}, "collapsed": True}
    changes = changes_between(notebook(code(READ, "a")), notebook(ran))
    assert changes.is_empty
    assert changes.to_text() == "The two say the same.\n"


@pytest.mark.parametrize("with_ids", [True, False])
def test_cells_are_matched_with_ids_and_without(with_ids: bool) -> None:
    a, b, c = ("a", "b", "c") if with_ids else (None, None, None)
    before = notebook(code(READ, a), code(FIT, b), code(SAVE, c))
    after = notebook(
        text("# New"),
        code(READ, a),
        code(SAVE, c),
        code(FIT.replace("100", "200"), b),
        code("whole_other_thing()"),
    )
    changes = changes_between(before, after)
    assert told(changes) in (
        [("added", None, 1), ("moved", 3, 3), ("changed", 2, 4), ("added", None, 5)],
        [("added", None, 1), ("moved and changed", 2, 4), ("added", None, 5)],
    )
    assert changes.same in (1, 2)


def test_a_cell_that_only_shifted_has_not_moved() -> None:
    before = notebook(code(READ, "a"), code(FIT, "b"))
    after = notebook(code("import os", "n"), code(READ, "a"), code(FIT, "b"))
    assert told(changes_between(before, after)) == [("added", None, 1)]


def test_a_removed_cell_is_told_where_it_was() -> None:
    before = notebook(code(READ, "a"), text("## Fit", "t"), code(FIT, "b"), code(SAVE, "c"))
    after = notebook(code(READ, "a"), code(SAVE + "\nprint()", "c"))
    assert told(changes_between(before, after)) == [
        ("removed", 2, None),
        ("removed", 3, None),
        ("changed", 4, 2),
    ]


def test_a_moved_cell_is_told_once() -> None:
    before = notebook(*(code(f"step_{one}()", one) for one in "abcde"))
    after = notebook(*(code(f"step_{one}()", one) for one in "eabcd"))
    assert told(changes_between(before, after)) == [("moved", 5, 1)]


def test_tags_and_the_kernel_count() -> None:
    before = notebook(code("x = 1", "a"))
    tagged = code("x = 1", "a", metadata={"tags": ["parameters"]})
    changes = changes_between(before, notebook(tagged, kernel="python3.12"))
    assert changes.cells[0].tags_added == ("parameters",)
    assert changes.kernel == ("python, kernel python3", "python, kernel python3.12")
    assert changes.summary == "1 changed, another kernel; 0 cells the same."


def test_the_text_form_reads_well() -> None:
    before = notebook(
        text("## Fit", "t"), code("rate = 0.1\nfit(rate)", "a"), code(SAVE, "c"), text("The end.", "e")
    )
    after = notebook(
        text("## Fit", "t"), code("rate = 0.2\nfit(rate)", "a"), text("The end.", "e"), code("new()", "n")
    )
    assert changes_between(before, after).to_text() == (
        "1 changed, 1 added, 1 removed; 2 cells the same.\n\n"
        "Cell 1 (Fit) changed\n"
        "  1 - rate = 0.1\n"
        "  1 + rate = 0.2\n"
        "  2   fit(rate)\n\n"
        "Cell 2 (save(model)) removed\n"
        "  1 - save(model)\n\n"
        "Cell 2 (new()) added\n"
        "  1 + new()\n"
    )


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_notebook_does_not_differ_from_itself(path: Path) -> None:
    document = read_notebook(path.read_bytes())
    changes = changes_between(document, document)
    assert changes.is_empty
    assert changes.same == len(document.content["cells"])


CELLS = st.lists(
    st.builds(
        code,
        st.sampled_from([READ, FIT, SAVE, "", "x = 1", "y = 2\n" * 30]) | st.text("ab\n=1", max_size=12),
        st.none() | st.sampled_from("abcdef"),
    ),
    max_size=8,
)


@given(CELLS, CELLS)
def test_every_cell_is_accounted_for_once(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    changes = changes_between(notebook(*before), notebook(*after))
    olds = [one.before for one in changes.cells if one.before is not None]
    news = [one.after for one in changes.cells if one.after is not None]
    assert len(set(olds)) == len(olds)
    assert len(set(news)) == len(news)
    assert len(olds) + changes.same == len(before)
    assert len(news) + changes.same == len(after)
    assert json.loads(json.dumps(changes.to_dict()))["same"] == changes.same
    for one in changes.cells:
        if one.what == "changed" and one.before and one.after:
            assert (
                _patched(before[one.before - 1]["source"], one)
                == after[one.after - 1]["source"].rstrip().splitlines()
            )


def _patched(old: str, change: Any) -> list[str]:
    """The old lines with the change carried out."""
    lines: list[str | None] = list(old.rstrip().splitlines())
    for line in change.lines:
        if line.sign == "-":
            assert lines[line.before - 1] == line.text
            lines[line.before - 1] = None
    kept = [line for line in lines if line is not None]
    for line in change.lines:
        if line.sign == "+":
            kept.insert(line.after - 1, line.text)
    return kept


def test_two_large_and_unlike_notebooks_are_compared_too() -> None:
    chance = random.Random(0)
    words = ["".join(chance.choices("abcdef =()\n", k=200)) for _ in range(400)]
    changes = changes_between(notebook(*map(code, words[:200])), notebook(*map(code, words[200:])))
    assert changes.summary == "200 added, 200 removed; 0 cells the same."
