"""Experiments as text, and back."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlalm_jupyter.domain.asset import Pin
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook
from mlalm_jupyter.notebook.exported import ExportedExperiment, Parent, exported
from mlalm_jupyter.notebook.exported_cells import left_out
from mlalm_jupyter.notebook.imported import imported

pytestmark = pytest.mark.prove_experiments

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.ipynb"))
PINS = (
    Pin("model", "churn", 7, "m" * 32, "d" * 64, "churn:7"),
    Pin("dataset", "census", 3, "a" * 32, "e" * 64, "census"),
    Pin("dataset", "census", 1, "b" * 32, "f" * 64, "census:1"),
)
PARENT = Parent("train.ipynb", "c" * 32, "d" * 32)


def text_of(document: NotebookDocument) -> str:
    return exported(document, id="0" * 32, name="churn", kind="training", assets=PINS, parent=PARENT)


def again(experiment: ExportedExperiment) -> str:
    """What exporting the imported notebook gives."""
    return exported(
        read_notebook(experiment.to_notebook()),
        id=experiment.id,
        name=experiment.name,
        kind=experiment.kind,
        assets=experiment.assets,
        parent=experiment.parent,
    )


def notebook(*cells: dict[str, Any], **metadata: Any) -> NotebookDocument:
    return read_notebook(json.dumps({"nbformat": 4, "metadata": metadata, "cells": cells}).encode())


def code(text: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": text, "outputs": [], **more}


def test_the_corpus_is_varied_enough() -> None:
    assert len(CORPUS) >= 20
    assert {read_notebook(path.read_bytes()).language for path in CORPUS} >= {"python", "r", "julia"}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_export_import_export_is_byte_identical(path: Path) -> None:
    first = text_of(read_notebook(path.read_bytes()))
    experiment = imported(first)
    assert experiment.to_text() == first
    assert again(experiment) == first
    nbformat.validate(json.loads(experiment.to_notebook()))
    assert "left out" not in first.replace("data:image/png,left-out", "")
    assert (experiment.assets, experiment.parent) == (
        tuple(sorted(PINS, key=lambda p: (p.kind, p.version))),
        PARENT,
    )


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_the_code_is_the_same_after_the_round_trip(path: Path) -> None:
    before = read_notebook(path.read_bytes())
    after = read_notebook(imported(text_of(before)).to_notebook())
    assert after.code_hash == before.code_hash
    assert after.language == before.language
    assert [cell.get("cell_type") for cell in after.content["cells"]] == [
        cell.get("cell_type") for cell in before.content["cells"]
    ]


def test_no_byte_of_an_output_or_a_picture_is_in_the_text() -> None:
    secret = base64.b64encode(os.urandom(5_000_000)).decode()
    outputs = [{"output_type": "display_data", "metadata": {}, "data": {"image/png": secret}}]
    document = notebook(
        code("show()", outputs=outputs),
        {
            "cell_type": "markdown",
            "metadata": {"x": secret[:3000]},
            "source": "a",
            "attachments": {"p": {"q": secret}},
        },
        {"cell_type": "markdown", "metadata": {}, "source": f"![a](data:image/png;base64,{secret[:9000]})"},
        widgets={"state": secret},
    )
    text = text_of(document)
    assert len(text) < 3_000
    windows = {secret[start : start + 40] for start in range(9000)}
    assert not any(text[start : start + 40] in windows for start in range(len(text)))
    assert again(imported(text)) == text
    assert left_out(document) == ["cell 2: the attachment p", "cell 3: 1 embedded picture"]


@pytest.mark.parametrize("joint", ["", "\n", '"\n"'])
def test_code_that_carries_a_model_in_itself_is_refused(joint: str) -> None:
    lines = joint.join(base64.b64encode(os.urandom(57)).decode() for _ in range(80))
    with pytest.raises(InvalidInput, match=r"cell 2, .*encoded data in its source.*Upload that as a dataset"):
        text_of(notebook(code("x = 1"), code(f'blob = ("""{lines}""")')))


def test_one_changed_parameter_changes_one_line() -> None:
    cells = [code("rate = 0.1\ndepth = 4", id="a"), code("go()", id="b")]
    before = text_of(notebook(*cells)).splitlines()
    cells[0]["source"] = "rate = 0.2\ndepth = 4"
    cells[1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x"}]
    after = text_of(notebook(*cells)).splitlines()
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
        ('    "rate = 0.1",', '    "rate = 0.2",')
    ]


def test_the_order_of_assets_and_of_metadata_does_not_matter() -> None:
    one = exported(notebook(a=1, b={"d": 1, "c": 2}), id="i", name="n", kind="training", assets=PINS)
    other = exported(notebook(b={"c": 2, "d": 1}, a=1), id="i", name="n", kind="training", assets=PINS[::-1])
    assert one == other


def test_cells_without_ids_get_the_same_ones_each_time() -> None:
    cells = [
        code("x = 1"),
        code("x = 1"),
        code("y"),
        code("z", id="keep"),
        code("w", id="keep"),
        code("v", id="a b"),
    ]
    ids = [cell["id"] for cell in json.loads(text_of(notebook(*cells)))["cells"]]
    assert ids == [cell["id"] for cell in json.loads(text_of(notebook(*cells)))["cells"]]
    assert len(set(ids)) == 6
    assert ids[3] == "keep"
    inserted = [code("new"), *cells]
    assert [cell["id"] for cell in json.loads(text_of(notebook(*inserted)))["cells"]][1:] == ids


def test_tags_are_kept_and_marks_of_an_execution_are_not() -> None:
    cell = code(
        "x", metadata={"tags": ["parameters"], "collapsed": True, "execution": {"a": 1}, "name": "start"}
    )
    (told,) = json.loads(text_of(notebook(cell)))["cells"]
    assert (told["tags"], told["metadata"]) == (["parameters"], {"name": "start"})


GOOD = text_of(notebook(code("x = 1\ny = 2", id="one"), code("z = 3", id="two")))


@pytest.mark.parametrize(
    ("old", "new", "where", "reason"),
    [
        ('"x = 1"', "12", "line 45, at $.cells[0].source[0],", "Expected text, got a number"),
        ('"type": "code"', '"type": "sql"', "at $.cells[0].type,", "'sql'"),
        ('"id": "two"', '"id": "one"', "at $.cells[1].id,", "no other cell has"),
        ('"id": "two"', '"id": "t w o"', "at $.cells[1].id,", "letters, digits"),
        ('"version": 3', '"version": "3"', "at $.assets[1].version,", "a version, from 1"),
        ('"kernel": {}', '"kernel": []', "at $.kernel,", "an object"),
        ('"kernel": {},', "", "line 1, at $,", "'kernel' here too"),
        ('"kind": "training"', '"kind": ""', "at $.kind,", "an empty text"),
        ('"kernel": {}', '"kernle": {}, "kernel": {}', "at $.kernle,", "'kernle'"),
        ('"kernel": {}', '"kernel": {}, "kernel": {}', "line 6,", "'kernel' again"),
        ('"kernel": {}', '"kernel": NaN', "text", "NaN, which is no number"),
        ('"x = 1"', '"x\\n1"', "at $.cells[0].source[0],", "one line"),
        ('\n "kernel": {},', "\n<<<<<<< ours\n", "line 6,", "an unfinished merge"),
        ('"kernel": {},', '"kernel": {}', "line 7,", "expecting ',' delimiter"),
        ("mlalm-experiment/1", "mlalm-experiment/2", "line 2, at $.format,", "which a newer mlalm wrote"),
        ("mlalm-experiment/1", "pickle", "line 2, at $.format,", "'pickle'"),
    ],
)
def test_a_bad_text_is_refused_with_the_line_and_path_of_its_fault(
    old: str, new: str, where: str, reason: str
) -> None:
    assert old in GOOD
    with pytest.raises(InvalidInput) as caught:
        imported(GOOD.replace(old, new, 1))
    assert where in caught.value.where
    assert reason in str(caught.value)


def test_the_line_that_is_named_is_the_line_of_the_fault() -> None:
    bad = GOOD.replace('"z = 3"', "null")
    with pytest.raises(InvalidInput) as caught:
        imported(bad)
    line = bad.splitlines().index("    null") + 1
    assert f"line {line}," in caught.value.where


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"format": 3}', "\x00", "[" * 100_000, '"mlalm-experiment/1"']
)
def test_what_is_no_experiment_at_all_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        imported(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SOURCE = st.text(max_size=40) | st.lists(st.text(max_size=10), max_size=4)
CELL = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw"]), "source": SOURCE},
    optional={
        "id": st.sampled_from(["a", "b", "c-1", "bad id", "", None, 3]) | st.text(max_size=5),
        "metadata": JSON
        | st.dictionaries(st.sampled_from(["tags", "name", "collapsed", "x"]), JSON, max_size=3),
        "outputs": st.lists(JSON, max_size=2),
        "execution_count": st.none() | st.integers(),
        "attachments": JSON,
    },
)


@given(st.lists(CELL, max_size=5), JSON)
def test_any_notebook_survives_the_round_trip(cells: list[dict[str, Any]], metadata: Any) -> None:
    raw = json.dumps({"nbformat": 4, "metadata": metadata, "cells": cells}).encode()
    first = text_of(read_notebook(raw))
    first.encode()
    experiment = imported(first)
    assert experiment.to_text() == first
    assert again(experiment) == first
