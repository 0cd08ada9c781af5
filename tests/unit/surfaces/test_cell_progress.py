"""Progress under a cell, as a notebook is given it."""

from __future__ import annotations

from html.parser import HTMLParser

import IPython.display
import pytest

from mlalm_jupyter.surfaces.magics.progress import CellProgress


class _Bars(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "progress":
            self.found.append(dict(attrs))


def test_a_bar_says_aloud_what_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr(IPython.display, "display", lambda bundle, **_: shown.append(bundle))
    CellProgress(is_shown=True)('Run of "a".ipynb', 2, 5)
    assert shown[0]["text/plain"] == 'Run of "a".ipynb: 2 of 5'
    assert _Bars(shown[0]["text/html"]).found == [
        {"value": "2", "max": "5", "aria-label": 'Run of "a".ipynb'},
    ]
