"""What a person sees and does in JupyterLab: the panel and the button."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Lab
from tests.browser.steps import CONTRASTS, change_theme, faint, open_panel, run_snapshot, shoot, toast

pytestmark = [pytest.mark.browser, pytest.mark.prove_skeleton, pytest.mark.timeout(300)]


def experiment(panel: Any, name: str) -> Any:
    """The line of an experiment, above its runs."""
    return panel.get_by_title(f"Open {name}.ipynb", exact=True)


def sources(notebook: Path) -> list[str]:
    cells = json.loads(notebook.read_text())["cells"]
    assert not any(cell.get("outputs") for cell in cells), "the snapshot is executed, not the person's file"
    return ["".join(cell["source"]) for cell in cells]


def test_without_a_workspace_the_panel_says_what_to_do_and_finds_the_one_of_a_notebook(
    page: Any, lab: Lab
) -> None:
    panel = open_panel(page, lab, "alone.ipynb")
    alert = panel.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text().startswith(f"No workspace at '{lab.root.resolve()}'.")
    assert "mlalm workspace init" in alert.inner_text()
    shoot(page, "no-workspace")
    page.evaluate("void window.jupyterapp.commands.execute('docmanager:open', {path: 'rides/train.ipynb'})")
    experiment(panel, "train").wait_for()
    assert alert.count() == 0


def test_a_notebook_without_a_workspace_is_not_run_and_all_is_told(page: Any, lab: Lab) -> None:
    open_panel(page, lab, "alone.ipynb")
    run_snapshot(page)
    toast(page, "No workspace at").get_by_role("button", name="Details").click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    said = dialog.inner_text()
    assert "No workspace at" in said
    assert "Neither the folder that Jupyter serves nor any above it is one." in said
    assert "mlalm workspace init" in said
    shoot(page, "details")


def test_the_palette_offers_what_the_panel_and_the_toolbar_do(page: Any, lab: Lab) -> None:
    open_panel(page, lab, "rides/train.ipynb")
    page.evaluate("void window.jupyterapp.commands.execute('apputils:activate-command-palette')")
    palette = page.locator(".lm-CommandPalette")
    palette.locator("input").fill("mlalm")
    palette.locator("[data-command='mlalm:experiment:run']").wait_for()
    palette.locator("[data-command='mlalm:workspace:refresh']").wait_for()


def test_the_panel_lists_what_is_in_the_workspace(page: Any, lab: Lab) -> None:
    panel = open_panel(page, lab, "rides/train.ipynb")
    experiment(panel, "train").get_by_text("1 run").wait_for()
    runs = panel.get_by_role("list", name="Runs of train").get_by_role("listitem")
    runs.nth(1).wait_for()
    told = runs.all_inner_texts()
    assert ["Draft, editable" in told[0], "✓ Finished" in told[1], len(told)] == [True, True, 2]
    endpoints = panel.get_by_role("list", name="Endpoints of bikes").get_by_role("listitem").all_inner_texts()
    assert sorted(text.split()[0] for text in endpoints) == ["autumn", "default"]
    assert all("bikes:1" in text and "rev. 1" in text for text in endpoints)
    panel.get_by_role("button", name="Copy the address of bikes/autumn").click()
    toast(page, "The address of bikes/autumn is copied.").wait_for()
    shown = json.loads(lab.mlalm("--json", "endpoint", "show", "bikes/autumn"))
    assert page.evaluate("navigator.clipboard.readText()") == shown["address"]


def test_the_button_runs_a_snapshot_and_the_panel_shows_it(page: Any, lab: Lab) -> None:
    panel = open_panel(page, lab, "rides/train.ipynb")
    before = sources(lab.workspace / "train.ipynb")
    run_snapshot(page)
    toast(page, "train.ipynb: Finished. Registered bikes:2.").wait_for(timeout=120_000)
    panel.get_by_text("2 runs").wait_for()
    assert sources(lab.workspace / "train.ipynb") == before
    lab.mlalm("endpoint", "patch", "bikes/autumn", "--model", "bikes:2")
    panel.get_by_role("button", name="Refresh").click()
    panel.get_by_role("listitem").filter(has_text="rev. 2").get_by_text("bikes:2").wait_for()
    shoot(page, "panel-light")


def test_the_panel_shows_how_far_a_run_is_and_why_it_failed(page: Any, lab: Lab, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    waits = f"for _ in range(1200):\n    if pathlib.Path({str(gate)!r}).exists():\n        break\n    time.sleep(0.05)"
    lab.write("rides/gate.ipynb", "import pathlib, time", waits, "1 / 0")
    panel = open_panel(page, lab, "rides/gate.ipynb")
    run_snapshot(page)
    row = panel.get_by_role("list", name="Runs of gate").get_by_role("listitem").nth(1)
    row.get_by_text("Running 1/3").wait_for()
    assert row.get_by_role("progressbar").get_attribute("max") == "3"
    toast(page, "gate.ipynb: ▸ Running 1/3").wait_for()
    shoot(page, "running")
    gate.touch()
    toast(page, "gate.ipynb: Failed.").wait_for()
    assert "Cell 3: ZeroDivisionError: division by zero" in toast(page, "gate.ipynb: Failed.").inner_text()
    row.get_by_text("✗ Failed").wait_for()
    assert "ZeroDivisionError: division by zero" in row.inner_text()


def test_the_panel_can_be_walked_with_the_keyboard(page: Any, lab: Lab) -> None:
    lab.write("rides/notes.ipynb", "'nothing to run here'")
    panel = open_panel(page, lab, "rides/notes.ipynb")
    experiment(panel, "train").wait_for()
    panel.get_by_role("button", name="Refresh").focus()
    buttons = panel.get_by_role("button").count()
    reached = []
    for _ in range(buttons - 1):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.title")
        )
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", f"the focus on '{reached[-1]}' is not to be seen"
    assert "Open train.ipynb" in reached
    assert reached[-2:] == ["Copy the address of bikes/default", "Copy the address of bikes/autumn"]
    experiment(panel, "train").focus()
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="train.ipynb").wait_for()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_every_text_of_the_panel_is_readable_in_both_themes(page: Any, lab: Lab, theme: str) -> None:
    panel = open_panel(page, lab, "rides/train.ipynb")
    experiment(panel, "train").wait_for()
    change_theme(page, theme, within="#mlalm-panel")
    shoot(page, f"panel-{theme.lower()}-theme")
    contrasts = panel.evaluate(CONTRASTS)
    assert {"bikes", "default", "bikes:1", "Copy address"} <= contrasts.keys()
    assert faint(contrasts) == {}
