"""The outputs of a cell, as a page shows them and as a terminal does."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from mlalm_jupyter.notebook.inert import inert

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_MOST_SHOWN = 200_000
_MOST_HTML = 5_000_000
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_RUNS = re.compile(r"^application/(javascript|vnd\.jupyter\.widget|vnd\.bokehjs|vnd\.plotly|vnd\.vega)")


def as_text(value: object) -> str:
    """A text of a notebook, which may be a list of its lines.

    >>> as_text(["a", "b"])
    'ab'
    """
    if isinstance(value, list):
        return "".join(one for one in value if isinstance(one, str))
    return value if isinstance(value, str) else ""


def plain(text: str) -> str:
    """Text without colours, cursor movements and anything else that steers a terminal.

    >>> plain("\\x1b[31mred\\x1b[0m\\n10%\\r20%")
    'red\\n20%'
    """
    text = _ESCAPES.sub("", text)
    if "\r" in text:  # what a progress bar wrote over
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return _CONTROLS.sub("", text)


def outputs_of(cell: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The outputs that a cell has, leaving out what is none."""
    found = cell.get("outputs")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def told_output(output: Mapping[str, Any]) -> str:
    """An output as plain text, for a terminal."""
    kind = output.get("output_type")
    if kind == "stream":
        return plain(as_text(output.get("text")))
    if kind == "error":
        trace = plain("\n".join(_lines(output.get("traceback"))))
        return trace or plain(f"{output.get('ename', 'Error')}: {output.get('evalue', '')}")
    data = _data(output)
    text = plain(as_text(data.get("text/plain") or data.get("text/markdown") or data.get("text/latex")))
    pictures = [name for name in (*_PICTURES, "image/svg+xml") if name in data]
    shown = f"[{pictures[0]}]" if pictures else ""
    return "\n".join(part for part in (text, shown) if part) or f"[{', '.join(sorted(data)) or 'nothing'}]"


def shown_output(output: Mapping[str, Any]) -> str:
    """An output as HTML that does nothing."""
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return _block(plain(as_text(output.get("text"))), name)
    if kind == "error":
        return _block(told_output(output), "error")
    return "".join(_shown_data(_data(output)))


def _shown_data(data: Mapping[str, Any]) -> Iterator[str]:
    html = as_text(data.get("text/html"))
    html = inert(html) if len(html) <= _MOST_HTML else ""
    vector = as_text(data.get("image/svg+xml"))
    picture = next((name for name in _PICTURES if _BASE64.fullmatch(as_text(data.get(name)))), None)
    text = plain(as_text(data.get("text/plain")))
    about = escape(text[:200].strip() or "an output")
    is_left_out = (
        any(_RUNS.match(name) for name in data) or "<script" in as_text(data.get("text/html")).lower()
    )
    if re.sub(r"<[^>]*>|\s", "", html) or "<img" in html:
        yield f'<div class="rich">{html}</div>'
    elif picture:
        encoded = "".join(as_text(data[picture]).split())
        yield f'<img src="data:{picture};base64,{encoded}" alt="{about}">'
    elif vector.strip():
        encoded = base64.b64encode(vector.encode(errors="replace")).decode()
        yield f'<img src="data:image/svg+xml;base64,{encoded}" alt="{about}">'
    elif text:
        yield _block(text, "result")
    else:
        other = next(
            (data[name] for name in ("text/markdown", "text/latex", "application/json") if name in data), ""
        )
        shown = as_text(other) or (json.dumps(other, indent=1, default=str) if other else "")
        if shown:
            yield _block(plain(shown), "result")
    if is_left_out:
        yield '<p class="left-out">Something here needs scripts. They are not run on this page.</p>'


def _block(text: str, name: str) -> str:
    more = len(text) - _MOST_SHOWN
    if more > 0:
        cut = f'<p class="left-out">{more:,} more characters are in the notebook itself.</p>'
        return f'<pre class="{name}">{escape(text[:_MOST_SHOWN])}</pre>{cut}'
    return f'<pre class="{name}">{escape(text)}</pre>' if text else ""


def _data(output: Mapping[str, Any]) -> Mapping[str, Any]:
    data = output.get("data")
    return data if isinstance(data, Mapping) else {}


def _lines(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
