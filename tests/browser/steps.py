"""What tests do in a page, one after the other."""

from __future__ import annotations

from re import Pattern
from typing import Any

from tests.browser.conftest import SHOTS, Lab

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
"""How much every text in a part of the page stands out from what is behind it, as WCAG reckons."""


def open_panel(page: Any, lab: Lab, path: str) -> Any:
    """The panel beside a notebook whose kernel is ready."""
    page.goto(lab.page(f"/tree/{path}"))
    page.wait_for_selector("#jp-main-dock-panel")
    page.evaluate(READY)
    page.get_by_role("tab", name="Experiments and services").click()
    return page.locator("#mlalm-panel")


def run_snapshot(page: Any) -> None:
    page.get_by_role("button", name="Run (snapshot)").first.click()


def toast(page: Any, text: str | Pattern[str]) -> Any:
    return page.locator(".Toastify__toast", has_text=text).first


def shoot(page: Any, name: str) -> None:
    page.wait_for_function(
        "document.getAnimations().every(one => one.effect.getTiming().iterations > 1 || one.playState !== 'running')"
    )
    page.screenshot(path=str(SHOTS / f"{name}.png"))


def change_theme(page: Any, theme: str, *, within: str) -> None:
    """Have JupyterLab in this theme, once what is `within` has its colours."""
    page.evaluate(
        f"window.jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}})"
    )
    is_light = str(theme == "Light").lower()
    page.wait_for_selector(f"body[data-jp-theme-light='{is_light}']", state="attached")
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    # its style sheet comes later than its name, and its colours move for a while
    page.wait_for_function(
        """([within, isLight]) => {
          const part = document.querySelector(within);
          const [red] = getComputedStyle(part).color.match(/\\d+/g);
          const moves = part.getAnimations({ subtree: true });
          return (Number(red) < 128) === isLight && moves.every(one => one.playState !== 'running');
        }""",
        arg=[within, theme == "Light"],
    )


def faint(contrasts: dict[str, float]) -> dict[str, float]:
    """The texts that stand out too little to be read by everybody."""
    return {text: round(ratio, 1) for text, ratio in contrasts.items() if ratio < 4.5}
