"""What a person sees and does in JupyterLab: the panel and the button."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import SHOTS, Lab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

READY = """async () => {
  for (let i = 0; i < 600 && !window.jupyterapp?.shell?.currentWidget?.context; i++) {
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.ready;
}"""


@pytest.fixture
def page(browser: Any, lab: Lab) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    yield opened
    context.close()


def open_panel(page: Any, lab: Lab, path: str = "") -> Any:
    page.goto(lab.page(path))
    page.wait_for_selector("#jp-main-dock-panel")
    page.get_by_role("tab", name="Experiments and services").click()
    panel = page.locator("#mlalm-panel")
    panel.get_by_role("heading", name="Services").wait_for()
    return panel


def shoot(page: Any, name: str) -> None:
    page.screenshot(path=str(SHOTS / f"{name}.png"))


def test_the_panel_lists_what_is_in_the_workspace(page: Any, lab: Lab) -> None:
    panel = open_panel(page, lab)
    train = panel.get_by_role("list", name="Experiments").get_by_role("button", name="train")
    assert "✓ Finished" in train.inner_text()
    endpoints = panel.get_by_role("list", name="Endpoints of bikes").get_by_role("listitem").all_inner_texts()
    assert sorted(text.split()[0] for text in endpoints) == ["autumn", "default"]
    assert all("bikes:1" in text for text in endpoints)
    panel.get_by_role("button", name="Copy the address of bikes/autumn").click()
    assert "/workspaces/" in page.evaluate("navigator.clipboard.readText()")
    shoot(page, "panel-alone")


def test_the_button_runs_a_snapshot_and_the_panel_shows_it(page: Any, lab: Lab) -> None:
    panel = open_panel(page, lab, "/tree/train.ipynb")
    page.evaluate(READY)
    before = json.loads((lab.root / "train.ipynb").read_text())["cells"]
    page.get_by_role("button", name="Run (snapshot)").first.click()
    page.get_by_text("train.ipynb: Finished. Registered bikes:2.").first.wait_for(timeout=120_000)
    panel.get_by_text("2 runs").wait_for()
    shoot(page, "panel-light")
    after = json.loads((lab.root / "train.ipynb").read_text())["cells"]
    assert [cell["source"] for cell in after] == [cell["source"] for cell in before]
    assert not any(cell.get("outputs") for cell in after), (
        "the run executed the snapshot, not the person's file"
    )


def test_the_panel_can_be_walked_with_the_keyboard(page: Any, lab: Lab) -> None:
    panel = open_panel(page, lab)
    panel.get_by_role("button", name="Refresh").focus()
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.title")
        )
    assert reached[0] == "Open train.ipynb"
    assert {"Copy the address of bikes/default", "Copy the address of bikes/autumn"} <= set(reached)
    panel.get_by_role("button", name="train").focus()
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="train.ipynb").wait_for()


def test_the_panel_is_readable_in_the_dark_theme(page: Any, lab: Lab) -> None:
    panel = open_panel(page, lab, "/tree/train.ipynb")
    page.evaluate(READY)
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    page.wait_for_selector("body[data-jp-theme-light='false']", state="attached")
    colours = panel.evaluate("node => [getComputedStyle(node).color, getComputedStyle(node).backgroundColor]")
    text, ground = (_brightness(colour) for colour in colours)
    assert text - ground > 120
    page.wait_for_timeout(500)  # the theme's own transition, for the picture only
    shoot(page, "panel-dark")


def test_without_a_workspace_the_panel_says_what_to_do(page: Any, lab: Lab) -> None:
    fault = {
        "code": "WorkspaceNotFound",
        "what": "No workspace here.",
        "why": "None.",
        "fix": "`mlalm workspace init`",
    }
    page.route("**/mlalm/where*", lambda route: route.fulfill(status=404, json={"error": fault}))
    page.goto(lab.page())
    page.get_by_role("tab", name="Experiments and services").click()
    assert "mlalm workspace init" in page.locator("#mlalm-panel").get_by_role("alert").inner_text()


def _brightness(colour: str) -> float:
    numbers = [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    return sum(numbers) / 3
