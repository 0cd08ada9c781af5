"""The assets that a notebook names, and other names in their place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.document import read_notebook
from mlalm_jupyter.notebook.references import references_in, rewritten

pytestmark = pytest.mark.prove_experiments


def content(*cells: str, language: str = "python") -> dict[str, Any]:
    made = [
        {
            "cell_type": "code",
            "id": f"cell-{index}",
            "metadata": {},
            "execution_count": 3,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": "census:1"}],
            "source": text,
        }
        for index, text in enumerate(cells)
    ]
    return {"nbformat": 4, "metadata": {"language_info": {"name": language}}, "cells": made}


def found(*cells: str, language: str = "python") -> list[tuple[str, str, int | None, int, str]]:
    document = read_notebook(json.dumps(content(*cells, language=language)).encode())
    return [(one.kind, one.name, one.version, one.cell, one.wanted) for one in references_in(document)]


def sources(notebook: bytes) -> list[str]:
    return [
        "".join(cell["source"]) if isinstance(cell["source"], list) else cell["source"]
        for cell in json.loads(notebook)["cells"]
    ]


@pytest.mark.parametrize(
    ("text", "kind", "wanted"),
    [
        ("df = %dataset census", "dataset", "census"),
        ("%dataset census:3", "dataset", "census:3"),
        ("if True:\n    df = %dataset census", "dataset", "census"),
        ("  %transform scale:2  ", "transform", "scale:2"),
        ("clf = %model churn-clf", "model", "churn-clf"),
        ("%%time\ndf = %dataset census\n", "dataset", "census"),
        ("%dataset census --full", "dataset", "census"),
        ("%dataset 'census:2'  # the old one", "dataset", "census:2"),
        ("df = ws.datasets.load('census')", "dataset", "census"),
        ('df = Workspace.open().datasets.load("census:12").head()', "dataset", "census:12"),
        ("def f():\n    return [w.transforms.load(r'scale:1') for w in ws]", "transform", "scale:1"),
        ("m = self.ws.models.load(model='churn:1')", "model", "churn:1"),
        ("%time m = ws.models.load('churn:1')", "model", "churn:1"),
        (">>> df = ws.datasets.load('census')", "dataset", "census"),
        ("x = 'é🙂'; df = ws.datasets.load('census')", "dataset", "census"),
        ("df = ws.datasets.load('cen' 'sus')", "dataset", "census"),
    ],
)
def test_a_reference_is_found_in_each_of_its_forms(text: str, kind: str, wanted: str) -> None:
    name, _, version = wanted.partition(":")
    assert found(text) == [(kind, name, int(version) if version else None, 1, wanted)]


@pytest.mark.parametrize(
    "text",
    [
        "%dataset census data/census.csv",
        "%dataset",
        "%dataset --help",
        "# %dataset census",
        "print('%dataset census')",
        "'''\n%dataset census\nws.datasets.load('x')\n'''",
        "# ws.datasets.load('census')",
        "text = \"ws.datasets.load('census')\"",
        "ws.datasets.load(name)",
        "ws.datasets.load(f'census:{version}')",
        "datasets.load('iris')",
        "sns.load_dataset('iris')",
        "ws.datasets.show('census')",
        "ws.datasets.load('no such name!')",
        "%%bash\n%dataset census",
        "%%writefile x.py\nws.datasets.load('census')",
        "%dataset $unknown",
    ],
)
def test_what_merely_looks_like_a_reference_is_none(text: str) -> None:
    assert found(text) == []


def test_references_come_in_the_order_of_the_text_with_their_cells() -> None:
    cells = ("a = 1", "", "m = ws.models.load('m'); t = ws.transforms.load('t')\n%dataset d", "%model n:1")
    assert [(one[1], one[3]) for one in found(*cells)] == [("m", 2), ("t", 2), ("d", 2), ("n", 3)]


def test_a_notebook_in_another_language_has_none() -> None:
    assert found("%dataset census", language="R") == []


def test_a_magic_in_a_cell_that_is_no_python_is_found_all_the_same() -> None:
    assert [one[4] for one in found("df = %dataset census\nthis is no python")] == ["census"]


def test_a_parameter_that_a_magic_reads_is_followed_to_its_text() -> None:
    notebook = json.dumps(content('table: str = "census:1"', "df = %dataset $table")).encode()
    (reference,) = references_in(read_notebook(notebook))
    assert (reference.cell, reference.wanted, reference.variable) == (2, "census:1", "table")
    moved = rewritten(notebook, {("dataset", "census:1"): "census:4"})
    assert sources(moved) == ['table: str = "census:4"', "df = %dataset $table"]


def test_a_variable_with_two_values_is_not_followed() -> None:
    assert found("table = 'a'", "table = 'b'", "%dataset $table\nws.datasets.load(table)") == []
    assert found("table = 'a'\nfor table in more:\n    %dataset {table}") == []


def test_only_the_text_of_the_reference_changes() -> None:
    cells = (
        "# census:1 is good\ndf = ws.datasets.load( 'census:1' ) ; s = 'census:1'",
        "df2 = %dataset census:1",
        "%model census:1",
    )
    notebook = json.dumps(content(*cells), indent=3).encode() + b"\n\n"
    moved = rewritten(notebook, {("dataset", "census:1"): "census:22"})
    assert sources(moved) == [
        "# census:1 is good\ndf = ws.datasets.load( 'census:22' ) ; s = 'census:1'",
        "df2 = %dataset census:22",
        "%model census:1",
    ]
    assert moved.endswith(b"\n\n")


def test_the_outputs_of_a_changed_cell_go_and_those_of_others_stay() -> None:
    notebook = json.dumps(content("%dataset a", "%dataset b")).encode()
    first, second = json.loads(rewritten(notebook, {("dataset", "a"): "a:1"}))["cells"]
    assert (first["outputs"], first["execution_count"]) == ([], None)
    assert (second["outputs"][0]["text"], second["execution_count"]) == ("census:1", 3)


def test_a_file_of_any_layout_keeps_it() -> None:
    lines = r'"x = \"\u00e9\ud83d\ude42\/\"\r\n", "d = ws.datasets.load(\"a\")"'
    cell = '{ "source" :[' + lines + ' ], "z":1.0, "cell_type":"code","outputs":[ {} ] }'
    text = '{"nbformat":4,\t"cells":[' + cell + '],  "metadata":{"b":1e2,"a":{}}}'
    expected = text.replace(r"load(\"a\")", r"load(\"a:7\")").replace("[ {} ]", "[]")
    assert rewritten(text.encode(), {("dataset", "a"): "a:7"}) == expected.encode()
    for encoding in ("utf-8-sig", "utf-16", "utf-32-le"):
        moved = rewritten(text.encode(encoding), {("dataset", "a"): "a:7"})
        assert moved == expected.encode(encoding)


def test_lines_that_go_on_below_are_followed() -> None:
    for ending in ("\n", "\r\n"):
        text = f"x = %dataset \\{ending}   census:1{ending}y = 'census:1'"
        moved = rewritten(json.dumps(content(text)).encode(), {("dataset", "census:1"): "census:2"})
        assert sources(moved) == [text.replace("   census:1", "   census:2")]


def test_a_literal_in_pieces_is_replaced_whole() -> None:
    notebook = json.dumps(content("df = ws.datasets.load('cen' 'sus') # ok")).encode()
    assert sources(rewritten(notebook, {("dataset", "census"): "census:2"})) == [
        'df = ws.datasets.load("census:2") # ok'
    ]
    over_lines = json.dumps(content("df = ws.datasets.load('cen'\n 'sus')")).encode()
    with pytest.raises(InvalidInput, match="one string on one line"):
        rewritten(over_lines, {("dataset", "census"): "census:2"})


def test_without_a_change_the_bytes_stay_as_they_are() -> None:
    notebook = json.dumps(content("%dataset a:1")).encode()
    none: list[Mapping[tuple[str, str], str]] = [
        {},
        {("model", "a:1"): "a:2"},
        {("dataset", "a"): "a:2"},
        {("dataset", "a:1"): "a:1"},
    ]
    assert all(rewritten(notebook, changes) is notebook for changes in none)


def test_a_new_text_that_is_no_reference_is_refused() -> None:
    notebook = json.dumps(content("%dataset a")).encode()
    with pytest.raises(InvalidInput):
        rewritten(notebook, {("dataset", "a"): "a'; rm -rf"})


NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True)
NOISE = st.sampled_from(
    ["", "x = 'é🙂'\n", "\n\n", "  ", "# b\n", "%matplotlib inline\n", "!ls 'a'\n", "y = (\n1)\n"]
)


@given(
    st.lists(
        st.tuples(NOISE, NAMES, st.sampled_from(["%dataset {}", "d = %dataset {}", "w.datasets.load('{}')"]))
    ),
    st.booleans(),
    st.sampled_from([None, 1, "\t"]),
    st.booleans(),
)
def test_whatever_is_written_is_found_again(
    parts: list[tuple[str, str, str]], as_lines: bool, indent: int | str | None, ascii_only: bool
) -> None:
    cells = [noise + form.format(name) for noise, name, form in parts]
    notebook = content(*cells)
    for cell in notebook["cells"]:
        if as_lines:
            cell["source"] = cell["source"].splitlines(keepends=True)
    data = json.dumps(notebook, indent=indent, ensure_ascii=ascii_only).encode()
    names = [one.name for one in references_in(read_notebook(data))]
    assert names == [name for _, name, _ in parts]
    moved = rewritten(data, {("dataset", name): f"{name}:9" for name in names})
    assert [one.wanted for one in references_in(read_notebook(moved))] == [f"{name}:9" for name in names]
    back = rewritten(moved, {("dataset", f"{name}:9"): name for name in names})
    assert sources(back) == sources(data)
