"""What setting up a service came to as a notebook shows it, in a real browser, light and dark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlalm_jupyter.domain.setup import SourceCell
from mlalm_jupyter.surfaces.display import html_of
from tests.unit.notebook.test_in_chromium import FITS
from tests.unit.notebook.test_in_chromium import browser as browser
from tests.unit.notebook.test_in_chromium import jp_asyncio_loop as jp_asyncio_loop
from tests.unit.notebook.test_in_chromium import jp_server_cleanup as jp_server_cleanup
from tests.unit.surfaces.test_registry_in_chromium import CONTRAST, THEMES
from tests.unit.surfaces.test_set_up import CELLS, SET_UP

pytestmark = [pytest.mark.browser, pytest.mark.prove_conversion]

WIDE = tuple(f"WWWW_{number}" for number in range(9))
WIDEST = replace(
    SET_UP,
    inputs=WIDE,
    cells=(*CELLS, SourceCell(6, "MMMM WWWW %%%% @@@@ " * 4, "evaluate", ("role:evaluate",), stays="part")),
)


PANEL = (Path(__file__).parents[3] / "labextension/style/base.css").read_text("utf-8")
LOOKS = """() => [...document.querySelectorAll('svg .mlalm-name')]
    .map(one => { const {fontWeight, color} = getComputedStyle(one); return `${fontWeight} ${color}` })"""


def test_the_styles_of_the_panel_do_not_reach_into_pictures(browser: Any) -> None:
    tab = browser.new_page()
    looks = []
    for style in ("", PANEL):
        tab.set_content(f"<style>{style}</style>{html_of(SET_UP)}")
        looks.append(tab.evaluate(LOOKS))
    tab.close()
    assert looks[0] == looks[1]
    assert {one.split()[0] for one in looks[0]} == {"400"}


def test_every_word_fits_and_can_be_read_in_both_themes(browser: Any) -> None:
    for attribute, style, paper in THEMES.values():
        tab = browser.new_page(viewport={"width": 1400, "height": 1000})
        tab.set_content(
            f"<!doctype html><body data-jp-theme-light={attribute} style='{style};margin:16px;background:{paper};"
            f"--jp-content-link-color:{'#0d47a1' if attribute == 'true' else '#90caf9'}'>{html_of(WIDEST)}"
        )
        assert tab.evaluate(FITS) == []
        assert tab.evaluate(CONTRAST) == []
        tab.close()
