"""What a person sees and does with runs in JupyterLab: the button, the history, and snapshots that stay locked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from mlalm_jupyter.domain.errors import SnapshotLocked
from tests.browser.conftest import Lab
from tests.browser.steps import (
    CONTRASTS,
    READY,
    change_theme,
    faint,
    open_panel,
    run_snapshot,
    shoot,
    toast,
)

pytestmark = [pytest.mark.browser, pytest.mark.prove_experiments, pytest.mark.timeout(300)]

SHOWN = "window.jupyterapp.shell.currentWidget"
NOTEBOOK = ".mlalm-locked .mlalm-locked-notebook"
SOURCES = f"() => [...{SHOWN}.content.model.cells].map(cell => cell.sharedModel.getSource())"


def history(lab: Lab, notebook: str) -> list[dict[str, Any]]:
    """The runs of a notebook, newest first, without its draft."""
    lines = json.loads(lab.mlalm("--json", "experiment", "history", str(lab.workspace / notebook)))
    return [one for one in lines if not one["is_editable"]]


def cell_waiting_for(gate: Path) -> str:
    return (
        "import pathlib, time\n"
        f"for _ in range(1200):\n    if pathlib.Path({str(gate)!r}).exists():\n        break\n    time.sleep(0.05)"
    )


def type_into_first_cell(page: Any, text: str) -> None:
    """What a person types, not saved."""
    page.locator(".jp-NotebookPanel:visible .jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def open_snapshot(page: Any, lab: Lab, notebook: str) -> Any:
    """The newest run of a notebook, opened from the panel; its bar."""
    panel = open_panel(page, lab, f"rides/{notebook}")
    runs = panel.get_by_role("list", name=f"Runs of {Path(notebook).stem}")
    runs.get_by_role("button").nth(1).click()
    bar = page.get_by_role("region", name="Locked snapshot")
    bar.get_by_text("Locked").wait_for()
    page.locator(".mlalm-locked .jp-Cell").first.wait_for()
    return bar


def refusal(run: str) -> str:
    return str(SnapshotLocked(run[:12]))


def test_the_button_saves_runs_and_shows_each_cell_that_is_done(page: Any, lab: Lab, tmp_path: Path) -> None:
    gates = [tmp_path / "first", tmp_path / "second"]
    lab.write("rides/steps.ipynb", "1 + 1", *map(cell_waiting_for, gates))
    panel = open_panel(page, lab, "rides/steps.ipynb")
    type_into_first_cell(page, " + 40")
    run_snapshot(page)
    runs = panel.get_by_role("list", name="Runs of steps").get_by_role("listitem")
    progress = runs.nth(1).get_by_role("progressbar")
    runs.nth(1).get_by_text("Running 1/3").wait_for()
    assert progress.get_attribute("aria-valuetext") == "1 of 3 cells"
    shoot(page, "runs-progress-light")
    gates[0].touch()
    runs.nth(1).get_by_text("Running 2/3").wait_for()
    toast(page, "steps.ipynb: ▸ Running 2/3").wait_for()
    gates[1].touch()
    toast(page, "steps.ipynb: Finished.").wait_for()
    runs.nth(1).get_by_text("✓ Finished").wait_for()
    assert progress.count() == 0
    assert "Draft, editable" in runs.nth(0).inner_text()
    [run] = history(lab, "steps.ipynb")
    assert (run["status"], run["cells_done"]) == ("Finished", 3)
    cells = json.loads((lab.workspace / "steps.ipynb").read_text())["cells"]
    assert "".join(cells[0]["source"]) == "1 + 1 + 40", "what is on screen is saved first"
    runs.nth(1).get_by_role("button").click()
    page.locator(".mlalm-locked .jp-OutputArea-output").get_by_text("42").wait_for()


@pytest.mark.full
def test_the_runs_of_an_experiment_stand_below_its_draft_newest_first(page: Any, lab: Lab) -> None:
    lab.write("rides/often.ipynb", "1 / 0")
    lab.mlalm("experiment", "snapshot", str(lab.workspace / "often.ipynb"), "-m", "before the run")
    panel = open_panel(page, lab, "rides/often.ipynb")
    run_snapshot(page)
    toast(page, "often.ipynb: Failed.").wait_for()
    runs = panel.get_by_role("list", name="Runs of often").get_by_role("listitem")
    runs.nth(1).get_by_text("✗ Failed").wait_for()
    told = runs.all_inner_texts()
    assert ["Draft, editable" in told[0], "Failed" in told[1], "before the run" in told[2]] == [True] * 3
    assert "division by zero" in told[1]
    newest_first = [run["id"][:12] for run in history(lab, "often.ipynb")]
    assert [re.findall(r"\b[0-9a-f]{12}\b", one) for one in told[1:]] == [[one] for one in newest_first]
    toggle = panel.get_by_role("button", name="Runs of often")
    toggle.focus()
    page.keyboard.press("Enter")
    runs.first.wait_for(state="detached")
    page.keyboard.press("Enter")
    runs.first.wait_for()
    shoot(page, "runs-light")


@pytest.fixture(scope="module")
def locked(lab: Lab) -> dict[str, Any]:
    """A run that has ended, to be opened."""
    lab.write("rides/kept.ipynb", "rows = 6 * 7\nrows", "'the end'")
    lab.mlalm("experiment", "run", str(lab.workspace / "kept.ipynb"))
    return history(lab, "kept.ipynb")[0]


def test_a_run_opens_locked_under_a_bar_that_says_which_it_is(
    page: Any, lab: Lab, locked: dict[str, Any]
) -> None:
    bar = open_snapshot(page, lab, "kept.ipynb")
    said = bar.inner_text()
    assert f"Locked run {locked['id'][:12]} of kept.ipynb" in said
    assert "✓ Finished" in said
    assert f"by {locked['created_by']}" in said
    assert bar.locator("time").get_attribute("datetime") == locked["created_at"]
    page.get_by_role("tab", name=f"kept @ {locked['id'][:12]}").wait_for()
    assert page.locator(".mlalm-locked .jp-OutputArea-output").first.inner_text().strip() == "42"
    kernel, path = page.evaluate(f"[{SHOWN}.context.sessionContext.session, {SHOWN}.context.path]")
    assert kernel is None
    assert path == f"mlalm:rides/kept.ipynb/{locked['id']}.locked.ipynb"
    answer = requests.get(f"{lab.url}/api/sessions", params={"token": lab.token}, timeout=10)
    assert [one["path"] for one in answer.json() if "locked" in one["path"]] == []


@pytest.mark.full
def test_nothing_can_be_typed_into_a_snapshot_or_done_to_its_cells(
    page: Any, lab: Lab, locked: dict[str, Any]
) -> None:
    open_snapshot(page, lab, "kept.ipynb")
    before = page.evaluate(SOURCES)
    keys = [*"abxvymzcrdd", "Shift+M", "Control+Shift+ArrowDown", "Control+Shift+Backspace", "Delete"]
    keys += ["Enter", "Shift+Enter", "Control+Enter", "Alt+Enter", "Control+v", "Control+z"]
    cell = page.locator(".mlalm-locked .jp-CodeCell").first
    for part in (cell.locator(".cm-content"), cell.locator(".jp-InputPrompt"), page.locator(NOTEBOOK)):
        part.click()
        page.keyboard.type("tampered")
        for key in ("Escape", *keys):
            page.keyboard.press(key)
    part.focus()
    page.keyboard.press("d")
    page.keyboard.press("d")
    last = page.locator(".mlalm-locked .jp-CodeCell").last
    cell.locator(".jp-InputPrompt").drag_to(last.locator(".jp-InputPrompt"))
    assert page.evaluate(SOURCES) == before == ["rows = 6 * 7\nrows", "'the end'"]
    assert page.locator(".mlalm-locked .jp-Cell").count() == len(before)
    assert page.evaluate(f"{SHOWN}.context.model.dirty") is False
    behind = (
        "[...window.jupyterapp.shell.widgets('main')].find(one => one.context?.path === 'rides/kept.ipynb')"
    )
    assert page.evaluate(SOURCES.replace(SHOWN, behind)) == before, "nor does it reach the draft behind it"
    shoot(page, "locked-typing")


def test_saving_renaming_and_deleting_a_snapshot_is_refused_in_our_words(
    page: Any, lab: Lab, locked: dict[str, Any]
) -> None:
    open_snapshot(page, lab, "kept.ipynb")
    page.locator(".mlalm-locked .cm-content").first.click()
    page.keyboard.press("Control+s")
    fault = toast(page, f"Snapshot '{locked['id'][:12]}' was not changed.")
    fault.wait_for()
    shoot(page, "locked-refused")
    fault.get_by_role("button", name="Details").click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    said = " ".join(dialog.inner_text().split())
    assert said.removesuffix(" Close") == refusal(locked["id"])
    dialog.get_by_role("button", name="Close").click()
    refused = page.evaluate(
        f"""async () => {{
          const {{ contents }} = window.jupyterapp.serviceManager;
          const path = {SHOWN}.context.path;
          const model = await contents.get(path);
          const changes = [
            () => contents.save(path, {{ ...model, content: {{ ...model.content, cells: [] }} }}),
            () => contents.rename(path, 'mlalm:rides/kept.ipynb/mine.ipynb'),
            () => contents.delete(path),
            () => contents.copy(path, 'mlalm:rides/kept.ipynb'),
            () => {SHOWN}.context.save()
          ];
          const told = [];
          for (const change of changes) {{
            told.push(await change().then(() => 'done', error => error.message));
          }}
          return told;
        }}"""
    )
    assert refused[:4] == [refusal(locked["id"])] * 4
    assert refused[4] != "done"
    assert history(lab, "kept.ipynb")[0] == locked


def test_a_menu_that_would_change_a_snapshot_is_answered(page: Any, lab: Lab, locked: dict[str, Any]) -> None:
    open_snapshot(page, lab, "kept.ipynb")
    page.evaluate("() => { void window.jupyterapp.commands.execute('docmanager:rename') }")
    dialog = page.get_by_role("dialog")
    dialog.locator("input").first.fill("mine.ipynb")
    page.keyboard.press("Enter")
    toast(page, f"Snapshot '{locked['id'][:12]}' was not changed.").wait_for()
    page.evaluate("() => { void window.jupyterapp.commands.execute('docmanager:save-as') }")
    page.get_by_role("dialog").get_by_text("becomes a new experiment").wait_for()


@pytest.mark.full
def test_a_snapshot_opens_from_the_address_of_its_page_and_scrolls_by_keys(page: Any, lab: Lab) -> None:
    lab.write("rides/long.ipynb", *(f"rows = {n}" for n in range(40)))
    lab.mlalm("experiment", "snapshot", str(lab.workspace / "long.ipynb"))
    [run] = history(lab, "long.ipynb")
    page.goto(lab.page(f"/tree/mlalm:rides/long.ipynb/{run['id']}.locked.ipynb"))
    page.get_by_role("region", name="Locked snapshot").get_by_text(run["id"][:12]).wait_for()
    cells = page.get_by_role("document", name=f"Cells of long @ {run['id'][:12]}")
    cells.wait_for()
    page.get_by_role("button", name="Save As…").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("PageDown")
    page.wait_for_function("part => part.scrollTop > 0", arg=cells.element_handle())
    page.set_viewport_size({"width": 760, "height": 600})
    said = page.locator(".mlalm-bar-text")
    page.wait_for_function("part => part.scrollWidth <= part.clientWidth", arg=said.element_handle())
    assert said.bounding_box()["height"] < page.locator(".mlalm-bar").bounding_box()["height"]
    shoot(page, "locked-narrow")
    assert page.evaluate(f"{SHOWN}.context.model.dirty") is False, "there is nothing to save"
    page.reload()
    cells.wait_for()
    assert page.get_by_role("dialog").count() == 0


@pytest.mark.full
def test_save_as_makes_a_notebook_of_its_own_and_lists_which_assets_moved(page: Any, lab: Lab) -> None:
    lab.write("rides/origin.ipynb", "%load_ext mlalm_jupyter\nrows = %dataset shops:1\nlen(rows)")
    (lab.root / "shops.csv").write_text("a\n1\n2\n")
    lab.mlalm("dataset", "upload", str(lab.root / "shops.csv"), "shops")
    lab.mlalm("experiment", "run", str(lab.workspace / "origin.ipynb"))
    (lab.root / "shops.csv").write_text("a\n1\n2\n3\n")
    lab.mlalm("dataset", "update", "shops", str(lab.root / "shops.csv"))
    origin = history(lab, "origin.ipynb")[0]
    bar = open_snapshot(page, lab, "origin.ipynb")
    bar.get_by_role("button", name="Save As…").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    shoot(page, "save-as")
    dialog.locator("input[type=text], input:not([type=checkbox])").first.fill("forest")
    page.keyboard.press("Enter")
    moved = page.get_by_role("dialog").filter(has_text="Saved as forest.ipynb.")
    moved.wait_for()
    assert moved.get_by_role("row").last.inner_text().split() == ["dataset", "shops:1", "shops:2"]
    shoot(page, "save-as-moved")
    moved.get_by_role("button", name="Close").click()
    page.get_by_role("tab", name="forest.ipynb").wait_for()
    page.evaluate(READY)
    assert "shops:2" in page.evaluate(SOURCES)[0]
    type_into_first_cell(page, "\n'mine'")
    assert page.evaluate(SOURCES)[0].endswith("'mine'"), "the new one can be edited"
    page.locator("#mlalm-panel").get_by_role("list", name="Runs of forest").wait_for()
    assert history(lab, "forest.ipynb") == []
    made = json.loads(lab.mlalm("--json", "experiment", "show", str(lab.workspace / "forest.ipynb")))
    assert made["parent"] == "origin.ipynb"
    assert history(lab, "origin.ipynb") == [origin]


@pytest.mark.full
@pytest.mark.parametrize("magic", ["snapshot", "run_all"])
def test_a_magic_that_reads_the_file_sees_what_is_on_screen(page: Any, lab: Lab, magic: str) -> None:
    name = f"unsaved-{magic}"
    lab.write(f"rides/{name}.ipynb", "value = 1", "%load_ext mlalm_jupyter", f"taken = %{magic} -m typed")
    panel = open_panel(page, lab, f"rides/{name}.ipynb")
    type_into_first_cell(page, " + 41")
    page.evaluate("() => { void window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    panel.get_by_role("list", name=f"Runs of {name}").get_by_text("typed").wait_for()
    [run] = history(lab, f"{name}.ipynb")
    assert run["message"] == "typed"
    assert "value = 1 + 41" in lab.mlalm("experiment", "open", run["id"])
    kept = json.loads((lab.workspace / f"{name}.ipynb").read_text())
    assert all("mlalm_saved" not in cell["metadata"] for cell in kept["cells"])


@pytest.mark.parametrize("theme", ["Light", pytest.param("Dark", marks=pytest.mark.full)])
def test_a_snapshot_is_readable_in_both_themes(
    page: Any, lab: Lab, locked: dict[str, Any], theme: str
) -> None:
    bar = open_snapshot(page, lab, "kept.ipynb")
    change_theme(page, theme, within=".mlalm-bar")
    shoot(page, f"locked-{theme.lower()}")
    contrasts = {**bar.evaluate(CONTRASTS), **page.locator("#mlalm-panel").evaluate(CONTRASTS)}
    assert {"Locked", "✓ Finished", "Save As…", locked["id"][:12]} <= contrasts.keys()
    assert faint(contrasts) == {}
