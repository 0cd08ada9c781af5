"""A training notebook becomes a service in JupyterLab: set up from palette or panel, and both are seen side by side."""

from __future__ import annotations

import csv
import random
import re
from typing import Any

import pytest

from tests.browser.conftest import Lab
from tests.browser.steps import CONTRASTS, change_theme, faint, open_panel, run_snapshot, shoot, toast

pytestmark = [pytest.mark.browser, pytest.mark.prove_conversion, pytest.mark.timeout(420)]

TRAIN = (
    "%load_ext mlalm_jupyter\nimport pandas as pd\nfrom sklearn.linear_model import LinearRegression",
    "# Read the shops\nshops = pd.read_csv('shops.csv')",
    "shops.describe()",
    "shops['late'] = shops.hour > 18",
    "model = LinearRegression().fit(shops[['hour', 'late']], shops.sales)",
    "predictions = model.predict(shops[['hour', 'late']])\nprint(predictions.mean())",
)
PATHS = (
    "() => [...window.jupyterapp.shell.widgets('main')].map(one => one.context?.path).filter(Boolean).sort()"
)
FAR = re.compile(
    r"shops\.ipynb: (Running the notebook once more|Comparing|Running it with other rows|Keeping)"
)
SETUP, BOTH = "mlalm:service:setup", "mlalm:experiment:open-both"


@pytest.fixture(scope="module")
def shops(lab: Lab) -> None:
    """A table to train on."""
    chance = random.Random(7)
    rows = [(hour, round(hour * 3 + chance.random(), 3)) for hour in range(24)]
    with (lab.workspace / "shops.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("hour", "sales"), *rows])


def choose(page: Any, command: str) -> None:
    """What a person does who knows the palette: by the keyboard alone."""
    page.evaluate("void window.jupyterapp.commands.execute('apputils:activate-command-palette')")
    field = page.locator(".lm-CommandPalette input")
    label = page.evaluate(f"window.jupyterapp.commands.label('{command}')")
    field.fill(label)
    page.locator(f".lm-CommandPalette [data-command='{command}']").first.wait_for()
    field.press("Enter")


def left_edge(page: Any, path: str) -> float:
    """Where a notebook begins in the window, once it is seen."""
    found = """path => {
      const widgets = [...window.jupyterapp.shell.widgets('main')];
      const one = widgets.find(one => one.context?.path === path);
      return one?.isVisible && one.node.offsetWidth > 100 ? one.node.getBoundingClientRect().left : null;
    }"""
    page.wait_for_function(f"path => ({found})(path) !== null", arg=path)
    return float(page.evaluate(found, path))


@pytest.mark.full
def test_a_training_notebook_is_set_up_from_the_panel_and_both_are_seen_side_by_side(
    page: Any, lab: Lab, shops: None
) -> None:
    page.set_viewport_size({"width": 1500, "height": 900})
    lab.write("rides/shops.ipynb", *TRAIN)
    before = (lab.workspace / "shops.ipynb").read_text()
    panel = open_panel(page, lab, "rides/shops.ipynb")
    choose(page, SETUP)
    toast(page, "was not set up as a service").wait_for()
    refused = toast(page, "was not set up as a service").inner_text()
    assert "It never ran." in refused
    assert "mlalm experiment run shops" in refused
    toast(page, "was not set up as a service").get_by_role("button").last.click()
    run_snapshot(page)
    toast(page, "shops.ipynb: Finished.").wait_for(timeout=120_000)

    offer = panel.get_by_role("button", name="Set up predictive service of shops", exact=True)
    offer.wait_for()
    shoot(page, "predictive-offer")
    offer.focus()
    page.keyboard.press("Enter")
    # a quick machine shows some of the steps for less than it takes to ask for them
    toast(page, FAR).wait_for(timeout=120_000)
    toast(page, "shops.predictive.ipynb is written.").wait_for(timeout=240_000)
    assert left_edge(page, "rides/shops.ipynb") < left_edge(page, "rides/shops.predictive.ipynb")
    written = (lab.workspace / "shops.predictive.ipynb").read_text()
    assert "%web_input shops" in written
    assert ".fit(" not in written
    assert (lab.workspace / "shops.ipynb").read_text().count(".fit(") == before.count(".fit(") == 1

    cut_out = panel.get_by_role("list", name="Cut out of shops", exact=True)
    cut_out.get_by_role("button", name="Go to shops.predictive.ipynb").wait_for()
    panel.get_by_role("list", name="Origin of shops.predictive").get_by_text("cut out of shops").wait_for()
    shoot(page, "predictive-both")

    # what is open is not opened again, and moves only where it would hide the other
    both = panel.get_by_role("button", name="Open both, shops and shops.predictive, side by side").first
    opened = page.evaluate(PATHS)
    assert opened == ["rides/shops.ipynb", "rides/shops.predictive.ipynb"]
    page.evaluate(
        """() => {
          const { shell } = window.jupyterapp;
          const [left, right] = [...shell.widgets('main')].filter(one => one.context);
          shell.add(right, 'main', { mode: 'tab-after', ref: left.id });
        }"""
    )
    both.focus()
    page.keyboard.press("Enter")
    assert left_edge(page, "rides/shops.ipynb") < left_edge(page, "rides/shops.predictive.ipynb")
    assert page.evaluate(PATHS) == opened
    page.evaluate("window.jupyterapp.shell.currentWidget.close()")
    page.wait_for_function(f"({PATHS})().length === 1")
    choose(page, BOTH)
    assert left_edge(page, "rides/shops.ipynb") < left_edge(page, "rides/shops.predictive.ipynb")
    assert page.evaluate(PATHS) == opened

    for theme in ("Light", "Dark"):
        change_theme(page, theme, within="#mlalm-panel")
        shoot(page, f"predictive-panel-{theme.lower()}")
        contrasts = panel.evaluate(CONTRASTS)
        assert {"Open both", "shops.predictive", "predictive:"} <= {text.strip() for text in contrasts}
        assert faint(contrasts) == {}


@pytest.mark.full
def test_what_setting_up_answers_is_read_in_both_themes_and_opens_what_it_wrote(
    page: Any, lab: Lab, shops: None
) -> None:
    page.set_viewport_size({"width": 1400, "height": 1300})
    lab.write("rides/corner.ipynb", *TRAIN)
    lab.mlalm("experiment", "run", str(lab.workspace / "corner.ipynb"))
    lab.write(
        "rides/answer.ipynb",
        "%load_ext mlalm_jupyter",
        "%setup_service predictive corner",
        "%mlalm experiment graph corner.predictive",
    )
    open_panel(page, lab, "rides/answer.ipynb")
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    outputs = page.locator(".jp-OutputArea-output")
    page.locator(".jp-OutputArea-output svg").nth(1).wait_for(timeout=240_000)
    for theme in ("Light", "Dark"):
        change_theme(page, theme, within=".jp-OutputArea-output")
        shoot(page, f"set-up-{theme.lower()}")
        for number in range(outputs.count()):
            assert faint(outputs.nth(number).evaluate(CONTRASTS)) == {}
    outputs.get_by_role("link", name="corner.predictive.ipynb").click()
    page.get_by_role("tab", name="corner.predictive.ipynb").wait_for()
    assert "rides/corner.predictive.ipynb" in page.evaluate(PATHS)
