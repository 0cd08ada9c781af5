"""A training notebook and its predictive one as one picture."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import pytest

from mlalm_jupyter.domain.setup import SetUp, SourceCell
from mlalm_jupyter.notebook.pair_drawing import drawn, told
from tests.unit.notebook.test_graph import SVG, boxes
from tests.unit.surfaces.test_set_up import CELLS, SET_UP

pytestmark = pytest.mark.prove_conversion


def many(count: int) -> SetUp:
    """A notebook whose first cell stays, and its last."""
    cells = [SourceCell(number, f"Cell {number}", "output") for number in range(1, count + 1)]
    cells[0] = replace(cells[0], stays="all")
    cells[-1] = replace(cells[-1], stays="part")
    return replace(SET_UP, cells=tuple(cells))


def words(pair: SetUp) -> list[str]:
    """What each box says."""
    root = ElementTree.fromstring(drawn(pair))
    nodes = [one for one in root.iter(f"{SVG}g") if "mlalm-node" in one.attrib["class"]]
    return [" ".join("".join(text.itertext()) for text in one.findall(f"{SVG}text")) for one in nodes]


def test_each_cell_is_drawn_with_its_role_and_what_became_of_it() -> None:
    assert words(SET_UP) == [
        "1 import Read left out",
        "2 transform ✎ Tidy",
        "3 transform Scale",
        "4 train Train",
        "5 score Score",
        "rows come in age, income",
        "loads churn-scaler:1, mean, churn:1",
        "Tidy as it is",
        "Scale in part",
        "Score in part",
        "answers go out predictions",
    ]


def test_lines_lead_from_a_cell_to_what_stays_of_it_and_to_what_it_fitted() -> None:
    root = ElementTree.fromstring(drawn(SET_UP))
    paths = [one for one in root.iter(f"{SVG}path") if "mlalm-edge" in one.attrib["class"]]
    titles = [one.find(f"{SVG}title") for one in paths]
    assert [one.text for one in titles if one is not None] == [
        "3 transform Scale to loads churn-scaler:1, mean, churn:1",
        "4 train Train to loads churn-scaler:1, mean, churn:1",
        "2 transform ✎ Tidy to Tidy",
        "3 transform Scale to Scale",
        "5 score Score to Score",
    ]


def test_many_cells_that_are_left_out_are_drawn_as_one() -> None:
    assert words(many(40))[:3] == ["1 output Cell 1", "2-39 38 cells left out", "40 output Cell 40"]
    assert len(words(many(8))) == 8 + 4
    assert told(many(40)).count("left out") == 38


@pytest.mark.parametrize(
    "pair", [SET_UP, many(1), many(40), replace(SET_UP, cells=()), replace(SET_UP, assets=())]
)
def test_boxes_lie_in_the_picture_and_never_on_each_other(pair: SetUp) -> None:
    svg = drawn(pair)
    root = ElementTree.fromstring(svg)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    found = boxes(svg)
    for left, top, right, bottom in found:
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
    for one, other in combinations(found, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_the_picture_can_be_read_aloud() -> None:
    root = ElementTree.fromstring(drawn(SET_UP))
    desc = root.find(f"{SVG}desc")
    assert desc is not None
    assert desc.text == told(SET_UP)


def test_what_stays_stands_beside_the_cell_it_comes_from() -> None:
    """As long as nothing before it is in the way."""
    found = boxes(drawn(SET_UP))
    left = {cell.number: top for cell, (_, top, _, _) in zip(CELLS, found, strict=False)}
    score = found[len(CELLS) + 4][1]
    assert score >= left[5]
