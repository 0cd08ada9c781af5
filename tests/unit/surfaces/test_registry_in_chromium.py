"""Lineage and comparison as a notebook shows them, in a real browser, light and dark."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from mlalm_jupyter.domain.lineage import LineageGraph, ModelComparison, Step, Thing
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.surfaces.display import html_of
from tests.contract.catalog_nouns import model
from tests.unit.notebook.test_in_chromium import FITS
from tests.unit.notebook.test_in_chromium import browser as browser
from tests.unit.notebook.test_in_chromium import jp_asyncio_loop as jp_asyncio_loop
from tests.unit.notebook.test_in_chromium import jp_server_cleanup as jp_server_cleanup

pytestmark = [pytest.mark.browser, pytest.mark.prove_models]

THEMES = {
    "light": ("true", "--jp-content-font-color1:rgba(0,0,0,.87);--jp-layout-color0:#fff", "#ffffff"),
    "dark": ("false", "--jp-content-font-color1:#fff;--jp-layout-color0:#111", "#111111"),
}
CONTRAST = """() => {
    const parts = text => (text.match(/[\\d.]+/g) || []).map(Number)
    const light = ([r, g, b]) => {
        const one = c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4
        return .2126 * one(r) + .7152 * one(g) + .0722 * one(b)
    }
    const paper = parts(getComputedStyle(document.body).backgroundColor)
    const faults = []
    for (const text of document.querySelectorAll('svg text, svg tspan, table td, table th, caption')) {
        const style = getComputedStyle(text)
        const ink = parts(text instanceof SVGElement ? style.fill : style.color)
        const alpha = (ink.length > 3 ? ink[3] : 1) * Number(style.opacity)
        const seen = [0, 1, 2].map(index => ink[index] * alpha + paper[index] * (1 - alpha))
        const [high, low] = [light(seen), light(paper)].sort((a, b) => b - a)
        if ((high + .05) / (low + .05) < 4.5) faults.push(`${text.textContent}: ${style.fill} ${style.color}`)
    }
    return faults
}"""


def graph() -> LineageGraph:
    """A retrained model: two datasets, two runs, a transform, endpoints, and names that are long."""
    things = (
        Thing("d1", "dataset", "census:1", "48842 rows"),
        Thing("d2", "dataset", "census:2", "50124 rows"),
        Thing("t", "transform", "scale:1", "scikit-learn 1.6"),
        Thing("r1", "run", "0193ab12cd34", "notebooks/a-very-long-path/train.ipynb"),
        Thing("c1", "cell", "cell 12", "notebooks/a-very-long-path/train.ipynb"),
        Thing("m1", "model", "churn:1", "scikit-learn 1.6"),
        Thing("r2", "run", "0193ff00cd34", "train.ipynb"),
        Thing("c2", "cell", "cell 12", "train.ipynb"),
        Thing("m2", "model", "churn-of-customers-in-the-south-west:2", "xgboost 3.0, @champion"),
        Thing("e1", "endpoint", "churn/default", "revision 3"),
        Thing("e2", "endpoint", "churn/autumn", "revision 1"),
    )
    steps = [
        ("d1", "r1", "was read"), ("t", "r1", "was read"), ("r1", "c1", "ran"), ("c1", "m1", "made"),
        ("d2", "r2", "was read"), ("t", "r2", "was read"), ("m1", "r2", "was read"), ("r2", "c2", "ran"),
        ("c2", "m2", "made"), ("m2", "e1", "answers at"), ("m2", "e2", "answers at"), ("m1", "e2", "answers at"),
    ]  # fmt: skip
    return LineageGraph("m2", things, tuple(Step(*one) for one in steps))


def versions() -> tuple[TrainedModel, ...]:
    return (
        model("churn", 1, metrics={"auc": 0.81, "loss": 0.4}, parameters={"depth": 4, "rate": 0.1}),
        model("churn", 2, metrics={"auc": 0.93, "loss": 0.21}, parameters={"depth": 6, "rate": 0.1}),
        model("churn", 3, metrics={"auc": 0.91}, framework="xgboost 3.0", format="xgboost", size_bytes=51200),
    )


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("answer", ["lineage", "comparison"])
def test_every_word_fits_and_can_be_read_in_both_themes(
    browser: Any, theme: str, answer: str, tmp_path: Path
) -> None:
    attribute, style, paper = THEMES[theme]
    shown = html_of(graph() if answer == "lineage" else ModelComparison(versions()))
    tab = browser.new_page(viewport={"width": 1100, "height": 1000}, color_scheme=theme)
    tab.set_content(
        f"<!doctype html><body data-jp-theme-light={attribute} style='{style};margin:16px;background:{paper}'>"
        f"{shown}"
    )
    place = Path(os.environ.get("PICTURES_FOLDER") or tmp_path)
    tab.screenshot(path=str(place / f"{answer}-{theme}.png"), full_page=True)
    if answer == "lineage":
        assert tab.evaluate(FITS) == []
    assert tab.evaluate(CONTRAST) == []
    assert tab.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    tab.close()
