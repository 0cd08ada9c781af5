"""Notebooks as graphs, as pictures and as text."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook
from mlalm_jupyter.notebook.drawing import drawn, told
from mlalm_jupyter.notebook.graph import Edge, Graph, Node, graph_of
from mlalm_jupyter.notebook.palette import STYLE

pytestmark = pytest.mark.prove_experiments

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.ipynb"))
SVG = "{http://www.w3.org/2000/svg}"


def notebook(*cells: str, language: str = "python") -> NotebookDocument:
    made = [
        {
            "cell_type": "markdown" if text.startswith("#:") else "code",
            "source": text.removeprefix("#:"),
            "metadata": {},
        }
        for text in cells
    ]
    content = {"nbformat": 4, "metadata": {"language_info": {"name": language}}, "cells": made}
    return read_notebook(json.dumps(content).encode())


def flowing(*cells: str) -> list[tuple[str, str, str]]:
    return [(edge.source, edge.target, edge.name) for edge in graph_of(notebook(*cells)).edges]


def test_a_value_flows_from_the_cell_that_changed_it_last() -> None:
    assert flowing("df = f()", "df['a'] = 1", "df.head()", "df = 3", "df") == [
        ("cell-1", "cell-2", "df"),
        ("cell-2", "cell-3", "df"),
        ("cell-4", "cell-5", "df"),
    ]


def test_imports_do_not_flow_and_functions_do() -> None:
    graph = graph_of(notebook("import numpy as np\ndef f(x):\n    return np.abs(x)", "y = f(np.ones(3))"))
    assert graph.edges == (Edge("cell-1", "cell-2", "f", "function"),)


def test_what_a_function_needs_flows_to_where_it_is_called() -> None:
    assert flowing("rate = 2", "def f(x):\n    return x * rate", "f(1)") == [
        ("cell-2", "cell-3", "f"),
        ("cell-1", "cell-3", "rate"),
    ]


def test_a_deleted_name_flows_no_further() -> None:
    assert flowing("x = 1", "del x", "print(x)") == []


def test_assets_files_and_ports_are_nodes() -> None:
    graph = graph_of(
        notebook(
            "df = %dataset census:2\n%web_input df rows",
            "df.to_csv('out/a.csv')\n%register model churn --tag a=b\n%web_output df",
            "pd.read_csv('out/a.csv'); m = ws.models.load('churn')",
        )
    )
    kinds = {node.id: (node.kind, node.title) for node in graph.nodes if node.kind != "cell"}
    assert kinds == {
        "dataset:census:2": ("dataset", "census:2"),
        "input:rows": ("input", "rows"),
        "file:out/a.csv": ("file", "out/a.csv"),
        "registered:churn": ("model", "churn"),
        "output:df": ("output", "df"),
        "model:churn": ("model", "churn"),
    }
    ends = {(edge.source, edge.target) for edge in graph.edges if edge.kind == "asset"}
    assert ends == {
        ("dataset:census:2", "cell-1"),
        ("input:rows", "cell-1"),
        ("cell-2", "file:out/a.csv"),
        ("cell-2", "registered:churn"),
        ("cell-2", "output:df"),
        ("file:out/a.csv", "cell-3"),
        ("model:churn", "cell-3"),
    }


def test_a_name_that_a_parameter_gives_is_shown_by_its_text() -> None:
    document = json.loads(json.dumps(notebook("name = 'churn'", "%register model $name").content))
    document["cells"][0]["metadata"]["tags"] = ["parameters"]
    assert [node.title for node in graph_of(NotebookDocument(document)).nodes if node.kind == "model"] == [
        "churn"
    ]


def with_cell(number: int, document: NotebookDocument, **metadata: object) -> NotebookDocument:
    content = json.loads(json.dumps(document.content))
    content["cells"][number - 1]["metadata"] = metadata
    return NotebookDocument(content)


def test_what_a_person_said_of_a_cell_is_drawn_as_said() -> None:
    document = notebook("df = read()", "df.head()", "print(1)")
    document = with_cell(2, with_cell(3, document, tags=["skip"]), tags=["role:train"])
    graph = graph_of(document)
    assert [(node.role, node.by_hand) for node in graph.cells] == [
        (None, ()),
        ("train", ("role:train",)),
        (None, ("skip",)),
    ]
    svg = check(graph)
    assert ">train ✎</tspan>" in svg
    assert ">left out ✎</tspan>" in svg
    assert svg.count(" mlalm-by-hand") == 2 + STYLE.count(" mlalm-by-hand")
    assert "(by hand: role:train)" in told(graph)
    assert "(by hand: skip)" in told(graph)


@pytest.mark.parametrize(
    ("text", "tag", "node", "ends"),
    [
        ("rows = pd.read_csv('a')\nrows['b'] = 1", "web-input", "input:rows", ("input:rows", "cell-1")),
        ("import os\ntable, y = f()\n# and\nprint(y)", "web-input", "input:table", ("input:table", "cell-1")),
        ("p = model.predict(X)", "web-output", "output:p", ("cell-1", "output:p")),
        ("p = 1\np", "web-output", "output:p", ("cell-1", "output:p")),
        ("model.predict(X)", "web-output", "output:output", ("cell-1", "output:output")),
    ],
)
def test_a_tag_that_marks_a_port_is_drawn_as_one(
    text: str, tag: str, node: str, ends: tuple[str, str]
) -> None:
    graph = graph_of(with_cell(1, notebook(text), tags=[tag]))
    assert node in {one.id for one in graph.nodes}
    assert ends in {(edge.source, edge.target) for edge in graph.edges}
    assert f"mlalm-{tag.removeprefix('web-')}-port mlalm-asset" in check(graph)


def test_a_cell_that_was_cut_out_says_of_which_cell() -> None:
    document = notebook("x = 1", "y = x", "z = y")
    document = with_cell(2, document, mlalm={"part": "cell-5", "made": "0"})
    document = with_cell(3, document, mlalm={"part": "output"})
    graph = graph_of(document)
    assert [node.cut_from for node in graph.cells] == [None, 5, None]
    assert ">from 5</text>" in check(graph)
    assert "y = x  (from cell 5 of the training notebook)" in told(graph)


def test_cells_are_called_by_the_heading_above_or_by_what_they_say() -> None:
    graph = graph_of(
        notebook(
            "#:# The notebook",
            "import os\nx = 1",
            "#:## *Fit* [it](a)",
            "y = x",
            "# --- plot it ---\nz",
            "%%bash\nls",
            "%load_ext mlalm_jupyter\ndf = %dataset rides",
        )
    )
    assert [node.title for node in graph.cells] == [
        "x = 1",
        "Fit it",
        "plot it",
        "%%bash",
        "df = %dataset rides",
    ]


def test_what_is_not_known_is_noted() -> None:
    graph = graph_of(notebook("print(late)", "late = 1", "exec(code)"))
    assert graph.notes == (
        "Cell 1 uses late, which is first set in cell 2.",
        "Cell 3: exec runs text as code.",
    )
    other = graph_of(notebook("x <- 1", language="R"))
    assert [node.role for node in other.nodes] == [None]
    assert other.notes == ("Roles and flow are read in Python only; this notebook is in r.",)


def test_a_graph_can_be_written_as_json() -> None:
    graph = graph_of(notebook("x = %dataset a", "model.fit(x)"))
    found = json.loads(json.dumps(graph.to_dict()))
    assert found["nodes"][1] == {
        "id": "cell-2",
        "kind": "cell",
        "title": "model.fit(x)",
        "number": 2,
        "role": "train",
        "roles": ["train"],
        "by_hand": [],
        "cut_from": None,
    }
    assert {"source": "cell-1", "target": "cell-2", "name": "x", "kind": "value"} in found["edges"]


def test_the_text_says_what_the_picture_shows() -> None:
    text = told(
        graph_of(
            notebook("df = %dataset census", "#:## Learn", "model.fit(df, y)\n%register model m", "y = 1")
        )
    )
    assert text == (
        "1  import     df = %dataset census\n"
        "     takes dataset census\n"
        "2  train      Learn\n"
        "     gives model m\n"
        "     from 1: df\n"
        "3  -          y = 1\n"
        "Note: Cell 2 uses y, which is first set in cell 3.\n"
    )


# the picture


def boxes(svg: str) -> list[tuple[float, float, float, float]]:
    root = ElementTree.fromstring(svg)
    found = []
    for node in root.iter(f"{SVG}g"):
        box = node.find(f"{SVG}rect[@class='mlalm-box']")
        if box is not None:
            x, y, width, height = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height))
    return found


def check(graph: Graph) -> str:
    svg = drawn(graph, name="it")
    root = ElementTree.fromstring(svg)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    found = boxes(svg)
    assert len(found) == len(graph.nodes)
    for left, top, right, bottom in found:
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
    for one, other in combinations(found, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)
    return svg


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_boxes_lie_in_the_picture_and_never_on_each_other(path: Path) -> None:
    graph = graph_of(read_notebook(path.read_bytes()))
    svg = check(graph)
    assert svg == drawn(graph, name="it"), "the same graph gives the same picture"


def test_a_picture_can_be_read_aloud() -> None:
    graph = graph_of(notebook("x = 1", "y = x"))
    root = ElementTree.fromstring(drawn(graph, name="train.ipynb"))
    assert root.attrib["role"] == "img"
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert desc is not None
    assert title.text == "Graph of train.ipynb"
    assert desc.text == told(graph)
    assert root.attrib["aria-labelledby"].split() == [title.attrib["id"], desc.attrib["id"]]


def test_two_pictures_on_one_page_share_no_id() -> None:
    first, second = (drawn(graph_of(notebook("x = 1", f"y{one} = x"))) for one in (1, 2))
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (first, second)]
    assert not ids[0] & ids[1]


def test_roles_are_words_and_not_only_colours() -> None:
    svg = drawn(graph_of(notebook("model.fit(X)")))
    assert ">train</tspan>" in svg


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_role_has_enough_contrast_on_its_paper() -> None:
    themes = re.findall(r"\.mlalm-graph\{(--mlalm-import:[^}]*?)(?:font|\})", STYLE)
    assert len(themes) >= 2
    for theme in themes:
        colours = dict(re.findall(r"--mlalm-([\w-]+):(#\w{6});", theme))
        paper = luminance(colours.pop("paper"))
        for name, colour in colours.items():
            light, dark = sorted((luminance(colour), paper), reverse=True)
            least = 3.0 if name == "line" else 4.5
            assert (light + 0.05) / (dark + 0.05) >= least, (name, colour)


def test_an_output_that_is_written_and_read_in_a_circle_is_drawn() -> None:
    svg = check(graph_of(notebook("df = pd.read_csv('a.csv')\ndf.to_csv('a.csv')", "pd.read_csv('a.csv')")))
    assert svg.count('mlalm-asset"') == 1


def test_text_that_no_picture_can_hold_is_replaced() -> None:
    check(graph_of(notebook("x\x0b\x01 = '<&>\ud800'", "#:## \x02 <script>", "y = '🙂'")))


NODES = st.integers(1, 14)


@given(st.data())
def test_any_graph_is_drawn_without_overlaps(data: st.DataObject) -> None:
    count = data.draw(NODES)
    words = st.text("ab漢W_", min_size=1, max_size=40)
    nodes = [Node(f"cell-{number}", "cell", data.draw(words), number) for number in range(1, count + 1)]
    pairs = st.tuples(st.integers(1, count), st.integers(1, count))
    edges = [
        Edge(f"cell-{min(pair)}", f"cell-{max(pair)}", data.draw(words))
        for pair in data.draw(st.lists(pairs, max_size=25))
        if pair[0] != pair[1]
    ]
    check(Graph(tuple(nodes), tuple(edges)))
