"""What a person sees and does in JupyterLab: the panel and the button."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import SHOTS, Lab

pytestmark = [pytest.mark.browser, pytest.mark.prove_skeleton, pytest.mark.timeout(300)]

READY = """async () => {
  for (let i = 0; i < 600 && !window.jupyterapp?.shell?.currentWidget?.context; i++) {
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
}"""

CONTRASTS = """node => {
  const parts = colour => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const ground = element => {
    for (let one = element; one; one = one.parentElement) {
      const { rgb, a } = parts(getComputedStyle(one).backgroundColor);
      if (a === 1) return rgb;
    }
    return [255, 255, 255];
  };
  const light = rgb => {
    const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = {};
  for (const element of node.querySelectorAll('*')) {
    const text = [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join('').trim();
    if (!text) continue;
    const below = ground(element);
    const { rgb, a } = parts(getComputedStyle(element).color);
    const above = rgb.map((v, i) => a * v + (1 - a) * below[i]);
    const [dark, bright] = [light(above), light(below)].sort((x, y) => x - y);
    found[text] = (bright + 0.05) / (dark + 0.05);
  }
  return found;
}"""
"""How much every text in the panel stands out from what is behind it, as WCAG reckons."""


@pytest.fixture
def page(browser: Any, lab: Lab) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    yield opened
    context.close()


def open_panel(page: Any, lab: Lab, path: str) -> Any:
    """The panel beside a notebook whose kernel is ready."""
    page.goto(lab.page(f"/tree/{path}"))
    page.wait_for_selector("#jp-main-dock-panel")
    page.evaluate(READY)
    page.get_by_role("tab", name="Experiments and services").click()
    return page.locator("#mlalm-panel")


def run_snapshot(page: Any) -> None:
    page.get_by_role("button", name="Run (snapshot)").first.click()


def toast(page: Any, text: str) -> Any:
    return page.locator(".Toastify__toast", has_text=text).first


def shoot(page: Any, name: str) -> None:
    page.screenshot(path=str(SHOTS / f"{name}.png"))


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
    panel.get_by_role("list", name="Experiments").get_by_role("button", name="train").wait_for()
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
    train = panel.get_by_role("list", name="Experiments").get_by_role("button", name="train")
    assert "✓ Finished" in train.inner_text()
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
    row = panel.get_by_role("button", name="gate")
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
    panel.get_by_role("button", name="train").wait_for()
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
    panel.get_by_role("button", name="train").focus()
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="train.ipynb").wait_for()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_every_text_of_the_panel_is_readable_in_both_themes(page: Any, lab: Lab, theme: str) -> None:
    panel = open_panel(page, lab, "rides/train.ipynb")
    panel.get_by_role("button", name="train").wait_for()
    page.evaluate(
        f"window.jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}})"
    )
    is_light = str(theme == "Light").lower()
    page.wait_for_selector(f"body[data-jp-theme-light='{is_light}']", state="attached")
    # its style sheet comes later than its name, and its colours move for a while
    page.wait_for_function(
        """isLight => {
          const [red] = getComputedStyle(document.querySelector('#mlalm-panel')).color.match(/\\d+/g);
          const moves = document.querySelector('#mlalm-panel').getAnimations({ subtree: true });
          return (Number(red) < 128) === isLight && moves.every(one => one.playState !== 'running');
        }""",
        arg=theme == "Light",
    )
    shoot(page, f"panel-{theme.lower()}-theme")
    contrasts = panel.evaluate(CONTRASTS)
    assert {"bikes", "default", "bikes:1", "Copy address"} <= contrasts.keys()
    assert {text: round(ratio, 1) for text, ratio in contrasts.items() if ratio < 4.5} == {}
