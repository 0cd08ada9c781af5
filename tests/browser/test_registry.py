"""Lineage and comparison of models in a real notebook, as a person sees them in JupyterLab."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import Lab
from tests.browser.steps import CONTRASTS, READY, change_theme, faint, shoot

pytestmark = [pytest.mark.browser, pytest.mark.prove_models, pytest.mark.timeout(240)]
OUTPUTS = ".jp-OutputArea-output"
OUTSIDE = """outputs => outputs.flatMap(output => {
  const edge = output.getBoundingClientRect();
  return [...output.querySelectorAll('svg text')]
    .filter(text => text.getBoundingClientRect().right > edge.right + output.scrollWidth - output.clientWidth)
    .map(text => text.textContent);
})"""


@pytest.mark.full
def test_lineage_and_comparison_are_read_in_a_notebook_in_both_themes(page: Any, lab: Lab) -> None:
    lab.mlalm("experiment", "run", str(lab.workspace / "train.ipynb"))
    lab.write(
        "rides/registry.ipynb",
        "%load_ext mlalm_jupyter",
        "%mlalm model lineage bikes:1",
        "%mlalm model compare bikes:1,bikes:2",
    )
    page.set_viewport_size({"width": 1280, "height": 1200})
    page.goto(lab.page("/tree/rides/registry.ipynb"))
    page.wait_for_selector("#jp-main-dock-panel")
    page.evaluate(READY)
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.locator(f"{OUTPUTS} svg").first.wait_for()
    page.locator(f"{OUTPUTS} table", has_text="bikes:2").first.wait_for()
    for theme in ("Light", "Dark"):
        change_theme(page, theme, within=OUTPUTS)
        shoot(page, f"registry-{theme.lower()}")
        outputs = page.locator(OUTPUTS)
        texts = outputs.all_text_contents()
        assert any("bikes/autumn" in text and "bikes/default" in text for text in texts)
        for number in range(outputs.count()):
            assert faint(outputs.nth(number).evaluate(CONTRASTS)) == {}
        assert outputs.evaluate_all(OUTSIDE) == []
