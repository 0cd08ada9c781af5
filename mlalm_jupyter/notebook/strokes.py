"""What pictures of ours are drawn with: text that fits, curves, and the frame that both themes and readers take."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from html import escape

from mlalm_jupyter.notebook.palette import STYLE

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text_width(text: str, size: float, *, mono: bool = False) -> float:
    """About as wide as the text will be, rather a little more."""
    width = 0.0
    for letter in text:
        if unicodedata.east_asian_width(letter) in "WF":
            width += 1.05
        elif unicodedata.combining(letter):
            continue
        elif mono:
            width += 0.62
        else:
            width += 0.4 if letter in "iljtfr.,:;'!|()[] " else 1.0 if letter in "mwMW@%—…" else 0.67
    return width * size


def safe(text: str) -> str:
    """Text as XML takes it."""
    return escape(_NOT_IN_XML.sub("�", text))


def short(text: str, most: int) -> str:
    """Text of at most so many letters.

    >>> short("a long title", 8)
    'a long…'
    """
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def curve(x: float, y: float, to_x: float, to_y: float) -> str:
    """A curve down from one point to another."""
    bow = (to_y - y) * 0.55
    return f"C{x:.1f},{y + bow:.1f} {to_x:.1f},{to_y - bow:.1f} {to_x:.1f},{to_y:.1f}"


def svg(parts: Sequence[str], width: float, height: float, *, title: str, text: str) -> str:
    """The whole picture, with a title and a description for screen readers."""
    body = "\n".join(parts)
    # several pictures may stand on one page
    mark = hashlib.sha256(f"{title}\n{body}".encode(errors="replace")).hexdigest()[:10]
    marker = (
        f'<marker id="mlalm-arrow-{mark}" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path class="mlalm-arrow" d="M0,0.8 L7,4 L0,7.2 z"/></marker>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="mlalm-graph" role="img" '
        f'aria-labelledby="mlalm-title-{mark} mlalm-desc-{mark}" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">\n'
        f'<title id="mlalm-title-{mark}">{safe(title)}</title>\n'
        f'<desc id="mlalm-desc-{mark}">{safe(text)}</desc>\n'
        f"<style>{STYLE}</style>\n<defs>{marker}</defs>\n"
        f"{body.replace('url(#MARK)', f'url(#mlalm-arrow-{mark})')}\n</svg>\n"
    )
