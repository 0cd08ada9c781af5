"""Pictures and pages in a real browser: what is drawn fits, and nothing of a notebook runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook
from mlalm_jupyter.notebook.drawing import drawn
from mlalm_jupyter.notebook.graph import graph_of
from mlalm_jupyter.notebook.page import Bar, page

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.ipynb"))
BAR = Bar("0193ab12", "Finished", "2026-01-05 10:00", "mlalm experiment save-as run:0193ab12 NAME")
pytestmark = [pytest.mark.browser, pytest.mark.prove_experiments]

FITS = """() => {
    const faults = []
    const boxes = element => element.getBoundingClientRect()
    for (const node of document.querySelectorAll('.mlalm-node')) {
        const box = boxes(node.querySelector('.mlalm-box'))
        for (const text of node.querySelectorAll(':scope > text')) {
            const own = boxes(text)
            if (own.left < box.left || own.right > box.right || own.bottom > box.bottom) faults.push(text.textContent)
        }
    }
    const texts = [...document.querySelectorAll('svg text')]
    texts.forEach((one, index) => texts.slice(index + 1).forEach(other => {
        const a = boxes(one), b = boxes(other)
        if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
            faults.push(`${one.textContent} on ${other.textContent}`)
    }))
    return faults
}"""


@pytest.fixture
def jp_asyncio_loop() -> None:
    """No event loop of Jupyter's tests, which would close the one that the browser is driven with."""


@pytest.fixture
def jp_server_cleanup() -> None:
    """No server of Jupyter's tests either, which would want that loop."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    named = os.environ.get("MLALM_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if named is None:
        (pytest.fail if os.environ.get("MLALM_REQUIRE_BROWSER") == "1" else pytest.skip)("no Chromium here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run"]
        opened = playwright.chromium.launch(executable_path=named, args=flags)
        yield opened
        opened.close()


def test_every_label_fits_its_box_and_lies_on_no_other(browser: Any) -> None:
    tab = browser.new_page(viewport={"width": 1600, "height": 1000})
    for path in CORPUS:
        tab.set_content(
            f"<body style='margin:0'>{drawn(graph_of(read_notebook(path.read_bytes())), name=path.name)}"
        )
        assert tab.evaluate(FITS) == [], path.stem
    tab.close()


def test_what_is_said_beside_a_role_fits_too(browser: Any) -> None:
    cells = [
        {"cell_type": "code", "source": text, "metadata": {"mlalm": {"part": f"cell-{part}"}, "tags": tags}}
        for text, part, tags in (
            ("x = 1", 123, ["role:evaluate"]),
            ("W = x", 4, ["role:transform", "web-input"]),
            ("y = W", 567, ["skip"]),
            ("y", 89, ["web-output"]),
        )
    ]
    graph = graph_of(NotebookDocument({"nbformat": 4, "cells": cells}))
    tab = browser.new_page()
    tab.set_content(drawn(graph))
    assert tab.evaluate(FITS) == []
    assert tab.locator(".mlalm-origin").all_text_contents() == ["from 123", "from 4", "from 567", "from 89"]
    tab.close()


def test_a_picture_follows_the_theme(browser: Any) -> None:
    svg = drawn(graph_of(read_notebook(CORPUS[0].read_bytes())))
    colours = {}
    for scheme in ("light", "dark"):
        tab = browser.new_page(color_scheme=scheme)
        for theme in ("", "true", "false"):
            attribute = f" data-jp-theme-light={theme}" if theme else ""
            tab.set_content(f"<body{attribute}>{svg}")
            colours[scheme, theme] = tab.evaluate(
                "() => getComputedStyle(document.querySelector('.mlalm-title')).fill"
            )
        tab.close()
    assert colours["light", ""] != colours["dark", ""]
    assert colours["light", "false"] == colours["dark", ""] == colours["dark", "false"]
    assert colours["dark", "true"] == colours["light", ""] == colours["light", "true"]


def test_nothing_of_a_notebook_runs_or_is_fetched(browser: Any, tmp_path: Path) -> None:
    acts = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    outputs = [
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": acts}},
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {"application/javascript": "document.title='owned'"},
        },
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {
                "image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg' onload='top.document.title=1'>{acts}</svg>"
            },
        },
    ]
    from mlalm_jupyter.notebook.document import NotebookDocument

    cells = [
        {"cell_type": "markdown", "source": f"{acts}\n\n![far](https://pictures.example/a.png)"},
        {"cell_type": "code", "source": "show()", "outputs": outputs},
    ]
    file = tmp_path / "page.html"
    file.write_text(page(NotebookDocument({"nbformat": 4, "cells": cells}), name="a", bar=BAR), "utf-8")
    tab = browser.new_page()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(file.as_uri(), wait_until="load")
    assert tab.title() == "a, run 0193ab12"
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    tab.evaluate(
        "() => document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title=1\">')"
    )
    tab.wait_for_timeout(100)
    assert tab.title() == "a, run 0193ab12", (
        "the policy of the page holds even for what the reader would let through"
    )
    tab.close()


def test_the_bar_stays_in_sight_and_no_page_is_wider_than_the_screen(browser: Any, tmp_path: Path) -> None:
    tab = browser.new_page(viewport={"width": 700, "height": 500})
    for path in CORPUS:
        file = tmp_path / f"{path.stem}.html"
        file.write_text(page(read_notebook(path.read_bytes()), name=path.name, bar=BAR), "utf-8")
        tab.goto(file.as_uri())
        tab.evaluate("() => scrollTo(0, document.body.scrollHeight)")
        assert tab.evaluate("() => document.querySelector('.bar').getBoundingClientRect().top") == 0
        assert tab.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), path.stem
    tab.close()
